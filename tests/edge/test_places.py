"""Places: what is turned away first, who goes first, and that no place is ever lost."""

from __future__ import annotations

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from giftpad.api import http
from giftpad.app import build_app
from giftpad.edge.kinds import (
    DASHBOARDS,
    DESK_ACTS,
    ENTRY,
    EXPORTS,
    IMPORTS,
    KINDS,
    LOOK_UPS,
    PAY,
    PRINTING,
    PUBLIC,
    UNKNOWN,
    kind_of,
)
from giftpad.edge.places import SLOW_WAITING_MAX, STREAMS_MAX, Entry, Places
from giftpad.guard import FEATURES
from giftpad.kernel.config import Settings

LONG_S = 30
KNOWN = {
    "POST /api/v1/payments": PAY,
    "POST /api/v1/payments/{id}/void": PAY,
    "POST /api/v1/payments/{id}/refund": PAY,
    "POST /oauth/token": PAY,
    "GET /oauth/token": ENTRY,
    "POST /oauth/x": ENTRY,
    "GET /.well-known/jwks.json": PAY,
    "GET /shop": PAY,
    "POST /shop/read": PAY,
    "POST /shop/pay/{id}": PAY,
    "GET /shop/paid/{id}": PAY,
    "GET /shop/today": ENTRY,
    "POST /api/v1/instruments/lookup": LOOK_UPS,
    "GET /api/v1/payments/{id}": LOOK_UPS,
    "GET /api/v1/coupons/{id}": LOOK_UPS,
    "POST /api/v1/coupons/{id}/block": DESK_ACTS,
    "POST /api/v1/coupons/block": DESK_ACTS,
    "POST /sign-in": ENTRY,
    "GET /assets/base.css": ENTRY,
    "GET /operator/health": ENTRY,
    "GET /Q/ABCDEF": PUBLIC,
    "GET /balance": PUBLIC,
    "GET /balance/shops": PUBLIC,
    "GET /t/midori-city/": PUBLIC,
    "POST /t/midori-city/": PUBLIC,
    "GET /api/v1/payments": DASHBOARDS,
    "GET /api/v1/shops": DASHBOARDS,
    "GET /desk": DASHBOARDS,
    "GET /desk/payments": DASHBOARDS,
    "GET /desk/batches/{id}/row": DASHBOARDS,
    "GET /desk/coupons/{id}": DESK_ACTS,
    "POST /desk/coupons/{id}/stop": DESK_ACTS,
    "POST /desk/coupons/range": DESK_ACTS,
    "GET /desk/coupons": DESK_ACTS,
    "POST /desk/coupons/find": DESK_ACTS,
    "GET /desk/shops": DASHBOARDS,
    "GET /desk/shops?q=1042": DESK_ACTS,
    "GET /desk/shops?area=&q=%E5%B1%B1": DESK_ACTS,
    "GET /desk/shops?q=&area=north": DASHBOARDS,
    "GET /desk/payments?q=1042": DASHBOARDS,
    "GET /desk/shops/all.csv?q=1042": EXPORTS,
    "POST /api/v1/shops/{id}/suspend": DESK_ACTS,
    "POST /api/v1/coupon-batches/{id}/release": DESK_ACTS,
    "POST /api/v1/coupon-batches": PRINTING,
    "POST /desk/batches": PRINTING,
    "POST /desk/batches/{id}/print-again": PRINTING,
    "POST /api/v1/shop-imports": IMPORTS,
    "POST /desk/shops/imports": IMPORTS,
    "GET /desk/payments/all.csv": EXPORTS,
    "GET /desk/batches/{id}/volumes/1.pdf": EXPORTS,
    "GET /api/v1/coupon-batches/{id}/pdf": EXPORTS,
    "GET /api/v1/coupon-batches/{id}/manifest.csv": EXPORTS,
    "GET /wp-login.php": UNKNOWN,
}


@pytest.mark.parametrize("route", KNOWN)
def test_an_address_says_what_a_request_is_for(route):
    method, path = route.replace("{id}", "0b9c").split()
    path, _, query = path.partition("?")
    assert kind_of(method, path, query) is KNOWN[route]


def test_nobody_who_watches_over_the_process_is_ever_turned_away():
    assert kind_of("GET", "/healthz") is None
    assert kind_of("GET", "/readyz") is None


def test_every_route_is_known_to_the_door():
    assert http.DOMAINS
    app = build_app(Settings())
    unknown = [
        rule.rule
        for rule in app.url_map.iter_rules()
        if kind_of("GET", rule.rule.replace("<", "").replace(">", "")) is UNKNOWN
    ]
    assert set(unknown) <= {"/design", "/design/<screen>", "/lan", "/lan/giftpad-ca.crt"}


def test_every_switch_is_for_something_and_payments_have_none():
    assert {kind.feature for kind in KINDS} - {""} == set(FEATURES)
    assert PAY.feature == ""


def admitted_with(inside):
    """Return the kinds that find a place when so many are inside already."""
    found = set()
    for kind in KINDS:
        places = Places(at_once=inside + 2, waiting=16 - inside - 2)
        for _ in range(inside):
            assert places.enter(PAY, 0) is Entry.IN
        if places.enter(kind, 0) is Entry.IN:
            found.add(kind.name)
    return found


def test_what_matters_less_is_turned_away_first():
    held_out = {kind.name: None for kind in KINDS}
    before = {kind.name for kind in KINDS}
    assert admitted_with(0) == before
    for inside in range(14):
        now = admitted_with(inside)
        assert now <= before  # who was turned away once is not let in when there are more
        for name in before - now:
            held_out[name] = inside
        before = now
    order = sorted((n for n in held_out if held_out[n] is not None), key=held_out.get)
    assert order[:2] == ["imports", "exports"] or order[:2] == ["exports", "imports"]
    assert held_out["exports"] < held_out["dashboards"] < held_out["public"] < held_out["look-ups"]
    assert held_out["pay"] is None


def wait_for(places, inside):
    deadline = time.monotonic() + LONG_S
    while places.inside != inside:
        assert time.monotonic() < deadline
        time.sleep(0.001)  # another thread is on its way in


def test_those_who_wait_go_by_what_matters_most():
    places, order = Places(at_once=1, waiting=15), []
    assert places.enter(PAY, 0) is Entry.IN

    def wait(kind):
        assert places.enter(kind, LONG_S) is Entry.IN
        order.append(kind.name)
        places.leave(kind)

    with ThreadPoolExecutor(4) as pool:
        jobs = []
        for number, kind in enumerate((EXPORTS, DASHBOARDS, LOOK_UPS, PAY)):
            jobs.append(pool.submit(wait, kind))
            wait_for(places, number + 2)
        places.leave(PAY)
        for job in jobs:
            job.result(LONG_S)
    assert order == ["pay", "look-ups", "dashboards", "exports"]
    assert places.inside == 0


@pytest.mark.parametrize(("at_once", "slow"), [(2, 1), (4, 1), (12, 3)])
def test_slow_requests_leave_most_places_to_the_quick_ones(at_once, slow):
    places = Places(at_once=at_once, waiting=40)
    for _ in range(slow):
        assert places.enter(EXPORTS, 0) is Entry.IN
    assert places.enter(PUBLIC, 0.01) is Entry.TOO_LATE
    for _ in range(at_once - slow):
        assert places.enter(PAY, 0) is Entry.IN
    assert places.enter(PAY, 0.01) is Entry.TOO_LATE
    places.leave(EXPORTS)
    assert places.enter(PUBLIC, 0) is Entry.IN


def test_whoever_waits_for_a_slow_place_keeps_no_quick_one_from_its_own():
    places = Places(at_once=12, waiting=4)
    with ThreadPoolExecutor(SLOW_WAITING_MAX) as pool:
        for _ in range(3):
            assert places.enter(PUBLIC, 0) is Entry.IN
        waiting = [pool.submit(places.enter, PUBLIC, LONG_S) for _ in range(SLOW_WAITING_MAX)]
        wait_for(places, 3 + SLOW_WAITING_MAX)
        assert places.enter(PUBLIC, LONG_S) is Entry.FULL
        assert places.enter(DESK_ACTS, 0) is Entry.IN  # a coupon is stopped
        for _ in range(8):
            assert places.enter(LOOK_UPS, 0) is Entry.IN
        assert places.enter(LOOK_UPS, 0) is Entry.FULL
        assert places.enter(PAY, 0.01) is Entry.TOO_LATE  # all twelve are at work
        for _ in waiting:
            places.leave(PUBLIC)
        assert {each.result(LONG_S) for each in waiting} == {Entry.IN}


def test_no_slow_kind_stands_before_a_quick_one_in_the_same_row():
    slow = {kind.rank for kind in KINDS if kind.is_slow}
    assert not slow & {kind.rank for kind in KINDS if not kind.is_slow}


def test_when_everything_is_taken_payments_are_turned_away_at_once_too():
    places = Places(at_once=1, waiting=0)
    assert places.enter(PAY, 0) is Entry.IN
    began = time.perf_counter()
    assert places.enter(PAY, LONG_S) is Entry.FULL
    assert time.perf_counter() - began < 1
    places.leave(PAY)
    assert places.enter(PAY, LONG_S) is Entry.IN


def test_whoever_waited_too_long_holds_nothing():
    places = Places(at_once=1, waiting=3)
    assert places.enter(PAY, 0) is Entry.IN
    assert places.enter(PAY, 0.01) is Entry.TOO_LATE
    assert places.inside == 1
    places.leave(PAY)
    assert places.enter(PAY, 0) is Entry.IN
    places.leave(PAY)
    assert places.inside == 0


def test_answers_that_stream_are_few():
    places = Places(at_once=2, waiting=14)
    for _ in range(STREAMS_MAX):
        assert places.enter(EXPORTS, 0) is Entry.IN
        places.leave(EXPORTS, streams=True)
    assert places.inside == STREAMS_MAX
    assert places.enter(EXPORTS, 0) is Entry.FULL
    assert places.enter(PAY, 0) is Entry.IN
    places.end_stream(EXPORTS)
    assert places.enter(EXPORTS, 0) is Entry.IN


def test_no_place_is_lost_and_none_is_taken_twice():
    places, lock, peak = Places(at_once=3, waiting=9), threading.Lock(), [0, 0]
    seed = random.Random(7)
    work = [(seed.choice(KINDS), seed.choice((0, 0.0005, 1))) for _ in range(3000)]

    def ask(kind, patience_s):
        if places.enter(kind, patience_s) is not Entry.IN:
            return 0
        with lock:
            peak[0] += 1
            peak[1] = max(peak)
        time.sleep(0)  # another thread gets its chance here
        with lock:
            peak[0] -= 1
        places.leave(kind)
        return 1

    with ThreadPoolExecutor(24) as pool:
        served = sum(pool.map(lambda each: ask(*each), work))
    assert 0 < served <= len(work)
    assert peak[1] <= 3
    assert (places.inside, places._working, places._slow) == (0, 0, 0)
    assert all(not queue for queue in places._queues)
