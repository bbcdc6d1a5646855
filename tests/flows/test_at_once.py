"""Many at once over HTTP against two server processes: exactly the right number wins."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import psycopg
import pytest

from giftpad import local, wiring
from giftpad.coupons import jobs as coupon_jobs
from giftpad.kernel.config import read_settings
from giftpad.kernel.work import Scope
from giftpad.tenancy import find_tenant_by_slug
from tests.flows.conftest import TENANT
from tests.make import move_clock

AT_ONCE = 50
TRIES_MAX = 200


@pytest.fixture
def till(product):
    inside, _ = product.shops()
    return product.caller("payments:accept", "payments:refund", "payments:read", shop_id=inside)


@pytest.fixture
def codes(product):
    return product.codes(product.batch(8))


def pay(till, code, amount, key=None):
    """Pay as a till does: again with the same key while the answer is 'not now'."""
    order = {"instrument": {"kind": "coupon", "code": code}, "amount_minor": amount}
    key = key or uuid.uuid4().hex
    for _ in range(TRIES_MAX):
        status, body = till.call("POST", "/api/v1/payments", order, key=key)
        if status not in (409, 429, 503):
            return status, json.loads(body)
        time.sleep(0.05)  # a clerk taps again
    raise AssertionError(body)


def look(till, code):
    return till.ask(
        "POST",
        "/api/v1/instruments/lookup",
        {"instrument": {"kind": "coupon", "code": code}},
        wanted=200,
    )


def test_fifty_at_once_on_one_coupon(product, till, codes):
    with ThreadPoolExecutor(16) as pool:
        keys = [f"fifty-{codes[0][-6:]}-{n}" for n in range(AT_ONCE)]
        answers = list(pool.map(lambda key: pay(till, codes[0], 30, key), keys))
    assert Counter(status for status, _ in answers) == {201: 33, 422: 17}
    left = sorted(body["balance_minor"] for status, body in answers if status == 201)
    assert left == list(range(10, 1000, 30))
    assert {b["code"] for s, b in answers if s == 422} == {"payment.insufficient_balance"}
    assert look(till, codes[0])["balance_minor"] == 10


def test_one_key_twenty_times_at_once(till, codes):
    with ThreadPoolExecutor(20) as pool:
        answers = list(
            pool.map(lambda _: pay(till, codes[1], 400, f"one-{codes[1][-6:]}"), range(20))
        )
    assert {status for status, _ in answers} == {201}
    assert len({json.dumps(body, sort_keys=True) for _, body in answers}) == 1
    assert look(till, codes[1])["balance_minor"] == 600


def test_refunds_at_once_give_back_no_more_than_was_paid(till, codes):
    _, paid = pay(till, codes[2], 500)
    path = f"/api/v1/payments/{paid['id']}/refund"

    def refund(number):
        key = f"refund-{paid['id']}-{number}"
        for _ in range(TRIES_MAX):
            status, body = till.call("POST", path, {"amount_minor": 100}, key=key)
            if status not in (409, 429, 503) or b"payment.wrong_state" in body:
                return status
        raise AssertionError(body)

    with ThreadPoolExecutor(12) as pool:
        spent = [pool.submit(pay, till, codes[2], 50, f"spend-{paid['id']}-{n}") for n in range(6)]
        statuses = Counter(pool.map(refund, range(12)))
        paid_again = sum(job.result()[0] == 201 for job in spent)
    assert statuses[201] == 5
    assert look(till, codes[2])["balance_minor"] == 1000 - 50 * paid_again


def test_once_a_block_has_answered_nothing_is_taken_any_more(product, till, codes):
    office = product.caller()
    stop = threading.Event()
    taken = []

    def spend(worker):
        while not stop.is_set():
            status, body = pay(till, codes[3], 1, f"block-{worker}-{len(taken)}-{codes[3][-6:]}")
            taken.append((status, body))

    batch = office.ask("GET", "/api/v1/coupon-batches?limit=1", wanted=200)["items"][0]
    prefix, _, number = batch["serial_first"].rpartition("-")
    serial = f"{prefix}-{int(number) + 3}"
    with ThreadPoolExecutor(6) as pool:
        jobs = [pool.submit(spend, n) for n in range(6)]
        while len(taken) < 60:
            stop.wait(0.01)
        office.ask(
            "POST", f"/api/v1/coupons/{serial}/block", {"reason": "lost"}, key=True, wanted=200
        )
        balance = look(till, codes[3])["balance_minor"]
        stop.set()
        for job in jobs:
            job.result()
    after = look(till, codes[3])
    assert after["balance_minor"] == balance
    assert (after["usable"], after["reason"]) == (False, "instrument.blocked")
    assert pay(till, codes[3], 1)[1]["code"] == "instrument.blocked"
    office.ask(
        "POST", f"/api/v1/coupons/{serial}/unblock", {"reason": "found"}, key=True, wanted=200
    )
    assert pay(till, codes[3], 1)[0] == 201


def test_expiry_and_payments_at_once_leave_every_yen_somewhere(product, till, monkeypatch):
    batch = product.batch(8)
    codes = product.codes(batch)
    for name in ("GIFTPAD_HOME", "GIFTPAD_PORT"):
        monkeypatch.setenv(name, product.environment[name])
    settings = local.embedded_settings(read_settings())
    wiring.bootstrap(settings)
    tenant = find_tenant_by_slug(TENANT)
    superuser = product.superuser()
    stop = threading.Event()
    answers = []

    def spend(worker):
        number = 0
        while not stop.is_set():
            number += 1
            code = codes[(worker + number) % len(codes)]
            answers.append(pay(till, code, 1, f"expiry-{worker}-{number}-{batch['id']}"))

    try:
        with ThreadPoolExecutor(6) as pool:
            jobs = [pool.submit(spend, n) for n in range(4)]
            while len(answers) < 40:
                stop.wait(0.01)
            move_clock(superuser, timedelta(days=400))
            coupon_jobs.expire_due(Scope(tenant_id=tenant.id))
            seen = len(answers)
            while len(answers) < seen + 4:
                stop.wait(0.01)
            stop.set()
            for job in jobs:
                job.result()
    finally:
        move_clock(superuser, timedelta(0))
    codes_seen = {body["code"] for status, body in answers if status != 201}
    assert codes_seen == {"instrument.expired"}
    paid = sum(status == 201 for status, _ in answers)
    with psycopg.connect(superuser) as connection:
        (drained,) = connection.execute(
            "SELECT sum(t.amount_minor) FROM ledger_transfers t WHERE t.kind = 'expire'"
            " AND t.debit_id IN (SELECT account_id FROM payment_payments WHERE at > %s)",
            [batch["created_at"]],
        ).fetchone()
    assert drained == 8 * 1000 - paid
    product.must("ledger", "verify", "--tenant", TENANT)
