"""Second factors of a person, and who must have one."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from giftpad.identity.models import AuthenticatorRow, PasskeyRow, PolicyRow, RecoveryCodeRow
from giftpad.identity.queries.sessions import list_memberships
from giftpad.identity.queries.trust import PLATFORM
from giftpad.identity.rules import (
    DEFAULT_POLICY,
    WRONG_CODES_MAX,
    Membership,
    has_second_step,
    needs_second_step,
)
from giftpad.kernel.work import Scope, Work, unit_of_work


@dataclass(frozen=True, slots=True, kw_only=True)
class PasskeyView:
    """A passkey as its owner knows it: by where it was made."""

    id: UUID
    agent: str
    is_synced: bool
    created_at: datetime
    used_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Factors:
    """By what somebody can take a second step."""

    authenticator_since: datetime | None
    is_locked: bool
    """Whether so many digits were wrong in a row that the app is asked no more."""
    passkeys: tuple[PasskeyView, ...]
    recovery_codes_left: int

    @property
    def can_be_used(self) -> bool:
        """Whether there is one that is not shut by too many wrong digits."""
        return bool(self.passkeys) or (self.authenticator_since is not None and not self.is_locked)

    @property
    def are_any(self) -> bool:
        """Whether there is a second step to take; a sheet of codes alone is none."""
        return self.authenticator_since is not None or bool(self.passkeys)


def find_factors(person_id: UUID) -> Factors:
    """Return by what somebody can take a second step."""
    with unit_of_work(PLATFORM) as work:
        return read_factors(work, person_id)


def read_factors(work: Work, person_id: UUID) -> Factors:
    """Return the same inside a unit of work of the platform tenant."""
    app = work.session.get(AuthenticatorRow, (work.tenant_id, person_id))
    keys = work.session.scalars(
        sa.select(PasskeyRow)
        .where(PasskeyRow.tenant_id == work.tenant_id, PasskeyRow.person_id == person_id)
        .order_by(PasskeyRow.created_at, PasskeyRow.id)
    )
    return Factors(
        authenticator_since=app.created_at if app is not None else None,
        is_locked=app is not None and app.wrong_codes >= WRONG_CODES_MAX,
        passkeys=tuple(
            PasskeyView(
                id=key.id,
                agent=key.agent,
                is_synced=key.is_synced,
                created_at=key.created_at,
                used_at=key.used_at,
            )
            for key in keys
        ),
        recovery_codes_left=work.session.scalars(
            sa.select(sa.func.count()).where(
                RecoveryCodeRow.tenant_id == work.tenant_id,
                RecoveryCodeRow.person_id == person_id,
                RecoveryCodeRow.used_at.is_(None),
            )
        ).one(),
    )


def find_policy(tenant_id: UUID) -> str:
    """Return of whom a tenant asks a second step: ``keepers`` or ``everyone``."""
    with unit_of_work(Scope(tenant_id=tenant_id)) as work:
        return read_policy(work)


def read_policy(work: Work) -> str:
    """Return the same inside a unit of work of the tenant."""
    row = work.session.get(PolicyRow, work.tenant_id)
    return row.second_step if row is not None else DEFAULT_POLICY


def must_step_twice(membership: Membership) -> bool:
    """Whether a role is taken by no password alone."""
    if needs_second_step(membership.role, DEFAULT_POLICY):
        return True
    return needs_second_step(membership.role, find_policy(membership.tenant_id))


def lacks_step(membership: Membership, methods: Collection[str]) -> bool:
    """Whether a role asks for more than somebody has proved by these methods."""
    return not has_second_step(methods) and must_step_twice(membership)


def must_have_factors(person_id: UUID) -> bool:
    """Whether somebody has a role that is taken by no password alone."""
    return any(must_step_twice(each) for each in list_memberships(person_id))
