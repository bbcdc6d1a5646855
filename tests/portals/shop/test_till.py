"""From the code to the payment, through the pages."""

from __future__ import annotations

import re
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from urllib.parse import urlencode

import pytest

from giftpad import edge, payments
from giftpad.kernel.db import Busy
from giftpad.kernel.work import unit_of_work
from tests.make_pages import FAR_SHOP
from tests.portals.shop.till import AS_SCRIPT, code_of, outcome


def test_a_coupon_is_read_shown_and_paid(till):
    address = till.read(till.coupons[0][0])
    pad = till.clerk.get(address)
    assert pad.status_code == 200
    assert 'data-screen="pad"' in pad.text
    confirm = till.clerk.get(f"{address}?amount=350")
    assert 'data-screen="confirm"' in confirm.text
    assert till.balance() == 1000, "nothing moves before the last button"
    answer = till.clerk.post(address, {"amount": "350", "confirm": "1"})
    assert answer.status_code == 303
    green = till.clerk.follow(answer)
    assert 'data-kind="accepted"' in green.text
    (payment,) = till.payments()
    assert payment.amount_minor == 350
    assert payments.receipt_number(payment.id) in green.text
    assert till.balance() == 650


def test_a_code_typed_by_hand_is_forgiven_its_form(till):
    typed = till.coupons[0][1]
    assert till.read(typed.lower().replace("-", " "))


def test_no_code_comes_into_an_address(till):
    qr, typed = till.coupons[0]
    for code in (qr, typed):
        answer = till.send(code)
        assert qr[-36:] not in answer.headers["Location"]
        assert typed not in answer.headers["Location"]


def test_the_same_payment_twice_is_one(till):
    address = till.read(till.coupons[0][0])
    till.clerk.get(f"{address}?amount=300")
    first, second = till.pay(address, 300), till.pay(address, 300)
    assert outcome(first) == outcome(second) == "accepted"
    assert first.headers["X-Giftpad-Address"] == second.headers["X-Giftpad-Address"]
    assert len(till.payments()) == 1
    assert till.balance() == 700


def test_the_same_payment_from_many_hands_at_once_is_one(till):
    address = till.read(till.coupons[0][0])
    till.clerk.get(f"{address}?amount=300")
    cookies = till.clerk.http._cookies

    def press(_: int) -> tuple[int, str | None]:
        copy = till.site.nobody()
        copy.http._cookies, copy.csrf = dict(cookies), till.clerk.csrf
        answer = till.pay(address, 300, browser=copy)
        return answer.status_code, outcome(answer)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(press, range(8)))
    assert set(answers) <= {(200, "accepted"), (409, None)}
    assert (200, "accepted") in answers
    assert len(till.payments()) == 1
    assert till.balance() == 700


def test_asked_again_it_says_that_the_first_sending_took_it(till):
    address = till.read(till.coupons[0][0])
    till.clerk.get(f"{address}?amount=300")
    till.pay(address, 300)
    again = till.pay(address, 300, again="1")
    assert outcome(again) == "accepted"
    assert "told=first" in again.headers["X-Giftpad-Address"]
    assert len(till.payments()) == 1


def test_asked_again_for_the_first_time_it_is_paid(till):
    address = till.read(till.coupons[0][0])
    till.clerk.get(f"{address}?amount=300")
    again = till.pay(address, 300, again="1")
    assert outcome(again) == "accepted"
    assert "told" not in again.headers["X-Giftpad-Address"]


def test_another_amount_after_it_was_paid_takes_nothing_more(till):
    address = till.read(till.coupons[0][0])
    till.clerk.get(f"{address}?amount=300")
    till.pay(address, 300)
    answer = till.pay(address, 400)
    assert outcome(answer) == "accepted"
    assert "told=other" in answer.headers["X-Giftpad-Address"]
    assert 'data-kind="accepted"' in answer.text
    assert len(till.payments()) == 1
    assert till.balance() == 700


def test_the_pad_of_a_paid_reading_shows_the_payment(till):
    address = till.read(till.coupons[0][0])
    till.clerk.get(f"{address}?amount=300")
    till.pay(address, 300)
    for path in (address, f"{address}?amount=300", f"{address}?amount=1"):
        answer = till.clerk.get(path)
        assert answer.status_code == 303
        assert answer.headers["Location"].startswith("/shop/paid/")


def test_get_never_changes_anything(till):
    address = till.read(till.coupons[0][0])
    for query in ("", "?amount=300", "?amount=300&confirm=1", "?amount=0", "?amount=x"):
        assert till.clerk.get(address + query).status_code == 200
    assert till.payments() == []
    assert till.balance() == 1000


def test_a_form_without_its_last_step_goes_back_to_showing(till):
    address = till.read(till.coupons[0][0])
    till.clerk.get(address)
    answer = till.clerk.post(address, {"amount": "300"})
    assert answer.status_code == 303
    assert answer.headers["Location"].endswith("?amount=300")
    assert till.payments() == []


def test_a_form_without_a_token_pays_nothing(till):
    address = till.read(till.coupons[0][0])
    till.clerk.get(f"{address}?amount=300")
    answer = till.clerk.post(address, {"amount": "300", "confirm": "1"}, csrf="")
    assert answer.status_code == 403
    assert till.payments() == []


@pytest.mark.parametrize(("minutes", "is_asked"), [(0, True), (9, True), (11, False)])
def test_the_same_coupon_soon_afterwards_is_asked_about(till, fresh_clock, minutes, is_asked):
    address = till.read(till.coupons[0][0])
    till.clerk.get(f"{address}?amount=300")
    till.pay(address, 300)
    fresh_clock(timedelta(minutes=minutes))
    second = till.read(till.coupons[0][0])
    assert second != address
    assert ("/shop/paid/" in till.clerk.get(second).text) is is_asked


def test_the_pad_can_warn_of_a_payment_in_doubt_with_the_same_coupon(paper_till):
    pad = paper_till.clerk.get(paper_till.read(paper_till.coupons[0][0])).text
    serial = re.search(r'data-pad data-serial="([^"]+)"', pad)
    assert serial is not None
    assert "data-open-doubt hidden" in pad
    confirm = paper_till.clerk.get(paper_till.read(paper_till.coupons[0][0]) + "?amount=1").text
    assert f'data-pay data-serial="{serial[1]}"' in confirm, "what the device remembers it by"


@pytest.mark.parametrize("typed", ["", "1.5", "-350", "1,5"])
def test_what_is_no_amount_is_told_in_words(till, typed):
    address = till.read(till.coupons[0][0])
    query, english = urlencode({"amount": typed}), {"Accept-Language": "en"}
    answer = till.clerk.get(f"{address}?{query}", headers=english)
    assert 'data-screen="pad"' in answer.text
    assert 'data-kind="ng">Please type a whole number of yen.' in answer.text


def test_the_last_button_carries_the_amount(till):
    address = till.read(till.coupons[0][0])
    answer = till.clerk.get(f"{address}?amount=350", headers={"Accept-Language": "en"})
    assert re.search(r"<span>Take (?:<[^>]*>)*¥350", answer.text)


class TestTheDoorTurnsAway:
    """What the door refuses is this sending: it knows nothing of an earlier one."""

    @pytest.mark.parametrize("headers", [{}, AS_SCRIPT])
    @pytest.mark.parametrize("again", [{}, {"again": "1"}])
    def test_a_second_sending_without_saying_that_nothing_moved(self, till, headers, again):
        address = till.read(till.coupons[0][0])
        till.clerk.get(f"{address}?amount=300")
        till.pay(address, 300)
        form = {"amount": "300", "confirm": "1"} | again
        english = {"Accept-Language": "en"} | headers
        answer = till.clerk.post(address, form, csrf="stale", headers=english)
        assert answer.status_code == 403
        assert outcome(answer) is None
        assert "No money has moved" not in answer.text
        assert "It is not known whether money has moved." in answer.text

    def test_a_second_cancelling_without_saying_that_nothing_moved(self, till):
        address = till.read(till.coupons[0][0])
        till.clerk.get(f"{address}?amount=300")
        till.pay(address, 300)
        (payment,) = till.payments()
        address = f"/shop/payments/{payment.id}/cancel"
        till.clerk.get(address)
        form = {"reason": "wrong amount", "key": till.clerk.key()}
        till.clerk.post(address, form)
        assert till.balance() == 1000
        answer = till.clerk.post(address, form, csrf="stale", headers={"Accept-Language": "en"})
        assert answer.status_code == 403
        assert "No money has moved" not in answer.text


def test_after_a_refusal_the_same_reading_pays_another_amount(till):
    address = till.read(till.coupons[0][0])
    till.clerk.get(f"{address}?amount=300")
    refused = till.pay(address, 1380)
    assert (refused.status_code, code_of(refused)) == (422, "payment.insufficient_balance")
    assert "amount=1000" in refused.text, "the offer to take what is left"
    assert outcome(till.pay(address, 1000)) == "accepted"


def test_a_refusal_asked_for_again_is_final_and_offers_a_new_reading(till):
    address = till.read(till.coupons[0][0])
    till.clerk.get(f"{address}?amount=300")
    refused = till.pay(address, 1380, again="1")
    assert outcome(refused) == "refused"
    late = till.pay(address, 900)
    assert code_of(late) == "reading.over", "the lost sending must not pay afterwards"
    assert address not in refused.text
    assert till.payments() == []


class TestAReadingIsGoodFor:
    """One session, one shop, a quarter of an hour."""

    def test_its_session_only(self, till):
        address = till.read(till.coupons[0][0])
        other = till.site.sign_in(till.site.new_person("clerk"))
        other.get("/shop")
        answer = till.pay(address, 300, browser=other)
        assert code_of(answer) == "reading.over"
        till.clerk.get("/shop")
        assert code_of(till.pay(address, 300)) == "reading.over", "it was closed for good"
        assert till.payments() == []

    def test_its_session_but_a_colleague_learns_what_it_paid(self, till):
        address = till.read(till.coupons[0][0])
        till.clerk.get(f"{address}?amount=300")
        till.pay(address, 300)
        other = till.site.sign_in(till.site.new_person("shop_owner"))
        other.get("/shop")
        answer = till.pay(address, 300, browser=other, again="1")
        assert outcome(answer) == "accepted"
        assert "told=first" in answer.headers["X-Giftpad-Address"]
        assert len(till.payments()) == 1

    def test_its_session_and_another_is_not_told_that_nothing_moved(self, till):
        address = till.read(till.coupons[0][0])
        other = till.site.sign_in(till.site.new_person("clerk"))
        answer = other.get(address, headers={"Accept-Language": "en"} | AS_SCRIPT)
        assert code_of(answer) == "reading.old"
        assert "The list of today tells what was paid." in answer.text
        assert "No money has moved" not in answer.text, "the first session may be paying"

    def test_its_shop_only(self, till):
        address = till.read(till.coupons[0][0])
        till.clerk.get(f"{address}?amount=300")
        till.pay(address, 300)
        far = till.site.person("clerk", shop=FAR_SHOP)
        far.get("/shop")
        answer = till.pay(address, 300, browser=far)
        assert code_of(answer) == "reading.foreign"
        assert outcome(answer) is None, "a script must not take it for the last word"
        assert code_of(far.get(address)) == "reading.foreign"

    def test_a_quarter_of_an_hour(self, till, monkeypatch):
        address = till.read(till.coupons[0][0])
        till.clerk.get(f"{address}?amount=300")
        now = time.time()
        monkeypatch.setattr("giftpad.portals.shop.readings.time.time", lambda: now + 901)
        assert code_of(till.clerk.get(address)) == "reading.old"
        answer = till.pay(address, 300, again="1")
        assert (outcome(answer), code_of(answer)) == ("refused", "reading.over")
        assert till.payments() == []

    def test_an_old_one_still_tells_what_it_paid(self, till, monkeypatch):
        address = till.read(till.coupons[0][0])
        till.clerk.get(f"{address}?amount=300")
        till.pay(address, 300)
        now = time.time()
        monkeypatch.setattr("giftpad.portals.shop.readings.time.time", lambda: now + 901)
        answer = till.pay(address, 300, again="1")
        assert outcome(answer) == "accepted"
        assert len(till.payments()) == 1

    @pytest.mark.parametrize("text", ["x", "AAAA" * 40])
    def test_nothing_when_it_is_none(self, till, text):
        till.clerk.get("/shop")
        assert code_of(till.clerk.get(f"/shop/pay/{text}")) == "reading.foreign"
        assert outcome(till.pay(f"/shop/pay/{text}", 300)) is None

    def test_nothing_when_it_was_sealed_for_something_else(self, till):
        till.clerk.get("/shop")
        with till.site.app.test_request_context():
            text = edge.seal_text("something else", {"shop": ""})
        assert code_of(till.clerk.get(f"/shop/pay/{text}")) == "reading.foreign"


def test_a_payment_is_green_while_it_is_new_and_a_record_afterwards(till, fresh_clock):
    address = till.read(till.coupons[0][0])
    till.clerk.get(f"{address}?amount=300")
    green = till.pay(address, 300)
    assert 'data-kind="accepted"' in green.text
    fresh_clock(timedelta(minutes=3))
    later = till.clerk.get(green.headers["X-Giftpad-Address"])
    assert 'data-screen="record"' in later.text
    assert 'data-kind="accepted"' not in later.text


def test_the_green_screen_is_read_out_once_and_not_with_every_tick_of_its_clock(till):
    address = till.read(till.coupons[0][0])
    green = till.pay(address, 300).text
    said = green[green.index('role="status"') :]
    assert green.count('role="status"') == 1
    assert green.count("aria-live") == 0
    assert 'data-screen="accepted"' in green[: -len(said)]
    depth, inside = 1, ""
    for part in re.split(r"(?=</?div\b)", said):
        depth += part.startswith("<div") - part.startswith("</div")
        inside += part if depth else ""
    assert "<h1" in inside
    assert "data-clock" not in inside
    assert "data-clock" in said


def test_a_page_that_breaks_after_a_payment_does_not_deny_it(till, monkeypatch):
    address = till.read(till.coupons[0][0])
    done = till.clerk.post(address, {"amount": "350", "confirm": "1"})

    def fail(*_args):
        raise Busy

    monkeypatch.setattr("giftpad.portals.shop.till.payments.get_payment", fail)
    page = till.clerk.get(done.headers["Location"], headers={"Accept-Language": "en"})
    assert page.status_code == 503
    assert "o money has moved" not in page.text
    assert till.balance() == 650


def test_another_shops_payment_is_not_found(till):
    address = till.read(till.coupons[0][0])
    till.clerk.get(f"{address}?amount=300")
    green = till.pay(address, 300)
    far = till.site.person("clerk", shop=FAR_SHOP)
    (payment,) = till.payments()
    assert far.get(green.headers["X-Giftpad-Address"]).status_code == 404
    assert far.get(f"/shop/payments/{payment.id}/cancel").status_code == 404


def test_a_script_gets_the_screen_alone(till):
    address = till.read(till.coupons[0][0])
    page, alone = till.clerk.get(address), till.clerk.get(address, headers=AS_SCRIPT)
    assert "<html" in page.text
    assert "<html" not in alone.text
    assert 'data-screen="pad"' in alone.text


def test_only_the_scan_page_may_compile_the_scanner(till):
    wasm = "'wasm-unsafe-eval'"
    assert wasm in till.clerk.get("/shop").headers["Content-Security-Policy"]
    address = till.read(till.coupons[0][0])
    for path in (address, "/shop/today", "/shop/offline"):
        assert wasm not in till.clerk.get(path).headers["Content-Security-Policy"]


def test_those_of_no_shop_are_told_who_may_come_in(site):
    officer = site.person("issuer")
    answer = officer.get("/shop")
    assert answer.status_code == 403
    assert officer.get("/shop/today").status_code == 403
    assert officer.post("/shop/read", {"code": "x"}).status_code == 403


def test_the_books_agree(till):
    address = till.read(till.coupons[0][0])
    till.clerk.get(f"{address}?amount=300")
    till.pay(address, 300)
    with unit_of_work(till.site.scope) as work:
        assert payments.verify(work) == []
