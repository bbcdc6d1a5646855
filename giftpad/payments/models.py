"""What one can pay with, by which terms, and what was paid."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from giftpad.kernel.db import Base

INSTANT = sa.DateTime(timezone=True)
TEXTS = ARRAY(sa.Text)


class PaymentRules(Base):
    """What every payment of one programme is judged by; empty ``groups`` or ``areas`` mean all."""

    __tablename__ = "payment_rules"
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    programme_id: Mapped[UUID] = mapped_column(primary_key=True)
    unit: Mapped[str]
    ceiling_minor: Mapped[int | None]
    groups: Mapped[list[str]] = mapped_column(TEXTS)
    areas: Mapped[list[str]] = mapped_column(TEXTS)


class PaymentTerms(Base):
    """What instruments made together share: validity and release; one row for a whole batch."""

    __tablename__ = "payment_terms"
    __table_args__ = (sa.CheckConstraint("starts_at < ends_at", name="period"),)
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    programme_id: Mapped[UUID]
    kind: Mapped[str]
    starts_at: Mapped[datetime] = mapped_column(INSTANT)
    ends_at: Mapped[datetime] = mapped_column(INSTANT)
    released_at: Mapped[datetime | None] = mapped_column(INSTANT)


class PaymentInstrument(Base):
    """An alias that opens an account: by the locator inside a QR, or the hash of a typed code."""

    __tablename__ = "payment_instruments"
    __table_args__ = (
        sa.UniqueConstraint("tenant_id", "code_hash"),
        sa.CheckConstraint("state IN ('live', 'blocked', 'replaced')", name="state_known"),
    )
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    locator: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    code_hash: Mapped[bytes]
    account_id: Mapped[UUID]
    terms_id: Mapped[UUID]
    state: Mapped[str]


class PaymentLocators(Base):
    """The tenant's next free locator; a batch takes a contiguous range."""

    __tablename__ = "payment_locators"
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    next_locator: Mapped[int]


class Payment(Base):
    """A payment; its transfer is the truth, and what came back is counted here under a guard."""

    __tablename__ = "payment_payments"
    __table_args__ = (
        sa.CheckConstraint("amount_minor > 0", name="amount_positive"),
        sa.CheckConstraint("refunded_minor BETWEEN 0 AND amount_minor", name="refund_within"),
        sa.CheckConstraint("voided_at IS NULL OR refunded_minor = 0", name="void_or_refund"),
    )
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    locator: Mapped[int]
    account_id: Mapped[UUID]
    programme_id: Mapped[UUID]
    shop_id: Mapped[UUID]
    unit: Mapped[str]
    amount_minor: Mapped[int]
    balance_after_minor: Mapped[int]
    refunded_minor: Mapped[int]
    voided_at: Mapped[datetime | None] = mapped_column(INSTANT)
    transfer_id: Mapped[UUID]
    client_id: Mapped[str]
    actor: Mapped[str]
    at: Mapped[datetime] = mapped_column(INSTANT)


class PaymentReversal(Base):
    """A void or a refund: written once, with the transfer that gave the value back."""

    __tablename__ = "payment_reversals"
    __table_args__ = (
        sa.CheckConstraint("kind IN ('void', 'refund')", name="kind_known"),
        sa.CheckConstraint("amount_minor > 0", name="amount_positive"),
        sa.Index("payment_reversals_kind_idx", "tenant_id", "kind", "payment_id"),
    )
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    payment_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    amount_minor: Mapped[int]
    balance_after_minor: Mapped[int]
    transfer_id: Mapped[UUID]
    reason: Mapped[str]
    actor: Mapped[str]
    at: Mapped[datetime] = mapped_column(INSTANT)


class PaymentHistory(Base):
    """The read side: every payment and reversal, found by shop or by account; fed by events."""

    __tablename__ = "payment_history"
    __table_args__ = (
        sa.Index("payment_history_shop_idx", "tenant_id", "shop_id", "payment_id"),
        sa.Index("payment_history_account_idx", "tenant_id", "account_id", "payment_id"),
        sa.Index("payment_history_programme_idx", "tenant_id", "programme_id", "payment_id"),
    )
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    payment_id: Mapped[UUID]
    kind: Mapped[str]
    account_id: Mapped[UUID]
    shop_id: Mapped[UUID]
    programme_id: Mapped[UUID]
    amount_minor: Mapped[int]
    balance_minor: Mapped[int]
    at: Mapped[datetime] = mapped_column(INSTANT)
