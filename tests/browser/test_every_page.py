"""Every page and state: no barrier, one language, no stranger, nothing heavy, a title, a heading.

Each is opened twice: in Japanese at the size it is made for, in English at the other one.
"""

from __future__ import annotations

import pytest

from tests.browser.catalogue import SIGHTS
from tests.browser.inspection import find_barriers, find_faults, find_foreign, looking, size_for
from tests.browser.visitor import PHONE, visit

pytestmark = pytest.mark.slow

MAIN = {
    *("sign-in", "members", "overview", "batch ready", "payments", "error 403"),
    *("shop pad", "shop in doubt", "shop today", "balance", "operator health"),
}
"""Pages that every run of the tests looks at; the others are for the long one."""


def _case(sight):
    marks = () if sight.name in MAIN else (pytest.mark.long,)
    return pytest.param(sight, id=sight.name, marks=marks)


TESTED = [sight for sight in SIGHTS if not sight.has_camera]


def test_the_main_pages_are_pages():
    assert {sight.name for sight in TESTED} >= MAIN


@pytest.mark.parametrize("sight", [_case(sight) for sight in TESTED])
def test_a_page_in_both_languages(chromium, scenes, sight):
    faults = []
    for locale in ("ja", "en"):
        size = size_for(sight, locale)
        with looking(chromium, scenes, sight, locale=locale, size=size) as (visitor, load):
            faults += [f"[{locale}] {x}" for x in find_faults(sight, visitor, load, locale)]
    assert faults == [], "\n".join(faults)


@pytest.mark.parametrize(
    ("locale", "text", "is_foreign"),
    [
        ("en", "お金は動いていません。", True),
        ("en", "No money has moved.", False),
        ("ja", "No money has moved.", True),
        ("ja", "Batches that nobody translated", True),
        ("ja", "JIS X 8341-3:2016", False),
        ("ja", "<b class=gp-data>Some Name of Somebody</b>", False),
        ("en", "<span lang=ja>日本語</span>", False),
        ("ja", "<template>Sending…</template>", True),
        ("ja", "<i aria-label='No money has moved.'></i>", True),
    ],
)
def test_the_reader_of_languages_sees_what_it_should(chromium, product, locale, text, is_foreign):
    with visit(chromium, product.address, product.home, size=PHONE) as visitor:
        visitor.page.set_content(f"<html lang={locale}><body><p>{text}</p></body></html>")
        assert bool(find_foreign(visitor.page, locale)) is is_foreign


def test_the_finder_of_barriers_finds_some(chromium, product):
    with visit(chromium, product.address, product.home, size=PHONE) as visitor:
        visitor.page.set_content("<html lang=en><main><h1>A</h1><input><img src=x></main></html>")
        found = {line.partition(":")[0] for line in find_barriers(visitor.page)}
    assert {"document-title", "image-alt", "label"} <= found
