"""People: who they are, their roles, where they are signed in, what they ask of the door."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from giftpad.kernel.db import Base

INSTANT = sa.DateTime(timezone=True)


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


class SessionRow(Base):
    """A browser that somebody has signed in with, in one role of one tenant.

    It lies in the platform tenant, because people span tenants.  Of its secret only the hash is
    kept, of the browser only its family.  ``amr`` says how they proved who they are, and
    ``proved_at`` when, unless that was at its beginning.  A visit of an operator has the visit as
    its membership, and ``visits_from`` is their role in the platform.  One that a tenant's own
    provider has opened names the ``connection_id``, and never leaves that tenant.
    """

    __tablename__ = "identity_sessions"
    __table_args__ = (sa.Index(None, "tenant_id", "person_id"),)
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID]
    home_tenant_id: Mapped[UUID]
    membership_id: Mapped[UUID]
    visits_from: Mapped[UUID | None]
    secret_hash: Mapped[bytes]
    agent: Mapped[str]
    amr: Mapped[list[str]] = mapped_column(JSONB, server_default='["pwd"]')
    connection_id: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(INSTANT)
    proved_at: Mapped[datetime | None] = mapped_column(INSTANT)
    seen_at: Mapped[datetime] = mapped_column(INSTANT)
    expires_at: Mapped[datetime] = mapped_column(INSTANT)
    revoked_at: Mapped[datetime | None] = mapped_column(INSTANT)


class VisitRow(Base):
    """An operator who is in this tenant for a while, with the reason they gave.

    ``from_membership_id`` is their role in the platform: the visit is over when that is.
    """

    __tablename__ = "identity_visits"
    __table_args__ = (
        sa.CheckConstraint("role IN ('visitor', 'visiting_viewer')", name="role_known"),
        sa.CheckConstraint("ends_at > began_at", name="ends_later"),
        sa.Index(
            "identity_visits_open_idx", "tenant_id", postgresql_where=sa.text("ended_at IS NULL")
        ),
    )
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID]
    from_membership_id: Mapped[UUID]
    role: Mapped[str]
    reason: Mapped[str]
    began_at: Mapped[datetime] = mapped_column(INSTANT)
    ends_at: Mapped[datetime] = mapped_column(INSTANT)
    ended_at: Mapped[datetime | None] = mapped_column(INSTANT)


class PolicyRow(Base):
    """Of whom a tenant asks a second step: of its keepers, as everywhere, or of everyone."""

    __tablename__ = "identity_policies"
    __table_args__ = (
        sa.CheckConstraint("second_step IN ('keepers', 'everyone')", name="second_step_known"),
    )
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    second_step: Mapped[str]
    changed_at: Mapped[datetime] = mapped_column(INSTANT)
