"""Where each key of a TOML text stands, whatever stands between."""

from __future__ import annotations

import tomllib

import pytest

from giftpad.tenancy.rules.lines import key_lines

TEXT = '''\
a = [
  [1]
]
b = """
c = 1
[no]
"""
s = "[x] = { # not one"
[t]
d.e = 1
'''
LINES = {("a",): 1, ("b",): 4, ("s",): 8, ("t",): 9, ("t", "d"): 10, ("t", "d", "e"): 10}


def test_keys_are_found_past_arrays_strings_and_comments():
    tomllib.loads(TEXT)
    assert {path: line for path, line in key_lines(TEXT).items() if path} == LINES


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("x", 0), 1),
        (("x", 0, "k"), 2),
        (("x", 1), 4),
        (("x", 1, "k"), 5),
        (("x", 1, "y"), 6),
        (("x", 1, "y", "z"), 7),
        (("q r",), None),
        (("x", 1, "y", "q r"), 8),
    ],
)
def test_each_table_of_a_list_has_its_own_lines(path, line):
    text = '[[x]]\nk = 1 # [[x]]\n\n[[x]]\nk = 2\n[x.y]\nz = """one line"""\n"q r" = \'"\'\n'
    tomllib.loads(text)
    assert key_lines(text).get(path) == line
