"""Choosing: everything that can be had is found, and what cannot is not offered."""

from __future__ import annotations

import pytest

from giftpad import gifts, tenancy
from giftpad.kernel.work import unit_of_work
from tests.make_catalog import make_course
from tests.portals.gift.conftest import HEADER, choose, fill_in, take


def names(page: str) -> list[str]:
    """Return the goods that a page lists."""
    listed = page.partition('class="gp-goods"')[2].partition("</ul>")[0]
    return [part.partition(">")[2].partition("<")[0] for part in listed.split("<h3><a")[1:]]


def test_every_kind_can_be_chosen_from(browser):
    page = browser.get("/g/choose").text
    assert names(page) == ["Beef", "Sake", "Towel", "The last one", "Hot spring", "Clean beaches"]
    assert names(browser.get("/g/choose?category=体験").text) == ["Hot spring"]
    assert 'aria-current="true">Trips' in browser.last.text
    assert 'Allergens: <span class="gp-data">牛肉' in page


@pytest.mark.parametrize("text", ["たおる", "ﾀｵﾙ", "towel"])
def test_a_search_forgives_how_it_is_written(browser, text):
    assert names(browser.get("/g/choose", query_string={"text": text}).text) == ["Towel"]


def test_nothing_found_offers_a_way_on(browser):
    page = browser.get("/g/choose", query_string={"text": "no such thing"}).text
    assert "Nothing was found" in page
    assert 'href="/g/choose"' in page


def test_a_product_says_what_one_must_know(sender, browser):
    page = browser.get(sender.path("BEEF")).text
    for words in ("Beef", "牛肉", "About 10 days", "沖縄県", "Choose this"):
        assert words in page
    assert "For people of 20 and over" in browser.get(sender.path("SAKE")).text
    assert "Nothing is sent by post" in browser.get(sender.path("SPA")).text


def test_only_kinds_that_are_left_can_be_chosen(sender, browser):
    path = sender.path("TOWEL")
    page = browser.get(path).text
    assert sender.variant("TOWEL-S") not in page
    assert "Gone at the moment" in page
    for sent in ("", sender.variant("TOWEL-S"), sender.variant("BEEF"), "nonsense"):
        answer = browser.post(path, {"variant": sent})
        assert answer.status_code == 422, sent
        assert "This cannot go on yet" in answer.text


def test_what_is_gone_leads_back_to_the_list(sender, browser):
    sender.take_the_last("LAST")
    page = browser.follow(browser.get(sender.path("LAST"))).text
    assert "This was popular and is gone" in page
    assert "The last one" not in names(page)


def test_what_another_course_offers_is_not_shown(sender, browser):
    make_course(sender.site.scope, "C10000", 10_000)
    sender.shelf.put("CRAB,見本の蟹,,goods,,,,,,,,C10000,3,,", header=HEADER)
    for answer in (
        browser.get(sender.path("CRAB")),
        browser.post(sender.path("CRAB"), {"variant": sender.variant("CRAB")}),
    ):
        assert (answer.status_code, answer.headers["Location"]) == (303, "/g/choose")
    assert "見本の蟹" not in browser.get("/g/choose").text


def test_what_never_was_leads_back_too(browser):
    answer = browser.get("/g/products/00000000-0000-7000-8000-000000000000")
    assert answer.headers["Location"] == "/g/choose"


def test_a_choice_can_be_changed_and_the_address_stays(sender, browser):
    choose(browser, sender, "BEEF")
    assert "Beef" in fill_in(browser).text
    again = choose(browser, sender, "TOWEL-K")
    assert "Is everything right?" in again.text
    assert "Towel" in again.text
    assert "千代田1-1" in again.text


def test_the_letter_leads_on_to_where_one_was(sender, browser):
    choose(browser, sender, "BEEF")
    page = browser.get("/g").text
    assert "Go on where you were" in page
    assert "Chosen" in browser.get("/g/choose").text


def test_without_a_choice_nothing_is_asked(browser):
    for path in ("/g/address", "/g/review"):
        answer = browser.get(path)
        assert answer.headers["Location"] == "/g/choose"
        assert "Choose something first" in browser.follow(answer).text


def test_a_picture_is_served_at_our_widths_only(sender, browser):
    slug = tenancy.get_tenant(sender.site.scope.tenant_id).slug
    unknown = f"/pictures/{slug}/00000000-0000-5000-8000-000000000000"
    for width in (360, 361, 99999):
        assert browser.get(f"{unknown}-{width}.webp").status_code == 404


def test_who_must_choose_again_is_told_why_and_goes_on(sender, gift, browser):
    take(browser, sender)
    claim = sender.letter(gift).claim
    with unit_of_work(sender.company.scope) as work:
        gifts.choose_again(work, claim.id, reason="sold out")
    said = browser.get("/g").text
    assert "What you had chosen is gone." in said
    assert "Choose your gift" in said
    take(browser, sender, "TOWEL-K")
    assert "What you had chosen is gone." not in browser.get("/g").text
    assert sender.letter(gift).state == "claimed"
