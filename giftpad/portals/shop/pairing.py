"""A tablet that is to be one of a shop: it shows a code, and whoever keeps the shop says yes.

Hides: what the tablet keeps while it waits.

Source: RFC 8628, section 3.3.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlencode

from flask import Blueprint, Response, make_response, request, url_for

from giftpad import edge, guard, identity, tills
from giftpad.edge import (
    clear_cookie,
    demand_private_connection,
    public,
    read_sealed_cookie,
    set_sealed_cookie,
    source_address,
)
from giftpad.portals.http import page, see_other, wants_fragment
from giftpad.portals.qr import draw_qr

bp = Blueprint("shop_pairing", __name__)

PAIRING_COOKIE = "gp_pairing"
KEPT_S = tills.PAIRING_LIFE_S + 600
CODES_BY_SOURCE_MAX = 100
LOOKS = guard.Rate(5, 30)
LOOK_EVERY_S = 3
WHY = "Nobody is signed in on a new tablet; it shows a code, and whoever keeps the shop says yes."
ACTIVATION = "/activate/tablet"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Waiting:
    """What this browser knows of its waiting."""

    secret: str
    user_code: str
    over_at: datetime

    @property
    def address(self) -> str:
        """Where the phone of whoever keeps the shop goes."""
        return f"{_site()}{ACTIVATION}?{urlencode({'user_code': self.user_code})}"


def _site() -> str:
    return identity.issuer().address.rstrip("/")


@bp.get("/shop/pair")
@public(WHY)
def index() -> Response:
    """Show the code while it is good; once somebody has said yes, go on as the tablet."""
    demand_private_connection()
    waiting = _read()
    if waiting is None:
        return make_response(page("shop/pair.html", waiting=None, state="", is_tablet=_is_tablet()))
    guard.admit(f"pairing:look:{source_address()}", LOOKS)
    if wants_fragment():
        return _look(waiting)
    taken = tills.take_pairing(waiting.secret)
    if isinstance(taken, tills.Pairing):
        return _draw("shop/pair.html", waiting, taken)
    response = see_other("shop_pins.index")
    edge.keep_terminal(response, taken)
    clear_cookie(response, PAIRING_COOKIE)
    return response


def _look(waiting: _Waiting) -> Response:
    state = tills.see_pairing(waiting.secret)
    response = _draw("shop/_pairing.html", waiting, state)
    if state is tills.Pairing.READY:
        response.headers["HX-Redirect"] = url_for(".index")
    return response


def _draw(template: str, waiting: _Waiting, state: tills.Pairing) -> Response:
    return make_response(
        page(
            template,
            waiting=waiting,
            state=state.value,
            qr=draw_qr(waiting.address),
            site=_site(),
            activation=_site() + ACTIVATION,
            look_every_s=LOOK_EVERY_S,
            is_tablet=_is_tablet(),
        )
    )


@bp.post("/shop/pair")
@public(WHY)
def start() -> Response:
    """Show a new code."""
    source = f"pairing:start:{source_address()}"
    guard.check_failures(source)
    guard.count_failure(source, most=CODES_BY_SOURCE_MAX)
    started = tills.start_pairing(request.user_agent.string)
    response = see_other(".index")
    held = {
        "secret": started.secret,
        "code": started.user_code,
        "over_at": int(started.over_at.timestamp()),
    }
    set_sealed_cookie(response, PAIRING_COOKIE, held, KEPT_S)
    return response


def _read() -> _Waiting | None:
    held = read_sealed_cookie(PAIRING_COOKIE)
    if held is None:
        return None
    return _Waiting(
        secret=held["secret"],
        user_code=held["code"],
        over_at=datetime.fromtimestamp(held["over_at"], tz=UTC),
    )


def _is_tablet() -> bool:
    return edge.held_terminal() is not None
