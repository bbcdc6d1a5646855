"""From the address to the parcel: nothing typed is lost, nothing is claimed twice or by mistake."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from giftpad import gifts
from tests.make_pages import inputs
from tests.portals.gift.conftest import ADDRESS, choose, confirm, fill_in, open_gift, shown, take


def values(text: str) -> dict[str, str]:
    """Return what stands in the fields of a page."""
    return {each["name"]: each.get("value", "") for each in inputs(text) if "name" in each}


def selected(text: str) -> str:
    """Return the prefecture that is chosen."""
    return text.partition('" selected>')[0].rpartition('value="')[2]


def test_a_postcode_fills_in_the_address_without_a_script(sender, browser):
    choose(browser, sender, "BEEF")
    page = browser.post("/g/address", {"act": "find", "postcode": "１００－０００１", "name": "x"})
    assert page.status_code == 200
    filled = values(page.text)
    assert (filled["postcode"], filled["city"], filled["street"]) == (
        "100-0001",
        "千代田区",
        "千代田",
    )
    assert selected(page.text) == "東京都"
    assert filled["name"] == "x"
    assert "Please add the house number" in page.text


def test_another_postcode_takes_the_first_away_and_leaves_what_was_typed(sender, browser):
    choose(browser, sender, "BEEF")
    first = values(browser.post("/g/address", {"act": "find", "postcode": "1000001"}).text)
    sent = {"act": "find", "postcode": "1050011", "filled": first["filled"]}
    page = browser.post("/g/address", sent | {"street": first["street"] + "4-2-8"})
    assert values(page.text)["street"] == "芝公園4-2-8"
    again = browser.post("/g/address", sent | {"street": "芝公園4-2-8", "filled": "芝公園"})
    assert values(again.text)["street"] == "芝公園4-2-8"


def test_of_several_places_one_is_chosen(sender, browser):
    choose(browser, sender, "BEEF")
    page = browser.post("/g/address", {"act": "find", "postcode": "498-0000"}).text
    assert "愛知県弥富市" in page
    assert "三重県桑名郡木曽岬町" in page
    taken = browser.post("/g/address", {"act": "take", "postcode": "498-0000", "place": "1"}).text
    assert (selected(taken), values(taken)["city"]) == ("三重県", "桑名郡木曽岬町")
    for place in ("2", "-1", "x", ""):
        again = browser.post("/g/address", {"act": "take", "postcode": "498-0000", "place": place})
        assert "Which is yours?" in again.text, place


@pytest.mark.parametrize(
    ("postcode", "words"),
    [("999-9999", "We do not know this postcode"), ("12", "seven digits"), ("", "seven digits")],
)
def test_an_unknown_postcode_leaves_everything_as_it_was_typed(sender, browser, postcode, words):
    choose(browser, sender, "BEEF")
    sent = ADDRESS | {"act": "find", "postcode": postcode}
    page = browser.post("/g/address", sent).text
    assert words in page
    assert values(page)["street"] == ADDRESS["street"]
    assert selected(page) == ADDRESS["prefecture"]


def test_what_was_typed_is_there_again_after_back_or_in_another_window(sender, browser):
    choose(browser, sender, "BEEF")
    browser.post("/g/address", ADDRESS | {"act": "find", "building": "looked up"})
    assert values(browser.get("/g/address").text)["building"] == "looked up"
    assert fill_in(browser, phone="12", building="refused").status_code == 422
    again = values(browser.get("/g/address").text)
    assert (again["phone"], again["building"]) == ("12", "refused")


@pytest.mark.parametrize(
    ("postcode", "street", "is_taken"),
    [
        ("100-0001", "千代田", False),
        ("100-0001", "千代田番地なし", True),
        ("100-0001", "千代田一番地", True),
        ("100-8111", "千代田1-1", True),
        ("999-9999", "千代田", True),
    ],
)
def test_a_district_alone_is_no_house(sender, browser, postcode, street, is_taken):
    choose(browser, sender, "BEEF")
    page = fill_in(browser, postcode=postcode, street=street)
    both = fill_in(browser, postcode=postcode, street=street, phone="12").text
    assert ("The house number is missing." in both) is not is_taken
    assert page.status_code == (200 if is_taken else 422)
    assert ("The house number is missing." in page.text) is not is_taken


def test_every_fault_is_told_at_once_and_nothing_is_lost(sender, browser):
    choose(browser, sender, "BEEF")
    wrong = {"postcode": "12", "phone": "12", "email": "a@b", "kana": "漢字", "city": ""}
    page = fill_in(browser, **wrong)
    assert page.status_code == 422
    for field in wrong:
        assert f'href="#{field}"' in page.text, field
    kept = values(page.text)
    for name in ("name", "street", "building", "phone", "email", "kana", "postcode"):
        assert kept[name] == (ADDRESS | wrong)[name]
    assert ADDRESS["wish"] in page.text
    assert selected(page.text) == "東京都"


def test_everything_is_shown_once_more_before_it_is_sent(sender, gift, browser):
    choose(browser, sender, "TOWEL-K")
    page = fill_in(browser).text
    for words in (
        *("Towel", "生成り", "見本 花子", "〒100-0001", "東京都千代田区千代田1-1", "見本ビル 101"),
        *("09000000000", "In the evening", "玄関の前に置いてください"),
    ):
        assert words in page, words
    assert sender.letter(gift).state == "open"


def test_what_is_sent_is_what_was_chosen_and_where_it_goes(sender, gift, browser):
    page = take(browser, sender, "TOWEL-K").text
    claim = sender.letter(gift).claim
    assert claim is not None
    assert str(claim.variant_id) == sender.variant("TOWEL-K")
    assert claim.address == gifts.clean_address(ADDRESS)
    assert claim.number in page
    assert "We have your request" in page
    assert sender.company.differences() == []


def test_pressed_twice_it_is_claimed_once(sender, gift, browser, phone):
    choose(browser, sender, "BEEF")
    fill_in(browser)
    said, token = shown(browser), browser.csrf
    second = phone()
    for cookie in ("gp_gift", "gp_gift_draft", "gp_visit"):
        kept = browser.http.get_cookie(cookie)
        second.http.set_cookie(cookie, kept.value)
    with ThreadPoolExecutor(2) as threads:
        answers = list(
            threads.map(
                lambda each: each.post("/g/review", {"shown": said}, csrf=token),
                (browser, second),
            )
        )
    assert [answer.headers["Location"] for answer in answers] == ["/g", "/g"]
    for each in (browser, second):
        assert "We have your request" in each.get("/g").text
    stock = sender.shelf.variant("BEEF").stock
    assert stock == 8
    assert sender.company.differences() == []


def test_after_a_lost_answer_the_last_one_is_still_ones_own(sender, gift, browser, phone):
    choose(browser, sender, "LAST")
    fill_in(browser)
    said, token = shown(browser), browser.csrf
    cookies = {
        name: browser.http.get_cookie(name).value
        for name in ("gp_gift", "gp_gift_draft", "gp_visit")
    }
    confirm(browser)
    again = phone()
    for name, value in cookies.items():
        again.http.set_cookie(name, value)
    assert again.post("/g/review", {"shown": said}, csrf=token).headers["Location"] == "/g"
    assert "We have your request" in again.get("/g").text


def test_what_is_gone_in_between_is_chosen_anew_and_the_address_stays(sender, gift, browser):
    choose(browser, sender, "LAST")
    fill_in(browser)
    sender.take_the_last("LAST")
    page = browser.follow(confirm(browser))
    assert "This was popular and is gone" in page.text
    assert sender.letter(gift).state == "open"
    review = choose(browser, sender, "BEEF")
    assert "千代田1-1" in review.text
    assert "We have your request" in browser.follow(confirm(browser)).text


def test_too_much_for_a_cookie_is_not_remembered_and_nothing_breaks(sender, gift, browser):
    choose(browser, sender, "LAST")
    sender.take_the_last("LAST")
    answer = browser.post("/g/address", ADDRESS | {"wish": "あ" * 5000, "street": "い" * 5000})
    assert answer.status_code == 303
    assert "This was popular and is gone" in browser.follow(answer).text


def test_where_it_cannot_be_brought_something_else_is_chosen(sender, gift, browser):
    choose(browser, sender, "BEEF")
    fill_in(browser, prefecture="沖縄県", postcode="900-0001", city="那覇市", street="港町1")
    page = browser.follow(confirm(browser)).text
    assert "cannot be delivered to 沖縄県" in page
    assert sender.letter(gift).state == "open"
    assert "那覇市" in choose(browser, sender, "TOWEL-A").text


def test_what_another_window_changed_is_not_sent_unseen(sender, gift, browser):
    choose(browser, sender, "BEEF")
    fill_in(browser)
    seen = shown(browser)
    choose(browser, sender, "SAKE")
    answer = browser.post("/g/review", {"shown": seen})
    assert answer.headers["Location"] == "/g/review"
    assert "changed in another window" in browser.follow(answer).text
    assert sender.letter(gift).state == "open"


def test_sake_is_for_those_of_age(sender, gift, browser):
    choose(browser, sender, "SAKE")
    fill_in(browser)
    answer = confirm(browser)
    assert answer.status_code == 422
    assert "Only people of 20 and over" in answer.text
    assert sender.letter(gift).state == "open"
    confirm(browser, of_age="1")
    assert sender.letter(gift).state == "claimed"


def test_what_is_no_parcel_asks_for_no_door(sender, gift, browser):
    page = choose(browser, sender, "SPA").text
    assert "Who receives it?" in page
    for name in ("postcode", "street", "phone"):
        assert f'name="{name}"' not in page
    wrong = browser.post("/g/address", {"name": "", "email": "a@b"})
    assert wrong.status_code == 422
    assert 'href="#name"' in wrong.text
    assert 'href="#email"' in wrong.text
    browser.follow(browser.post("/g/address", {"name": "見本 花子", "kana": "", "email": ""}))
    status = browser.follow(confirm(browser)).text
    assert "Show the code" in status
    assert "SPA-000" not in status
    code = browser.post("/g/code").text
    assert "SPA-000" in code
    assert browser.http.get("/g/code", base_url="http://localhost:8000").status_code in (404, 405)
    claim = sender.letter(gift).claim
    assert claim is not None
    assert (claim.address.name, claim.address.city) == ("見本 花子", "")


def test_the_address_can_be_changed_until_it_is_sent(sender, gift, browser):
    take(browser, sender, "BEEF")
    form = values(browser.get("/g/change").text)
    assert (form["phone"], form["postcode"]) == ("09000000000", "100-0001")
    found = browser.post("/g/change", ADDRESS | {"act": "find", "postcode": "1050011"})
    assert values(found.text)["city"] == "港区"
    faulty = browser.post("/g/change", ADDRESS | {"city": ""})
    assert faulty.status_code == 422
    refused = browser.post("/g/change", ADDRESS | {"prefecture": "沖縄県"})
    assert refused.status_code == 422
    assert "cannot be delivered to 沖縄県" in refused.text
    done = browser.follow(
        browser.post("/g/change", ADDRESS | {"city": "港区", "street": "芝公園4"})
    )
    assert "It goes to the new address" in done.text
    assert "港区芝公園4" in done.text
    claim = sender.letter(gift).claim
    assert claim is not None
    assert claim.address.city == "港区"


def test_another_gift_begins_with_nothing_of_the_first(sender, phone):
    first, second = sender.send(2)
    browser = phone()
    open_gift(browser, first)
    choose(browser, sender, "BEEF")
    fill_in(browser)
    open_gift(browser, second)
    assert "Go on where you were" not in browser.last.text
    assert browser.get("/g/review").headers["Location"] == "/g/choose"
