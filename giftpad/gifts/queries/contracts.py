"""Reading what a tenant has agreed on, and what it can still spend."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from giftpad import ledger, tenancy
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


def get_budget(work: Work) -> int:
    """Return what the tenant can still spend on gifts: paid in and lent, less held and issued."""
    deposit = ledger.find_account(work, work.tenant_id, "gift_deposit", work.tenant_id)
    return 0 if deposit is None else ledger.get_balance(work, deposit)
