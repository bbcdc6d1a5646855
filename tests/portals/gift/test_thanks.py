"""Thanks: a stamp or words, once, mended for a day, and never against anybody's will."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.portals.gift.conftest import take


@pytest.fixture
def received(sender, gift, browser):
    """A browser in which something was chosen with the gift."""
    take(browser, sender)
    return browser


@pytest.mark.parametrize(
    ("stamp", "words"),
    [("delicious", ""), ("", "家族でいただきます。"), ("thanks", "また会う日まで")],
    ids=["stamp", "words", "both"],
)
def test_thanks_reach_the_sender(sender, gift, received, stamp, words):
    page = received.follow(received.post("/g/thanks", {"stamp": stamp, "words": words}))
    assert "Your thanks have been sent." in page.text
    said = sender.letter(gift).thanks
    assert said is not None
    assert (said.stamp, said.words) == (stamp, words)
    assert "This is what you said:" in received.get("/g").text


def test_nothing_said_is_asked_again(sender, gift, received):
    page = received.post("/g/thanks", {"stamp": "", "words": "  "})
    assert page.status_code == 422
    assert "Choose one of these, or write something." in page.text
    assert sender.letter(gift).thanks is None


@pytest.mark.parametrize(("stamp", "words"), [("love", ""), ("", "あ" * 301), ("", "a\x07b")])
def test_what_cannot_be_said_is_refused_and_kept(sender, gift, received, stamp, words):
    page = received.post("/g/thanks", {"stamp": stamp, "words": words})
    assert page.status_code == 422
    assert words in page.text
    assert sender.letter(gift).thanks is None


def test_for_a_day_they_can_be_said_otherwise(sender, gift, received, fresh_clock):
    received.post("/g/thanks", {"stamp": "thanks", "words": "ありがとう"})
    assert "Say it otherwise" in received.get("/g").text
    received.post("/g/thanks", {"stamp": "", "words": "ほんとうにありがとう"})
    assert sender.letter(gift).thanks.words == "ほんとうにありがとう"
    fresh_clock(timedelta(days=2))
    assert "Say it otherwise" not in received.get("/g").text
    answer = received.post("/g/thanks", {"stamp": "", "words": "もう一度"})
    assert answer.headers["Location"] == "/g"
    assert sender.letter(gift).thanks.words == "ほんとうにありがとう"


def test_what_is_written_cannot_become_part_of_the_page(received):
    received.post("/g/thanks", {"stamp": "", "words": "<script>alert(1)</script>"})
    page = received.get("/g").text
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page
