"""What pages load: tags in their order, small enough, and told when it has not been built."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path

import pytest

from giftpad.portals import assets as module
from giftpad.portals.assets import Assets, NotBuilt

STATIC = Path(module.__file__).parent / "static"
CSS_GZ_MAX = 14_000
JS_GZ_MAX = {"desk": 17_000, "shop": 10_000, "holder": 2_000}
"""The desk redraws parts of its pages by htmx; a phone loads what it uses and nothing else."""
FONT_MAX = 115_000
MANIFEST = {
    "fonts/core-400.woff2": {"file": "core-400-a.woff2"},
    "fonts/num-700.woff2": {"file": "num-700-b.woff2"},
    "_one.js": {"file": "one-c.js", "css": ["one-d.css"], "imports": ["_two.js"]},
    "_two.js": {"file": "two-e.js", "css": ["two-f.css"], "imports": ["_one.js"]},
    "ts/desk.ts": {"file": "desk-g.js", "css": ["desk-h.css"], "imports": ["_one.js", "_two.js"]},
}
ICONS = {
    "check": {"kind": "outline", "body": '<path d="M5 12l5 5l10 -10" />'},
    "alert": {"kind": "filled", "body": '<path d="M1 1h2z" />'},
}


@pytest.fixture
def assets(tmp_path):
    (tmp_path / ".vite").mkdir()
    (tmp_path / ".vite" / "manifest.json").write_text(json.dumps(MANIFEST))
    (tmp_path / "icons.json").write_text(json.dumps(ICONS))
    return Assets(tmp_path)


def test_styles_come_first_then_preloads_then_the_module(assets):
    tags = assets.tags("desk")
    loaded = re.findall(r'(?:href|src)="/assets/([^"]+)"', tags)
    assert loaded == [
        *("core-400-a.woff2", "num-700-b.woff2"),
        *("two-f.css", "one-d.css", "desk-h.css"),
        *("one-c.js", "two-e.js"),
        "desk-g.js",
    ]
    assert tags.splitlines()[-1] == '<script type="module" src="/assets/desk-g.js"></script>'
    assert tags.count("crossorigin") == 2


def test_a_circle_of_imports_ends(assets):
    files = assets.files_of("desk")
    assert len(files) == len(set(files)) == 6


def test_an_icon_is_drawn_in_the_page_and_kept_from_readers_aloud(assets):
    drawn = assets.icon("check", 18)
    assert 'width="18"' in drawn
    assert 'aria-hidden="true"' in drawn
    assert 'stroke="currentColor"' in drawn
    assert "M5 12l5 5l10 -10" in drawn
    assert 'fill="currentColor"' in assets.icon("alert")
    assert assets.icon_names() == ["alert", "check"]


@pytest.mark.parametrize("ask", [lambda a: a.icon("nothing"), lambda a: a.tags("nothing")])
def test_what_is_not_there_is_told(assets, ask):
    with pytest.raises(NotBuilt, match="nothing"):
        ask(assets)


def test_without_a_build_it_says_what_to_do(tmp_path):
    with pytest.raises(NotBuilt, match="make setup"):
        Assets(tmp_path).tags("desk")


def _gz(urls: list[str], ending: str) -> int:
    names = [url.removeprefix("/assets/") for url in urls if url.endswith(ending)]
    return sum(len(gzip.compress((STATIC / name).read_bytes())) for name in names)


@pytest.mark.parametrize("entry", list(JS_GZ_MAX))
def test_a_first_view_stays_light(entry):
    tags = Assets(STATIC).tags(entry)
    loaded = re.findall(r'(?:href|src)="([^"]+)"', tags)
    assert 0 < _gz(loaded, ".css") <= CSS_GZ_MAX
    assert 0 < _gz(loaded, ".js") <= JS_GZ_MAX[entry]


def test_the_fonts_stay_light_and_know_the_translations():
    from fontTools.ttLib import TTFont

    built = Assets(STATIC)
    for weight in (400, 700):
        path = STATIC / built.url(f"fonts/core-{weight}.woff2").removeprefix("/assets/")
        assert path.stat().st_size <= FONT_MAX
        known = set(TTFont(path).getBestCmap())
        assert set(map(ord, "券残円支払確認商品戻取消々。「」ぁンー※")) <= known


def test_digits_are_all_equally_wide():
    from fontTools.ttLib import TTFont

    built = Assets(STATIC)
    for weight in (400, 700):
        font = TTFont(STATIC / built.url(f"fonts/num-{weight}.woff2").removeprefix("/assets/"))
        names = [font.getBestCmap()[ord(digit)] for digit in "0123456789"]
        assert len({font["hmtx"][name][0] for name in names}) == 1


def test_licences_are_in_the_build():
    text = (STATIC / "licences.txt").read_text("utf-8")
    for name in ("@digital-go-jp/design-tokens", "@tabler/icons", "htmx.org", "BIZ UDPGothic"):
        assert name in text
    assert "SIL OPEN FONT LICENSE" in text.upper()
