"""Tablets of shops, and the clerks who type a PIN on them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from giftpad.kernel.db import Base

INSTANT = sa.DateTime(timezone=True)


class PairingRow(Base):
    """A tablet that shows a code until somebody says which shop it is of.

    It lies in the platform tenant, because nobody knows before whose tablet it will be; what it
    becomes lies in its tenant.
    """

    __tablename__ = "identity_pairings"
    __table_args__ = (sa.UniqueConstraint("tenant_id", "user_code_hash"),)
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    secret_hash: Mapped[bytes] = mapped_column(primary_key=True)
    user_code_hash: Mapped[bytes]
    agent: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(INSTANT)
    expires_at: Mapped[datetime] = mapped_column(INSTANT)
    home_tenant_id: Mapped[UUID | None]
    terminal_id: Mapped[UUID | None]
    denied_at: Mapped[datetime | None] = mapped_column(INSTANT)


class TerminalRow(Base):
    """A tablet of a shop, and who is at it now.

    Of its secret only the hash is kept, and of the one before, by which an answer that was lost
    is told from a thief.  ``session_id`` is of whoever is at it: of a clerk, or of the tablet
    itself where no PIN is asked for.
    """

    __tablename__ = "identity_terminals"
    __table_args__ = (sa.Index(None, "tenant_id", "shop_id"),)
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    shop_id: Mapped[UUID]
    name: Mapped[str]
    agent: Mapped[str]
    secret_hash: Mapped[bytes | None]
    before_hash: Mapped[bytes | None]
    exchanged_at: Mapped[datetime | None] = mapped_column(INSTANT)
    paired_by: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(INSTANT)
    seen_at: Mapped[datetime] = mapped_column(INSTANT)
    expires_at: Mapped[datetime] = mapped_column(INSTANT)
    ended_at: Mapped[datetime | None] = mapped_column(INSTANT)
    session_id: Mapped[UUID | None]
    clerk_id: Mapped[UUID | None]
    opened_at: Mapped[datetime | None] = mapped_column(INSTANT)


class ClerkRow(Base):
    """Somebody who types a PIN at the tablets of a shop, with or without an account of their own.

    ``failures`` counts the tries since the last right one, each before it is judged.  The PIN goes
    with its clerk; the name of one without an account stays, because payments are of them.
    """

    __tablename__ = "identity_clerks"
    __table_args__ = (
        sa.Index(None, "tenant_id", "shop_id"),
        sa.CheckConstraint("failures >= 0", name="failures_counted"),
        sa.CheckConstraint("(membership_id IS NULL) = (person_id IS NULL)", name="whole_member"),
    )
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    shop_id: Mapped[UUID]
    name_sealed: Mapped[bytes]
    membership_id: Mapped[UUID | None]
    person_id: Mapped[UUID | None]
    pin_hash: Mapped[str]
    pin_kid: Mapped[int] = mapped_column(sa.BigInteger)
    failures: Mapped[int] = mapped_column(sa.BigInteger, server_default="0")
    created_at: Mapped[datetime] = mapped_column(INSTANT)
    removed_at: Mapped[datetime | None] = mapped_column(INSTANT)


class TillRow(Base):
    """How the tablets of a shop let somebody in; where there is none, no PIN is asked for."""

    __tablename__ = "identity_tills"
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    shop_id: Mapped[UUID] = mapped_column(primary_key=True)
    asks_pin: Mapped[bool]
    changed_at: Mapped[datetime] = mapped_column(INSTANT)
