"""What people let clients do: codes, refresh tokens and devices, each taken once.

A family of tokens hangs on one authorisation.  Whoever shows a code or a refresh token a second
time ends the family: one of the two who showed it is a thief, and nobody knows which.

Source: RFC 9700, sections 2.1.1 and 4.14; RFC 8628.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa

from giftpad import audit
from giftpad.identity.commands.revocations import KEPT_FOR, revoke
from giftpad.identity.errors import AuthorisationNotFound, SecondStepMissing, SessionOver
from giftpad.identity.models import (
    AuthorisationRow,
    CodeRow,
    DeviceRow,
    RefreshTokenRow,
    SessionRow,
)
from giftpad.identity.queries import (
    PLATFORM,
    find_membership,
    get_person,
    is_live,
    is_running,
    lacks_step,
    person_actor,
    refresh_trust,
)
from giftpad.identity.rules import (
    CODE_LIFE_S,
    REFRESH_IDLE_S,
    REFRESH_LIFE_S,
    Granted,
    Membership,
    split_scope,
)
from giftpad.kernel.bearer import hash_secret, new_code
from giftpad.kernel.ids import new_id
from giftpad.kernel.work import Actor, Scope, Work, rows_changed, unit_of_work

KEPT_AFTER_END = timedelta(days=30)
SHORT_KEPT = timedelta(days=1)
"""How long codes and devices are kept after their time."""


class ScopeNotGranted(Exception):
    """A client asks for scopes of which a person has granted none; its token stays good."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a client asks of a person, once it has been judged; ``state`` goes back as it came."""

    client: Granted
    redirect_uri: str
    state: str
    names: tuple[str, ...]
    audience: str
    nonce: str
    code_challenge: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """Who says yes, in which role, and how they proved who they are."""

    membership: Membership
    session_id: UUID
    proved_at: datetime
    amr: tuple[str, ...]
    agent: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorised:
    """A family of tokens as it may be used now."""

    id: UUID
    membership: Membership
    session_id: UUID
    names: tuple[str, ...]
    audience: str
    amr: tuple[str, ...]
    proved_at: datetime
    nonce: str = ""
    refresh_token: str = field(default="", repr=False)


def begin_authorisation(asked: Asked, approval: Approval) -> str:
    """Keep that a person lets a client act for them, and return the code that proves it once.

    Locks: the session's row, against its end.
    Raises: SessionOver, SecondStepMissing.
    """
    check_steps(approval)
    code, person_id = new_code(), approval.membership.person_id
    with unit_of_work(replace(PLATFORM, actor=person_actor(person_id))) as work:
        session = hold_session(work, approval)
        approved = replace(approval, agent=session.agent)
        authorisation_id = add_authorisation(
            work, asked.client, approved, names=asked.names, audience=asked.audience
        )
        work.session.add(
            CodeRow(
                tenant_id=work.tenant_id,
                code_hash=hash_secret(code),
                client_id=asked.client.client_id,
                authorisation_id=authorisation_id,
                redirect_uri=asked.redirect_uri,
                code_challenge=asked.code_challenge,
                nonce=asked.nonce,
                created_at=work.at,
                expires_at=work.at + timedelta(seconds=CODE_LIFE_S),
            )
        )
    note_granted(asked.client, approval.membership, authorisation_id)
    return code


def check_steps(approval: Approval) -> None:
    """Refuse, before any work is open, a role that no password alone takes.

    Raises: SecondStepMissing.
    """
    if lacks_step(approval.membership, approval.amr):
        raise SecondStepMissing


def hold_session(work: Work, approval: Approval) -> SessionRow:
    """Return the sign-in by which somebody approves, as it stays until the end of ``work``.

    A visit is none: it lets nobody else in.
    Locks: its row, against its end: whoever ends it then finds what came of it.
    Raises: SessionOver.
    """
    session = work.session.scalars(
        sa.select(SessionRow)
        .where(
            is_running(work),
            SessionRow.id == approval.session_id,
            SessionRow.person_id == approval.membership.person_id,
            SessionRow.visits_from.is_(None),
        )
        .with_for_update(read=True)
    ).one_or_none()
    is_elsewhere = session is not None and session.home_tenant_id != approval.membership.tenant_id
    if session is None or (session.connection_id is not None and is_elsewhere):
        raise SessionOver  # a tenant's own provider vouches for people in that tenant only
    return session


def add_authorisation(
    work: Work, client: Granted, approval: Approval, *, names: tuple[str, ...], audience: str
) -> UUID:
    """Add a family of tokens, and return its id; ``work`` is of the platform tenant."""
    authorisation_id = new_id()
    work.session.add(
        AuthorisationRow(
            tenant_id=work.tenant_id,
            id=authorisation_id,
            client_id=client.client_id,
            person_id=approval.membership.person_id,
            home_tenant_id=approval.membership.tenant_id,
            membership_id=approval.membership.id,
            session_id=approval.session_id,
            scope=" ".join(names),
            audience=audience,
            amr=list(approval.amr),
            agent=approval.agent,
            proved_at=approval.proved_at,
            created_at=work.at,
            seen_at=work.at,
            expires_at=work.at + timedelta(seconds=REFRESH_LIFE_S),
        )
    )
    return authorisation_id


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeView:
    """An authorization code that was shown, before it is taken."""

    code_hash: bytes = field(repr=False)
    authorisation_id: UUID
    redirect_uri: str
    code_challenge: str
    nonce: str

    def get_redirect_uri(self) -> str:
        """Return the address that the code was sent to."""
        return self.redirect_uri


def find_code(client: Granted, code: str) -> CodeView | None:
    """Return a client's code that can be taken; one that was taken ends its family."""
    with unit_of_work(PLATFORM) as work:
        row = work.session.get(CodeRow, (work.tenant_id, hash_secret(code)))
        if row is None or row.client_id != client.client_id:
            return None
        is_used, is_over = row.used_at is not None, row.expires_at <= work.at
    if is_used:
        end_family(row.authorisation_id, "a code was shown twice")
    if is_used or is_over:
        return None
    return CodeView(
        code_hash=row.code_hash,
        authorisation_id=row.authorisation_id,
        redirect_uri=row.redirect_uri,
        code_challenge=row.code_challenge,
        nonce=row.nonce,
    )


def take_code(code: CodeView) -> Authorised | None:
    """Take a code, as the only one who does; whoever comes second ends its family.

    Locks: the code's row, then its authorisation's.
    """
    with unit_of_work(PLATFORM) as work:
        taken = work.session.execute(
            sa.update(CodeRow)
            .where(
                CodeRow.tenant_id == work.tenant_id,
                CodeRow.code_hash == code.code_hash,
                CodeRow.used_at.is_(None),
            )
            .values(used_at=work.at)
            .returning(CodeRow.code_hash)
        ).first()
        row = _lock(work, code.authorisation_id) if taken is not None else None
        refresh = _add_refresh(work, row, generation=0) if row is not None else ""
    if taken is None:
        end_family(code.authorisation_id, "a code was shown twice")
    if row is None:
        return None
    return _authorised(row, nonce=code.nonce, refresh_token=refresh)


def take_device(authorisation_id: UUID) -> Authorised | None:
    """Return a family that begins on a device, with its first refresh token.

    Locks: the authorisation's row.
    """
    with unit_of_work(PLATFORM) as work:
        row = _lock(work, authorisation_id)
        refresh = _add_refresh(work, row, generation=0) if row is not None else ""
    return _authorised(row, refresh_token=refresh) if row is not None else None


def _lock(work: Work, authorisation_id: UUID) -> AuthorisationRow | None:
    return work.session.scalars(
        sa.select(AuthorisationRow)
        .where(is_live(work), AuthorisationRow.id == authorisation_id)
        .with_for_update()
    ).one_or_none()


def _add_refresh(work: Work, row: AuthorisationRow, *, generation: int) -> str:
    """Make the family's next refresh token; none if offline access was not asked for."""
    if "offline_access" not in split_scope(row.scope):
        return ""
    token = new_code()
    work.session.add(
        RefreshTokenRow(
            tenant_id=work.tenant_id,
            token_hash=hash_secret(token),
            authorisation_id=row.id,
            generation=generation,
            created_at=work.at,
        )
    )
    return token


def _authorised(
    row: AuthorisationRow, *, nonce: str = "", refresh_token: str = ""
) -> Authorised | None:
    """Return a family as it may be used by what its person may do now; None if nothing."""
    membership = find_membership(row.home_tenant_id, row.membership_id)
    with unit_of_work(PLATFORM) as work:
        person = get_person(work, row.person_id)
    if membership is None or person is None or membership.person_id != row.person_id:
        return None
    if lacks_step(membership, row.amr):
        return None
    return Authorised(
        id=row.id,
        membership=membership,
        session_id=row.session_id,
        names=tuple(split_scope(row.scope)),
        audience=row.audience,
        amr=tuple(row.amr),
        proved_at=row.proved_at,
        nonce=nonce,
        refresh_token=refresh_token,
    )


def take_refresh(client: Granted, token: str, wanted: Collection[str] = ()) -> Authorised | None:
    """Exchange a refresh token of a client for the next, as the only one who does.

    The one before the newest may be shown again within the client's leeway, because its answer
    may have been lost; any other that was exchanged ends the family.  One that is good stays so
    when nothing of what is ``wanted`` was granted.
    Locks: the authorisation's row.
    Raises: ScopeNotGranted.
    """
    token_hash = hash_secret(token)
    with unit_of_work(PLATFORM) as work:
        found = work.session.get(RefreshTokenRow, (work.tenant_id, token_hash))
        row = _lock(work, found.authorisation_id) if found is not None else None
        if found is None or row is None or row.client_id != client.client_id:
            return None
        if row.seen_at <= work.at - timedelta(seconds=REFRESH_IDLE_S):
            return None
        if _has_ended(work, row):
            _end(work, [row], "the sign-in ended")
            return None
        work.session.refresh(found)  # who was waited for may have exchanged it
        newest = work.session.execute(
            sa.select(sa.func.max(RefreshTokenRow.generation)).where(
                RefreshTokenRow.tenant_id == work.tenant_id,
                RefreshTokenRow.authorisation_id == row.id,
            )
        ).scalar_one()
        # Whoever waited for the lock began before the exchange: without a leeway no time forgives.
        is_stolen = found.retired_at is not None and not (
            client.leeway_s > 0
            and found.generation == newest - 1
            and work.at < found.retired_at + timedelta(seconds=client.leeway_s)
        )
        if is_stolen:
            _end(work, [row], "a refresh token was shown twice")
            refresh = ""
        elif wanted and not set(wanted) & set(split_scope(row.scope)):
            raise ScopeNotGranted
        else:
            _retire(work, found)
            row.seen_at = work.at
            refresh = _add_refresh(work, row, generation=found.generation + 1)
    if is_stolen:
        refresh_trust()
        return None
    return _authorised(row, refresh_token=refresh)


def _has_ended(work: Work, row: AuthorisationRow) -> bool:
    """Whether the sign-in that a family came from was ended by somebody; a device has none."""
    session = work.session.get(SessionRow, (work.tenant_id, row.session_id))
    return session is not None and session.revoked_at is not None


def _retire(work: Work, token: RefreshTokenRow) -> None:
    """Let a token, and any other of its generation, be the last one.

    A second of a generation comes of an answer that was lost, or of a thief; who holds the other
    one is told apart by its being shown after the leeway.
    """
    work.session.execute(
        sa.update(RefreshTokenRow)
        .where(
            RefreshTokenRow.tenant_id == work.tenant_id,
            RefreshTokenRow.authorisation_id == token.authorisation_id,
            RefreshTokenRow.generation == token.generation,
            RefreshTokenRow.retired_at.is_(None),
        )
        .values(retired_at=work.at)
    )


def revoke_refresh(client: Granted, token: str) -> bool:
    """End the family of a client's refresh token; return whether there was one.

    Locks: the authorisation's row.
    """
    with unit_of_work(PLATFORM) as work:
        found = work.session.get(RefreshTokenRow, (work.tenant_id, hash_secret(token)))
        row = _lock(work, found.authorisation_id) if found is not None else None
        if row is None or row.client_id != client.client_id:
            return False
        _end(work, [row], "the client gave it back")
    refresh_trust()
    return True


def revoke_authorisation(person_id: UUID, authorisation_id: UUID) -> None:
    """End what a person has let a client do.

    Raises: AuthorisationNotFound.
    """
    with unit_of_work(replace(PLATFORM, actor=person_actor(person_id))) as work:
        row = _lock(work, authorisation_id)
        if row is None or row.person_id != person_id:
            raise AuthorisationNotFound
        _end(work, [row], "its person ended it")
    refresh_trust()


def end_authorisations(work: Work, person_id: UUID, *conditions: sa.ColumnElement[bool]) -> int:
    """End families of a person in the transaction of what ends them; return how many.

    ``work`` is of the platform tenant; whoever opened it calls ``refresh_trust`` after it.
    Locks: the authorisations' rows.
    """
    rows = list(
        work.session.scalars(
            sa.select(AuthorisationRow)
            .where(is_live(work), AuthorisationRow.person_id == person_id, *conditions)
            .order_by(AuthorisationRow.id)
            .with_for_update()
        )
    )
    _end(work, rows, "the sign-in ended")
    return len(rows)


def end_family(authorisation_id: UUID, why: str) -> None:
    """End a family of tokens, if it has not ended yet.

    Locks: the authorisation's row.
    """
    with unit_of_work(PLATFORM) as work:
        row = _lock(work, authorisation_id)
        if row is not None:
            _end(work, [row], why)
    if row is not None:
        refresh_trust()


def follow_session(work: Work, person_id: UUID, old_id: UUID, new_id_: UUID) -> None:
    """Let what came of a sign-in hang on the one that its person goes on with."""
    work.session.execute(
        sa.update(AuthorisationRow)
        .where(
            is_live(work),
            AuthorisationRow.person_id == person_id,
            AuthorisationRow.session_id == old_id,
        )
        .values(session_id=new_id_)
    )


def _end(work: Work, rows: list[AuthorisationRow], why: str) -> None:
    for row in rows:
        row.revoked_at = work.at
        revoke(work, "authorisation", str(row.id), kept_until=work.at + KEPT_FOR)
        audit.record(
            work,
            action="authorisation.ended",
            subject=f"person:{row.person_id}",
            details={"authorisation": str(row.id), "client": row.client_id, "why": why},
        )


def note_granted(client: Granted, membership: Membership, authorisation_id: UUID) -> None:
    """Put on record in the tenant who lets which client act for them."""
    actor: Actor = person_actor(membership.person_id, membership.shop_id)
    with unit_of_work(Scope(tenant_id=membership.tenant_id, actor=actor)) as work:
        audit.record(
            work,
            action="authorisation.granted",
            subject=f"client:{client.client_id}",
            details={"authorisation": str(authorisation_id), "role": membership.role},
        )


def purge_authorisations(work: Work) -> int:
    """Delete families that ended long ago, their tokens, and codes and devices that are over.

    ``work`` is of the platform tenant.
    """
    limit = work.at - KEPT_AFTER_END
    row = AuthorisationRow
    over = sa.and_(
        row.tenant_id == work.tenant_id,
        sa.or_(row.expires_at < limit, row.revoked_at < limit),
    )
    tokens = sa.delete(RefreshTokenRow).where(
        RefreshTokenRow.tenant_id == work.tenant_id,
        RefreshTokenRow.authorisation_id.in_(sa.select(row.id).where(over)),
    )
    short = work.at - SHORT_KEPT
    codes = sa.delete(CodeRow).where(
        CodeRow.tenant_id == work.tenant_id, CodeRow.expires_at < short
    )
    devices = sa.delete(DeviceRow).where(
        DeviceRow.tenant_id == work.tenant_id, DeviceRow.expires_at < short
    )
    statements = (tokens, codes, devices, sa.delete(row).where(over))
    return sum(rows_changed(work.session.execute(statement)) for statement in statements)
