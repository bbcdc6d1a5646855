"""The door: turned away early, told why, whether money moved and when to come back."""

from __future__ import annotations

import json
import re
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from giftpad import guard
from giftpad.edge import overload
from giftpad.edge.kinds import EXPORTS, PAY
from giftpad.edge.overload import Door
from giftpad.edge.places import Entry, Places
from giftpad.guard.queries import _Held

LONG_S = 30
PAGE = "text/html,application/xhtml+xml"
IN_WORDS = {
    "en": {
        "overload.busy": "Too much is going on right now",
        "overload.too_late": "was over before it could be begun",
        "feature.off": "switched off for a while",
        "admission.not_your_turn": "Your turn begins at",
    },
    "ja": {
        "overload.busy": "いま混み合っているため",
        "overload.too_late": "示された時間のうちに始められませんでした",
        "feature.off": "しばらくのあいだ止めています",
        "admission.not_your_turn": "順番にご案内しています",
    },
}


class Stub:
    """An application that answers when it is let, and counts how often it was asked."""

    def __init__(self):
        self.asked = 0
        self.go_on = threading.Event()
        self.go_on.set()

    def __call__(self, environ, start_response):
        assert environ["PATH_INFO"]
        self.asked += 1
        assert self.go_on.wait(LONG_S)
        start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "4")])
        return iter([b"do", b"ne"])


@pytest.fixture
def door(app) -> Door:
    """The door of an application with two places at work, and a stub behind it."""
    found = app.extensions["giftpad_door"]
    kept = dict(vars(found))
    found.turned_away = {}
    found.places = Places(at_once=2, waiting=6)
    found.inner = Stub()
    yield found
    vars(found).update(kept)
    guard.forget_switches()


def ask(door, method="POST", path="/api/v1/payments", **headers):
    """Ask the door as a server does; return status, headers and body."""
    environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "REMOTE_ADDR": headers.pop("remote", "203.0.113.7"),
        "wsgi.url_scheme": "http",
        "QUERY_STRING": headers.pop("query", ""),
    }
    environ |= {f"HTTP_{name.upper()}": value for name, value in headers.items()}
    said = []

    def start_response(status, headers, exc_info=None):
        said.append((int(status.split()[0]), dict(headers)))

    answer = door(environ, start_response)
    body = b"".join(answer)
    if hasattr(answer, "close"):
        answer.close()
    return *said[0], body


def fill(door):
    """Take every place."""
    for _ in range(door.places.most):
        door.places._inside += 1


def switch(share=guard.GROUPS, off=()):
    """Let this process believe that so it was switched."""
    _Held.switches = guard.Switches(share=share, off=frozenset(off))


def test_what_is_let_in_is_answered_and_leaves_its_place(door):
    for _ in range(20):
        status, _, body = ask(door)
        assert (status, body) == (200, b"done")
    assert door.places.inside == 0


def test_what_is_turned_away_reaches_nothing_behind_the_door(door):
    fill(door)
    status, headers, body = ask(door, x_request_id="a-request-of-mine")
    assert status == 503
    assert door.inner.asked == 0
    assert int(headers["Retry-After"]) >= 1
    assert headers["X-Request-Id"] == "a-request-of-mine"
    assert headers["Content-Length"] == str(len(body))
    problem = json.loads(body)
    assert problem["code"] == "overload.busy"
    assert problem["money_moved"] is False
    assert problem["status"] == 503
    assert str(problem["retry_after_s"]) == headers["Retry-After"]


@pytest.mark.parametrize("given", ["short", "with space!", "x" * 65, "é" * 10])
def test_a_request_id_is_given_back_only_if_it_is_one(door, given):
    fill(door)
    assert "X-Request-Id" not in ask(door, x_request_id=given)[1]


def not_due(secret):
    """Return an address whose turn is neither in this window nor in the next."""
    now = guard.window_at(time.time())
    addresses = (f"198.51.100.{number}" for number in range(256))
    groups = ((address, guard.place_of(secret, address).group) for address in addresses)
    return next(a for a, group in groups if guard.windows_until_open(group, now, 1) > 1)


def refuse(door, code, **headers):
    """Have a request for a holder's page turned away for a reason."""
    path = "/t/midori-city/"
    if code == "feature.off":
        switch(off=["public-pages"])
    elif code == "admission.not_your_turn":
        switch(share=1)
        door._secret = b"s" * 32
        headers["remote"] = not_due(door._secret)
    elif code == "overload.too_late":
        door.places.enter(PAY, 0)
        door.places.enter(PAY, 0)
        headers["x_deadline_ms"] = "1"
    else:
        fill(door)
    return ask(door, "GET", path, **headers)


@pytest.mark.parametrize("locale", ["en", "ja"])
@pytest.mark.parametrize("code", IN_WORDS["en"])
def test_a_machine_is_told_why_and_when_in_its_language(door, code, locale):
    status, headers, body = refuse(door, code, accept_language=locale)
    problem = json.loads(body)
    assert (status, problem["code"]) == (503, code)
    assert headers["Content-Type"] == "application/problem+json"
    assert headers["Content-Language"] == locale
    assert IN_WORDS[locale][code] in problem["detail"]
    assert "{" not in problem["detail"]
    assert problem["money_moved"] is False
    assert int(headers["Retry-After"]) >= 1
    assert door.inner.asked == 0


@pytest.mark.parametrize("code", IN_WORDS["en"])
def test_turning_away_costs_far_less_than_an_answer_of_the_application(door, code):
    refuse(door, code)
    best = float("inf")
    for _ in range(200):
        began = time.perf_counter()
        if code == "overload.too_late":
            door.answers.get(guard.TooLate, overload.reader_of(ENVIRON), 1)
        else:
            ask(door, "GET", "/t/midori-city/", remote="198.51.100.1")
        best = min(best, time.perf_counter() - began)
    assert best < 0.002


ENVIRON = {"REQUEST_METHOD": "GET", "PATH_INFO": "/t/midori-city/"}


def test_a_turn_is_told_to_the_minute_and_kept(door):
    _, headers, body = refuse(door, "admission.not_your_turn", accept_language="en")
    problem = json.loads(body)
    assert re.search(r"Your turn begins at \d\d:\d\d\.", problem["detail"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+09:00", problem["turn_at"])
    assert 1 <= int(headers["Retry-After"]) <= guard.WINDOW_S * (guard.GROUPS + 1)
    assert headers["Set-Cookie"].startswith("gp_turn=")


def test_who_has_a_ticket_whose_hour_has_come_is_let_in(door):
    switch(share=1)
    door._secret = b"s" * 32
    ticket = overload.turns.Ticket(b"12345678", int(time.time()) - 5)
    cookie = f"gp_turn={ticket.write(door._secret)}"
    status, headers, _ = ask(door, "GET", "/balance", cookie=cookie)
    assert status == 200
    assert "Set-Cookie" not in headers


def test_payments_know_no_turns(door):
    switch(share=1)
    door._secret = b"s" * 32
    for number in range(100):
        assert ask(door, remote=f"198.51.100.{number}")[0] == 200
        assert ask(door, "GET", "/shop", remote=f"198.51.100.{number}")[0] == 200


def test_what_is_switched_off_is_off_and_nothing_else(door):
    switch(off=["exports"])
    assert ask(door, "GET", "/desk/payments/all.csv")[0] == 503
    assert ask(door, "GET", "/desk/payments")[0] == 200
    assert ask(door)[0] == 200
    switch(off=set(guard.FEATURES))
    assert ask(door)[0] == 200
    assert ask(door, "GET", "/shop")[0] == 200
    assert ask(door, "GET", "/t/midori-city/")[0] == 503
    switch()
    assert ask(door, "GET", "/t/midori-city/")[0] == 200


@pytest.mark.parametrize(
    ("locale", "words"), [("ja", "10秒後にもう一度お試しください。"), ("en", "Try again in 10")]
)
def test_a_person_gets_a_page_in_their_language(door, locale, words):
    fill(door)
    status, headers, body = ask(door, "GET", "/t/midori-city/", accept=PAGE, accept_language=locale)
    text = body.decode()
    assert status == 503
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert f'<html lang="{locale}"' in text
    assert "<h1" in text
    assert words in text
    assert "<form" not in text  # it would be somebody else's
    assert "Set-Cookie" not in headers


def test_a_person_is_told_the_hour_on_the_page(door):
    _, headers, body = refuse(door, "admission.not_your_turn", accept=PAGE, accept_language="en")
    text = body.decode()
    assert re.search(r"Your turn begins at \d\d:\d\d\.", text)
    assert "Please wait for your turn" in text
    assert "Shops go on taking coupons." in text
    assert "No money has moved" not in text, "nobody has asked for anything"
    assert "\N{HOURGLASS}" not in text
    assert headers["Set-Cookie"].startswith("gp_turn=")


HREFS = re.compile(r'<a [^>]*href="([^"]*)"')


def ways_on(text):
    """Return where a page leads: without its skip link."""
    return [href for href in HREFS.findall(text) if not href.startswith("#")]


@pytest.mark.parametrize("code", IN_WORDS["en"])
def test_who_has_to_wait_has_made_no_error_and_is_led_to_no_sign_in(door, code):
    text = refuse(door, code, accept=PAGE, accept_language="en")[2].decode()
    assert "Error" not in text
    assert set(ways_on(text)) == {""}, "this page again, and nothing else"


@pytest.mark.parametrize(
    ("locale", "words"), [("ja", "お店では、いつもどおり券を使えます。"), ("en", "Shops go on")]
)
def test_a_page_that_rests_says_what_goes_on_and_promises_no_hour(door, locale, words):
    switch(off=["public-pages"])
    text = ask(door, "GET", "/balance", accept=PAGE, accept_language=locale)[2].decode()
    assert words in text
    assert "minutes" not in text
    assert "分後" not in text
    assert "<form" not in text


def test_a_desk_that_rests_leads_to_what_stops_a_coupon_and_a_shop(door):
    switch(off=["dashboards"])
    text = ask(door, "GET", "/desk", accept=PAGE, accept_language="en")[2].decode()
    assert "/" not in ways_on(text)[1:], "it would lead here again"
    assert "/desk/coupons" in ways_on(text)
    assert '<form class="gp-form" method="get" action="/desk/shops"' in text
    assert 'method="post"' not in text
    for path in ("/desk/coupons", "/desk/coupons/AB-0000123"):
        assert ask(door, "GET", path)[0] == 200
    assert ask(door, "POST", "/desk/coupons/find")[0] == 200
    assert ask(door, "GET", "/desk/shops", query="q=1042")[0] == 200
    assert ask(door, "GET", "/desk/shops", query="q=")[0] == 503
    part = ask(door, "GET", "/desk", accept=PAGE, accept_language="en", hx_request="true")[2]
    assert b"/desk/coupons" not in part, "a part of a page has no room for ways"


def test_the_language_chosen_on_a_page_holds_at_the_door(door):
    fill(door)
    _, headers, _ = ask(
        door, "GET", "/balance", accept=PAGE, accept_language="en", cookie="a=b; gp_lang=ja"
    )
    assert headers["Content-Language"] == "ja"


def test_no_cookie_of_who_is_turned_away_is_kept(door):
    fill(door)
    cookie = f"gp_session={'x' * 9}; gp_lang=ja"
    before = sys.getrefcount(cookie)
    ask(door, "GET", "/balance", accept=PAGE, cookie=cookie)
    assert sys.getrefcount(cookie) == before


SESSION = {"cookie": "gp_session=x"}
BEARER = {"authorization": "Bearer x"}


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/shop/nothing", {}, 503),
        ("GET", "/shop/nothing", BEARER, 503),
        ("GET", "/shop", {}, 503),
        ("GET", "/shop", SESSION, 200),
        ("POST", "/shop/pay/x", {"cookie": "a=b; __Host-gp_session=x"}, 200),
        ("POST", "/api/v1/payments", {}, 503),
        ("POST", "/api/v1/payments", SESSION, 503),
        ("POST", "/api/v1/payments", BEARER, 200),
        ("POST", "/api/v1/payments/abc/void", {}, 503),
        ("POST", "/api/v1/payments/abc/void", BEARER, 200),
        ("POST", "/oauth/x", {}, 503),
        ("GET", "/oauth/token", {}, 503),
        ("POST", "/oauth/token", {}, 200),
        ("GET", "/.well-known/jwks.json", {}, 200),
    ],
)
def test_payments_go_first_only_for_who_shows_a_token_or_a_session(
    door, method, path, headers, status
):
    door.places._inside = 6  # of eight: three quarters
    assert ask(door, method, path, **headers)[0] == status


def test_a_form_that_pays_leaves_open_whether_money_has_moved(door):
    fill(door)
    paying = ask(door, "POST", "/shop/pay/abc", accept=PAGE, accept_language="en")[2].decode()
    assert "It is not known whether money has moved." in paying
    other = ask(door, "POST", "/sign-in", accept=PAGE, accept_language="en")[2].decode()
    assert "It is not known" not in other
    assert "No money has moved." in other


def test_a_script_gets_a_part_of_a_page(door):
    fill(door)
    body = ask(door, "GET", "/desk", accept=PAGE, hx_request="true")[2]
    assert b"<html" not in body
    assert b"gp-problem" in body


def test_whoever_asks_for_the_head_only_gets_no_body(door):
    fill(door)
    status, headers, body = ask(door, "HEAD", "/balance")
    assert (status, body) == (503, b"")
    assert int(headers["Content-Length"]) > 0


def test_a_request_whose_time_is_over_is_dropped_before_work_begins(door):
    door.inner.go_on.clear()
    with ThreadPoolExecutor(3) as pool:
        at_work = [pool.submit(ask, door) for _ in range(2)]
        deadline = time.monotonic() + LONG_S
        while door.inner.asked < 2:
            assert time.monotonic() < deadline
        status, _, body = ask(door, x_deadline_ms="20")
        assert (status, json.loads(body)["code"]) == (503, "overload.too_late")
        assert door.inner.asked == 2
        patient = pool.submit(ask, door, x_deadline_ms="60000")
        door.inner.go_on.set()
        assert [job.result(LONG_S)[0] for job in (*at_work, patient)] == [200, 200, 200]
    assert door.places.inside == 0


@pytest.mark.parametrize("said", ["", "soon", "-5", "1e3", "٣", "9" * 400, "9" * 5000])
def test_a_deadline_that_cannot_be_read_says_nothing(door, said):
    assert ask(door, x_deadline_ms=said)[0] == 200


def test_an_accident_behind_the_door_costs_no_place(door):
    def accident(environ, start_response):
        raise RuntimeError

    door.inner = accident
    for _ in range(10):
        with pytest.raises(RuntimeError):
            ask(door)
    assert door.places.inside == 0


def test_what_streams_is_not_gathered_and_is_counted_until_it_ends(door):
    ended = []

    class Pieces:
        def __iter__(self):
            yield b"a"
            yield b"b"

        def close(self):
            ended.append(1)

    def streaming(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/csv")])
        return Pieces()

    door.inner = streaming
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/desk/payments/all.csv"}
    answers = [door(environ | {"wsgi.url_scheme": "http"}, lambda *_: None) for _ in range(2)]
    assert door.places._working == 0  # who is slow to take it keeps nobody from work …
    assert door.places.enter(EXPORTS, 0) is Entry.FULL  # … but there are only so many of them
    assert b"".join(answers[0]) == b"ab"
    answers[0].close()
    answers[0].close()
    assert ended == [1]
    del answers
    assert door.places.enter(EXPORTS, 0) is Entry.IN
    assert ended == [1, 1]
    door.places.leave(EXPORTS)
    assert door.places.inside == 0


def test_whoever_reads_a_file_slowly_takes_nothing_from_anybody(door):
    body = [b"x" * 1024]

    def sending(environ, start_response):
        start_response("200 OK", [("Content-Length", str(overload.WHOLE_MAX + 1))])
        return body

    door.inner = sending
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/assets/x.wasm", "wsgi.url_scheme": "http"}
    held = [door(dict(environ), lambda *_: None) for _ in range(20)]
    assert all(each == body for each in held)  # whole, so no thread waits for a reader
    assert door.places.inside == 0
    assert door.places.enter(EXPORTS, 0) is Entry.IN


def test_a_large_answer_of_another_kind_takes_no_export_its_turn(door):
    door.places = Places(at_once=4, waiting=12)

    def sending(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/html")])
        return iter([b"x"])

    door.inner = sending
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/t/midori-city/", "wsgi.url_scheme": "http"}
    held = [door(dict(environ), lambda *_: None) for _ in range(2)]
    assert door.places.inside == 2
    assert door.places.enter(EXPORTS, 0) is Entry.IN
    door.places.leave(EXPORTS)
    for each in held:
        each.close()
    assert (door.places.inside, door.places._streams) == (0, 0)


def test_the_door_tells_of_overload_once_a_second_and_reads_the_switches(door):
    from giftpad.guard import commands

    commands._Memory.redis.delete(commands.OVERLOADED)
    door.look_around()
    assert not guard.is_overloaded()
    door.places._inside = door.places.most
    ask(door)
    door.look_around()
    assert not guard.is_overloaded()  # anybody can ask without a token
    ask(door, authorization="Bearer x")
    door.look_around()
    assert guard.is_overloaded()
    assert door.turned_away == {}
    commands._Memory.redis.delete(commands.OVERLOADED)


def test_a_real_route_goes_through_the_door(app):
    answered = app.test_client().get("/probe/public")
    assert answered.status_code == 200
    assert app.extensions["giftpad_door"].places.inside == 0


def test_a_tiny_share_lets_nobody_through_who_is_not_due_but_everybody_in_time(door):
    door._secret = b"s" * 32
    share, seen = 16, set()
    for number in range(40):
        remote = f"198.51.100.{number}"
        for window in range(4):
            at_s = 1_790_000_000.0 + window * guard.WINDOW_S
            verdict = overload.turns.judge(None, remote, door._secret, share=share, at_s=at_s)
            if verdict.is_in:
                seen.add(remote)
    assert len(seen) == 40
