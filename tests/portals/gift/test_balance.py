"""A gift that is an amount, as people use it: things, a basket, what is kept, and the shop."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
import zxingcpp
from flask import Response
from PIL import Image, ImageDraw

from giftpad import edge, gifts
from giftpad.kernel.ids import new_id
from giftpad.kernel.work import unit_of_work
from giftpad.portals.gift.opened import DRAFT_COOKIE, Draft, keep_draft
from tests.make_balances import AMOUNT, PRICES, make_giver
from tests.make_callers import TILL_MAY, Caller
from tests.make_gifts import Company
from tests.make_pages import Browser, Site, hidden, make_site
from tests.portals.gift.conftest import Sent, confirm, fill_in, open_gift
from tests.pump import pump

ENOUGH_PX = 4
RUN = re.compile(r"M(\d+) (\d+)h(\d+)")
AT_ONCE = 12


@pytest.fixture
def site(house, settings, tmp_path) -> Site:
    return make_site(settings, tmp_path)


@pytest.fixture
def giver(site):
    return make_giver(scope=site.scope)


@pytest.fixture
def given(giver) -> Sent:
    """A balance that nobody has opened."""
    return send(giver)


@pytest.fixture
def holder(site, given) -> Browser:
    """The browser of whoever got it."""
    return visit(site, given)


def send(giver: Company, **more) -> Sent:
    """Send a balance whose link is handed over."""
    gift = giver.gifts(giver.sent(1, **more))[0]
    with unit_of_work(giver.scope) as work:
        return Sent(gift.id, gift.order_id, gifts.get_link(work, gift.id))


def visit(site: Site, gift: Sent, number: int = 1) -> Browser:
    """Open a gift in a browser that nobody has used."""
    browser = site.nobody()
    browser.http.environ_base["REMOTE_ADDR"] = f"203.0.113.{number}"
    browser.headers = browser.headers | {"Accept-Language": "en"}
    open_gift(browser, gift)
    return browser


def put(browser: Browser, giver, code: str) -> str:
    """Put a product into the basket and return the page that comes next."""
    path = f"/g/products/{product_of(giver, code)}"
    browser.get(path)
    answer = browser.post(path, {"variant": str(giver.goods[code])})
    return browser.follow(answer).text


def product_of(giver, code: str) -> str:
    from giftpad import catalog

    with unit_of_work(giver.scope) as work:
        return str(catalog.find_product_ids(work, [code])[code])


def keep(browser: Browser) -> str:
    """Keep what is left by the button of the page, and return the page that comes next."""
    page = browser.get("/g/keep").text
    fields = {"key": hidden(page, "key"), "left": hidden(page, "left"), "sure": "1"}
    return browser.follow(browser.post("/g/keep", fields)).text


def read_code(page: str) -> str:
    """Read the QR that is drawn on a page, as a camera does."""
    svg = re.search(r'<svg class="gp-qr".*?</svg>', page, re.DOTALL)
    assert svg is not None
    side = int(re.search(r'viewBox="0 0 (\d+)', svg[0])[1])
    picture = Image.new("L", (side * ENOUGH_PX, side * ENOUGH_PX), 255)
    pen = ImageDraw.Draw(picture)
    for x, y, length in ((int(n) for n in run) for run in RUN.findall(svg[0])):
        left, top = x * ENOUGH_PX, y * ENOUGH_PX
        pen.rectangle((left, top, left + length * ENOUGH_PX - 1, top + ENOUGH_PX - 1), fill=0)
    (code,) = zxingcpp.read_barcodes(picture, formats=zxingcpp.BarcodeFormat.QRCode)
    return code.text


def shown(page: str) -> dict[str, str]:
    """Return what a shop's machine sends of a page that it was shown."""
    return {"kind": "coupon", "code": read_code(page)}


def test_several_things_are_asked_for_at_once_and_the_rest_stays(giver, given, holder):
    letter = holder.get("/g").text
    assert "5,000" in letter
    listed = holder.get("/g/choose").text
    assert "¥1,800" in listed
    basket = put(holder, giver, "RICE")
    assert "¥3,200" in basket, "what is left then"
    put(holder, giver, "SOAP")
    fill_in(holder)
    review = holder.last.text
    assert "見本RICE" in review
    assert "見本SOAP" in review
    assert "¥3,000" in review
    fields = {"shown": hidden(review, "shown"), "total": hidden(review, "total")}
    for wrong in ("", "x", "9" * 5000):
        assert holder.post("/g/review", fields | {"total": wrong}).status_code == 303
    assert giver.letter(given.id).left_minor == AMOUNT, "a price that nobody was told"
    answer = holder.post("/g/review", fields)
    page = holder.follow(answer).text
    assert len(set(re.findall(r"G-[0-9A-Z]{5,}-\d", page))) == 2
    assert "2,000" in page
    again = holder.post("/g/review", {"shown": "x"})
    assert again.status_code == 303
    assert giver.letter(given.id).left_minor == 2000
    assert giver.differences() == []


def test_only_what_can_be_paid_for_is_offered_and_taken(giver, given, holder):
    for code in ("RICE", "RICE"):
        put(holder, giver, code)
    listed = holder.get("/g/choose").text
    assert "見本SOAP" in listed
    assert "見本RICE" not in listed
    refused = put(holder, giver, "RICE")
    assert "more than what is left" in refused
    assert giver.letter(given.id).left_minor == AMOUNT, "nothing is sent yet"


def test_what_is_gone_leaves_the_basket_and_nothing_else(giver, given, holder):
    from giftpad import catalog

    for code in ("RICE", "LAST"):
        put(holder, giver, code)
    fill_in(holder)
    review = holder.last.text
    with unit_of_work(giver.scope) as work:
        catalog.set_stock(work, giver.goods["LAST"], stock=0, daily_limit=None)
    fields = {"shown": hidden(review, "shown"), "total": hidden(review, "total")}
    page = holder.follow(holder.post("/g/review", fields)).text
    assert "見本RICE" in page
    assert "見本LAST" not in page
    assert giver.letter(given.id).left_minor == AMOUNT
    review = holder.follow(holder.post("/g/address", address())).text
    fields = {"shown": hidden(review, "shown"), "total": hidden(review, "total")}
    holder.follow(holder.post("/g/review", fields))
    assert giver.letter(given.id).left_minor == AMOUNT - PRICES["RICE"]


def address() -> dict[str, str]:
    from tests.portals.gift.conftest import ADDRESS

    return ADDRESS


def test_something_can_be_taken_out_again(giver, holder):
    put(holder, giver, "RICE")
    put(holder, giver, "CUP")
    holder.post("/g/basket", {"place": "0"})
    page = holder.get("/g/basket").text
    assert "見本RICE" not in page
    assert "見本CUP" in page
    for wrong in ("", "-1", "99", "x", "9" * 5000):
        assert holder.post("/g/basket", {"place": wrong}).status_code == 303
    assert "見本CUP" in holder.get("/g/basket").text


def test_what_is_kept_is_shown_as_a_code_that_the_shop_takes(site, giver, given, holder, settings):
    page = keep(holder)
    assert "5,000" in page
    till = Caller(site.app, giver.scope, *TILL_MAY, shop_id=giver.shop_id)
    looked = till.post("/api/v1/instruments/lookup", {"instrument": shown(page)})
    assert (looked.status_code, looked.json["balance_minor"]) == (200, AMOUNT)
    body = {"instrument": shown(page), "amount_minor": 1380}
    paid = till.post("/api/v1/payments", body, key=new_id().hex)
    assert (paid.status_code, paid.json["balance_minor"]) == (201, AMOUNT - 1380), paid.text
    pump(settings)
    page = holder.get("/g/balance").text
    assert "3,620" in page
    assert "1,380" in page
    void = till.post(f"/api/v1/payments/{paid.json['id']}/void", {}, key=new_id().hex)
    assert void.status_code in (200, 201), void.text
    pump(settings)
    assert "5,000" in holder.get("/g/balance").text
    assert giver.progress(given.order_id).used == 0, "it was undone"
    assert giver.differences() == []


def test_the_code_is_shown_where_it_was_kept_and_nowhere_else(site, giver, given, holder):
    keep(holder)
    other = visit(site, given, 2)
    assert other.get("/g/balance").status_code == 303
    page = other.get("/g").text
    assert "gp-qr" not in page
    assert "on another phone" in page
    assert "gp-qr" in holder.get("/g/balance").text


def test_pressed_at_once_from_many_windows_it_is_kept_once(site, giver, given):
    browsers = [visit(site, given, number) for number in range(2, 2 + AT_ONCE // 3)]
    pages = [browser.get("/g/keep").text for browser in browsers]
    fields = [
        {"key": hidden(page, "key"), "left": hidden(page, "left"), "sure": "1"} for page in pages
    ]

    def press(number: int) -> int:
        browser = browsers[number % len(browsers)]
        own = Browser(site.app.test_client(), browser.csrf, headers=dict(browser.headers))
        own.http._cookies = dict(browser.http._cookies)
        own.http.environ_base["REMOTE_ADDR"] = browser.http.environ_base["REMOTE_ADDR"]
        return own.post("/g/keep", fields[number % len(browsers)]).status_code

    with ThreadPoolExecutor(AT_ONCE) as crowd:
        answers = list(crowd.map(press, range(AT_ONCE)))
    assert set(answers) == {303}
    assert [each.amount_minor for each in giver.letter(given.id).kept] == [AMOUNT]
    assert giver.differences() == []


def test_what_was_changed_in_another_window_is_shown_before_it_is_kept(giver, given, holder):
    page = holder.get("/g/keep").text
    giver.buy(given.id, "RICE")
    fields = {"key": hidden(page, "key"), "left": hidden(page, "left"), "sure": "1"}
    answer = holder.post("/g/keep", fields)
    assert answer.headers["Location"].endswith("/g/keep")
    assert giver.letter(given.id).kept == ()


def test_a_balance_without_a_programme_cannot_be_kept_and_one_without_goods_not_chosen(site, giver):
    goods_only = visit(site, send(giver, programme_id=None), 2)
    assert "/g/keep" not in goods_only.get("/g").text
    assert goods_only.get("/g/keep").headers["Location"].endswith("/g")
    shops_only = visit(site, send(giver, course_id=None), 3)
    assert "/g/choose" not in shops_only.get("/g").text
    assert shops_only.get("/g/choose").headers["Location"].endswith("/g/keep")


def test_a_gift_of_a_course_has_neither_basket_nor_balance(site, giver):
    course = visit(site, send(giver, kind="course", amount_minor=None, programme_id=None), 2)
    for path in ("/g/basket", "/g/keep", "/g/balance"):
        assert course.get(path).status_code == 303, path
    put(course, giver, "RICE")
    fill_in(course)
    course.follow(confirm(course))
    assert "We have your request" in course.last.text


def test_the_address_of_each_thing_can_be_changed(giver, given, holder):
    put(holder, giver, "RICE")
    put(holder, giver, "CUP")
    fill_in(holder)
    page = holder.last.text
    fields = {"shown": hidden(page, "shown"), "total": hidden(page, "total")}
    holder.follow(holder.post("/g/review", fields))
    first, second = giver.letter(given.id).items
    holder.get(f"/g/change?item={second.id}")
    answer = holder.post(f"/g/change?item={second.id}", address() | {"street": "千代田9-9"})
    assert answer.status_code == 303
    streets = {item.id: item.address.street for item in giver.letter(given.id).items}
    assert (streets[first.id], streets[second.id]) == ("千代田1-1", "千代田9-9")
    holder.post("/g/thanks", {"stamp": "thanks", "words": "ありがとう"})
    assert giver.progress(given.order_id).thanked == 1


def test_a_full_basket_for_the_longest_address_there_is_loses_nothing(site):
    lengths = {"name": 40, "kana": 60, "city": 40, "street": 80, "building": 80, "wish": 200}
    longest = {name: "漢" * length for name, length in lengths.items()} | {
        "postcode": "100-0001",
        "prefecture": "神奈川県",
        "phone": "090-0000-0000",
        "email": "a" * 88 + "@example.com",
        "time_slot": "afternoon",
    }
    thing = (str(new_id()), str(new_id()), "goods")
    draft = Draft(
        gift=f"{new_id().hex}/{10**9}",
        key=new_id().hex,
        basket=[thing] * gifts.BASKET_MAX,
        address=longest,
    )
    response = Response()
    with site.app.test_request_context(base_url="https://localhost"):
        keep_draft(response, draft)
    cookie = response.headers["Set-Cookie"].partition(";")[0]
    with site.app.test_request_context(base_url="https://localhost", headers={"Cookie": cookie}):
        kept = edge.read_sealed_cookie(DRAFT_COOKIE)
    assert kept is not None
    assert kept["address"] == longest
    assert len(kept["basket"]) == gifts.BASKET_MAX
