"""Turns: who is let in, what a ticket is worth, and that nobody gets another group by a trick."""

from __future__ import annotations

import math

import pytest

from giftpad import guard
from giftpad.edge import turns
from giftpad.edge.turns import PASS_S, Ticket, judge, read_ticket

SECRET = b"k" * 32
NOW = 1_790_000_000.0
ADDRESS = "203.0.113.7"


def ask(ticket=None, *, address=ADDRESS, share=16, at_s=NOW):
    return judge(ticket, address, SECRET, share=share, at_s=at_s)


def address_that(*, is_in, share=16):
    """Return an address whose group is open at NOW, or is not."""
    return next(
        found
        for number in range(1000)
        if ask(address=(found := f"198.51.100.{number}"), share=share).is_in is is_in
    )


def test_without_a_ticket_the_address_decides_however_often_one_asks():
    verdicts = {(v.is_in, v.turn_s) for v in (ask() for _ in range(50))}
    assert len(verdicts) == 1


def test_the_hour_that_is_told_is_kept():
    address = address_that(is_in=False)
    told = ask(address=address)
    assert NOW < told.turn_s <= NOW + guard.WINDOW_S * math.ceil(64 / 16) + guard.WINDOW_S
    assert ask(told.ticket, address=address, at_s=told.turn_s).is_in
    # … from another address too, and whatever the share has become since
    assert ask(told.ticket, address="192.0.2.1", share=1, at_s=told.turn_s + 1).is_in


def test_before_the_hour_the_promise_stands_and_is_not_put_off():
    address = address_that(is_in=False)
    told = ask(address=address)
    again = ask(told.ticket, address=address, share=1, at_s=NOW + 1)
    assert (again.is_in, again.turn_s, again.ticket) == (False, told.turn_s, None)


def test_when_more_are_let_in_nobody_waits_for_the_old_hour():
    address = address_that(is_in=False, share=1)
    told = ask(address=address, share=1)
    sooner = ask(told.ticket, address=address, share=32)
    assert sooner.is_in or sooner.turn_s < told.turn_s


def test_whoever_is_in_stays_for_a_while_and_then_waits_like_everybody():
    address = address_that(is_in=True)
    came = ask(address=address)
    assert came.ticket is not None
    assert ask(came.ticket, address="192.0.2.99", share=1, at_s=NOW + PASS_S - 1).is_in
    later = [ask(came.ticket, share=1, at_s=NOW + PASS_S + n * 120) for n in range(64)]
    assert sum(verdict.is_in for verdict in later) == 1


def test_a_ticket_thrown_away_gains_nothing():
    address = address_that(is_in=False)
    first = ask(address=address)
    for _ in range(20):
        assert ask(None, address=address).turn_s == first.turn_s


def test_gathering_tickets_gains_nothing_before_their_hour():
    address = address_that(is_in=False)
    tickets = [Ticket(number.to_bytes(8), int(NOW) + 300) for number in range(200)]
    assert not any(ask(ticket, address=address).is_in for ticket in tickets)


def test_those_behind_one_address_part_once_they_have_had_their_turn():
    tickets = [Ticket(number.to_bytes(8), int(NOW) - PASS_S) for number in range(400)]
    verdicts = [ask(ticket) for ticket in tickets]
    assert 50 < sum(verdict.is_in for verdict in verdicts) < 150  # a quarter of them


@pytest.mark.parametrize("share", [1, 3, 16, 40])
def test_everybody_has_had_a_turn_after_one_lap(share):
    lap = math.ceil(guard.GROUPS / share)
    for number in range(300):
        address = f"198.51.100.{number}"
        window = int(NOW) // guard.WINDOW_S * guard.WINDOW_S
        seen = [ask(address=address, share=share, at_s=window + n * 120).is_in for n in range(lap)]
        assert any(seen)


def test_a_ticket_is_ours_or_none():
    ticket = Ticket(b"12345678", int(NOW))
    text = ticket.write(SECRET)
    assert read_ticket(text, SECRET) == ticket
    assert read_ticket(text, b"x" * 32) is None
    for wrong in ("", "A", "*", "ü", text[:-1], text + "AAAA", "A" + text[1:], "A" * 10_000):
        assert read_ticket(wrong, SECRET) in (None, ticket if wrong == text else None)


@pytest.mark.parametrize(
    ("remote", "seen"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("", "unknown"),
    ],
)
def test_a_household_is_one_address(remote, seen):
    assert turns.address_of(remote) == seen


def test_by_https_only_this_host_can_set_the_ticket():
    environ = {"wsgi.url_scheme": "https", "HTTP_COOKIE": ""}
    name, cookie = turns.cookie_header(environ, Ticket(b"12345678", 1), SECRET)
    assert name == "Set-Cookie"
    assert cookie.startswith("__Host-gp_turn=")
    assert cookie.endswith("; Path=/; HttpOnly; SameSite=Lax; Secure")
    kept = cookie.partition(";")[0]
    shown = {"wsgi.url_scheme": "https", "HTTP_COOKIE": f"a=b; {kept}; c=d"}
    assert turns.find_ticket(shown, SECRET) == Ticket(b"12345678", 1)
    plain = {"wsgi.url_scheme": "http", "HTTP_COOKIE": f"{kept}"}
    assert turns.find_ticket(plain, SECRET) is None
