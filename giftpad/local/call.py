"""Run functions of the settings in a process of their own: ``python -c CALL room:name …``.

The supervisor runs its preparing steps this way, so that they neither share its memory nor can
bring it down; one process for all of them, because loading our code takes longer than most do.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable

from giftpad.kernel.config import read_settings
from giftpad.kernel.log import configure_logging
from giftpad.kernel.seal import KeyUnreadable

CALL = "import sys; from giftpad.local.call import main; main(sys.argv[1:])"
"""What that process runs: with ``-m``, Python warns that our door has imported this already."""

DONE = "\x1e"
"""A line of its own that tells that one more function has ended well."""


def main(targets: Iterable[str]) -> None:
    """Call each ``module:function`` in turn with the settings of the environment."""
    settings = read_settings()
    configure_logging(settings)
    for target in targets:
        module, _, function = target.partition(":")
        try:
            getattr(importlib.import_module(module), function)(settings)
        except KeyUnreadable as error:  # the operator can mend it, and needs no trace for that
            sys.exit(str(error))
        print(DONE, flush=True)  # noqa: T201 - this is how the supervisor is told
