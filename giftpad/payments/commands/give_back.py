"""Giving back: void a payment of today whole, or refund a part of any."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa

from giftpad import audit, events, ledger, tenancy
from giftpad.kernel.clock import local_date
from giftpad.kernel.ids import new_id
from giftpad.kernel.work import Work
from giftpad.payments.errors import (
    PaymentNotFound,
    PaymentWrongState,
    RefundAfterExpiry,
    RefundTooMuch,
    VoidTooLate,
)
from giftpad.payments.events import PaymentRefunded, PaymentVoided
from giftpad.payments.models import Payment, PaymentInstrument, PaymentReversal, PaymentTerms
from giftpad.payments.queries import last_day
from giftpad.payments.rules import Given, state_of


def _lock_payment(work: Work, payment_id: UUID) -> Payment:
    payment = work.session.execute(
        sa.select(Payment)
        .where(Payment.tenant_id == work.tenant_id, Payment.id == payment_id)
        .with_for_update(key_share=True)
    ).scalar_one_or_none()
    shop_id = work.scope.actor.shop_id
    if payment is None or (shop_id is not None and payment.shop_id != shop_id):
        raise PaymentNotFound
    return payment


def void(work: Work, payment_id: UUID, *, reason: str = "") -> Given:
    """Undo a payment of today whole; the value is back on what it was paid with.

    Locks: the payment, then the two accounts.
    Raises: PaymentNotFound, PaymentWrongState, VoidTooLate.
    Publishes: payment.voided_v1.
    """
    payment = _lock_payment(work, payment_id)
    state = state_of(payment.amount_minor, payment.refunded_minor, payment.voided_at)
    if state != "captured":
        raise PaymentWrongState(state=state)
    zone = tenancy.get_tenant(work.tenant_id).zone
    if local_date(payment.at, zone) != local_date(work.at, zone):
        raise VoidTooLate
    payment.voided_at = work.at
    return _give_back(work, payment, payment.amount_minor, kind="void", reason=reason)


def refund(work: Work, payment_id: UUID, amount_minor: int | None, *, reason: str = "") -> Given:
    """Give back a part of a payment, or with None all that is left of it.

    Locks: the payment, then the two accounts.
    Raises: PaymentNotFound, PaymentWrongState, RefundTooMuch, RefundAfterExpiry.
    Publishes: payment.refunded_v1.
    """
    payment = _lock_payment(work, payment_id)
    state = state_of(payment.amount_minor, payment.refunded_minor, payment.voided_at)
    if state in ("voided", "refunded"):
        raise PaymentWrongState(state=state)
    left = payment.amount_minor - payment.refunded_minor
    amount = left if amount_minor is None else amount_minor
    if not 0 < amount <= left:
        raise RefundTooMuch(refundable_minor=left, unit=payment.unit)
    ends_at = work.session.execute(
        sa.select(PaymentTerms.ends_at)
        .join(
            PaymentInstrument,
            (PaymentInstrument.tenant_id == PaymentTerms.tenant_id)
            & (PaymentInstrument.terms_id == PaymentTerms.id),
        )
        .where(
            PaymentInstrument.tenant_id == work.tenant_id,
            PaymentInstrument.locator == payment.locator,
        )
    ).scalar_one()
    if work.at >= ends_at:
        zone = tenancy.get_tenant(work.tenant_id).zone
        raise RefundAfterExpiry(last_day=last_day(ends_at, zone))
    payment.refunded_minor += amount
    return _give_back(work, payment, amount, kind="refund", reason=reason)


def _give_back(work: Work, payment: Payment, amount: int, *, kind: str, reason: str) -> Given:
    payable = ledger.find_account(work, payment.programme_id, "shop_payable", payment.shop_id)
    assert payable is not None
    order = ledger.Transfer(
        id=new_id(),
        entry_id=payment.id,
        kind=kind,
        debit_id=payable,
        credit_id=payment.account_id,
        amount_minor=amount,
        reverses_id=payment.transfer_id,
    )
    balance = ledger.transfer(work, order).credit_after_minor
    assert balance is not None
    actor = work.scope.actor
    reversal = PaymentReversal(
        tenant_id=work.tenant_id,
        payment_id=payment.id,
        id=new_id(),
        kind=kind,
        amount_minor=amount,
        balance_after_minor=balance,
        transfer_id=order.id,
        reason=reason,
        actor=f"{actor.kind}:{actor.id}",
        at=work.at,
    )
    work.session.add(reversal)
    _tell(work, payment, reversal)
    return Given(
        id=reversal.id,
        payment_id=payment.id,
        kind=kind,
        state=state_of(payment.amount_minor, payment.refunded_minor, payment.voided_at),
        amount_minor=amount,
        balance_minor=balance,
        refunded_minor=payment.refunded_minor,
        unit=payment.unit,
        at=work.at,
    )


def _tell(work: Work, payment: Payment, reversal: PaymentReversal) -> None:
    event = PaymentVoided if reversal.kind == "void" else PaymentRefunded
    events.publish(
        work,
        event(
            object_id=payment.id,
            reversal_id=reversal.id,
            account_id=payment.account_id,
            programme_id=payment.programme_id,
            shop_id=payment.shop_id,
            unit=payment.unit,
            amount_minor=reversal.amount_minor,
            balance_minor=reversal.balance_after_minor,
            transfer_id=reversal.transfer_id,
            at=reversal.at,
        ),
    )
    audit.record(
        work,
        action=f"payment.{reversal.kind}",
        subject=f"payment:{payment.id}",
        details={"amount_minor": reversal.amount_minor, "reason": reversal.reason},
    )
