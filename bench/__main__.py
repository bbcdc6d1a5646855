"""``python -m bench``: run the benchmarks, print the table, keep the figures.

    python -m bench                    all of them
    python -m bench B1 B6              some
    python -m bench --short B1 B2 B6   a look, under two minutes; its figures are not kept
    python -m bench --growth           B1 and B2 with more and more past payments behind them
    python -m bench --million          a batch of 1,000,000 coupons, issued and printed
    python -m bench --page             write the kept figures into docs/internals/performance.md

Exit 1 if a gate is missed.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import click

from bench import ending, page, product
from bench.growth import SIZES, grow_and_measure
from bench.machine import describe
from bench.rows import Row, keep, kept_ratios, table
from bench.run import Run

ROWS = {
    "B1": "bench.payments:b1",
    "B2": "bench.lookups:b2",
    "B3": "bench.paper:b3",
    "B4": "bench.paper:b4",
    "B5": "bench.overload:b5",
    "B6": "bench.payments:b6",
    "B7": "bench.gifts:b7",
    "T1": "bench.tokens:t1",
}
MILLION = "bench.paper:million"
NEEDS = {"B5": "B1", "B6": "B1"}
ORDER = ("B1", "B6", "B2", "B5", "T1", "B7", "B3", "B4")
"""B6 looks at what B1 has just done; paper comes last, since it leaves the most behind."""
LONG = "a row takes minutes"
SHORT = "a row takes about a minute, and nothing is kept"


def _find(place: str) -> Callable[[Run], Row]:
    module, _, function = place.partition(":")
    found: Callable[[Run], Row] = getattr(importlib.import_module(module), function)
    return found


def _chosen(names: list[str]) -> list[str]:
    wanted = set(names or ROWS)
    wanted |= {NEEDS[name] for name in wanted if name in NEEDS}
    return [name for name in ORDER if name in wanted]


def _row_name(word: str) -> str:
    if (name := word.upper()) not in ROWS:
        message = f"{word} is no row; there are {' '.join(ROWS)}"
        raise argparse.ArgumentTypeError(message)
    return name


def _arguments(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench", description="Measure Giftpad on this machine.")
    parser.add_argument(
        "names",
        nargs="*",
        type=_row_name,
        metavar="ROW",
        help=f"which of {' '.join(ROWS)}; without any, all",
    )
    parser.add_argument(
        "--short", action="store_true", help="short legs, small numbers; nothing is kept"
    )
    parser.add_argument(
        "--growth", nargs="*", type=int, help="with so many past payments, one size after the other"
    )
    parser.add_argument("--million", action="store_true", help="a batch of 1,000,000 coupons")
    parser.add_argument("--page", action="store_true", help="write the figures into their page")
    parser.add_argument("--home", type=Path, help="a data folder to use and to keep")
    parser.add_argument(
        "--keep", type=Path, default=page.RESULTS, help="where the figures are kept"
    )
    return parser.parse_args(words)


def _rows(run: Run, asked: argparse.Namespace, *, machine: Mapping[str, object]) -> Iterator[Row]:
    """Measure what is asked for, one row after the other."""
    if asked.growth is not None:
        known = kept_ratios(asked.keep, machine=machine)
        yield from grow_and_measure(run, tuple(asked.growth) or SIZES, known=known)
    elif asked.million:
        yield _find(MILLION)(run)
    else:
        patience = f" ({SHORT if asked.short else LONG})"
        for name in _chosen(asked.names):
            click.echo(f"{name} …{patience}", err=True)
            patience = ""
            run.rows[name] = _find(ROWS[name])(run)
            yield run.rows[name]


def main(words: list[str]) -> int:
    """Run what is asked for; 1 if a gate was missed."""
    asked = _arguments(words)
    if asked.page:
        page.write()
        return 0
    machine, rows = describe(), []
    click.echo(", ".join(f"{name} {value}" for name, value in machine.items()))
    kept = "nothing was kept" if asked.short else f"rows that were finished are in {asked.keep}"
    with ending.plainly(f"done; {kept}"), product.fresh(asked.home) as running:
        for row in _rows(Run(running, is_short=asked.short), asked, machine=machine):
            rows.append(row)
            if not asked.short:
                keep(asked.keep, [row], machine=machine)
    rows.sort(key=lambda row: row.name.split("@")[0])
    click.echo(table(rows))
    return 0 if all(row.gate_met for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
