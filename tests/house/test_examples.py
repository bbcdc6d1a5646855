"""An example in a docstring is a promise: it is run."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path

import pytest

import giftpad

SOURCE = Path(giftpad.__file__).parent
MODULES = sorted(
    ".".join(path.relative_to(SOURCE.parent).with_suffix("").parts)
    for path in SOURCE.rglob("*.py")
    if ">>>" in path.read_text("utf-8")
)


@pytest.mark.parametrize("name", MODULES)
def test_every_example_comes_to_what_it_says(name):
    done = doctest.testmod(importlib.import_module(name))
    assert done.attempted > 0
    assert done.failed == 0
