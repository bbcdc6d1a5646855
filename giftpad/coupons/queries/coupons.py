"""Reading one coupon, by its serial, its code or a proven locator."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from giftpad import audit, payments
from giftpad.coupons.errors import CouponNotFound
from giftpad.coupons.models.finding import (
    Found,
    find_predecessors,
    find_successor,
    require_coupon,
    require_coupon_at,
)
from giftpad.coupons.models.instruments import require_instrument
from giftpad.coupons.rules import BLOCKED, format_serial, state_of_coupon
from giftpad.kernel.work import Work

PAYMENTS_SHOWN_MAX = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class CouponView:
    """One coupon as it is shown to those who look after it.

    ``blocked_at`` and ``blocked_reason`` are set while it is stopped.
    """

    serial: str
    account_id: UUID
    programme_id: UUID
    batch_id: UUID
    state: str
    face_value_minor: int
    balance_minor: int
    unit: str
    issued_on: date
    starts_on: date
    ends_on: date
    released_at: datetime | None
    replaces: str | None
    replaced_by: str | None
    replaced_by_batch_id: UUID | None
    payments: tuple[payments.PaymentView, ...] | None
    blocked_at: datetime | None = None
    blocked_reason: str | None = None


def get_coupon(work: Work, serial: str, *, with_payments: bool = True) -> CouponView:
    """Return one coupon by its serial, however it is written; with its last payments if asked.

    Raises: CouponNotFound.
    """
    return _view(work, require_coupon(work, serial), with_payments=with_payments)


def get_coupon_by_locator(work: Work, locator: int, *, with_payments: bool = False) -> CouponView:
    """Return the coupon that a proven locator opens.

    Raises: CouponNotFound.
    """
    return _view(work, require_coupon_at(work, locator), with_payments=with_payments)


def get_live_coupon(work: Work, locator: int) -> CouponView:
    """Return the coupon that holds the value of a locator now: it, or what took its place last.

    Raises: CouponNotFound.
    """
    found = require_coupon_at(work, locator)
    while successor := find_successor(work, found):  # each was made later than the one before
        found = require_coupon(work, successor[0])
    return _view(work, found, with_payments=False)


def find_coupon_by_code(work: Work, code: str) -> str:
    """Return the serial of the coupon that a QR text or a typed code opens.

    Who may ask so is the edge's matter; no guess is counted here.
    Raises: CouponNotFound.
    """
    locator = payments.find_locator(work, code)
    if locator is None:
        raise CouponNotFound
    return require_coupon_at(work, locator).serial


def _view(work: Work, found: Found, *, with_payments: bool) -> CouponView:
    instrument = require_instrument(work, found)
    batch = found.batch
    successor = find_successor(work, found)
    old_number = find_predecessors(work, [batch.id]).get(batch.id)
    shown = None
    if with_payments:
        wanted = payments.PaymentFilter(account_id=instrument.account_id, limit=PAYMENTS_SHOWN_MAX)
        shown = tuple(payments.list_payments(work, wanted))
    stop = _find_stop(work, found) if instrument.state == BLOCKED else None
    return CouponView(
        serial=found.serial,
        account_id=instrument.account_id,
        programme_id=batch.programme_id,
        batch_id=batch.id,
        state=state_of_coupon(
            instrument.state,
            released_at=instrument.released_at,
            ends_at=instrument.ends_at,
            now=work.at,
        ),
        face_value_minor=batch.face_value_minor,
        # The value went with the successor; what is dead holds nothing.
        balance_minor=0 if successor else instrument.balance_minor,
        unit=batch.unit,
        issued_on=batch.issued_on,
        starts_on=batch.starts_on,
        ends_on=batch.ends_on,
        released_at=instrument.released_at,
        replaces=None if old_number is None else format_serial(batch.prefix, old_number),
        replaced_by=successor[0] if successor else None,
        replaced_by_batch_id=successor[1] if successor else None,
        payments=shown,
        blocked_at=stop.at if stop else None,
        blocked_reason=stop.details.get("reason") if stop else None,
    )


def _find_stop(work: Work, found: Found) -> audit.Entry | None:
    """Return the record of what stopped a coupon last, alone or in a run."""
    subject = f"coupon:{found.serial}"
    wanted = audit.EntryFilter(actions=("coupon.blocked",), run_over=subject, limit=1)
    return next(iter(audit.list_entries(work, wanted)), None)
