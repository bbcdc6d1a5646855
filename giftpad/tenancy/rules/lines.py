"""Where in a TOML text each key stands, because ``tomllib`` does not say."""

from __future__ import annotations

import re

Path = tuple[str | int, ...]

_KEY_PART = r"""(?:[A-Za-z0-9_-]+|"[^"\n]*"|'[^'\n]*')"""
_DOTTED = rf"{_KEY_PART}(?:\s*\.\s*{_KEY_PART})*"
_HEADER = re.compile(rf"^\s*(\[\[?)\s*({_DOTTED})\s*\]\]?\s*(?:#.*)?$")
_ASSIGNMENT = re.compile(rf"^\s*({_DOTTED})\s*=(.*)$")
_PART = re.compile(_KEY_PART)
_STRINGS = re.compile(r""""(?:[^"\\\n]|\\.)*"|'[^'\n]*'|#.*""")


def _parts(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip("\"'") for part in _PART.findall(dotted))


def key_lines(text: str) -> dict[Path, int]:
    """Return the line of every key and table of a well-formed TOML text.

    A key inside an inline table has no entry of its own; whoever looks asks for its parent.
    """
    found: dict[Path, int] = {(): 1}
    counts: dict[tuple[str, ...], int] = {}
    table: Path = ()
    inside_string = ""
    depth = 0
    for number, line in enumerate(text.splitlines(), start=1):
        if inside_string:
            inside_string = "" if line.count(inside_string) % 2 else inside_string
            continue
        if depth > 0:
            depth += _opened(line)
            continue
        if header := _HEADER.match(line):
            table = _enter(_parts(header[2]), counts, is_array=header[1] == "[[")
            found.setdefault(table, number)
        elif assignment := _ASSIGNMENT.match(line):
            _note(found, table, _parts(assignment[1]), number)
            value = assignment[2]
            inside_string = next((q for q in ('"""', "'''") if value.count(q) % 2), "")
            depth = 0 if inside_string else max(0, _opened(value))
    return found


def _opened(value: str) -> int:
    bare = _STRINGS.sub("", value)
    return bare.count("[") + bare.count("{") - bare.count("]") - bare.count("}")


def _enter(names: tuple[str, ...], counts: dict[tuple[str, ...], int], *, is_array: bool) -> Path:
    if is_array:
        counts[names] = counts.get(names, -1) + 1
    path: Path = ()
    for end in range(1, len(names) + 1):
        path = (*path, names[end - 1])
        if names[:end] in counts:
            path = (*path, counts[names[:end]])
    return path


def _note(found: dict[Path, int], table: Path, names: tuple[str, ...], number: int) -> None:
    for end in range(1, len(names) + 1):
        found.setdefault((*table, *names[:end]), number)
