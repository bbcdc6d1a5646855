"""Balances over HTTP: ordered by amount and programme, and what becomes of each part."""

from __future__ import annotations

import pytest

from tests.make_balances import AMOUNT, PRICES, add_programme, make_giver
from tests.make_callers import Caller
from tests.pump import pump

ORDERS = "/api/v1/gift-orders"


@pytest.fixture
def giver(house):
    return make_giver()


@pytest.fixture
def machine(app, giver):
    return Caller(app, giver.scope, "gifts:read", "gifts:order", "gifts:support", "programmes:read")


def wanted(giver, **more):
    return {
        "title": "お歳暮",
        "design": "musubi",
        "sender_name": "見本商事",
        "message": "一年間ありがとうございました。",
        "kind": "balance",
        "amount_minor": AMOUNT,
        "programme_id": str(giver.programme_id),
        "course_id": str(giver.course_id),
        "channel": "link",
        "recipients": [{"name": "山田 花子", "external_id": "A-1"}],
    } | more


def test_a_balance_is_ordered_and_each_part_of_it_told(giver, machine, settings):
    made = machine.post(ORDERS, wanted(giver), key="k1")
    assert made.status_code == 202, made.text
    said = made.json
    assert (said["kind"], said["amount_minor"], said["total_minor"]) == ("balance", AMOUNT, 5100)
    assert said["balance_until"] is not None
    giver.issue(said["id"])
    (gift,) = machine.get(f"{ORDERS}/{said['id']}/gifts").json["items"]
    giver.buy(gift["id"], "RICE")
    kept = giver.keep(gift["id"])
    giver.pay(giver.screen(kept).qr_text, 300)
    pump(settings)
    shown = machine.get(f"/api/v1/gifts/{gift['id']}").json
    assert (shown["left_minor"], shown["claimed_minor"], shown["claim"]) == (0, AMOUNT, None)
    assert [item["value_minor"] for item in shown["items"]] == [PRICES["RICE"]]
    (told,) = shown["kept"]
    assert (told["serial"], told["amount_minor"], told["spent_minor"]) == (
        kept.serial,
        AMOUNT - PRICES["RICE"],
        300,
    )
    assert "locator" not in told
    progress = machine.get(f"{ORDERS}/{said['id']}").json["progress"]
    assert (progress["kept"], progress["used"], progress["spent_minor"]) == (1, 1, 300)
    used = machine.get(f"{ORDERS}/{said['id']}/gifts?show=used").json["items"]
    assert [each["id"] for each in used] == [gift["id"]]


@pytest.mark.parametrize(
    ("more", "status", "code"),
    [
        ({"amount_minor": 0}, 422, "request.invalid"),
        ({"amount_minor": None}, 422, "gift_order.incomplete"),
        ({"programme_id": None, "course_id": None}, 422, "gift_order.incomplete"),
        ({"kind": "course"}, 422, "gift_order.unfit"),
        ({"kind": "voucher"}, 422, "request.invalid"),
    ],
)
def test_what_cannot_be_a_balance_is_refused(giver, machine, more, status, code):
    refused = machine.post(ORDERS, wanted(giver, **more), key="k1")
    assert (refused.status_code, refused.json["code"]) == (status, code), refused.text
    assert machine.get(ORDERS).json["items"] == []


def test_only_a_programme_of_ones_own_that_takes_gifts_can_be_named(giver, machine):
    stranger = make_giver()
    foreign = machine.post(ORDERS, wanted(giver, programme_id=str(stranger.programme_id)), key="a")
    assert (foreign.status_code, foreign.json["code"]) == (404, "programme.not_found")
    closed = add_programme(giver.scope, "NO", takes_gifts=False)
    refused = machine.post(ORDERS, wanted(giver, programme_id=str(closed)), key="b")
    assert (refused.status_code, refused.json["code"]) == (422, "gift_order.unfit")
    listed = {each["id"]: each["gifts"] for each in machine.get("/api/v1/programmes").json["items"]}
    assert listed == {str(giver.programme_id): True, str(closed): False}
