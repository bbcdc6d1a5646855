"""On the day of a sale: fewer are let in and what is heavy is switched off, while shops go on."""

from __future__ import annotations

import json
import socket
import time
import uuid
from http.client import HTTPConnection

import pytest

from tests.flows.conftest import TENANT

PAGE = f"/t/{TENANT}/"
KNOWN_WITHIN_S = 20
TRIES = 24
READINGS_MAX = 4
PEOPLE = {"Accept": "text/html", "Accept-Language": "ja"}


def open_page(product, address="127.0.0.1", path=PAGE, headers=PEOPLE):
    """Open a page on a fresh connection from one of this machine's own addresses."""
    connection = HTTPConnection("127.0.0.1", product.port, timeout=20, source_address=(address, 0))
    try:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read().decode()
    finally:
        connection.close()


def addresses(count):
    return [f"127.0.{number // 200}.{1 + number % 200}" for number in range(count)]


def wait_until(product, statuses, path=PAGE):
    """Wait until every web process answers so: fresh connections fall to either of them."""
    deadline = time.monotonic() + KNOWN_WITHIN_S
    while True:
        seen = {open_page(product, each, path)[0] for each in addresses(TRIES)}
        if seen == statuses:
            return
        assert time.monotonic() < deadline, seen
        time.sleep(0.2)  # each process looks once a second


def pay(product, code):
    inside, _ = product.shops()
    till = product.caller("payments:accept", shop_id=inside)
    order = {"instrument": {"kind": "coupon", "code": code}, "amount_minor": 10}
    return till.call("POST", "/api/v1/payments", order, key=uuid.uuid4().hex)


@pytest.fixture
def open_again(product):
    yield
    product.must("admission", "set", "--share", "64/64", "--reason", "the test is over")
    for name in ("public-pages", "exports"):
        product.must("feature", "on", name, "--reason", "the test is over")
    wait_until(product, {200})


@pytest.mark.long
def test_fewer_are_let_in_while_it_runs_and_shops_notice_nothing(product, open_again):
    code = product.codes(product.batch(8))[0]
    wait_until(product, {200})
    said = product.must("admission", "set", "--share", "16/64", "--reason", "the sale begins")
    assert said == "16/64 groups are let in; it was 64/64\n"
    wait_until(product, {200, 503})
    many = addresses(200)
    first = {address: open_page(product, address)[0] for address in many}
    # One process may learn of the share a second later, and a window may end on the way: of the
    # readings in a row two are the same as soon as both processes say the same of every device.
    for _ in range(READINGS_MAX):
        again = {address: open_page(product, address)[0] for address in many}
        if first == again:
            break
        first = again
    else:
        pytest.fail("the processes do not agree")
    let_in = [address for address in many if first[address] == 200]
    assert len(many) / 8 < len(let_in) < len(many) / 2
    kept_out = next(address for address in many if first[address] == 503)
    _, headers, text = open_page(product, kept_out)
    assert "順番にご案内しています" in text
    assert 1 <= int(headers["Retry-After"]) <= 4 * 120 + 120
    assert headers["Set-Cookie"].startswith("gp_turn=")
    for _ in range(12):
        assert pay(product, code)[0] == 201
    shown = json.loads(product.must("admission", "show", "--json"))
    assert (shown["share"], shown["groups"]) == (16, 64)
    assert shown["reason"] == "the sale begins"


@pytest.mark.long
def test_what_is_heavy_is_switched_off_by_name_and_on_again(product, open_again):
    office = product.caller()
    batch = product.batch(8)
    path = f"/api/v1/coupon-batches/{batch['id']}/manifest.csv"
    assert office.call("GET", path)[0] == 200
    assert product.must("feature", "off", "exports", "--reason", "the sale begins")
    deadline = time.monotonic() + KNOWN_WITHIN_S
    while (answered := office.call("GET", path))[0] != 503:
        assert time.monotonic() < deadline
        time.sleep(0.1)  # each process looks once a second
    assert json.loads(answered[1])["code"] == "feature.off"
    assert office.call("GET", f"/api/v1/coupon-batches/{batch['id']}")[0] == 200
    assert "exports       off" in product.must("feature", "list")
    product.must("feature", "on", "exports", "--reason", "it is over")
    while office.call("GET", path)[0] != 200:
        assert time.monotonic() < deadline + KNOWN_WITHIN_S
        time.sleep(0.1)  # as above
    states = [json.loads(line) for line in product.must("feature", "list", "--json").splitlines()]
    assert {each["name"]: each["state"] for each in states}["exports"] == "on"
    product.must("audit", "verify")


def test_more_connections_than_places_are_all_answered(product):
    sockets = [socket.create_connection(("127.0.0.1", product.port)) for _ in range(300)]
    request = b"GET " + PAGE.encode() + b" HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\n\r\n"
    try:
        for each in sockets:
            each.sendall(request)
        for each in sockets:
            each.settimeout(60)
            assert each.recv(12) in (b"HTTP/1.1 200", b"HTTP/1.1 503")
    finally:
        for each in sockets:
            each.close()
