"""Accounts at tenants' providers that people have linked: made and ended by themselves only.

A provider says who somebody is there; that this is a certain person here, only the person can say,
signed in and having proved it once more.  An e-mail address is never taken for that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from giftpad import audit, messaging, tenancy
from giftpad.identity.commands.federation import Started, prove_subject
from giftpad.identity.commands.sessions import end_sessions_by
from giftpad.identity.errors import (
    ConnectionNotFound,
    LinkExists,
    LinkNotFound,
    LinkTaken,
    SessionOver,
)
from giftpad.identity.models import LinkRow
from giftpad.identity.queries import (
    PLATFORM,
    ConnectionView,
    get_person,
    index_subject,
    issuer,
    list_memberships,
    lock_link,
    lock_person,
    open_personal,
    person_actor,
    refresh_trust,
)
from giftpad.identity.rules import name_agent
from giftpad.kernel.log import get_logger
from giftpad.kernel.work import Scope, Work, unit_of_work

log = get_logger("identity")

LINKED, UNLINKED = "account_linked", "account_unlinked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """Who links or unlinks, and from what; the notice to them says so in their language."""

    person_id: UUID
    session_id: UUID
    locale: str
    user_agent: str = ""


def link_account(asking: Asking, started: Started, parameters: Mapping[str, str]) -> ConnectionView:
    """Link the account at a provider that somebody is back from, and tell them by mail.

    Locks: the person's row.
    Raises: FederationRefused, ConnectionNotFound, ProviderAway, LinkTaken, LinkExists, SessionOver.
    """
    connection, subject = prove_subject(started, parameters)
    person_id = asking.person_id
    if connection.tenant_id not in {each.tenant_id for each in list_memberships(person_id)}:
        raise ConnectionNotFound
    with unit_of_work(replace(PLATFORM, actor=person_actor(person_id))) as work:
        if lock_person(work, person_id, to_change=True) is None:
            raise SessionOver
        is_new = _add(work, connection, index_subject(connection.id, subject), person_id)
    if is_new:
        _tell(asking, connection.tenant_id, connection.id, is_linked=True)
    return connection


def _add(work: Work, connection: ConnectionView, index: bytes, person_id: UUID) -> bool:
    """Add a link; False if the person has this very one already."""
    made = work.session.execute(
        insert(LinkRow)
        .values(
            tenant_id=work.tenant_id,
            connection_id=connection.id,
            subject_index=index,
            home_tenant_id=connection.tenant_id,
            person_id=person_id,
            created_at=work.at,
        )
        .on_conflict_do_nothing()
        .returning(LinkRow.person_id)
    ).first()
    if made is not None:
        return True
    row = work.session.get(LinkRow, (work.tenant_id, connection.id, index))
    if row is None:
        raise LinkExists
    if row.person_id != person_id:
        raise LinkTaken
    return False


def unlink_account(asking: Asking, connection_id: UUID) -> None:
    """Take a link away, end the other sessions that it opened, and tell the person by mail.

    Locks: the link's row, then the sessions' rows.
    Raises: LinkNotFound.
    """
    with unit_of_work(replace(PLATFORM, actor=person_actor(asking.person_id))) as work:
        link = lock_link(work, asking.person_id, connection_id)
        if link is None:
            raise LinkNotFound
        tenant_id = link.home_tenant_id
        work.session.execute(
            sa.delete(LinkRow).where(
                LinkRow.tenant_id == work.tenant_id,
                LinkRow.connection_id == connection_id,
                LinkRow.person_id == asking.person_id,
            )
        )
        end_sessions_by(work, connection_id, of=asking.person_id, but=asking.session_id)
    refresh_trust()
    _tell(asking, tenant_id, connection_id, is_linked=False)


def _tell(asking: Asking, tenant_id: UUID, connection_id: UUID, *, is_linked: bool) -> None:
    """Put on record in the tenant what somebody did, and tell them in case it was not them."""
    what = LINKED if is_linked else UNLINKED
    with unit_of_work(PLATFORM) as work:
        person = get_person(work, asking.person_id)
        email = (
            open_personal(asking.person_id, "email_sealed", person.email_sealed) if person else ""
        )
    tenant = tenancy.get_tenant(tenant_id)
    scope = Scope(tenant_id=tenant_id, actor=person_actor(asking.person_id))
    with unit_of_work(scope) as work:
        if email and messaging.can_send("mail"):
            messaging.send(
                work,
                messaging.Message(
                    template="security_notice",
                    to=email,
                    values={
                        "organisation": tenant.name_in(asking.locale),
                        "what": what,
                        "at": work.at,
                        "device": name_agent(asking.user_agent) or "-",
                        "link": f"{issuer().address}account",
                    },
                    locale=asking.locale,
                ),
            )
        else:
            log.warning("a security notice could not be sent", what=what)
        work.session.flush()
        audit.record(
            work,
            action="connection.linked" if is_linked else "connection.unlinked",
            subject=f"person:{asking.person_id}",
            details={"connection": str(connection_id)},
        )
