"""What people let clients and devices do: codes, families of tokens, waiting devices."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from giftpad.kernel.db import Base

INSTANT = sa.DateTime(timezone=True)


class AuthorisationRow(Base):
    """What a person has let a client do for them, from one sign-in: a family of tokens.

    ``session_id`` is of the browser they signed in with; a device has its own, of no browser.
    """

    __tablename__ = "identity_authorisations"
    __table_args__ = (
        sa.Index(None, "tenant_id", "person_id"),
        sa.Index(None, "tenant_id", "session_id"),
    )
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    client_id: Mapped[str]
    person_id: Mapped[UUID]
    home_tenant_id: Mapped[UUID]
    membership_id: Mapped[UUID]
    session_id: Mapped[UUID]
    scope: Mapped[str]
    audience: Mapped[str]
    amr: Mapped[list[str]] = mapped_column(JSONB)
    agent: Mapped[str]
    proved_at: Mapped[datetime] = mapped_column(INSTANT)
    created_at: Mapped[datetime] = mapped_column(INSTANT)
    seen_at: Mapped[datetime] = mapped_column(INSTANT)
    expires_at: Mapped[datetime] = mapped_column(INSTANT)
    revoked_at: Mapped[datetime | None] = mapped_column(INSTANT)


class CodeRow(Base):
    """An authorization code on its way through a browser; kept after use, to know a second one."""

    __tablename__ = "identity_codes"
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    code_hash: Mapped[bytes] = mapped_column(primary_key=True)
    client_id: Mapped[str]
    authorisation_id: Mapped[UUID]
    redirect_uri: Mapped[str]
    code_challenge: Mapped[str]
    nonce: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(INSTANT)
    expires_at: Mapped[datetime] = mapped_column(INSTANT)
    used_at: Mapped[datetime | None] = mapped_column(INSTANT)


class RefreshTokenRow(Base):
    """One of the tokens by which a client goes on; each is good once, and kept to know a thief."""

    __tablename__ = "identity_refresh_tokens"
    __table_args__ = (sa.Index(None, "tenant_id", "authorisation_id"),)
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    token_hash: Mapped[bytes] = mapped_column(primary_key=True)
    authorisation_id: Mapped[UUID]
    generation: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(INSTANT)
    retired_at: Mapped[datetime | None] = mapped_column(INSTANT)


class DeviceRow(Base):
    """A device that waits until somebody approves it elsewhere, by a code it shows."""

    __tablename__ = "identity_devices"
    __table_args__ = (sa.UniqueConstraint("tenant_id", "user_code_hash"),)
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    device_hash: Mapped[bytes] = mapped_column(primary_key=True)
    user_code_hash: Mapped[bytes]
    client_id: Mapped[str]
    scope: Mapped[str]
    audience: Mapped[str]
    interval_s: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(INSTANT)
    expires_at: Mapped[datetime] = mapped_column(INSTANT)
    polled_at: Mapped[datetime | None] = mapped_column(INSTANT)
    authorisation_id: Mapped[UUID | None]
    denied_at: Mapped[datetime | None] = mapped_column(INSTANT)
    used_at: Mapped[datetime | None] = mapped_column(INSTANT)
