"""People: who they are, what they may do where, and whether a password is theirs."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from giftpad import tenancy
from giftpad.identity import models
from giftpad.identity.errors import EmailInvalid, MemberNotFound, PersonNotFound
from giftpad.identity.queries.trust import PLATFORM
from giftpad.identity.rules import PASSWORD_LENGTH_MAX, normalise_email, normalise_password
from giftpad.kernel.seal import column_place
from giftpad.kernel.work import Scope, Work, unit_of_work

MEMBERS_MAX = 5000
PASSWORD_MARK_LENGTH = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberView:
    """A person in one role of one tenant."""

    membership_id: UUID
    person_id: UUID
    name: str
    email: str
    role: str
    shop_id: UUID | None
    created_at: datetime


def list_members(scope: Scope) -> list[MemberView]:
    """Return the people of a tenant with their roles, oldest first.

    It reads the tenant and then the platform, each in a transaction of its own.
    """
    row = models.MembershipRow
    with unit_of_work(scope) as work:
        members = list(
            work.session.scalars(
                sa.select(row)
                .where(row.tenant_id == work.tenant_id)
                .order_by(row.created_at, row.id)
                .limit(MEMBERS_MAX)
            )
        )
    person = models.PersonRow
    with unit_of_work(PLATFORM) as work:
        found = work.session.scalars(
            sa.select(person).where(
                person.tenant_id == work.tenant_id,
                person.id.in_({member.person_id for member in members}),
            )
        )
        people = {row.id: row for row in found}
    return [_to_member(member, people[member.person_id]) for member in members]


def find_member(scope: Scope, membership_id: UUID) -> MemberView:
    """Return a member of a tenant who may sign in.

    It reads the tenant and then the platform, each in a transaction of its own.
    Raises: MemberNotFound.
    """
    with unit_of_work(scope) as work:
        row = work.session.get(models.MembershipRow, (work.tenant_id, membership_id))
    if row is None:
        raise MemberNotFound
    with unit_of_work(PLATFORM) as work:
        person = get_person(work, row.person_id)
    if person is None:
        raise MemberNotFound
    return _to_member(row, person)


def is_member_of(work: Work, membership_id: UUID, shop_id: UUID) -> bool:
    """Whether a membership is one of this shop still."""
    row = work.session.get(models.MembershipRow, (work.tenant_id, membership_id))
    return row is not None and row.shop_id == shop_id


def find_people(scope: Scope, person_ids: Collection[UUID]) -> dict[UUID, str]:
    """Return the names of those who are members of a tenant or have visited it.

    It reads the tenant and then the platform, each in a transaction of its own.
    """
    if not person_ids:
        return {}
    person = models.PersonRow
    with unit_of_work(scope) as work:
        here = {
            person_id
            for table in (models.MembershipRow, models.VisitRow)
            for person_id in work.session.scalars(
                sa.select(table.person_id).where(
                    table.tenant_id == work.tenant_id, table.person_id.in_(set(person_ids))
                )
            )
        }
    with unit_of_work(PLATFORM) as work:
        rows = work.session.execute(
            sa.select(person.id, person.name_sealed).where(
                person.tenant_id == work.tenant_id, person.id.in_(here)
            )
        )
        return {row[0]: open_personal(row[0], "name_sealed", row[1]) for row in rows}


def _to_member(member: models.MembershipRow, person: models.PersonRow) -> MemberView:
    return MemberView(
        membership_id=member.id,
        person_id=person.id,
        name=open_personal(person.id, "name_sealed", person.name_sealed),
        email=open_personal(person.id, "email_sealed", person.email_sealed),
        role=member.role,
        shop_id=member.shop_id,
        created_at=member.created_at,
    )


def person_place(person_id: UUID, column: str) -> str:
    """Name the place of a person's sealed column."""
    return column_place(PLATFORM.tenant_id, models.PersonRow.__tablename__, column, person_id)


def open_personal(person_id: UUID, column: str, sealed: bytes) -> str:
    """Return what a sealed column of a person says."""
    return tenancy.open_text(PLATFORM.tenant_id, person_place(person_id, column), sealed)


def find_person(work: Work, email: str, *, to_change: bool = False) -> models.PersonRow | None:
    """Return the row of whoever signs in with ``email``; ``work`` is of the platform tenant.

    Locks: the row, if it is ``to_change``.
    """
    row = models.PersonRow
    index = tenancy.index_text(PLATFORM.tenant_id, normalise_email(email))
    wanted = sa.select(row).where(row.tenant_id == work.tenant_id, row.email_index == index)
    return work.session.scalars(wanted.with_for_update() if to_change else wanted).one_or_none()


def get_person_id(email: str) -> UUID:
    """Return who signs in with this address.

    Raises: PersonNotFound, EmailInvalid.
    """
    with unit_of_work(PLATFORM) as work:
        person = find_person(work, email)
    if person is None:
        raise PersonNotFound
    return person.id


@cache
def hasher() -> PasswordHasher:
    """Return the password hash: Argon2id with the memory RFC 9106 asks for as its second choice."""
    return PasswordHasher()


def hash_slowly(secret: str | bytes) -> str:
    """Return what is kept of a secret that people choose, so that trying all of them takes long.

    No transaction is open meanwhile.
    """
    return hasher().hash(secret)


def fits_slowly(kept: str, secret: str | bytes) -> bool:
    """Whether a secret is the one that was hashed; it takes long, so no transaction is open."""
    try:
        hasher().verify(kept, secret)
    except (VerificationError, InvalidHashError):
        return False
    return True


@cache
def _nobodys_hash() -> str:
    return hash_slowly("nobody has this password")


def get_person(work: Work, person_id: UUID) -> models.PersonRow | None:
    """Return the row of a person who may sign in; ``work`` is of the platform tenant."""
    person = work.session.get(models.PersonRow, (work.tenant_id, person_id))
    return person if person is not None and person.disabled_at is None else None


def lock_person(work: Work, person_id: UUID, *, to_change: bool) -> models.PersonRow | None:
    """Return the row of a person who may sign in, as it stays until the end of ``work``.

    Locks: the row, for others who change it, and if it is ``to_change`` for all who ask.
    """
    row = models.PersonRow
    return work.session.scalars(
        sa.select(row)
        .where(row.tenant_id == work.tenant_id, row.id == person_id, row.disabled_at.is_(None))
        .with_for_update(read=not to_change)
    ).one_or_none()


def personal_claims(person_id: UUID, names: Collection[str]) -> dict[str, Any]:
    """Return what the scopes among ``names`` let a client know of a person.

    That an e-mail address is theirs nobody has proved yet.
    """
    if not {"profile", "email"} & set(names):
        return {}
    with unit_of_work(PLATFORM) as work:
        person = get_person(work, person_id)
    if person is None:
        return {}
    claims: dict[str, Any] = {}
    if "profile" in names:
        claims["name"] = open_personal(person_id, "name_sealed", person.name_sealed)
        claims["updated_at"] = int(person.created_at.timestamp())
    if "email" in names:
        claims["email"] = open_personal(person_id, "email_sealed", person.email_sealed)
        claims["email_verified"] = False
    return claims


def is_password(password_hash: str, password: str) -> bool:
    """Whether a password is the one that was hashed; it takes long, so no transaction is open."""
    return fits_slowly(password_hash, normalise_password(password[: PASSWORD_LENGTH_MAX * 4]))


def password_mark(password_hash: str) -> str:
    """Return what tells a person's password from the one they choose next."""
    return hashlib.sha256(password_hash.encode()).hexdigest()[:PASSWORD_MARK_LENGTH]


def is_password_mark(person: models.PersonRow, proof: str | None) -> bool:
    """Tell whether ``proof`` was made by the password that a person has now."""
    return hmac.compare_digest(password_mark(person.password_hash).encode(), (proof or "").encode())


def verify_password(email: str, password: str) -> UUID | None:
    """Return who signs in with this address and password; None, after equal work, if nobody."""
    try:
        with unit_of_work(PLATFORM) as work:
            person = find_person(work, email)
    except EmailInvalid:
        person = None
    known = person is not None and person.disabled_at is None
    password_hash = person.password_hash if person is not None and known else _nobodys_hash()
    is_right = is_password(password_hash, password)
    return person.id if person is not None and known and is_right else None
