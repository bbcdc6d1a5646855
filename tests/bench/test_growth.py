"""With a long past behind it, a row is judged by what is left of its ratio, and by being whole."""

from __future__ import annotations

import pytest

from bench.growth import _compare
from bench.rows import keep, kept_ratios
from tests.bench.test_tools import row

HERE = {"processor": "one", "cores": 2, "memory_gb": 8.2, "at": "today"}


@pytest.mark.parametrize(
    ("ratio", "is_whole", "is_met"),
    [(0.85, True, True), (0.84, True, False), (2.0, False, False)],
)
def test_a_row_is_met_by_what_is_left_only_if_nothing_is_missing(ratio, is_whole, is_met):
    seen = _compare(row("B1", ratio=ratio, is_whole=is_whole), 10_000, 1.0, loaded_s=1.0)
    assert (seen.name, seen.gate_met) == ("B1@10000", is_met)


def test_only_ratios_of_a_machine_like_this_one_are_known(tmp_path):
    path = tmp_path / "latest.json"
    keep(path, [row("B1@10000"), row("B2@10000", ratio=float("nan"))], machine=HERE)
    keep(path, [row("B1@1000000")], machine=HERE | {"at": "yesterday"})
    keep(path, [row("B1@10")], machine=HERE | {"cores": 4})
    keep(path, [row("B1@20")], machine={"cores": 2})
    assert kept_ratios(path, machine=HERE) == {"B1@10000": 0.5, "B1@1000000": 0.5}
    assert kept_ratios(tmp_path / "none.json", machine=HERE) == {}
