"""Reading what a tenant has agreed on, and what it can still spend."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from giftpad import ledger, messaging, tenancy
from giftpad.gifts.errors import ContractMissing
from giftpad.gifts.models import ContractRow
from giftpad.gifts.rules.contracts import Contract, next_loud
from giftpad.kernel.work import Work


def find_contract(work: Work) -> Contract | None:
    """Return the contract of the tenant, or None."""
    terms = work.session.execute(
        sa.select(ContractRow.terms).where(ContractRow.tenant_id == work.tenant_id)
    ).scalar_one_or_none()
    return None if terms is None else Contract.of(terms)


def get_contract(work: Work) -> Contract:
    """Return the contract of the tenant.

    Raises: ContractMissing.
    """
    contract = find_contract(work)
    if contract is None:
        raise ContractMissing
    return contract


def rests_until(work: Work) -> datetime | None:
    """Return when letters leave again, if this is one of the hours in which none does.

    Raises: ContractMissing.
    """
    agreed, zone = get_contract(work), tenancy.get_tenant(work.tenant_id).zone
    loud_at = next_loud(work.at, agreed, zone)
    return loud_at if loud_at > work.at else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaving:
    """When a letter of an order leaves that is written now: ``at`` the earliest.

    ``rests_until`` is that instant in quiet hours, None in loud ones.  While ``is_paused`` it
    leaves when whoever paused the order's letters lets them go on.
    """

    at: datetime
    rests_until: datetime | None
    is_paused: bool


def get_leaving(work: Work, run_id: UUID | None) -> Leaving:
    """Return when a letter of an order leaves that is written now.

    ``run_id`` is the run of the order's letters, which keeps the quiet hours that were agreed on
    when it began; those of today are asked where there is none.
    Raises: ContractMissing.
    """
    pace = None if run_id is None else messaging.find_pace(work, run_id)
    rests = rests_until(work) if pace is None else pace.rests_until
    return Leaving(
        at=rests or work.at, rests_until=rests, is_paused=pace is not None and pace.is_paused
    )


def get_budget(work: Work) -> int:
    """Return what the tenant can still spend on gifts: paid in and lent, less held and issued."""
    deposit = ledger.find_account(work, work.tenant_id, "gift_deposit", work.tenant_id)
    return 0 if deposit is None else ledger.get_balance(work, deposit)
