"""Look up, pay, void, refund over HTTP; the refusals as a table; one round trip each."""

from __future__ import annotations

import json
from datetime import timedelta

import marshmallow
import msgspec
import pytest

from giftpad import payments, shops
from giftpad.api.v1.payments import (
    LookUpBody,
    LookUpSchema,
    PaymentBody,
    PaymentRequestSchema,
)
from giftpad.kernel.i18n import translate
from giftpad.kernel.ids import new_id
from giftpad.kernel.work import unit_of_work
from tests import make
from tests.make_callers import TILL_MAY, Caller
from tests.payments.test_pay import forge


@pytest.fixture
def office(app, town):
    return Caller(app, town.scope, *TILL_MAY)


def order(town, amount_minor=350, **changes):
    code = changes.pop("code", town.coupons[0].qr)
    return {"instrument": {"kind": "coupon", "code": code}, "amount_minor": amount_minor} | changes


def pay(caller, body, key=None):
    return caller.post("/api/v1/payments", body, key=key or new_id().hex)


def test_a_shop_looks_up_pays_voids_pays_and_refunds(town, till):
    asked = {"instrument": {"kind": "coupon", "code": town.coupons[0].typed}}
    looked = till.post("/api/v1/instruments/lookup", asked)
    assert looked.status_code == 200
    assert (looked.json["balance_minor"], looked.json["usable"], looked.json["reason"]) == (
        1000,
        True,
        None,
    )
    paid = pay(till, order(town))
    assert paid.status_code == 201
    assert (paid.json["state"], paid.json["amount_minor"], paid.json["balance_minor"]) == (
        "captured",
        350,
        650,
    )
    void = till.post(f"/api/v1/payments/{paid.json['id']}/void", {}, key=new_id().hex)
    assert (void.status_code, void.json["state"], void.json["balance_minor"]) == (
        201,
        "voided",
        1000,
    )
    paid = pay(till, order(town))
    path = f"/api/v1/payments/{paid.json['id']}"
    part = till.post(f"{path}/refund", {"amount_minor": 100}, key=new_id().hex)
    assert (part.status_code, part.json["state"], part.json["balance_minor"]) == (
        201,
        "partly_refunded",
        750,
    )
    rest = till.post(f"{path}/refund", {}, key=new_id().hex)
    assert (rest.json["state"], rest.json["amount_minor"]) == ("refunded", 250)
    assert till.get(path).json["state"] == "refunded"
    listed = till.get("/api/v1/payments").json
    assert [p["state"] for p in listed["items"]] == ["refunded", "voided"]
    assert make.differences(town.scope) == []


def test_a_repeat_is_answered_alike_and_another_body_is_refused(town, till):
    first = pay(till, order(town), "k1")
    again = pay(till, order(town), "k1")
    assert (again.status_code, again.json) == (201, first.json)
    other = pay(till, order(town, 1), "k1")
    assert (other.status_code, other.json["code"]) == (422, "idempotency.mismatch")
    assert first.json["id"] not in other.text
    path = f"/api/v1/payments/{first.json['id']}/refund"
    one = till.post(path, {"amount_minor": 10}, key="k2")
    two = till.post(path, {"amount_minor": 10}, key="k2")
    assert one.json == two.json
    assert make.balance_minor(town, town.coupons[0]) == 660


@pytest.mark.parametrize("path", ["", "/{id}/void", "/{id}/refund"])
def test_money_does_not_move_without_a_key(town, till, path):
    paid = pay(till, order(town)).json
    body = order(town) if path == "" else {}
    answered = till.post("/api/v1/payments" + path.format(id=paid["id"]), body)
    assert (answered.status_code, answered.json["code"]) == (400, "idempotency.key_missing")
    assert make.balance_minor(town, town.coupons[0]) == 650


def block(town):
    with unit_of_work(town.scope) as work:
        payments.block_instruments(work, town.coupons[0].locator, town.coupons[0].locator)


def replace(town):
    with unit_of_work(town.scope) as work:
        (view,) = payments.get_instruments(work, town.coupons[0].locator, town.coupons[0].locator)
        alias = payments.Alias(locator=9_999, code_hash=new_id().bytes, terms_id=view.terms_id)
        payments.replace_instrument(work, town.coupons[0].locator, alias)


def suspend(town):
    with unit_of_work(town.scope) as work:
        shops.set_accepting(work, town.shop_id, accepting=False)


# state or question: what is done first, what the order says, status, code
REFUSALS = {
    "unknown typed code": (None, {"code": "0000-0000-0000-0000"}, 404, "instrument.not_found"),
    "forged": (None, {"code": lambda t: forge(t.coupons[0].qr)}, 404, "instrument.not_found"),
    "no code at all": (None, {"code": "hello"}, 404, "instrument.not_found"),
    "blocked": (block, {}, 422, "instrument.blocked"),
    "replaced": (replace, {}, 422, "instrument.replaced"),
    "expired": (timedelta(days=91), {}, 422, "instrument.expired"),
    "not yet active": (
        lambda t: make.issue(t, released=False),
        {"code": lambda t: t.coupons[-1].qr},
        422,
        "instrument.not_active",
    ),
    "outside the area": (
        None,
        {"shop_id": lambda t: str(t.outside_shop_id)},
        422,
        "payment.not_accepted_here",
    ),
    "wrong programme": (
        None,
        {"shop_id": lambda t: str(t.stranger_shop_id)},
        422,
        "payment.wrong_programme",
    ),
    "over the ceiling": (None, {"amount_minor": 901}, 422, "payment.over_ceiling"),
    "insufficient": (
        lambda t: payments.pay(t.scope, make.pay_order(t, 600)),
        {"amount_minor": 500},
        422,
        "payment.insufficient_balance",
    ),
    "no such shop": (None, {"shop_id": lambda _: str(new_id())}, 422, "payment.unknown_shop"),
    "no shop named": (None, {"shop_id": None}, 422, "payment.shop_missing"),
    "suspended": (suspend, {}, 422, "payment.shop_suspended"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_a_refusal_says_what_happened_in_both_languages(town, office, fresh_clock, case):
    first, changes, status, code = REFUSALS[case]
    if isinstance(first, timedelta):
        fresh_clock(first)
    elif first is not None:
        first(town)
    body = order(town, shop_id=str(town.shop_id))
    changes = {k: v(town) if callable(v) else v for k, v in changes.items()}
    if "code" in changes:
        body["instrument"]["code"] = changes.pop("code")
    body |= changes
    before = make.balance_minor(town, town.coupons[-1])
    details = {}
    for language in ("en", "ja"):
        answered = office.post("/api/v1/payments", body, key=new_id().hex, language=language)
        assert (answered.status_code, answered.json["code"]) == (status, code), answered.text
        assert answered.json["money_moved"] is False
        details[language] = answered.json["detail"]
    assert details["en"] != details["ja"]
    assert "{" not in details["en"] + details["ja"]
    assert make.balance_minor(town, town.coupons[-1]) == before
    if code == "payment.insufficient_balance":
        assert answered.json["balance_minor"] == 400
    if code.startswith("instrument.") and status != 404:
        looked = office.post(
            "/api/v1/instruments/lookup",
            {"instrument": body["instrument"], "shop_id": body["shop_id"]},
        )
        assert (looked.json["usable"], looked.json["reason"]) == (False, code)


def test_unknown_forged_and_foreign_codes_cannot_be_told_apart(town, office, app):
    other = make.make_town()
    make.issue(other)
    codes = ["0000-0000-0000-0000", forge(town.coupons[0].qr), other.coupons[0].qr]
    codes += [other.coupons[0].typed, town.coupons[0].qr.lower(), "https://example.test/"]
    answers = set()
    for code in codes:
        body = order(town, code=code, shop_id=str(town.shop_id))
        answered = pay(office, body)
        answers.add((answered.status_code, answered.data))
    assert len(answers) == 1


def test_a_till_sees_and_serves_its_own_shop_only(town, app, till):
    elsewhere = Caller(app, town.scope, *TILL_MAY, shop_id=town.outside_shop_id)
    paid = pay(till, order(town)).json
    assert elsewhere.get(f"/api/v1/payments/{paid['id']}").status_code == 404
    assert elsewhere.get("/api/v1/payments").json["items"] == []
    for verb in ("void", "refund"):
        answered = elsewhere.post(f"/api/v1/payments/{paid['id']}/{verb}", {}, key=new_id().hex)
        assert answered.status_code == 404
    foreign = pay(till, order(town, shop_id=str(town.outside_shop_id)))
    assert (foreign.status_code, foreign.json["code"]) == (422, "payment.other_shop")
    assert make.balance_minor(town, town.coupons[0]) == 650


def test_a_list_goes_on_by_its_cursor(town, till):
    ids = [pay(till, order(town, 1)).json["id"] for _ in range(5)]
    page = till.get("/api/v1/payments?limit=2").json
    seen = [p["id"] for p in page["items"]]
    while page["next_cursor"]:
        page = till.get(f"/api/v1/payments?limit=2&cursor={page['next_cursor']}").json
        seen += [p["id"] for p in page["items"]]
    assert seen == ids[::-1]


@pytest.mark.parametrize("offset", ["%2B09:00", "+09:00", "+0900", "%2009:00"])
def test_a_plus_in_the_times_of_a_query_needs_no_escape(town, till, offset):
    paid = pay(till, order(town, 1)).json["id"]
    listed = till.get(f"/api/v1/payments?since=2001-01-01T00:00:00{offset}")
    assert [p["id"] for p in listed.json["items"]] == [paid]
    later = till.get(f"/api/v1/payments?since=2101-01-01T00:00:00.5{offset}")
    assert later.json["items"] == []


CORPUS = [
    {"instrument": {"kind": "coupon", "code": "X"}, "amount_minor": 1},
    {"instrument": {"kind": "coupon", "code": "X"}, "amount_minor": 2**53 - 1},
    {"instrument": {"kind": "coupon", "code": "X"}, "amount_minor": 1, "shop_id": str(new_id())},
    {"instrument": {"kind": "coupon", "code": "X"}, "amount_minor": 1, "shop_id": None},
    {"instrument": {"kind": "coupon", "code": "X"}, "amount_minor": 0},
    {"instrument": {"kind": "coupon", "code": "X"}, "amount_minor": -5},
    {"instrument": {"kind": "coupon", "code": "X"}, "amount_minor": 2**53},
    {"instrument": {"kind": "coupon", "code": "X"}, "amount_minor": 1.5},
    {"instrument": {"kind": "coupon", "code": "X"}, "amount_minor": "1"},
    {"instrument": {"kind": "coupon", "code": "X"}, "amount_minor": True},
    {"instrument": {"kind": "coupon", "code": "X"}, "amount_minor": None},
    {"instrument": {"kind": "coupon", "code": "X"}},
    {"instrument": {"kind": "wallet", "code": "X"}, "amount_minor": 1},
    {"instrument": {"kind": "coupon", "code": ""}, "amount_minor": 1},
    {"instrument": {"kind": "coupon", "code": "X" * 201}, "amount_minor": 1},
    {"instrument": {"kind": "coupon", "code": 5}, "amount_minor": 1},
    {"instrument": {"kind": "coupon"}, "amount_minor": 1},
    {"instrument": "X", "amount_minor": 1},
    {"instrument": {"kind": "coupon", "code": "X"}, "amount_minor": 1, "more": 1},
    {"instrument": {"kind": "coupon", "code": "X", "more": 1}, "amount_minor": 1},
    {"instrument": {"kind": "coupon", "code": "X"}, "amount_minor": 1, "shop_id": "x"},
    {},
    [],
]


@pytest.mark.parametrize(
    ("struct", "schema", "without_amount"),
    [(PaymentBody, PaymentRequestSchema, False), (LookUpBody, LookUpSchema, True)],
)
def test_the_hot_bodies_accept_and_refuse_what_the_contract_does(struct, schema, without_amount):
    for case in CORPUS:
        body = case
        if without_amount and isinstance(case, dict):
            body = {k: v for k, v in case.items() if k != "amount_minor"}
        verdicts = set()
        try:
            msgspec.json.decode(json.dumps(body), type=struct)
            verdicts.add("taken")
        except msgspec.ValidationError:
            verdicts.add("refused")
        try:
            schema().load(body)
            verdicts.add("taken")
        except marshmallow.ValidationError:
            verdicts.add("refused")
        assert len(verdicts) == 1, body


def test_a_bad_body_is_told_where_and_moves_nothing(town, till):
    answered = pay(till, order(town, "350"))
    assert (answered.status_code, answered.json["code"]) == (422, "request.invalid")
    assert answered.json["errors"][0]["pointer"] == "/amount_minor"
    assert make.balance_minor(town, town.coupons[0]) == 1000


def test_every_refusal_has_its_own_japanese_sentence():
    for refusal in payments.REFUSALS.values():
        assert translate(refusal.sentence, "ja") != refusal.sentence, refusal.code
