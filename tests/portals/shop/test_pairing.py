"""A tablet becomes one of a shop, and is shut out again."""

from __future__ import annotations

from datetime import timedelta

import pytest

from giftpad import audit, tills
from giftpad.kernel.work import unit_of_work
from tests.make_pages import FAR_SHOP
from tests.portals.shop.tablets import (
    AS_SCRIPT,
    Counter,
    cookie_of,
    copy_of,
    till_of,
)
from tests.portals.shop.till import outcome


def actions(site):
    """Return what was written into the audit log, newest first."""
    with unit_of_work(site.scope) as work:
        return [entry.action for entry in audit.list_entries(work)]


def test_a_tablet_is_connected_and_takes_payments_under_its_own_name(till, counter):
    opened = counter.pair()
    assert opened.headers["Location"] == "/shop", "no PIN is asked for: pairing alone is enough"
    assert "レジ2" in counter.tablet.follow(opened).text
    address = till.read(till.coupons[0][0], browser=counter.tablet)
    assert outcome(till.pay(address, 300, browser=counter.tablet)) == "accepted"
    (payment,) = till.payments()
    (terminal,) = till_of(till.site).terminals
    assert payment.shop_id == counter.shop_id
    names = tills.list_names(till.site.scope, [terminal.id])
    assert names == {terminal.id: "レジ2"}
    shown = till.site.person("owner").get(f"/desk/payments/{payment.id}")
    assert "レジ2" in shown.text


def test_the_tablet_looks_again_by_itself_and_without_a_script(counter):
    code = counter.start()
    waiting = counter.tablet.get("/shop/pair", headers=AS_SCRIPT)
    assert code in waiting.text
    assert "HX-Redirect" not in waiting.headers
    assert counter.tablet.get("/shop/pair").status_code == 200
    counter.answer(code)
    assert (
        counter.tablet.get("/shop/pair", headers=AS_SCRIPT).headers["HX-Redirect"] == "/shop/pair"
    )
    assert cookie_of(counter.tablet) is None, "a look takes nothing"
    assert counter.tablet.get("/shop/pair").headers["Location"] == "/shop/till"


def test_an_answer_that_was_lost_on_its_way_to_the_tablet_is_given_again(counter):
    counter.answer(counter.start())
    lost = copy_of(counter.site, counter.tablet)
    assert lost.get("/shop/pair").status_code == 303
    assert counter.tablet.get("/shop/pair").status_code == 303
    assert counter.tablet.get("/shop/till").headers["Location"] == "/shop"
    late = copy_of(counter.site, counter.tablet)
    late.http.delete_cookie("gp_terminal", domain="localhost")
    late.http.set_cookie("gp_pairing", lost.http.get_cookie("gp_pairing") or "", domain="localhost")
    assert late.get("/shop/pair").status_code == 200, "who has shown its secret is not made again"


def test_no_is_no(counter):
    code = counter.start()
    assert counter.answer(code, "no").headers["Location"] == "/activate/tablet"
    shown = counter.tablet.get("/shop/pair")
    assert 'hx-trigger="every' not in shown.text
    assert till_of(counter.site).terminals == ()
    assert counter.answer(code).status_code == 303
    assert till_of(counter.site).terminals == (), "a code that was refused is used up"


def test_a_code_ends_after_ten_minutes_and_a_new_one_is_one_tap(counter, fresh_clock):
    old = counter.start()
    fresh_clock(timedelta(minutes=11))
    shown = counter.tablet.get("/shop/pair")
    assert old not in shown.text
    assert counter.phone.get(f"/activate/tablet?user_code={old}").status_code == 422
    assert counter.start() != old


def test_a_code_is_shown_on_the_phone_as_on_the_tablet_however_it_was_typed(counter):
    code = counter.start()
    typed = code.lower().replace("-", " ")
    page = counter.phone.get("/activate/tablet", query_string={"user_code": typed})
    assert page.status_code == 200
    assert f">{code}<" in page.text
    assert typed not in page.text


def test_wrong_codes_are_counted(counter):
    for _ in range(10):
        counter.phone.get("/activate/tablet?user_code=BCDF-GHJK")
    answer = counter.phone.get("/activate/tablet?user_code=BCDF-GHJK")
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0
    right = counter.start()
    assert counter.phone.get(f"/activate/tablet?user_code={right}").status_code == 429


def test_codes_are_not_handed_out_without_end(counter):
    counter.start()
    statuses = [
        counter.tablet.post("/shop/pair", environ_overrides=counter.place).status_code
        for _ in range(102)
    ]
    assert statuses[0] == 303
    assert statuses[-1] == 429


@pytest.mark.parametrize("role", ["clerk", "viewer", "support", "approver", "counter"])
def test_whoever_keeps_no_shop_connects_nothing(site, counter, role):
    code = counter.start()
    stranger = Counter(site=site, tablet=counter.tablet, phone=site.person(role))
    assert stranger.answer(code).status_code == 403
    assert stranger.phone.get(counter.page).status_code == 403
    assert till_of(site).terminals == ()


def test_an_owner_of_one_shop_connects_no_tablet_to_another(site, counter):
    far = str(site.shop_id(FAR_SHOP))
    assert counter.answer(counter.start(), shop=far).status_code == 422
    assert till_of(site, FAR_SHOP).terminals == ()
    assert counter.phone.get(f"/tablets/{far}").status_code == 404


@pytest.mark.parametrize("role", ["owner", "issuer"])
def test_the_desk_connects_a_tablet_to_the_shop_whose_number_it_types(site, counter, role):
    desk = Counter(site=site, tablet=counter.tablet, phone=site.person(role), shop=FAR_SHOP)
    code = desk.start()
    assert desk.answer(code, number="0000").status_code == 422
    assert desk.answer(code, number=FAR_SHOP).status_code == 303
    assert [each.name for each in till_of(site, FAR_SHOP).terminals] == ["レジ2"]
    assert desk.phone.get(desk.page).status_code == 200


def test_a_lost_tablet_is_shut_out_in_one_tap(till, counter):
    counter.pair()
    address = till.read(till.coupons[0][0], browser=counter.tablet)
    (terminal,) = till_of(till.site).terminals
    counter.phone.get(counter.page)
    ended = counter.phone.post(f"{counter.page}/{terminal.id}/end")
    assert ended.status_code == 303
    refused = till.pay(address, 300, browser=counter.tablet)
    assert refused.status_code == 401, "the token it holds is believed no more"
    assert till.payments() == []
    sent_on = counter.tablet.get("/shop")
    assert sent_on.headers["Location"] == "/shop/till"
    landed = counter.tablet.follow(sent_on)
    assert landed.headers["Location"] == "/shop/pair"
    assert cookie_of(counter.tablet) is None
    assert counter.tablet.follow(landed).status_code == 200
    assert till_of(till.site).terminals == ()
    assert {"terminal.paired", "till.opened", "terminal.ended"} <= set(actions(till.site))


def test_a_tablet_counts_on_pages_of_the_till_only(counter):
    counter.pair()
    assert counter.tablet.get("/shop").status_code == 200
    for path in ("/account", "/activate", "/activate/tablet", "/tablets", "/desk"):
        answer = counter.tablet.get(path)
        assert answer.headers["Location"].startswith("/sign-in"), path


def test_a_tablet_speaks_the_language_that_is_chosen_on_it(counter):
    counter.pair()
    counter.tablet.get("/shop")
    answer = counter.tablet.post("/preferences", {"lang": "en", "next": "/shop"})
    assert answer.status_code == 303
    assert "Read a coupon" in counter.tablet.get("/shop").text


def test_a_tablet_is_renamed(counter):
    counter.pair()
    (terminal,) = till_of(counter.site).terminals
    counter.phone.get(f"{counter.page}/{terminal.id}/name")
    assert (
        counter.phone.post(f"{counter.page}/{terminal.id}/name", {"name": " "}).status_code == 422
    )
    counter.phone.post(f"{counter.page}/{terminal.id}/name", {"name": "出口のレジ"})
    assert [each.name for each in till_of(counter.site).terminals] == ["出口のレジ"]


def test_a_shop_has_so_many_tablets_and_no_more(site, counter):
    for _ in range(20):
        waiting = tills.start_pairing("")
        tills.approve_pairing(site.scope, waiting.user_code, counter.shop_id, "レジ")
    assert counter.answer(counter.start()).status_code == 409
