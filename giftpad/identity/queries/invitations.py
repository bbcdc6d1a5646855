"""Invitations: which wait, and which one a link leads to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from giftpad import tenancy
from giftpad.identity.errors import InvitationNotFound
from giftpad.identity.models import InvitationRow
from giftpad.kernel.bearer import hash_secret
from giftpad.kernel.seal import column_place
from giftpad.kernel.work import Scope, Work, unit_of_work

INVITATIONS_MAX = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationView:
    """A role that waits for somebody; the name and address are what the inviter wrote."""

    id: UUID
    tenant_id: UUID
    role: str
    shop_id: UUID | None
    name: str
    email: str | None
    created_at: datetime
    expires_at: datetime


def invitation_place(tenant_id: UUID, invitation_id: UUID, column: str) -> str:
    """Name the place of an invitation's sealed column."""
    return column_place(tenant_id, InvitationRow.__tablename__, column, invitation_id)


def _open(row: InvitationRow, column: str, sealed: bytes) -> str:
    place = invitation_place(row.tenant_id, row.id, column)
    return tenancy.open_text(row.tenant_id, place, sealed)


def _to_view(row: InvitationRow) -> InvitationView:
    sealed = row.email_sealed
    return InvitationView(
        id=row.id,
        tenant_id=row.tenant_id,
        role=row.role,
        shop_id=row.shop_id,
        name=_open(row, "name_sealed", row.name_sealed),
        email=_open(row, "email_sealed", sealed) if sealed is not None else None,
        created_at=row.created_at,
        expires_at=row.expires_at,
    )


def is_open(work: Work) -> sa.ColumnElement[bool]:
    """Tell the invitations of a tenant that can be taken now."""
    return sa.and_(
        InvitationRow.tenant_id == work.tenant_id,
        InvitationRow.taken_at.is_(None),
        InvitationRow.revoked_at.is_(None),
        InvitationRow.expires_at > work.at,
    )


def split_code(code: str) -> tuple[tenancy.Tenant, bytes]:
    """Return the tenant that a link's code names, and the hash of its secret part.

    Raises: InvitationNotFound.
    """
    slug, _, secret = code.partition(".")
    tenant = tenancy.find_tenant_by_slug(slug)
    if tenant is None or tenant.is_suspended or not secret:
        raise InvitationNotFound
    return tenant, hash_secret(secret)


def find_invitation(code: str) -> InvitationView:
    """Return the invitation that a link leads to, if it can be taken; nothing changes by this.

    Raises: InvitationNotFound.
    """
    tenant, code_hash = split_code(code)
    with unit_of_work(Scope(tenant_id=tenant.id)) as work:
        row = work.session.scalars(
            sa.select(InvitationRow).where(is_open(work), InvitationRow.code_hash == code_hash)
        ).one_or_none()
    if row is None:
        raise InvitationNotFound
    return _to_view(row)


def list_invitations(scope: Scope) -> list[InvitationView]:
    """Return the invitations of a tenant that can still be taken, newest first."""
    with unit_of_work(scope) as work:
        rows = list(
            work.session.scalars(
                sa.select(InvitationRow)
                .where(is_open(work))
                .order_by(InvitationRow.created_at.desc(), InvitationRow.id.desc())
                .limit(INVITATIONS_MAX)
            )
        )
    return [_to_view(row) for row in rows]
