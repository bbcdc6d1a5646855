"""Clients, people, memberships, signing keys and revocations.

What exists once for the whole installation lies in the platform tenant; what somebody may do in
a tenant lies in that tenant.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from giftpad.kernel.db import Base

INSTANT = sa.DateTime(timezone=True)


class ClientRow(Base):
    """A machine client as everybody knows it; of its secret only the hash is kept."""

    __tablename__ = "identity_clients"
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    home_tenant_id: Mapped[UUID]
    secret_hash: Mapped[bytes]
    created_at: Mapped[datetime] = mapped_column(INSTANT)
    disabled_at: Mapped[datetime | None] = mapped_column(INSTANT)


class ClientGrantRow(Base):
    """What a client may do in this tenant; a client with a shop acts for that shop only."""

    __tablename__ = "identity_client_grants"
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    client_id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    permissions: Mapped[list[str]] = mapped_column(JSONB)
    shop_id: Mapped[UUID | None]
    limits: Mapped[dict[str, int]] = mapped_column(JSONB)
    created_at: Mapped[datetime] = mapped_column(INSTANT)
    disabled_at: Mapped[datetime | None] = mapped_column(INSTANT)


class PersonRow(Base):
    """Somebody who signs in; name and address are sealed, the address is found by its index."""

    __tablename__ = "identity_people"
    __table_args__ = (sa.UniqueConstraint("tenant_id", "email_index"),)
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    email_sealed: Mapped[bytes]
    email_index: Mapped[bytes]
    name_sealed: Mapped[bytes]
    password_hash: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(INSTANT)
    disabled_at: Mapped[datetime | None] = mapped_column(INSTANT)
    delete_after: Mapped[datetime | None] = mapped_column(INSTANT)


class MembershipRow(Base):
    """A role of a person in this tenant, or in one shop of it."""

    __tablename__ = "identity_memberships"
    __table_args__ = (
        sa.UniqueConstraint(
            "tenant_id", "person_id", "role", "shop_id", postgresql_nulls_not_distinct=True
        ),
    )
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID]
    role: Mapped[str]
    shop_id: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(INSTANT)


class SigningKeyRow(Base):
    """A key that signs tokens: next, then current, then previous; or revoked.

    ``private_wrapped`` is gone as soon as the key signs no more.  ``kept_until`` is when the last
    token that a previous key has signed is surely over.
    """

    __tablename__ = "identity_signing_keys"
    __table_args__ = (
        sa.CheckConstraint(
            "state IN ('next', 'current', 'previous', 'revoked')", name="state_known"
        ),
        sa.Index(
            "identity_signing_keys_one_signs",
            "tenant_id",
            "state",
            unique=True,
            postgresql_where=sa.text("state IN ('next', 'current')"),
        ),
    )
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    kid: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[str]
    public: Mapped[dict[str, Any]] = mapped_column(JSONB)
    private_wrapped: Mapped[bytes | None]
    created_at: Mapped[datetime] = mapped_column(INSTANT)
    promoted_at: Mapped[datetime | None] = mapped_column(INSTANT)
    kept_until: Mapped[datetime | None] = mapped_column(INSTANT)
    revoked_at: Mapped[datetime | None] = mapped_column(INSTANT)


class RevocationRow(Base):
    """A client, a session, or one token by its id, that is believed no more before its time."""

    __tablename__ = "identity_revocations"
    __table_args__ = (
        sa.CheckConstraint("kind IN ('client', 'token', 'session')", name="kind_known"),
    )
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str] = mapped_column(primary_key=True)
    created_at: Mapped[datetime] = mapped_column(INSTANT)
    kept_until: Mapped[datetime] = mapped_column(INSTANT)


class SessionRow(Base):
    """A browser that somebody has signed in with, in one role of one tenant.

    It lies in the platform tenant, because people span tenants.  Of its secret only the hash is
    kept, of the browser only its family.
    """

    __tablename__ = "identity_sessions"
    __table_args__ = (sa.Index(None, "tenant_id", "person_id"),)
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID]
    home_tenant_id: Mapped[UUID]
    membership_id: Mapped[UUID]
    secret_hash: Mapped[bytes]
    agent: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(INSTANT)
    seen_at: Mapped[datetime] = mapped_column(INSTANT)
    expires_at: Mapped[datetime] = mapped_column(INSTANT)
    revoked_at: Mapped[datetime | None] = mapped_column(INSTANT)


class InvitationRow(Base):
    """A role that waits for whoever holds the link; it can be taken once."""

    __tablename__ = "identity_invitations"
    __table_args__ = (sa.UniqueConstraint("tenant_id", "code_hash"),)
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    code_hash: Mapped[bytes]
    role: Mapped[str]
    shop_id: Mapped[UUID | None]
    name_sealed: Mapped[bytes]
    email_sealed: Mapped[bytes | None]
    invited_by: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(INSTANT)
    expires_at: Mapped[datetime] = mapped_column(INSTANT)
    taken_at: Mapped[datetime | None] = mapped_column(INSTANT)
    revoked_at: Mapped[datetime | None] = mapped_column(INSTANT)
    delete_after: Mapped[datetime] = mapped_column(INSTANT)
