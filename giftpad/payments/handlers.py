"""Keep the read side: one row of history for every payment, void and refund."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.dialects.postgresql import insert

from giftpad.events import batched
from giftpad.kernel.work import Work
from giftpad.payments.events import PaymentCaptured, PaymentRefunded, PaymentVoided
from giftpad.payments.models import PaymentHistory


def _row(
    work: Work, event: PaymentCaptured | PaymentVoided | PaymentRefunded, kind: str
) -> dict[str, object]:
    own_id = event.object_id if isinstance(event, PaymentCaptured) else event.reversal_id
    return {
        "tenant_id": work.tenant_id,
        "id": own_id,
        "payment_id": event.object_id,
        "kind": kind,
        "account_id": event.account_id,
        "shop_id": event.shop_id,
        "programme_id": event.programme_id,
        "amount_minor": event.amount_minor,
        "balance_minor": event.balance_minor,
        "at": event.at,
    }


@batched
def note_captured(work: Work, events: Sequence[PaymentCaptured]) -> None:
    """Add payments to the history."""
    work.session.execute(insert(PaymentHistory), [_row(work, e, "pay") for e in events])


@batched
def note_voided(work: Work, events: Sequence[PaymentVoided]) -> None:
    """Add voids to the history."""
    work.session.execute(insert(PaymentHistory), [_row(work, e, "void") for e in events])


@batched
def note_refunded(work: Work, events: Sequence[PaymentRefunded]) -> None:
    """Add refunds to the history."""
    work.session.execute(insert(PaymentHistory), [_row(work, e, "refund") for e in events])
