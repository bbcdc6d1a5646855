"""Let the daily figures follow what happens; the inbox sees to it that nothing counts twice."""

from __future__ import annotations

from collections.abc import Sequence

from giftpad.coupons import CouponsExpired, CouponsIssued
from giftpad.events import batched
from giftpad.kernel.work import Work
from giftpad.payments import PaymentCaptured, PaymentRefunded, PaymentVoided
from giftpad.reporting.commands import add_changes
from giftpad.reporting.rules import Change


def _change(
    event: PaymentCaptured | PaymentVoided | PaymentRefunded | CouponsIssued | CouponsExpired,
    kind: str,
    count: int = 1,
) -> Change:
    return Change(
        programme_id=event.programme_id,
        unit=event.unit,
        kind=kind,
        amount_minor=event.amount_minor,
        at=event.at,
        count=count,
    )


@batched
def note_paid(work: Work, events: Sequence[PaymentCaptured]) -> None:
    """Add payments to the figures of their days."""
    add_changes(work, [_change(event, "paid") for event in events])


@batched
def note_voided(work: Work, events: Sequence[PaymentVoided]) -> None:
    """Add voids to the figures of their days."""
    add_changes(work, [_change(event, "voided") for event in events])


@batched
def note_refunded(work: Work, events: Sequence[PaymentRefunded]) -> None:
    """Add refunds to the figures of their days."""
    add_changes(work, [_change(event, "refunded") for event in events])


@batched
def note_issued(work: Work, events: Sequence[CouponsIssued]) -> None:
    """Add what was issued to the figures of its day."""
    add_changes(work, [_change(event, "issued", event.count) for event in events])


@batched
def note_expired(work: Work, events: Sequence[CouponsExpired]) -> None:
    """Add what expired to the figures of its day."""
    add_changes(work, [_change(event, "expired") for event in events])
