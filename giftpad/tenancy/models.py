"""The tables of tenants, of their ring keys and of the addresses that were ever printed."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from giftpad.kernel.db import Base


class TenantRow(Base):
    """An organisation; the one table that belongs to no tenant.

    ``tag`` is the 20-bit number inside a QR, ``org_id`` the name that tokens carry, ``pack_hash``
    the fingerprint of the pack that was applied last.  ``theme`` holds the colours of pages,
    ``light`` and ``dark``, and is empty where the house's own are in force.
    """

    __tablename__ = "tenants"
    __table_args__ = (
        sa.CheckConstraint("tag BETWEEN 0 AND 1048575", name="tag_has_20_bits"),
        sa.CheckConstraint("kind IN ('platform', 'municipal', 'corporate')", name="kind_known"),
        sa.UniqueConstraint("slug"),
        sa.UniqueConstraint("tag"),
        sa.UniqueConstraint("org_id"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    slug: Mapped[str]
    tag: Mapped[int] = mapped_column(sa.Integer)
    org_id: Mapped[str]
    name: Mapped[dict[str, str]] = mapped_column(JSONB)
    kind: Mapped[str]
    zone: Mapped[str]
    locale: Mapped[str]
    features: Mapped[list[str]] = mapped_column(JSONB)
    contact: Mapped[dict[str, Any]] = mapped_column(JSONB)
    pack_hash: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(sa.DateTime(timezone=True))
    suspended_at: Mapped[datetime | None] = mapped_column(sa.DateTime(timezone=True))
    theme: Mapped[dict[str, dict[str, str]]] = mapped_column(
        JSONB, server_default=sa.text("'{}'::jsonb")
    )
    # Not read with every tenant: nobody needs all logos at once.
    logo: Mapped[str | None] = mapped_column(deferred=True)


class RingKeyRow(Base):
    """A random key of a tenant, wrapped by the key-encryption key.

    ``kid`` is the symbol inside a QR.  A retired key makes nothing new; it still opens what it
    made, and its row goes only when no paper with its ``kid`` is valid any more.
    """

    __tablename__ = "tenancy_ring_keys"
    __table_args__ = (sa.CheckConstraint("kid BETWEEN 0 AND 31", name="kid_is_one_symbol"),)
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    kid: Mapped[int] = mapped_column(sa.SmallInteger, primary_key=True, autoincrement=False)
    wrapped: Mapped[bytes]
    created_at: Mapped[datetime] = mapped_column(sa.DateTime(timezone=True))
    retired_at: Mapped[datetime | None] = mapped_column(sa.DateTime(timezone=True))


class PrintedAddressRow(Base):
    """A public address, in capitals, that this installation has put into QR codes."""

    __tablename__ = "tenancy_printed_addresses"
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    address: Mapped[str] = mapped_column(primary_key=True)
    created_at: Mapped[datetime] = mapped_column(sa.DateTime(timezone=True))
