"""Whatever comes over the wire, and however slowly: the next payment is answered at once.

Against the real server, as `giftpad up` starts it, over a socket.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.flows.conftest import EVERYTHING
from tests.hostile import wire

AT_ONCE_S = 5.0
"""On a machine busy with other tests; on a calm one a payment takes some milliseconds."""
MANY = 300
ELSEWHERE = "127.0.0.2"
ADDRESSES = [f"127.0.1.{number}" for number in range(1, 61)]


class Till:
    """A clerk who pays one yen after whatever somebody else did."""

    def __init__(self, product):
        self.product, self.port = product, product.port
        self.codes = itertools.cycle(product.codes(product.batch(8, face_value_minor=10_000)))
        self.caller = product.caller("payments:accept", shop_id=product.shops()[0], rate=10_000)

    def pays_at_once(self):
        """Pay; whoever is told that too much is going on tries again with the same key."""
        order = {"instrument": {"kind": "coupon", "code": next(self.codes)}, "amount_minor": 1}
        began, key, status = time.monotonic(), uuid.uuid4().hex, 503
        while status == 503:
            status, body = self.caller.call("POST", "/api/v1/payments", order, key=key)
            assert time.monotonic() - began < AT_ONCE_S, (status, body)
        assert status == 201, body
        return json.loads(body)

    def balance(self, code):
        """Return what is on a coupon."""
        asked = {"instrument": {"kind": "coupon", "code": code.decode()}}
        status, body = self.caller.call("POST", "/api/v1/instruments/lookup", asked)
        assert status == 200, body
        return json.loads(body)["balance_minor"]


@pytest.fixture(scope="module")
def till(product):
    return Till(product)


@pytest.mark.parametrize("kind", ["smuggling", "chunks", "heads", "lines"])
def test_no_request_that_is_none_is_more_than_refused(till, kind):
    faults = []
    for what, answer in attack(till, dict(getattr(wire, kind)())):
        found = wire.statuses(answer)
        if any(status >= 500 for status in found):
            faults.append((what, found))
        if b"smuggled-inside" in answer or (kind == "smuggling" and len(found) > 1):
            faults.append((what, "a second request was read out of the first", found))
        if b"X: y\r\n" in answer or b"elsewhere.example" in answer:
            faults.append((what, "what was sent came back as ours", answer[:200]))
    assert faults == []


def attack(till, requests):
    """Send all of it, while a clerk pays; return what was answered to each."""
    with ThreadPoolExecutor(max_workers=24) as pool:
        asked = [pool.submit(wire.ask, till.port, data) for data in requests.values()]
        while not all(each.done() for each in asked):
            till.pays_at_once()
        till.pays_at_once()
        return zip(requests, [each.result() for each in asked], strict=True)


def test_requests_in_one_go_are_answered_one_by_one_in_order(till):
    asked = [wire.get(b"Host: x", b"X-Request-Id: in-order-%03d" % n) for n in range(50)]
    asked[-1] = asked[-1].replace(b"Host: x", b"Host: x\r\nConnection: close")
    answer = wire.ask(till.port, b"".join(asked))
    assert wire.statuses(answer) == [200] * 50
    places = [answer.index(b"in-order-%03d" % n) for n in range(50)]
    assert places == sorted(places)
    answer = wire.ask(till.port, asked[0] + b"\0\0 none\r\n\r\n" + asked[1])
    assert wire.statuses(answer)[0] == 200
    assert b"in-order-001" not in answer
    till.pays_at_once()


def test_a_body_that_was_cut_is_not_taken_for_whole(till):
    code = next(till.codes).encode()
    before = till.balance(code)
    for content in (b"application/json", b"application/x-www-form-urlencoded"):
        body = b'{"instrument": {"kind": "coupon", "code": "%s"}, "amount_minor": 1}' % code
        answer = wire.cut(
            till.port,
            wire.post(
                b"Content-Type: " + content,
                b"Authorization: Bearer " + till.caller.token.encode(),
                b"Idempotency-Key: " + uuid.uuid4().hex.encode(),
                b"Content-Length: %d" % (len(body) + 3),
                body=body,
                path=b"/api/v1/payments",
            ),
        )
        assert wire.statuses(answer) in ([], [400])
    till.pays_at_once()
    assert till.balance(code) == before
    form = b"email=a@b.example&password=correct+horse+battery"
    answer = wire.cut(
        till.port,
        b"POST /sign-in HTTP/1.1\r\nHost: localhost\r\nContent-Length: 400\r\n"
        b"Content-Type: application/x-www-form-urlencoded\r\n\r\n" + form,
    )
    assert wire.statuses(answer) in ([], [400])


SLOW = {
    "nothing": b"",
    "half a head": wire.half_heads(),
    "an idle connection": wire.get(b"Host: x"),
    "half a body for a token": wire.half_body(b"/oauth/token"),
    "half a body of nobody": wire.half_body(b"/api/v1/payments"),
    "half a body in chunks": wire.post(b"Transfer-Encoding: chunked", body=b'5\r\n{"x'),
    "half a form": (
        b"POST /sign-in HTTP/1.1\r\nHost: localhost\r\nContent-Length: 400\r\n"
        b"Content-Type: application/x-www-form-urlencoded\r\n\r\nemail="
    ),
}


@pytest.mark.parametrize("what", [*SLOW, "half a payment"])
def test_nobody_who_is_slow_holds_up_a_payment(till, what):
    token = b"Authorization: Bearer " + till.caller.token.encode()
    half = wire.half_body(b"/api/v1/payments", token, b"Idempotency-Key: slow")
    with contextlib.ExitStack() as stack:
        for _ in range(MANY):
            opened = wire.open_socket(till.port, source=ELSEWHERE)
            stack.enter_context(contextlib.closing(opened)).sendall(SLOW.get(what, half))
        for _ in range(5):
            till.pays_at_once()
    till.pays_at_once()


@pytest.mark.parametrize("what", ["half a body for a token", "half a form"])
def test_no_crowd_of_strangers_who_are_slow_holds_up_a_payment(till, what):
    with contextlib.ExitStack() as stack:
        for number in range(MANY):
            opened = wire.open_socket(till.port, source=ADDRESSES[number % len(ADDRESSES)])
            stack.enter_context(contextlib.closing(opened)).sendall(SLOW[what])
        for _ in range(5):
            till.pays_at_once()
    till.pays_at_once()


@pytest.mark.long
def test_nobody_who_reads_slowly_holds_up_a_payment(till):
    office = till.product.caller(*EVERYTHING)
    batch = till.product.batch(8)
    token = b"Authorization: Bearer " + office.token.encode()
    paths = [b"/api/v1/openapi.json", b"/api/v1/coupon-batches/%s/pdf" % batch["id"].encode()]
    with contextlib.ExitStack() as stack:
        for number in range(100):
            opened = wire.open_socket(till.port, receive_buffer=2048)
            stack.enter_context(contextlib.closing(opened))
            opened.sendall(wire.get(b"Host: x", token, path=paths[number % 10 == 0]) * 10)
        for _ in range(5):
            till.pays_at_once()
    till.pays_at_once()


@pytest.mark.long
def test_a_head_that_does_not_end_is_hung_up_on(till):
    with contextlib.closing(wire.open_socket(till.port)) as opened:
        opened.settimeout(20)
        opened.sendall(wire.half_heads())
        began = time.monotonic()
        answer = b""
        with contextlib.suppress(ConnectionError):
            while part := opened.recv(65536):
                answer += part
        assert time.monotonic() - began < 15
        assert wire.statuses(answer) in ([], [408])


def test_a_head_that_is_too_long_is_refused_and_a_large_file_is_taken(till):
    own = (b"Host: localhost", b"Connection: close")
    assert wire.statuses(wire.ask(till.port, wire.get(*own, b"X: " + b"y" * 10_000))) == [200]
    for length in (20_000, 390_000):
        answer = wire.ask(till.port, wire.get(*own, b"Accept-Language: " + b"x," * (length // 2)))
        assert wire.statuses(answer) in ([], [431])
    office = till.product.caller("shops:write")
    body = b"y" * 3_000_000
    data = wire.post(
        b"Authorization: Bearer " + office.token.encode(),
        b"Idempotency-Key: " + uuid.uuid4().hex.encode(),
        b"Content-Length: %d" % len(body),
        b"Connection: close",
        body=body,
        path=b"/api/v1/shop-imports",
    ).replace(b"Content-Type: application/json", b"Content-Type: text/csv", 1)
    (status,) = wire.statuses(wire.ask(till.port, data, wait_s=20))
    assert status == 202
    till.pays_at_once()


def test_a_large_body_of_nobody_is_not_waited_for(till):
    head = b"POST /xximport HTTP/1.1\r\nHost: localhost\r\nContent-Length: 30000000\r\n\r\n"
    for _ in range(20):
        assert wire.statuses(wire.ask(till.port, head + b"x" * 1000, wait_s=0.5)) == [404]
    till.pays_at_once()


TRICKS = {
    "method override": [("X-HTTP-Method-Override", "DELETE"), ("X-Method-Override", "PUT")],
    "another host": [("X-Forwarded-Host", "elsewhere.example"), ("Forwarded", "host=elsewhere")],
    "another address": [("X-Forwarded-For", "127.0.0.1"), ("X-Real-Ip", "10.0.0.1")],
    "another scheme": [("X-Forwarded-Proto", "https"), ("Front-End-Https", "on")],
    "another path": [("X-Original-Url", "/desk"), ("X-Rewrite-Url", "/desk")],
    "another tenant": [("X-Tenant-Id", "x"), ("X-Org-Id", "x"), ("X-Giftpad-Tenant", "x")],
    "two tokens": [("Authorization", "Bearer x"), ("Authorization", "Bearer y")],
    "two cookies": [("Cookie", "gp_session=a"), ("Cookie", "gp_session=b")],
    "an internal header": [("Giftpad.body-Fault", "x"), ("Wsgi.input", "x"), ("Remote-User", "x")],
}


@pytest.mark.parametrize("trick", TRICKS)
def test_no_header_says_who_or_where_one_is(till, trick):
    more = [f"{name}: {value}".encode() for name, value in TRICKS[trick]]
    answers = {}
    for path in (b"/sign-in", b"/desk", b"/api/v1/shops", b"/api/v1/openapi.json"):
        own = (b"Host: localhost", b"Connection: close")
        plain = wire.ask(till.port, wire.get(*own, path=path))
        tricked = wire.ask(till.port, wire.get(*own, *more, path=path))
        answers[path] = (wire.statuses(plain), wire.statuses(tricked))
        assert b"elsewhere" not in tricked
        assert b"Secure" not in tricked
        place = [line for line in tricked.splitlines() if line.lower().startswith(b"location:")]
        assert place in ([], [b"location: /sign-in?next=/desk"], [b"location: /sign-in"]), place
    assert [path for path, (one, two) in answers.items() if one != two] == []
    till.pays_at_once()


@pytest.mark.parametrize("what", wire.ODD_PAYMENTS)
def test_no_charset_and_no_encoding_makes_a_payment_of_something_else(till, what):
    kind, body = wire.ODD_PAYMENTS[what]
    data = wire.post(
        b"Content-Encoding: gzip" if what == "gzip" else b"Accept: */*",
        b"Authorization: Bearer " + till.caller.token.encode(),
        b"Idempotency-Key: " + uuid.uuid4().hex.encode(),
        b"Content-Length: %d" % len(body),
        b"Connection: close",
        body=body,
        path=b"/api/v1/payments",
    ).replace(b"Content-Type: application/json", b"Content-Type: " + kind, 1)
    (status,) = wire.statuses(wire.ask(till.port, data))
    assert status in (400, 415, 422)
    till.pays_at_once()
