"""Tenants' own identity providers, and whose accounts there are linked."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from giftpad.kernel.db import Base

INSTANT = sa.DateTime(timezone=True)


class ConnectionRow(Base):
    """A tenant's own identity provider: what it is called, and what it said of itself.

    Its endpoints are those that its issuer named when they were read last, and no others.
    """

    __tablename__ = "identity_connections"
    __table_args__ = (
        sa.CheckConstraint("secret_in IN ('header', 'body')", name="secret_place_known"),
    )
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    issuer: Mapped[str]
    client_id: Mapped[str]
    secret_sealed: Mapped[bytes | None]
    secret_in: Mapped[str]
    algorithms: Mapped[list[str]] = mapped_column(JSONB)
    scopes: Mapped[list[str]] = mapped_column(JSONB)
    authorization_endpoint: Mapped[str]
    token_endpoint: Mapped[str]
    jwks_uri: Mapped[str]
    promises_issuer: Mapped[bool]
    created_at: Mapped[datetime] = mapped_column(INSTANT)
    read_at: Mapped[datetime] = mapped_column(INSTANT)
    disabled_at: Mapped[datetime | None] = mapped_column(INSTANT)


class LinkRow(Base):
    """Somebody's account at a tenant's provider, which they have linked themselves.

    Of the account only the blind index is kept.  It lies in the platform tenant, where people do.
    """

    __tablename__ = "identity_links"
    __table_args__ = (
        sa.UniqueConstraint("tenant_id", "connection_id", "person_id"),
        sa.Index(None, "tenant_id", "person_id"),
    )
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    connection_id: Mapped[UUID] = mapped_column(primary_key=True)
    subject_index: Mapped[bytes] = mapped_column(primary_key=True)
    home_tenant_id: Mapped[UUID]
    person_id: Mapped[UUID]
    created_at: Mapped[datetime] = mapped_column(INSTANT)
    used_at: Mapped[datetime | None] = mapped_column(INSTANT)
