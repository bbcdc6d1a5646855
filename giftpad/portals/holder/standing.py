"""How a coupon stands, for the one who holds it: what is left, until when, what was paid.

Hides: which facts of a coupon its holder may see in which state.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from uuid import UUID

from giftpad import coupons, payments, programmes, shops
from giftpad.kernel.clock import local_date
from giftpad.kernel.work import Work, unit_of_work
from giftpad.portals.holder.opened import Opened, scope_of

MOVEMENTS_SHOWN_MAX = 50

State = Literal["live", "used_up", "expired", "not_begun", "not_released", "stopped", "replaced"]
TELLING: frozenset[State] = frozenset({"live", "used_up", "expired", "not_begun"})
"""States in which the holder sees amounts: a stopped or replaced paper may be in wrong hands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One payment, or one giving back, as its holder reads it."""

    kind: str
    shop: str
    amount_minor: int
    on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A coupon as its holder may see it now."""

    state: State
    programme: programmes.Programme
    serial: str
    balance_minor: int
    starts_on: date
    last_day: date
    lines: tuple[Line, ...]
    has_older: bool


def look_at(opened: Opened) -> Standing:
    """Return how the coupon stands now; changes nothing.

    Raises: InstrumentNotFound, TenantClosed.
    """
    with unit_of_work(scope_of(opened.tenant)) as work:
        found = payments.get_instrument(work, opened.locator)
        state = _state(found, work.at)
        tells = state in TELLING
        moved = _movements(work, found.account_id) if tells else []
        lines = _lines(work, moved[:MOVEMENTS_SHOWN_MAX], opened.tenant.zone)
        programme = programmes.get_programme(work, found.programme_id)
        serial = coupons.find_serials(work, [opened.locator]).get(opened.locator, "")
    last_day = payments.last_day(found.ends_at, opened.tenant.zone)
    assert last_day is not None
    return Standing(
        state=state,
        programme=programme,
        serial=serial,
        balance_minor=found.balance_minor if tells else 0,
        starts_on=local_date(found.starts_at, opened.tenant.zone),
        last_day=date.fromisoformat(last_day),
        lines=lines,
        has_older=len(moved) > MOVEMENTS_SHOWN_MAX,
    )


def find_programme(opened: Opened) -> programmes.Programme:
    """Return the programme of the coupon.

    Raises: InstrumentNotFound, TenantClosed.
    """
    with unit_of_work(scope_of(opened.tenant)) as work:
        found = payments.get_instrument(work, opened.locator)
        return programmes.get_programme(work, found.programme_id)


def _state(found: payments.InstrumentView, at: datetime) -> State:
    """Judge in the order in which a payment is judged, so that page and till agree."""
    if found.state == "replaced":
        return "replaced"
    if found.state == "blocked":
        return "stopped"
    if at >= found.ends_at:
        return "expired"
    if found.released_at is None:
        return "not_released"
    if at < found.starts_at:
        return "not_begun"
    return "live" if found.balance_minor > 0 else "used_up"


def _movements(work: Work, account_id: UUID) -> list[payments.Movement]:
    return payments.list_movements(work, account_id, MOVEMENTS_SHOWN_MAX + 1)


def _lines(work: Work, moved: Sequence[payments.Movement], zone: str) -> tuple[Line, ...]:
    names = shops.find_names(work, {each.shop_id for each in moved})
    return tuple(
        Line(
            kind=each.kind,
            shop=names[each.shop_id][1],
            amount_minor=each.amount_minor,
            on=local_date(each.at, zone),
        )
        for each in moved
    )
