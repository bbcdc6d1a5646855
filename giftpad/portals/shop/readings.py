"""A reading: one coupon read by one person in one shop, on its way to one payment.

Hides: what is sealed into the address of the amount pad.  Nothing of it is kept anywhere: the
address carries the locator that a look-up has proven, and the key that lets it pay once.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from uuid import UUID

from giftpad import edge
from giftpad.edge import PermissionMissing
from giftpad.kernel.work import Scope
from giftpad.portals.http import new_key

PURPOSE = "till reading"
FRESH_S = 15 * 60
ASKED_S = 30 * 24 * 3600
"""As long as keys of payments are kept one may ask what a reading has paid."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What was read; ``key`` is the idempotency key of the one payment that may come of it."""

    locator: int
    key: str
    scope: Scope
    """On whose behalf it pays, and can be asked about: whoever read it."""
    is_fresh: bool
    """Whether it may still pay: for a quarter of an hour, in the session that read it."""


def this_shop() -> UUID:
    """Return the shop that the caller works in.

    Raises: PermissionMissing, to those who belong to none.
    """
    shop_id = edge.current_caller().claims.shop_id
    if shop_id is None:
        raise PermissionMissing(permission="payments:accept")
    return shop_id


def make_reading(locator: int) -> str:
    """Seal what this caller has read just now; the text belongs into ``/shop/pay/<reading>``."""
    person = edge.current_caller().person
    assert person is not None
    value = {
        "locator": locator,
        "key": new_key(),
        "shop": this_shop().hex,
        "client": edge.current_scope().actor.client_id,
        "session": person.session_id.hex,
        "at": int(time.time()),
    }
    return edge.seal_text(PURPOSE, value)


def open_reading(text: str) -> Reading | None:
    """Open a reading of this shop; None if it is none, or another's.

    A colleague may ask what a reading has paid; only the session that read it can pay with it.
    """
    held = edge.open_text(PURPOSE, text, ASKED_S)
    if held is None or held["shop"] != this_shop().hex:
        return None
    person, scope = edge.current_caller().person, edge.current_scope()
    assert person is not None
    is_young = 0 <= time.time() - held["at"] < FRESH_S
    return Reading(
        locator=held["locator"],
        key=held["key"],
        scope=replace(scope, actor=replace(scope.actor, client_id=held["client"])),
        is_fresh=is_young and held["session"] == person.session_id.hex,
    )
