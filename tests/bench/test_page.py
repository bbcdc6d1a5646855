"""The page about performance shows the figures that are kept, and no others."""

from __future__ import annotations

import json

import pytest

from bench import page


def test_the_page_shows_the_kept_figures():
    if not page.RESULTS.exists():
        pytest.skip("nothing has been measured yet")
    kept = json.loads(page.RESULTS.read_text("utf-8"))
    text = page.PAGE.read_text("utf-8")
    assert text == page.filled(text, kept), "run: python -m bench --page"


def test_rows_stand_in_their_places_by_benchmark_and_size(tmp_path):
    from bench.rows import keep
    from tests.bench.test_tools import row

    path = tmp_path / "kept.json"
    names = ("B2", "B1@1000000", "B1", "B1@10000", "B2@10000", "million")
    keep(path, [row(name) for name in names], machine={"cores": 2})
    marks = "".join(f"<!-- {name} -->\nold\n<!-- end {name} -->\n" for name in page.PLACES)
    text = page.filled(marks, json.loads(path.read_text()))
    places = [text.index(f"| {name} ") for name in ("B1", "B2", "B1@10000", "B1@1000000")]
    assert places == sorted(places)
    assert "old" not in text
    assert "| million" not in text
    assert "B1, B2: cores 2." in text
    assert page.filled(text, json.loads(path.read_text())) == text
