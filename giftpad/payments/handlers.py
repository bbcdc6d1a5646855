"""Keep the read side: one row of history for every payment, void and refund."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from giftpad.events import batched
from giftpad.kernel.arrays import InstantArray, IntegerArray, UuidArray
from giftpad.kernel.work import Work
from giftpad.payments.events import PaymentCaptured, PaymentRefunded, PaymentVoided

# One array a column: the cost of a row is that of storing it.
_ADD = sa.text("""
    INSERT INTO payment_history (tenant_id, kind, id, payment_id, account_id, shop_id, programme_id,
        amount_minor, balance_minor, at)
    SELECT :tenant, :kind, * FROM unnest(
        CAST(:ids AS uuid[]), CAST(:payments AS uuid[]), CAST(:accounts AS uuid[]),
        CAST(:shops AS uuid[]), CAST(:programmes AS uuid[]),
        CAST(:amounts AS bigint[]), CAST(:balances AS bigint[]), CAST(:instants AS timestamptz[]))
""")


def _add(
    work: Work, kind: str, events: Sequence[PaymentCaptured | PaymentVoided | PaymentRefunded]
) -> None:
    work.session.execute(
        _ADD,
        {
            "tenant": work.tenant_id,
            "kind": kind,
            "ids": UuidArray.of(
                (e.object_id if isinstance(e, PaymentCaptured) else e.reversal_id).bytes
                for e in events
            ),
            "payments": UuidArray.of(e.object_id.bytes for e in events),
            "accounts": UuidArray.of(e.account_id.bytes for e in events),
            "shops": UuidArray.of(e.shop_id.bytes for e in events),
            "programmes": UuidArray.of(e.programme_id.bytes for e in events),
            "amounts": IntegerArray.of(e.amount_minor for e in events),
            "balances": IntegerArray.of(e.balance_minor for e in events),
            "instants": InstantArray.of(e.at for e in events),
        },
    )


@batched
def note_captured(work: Work, events: Sequence[PaymentCaptured]) -> None:
    """Add payments to the history."""
    _add(work, "pay", events)


@batched
def note_voided(work: Work, events: Sequence[PaymentVoided]) -> None:
    """Add voids to the history."""
    _add(work, "void", events)


@batched
def note_refunded(work: Work, events: Sequence[PaymentRefunded]) -> None:
    """Add refunds to the history."""
    _add(work, "refund", events)
