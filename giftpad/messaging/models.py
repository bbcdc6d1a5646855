"""Messages, sealed, and what became of them; runs of many; who is sending bulk just now."""

from __future__ import annotations

from datetime import datetime, time
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from giftpad.kernel.db import Base, one_of
from giftpad.kernel.seal import column_place
from giftpad.messaging.rules.sending import BULK, CHANNELS, CLOSED, OPEN, QUEUES, STATES
from giftpad.messaging.rules.suppressions import REASONS

INSTANT = sa.DateTime(timezone=True)


class MessageRow(Base):
    """One mail or SMS.

    Recipient and values are sealed; the values are gone as soon as they are not needed any more:
    when the message was taken, and a code's whatever became of it.  ``leased_until`` keeps two
    workers from sending it at once.  ``due_at`` is when an open message is put on its queue again
    if nothing else has moved it, and for a bulk message when it may be taken.  A message is not
    sent after ``send_before``.  ``run_id`` is what it was sent off with, ``reference`` what it is
    about, for whoever asked for it.  ``asks_first``: the provider is to be asked for it before it
    is handed over once more.
    """

    __tablename__ = "messaging_messages"
    __table_args__ = (
        sa.CheckConstraint(one_of("channel", CHANNELS), name="channel_known"),
        sa.CheckConstraint(one_of("queue", QUEUES), name="queue_known"),
        sa.CheckConstraint(one_of("state", STATES), name="state_known"),
        sa.CheckConstraint(f"({one_of('state', OPEN)}) = (due_at IS NOT NULL)", name="open_is_due"),
        sa.CheckConstraint(
            "(state = 'sending') = (leased_until IS NOT NULL)", name="sending_is_leased"
        ),
        sa.CheckConstraint(
            "values_sealed IS NULL"
            " OR state <> ALL (ARRAY['sent', 'delivered', 'bounced', 'expired'])",
            name="sent_is_forgotten",
        ),
        sa.CheckConstraint(
            "values_sealed IS NULL OR queue <> 'otp' OR state = ANY (ARRAY['queued', 'sending'])",
            name="code_is_forgotten",
        ),
        sa.CheckConstraint(
            f"run_id IS NULL OR {one_of('queue', BULK)}", name="only_bulk_is_in_a_run"
        ),
        sa.Index(
            "messaging_messages_due_idx",
            "tenant_id",
            "queue",
            "run_id",
            "due_at",
            postgresql_where=sa.text("due_at IS NOT NULL"),
        ),
        sa.Index(
            "messaging_messages_unknown_idx",
            "tenant_id",
            "id",
            postgresql_where=sa.text("state = 'unknown'"),
        ),
        sa.Index("messaging_messages_old_idx", "tenant_id", "delete_after"),
    )
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    channel: Mapped[str]
    queue: Mapped[str]
    template: Mapped[str]
    locale: Mapped[str]
    recipient_sealed: Mapped[bytes]
    values_sealed: Mapped[bytes | None]
    state: Mapped[str]
    attempts: Mapped[int] = mapped_column(sa.Integer, server_default=sa.text("0"))
    leased_until: Mapped[datetime | None] = mapped_column(INSTANT)
    due_at: Mapped[datetime | None] = mapped_column(INSTANT)
    send_before: Mapped[datetime | None] = mapped_column(INSTANT)
    run_id: Mapped[UUID | None]
    reference: Mapped[UUID | None]
    asks_first: Mapped[bool] = mapped_column(server_default=sa.text("false"))
    provider_id: Mapped[str] = mapped_column(server_default=sa.text("''"))
    last_error: Mapped[str] = mapped_column(server_default=sa.text("''"))
    created_at: Mapped[datetime] = mapped_column(INSTANT)
    sent_at: Mapped[datetime | None] = mapped_column(INSTANT)
    told_at: Mapped[datetime | None] = mapped_column(INSTANT)
    delete_after: Mapped[datetime] = mapped_column(INSTANT)


def suppression_place(tenant_id: UUID, suppression_id: UUID) -> str:
    """Name the place of what is shown of an address that is left alone."""
    return column_place(tenant_id, SuppressionRow.__tablename__, "shown_sealed", suppression_id)


def message_place(tenant_id: UUID, message_id: UUID, column: str) -> str:
    """Name the place of a message's sealed column."""
    return column_place(tenant_id, MessageRow.__tablename__, column, message_id)


class RunRow(Base):
    """Messages that were sent off together.

    Each closed state has a count, which moves in the transaction of the message; what is left of
    ``total`` waits.  From ``quiet_from`` until ``quiet_until``, in the tenant's zone, none leaves.
    """

    __tablename__ = "messaging_runs"
    __table_args__ = (
        sa.CheckConstraint(
            f"LEAST({', '.join(CLOSED)}, total - ({' + '.join(CLOSED)})) >= 0", name="counts_add_up"
        ),
        sa.Index("messaging_runs_old_idx", "tenant_id", "delete_after"),
    )
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    reference: Mapped[UUID | None]
    total: Mapped[int] = mapped_column(sa.BigInteger, server_default=sa.text("0"))
    sent: Mapped[int] = mapped_column(sa.BigInteger, server_default=sa.text("0"))
    delivered: Mapped[int] = mapped_column(sa.BigInteger, server_default=sa.text("0"))
    bounced: Mapped[int] = mapped_column(sa.BigInteger, server_default=sa.text("0"))
    failed: Mapped[int] = mapped_column(sa.BigInteger, server_default=sa.text("0"))
    unknown: Mapped[int] = mapped_column(sa.BigInteger, server_default=sa.text("0"))
    expired: Mapped[int] = mapped_column(sa.BigInteger, server_default=sa.text("0"))
    suppressed: Mapped[int] = mapped_column(sa.BigInteger, server_default=sa.text("0"))
    opened_at: Mapped[datetime] = mapped_column(INSTANT)
    paused_at: Mapped[datetime | None] = mapped_column(INSTANT)
    quiet_from: Mapped[time | None]
    quiet_until: Mapped[time | None]
    delete_after: Mapped[datetime] = mapped_column(INSTANT)


class RunMinuteRow(Base):
    """How many messages of a run were finished in one minute: what its end is estimated from."""

    __tablename__ = "messaging_run_minutes"
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    run_id: Mapped[UUID] = mapped_column(primary_key=True)
    minute: Mapped[datetime] = mapped_column(INSTANT, primary_key=True)
    began_at: Mapped[datetime] = mapped_column(INSTANT)
    done: Mapped[int] = mapped_column(sa.BigInteger)


class LetterheadRow(Base):
    """In whose name a tenant's letters are sent, and its own words for them; see its pack."""

    __tablename__ = "messaging_letterheads"
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    sender: Mapped[str]
    sender_names: Mapped[dict[str, str]] = mapped_column(JSONB)
    reply_to: Mapped[str]
    return_path: Mapped[str]
    wordings: Mapped[dict[str, Any]] = mapped_column(JSONB)


class SuppressionRow(Base):
    """An address nothing is sent to any more, found by a blind index; never deleted by lifting.

    What is shown of it is masked, and sealed all the same; nothing, where only a link told of it.
    """

    __tablename__ = "messaging_suppressions"
    __table_args__ = (
        sa.CheckConstraint(one_of("channel", CHANNELS), name="channel_known"),
        sa.CheckConstraint(one_of("reason", REASONS), name="reason_known"),
        sa.Index(
            "messaging_suppressions_address_idx",
            "tenant_id",
            "address_index",
            "reason",
            unique=True,
            postgresql_where=sa.text("lifted_at IS NULL"),
        ),
        sa.Index("messaging_suppressions_old_idx", "tenant_id", "delete_after"),
    )
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    channel: Mapped[str]
    address_index: Mapped[bytes]
    shown_sealed: Mapped[bytes | None]
    reason: Mapped[str]
    message_id: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(INSTANT)
    lifted_at: Mapped[datetime | None] = mapped_column(INSTANT)
    lifted_by: Mapped[str] = mapped_column(server_default=sa.text("''"))
    delete_after: Mapped[datetime] = mapped_column(INSTANT)


class LineRow(Base):
    """A place for one worker that sends a tenant's bulk: free once ``held_until`` is over."""

    __tablename__ = "messaging_lines"
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    queue: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(sa.Integer, primary_key=True)
    held_until: Mapped[datetime | None] = mapped_column(INSTANT)
