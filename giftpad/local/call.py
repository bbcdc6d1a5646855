"""Run one function of the settings in a process of its own: ``-m giftpad.local.call room:name``.

The supervisor starts its preparing steps this way, so that they neither share its memory nor can
bring it down.
"""

from __future__ import annotations

import importlib
import sys

from giftpad.kernel.config import read_settings
from giftpad.kernel.log import configure_logging


def main(target: str) -> None:
    """Call ``module:function`` with the settings of the environment."""
    module, _, function = target.partition(":")
    settings = read_settings()
    configure_logging(settings)
    getattr(importlib.import_module(module), function)(settings)


if __name__ == "__main__":
    main(sys.argv[1])
