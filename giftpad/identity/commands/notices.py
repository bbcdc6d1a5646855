"""Notices: somebody is told by mail what happened to their account, in the change's transaction.

An installation that sends no mail tells nobody, and says so in its log.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa

from giftpad import messaging, tenancy
from giftpad.identity.models import PersonRow, SessionRow
from giftpad.identity.queries import (
    PLATFORM,
    get_person,
    issuer,
    list_memberships,
    open_personal,
)
from giftpad.identity.rules import name_agent
from giftpad.kernel.log import get_logger
from giftpad.kernel.work import Work, unit_of_work

log = get_logger("identity")

NAME_MOST = 100
IS_NEW_FOR = timedelta(days=1)
"""How long after an account was made its first sign-in is no news to its owner."""
UNKNOWN_DEVICE = "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """From where somebody acts: the browser's own description, and the language it reads."""

    user_agent: str = ""
    locale: str = "ja"


UNSEEN = Seen()
"""From no browser at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What every notice to somebody says, read before the transaction of what it tells of."""

    organisation: str
    device: str
    locale: str


def prepare_notice(person_id: UUID, seen: Seen) -> Notice:
    """Return what a notice to somebody will say of them: by whom they know us, and from where."""
    return Notice(
        organisation=find_organisation(person_id, seen.locale),
        device=name_agent(seen.user_agent) or UNKNOWN_DEVICE,
        locale=seen.locale,
    )


def find_organisation(person_id: UUID, locale: str) -> str:
    """Return the name by which somebody knows this installation: that of their organisation."""
    memberships = list_memberships(person_id)
    tenant_id = memberships[0].tenant_id if memberships else PLATFORM.tenant_id
    return tenancy.get_tenant(tenant_id).name_in(locale)[:NAME_MOST]


def tell(work: Work, person: PersonRow, what: str, notice: Notice) -> None:
    """Tell somebody by mail what happened; ``work`` is of the platform tenant.

    Publishes: message.mail_due_v1.
    """
    message = messaging.Message(
        template="security_notice",
        to=open_personal(person.id, "email_sealed", person.email_sealed),
        values={
            "organisation": notice.organisation,
            "what": what,
            "at": work.at,
            "device": notice.device,
            "link": issuer().address + "account",
        },
        locale=notice.locale,
    )
    if not messaging.can_send("mail"):
        log.warning("nobody was told, as no mail can be sent", what=what, person_id=str(person.id))
        return
    messaging.send(work, message)


def tell_of_new_browser(person_id: UUID, session_id: UUID, seen: Seen) -> None:
    """Tell somebody that they signed in with a browser unknown to us, unless it is their first."""
    notice = prepare_notice(person_id, seen)
    with unit_of_work(PLATFORM) as work:
        person = get_person(work, person_id)
        before = work.session.scalars(
            sa.select(SessionRow.id)
            .where(
                SessionRow.tenant_id == work.tenant_id,
                SessionRow.person_id == person_id,
                SessionRow.id != session_id,
            )
            .limit(1)
        ).first()
        if person is None:
            return
        if before is not None or person.created_at < work.at - IS_NEW_FOR:
            tell(work, person, "new_sign_in", notice)
