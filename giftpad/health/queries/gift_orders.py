"""Gift orders of all tenants: measured tenant by tenant, read from what was kept.

Hides: that the board of all tenants reads figures of the platform, and one order is read live, in
its own tenant.  Neither holds a word that a sender or a recipient has written.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from giftpad import gifts, tenancy
from giftpad.health.queries.figures import read_health
from giftpad.health.rules import GIFT_ORDERS
from giftpad.kernel.work import Scope, Work, unit_of_work

SHOWN_MAX = 200
"""Orders on the board."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GiftOrders:
    """The board: whose order each is, stuck ones first; ``counts`` are by state, of all."""

    orders: tuple[tuple[str, gifts.OpenOrder], ...]
    counts: Mapping[str, int]
    stuck: int
    measured_at: datetime


def measure_gift_orders() -> dict[str, Any]:
    """Return the orders under way, in one short transaction a tenant."""
    found: list[tuple[str, gifts.OpenOrder]] = []
    for tenant in tenancy.list_tenants():
        if tenant.id == tenancy.PLATFORM_TENANT_ID:
            continue
        with unit_of_work(Scope(tenant_id=tenant.id)) as work:
            found += [(tenant.slug, order) for order in gifts.list_open_orders(work)]
    found.sort(key=_urgency)
    return {
        "stuck": sum(order.can_be_redriven for _, order in found),
        "counts": dict(Counter(order.state for _, order in found)),
        "orders": [_as_json(slug, order) for slug, order in found[:SHOWN_MAX]],
    }


def _urgency(one: tuple[str, gifts.OpenOrder]) -> tuple[int, datetime]:
    """Order by what an operator can mend, then by what waits for people, the oldest first."""
    _, order = one
    rank = 0 if order.can_be_redriven else 1 if order.troubles else 2
    return rank, min((trouble.since for trouble in order.troubles), default=order.since)


def _as_json(slug: str, order: gifts.OpenOrder) -> dict[str, Any]:
    return {
        "tenant": slug,
        "id": str(order.order_id),
        "number": order.number,
        "state": order.state,
        "quantity": order.quantity,
        "issued": order.issued,
        "since": order.since.isoformat(),
        "troubles": [
            {"code": each.code, "since": each.since.isoformat(), "count": each.count}
            for each in order.troubles
        ],
    }


def _of_json(kept: Mapping[str, Any]) -> gifts.OpenOrder:
    return gifts.OpenOrder(
        order_id=UUID(kept["id"]),
        number=kept["number"],
        state=kept["state"],
        quantity=kept["quantity"],
        issued=kept["issued"],
        since=datetime.fromisoformat(kept["since"]),
        troubles=tuple(
            gifts.Trouble(
                code=each["code"],
                since=datetime.fromisoformat(each["since"]),
                count=each["count"],
            )
            for each in kept["troubles"]
        ),
    )


def read_gift_orders(work: Work) -> GiftOrders | None:
    """Return the board as it was measured last; None if that was too long ago to be believed.

    ``work`` is of the platform tenant.
    """
    health = read_health(work)
    kept, measured_at = health.find(GIFT_ORDERS), health.measured_at(GIFT_ORDERS)
    if kept is None or measured_at is None:
        return None
    return GiftOrders(
        orders=tuple((each["tenant"], _of_json(each)) for each in kept["orders"]),
        counts=kept["counts"],
        stuck=kept["stuck"],
        measured_at=measured_at,
    )


def get_gift_order(tenant: tenancy.Tenant, order_id: UUID) -> gifts.OpenOrder:
    """Return one order of a tenant as it stands now.

    Raises: OrderNotFound.
    """
    with unit_of_work(Scope(tenant_id=tenant.id)) as work:
        return gifts.get_open_order(work, order_id)
