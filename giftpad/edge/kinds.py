"""What a request is for, by method and path: how soon it is turned away under overload.

Hides: which addresses belong together, and that payments go first only for who shows a token or a
session.  It is asked before a body is read and a token is looked at, so it judges by the head
alone, and an address nobody serves counts as a page for the public.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from giftpad.edge.sessions import SESSION_COOKIE
from giftpad.edge.tills import TERMINAL_COOKIE

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """Requests that are treated alike when there are too many.

    ``share``: a request is turned away when so much of the places is taken, by whomever.  ``rank``
    is the order in which those who wait are let through, lowest first.  ``is_slow``: these take
    a part of the places at work and leave the others to what is quick.
    """

    name: str
    share: float
    rank: int
    is_slow: bool
    retry_after_s: int
    feature: str = ""
    by_turns: bool = False
    """Whether visitors are let in by groups of devices when that is set."""


PAY = Kind(name="pay", share=1.0, rank=0, is_slow=False, retry_after_s=1)
LOOK_UPS = Kind(
    name="look-ups", share=0.75, rank=1, is_slow=False, retry_after_s=2, feature="lookups"
)
ENTRY = Kind(name="entry", share=0.75, rank=1, is_slow=False, retry_after_s=2)
PUBLIC = Kind(
    name="public",
    share=0.5,
    rank=2,
    is_slow=True,
    retry_after_s=10,
    feature="public-pages",
    by_turns=True,
)
DASHBOARDS = Kind(
    name="dashboards", share=0.4, rank=3, is_slow=True, retry_after_s=15, feature="dashboards"
)
# A coupon is stopped, a shop is closed: no rush on the pages may stand before it.
DESK_ACTS = Kind(name="desk acts", share=0.5, rank=1, is_slow=False, retry_after_s=5)
PRINTING = Kind(
    name="printing", share=0.4, rank=3, is_slow=True, retry_after_s=60, feature="printing"
)
IMPORTS = Kind(
    name="imports", share=0.25, rank=4, is_slow=True, retry_after_s=60, feature="imports"
)
EXPORTS = Kind(
    name="exports", share=0.25, rank=4, is_slow=True, retry_after_s=60, feature="exports"
)
HOOKS = Kind(name="hooks", share=0.4, rank=3, is_slow=True, retry_after_s=30)
"""Whoever posts receipts tries again; a million of them must not stand before a payment."""
UNKNOWN = Kind(name="unknown", share=0.5, rank=2, is_slow=True, retry_after_s=10)
"""An address that nobody serves costs a page as well, and is nobody's turn."""

KINDS = (
    *(PAY, LOOK_UPS, ENTRY, PUBLIC, UNKNOWN, HOOKS),
    *(DESK_ACTS, DASHBOARDS, PRINTING, IMPORTS, EXPORTS),
)
RANKS = 1 + max(kind.rank for kind in KINDS)

_FILES = (".csv", ".xlsx", ".pdf", ".png", ".zip", "/pdf")
_READS = frozenset({"GET", "HEAD"})
_LIST_PARTS = 2
"""An address of the desk with so many parts at most is the overview or a list."""


def _machine(method: str, path: str, parts: list[str]) -> Kind:
    """Judge an address of machines: ``/api/hooks/…``, or the API."""
    return HOOKS if parts[2:3] == ["hooks"] else _api(method, path, parts)


def _api(method: str, path: str, parts: list[str]) -> Kind:
    """Judge an address of the API: ``/api/v1/<what>/<which>/<part>``."""
    what = parts[3] if len(parts) > 3 else ""  # noqa: PLR2004 - the parts as in the docstring
    names_one = len(parts) > 4  # noqa: PLR2004 - as above
    if path.endswith(_FILES):
        return EXPORTS
    if what == "payments":
        if method not in _READS:
            return PAY
        return LOOK_UPS if names_one else DASHBOARDS
    if what == "instruments" or (what == "coupons" and method in _READS):
        return LOOK_UPS
    if method not in _READS:
        changes = {"coupon-batches": PRINTING, "shop-imports": IMPORTS, "gift-orders": IMPORTS}
        return changes.get(what, DESK_ACTS) if not names_one else DESK_ACTS
    return DASHBOARDS


_FIND_COUPON = "/desk/coupons"
_FIND_SHOP = "/desk/shops"
_DESK_IMPORTS = frozenset({"/desk/shops/imports", "/desk/catalogue/imports"})
_API_IMPORTS = frozenset({"/api/v1/shop-imports", "/api/v1/gift-orders"})


def takes_file(path: str) -> bool:
    """Whether people hand in files there that are larger than forms."""
    of_gifts = path.startswith("/desk/gifts/") and path.endswith(("/recipients", "/tracking"))
    return path in _DESK_IMPORTS or of_gifts


def takes_many(path: str) -> bool:
    """Whether machines hand in there more than one thing at a time."""
    return path in _API_IMPORTS


def _desk(method: str, path: str, parts: list[str]) -> Kind:
    """Judge an address of the issuer's desk: ``/desk/<list>/<one>/<act>``."""
    if path.endswith(_FILES):
        return EXPORTS
    if path == _FIND_COUPON:
        return DESK_ACTS  # it lists nothing: it asks for the number of the one to be stopped
    if method in _READS:
        is_list = len([part for part in parts if part]) <= _LIST_PARTS
        return DASHBOARDS if is_list or path.endswith(("/row", "/progress")) else DESK_ACTS
    if path == "/desk/batches" or path.endswith("/print-again"):
        return PRINTING
    return IMPORTS if takes_file(path) else DESK_ACTS


def _shop(method: str, path: str, parts: list[str]) -> Kind:
    """Judge an address of the till: all of it is on the way to a payment but the day's list."""
    del method, parts
    return ENTRY if path == "/shop/today" else PAY


def _gift(method: str, path: str, parts: list[str]) -> Kind:
    """Judge an address of a gift: who looks waits for a turn, who has filled in a form does not."""
    del path
    is_picture = parts[2:3] == ["pictures"]  # without them a page that was let in is none
    return PUBLIC if method in _READS and not is_picture else ENTRY


_BY_FIRST: dict[str, Kind | Callable[[str, str, list[str]], Kind]] = {
    "api": _machine,
    "oauth": ENTRY,
    ".well-known": PAY,
    "shop": _shop,
    "desk": _desk,
    "account": DESK_ACTS,
    "tablets": DESK_ACTS,
    "operator": ENTRY,  # whoever looks after the day needs to see it
    "Q": PUBLIC,
    "g": _gift,
    "G": PUBLIC,
    "balance": PUBLIC,
    "t": PUBLIC,
    "letters": PUBLIC,
    "pictures": PUBLIC,
    "assets": ENTRY,  # without them a page that was let in is none
    "theme": ENTRY,
    "gift-designs": ENTRY,
    "authorize": ENTRY,
    "userinfo": ENTRY,
    "oidc": ENTRY,
    "v2": ENTRY,
    "activate": ENTRY,
    "sign-in": ENTRY,
    "forgotten": ENTRY,
    "sign-out": ENTRY,
    "join": ENTRY,
    "preferences": ENTRY,
    "": ENTRY,
}
TOKEN_PATH = "/oauth/token"  # noqa: S105 - an address
_SOUGHT = re.compile(r"(?:^|&)q=[^&]")
_FREE = frozenset({"/healthz", "/readyz"})
_FREQUENT = {
    ("POST", "/api/v1/payments"): PAY,
    ("POST", "/api/v1/instruments/lookup"): LOOK_UPS,
    ("POST", TOKEN_PATH): PAY,  # who gets no token pays nothing
}


def kind_of(method: str, path: str, query: str = "") -> Kind | None:
    """Return what a request is for; None for those that watch over this process.

    >>> kind_of("GET", "/desk/payments/all.csv").name
    'exports'
    >>> kind_of("GET", "/desk/shops", "q=1042").name
    'desk acts'
    """
    kind = _FREQUENT.get((method, path))
    if kind is not None:
        return kind
    if path in _FREE:
        return None
    if path == _FIND_SHOP and method in _READS and _SOUGHT.search(query):
        return DESK_ACTS  # one shop is looked for by its name or number, to be closed
    parts = path.split("/", 6)
    found = _BY_FIRST.get(parts[1] if len(parts) > 1 else "", UNKNOWN)
    return found if isinstance(found, Kind) else found(method, path, parts)


def shows_session(environ: WSGIEnvironment) -> bool:
    """Whether a request carries a session or a tablet, good or not; by https with a prefix."""
    cookies = environ.get("HTTP_COOKIE", "")
    return SESSION_COOKIE in cookies or TERMINAL_COOKIE in cookies


def may_go_first(environ: WSGIEnvironment) -> bool:
    """Whether a request that is on the way to a payment shows who pays, or need not."""
    path: str = environ["PATH_INFO"]
    if path.startswith("/api/"):
        return "HTTP_AUTHORIZATION" in environ
    return not path.startswith("/shop") or shows_session(environ)
