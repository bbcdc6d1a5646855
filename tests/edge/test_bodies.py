"""Bodies: how much is read for whom before anybody is known, and how much of it is held at once."""

from __future__ import annotations

import io
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from werkzeug.test import create_environ, run_wsgi_app

from giftpad.edge import bodies, list_doors
from giftpad.edge.access import BODY_MAX

LONG_S = 30
LARGE = 2 * 1024 * 1024
COOKIE = {"HTTP_COOKIE": "a=b; gp_session=x"}
TOKEN = {"HTTP_AUTHORIZATION": "Bearer x"}


class Slow(io.RawIOBase):
    """A body that comes when it is let."""

    asked = 0
    go_on = threading.Event()

    def read(self, size: int = -1) -> bytes:
        Slow.asked += 1
        assert Slow.go_on.wait(LONG_S)
        return b"x" * size


@pytest.fixture
def slow():
    """Bodies of which nobody has sent the end yet."""
    Slow.asked = 0
    Slow.go_on.clear()
    yield Slow
    Slow.go_on.set()


def environ_of(method, path, length, **more):
    return {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "CONTENT_LENGTH": str(length),
        "REMOTE_ADDR": "203.0.113.7",
        "wsgi.url_scheme": "http",
        "wsgi.input": Slow(),
    } | more


@pytest.mark.parametrize(
    ("method", "path", "more", "length"),
    [
        ("POST", "/xximport", {}, LARGE),
        ("POST", "/xximport", TOKEN | COOKIE, LARGE),
        ("POST", "/api/v1/shop-imports", COOKIE, LARGE),
        ("POST", "/api/v1/shop-imports/x/take", TOKEN, LARGE),
        ("GET", "/api/v1/shop-imports", TOKEN, LARGE),
        ("POST", "/desk/shops/imports", TOKEN, LARGE),
        ("POST", "/desk/shops/imports", {}, LARGE),
        ("POST", "/desk/shops/imports/x/take", COOKIE, LARGE),
        ("POST", "/oauth/token", {}, 16 * 1024 + 1),
    ],
)
def test_nothing_large_is_read_from_whom_nobody_expects_it_of(slow, method, path, more, length):
    slow.go_on.set()
    assert bodies.take_body(environ_of(method, path, length, **more)) is not False
    assert slow.asked == 0


@pytest.mark.parametrize(
    ("path", "more"),
    [
        ("/api/v1/shop-imports", TOKEN),
        ("/desk/shops/imports", COOKIE),
        ("/desk/shops/imports", {"HTTP_COOKIE": "__Host-gp_session=x"}),
    ],
)
def test_a_file_of_shops_is_read_whole(slow, path, more):
    slow.go_on.set()
    environ = environ_of("POST", path, LARGE, **more)
    bodies.take_body(environ)
    assert len(environ["wsgi.input"].read()) == LARGE


def test_each_body_that_a_route_takes_is_read_before_it(app, slow):
    slow.go_on.set()
    unusual = [each for each in list_doors(app) if each[2].body_max != BODY_MAX]
    assert {each[0].rule for each in unusual} >= {
        "/oauth/token",
        "/userinfo",
        "/api/v1/shop-imports",
    }
    for rule, method, door in unusual:
        environ = environ_of(method, rule.rule, door.body_max, **TOKEN, **COOKIE)
        bodies.take_body(environ)
        assert isinstance(environ["wsgi.input"], io.BytesIO), rule.rule


def answer(door, environ):
    said = []
    answered = door(environ, lambda status, headers, _=None: said.append((status, dict(headers))))
    return said[0][0], b"".join(answered)


def wait_until(happened):
    deadline = time.monotonic() + LONG_S
    while not happened():
        assert time.monotonic() < deadline


def test_only_so_much_is_held_of_bodies_that_are_not_whole(slow):
    room, waits = (
        bodies.Room(4 * BODY_MAX),
        bodies.Waits(most=99, strangers=99, of_known=99, of_stranger=99),
    )

    def sign_in():
        return bodies.take_body(environ_of("POST", "/sign-in", BODY_MAX), room, waits)

    with ThreadPoolExecutor(4) as pool:
        held = [pool.submit(sign_in) for _ in range(4)]
        wait_until(lambda: slow.asked == 4)
        assert not sign_in()
        assert slow.asked == 4
        small = environ_of("POST", "/sign-in", 4) | {"wsgi.input": Sent(b"1234")}
        assert bodies.take_body(small, room, waits)
        slow.go_on.set()
        assert all(each.result(LONG_S) for each in held)
    assert sign_in()
    assert (room.held, waits.count) == (0, 0)


def test_one_address_is_waited_for_a_few_times_and_the_others_go_on(app, slow, monkeypatch):
    door = app.extensions["giftpad_door"]

    def inner(environ, start_response):
        start_response("200 OK", [("Content-Length", "4")])
        return [b"done"]

    monkeypatch.setattr(door, "inner", inner)
    with ThreadPoolExecutor(bodies.OF_ONE_STRANGER_MAX) as pool:
        held = [
            pool.submit(answer, door, environ_of("POST", "/sign-in", 400))
            for _ in range(bodies.OF_ONE_STRANGER_MAX)
        ]
        wait_until(lambda: slow.asked == bodies.OF_ONE_STRANGER_MAX)
        status, body = answer(door, environ_of("POST", "/sign-in", 400))
        assert (status[:3], json.loads(body)["code"]) == ("503", "overload.busy")
        assert slow.asked == bodies.OF_ONE_STRANGER_MAX
        other = environ_of("POST", "/sign-in", 4, REMOTE_ADDR="203.0.113.8")
        assert answer(door, other | {"wsgi.input": Sent(b"1234")})[0] == "200 OK"
        slow.go_on.set()
        assert {each.result(LONG_S)[0] for each in held} == {"200 OK"}
    assert bodies.WAITS.count == 0


def taker(waits):
    """Return what sends four bytes to an address and says whether they were waited for."""

    def take(path, **more):
        return bodies.take_body(environ_of("POST", path, 4, **more), waits=waits)

    return take


def test_strangers_leave_room_for_those_who_are_known(app, machine, slow):
    waits = bodies.Waits(most=9, strangers=2, of_known=4, of_stranger=9)
    good = {"HTTP_AUTHORIZATION": f"Bearer {machine.token()}"}
    take = taker(waits)

    with ThreadPoolExecutor(4) as pool:
        held = [pool.submit(take, "/sign-in") for _ in range(2)]
        wait_until(lambda: slow.asked == 2)
        assert not take("/sign-in")
        assert not take("/shop/pay", **COOKIE)  # a session that somebody made up
        assert not take("/api/v1/payments", **TOKEN)
        held += [pool.submit(take, "/api/v1/payments", **good) for _ in range(2)]
        wait_until(lambda: slow.asked == 4)
        assert not take("/api/v1/payments", **good)  # too many of one address
        slow.go_on.set()
        assert all(each.result(LONG_S) for each in held)
    assert waits.count == 0


def test_those_who_are_known_leave_room_for_strangers(app, machine, slow):
    waits = bodies.Waits(most=9, strangers=3, of_known=8, of_stranger=8)
    good = {"HTTP_AUTHORIZATION": f"Bearer {machine.token()}"}
    take = taker(waits)

    with ThreadPoolExecutor(8) as pool:
        held = [pool.submit(take, "/api/v1/payments", **good) for _ in range(6)]
        wait_until(lambda: slow.asked == 6)
        held.append(pool.submit(take, "/sign-in", REMOTE_ADDR="203.0.113.8"))
        wait_until(lambda: slow.asked == 7)
        slow.go_on.set()
        assert all(each.result(LONG_S) for each in held)
    assert waits.count == 0


class Sent(io.RawIOBase):
    """A body that has come."""

    def __init__(self, came: bytes) -> None:
        self.came = came

    def read(self, size: int = -1) -> bytes:
        return self.came[:size]


def test_what_cannot_be_read_leaves_no_room_taken():
    class Broken(io.RawIOBase):
        def read(self, _: int = -1) -> bytes:
            raise ConnectionError

    environ = environ_of("POST", "/sign-in", BODY_MAX) | {"wsgi.input": Broken()}
    with pytest.raises(ConnectionError):
        bodies.take_body(environ)
    assert bodies.ROOM.held == 0


@pytest.mark.parametrize("path", ["/probe/body", "/api/v1/payments"])
@pytest.mark.parametrize("digits", [13, 5000])
def test_a_length_of_many_digits_is_too_much(app, machine, path, digits):
    environ = create_environ(path, method="POST", content_type="application/json")
    environ |= {
        "CONTENT_LENGTH": "9" * digits,
        "wsgi.input": Sent(b"{}"),
        "HTTP_AUTHORIZATION": f"Bearer {machine.token()}",
    }
    _, status, _ = run_wsgi_app(app, environ)
    assert status.startswith("413 ")


def test_a_body_of_unsaid_length_is_refused_unread(app, slow):
    environ = create_environ("/probe/body", method="POST", content_type="application/json")
    environ.pop("CONTENT_LENGTH", None)
    environ |= {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True}
    _, status, _ = run_wsgi_app(app, environ | {"wsgi.input": Slow()})
    assert status.startswith("411 ")
    assert slow.asked == 0
