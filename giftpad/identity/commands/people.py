"""People: one account for the whole installation, a role in each tenant they belong to."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from giftpad import audit, tenancy
from giftpad.identity.errors import MemberExists, PersonKnown
from giftpad.identity.models import MembershipRow, PersonRow
from giftpad.identity.queries import PLATFORM, find_person, hash_slowly, person_place
from giftpad.identity.rules import check_name, check_password, check_role, normalise_email
from giftpad.kernel.ids import new_id
from giftpad.kernel.work import Scope, Work, unit_of_work


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPerson:
    """What one must say to give somebody a role; ``shop_id`` belongs to the roles of a shop."""

    email: str
    name: str
    role: str
    password: str = field(repr=False)
    shop_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatedPerson:
    """Who was given a role; somebody known before keeps name and password."""

    person_id: UUID
    is_new: bool


def create_person(scope: Scope, new: NewPerson, *, may_be_known: bool = True) -> CreatedPerson:
    """Give somebody a role in the scope's tenant, and an account if they have none.

    The account comes first, in a transaction of its own: without a role it can do nothing.
    Whoever took the address before need not be whom it belongs to: unless they ``may_be_known``,
    they are given nothing.
    Raises: RoleUnknown, RoleShopMismatch, NameUnfit, EmailInvalid, PasswordUnfit, PersonKnown,
    MemberExists.
    """
    of_platform = scope.tenant_id == tenancy.PLATFORM_TENANT_ID
    check_role(new.role, new.shop_id, of_platform=of_platform)
    new = replace(new, name=check_name(new.name))
    password_hash = hash_slowly(check_password(new.password))
    with unit_of_work(replace(PLATFORM, actor=scope.actor)) as work:
        made = ensure_person(work, new, password_hash)
    if not (made.is_new or may_be_known):
        raise PersonKnown
    with unit_of_work(scope) as work:
        if add_member(work, made.person_id, new.role, new.shop_id) is None:
            raise MemberExists
    return made


def add_member(
    work: Work, person_id: UUID, role: str, shop_id: UUID | None, *, action: str = "member.added"
) -> UUID | None:
    """Give a person a role in the tenant of ``work``; None if they have it already."""
    joined = work.session.execute(
        insert(MembershipRow)
        .values(
            tenant_id=work.tenant_id,
            id=new_id(),
            person_id=person_id,
            role=role,
            shop_id=shop_id,
            created_at=work.at,
        )
        .on_conflict_do_nothing()
        .returning(MembershipRow.id)
    ).scalar_one_or_none()
    if joined is not None:
        audit.record(
            work,
            action=action,
            subject=f"person:{person_id}",
            details=role_of(role, shop_id),
        )
    return joined


def role_of(role: str, shop_id: UUID | None) -> dict[str, str | None]:
    """Write a role down for the record."""
    return {"role": role, "shop_id": str(shop_id) if shop_id else None}


def ensure_person(work: Work, new: NewPerson, password_hash: str) -> CreatedPerson:
    """Make an account, unless the address has one; ``work`` is of the platform tenant."""
    person_id = new_id()
    email = normalise_email(new.email)
    made = work.session.execute(
        insert(PersonRow)
        .values(
            tenant_id=work.tenant_id,
            id=person_id,
            email_sealed=_seal(person_id, "email_sealed", email),
            email_index=tenancy.index_text(work.tenant_id, email),
            name_sealed=_seal(person_id, "name_sealed", new.name),
            password_hash=password_hash,
            created_at=work.at,
        )
        .on_conflict_do_nothing()
        .returning(PersonRow.id)
    ).first()
    if made is not None:
        return CreatedPerson(person_id=person_id, is_new=True)
    known = find_person(work, email)
    assert known is not None, "only the address can be taken already"
    return CreatedPerson(person_id=known.id, is_new=False)


def _seal(person_id: UUID, column: str, text: str) -> bytes:
    return tenancy.seal_text(tenancy.PLATFORM_TENANT_ID, person_place(person_id, column), text)
