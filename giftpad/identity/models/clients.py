"""Clients, their APIs, the keys that sign, and what is believed no more."""

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
    """A client as everybody knows it; of its secret only the hash is kept, and some have none.

    ``audience`` is its API where that is not ours; ``leeway_s`` how long after its exchange the
    last refresh token may be shown again.
    """

    __tablename__ = "identity_clients"
    __table_args__ = (
        sa.CheckConstraint("kind IN ('machine', 'web', 'spa', 'device')", name="kind_known"),
        sa.CheckConstraint(
            "(secret_hash IS NOT NULL) = (kind IN ('machine', 'web'))", name="secret_fits"
        ),
        sa.CheckConstraint("leeway_s BETWEEN 0 AND 60", name="leeway_short"),
    )
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    home_tenant_id: Mapped[UUID]
    kind: Mapped[str] = mapped_column(server_default="machine")
    secret_hash: Mapped[bytes | None]
    redirect_uris: Mapped[list[str]] = mapped_column(JSONB, server_default="[]")
    logout_uris: Mapped[list[str]] = mapped_column(JSONB, server_default="[]")
    origins: Mapped[list[str]] = mapped_column(JSONB, server_default="[]")
    audience: Mapped[str] = mapped_column(server_default="")
    leeway_s: Mapped[int] = mapped_column(server_default="0")
    needs_challenge: Mapped[bool] = mapped_column(server_default=sa.true())
    created_at: Mapped[datetime] = mapped_column(INSTANT)
    disabled_at: Mapped[datetime | None] = mapped_column(INSTANT)


class ApiRow(Base):
    """An API of a tenant that our tokens can be for; ours is none of them."""

    __tablename__ = "identity_apis"
    __table_args__ = (
        sa.CheckConstraint("token_profile IN ('rfc9068', 'auth0')", name="profile_known"),
    )
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    audience: Mapped[str] = mapped_column(primary_key=True)
    home_tenant_id: Mapped[UUID]
    token_profile: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(INSTANT)


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
    """A client, session, authorisation, or token, that is believed no more before its time."""

    __tablename__ = "identity_revocations"
    __table_args__ = (
        sa.CheckConstraint(
            "kind IN ('client', 'token', 'session', 'authorisation')", name="kind_known"
        ),
    )
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str] = mapped_column(primary_key=True)
    created_at: Mapped[datetime] = mapped_column(INSTANT)
    kept_until: Mapped[datetime] = mapped_column(INSTANT)
