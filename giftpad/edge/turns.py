"""Turns: on the public pages devices are let in by groups, a share of them at a time.

Hides: tickets.  Nothing is remembered here: a device's group follows from what it shows, so every
process says the same.  A device without a ticket is known by its address only; it gets a ticket,
which keeps what it was told through every change of the share, and lets it in for ``PASS_S`` from
then on.  When that is over the ticket's own number says the group, so that those behind one
address part; nobody gets another group by throwing a ticket away.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import ipaddress
import secrets
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from giftpad import guard

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

COOKIE = "gp_turn"
HOST_PREFIX = "__Host-"
PASS_S = 600
_NUMBER_LENGTH, _INSTANT_LENGTH, _MAC_LENGTH = 8, 5, 12
_BODY_LENGTH = _NUMBER_LENGTH + _INSTANT_LENGTH
_IPV6_PREFIX = 64


@dataclass(frozen=True, slots=True)
class Ticket:
    """A device's number, and from which second of the epoch on it is let in, for ``PASS_S``."""

    number: bytes
    from_s: int

    def lets_in(self, at_s: float) -> bool:
        """Whether its turn has come and is not over."""
        return self.from_s <= at_s < self.from_s + PASS_S

    def write(self, secret: bytes) -> str:
        """Return it as a text that only we can make."""
        body = self.number + self.from_s.to_bytes(_INSTANT_LENGTH)
        return base64.urlsafe_b64encode(body + _mac(secret, body)).rstrip(b"=").decode()


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a visitor is let in; if not, ``turn_s`` is when; ``ticket`` is to be kept, if any."""

    is_in: bool
    turn_s: int = 0
    ticket: Ticket | None = None


def _mac(secret: bytes, body: bytes) -> bytes:
    return hmac.digest(secret, b"ticket" + body, "sha256")[:_MAC_LENGTH]


def read_ticket(text: str, secret: bytes) -> Ticket | None:
    """Read a ticket of ours; None if it is none."""
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (ValueError, binascii.Error):
        return None
    body, mac = raw[:_BODY_LENGTH], raw[_BODY_LENGTH:]
    if not hmac.compare_digest(mac, _mac(secret, body)):
        return None
    return Ticket(body[:_NUMBER_LENGTH], int.from_bytes(body[_NUMBER_LENGTH:]))


def judge(
    ticket: Ticket | None, address: str, secret: bytes, *, share: int, at_s: float
) -> Verdict:
    """Say whether a visitor is let in at an instant, or when."""
    if ticket is not None and ticket.lets_in(at_s):
        return Verdict(is_in=True)
    promised = ticket if ticket is not None and at_s < ticket.from_s else None
    is_known = ticket is not None and promised is None
    assert ticket is not None or not is_known
    place = guard.place_of(secret, ticket.number.hex() if is_known and ticket else address)
    number = ticket.number if ticket is not None else secrets.token_bytes(_NUMBER_LENGTH)
    window = guard.window_at(at_s)
    away = guard.windows_until_open(place.group, window, share)
    if away == 0:
        return Verdict(is_in=True, ticket=Ticket(number, int(at_s)))
    turn_s = (window + away) * guard.WINDOW_S + place.spread_s
    if promised is not None and promised.from_s <= turn_s:
        return Verdict(is_in=False, turn_s=promised.from_s)
    return Verdict(is_in=False, turn_s=turn_s, ticket=Ticket(number, turn_s))


def _cookie_name(environ: WSGIEnvironment) -> str:
    return HOST_PREFIX + COOKIE if environ["wsgi.url_scheme"] == "https" else COOKIE


def find_ticket(environ: WSGIEnvironment, secret: bytes) -> Ticket | None:
    """Return the ticket that a browser shows, if it shows one of ours."""
    cookies = environ.get("HTTP_COOKIE", "")
    if COOKIE not in cookies:
        return None
    name = _cookie_name(environ) + "="
    for cookie in cookies.split(";"):
        if cookie.strip().startswith(name):
            return read_ticket(cookie.strip()[len(name) :], secret)
    return None


def cookie_header(environ: WSGIEnvironment, ticket: Ticket, secret: bytes) -> tuple[str, str]:
    """Return the header that lets a browser keep its ticket until some time after its turn."""
    is_secure = "; Secure" if environ["wsgi.url_scheme"] == "https" else ""
    text = f"{_cookie_name(environ)}={ticket.write(secret)}"
    return "Set-Cookie", f"{text}; Max-Age=86400; Path=/; HttpOnly; SameSite=Lax{is_secure}"


@lru_cache(maxsize=4096)
def address_of(remote: str) -> str:
    """Return what devices are told apart by before they have a ticket: a whole /64 for IPv6."""
    try:
        address = ipaddress.ip_address(remote)
    except ValueError:
        return "unknown"
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, _IPV6_PREFIX), strict=False))
    return remote
