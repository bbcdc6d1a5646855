"""Contracts, money paid in, orders, and their recipients while an order is being prepared."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from giftpad.gifts.rules.contracts import CHANNELS, CODE, NAMED
from giftpad.gifts.rules.orders import CODES_MAX, COURSE, DRAFT, KINDS, STATES
from giftpad.kernel.db import Base, one_of

INSTANT = sa.DateTime(timezone=True)


class ContractRow(Base):
    """The terms of a tenant, and the number that its next order gets."""

    __tablename__ = "gift_contracts"
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    terms: Mapped[dict[str, Any]] = mapped_column(JSONB)
    credit_minor: Mapped[int] = mapped_column(server_default=sa.text("0"))
    """How much of the deposit is credit, as booked."""
    next_invoice: Mapped[int] = mapped_column(server_default=sa.text("1"))
    next_number: Mapped[int] = mapped_column(server_default=sa.text("1"))
    changed_at: Mapped[datetime] = mapped_column(INSTANT)


class DepositRow(Base):
    """Money that a tenant paid in for gifts; what was booked by mistake is taken back once."""

    __tablename__ = "gift_deposits"
    __table_args__ = (
        sa.UniqueConstraint("tenant_id", "reference"),
        sa.CheckConstraint("amount_minor > 0", name="amount_positive"),
    )
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    reference: Mapped[str]
    amount_minor: Mapped[int]
    actor: Mapped[str]
    at: Mapped[datetime] = mapped_column(INSTANT)
    reversed_at: Mapped[datetime | None] = mapped_column(INSTANT)


class OrderRow(Base):
    """One gift order.

    What is NULL in a draft is set when it is submitted: value, fees and terms stay as they were
    agreed then.  ``issued_to`` counts the gifts that are issued, in the order of their ``seq``.
    An order for ``codes`` has no recipients: so many gifts, numbered from 1, are for whoever gets
    them.  A balance may be spent on the products of ``course_id`` and kept in ``programme_id``,
    until ``balance_until``, which is settled when it is approved.
    """

    __tablename__ = "gift_orders"
    __table_args__ = (
        sa.UniqueConstraint("tenant_id", "number"),
        sa.CheckConstraint(one_of("state", STATES), name="state_known"),
        sa.CheckConstraint(one_of("channel", CHANNELS), name="channel_known"),
        sa.CheckConstraint(one_of("kind", KINDS), name="kind_known"),
        sa.CheckConstraint(
            "(state = 'draft') = (submitted_at IS NULL)", name="submitted_unless_draft"
        ),
        sa.CheckConstraint("issued_to BETWEEN 0 AND quantity", name="issued_bounded"),
        sa.CheckConstraint(f"codes BETWEEN 0 AND {CODES_MAX}", name="codes_bounded"),
        sa.CheckConstraint(f"(channel = '{CODE}') = (codes > 0)", name="codes_by_channel"),
        sa.Index(
            "gift_orders_open_idx",
            "tenant_id",
            "state",
            postgresql_where=sa.text("state <> 'closed'"),
        ),
    )
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int]
    state: Mapped[str] = mapped_column(server_default=sa.text(f"'{DRAFT}'"))
    title: Mapped[str]
    design: Mapped[str]
    sender_name: Mapped[str]
    message: Mapped[str]
    locale: Mapped[str]
    channel: Mapped[str]
    codes: Mapped[int] = mapped_column(server_default=sa.text("0"))
    kind: Mapped[str] = mapped_column(server_default=sa.text(f"'{COURSE}'"))
    course_id: Mapped[UUID | None]
    amount_minor: Mapped[int | None]
    programme_id: Mapped[UUID | None]
    balance_until: Mapped[date | None]
    send_at: Mapped[datetime | None] = mapped_column(INSTANT)
    claim_by: Mapped[date | None]
    repeats_meant: Mapped[bool] = mapped_column(server_default=sa.text("false"))
    can_be_passed_on: Mapped[bool] = mapped_column(server_default=sa.text("false"))
    unit: Mapped[str]
    value_minor: Mapped[int | None]
    fees_minor: Mapped[int | None]
    fee_terms: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    """Gifts and fee by channel, and the tax in it, as they were agreed with ``fees_minor``."""
    unclaimed: Mapped[str | None]
    quantity: Mapped[int] = mapped_column(server_default=sa.text("0"))
    issued_to: Mapped[int] = mapped_column(server_default=sa.text("0"))
    locator_first: Mapped[int | None]
    kid: Mapped[int | None] = mapped_column(sa.SmallInteger)
    run_id: Mapped[UUID | None]
    created_by: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(INSTANT)
    changed_at: Mapped[datetime] = mapped_column(INSTANT)
    submitted_by: Mapped[str | None]
    submitted_at: Mapped[datetime | None] = mapped_column(INSTANT)
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None] = mapped_column(INSTANT)
    refusal: Mapped[str] = mapped_column(server_default=sa.text("''"))
    lapsed_at: Mapped[datetime | None] = mapped_column(INSTANT)
    """When it became a draft again because nobody had approved it; NULL once it is submitted."""
    starts_at: Mapped[datetime | None] = mapped_column(INSTANT)
    sent_at: Mapped[datetime | None] = mapped_column(INSTANT)
    closed_at: Mapped[datetime | None] = mapped_column(INSTANT)


class LineRow(Base):
    """A recipient of an order that is not issued yet; it is gone when the gift is there.

    ``cells_sealed`` is what was typed, ``person_sealed`` what was understood; both seal with the
    place of the gift that the line becomes, so that it need not be opened to become one.
    ``address_index`` finds the same address again.
    """

    __tablename__ = "gift_lines"
    __table_args__ = (
        sa.UniqueConstraint("tenant_id", "order_id", "number"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "order_id"], ["gift_orders.tenant_id", "gift_orders.id"]
        ),
        sa.CheckConstraint(one_of("channel", NAMED), name="channel_known"),
        sa.Index("gift_lines_address_idx", "tenant_id", "order_id", "address_index"),
        sa.Index("gift_lines_external_idx", "tenant_id", "order_id", "external_id"),
        sa.Index(
            "gift_lines_old_idx",
            "tenant_id",
            "delete_after",
            postgresql_where=sa.text("seq IS NULL"),
        ),
    )
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    order_id: Mapped[UUID]
    number: Mapped[int]
    seq: Mapped[int | None]
    """Its place among the gifts of the order, from 0; set when the order is submitted."""
    channel: Mapped[str]
    locale: Mapped[str]
    external_id: Mapped[str]
    address_index: Mapped[bytes | None]
    cells_sealed: Mapped[bytes]
    person_sealed: Mapped[bytes]
    faults: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    created_at: Mapped[datetime] = mapped_column(INSTANT)
    delete_after: Mapped[datetime] = mapped_column(INSTANT)
