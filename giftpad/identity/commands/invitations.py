"""Invitations: a role that waits behind a link, for a week and for one person.

The link is the proof; who has it may set a password, or sign in with the one they have.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from giftpad import audit, messaging, tenancy
from giftpad.identity.commands.managing import check_manages
from giftpad.identity.commands.passwords import find_mark, prove_password
from giftpad.identity.commands.people import NewPerson, add_member, ensure_person, role_of
from giftpad.identity.errors import InvitationNotFound
from giftpad.identity.models import InvitationRow, MembershipRow
from giftpad.identity.queries import (
    PLATFORM,
    find_invitation,
    find_person,
    hash_slowly,
    invitation_place,
    is_open,
    issuer,
    password_mark,
    person_actor,
)
from giftpad.identity.rules import (
    INVITATION_LIFE_S,
    PASSWORD_METHOD,
    check_name,
    check_password,
    check_role,
    new_invitation_secret,
    normalise_email,
)
from giftpad.kernel.bearer import hash_secret
from giftpad.kernel.ids import new_id
from giftpad.kernel.work import Scope, Work, rows_changed, unit_of_work

KEPT_AFTER_END = timedelta(days=30)
ORGANISATION_MOST = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class NewInvitation:
    """What one must say to invite somebody; an address binds the invitation to it."""

    name: str
    role: str
    shop_id: UUID | None = None
    email: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """An invitation that was just made; the code exists nowhere else."""

    id: UUID
    code: str = field(repr=False)
    is_mailed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """Who took an invitation, and the role they have by it.

    ``proof`` opens a session as long as the password is the same.
    """

    person_id: UUID
    tenant_id: UUID
    membership_id: UUID
    proof: str = field(repr=False)
    methods: tuple[str, ...] = (PASSWORD_METHOD,)


def invite(scope: Scope, new: NewInvitation, *, locale: str = "ja") -> Invitation:
    """Make an invitation to the scope's tenant, to be handed on as a link.

    Whoever is invited by their address gets it by mail too, where mail can be sent.
    Publishes: message.mail_due_v1.
    Locks: the inviter's membership, so that whoever ends it finds this invitation.
    Raises: RoleUnknown, RoleShopMismatch, NameUnfit, EmailInvalid, SessionOver.
    """
    check_role(new.role, new.shop_id)
    name = check_name(new.name)
    email = normalise_email(new.email) if new.email else None
    invitation_id, secret = new_id(), new_invitation_secret()
    tenant = tenancy.get_tenant(scope.tenant_id)
    code = f"{tenant.slug}.{secret}"
    is_mailed = email is not None and messaging.can_send("mail")
    with unit_of_work(scope) as work:
        check_manages(work)
        expires_at = work.at + timedelta(seconds=INVITATION_LIFE_S)
        work.session.add(
            InvitationRow(
                tenant_id=work.tenant_id,
                id=invitation_id,
                code_hash=hash_secret(secret),
                role=new.role,
                shop_id=new.shop_id,
                name_sealed=_seal(work, invitation_id, "name_sealed", name),
                email_sealed=_seal(work, invitation_id, "email_sealed", email) if email else None,
                invited_by=scope.actor.id,
                created_at=work.at,
                expires_at=expires_at,
                delete_after=expires_at + KEPT_AFTER_END,
            )
        )
        if email is not None and is_mailed:
            messaging.send(work, _letter(tenant, email, code, expires_at, locale=locale))
        audit.record(
            work,
            action="member.invited",
            subject=f"invitation:{invitation_id}",
            details=role_of(new.role, new.shop_id),
        )
    return Invitation(id=invitation_id, code=code, is_mailed=is_mailed)


def _letter(
    tenant: tenancy.Tenant, email: str, code: str, expires_at: datetime, *, locale: str
) -> messaging.Message:
    return messaging.Message(
        template="invitation",
        to=email,
        values={
            "organisation": tenant.name_in(locale)[:ORGANISATION_MOST],
            "link": f"{issuer().address}join/{code}",
            "until_day": expires_at.astimezone(ZoneInfo(tenant.zone)).date(),
        },
        locale=locale,
    )


def _seal(work: Work, invitation_id: UUID, column: str, text: str) -> bytes:
    place = invitation_place(work.tenant_id, invitation_id, column)
    return tenancy.seal_text(work.tenant_id, place, text)


def revoke_invitation(scope: Scope, invitation_id: UUID) -> None:
    """Take an invitation back before anybody took it.

    Locks: the membership of whoever does it.
    Raises: InvitationNotFound, SessionOver.
    """
    with unit_of_work(scope) as work:
        check_manages(work)
        if not _close(work, InvitationRow.id == invitation_id, revoked_at=work.at):
            raise InvitationNotFound
        audit.record(work, action="invitation.revoked", subject=f"invitation:{invitation_id}")


def _close(work: Work, which: sa.ColumnElement[bool], **how: object) -> bool:
    """End an invitation that is open; of two at once, one finds it open."""
    closed = sa.update(InvitationRow).where(is_open(work), which).values(**how)
    return rows_changed(work.session.execute(closed)) > 0


def accept_invitation(code: str, *, name: str, email: str, password: str, source: str) -> Joined:
    """Take an invitation: as somebody new with a new password, or as somebody known by theirs.

    The account comes first, in a transaction of its own: without a role it can do nothing.
    Raises: InvitationNotFound, NameUnfit, EmailInvalid, PasswordUnfit, SignInRefused,
    SignInThrottled.
    """
    found = find_invitation(code)
    new = NewPerson(email=found.email or email, name=name, role=found.role, password=password)
    person_id, proof = _prove_or_make(new, source=source)
    scope = Scope(tenant_id=found.tenant_id, actor=person_actor(person_id, found.shop_id))
    with unit_of_work(scope) as work:
        if not _close(work, InvitationRow.id == found.id, taken_at=work.at):
            raise InvitationNotFound
        membership_id = add_member(
            work, person_id, found.role, found.shop_id, action="member.joined"
        )
        if membership_id is None:  # they had the role already, and have it still
            membership_id = _held_already(work, person_id, found.role, found.shop_id)
    return Joined(
        person_id=person_id, tenant_id=found.tenant_id, membership_id=membership_id, proof=proof
    )


def _prove_or_make(new: NewPerson, *, source: str) -> tuple[UUID, str]:
    """Return who takes it, and the proof of their password: a new one, or the one they had."""
    email = normalise_email(new.email)
    with unit_of_work(PLATFORM) as work:
        is_known = find_person(work, email) is not None
    if not is_known:
        new = replace(new, name=check_name(new.name))
        password_hash = hash_slowly(check_password(new.password))
        with unit_of_work(PLATFORM) as work:
            made = ensure_person(work, new, password_hash)
        if made.is_new:
            return made.person_id, password_mark(password_hash)
    # They were known before, or another was quicker with this address.
    proof = find_mark(email)
    return prove_password(email, new.password, source=source), proof


def _held_already(work: Work, person_id: UUID, role: str, shop_id: UUID | None) -> UUID:
    return work.session.scalars(
        sa.select(MembershipRow.id).where(
            MembershipRow.tenant_id == work.tenant_id,
            MembershipRow.person_id == person_id,
            MembershipRow.role == role,
            MembershipRow.shop_id.is_not_distinct_from(shop_id),
        )
    ).one()


def purge_invitations(work: Work) -> int:
    """Delete invitations whose names and addresses are kept no longer; return how many."""
    return rows_changed(
        work.session.execute(
            sa.delete(InvitationRow).where(
                InvitationRow.tenant_id == work.tenant_id, InvitationRow.delete_after < work.at
            )
        )
    )
