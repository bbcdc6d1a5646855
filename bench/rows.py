"""The result of one benchmark, the table of all, and the file they are kept in.

Hides: the form of both.  Rates are a second, times are in ms, CPU is in µs an operation, memory
in MB (10^6 bytes).
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

PERCENT = 100
SAME = ("processor", "cores", "memory_gb")
"""What two machines must have in common for their ratios to be compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One benchmark: what was done, beside what, and whether that is enough."""

    name: str
    """B1 … as in the table of gates."""
    work: str
    value: float
    unit: str
    reference: float
    reference_what: str
    ratio: float
    p50_ms: float | None
    p99_ms: float | None
    cpu_us: float | None
    """CPU time of all processes of the product, the database's included, for one operation."""
    memory_mb: float | None
    """The most that those processes held at once; a page that several share counts once."""
    gate: str
    gate_met: bool
    stretch: str
    stretch_met: bool
    is_whole: bool = True
    """False if an answer was not the wanted one, or if something acknowledged was not found."""
    notes: tuple[str, ...] = ()


def quantile(latencies_s: Sequence[float], share: float) -> float:
    """Return the latency in ms that ``share`` of the requests stayed within; they come sorted.

    >>> quantile([0.001, 0.002, 0.003, 0.004], 0.5)
    2.0
    """
    if not latencies_s:
        return math.nan
    place = max(0, math.ceil(share * len(latencies_s)) - 1)
    return latencies_s[place] * 1000


_HEADS = ("", "work", "value", "beside", "ratio", "p50", "p99", "CPU", "memory", "gate", "stretch")


def _number(value: float | None, unit: str = "") -> str:
    if value is None or math.isnan(value):
        return "-"
    shown = f"{value:,.0f}" if abs(value) >= PERCENT else f"{value:.3g}"
    return f"{shown} {unit}".strip()


def _cells(row: Row) -> tuple[str, ...]:
    return (
        row.name,
        row.work,
        _number(row.value, row.unit),
        f"{_number(row.reference, row.unit)} {row.reference_what}",
        f"{row.ratio:.3g}",
        _number(row.p50_ms, "ms"),
        _number(row.p99_ms, "ms"),
        _number(row.cpu_us, "µs"),
        _number(row.memory_mb, "MB"),
        f"{'met' if row.gate_met else 'MISSED'}: {row.gate}",
        f"{'met' if row.stretch_met else 'not yet'}: {row.stretch}",
    )


def table(rows: Sequence[Row]) -> str:
    """Return the rows as a table in Markdown, which a terminal shows as well; then their notes."""
    lines = [_HEADS, *map(_cells, rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    shown = [
        "| "
        + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        + " |"
        for line in lines
    ]
    shown.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    shown += [f"{row.name}: {note}" for row in rows for note in row.notes]
    return "\n".join(shown)


def as_json(row: Row) -> dict[str, Any]:
    """Return a row as JSON values; what was not measured is null."""
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in asdict(row).items()
    }


def kept(path: Path) -> dict[str, Any]:
    """Return the rows of a file by name; none if there is no file yet."""
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else {}


def kept_ratios(path: Path, *, machine: Mapping[str, object]) -> dict[str, float]:
    """Return the ratios of a file by the row's name, those of machines like this one only."""
    wanted = [machine[name] for name in SAME]
    return {
        name: float(row["ratio"])
        for name, row in kept(path).items()
        if row["ratio"] is not None and [row["machine"].get(each) for each in SAME] == wanted
    }


def keep(path: Path, rows: Sequence[Row], *, machine: Mapping[str, object]) -> None:
    """Write the rows, keyed by name, each with the machine it ran on; rows of other runs stay."""
    all_rows = kept(path)
    all_rows |= {row.name: as_json(row) | {"machine": dict(machine)} for row in rows}
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(dict(sorted(all_rows.items())), indent=1, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")
