"""The ledger's two tables."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from giftpad.kernel.db import Base


class LedgerAccount(Base):
    """An account; ``balance_minor`` is NULL where no running balance is kept.

    ``seq`` counts the transfers of a guarded account, so that its chain of balances can be
    followed one by one.
    """

    __tablename__ = "ledger_accounts"
    __table_args__ = (
        sa.CheckConstraint("balance_minor >= 0", name="balance_not_negative"),
        sa.CheckConstraint("(balance_minor IS NULL) = (seq IS NULL)", name="guarded_has_seq"),
        sa.Index(
            "ledger_accounts_subject_key",
            "tenant_id",
            "book_id",
            "kind",
            "subject_id",
            unique=True,
            postgresql_where=sa.text("subject_id IS NOT NULL"),
        ),
    )
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    book_id: Mapped[UUID]
    kind: Mapped[str]
    unit: Mapped[str]
    subject_id: Mapped[UUID | None]
    balance_minor: Mapped[int | None]
    seq: Mapped[int | None] = mapped_column(sa.Integer)


class LedgerTransfer(Base):
    """One movement of value, written once, never updated or deleted.

    ``*_after_minor`` and ``*_seq`` are the balance and the place in the chain of the guarded
    side.  A correction is a new transfer the other way round with ``reverses_id`` set.
    """

    __tablename__ = "ledger_transfers"
    __table_args__ = (
        sa.CheckConstraint("amount_minor > 0", name="amount_positive"),
        sa.CheckConstraint("debit_id <> credit_id", name="two_accounts"),
    )
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    entry_id: Mapped[UUID]
    kind: Mapped[str]
    debit_id: Mapped[UUID]
    credit_id: Mapped[UUID]
    amount_minor: Mapped[int]
    debit_after_minor: Mapped[int | None]
    debit_seq: Mapped[int | None] = mapped_column(sa.Integer)
    credit_after_minor: Mapped[int | None]
    credit_seq: Mapped[int | None] = mapped_column(sa.Integer)
    reverses_id: Mapped[UUID | None]
    at: Mapped[datetime] = mapped_column(sa.DateTime(timezone=True))
