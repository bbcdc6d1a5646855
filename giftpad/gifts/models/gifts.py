"""Gifts, what was claimed with them, and the thanks."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from giftpad.gifts.models.orders import INSTANT
from giftpad.gifts.rules.contracts import CHANNELS
from giftpad.gifts.rules.gifts import (
    CLAIM_STATES,
    DELIVERIES,
    HAND_REMINDERS_MAX,
    LINK_CHANGES,
    STATES,
    TIME_SLOTS,
)
from giftpad.kernel.db import Base, one_of
from giftpad.kernel.seal import column_place


class GiftRow(Base):
    """One gift: whose, from which order, how it stands, how its letter went.

    ``person_sealed`` holds name, address and note.  The link is written anew from ``locator``
    whenever it is sent; nothing at rest opens a gift.
    """

    __tablename__ = "gifts"
    __table_args__ = (
        sa.UniqueConstraint("tenant_id", "order_id", "number"),
        sa.UniqueConstraint("tenant_id", "locator"),
        sa.UniqueConstraint("tenant_id", "account_id"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "order_id"], ["gift_orders.tenant_id", "gift_orders.id"]
        ),
        sa.CheckConstraint(one_of("state", STATES), name="state_known"),
        sa.CheckConstraint(one_of("channel", CHANNELS), name="channel_known"),
        sa.CheckConstraint(one_of("delivery", DELIVERIES), name="delivery_known"),
        sa.CheckConstraint(
            "(state = 'outstanding') = (ended_at IS NULL)", name="ended_unless_outstanding"
        ),
        sa.CheckConstraint(
            "claimed_minor >= 0 AND cancelled_minor >= 0 AND expired_minor >= 0"
            " AND claimed_minor + cancelled_minor + expired_minor <= value_minor",
            name="parts_within",
        ),
        sa.CheckConstraint(
            "state = 'outstanding'"
            " OR claimed_minor + cancelled_minor + expired_minor = value_minor",
            name="whole_when_ended",
        ),
        sa.CheckConstraint(
            f"cardinality(hand_reminded_at) <= {HAND_REMINDERS_MAX}", name="hand_reminded_bounded"
        ),
        sa.Index(
            "gifts_external_key",
            "tenant_id",
            "external_id",
            unique=True,
            postgresql_where=sa.text("external_id <> ''"),
        ),
        sa.Index(
            "gifts_address_idx",
            "tenant_id",
            "address_index",
            postgresql_where=sa.text("address_index IS NOT NULL"),
        ),
        sa.Index(
            "gifts_undelivered_idx",
            "tenant_id",
            "order_id",
            postgresql_where=sa.text(
                "state = 'outstanding' AND delivery IN ('bounced', 'failed', 'unknown')"
            ),
        ),
        sa.Index(
            "gifts_ends_at_idx",
            "tenant_id",
            "ends_at",
            postgresql_where=sa.text("state = 'outstanding'"),
        ),
        sa.Index(
            "gifts_old_idx",
            "tenant_id",
            "delete_after",
            postgresql_where=sa.text("person_sealed <> ''::bytea"),
        ),
    )
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    order_id: Mapped[UUID]
    number: Mapped[int]
    locator: Mapped[int]
    account_id: Mapped[UUID]
    value_minor: Mapped[int]
    claimed_minor: Mapped[int] = mapped_column(server_default=sa.text("0"))
    cancelled_minor: Mapped[int] = mapped_column(server_default=sa.text("0"))
    expired_minor: Mapped[int] = mapped_column(server_default=sa.text("0"))
    state: Mapped[str]
    channel: Mapped[str]
    locale: Mapped[str]
    external_id: Mapped[str]
    person_sealed: Mapped[bytes]
    address_index: Mapped[bytes | None]
    """Finds a gift by the address it went to, as ``LineRow.address_index`` found the line."""
    delivery: Mapped[str]
    message_id: Mapped[UUID | None]
    resent: Mapped[int] = mapped_column(server_default=sa.text("0"))
    queued_at: Mapped[datetime | None] = mapped_column(INSTANT)
    """When the newest letter leaves at the earliest: what is written at night leaves later."""
    sent_at: Mapped[datetime | None] = mapped_column(INSTANT)
    delivered_at: Mapped[datetime | None] = mapped_column(INSTANT)
    opened_at: Mapped[datetime | None] = mapped_column(INSTANT)
    reminded_at: Mapped[datetime | None] = mapped_column(INSTANT)
    """When it was reminded of because it ends soon; what a person writes counts by itself.  Of
    both it is the instant at which the reminder leaves at the earliest, as in ``queued_at``."""
    hand_reminded_at: Mapped[list[datetime]] = mapped_column(
        ARRAY(INSTANT), server_default=sa.text("'{}'")
    )
    ends_at: Mapped[datetime] = mapped_column(INSTANT)
    ended_at: Mapped[datetime | None] = mapped_column(INSTANT)
    created_at: Mapped[datetime] = mapped_column(INSTANT)
    delete_after: Mapped[datetime] = mapped_column(INSTANT)
    first_sealed: Mapped[bytes | None]
    """Whom a gift was for that was passed on; ``person_sealed`` is whoever has it now."""
    passed_on_at: Mapped[datetime | None] = mapped_column(INSTANT)

    @property
    def left_minor(self) -> int:
        """What of its value nothing has become of yet."""
        return self.value_minor - self.claimed_minor - self.cancelled_minor - self.expired_minor

    @property
    def is_reminded_last(self) -> bool:
        """Whether the newest of its letters is a reminder."""
        return bool(self.queued_at) and self.queued_at in (
            self.reminded_at,
            *self.hand_reminded_at,
        )


class OldLinkRow(Base):
    """A link that opens its gift no more, for the gift has another one now.

    ``key`` is that of the form which passed a gift on: the same form again gets the same answer.
    """

    __tablename__ = "gift_old_links"
    __table_args__ = (
        sa.ForeignKeyConstraint(["tenant_id", "gift_id"], ["gifts.tenant_id", "gifts.id"]),
        sa.CheckConstraint(one_of("why", LINK_CHANGES), name="why_known"),
        sa.Index("gift_old_links_gift_idx", "tenant_id", "gift_id"),
    )
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    locator: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    gift_id: Mapped[UUID]
    why: Mapped[str]
    key: Mapped[str]
    at: Mapped[datetime] = mapped_column(INSTANT)


class ClaimRow(Base):
    """One thing that somebody chose with a gift and where it goes.

    At most one claim stands at a ``position`` of a gift: 0 for what is chosen of a course, 1 and
    on for what a balance buys.  One that was withdrawn because the goods had run out made room
    for the next.  ``product`` is what the catalogue said when it was chosen.
    """

    __tablename__ = "gift_claims"
    __table_args__ = (
        sa.Index(
            "gift_claims_gift_key",
            "tenant_id",
            "gift_id",
            "position",
            unique=True,
            postgresql_where=sa.text("state <> 'withdrawn'"),
        ),
        sa.Index("gift_claims_gift_idx", "tenant_id", "gift_id"),
        sa.ForeignKeyConstraint(["tenant_id", "gift_id"], ["gifts.tenant_id", "gifts.id"]),
        sa.CheckConstraint(one_of("state", CLAIM_STATES), name="state_known"),
        sa.CheckConstraint(one_of("time_slot", TIME_SLOTS), name="time_slot_known"),
        sa.Index(
            "gift_claims_supplier_idx",
            "tenant_id",
            "supplier",
            "state",
            postgresql_where=sa.text("state IN ('received', 'preparing', 'returned')"),
        ),
        sa.Index(
            "gift_claims_list_idx",
            "tenant_id",
            "list_id",
            postgresql_where=sa.text("list_id IS NOT NULL"),
        ),
        sa.Index(
            "gift_claims_old_idx",
            "tenant_id",
            "delete_after",
            postgresql_where=sa.text("address_sealed <> ''::bytea"),
        ),
    )
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    gift_id: Mapped[UUID]
    order_id: Mapped[UUID]
    position: Mapped[int] = mapped_column(server_default=sa.text("0"))
    value_minor: Mapped[int] = mapped_column(server_default=sa.text("0"))
    number: Mapped[str]
    key: Mapped[str]
    state: Mapped[str]
    product_id: Mapped[UUID]
    variant_id: Mapped[UUID]
    product: Mapped[dict[str, Any]] = mapped_column(JSONB)
    kind: Mapped[str]
    supplier: Mapped[str]
    address_sealed: Mapped[bytes]
    time_slot: Mapped[str]
    expected_on: Mapped[date | None]
    carrier: Mapped[str] = mapped_column(server_default=sa.text("''"))
    tracking: Mapped[str] = mapped_column(server_default=sa.text("''"))
    claimed_at: Mapped[datetime] = mapped_column(INSTANT)
    listed_at: Mapped[datetime | None] = mapped_column(INSTANT)
    list_id: Mapped[UUID | None]
    """The list by which its supplier was told of it; nothing stands on two."""
    shipped_at: Mapped[datetime | None] = mapped_column(INSTANT)
    changed_at: Mapped[datetime] = mapped_column(INSTANT)
    delete_after: Mapped[datetime] = mapped_column(INSTANT)


class BalanceRow(Base):
    """What of a gift was kept: a coupon on no paper, which shops of a programme take.

    ``spent_minor`` is what shops took of it less what they gave back; it follows the payments.
    """

    __tablename__ = "gift_balances"
    __table_args__ = (
        sa.UniqueConstraint("tenant_id", "gift_id", "key"),
        sa.UniqueConstraint("tenant_id", "account_id"),
        sa.ForeignKeyConstraint(["tenant_id", "gift_id"], ["gifts.tenant_id", "gifts.id"]),
        sa.CheckConstraint("amount_minor > 0", name="amount_positive"),
        sa.Index("gift_balances_order_idx", "tenant_id", "order_id"),
    )
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    gift_id: Mapped[UUID]
    order_id: Mapped[UUID]
    key: Mapped[str]
    programme_id: Mapped[UUID]
    locator: Mapped[int]
    account_id: Mapped[UUID]
    serial: Mapped[str]
    amount_minor: Mapped[int]
    spent_minor: Mapped[int] = mapped_column(server_default=sa.text("0"))
    used_at: Mapped[datetime | None] = mapped_column(INSTANT)
    kept_at: Mapped[datetime] = mapped_column(INSTANT)
    ends_on: Mapped[date]


class ThanksRow(Base):
    """What a recipient says to the sender."""

    __tablename__ = "gift_thanks"
    __table_args__ = (
        sa.ForeignKeyConstraint(["tenant_id", "gift_id"], ["gifts.tenant_id", "gifts.id"]),
        sa.Index("gift_thanks_order_idx", "tenant_id", "order_id", "at"),
        sa.Index(
            "gift_thanks_old_idx",
            "tenant_id",
            "delete_after",
            postgresql_where=sa.text("words_sealed <> ''::bytea"),
        ),
    )
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    gift_id: Mapped[UUID] = mapped_column(primary_key=True)
    order_id: Mapped[UUID]
    stamp: Mapped[str]
    words_sealed: Mapped[bytes]
    at: Mapped[datetime] = mapped_column(INSTANT)
    delete_after: Mapped[datetime] = mapped_column(INSTANT)


def person_place(tenant_id: UUID, gift_id: UUID, column: str = "person_sealed") -> str:
    """Name the place of what is sealed of a recipient, before and after the gift is issued."""
    return column_place(tenant_id, GiftRow.__tablename__, column, gift_id)


def claim_place(tenant_id: UUID, claim_id: UUID) -> str:
    """Name the place of the sealed address of a claim."""
    return column_place(tenant_id, ClaimRow.__tablename__, "address_sealed", claim_id)


def thanks_place(tenant_id: UUID, gift_id: UUID) -> str:
    """Name the place of the sealed words of thanks."""
    return column_place(tenant_id, ThanksRow.__tablename__, "words_sealed", gift_id)
