"""Readings above the words, and time to look for an address: for whoever needs either."""

from __future__ import annotations

import re
import time

import pytest

from giftpad.kernel.i18n import READING
from tests.portals.gift.conftest import ADDRESS, choose, open_gift

IN_A_TAG = re.compile(r'<[^>]*"[^"]*&lt;ruby|<(title|option)>[^<]*<ruby', re.DOTALL)
TWO_HOURS_S = 2 * 3600 + 60


@pytest.fixture
def reader(phone, gift):
    """A browser that reads Japanese and has the gift open."""
    browser = phone("ja")
    open_gift(browser, gift)
    return browser


def test_readings_are_shown_on_every_page_when_they_are_switched_on(sender, reader):
    assert "<ruby>" not in reader.get("/g").text
    assert 'name="readings"' in reader.last.text
    answer = reader.post("/g/preferences", {"readings": "1", "next": "/g"})
    pages = [reader.follow(answer).text, reader.get("/g/choose").text]
    pages += [reader.get(sender.path("BEEF")).text, choose(reader, sender, "BEEF").text]
    for page in pages:
        assert "<ruby>" in page, page[page.index("<h1") :][:800]
        assert IN_A_TAG.search(page) is None
        assert READING.search(page) is None
    assert "<ruby>贈<rp>(</rp><rt>おく</rt><rp>)</rp></ruby>りもの" in pages[0]
    reader.follow(reader.post("/g/preferences", {"readings": "0", "next": "/g"}))
    assert "<ruby>" not in reader.last.text


def test_who_reads_english_is_not_asked_for_readings(browser):
    assert 'name="readings"' not in browser.get("/g").text


def test_an_address_sent_too_late_is_there_when_the_link_is_opened_again(
    sender, gift, browser, monkeypatch
):
    choose(browser, sender, "BEEF")
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + TWO_HOURS_S)
    answer = browser.post("/g/address", ADDRESS)
    assert answer.status_code == 401
    assert "what you typed is still here" in answer.text
    assert "Go on where you were" in open_gift(browser, gift).text
    review = browser.get("/g/review").text
    for typed in ("見本 花子", "千代田1-1", "見本ビル 101", "玄関の前に置いてください"):
        assert typed in review


def test_what_is_sent_without_a_choice_is_kept_nowhere(gift, browser, monkeypatch):
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + TWO_HOURS_S)
    answer = browser.post("/g/address", ADDRESS)
    assert answer.status_code == 401
    assert "gp_gift_draft" not in str(answer.headers)


def test_a_page_says_when_it_will_say_that_it_closes(browser):
    (after,) = re.findall(r'data-after-s="(\d+)"', browser.get("/g").text)
    assert int(after) == 88 * 60
    assert "This page closes in two minutes" in browser.last.text
