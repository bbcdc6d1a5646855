"""The letter: what is written in it, when it counts as opened, what it says when it is over."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from giftpad import designs, gifts
from giftpad.kernel.work import unit_of_work
from tests.portals.gift.conftest import open_gift, take


def test_the_letter_is_what_the_sender_wrote(browser):
    page = browser.get("/g").text
    for words in (
        "受取 0",
        "株式会社はなまる",
        "一年間ありがとうございました。",
        "No account is needed.",
    ):
        assert words in page
    assert "localhost:8000" in page


@pytest.mark.parametrize("name", [design.name for design in designs.list_designs()])
def test_it_has_the_picture_and_the_colours_of_its_design(sender, phone, name):
    (gift,) = sender.send(design=name)
    browser = phone()
    page = open_gift(browser, gift).text
    mark = designs.get_design(name).art_hash
    assert f'data-design="{name}"' in page
    for kind in ("svg", "css"):
        address = f"/gift-designs/{name}-{mark}.{kind}"
        assert address in page
        assert browser.get(address).status_code == 200


def test_it_counts_as_opened_when_a_script_says_that_it_was_seen(sender, gift, browser):
    browser.get("/g")
    assert sender.opened_at(gift) is None
    assert browser.post("/g/opened", {"by": "wheel"}).status_code == 204
    first = sender.opened_at(gift)
    assert first is not None
    assert browser.post("/g/opened", {"by": "wheel"}).status_code == 204
    assert sender.opened_at(gift) == first
    assert sender.letter(gift).state == "open"


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}]
)
def test_no_other_site_says_that_it_was_seen(sender, gift, browser, headers):
    browser.get("/g")
    assert browser.post("/g/opened", headers=headers).status_code == 403
    assert browser.post("/g/opened", csrf="").status_code == 403
    assert browser.http.get("/g/opened", base_url="http://localhost:8000").status_code in (404, 405)
    assert sender.opened_at(gift) is None


def test_before_the_senders_time_it_says_when(sender, gift, browser):
    with unit_of_work(sender.company.scope) as work:
        opens = work.at + timedelta(days=2)
        work.session.execute(
            sa.text("UPDATE gift_orders SET send_at = :opens WHERE id = :id"),
            {"opens": opens, "id": gift.order_id},
        )
    page = browser.get("/g").text
    assert "This gift can be opened from" in page
    assert "一年間ありがとう" not in page
    assert browser.get("/g/choose").headers["Location"] == "/g"


def test_a_gift_that_was_taken_back_says_so(sender, gift, browser):
    with unit_of_work(sender.company.as_("issuer")) as work:
        gifts.cancel_gift(work, gift.id, reason="見本")
    page = browser.get("/g")
    assert page.status_code == 200
    assert "This gift was taken back" in page.text
    assert browser.get("/g/choose").headers["Location"] == "/g"


def test_after_its_last_day_it_says_until_when_it_was(sender, gift, browser, fresh_clock):
    last = sender.letter(gift).claim_by
    fresh_clock(timedelta(days=400))
    page = browser.get("/g").text
    assert "The time to choose is over" in page
    assert f"{last.day} " in page
    for path in ("/g/choose", "/g/address", "/g/review"):
        assert browser.get(path).headers["Location"] == "/g"


def test_on_another_phone_a_claimed_gift_tells_nothing_of_the_choice(sender, gift, browser, phone):
    status = take(browser, sender)
    assert "Number of your request" in status.text
    other = phone()
    page = open_gift(other, gift).text
    assert "The choice has been made" in page
    for secret in ("見本牛", "千代田", "090", sender.letter(gift).claim.number):
        assert secret not in page
    assert other.get("/g/change").headers["Location"] == "/g"
    assert other.post("/g/thanks", {"stamp": "thanks"}).headers["Location"] == "/g"
    assert sender.letter(gift).thanks is None
