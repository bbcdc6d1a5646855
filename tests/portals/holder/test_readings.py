"""How words are read: shown above them where a reader asks, and nowhere else."""

from __future__ import annotations

import pytest

from giftpad.kernel import i18n
from giftpad.kernel.i18n import translate
from tests.portals.holder.conftest import open_paper

WORDS = {
    "Left": "｛残｜のこ｝り",
    "Page of {name}": "{name}の｛頁｜ぺえじ｝ <b>",
}


@pytest.fixture(autouse=True)
def _catalogue(monkeypatch):
    kept = i18n._catalogue

    class Marked:
        def __init__(self, locale):
            self.kept, self.words = kept(locale), WORDS if locale == "ja" else {}

        def gettext(self, sentence):
            return self.words.get(sentence) or self.kept.gettext(sentence)

    monkeypatch.setattr(i18n, "_catalogue", Marked)


@pytest.fixture
def reader(phone):
    """A browser that reads Japanese."""
    browser = phone()
    browser.headers |= {"Accept-Language": "ja"}
    return browser


def test_elsewhere_a_text_holds_no_reading():
    assert translate("Left", "ja") == "残り"
    assert translate("Page of {name}", "ja", name="｛a｜b｝") == "｛a｜b｝の頁 <b>"


def test_a_page_shows_readings_only_when_they_are_switched_on(town, reader):
    page = open_paper(reader, town.papers(1)[0])
    assert "<ruby>" not in page.text
    assert "｛" not in page.text
    answer = reader.post("/preferences", {"readings": "1", "next": "/balance"})
    page = reader.follow(answer)
    assert "<ruby>残<rp>(</rp><rt>のこ</rt><rp>)</rp></ruby>り" in page.text
    assert "｛" not in page.text
    reader.follow(reader.post("/preferences", {"readings": "0", "next": "/balance"}))
    assert "<ruby>" not in reader.last.text


def test_what_stands_around_a_reading_is_text(town, reader):
    reader.http.set_cookie("gp_readings", "1", domain="localhost")
    page = open_paper(reader, town.papers(1)[0])
    assert "<ruby>頁<rp>(</rp><rt>ぺえじ</rt><rp>)</rp></ruby> &lt;b&gt;" in page.text


def test_english_has_no_readings_and_no_switch(town, phone):
    browser = phone()
    browser.headers |= {"Accept-Language": "en"}
    browser.http.set_cookie("gp_readings", "1", domain="localhost")
    page = open_paper(browser, town.papers(1)[0])
    assert "<ruby>" not in page.text
    assert "ふりがな" not in page.text
