"""The lane and Flask answer a hot route with the same status, headers and bytes."""

from __future__ import annotations

import errno
import io
import json
import sys
from dataclasses import replace

import pytest
from flask import Flask

from giftpad import identity
from giftpad.kernel.ids import new_id
from giftpad.kernel.log import configure_logging
from tests.make_callers import Caller

PAY, LOOK_UP = "/api/v1/payments", "/api/v1/instruments/lookup"
HOT = (PAY, LOOK_UP)


def environ_of(path, body, token, **headers):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": path,
        "SCRIPT_NAME": "",
        "QUERY_STRING": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "localhost",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(data),
        "CONTENT_LENGTH": str(len(data)),
        "CONTENT_TYPE": "application/json",
        "HTTP_AUTHORIZATION": f"Bearer {token}",
        "HTTP_X_REQUEST_ID": "the-same-for-both",
    } | headers


def ask(served, environ):
    """Return status, headers and body of one answer."""
    begun = []

    def start(status, headers, _exc_info=None):
        begun.append((status, headers))

    answer = served(environ, start)
    body = b"".join(answer)
    getattr(answer, "close", lambda: None)()
    [(status, headers)] = begun
    return status, dict(headers), body


def by_lane(app, *call, **headers):
    return ask(app.wsgi_app, environ_of(*call, **headers))


def by_flask(app, *call, **headers):
    return ask(lambda *wsgi: Flask.wsgi_app(app, *wsgi), environ_of(*call, **headers))


@pytest.fixture
def entries(app, monkeypatch):
    """What entered Flask, by path."""
    seen = []
    enter = app.request_context

    def note(environ):
        seen.append(environ["PATH_INFO"])
        return enter(environ)

    monkeypatch.setattr(app, "request_context", note)
    return seen


def order(town, **changes):
    instrument = {"kind": "coupon", "code": changes.pop("code", town.coupons[0].qr)}
    return {"instrument": instrument} | changes


def test_what_goes_well_is_answered_without_flask_and_just_as_flask_would(app, town, till, entries):
    looked = by_lane(app, LOOK_UP, order(town), till.token)
    key = {"HTTP_IDEMPOTENCY_KEY": new_id().hex}
    paid = by_lane(app, PAY, order(town, amount_minor=300), till.token, **key)
    assert (looked[0], paid[0]) == ("200 OK", "201 CREATED")
    assert json.loads(paid[2])["balance_minor"] == 700
    assert entries == []
    again = by_flask(app, PAY, order(town, amount_minor=300), till.token, **key)
    assert again == paid
    assert by_flask(app, LOOK_UP, order(town), till.token)[1].keys() == looked[1].keys()
    before, after = (by(app, LOOK_UP, order(town), till.token) for by in (by_lane, by_flask))
    assert before == after
    assert json.loads(before[2])["balance_minor"] == 700
    assert entries == [PAY, LOOK_UP, LOOK_UP]


REFUSED = {
    "a code that opens nothing": ({"code": "AAAA-AAAA-AAAA-AAAA"}, {}),
    "over the ceiling": ({"amount_minor": 901}, {}),
    "no amount": ({"amount_minor": 0}, {}),
    "a field too many": ({"x": 1}, {}),
    "another shop": ({"shop_id": str(new_id())}, {}),
    "no token": ({}, {"HTTP_AUTHORIZATION": ""}),
    "a token that is none": ({}, {"HTTP_AUTHORIZATION": "Bearer x.y.z"}),
    "a key that cannot be one": ({}, {"HTTP_IDEMPOTENCY_KEY": "a key"}),
    "no key": ({}, {"HTTP_IDEMPOTENCY_KEY": None}),
    "another type": ({}, {"CONTENT_TYPE": "text/plain"}),
    "too long": ({}, {"CONTENT_LENGTH": str(2**30)}),
    "in Japanese": ({"amount_minor": 901}, {"HTTP_ACCEPT_LANGUAGE": "ja"}),
}


@pytest.mark.parametrize("path", HOT)
def test_a_refusal_is_the_same_either_way(app, town, till, path):
    for what, (changes, headers) in REFUSED.items():
        body = order(town, **({"amount_minor": 1} | changes if path == PAY else changes))
        given = {"HTTP_IDEMPOTENCY_KEY": new_id().hex} | headers
        environ = {name: value for name, value in given.items() if value is not None}
        answers = [by(app, path, body, till.token, **environ) for by in (by_lane, by_flask)]
        assert answers[0] == answers[1], what
        is_fine = path == LOOK_UP and what == "no key"
        assert (answers[0][0] == "200 OK") is is_fine, what


@pytest.mark.parametrize("path", HOT)
def test_a_body_that_cannot_be_read_is_told_the_same_either_way(app, till, path):
    for body in (b"{", b"[]", b"", b'{"a": "\\u0000"}', b"\xff\xfe", b"null"):
        key = {"HTTP_IDEMPOTENCY_KEY": new_id().hex}
        answers = [by(app, path, body, till.token, **key) for by in (by_lane, by_flask)]
        assert answers[0] == answers[1]
        assert answers[0][0][:3] in ("400", "422")


@pytest.mark.parametrize("path", HOT)
def test_whoever_may_not_or_is_too_fast_is_told_the_same_either_way(app, town, path):
    reader = Caller(app, town.scope, "payments:read")
    answers = [by(app, path, order(town), reader.token) for by in (by_lane, by_flask)]
    assert answers[0] == answers[1]
    assert answers[0][0][:3] == "403"
    for by in (by_lane, by_flask):
        slow = identity.Limits(rate_s=1, burst=1)
        hasty = Caller(app, town.scope, "payments:accept", shop_id=town.shop_id, limits=slow)
        by(app, path, order(town), hasty.token)
        status, headers, _ = by(app, path, order(town), hasty.token)
        assert (status[:3], headers["X-RateLimit-Limit"]) == ("429", "1")


def test_a_fault_of_ours_is_told_and_logged_and_moves_nothing(app, town, till, monkeypatch):
    from giftpad import payments

    def broken(*_):
        raise ZeroDivisionError

    monkeypatch.setattr(payments, "look_up", broken)
    answers = [by(app, LOOK_UP, order(town), till.token) for by in (by_lane, by_flask)]
    assert answers[0] == answers[1]
    assert json.loads(answers[0][2])["code"] == "internal.unexpected"


def test_whatever_is_odd_goes_to_flask(app, town, till, entries):
    odd = (
        {"QUERY_STRING": "x=1"},
        {"CONTENT_TYPE": "application/merge-patch+json"},
        {"CONTENT_LENGTH": ""},
        {"REQUEST_METHOD": "GET"},
        {"PATH_INFO": LOOK_UP + "/"},
        {"HTTP_TRANSFER_ENCODING": "chunked"},
    )
    for headers in odd:
        by_lane(app, LOOK_UP, order(town), till.token, **headers)
    assert len(entries) == len(odd)


class FullDisk(io.StringIO):
    """Where nothing more can be written."""

    def write(self, _text, /):
        raise OSError(errno.ENOSPC, "No space left on device")


@pytest.fixture(params=["json", "console"])
def logging(settings, request):
    """Every line is written, in this form."""
    configure_logging(replace(settings, log_level="INFO", log_format=request.param))
    yield
    configure_logging(settings)


@pytest.mark.usefixtures("logging")
def test_a_payment_is_answered_though_its_line_cannot_be_written(town, till, monkeypatch):
    monkeypatch.setattr(sys, "stderr", FullDisk())
    order = {"instrument": {"kind": "coupon", "code": town.coupons[0].qr}, "amount_minor": 1}
    paid = till.post("/api/v1/payments", order, key="once")
    assert (paid.status_code, paid.json["balance_minor"]) == (201, 999)
    refused = till.post("/api/v1/payments", order | {"amount_minor": 901}, key="twice")
    assert refused.json["code"] == "payment.over_ceiling"
