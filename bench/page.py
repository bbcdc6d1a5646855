"""Write the kept figures into the page about performance, so that page and figures never differ."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from bench.rows import Row, table

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "internals" / "performance.md"
RESULTS = Path(__file__).parent / "results" / "latest.json"
PLACES = {
    "results": re.compile(r"B\d+"),
    "tokens": re.compile(r"T\d+"),
    "growth": re.compile(r"B\d+@\d+"),
}
"""Which rows stand where: between ``<!-- name -->`` and ``<!-- end name -->``."""


def load_rows(kept: Mapping[str, Any], wanted: re.Pattern[str]) -> list[Row]:
    """Return the kept rows whose name fits, by benchmark and then by size."""
    names = {field.name for field in fields(Row)}
    found = [
        Row(**{name: value for name, value in values.items() if name in names})
        for key, values in kept.items()
        if wanted.fullmatch(key)
    ]
    return sorted(found, key=lambda row: [int(part) for part in row.name[1:].split("@")])


def _section(kept: Mapping[str, Any], rows: Sequence[Row]) -> str:
    shown, _, notes = table(rows).partition(f"\n{rows[0].name}: ")
    lines = [shown]
    if notes:
        lines += ["", "```", f"{rows[0].name}: {notes}", "```"]
    machines = {json.dumps(kept[row.name]["machine"]): row.name for row in rows}
    for machine in machines:
        on = [row.name for row in rows if json.dumps(kept[row.name]["machine"]) == machine]
        said = ", ".join(f"{name} {value}" for name, value in json.loads(machine).items())
        lines += ["", f"{', '.join(on)}: {said}."]
    return "\n".join(lines)


def filled(page: str, kept: Mapping[str, Any]) -> str:
    """Return the page with the tables of these figures at its marks."""
    for name, wanted in PLACES.items():
        rows = load_rows(kept, wanted)
        section = f"\n{_section(kept, rows)}\n\n" if rows else "\n"
        begin, end = f"<!-- {name} -->\n", f"<!-- end {name} -->"
        before, _, rest = page.partition(begin)
        page = before + begin + section + end + rest.partition(end)[2]
    return page


def write() -> None:
    """Bring the page up to date with the figures."""
    kept = json.loads(RESULTS.read_text(encoding="utf-8"))
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8"), kept), encoding="utf-8")
