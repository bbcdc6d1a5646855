"""Each threat in the table of docs/internals/security.md is held by code and a test that exist."""

from __future__ import annotations

import ast
import re
from functools import cache

import pytest

from giftpad.kernel.migrate import ROOT

PAGE = ROOT / "docs" / "internals" / "security.md"
ROW = re.compile(r"^\| (T\d+) \| (.+?) \| (.+?) \| (.*?) ?\| (.*?) ?\|$", re.MULTILINE)
NAME = re.compile(r"`([^`]+)`")
NOT_YET = "Not yet: "
THREATS = [f"T{number}" for number in range(1, 26)]


def rows(text: str) -> dict[str, tuple[str, list[str], list[str]]]:
    """Return of each threat what holds it, the places that do, and the tests."""
    return {
        found[0]: (found[2], NAME.findall(found[3]), NAME.findall(found[4]))
        for found in ROW.findall(text)
    }


@cache
def defined_in(path: str) -> frozenset[str]:
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    kinds = (ast.FunctionDef, ast.ClassDef)
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, kinds))


def missing(names: list[str]) -> list[str]:
    """Name what is said to be somewhere and is not."""
    faults = []
    for name in names:
        path, _, what = name.partition("::")
        if not (ROOT / path).is_file() or (what and what not in defined_in(path)):
            faults.append(name)
    return faults


FOUND = rows(PAGE.read_text("utf-8"))


def test_every_threat_has_its_row():
    assert list(FOUND) == THREATS


@pytest.mark.parametrize("threat", THREATS)
def test_a_threat_is_held_by_what_is_there_or_said_to_come(threat):
    holds, places, tests = FOUND[threat]
    if holds.startswith(NOT_YET):
        assert (places, tests) == ([], [])
        return
    assert places
    assert tests
    assert missing([*places, *tests]) == []
    assert [name for name in tests if not re.match(r"tests/[\w/]+\.py::test_\w+$", name)] == []


def test_a_name_that_is_gone_is_seen():
    here = "tests/house/test_threats.py"
    gone = [f"{here}::test_of_nothing", "giftpad/nowhere.py", "giftpad/nowhere.py::x"]
    assert missing([*gone, here, f"{here}::missing"]) == gone
    line = "| T1 | a | b | `x.py::y` | `tests/z.py::test_z` |\n| T5 | a | Not yet: b | | |\n"
    assert rows(line) == {
        "T1": ("b", ["x.py::y"], ["tests/z.py::test_z"]),
        "T5": ("Not yet: b", [], []),
    }
