"""What happened to a coupon, in words: each line with who did it, where, and what it moved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from giftpad import coupons, payments, shops
from giftpad.kernel.i18n import mark
from giftpad.kernel.work import Scope, unit_of_work
from giftpad.portals.issuer.naming import name_actors

KINDS: dict[str, str] = {
    "ordered": mark("Ordered"),
    "issued": mark("Value booked"),
    "checked": mark("Printed, and the code read back"),
    "released": mark("Released: can be spent"),
    "expired": mark("It expired"),
    "blocked": mark("It was stopped"),
    "unblocked": mark("It was freed: can be spent again"),
    "replaced": mark("Replaced by {serial}"),
    "replaces": mark("Made in place of {serial}"),
    "pay": mark("Paid in the shop"),
    "void": mark("Cancelled the same day"),
    "refund": mark("Money given back"),
}
MOVING = frozenset({"pay", "void", "refund"})
_LOOKS = {"pay": "ok", "released": "ok", "unblocked": "ok", "blocked": "ng", "replaced": "ng"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """One thing that happened; ``moved_minor`` is what the balance changed by, if it did."""

    at: datetime
    words: str
    look: str
    who: str
    serial: str
    reason: str
    shop: str
    receipt: str
    payment_id: UUID | None
    moved_minor: int | None
    balance_minor: int | None


def tell_history(scope: Scope, history: Sequence[coupons.HistoryLine]) -> list[Happening]:
    """Put names to a coupon's history; payments are told to those who may read payments.

    No transaction may be open.
    """
    may_read_payments = "payments:read" in scope.permissions
    told = [line for line in history if may_read_payments or line.kind not in MOVING]
    name = name_actors(scope, [line.who for line in told if line.who])
    with unit_of_work(scope) as work:
        known = shops.find_names(work, {line.shop_id for line in told if line.shop_id})
    return [
        Happening(
            at=line.at,
            words=KINDS[line.kind],
            look=_LOOKS.get(line.kind, ""),
            who=name(line.who) if line.who else "",
            serial=line.serial or "",
            reason=line.reason,
            shop=known[line.shop_id][1] if line.shop_id in known else "",
            receipt=payments.receipt_number(line.payment_id) if line.payment_id else "",
            payment_id=line.payment_id,
            moved_minor=_moved(line),
            balance_minor=line.balance_minor,
        )
        for line in told
    ]


def _moved(line: coupons.HistoryLine) -> int | None:
    if line.amount_minor is None:
        return None
    return -line.amount_minor if line.kind == "pay" else line.amount_minor
