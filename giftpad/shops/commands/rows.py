"""Rows of facts and contacts: how each is made, wherever the values come from."""

from __future__ import annotations

from collections.abc import Container
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from giftpad import tenancy
from giftpad.kernel.clock import local_date, start_of
from giftpad.kernel.seal import column_place
from giftpad.kernel.work import Work
from giftpad.shops.errors import BoundToShop
from giftpad.shops.rules.facts import CONTACT_PARTS, FACT_NAMES, Contact, Facts
from giftpad.shops.rules.fields import normalise_email, normalise_phone


def instant_for(work: Work, starts_on: date | None) -> datetime:
    """Return when facts of this day begin: now for today, else the day's first instant."""
    zone = tenancy.get_tenant(work.tenant_id).zone
    if starts_on is None or starts_on == local_date(work.at, zone):
        return work.at
    return start_of(starts_on, zone)


def free_instant(at: datetime, taken: Container[datetime]) -> datetime:
    """Return the first microsecond from ``at`` that no other facts of the shop begin at."""
    while at in taken:
        at += timedelta(microseconds=1)
    return at


def refuse_bound(work: Work) -> None:
    """Refuse a caller that is bound to one shop what only the issuer decides.

    Raises: BoundToShop.
    """
    if work.scope.actor.shop_id is not None:
        raise BoundToShop


def recorded_by(work: Work) -> str:
    """Name the actor as rows keep it."""
    return f"{work.scope.actor.kind}:{work.scope.actor.id}"


def facts_values(work: Work, shop_id: UUID, facts: Facts, *, starts_at: datetime) -> dict[str, Any]:
    """Return a row of facts, ready to insert."""
    return {
        "tenant_id": work.tenant_id,
        "shop_id": shop_id,
        "starts_at": starts_at,
        **{name: getattr(facts, name) for name in FACT_NAMES},
        "groups": list(facts.groups),
        "recorded_at": work.at,
        "recorded_by": recorded_by(work),
    }


def contact_values(work: Work, shop_id: UUID, contact: Contact) -> dict[str, Any]:
    """Return a row of a contact, sealed and indexed, ready to insert."""
    tenant_id = work.tenant_id
    sealed = {
        f"{part}_sealed": tenancy.seal_text(
            tenant_id,
            column_place(tenant_id, "shop_contacts", f"{part}_sealed", shop_id),
            getattr(contact, part),
        )
        for part in CONTACT_PARTS
    }
    phone, email = normalise_phone(contact.phone), normalise_email(contact.email)
    return {
        "tenant_id": tenant_id,
        "shop_id": shop_id,
        **sealed,
        "phone_index": tenancy.index_text(tenant_id, phone) if phone else None,
        "email_index": tenancy.index_text(tenant_id, email) if email else None,
        "changed_at": work.at,
        "delete_after": None,
    }
