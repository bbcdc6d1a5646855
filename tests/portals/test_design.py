"""The page of all parts is whole in both languages."""

from __future__ import annotations

import re

import pytest

from giftpad.portals.design import SCREENS

JAPANESE = re.compile(r"[\u3041-\u30fa\u4e00-\u9fff]")
PAGES = ("/design", *(f"/design/{name}" for name in SCREENS))


@pytest.fixture
def pages(site):
    """Every page of the design, in English and in Japanese."""
    browser = site.nobody()
    found = {}
    for locale in ("en", "ja"):
        browser.headers["Accept-Language"] = locale
        answers = {path: browser.get(path) for path in PAGES}
        assert {answer.status_code for answer in answers.values()} == {200}
        found[locale] = {path: answer.text for path, answer in answers.items()}
    assert browser.get("/design/nothing").status_code == 404
    return found


def words(text: str) -> str:
    """Return the words of a page, without what names a language in itself."""
    bare = re.sub(r'<button[^>]* lang="ja".*?</button>', "", text, flags=re.DOTALL)
    return re.sub(r"<[^>]+>", " ", bare)


def test_all_parts_are_whole_in_both_languages(pages):
    for path, text in pages["en"].items():
        assert '<html lang="en"' in text
        assert (path, JAPANESE.findall(words(text))) == (path, [])
    for path, text in pages["ja"].items():
        assert '<html lang="ja"' in text
        ids = re.findall(r' id="([^"]+)"', text)
        assert (path, {name for name in ids if ids.count(name) > 1}) == (path, set())
        assert set(re.findall(r'<label[^>]* for="([^"]+)"', text)) <= set(ids)
        assert set(re.findall(r'aria-labelledby="([^"]+)"', text)) <= set(ids)
        described = re.findall(r'aria-describedby="([^"]+)"', text)
        assert {name for names in described for name in names.split()} <= set(ids)
        links = set(re.findall(r'href="#([^"]+)"', text))
        assert (path, links - set(ids)) == (path, set())
