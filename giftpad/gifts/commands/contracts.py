"""Setting a tenant's contract from its pack, and booking what it pays in."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time
from typing import Any, cast
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from giftpad import audit, ledger
from giftpad.gifts.commands import books
from giftpad.gifts.errors import (
    ContractMissing,
    CreditSpent,
    DepositKnown,
    DepositNotFound,
    DepositReversed,
    DepositSpent,
)
from giftpad.gifts.models import ContractRow, DepositRow
from giftpad.gifts.rules.contracts import (
    CHANNELS,
    FEE_OF,
    UNCLAIMED,
    Contract,
    is_registration_number,
)
from giftpad.gifts.rules.invoices import OUTSIDE, VALUE_TAXES
from giftpad.kernel.money import AMOUNT_MINOR_MAX
from giftpad.kernel.work import Work
from giftpad.printing import MissingGlyph, check_glyphs
from giftpad.tenancy import PackFolder, Problems, Table, read_toml

UNITS_OFFERED = ("JPY",)
CLAIM_DAYS_MAX = 366
RESEND_MAX = 10
FEE_MINOR_MAX = 10_000
TAX_PERCENT_MAX = 30
REFERENCE_LENGTH_MAX = 64
_HOUR = r"([01][0-9]|2[0-3]):[0-5][0-9]"


def read_section(folder: PackFolder, paths: tuple[str, ...], problems: Problems) -> Contract | None:
    """Read ``gifts.toml`` of a pack: the contract for gifts, if the tenant has one."""
    for path in paths:
        contract: Contract | None = read_toml(
            folder.shown(path), folder.files[path], problems, read=_read_contract
        )
        return contract
    return None


def _read_contract(table: Table) -> Contract:
    contract = Contract(
        unit=table.choice("unit", UNITS_OFFERED),
        approve_above_minor=table.whole("approve_above_minor", least=0, most=AMOUNT_MINOR_MAX),
        unclaimed=table.choice("unclaimed", UNCLAIMED),
        credit_limit_minor=table.whole(
            "credit_limit_minor", least=0, most=AMOUNT_MINOR_MAX, default=0
        ),
        claim_days=table.whole("claim_days", least=1, most=CLAIM_DAYS_MAX),
        claim_days_max=table.whole("claim_days_max", least=1, most=CLAIM_DAYS_MAX),
        fees_minor=_read_fees(table),
        fee_tax_percent=table.whole("fee_tax_percent", least=0, most=TAX_PERCENT_MAX, default=10),
        quiet_from=_read_hour(table, "quiet_from", "21:00"),
        quiet_until=_read_hour(table, "quiet_until", "08:00"),
        resend_max=table.whole("resend_max", least=0, most=RESEND_MAX, default=2),
        registration_number=_read_registration(table),
        billing=_read_billing(table),
        invoicer=_read_invoicer(table),
        value_tax=table.choice("value_tax", VALUE_TAXES, default=OUTSIDE),
    )
    if contract.registration_number and not contract.invoicer:
        remedy = "Say in [invoicer] whose number it is: name and address."
        table.fault("registration_number", '"registration_number" has nobody it is of.', remedy)
    if contract.claim_days > contract.claim_days_max:
        remedy = "Make claim_days_max at least as large."
        table.fault("claim_days", '"claim_days" is more than "claim_days_max".', remedy)
    return contract


def _read_fees(table: Table) -> dict[str, int]:
    fees = table.table("fees_minor", required=False)
    if fees is None:
        return {}
    read = {
        name: fees.whole(name, least=0, most=FEE_MINOR_MAX, default=0)
        for name in CHANNELS
        if name not in FEE_OF or fees.has(name)
    }
    fees.close()
    return read


def _read_hour(table: Table, key: str, default: str) -> time:
    if not table.has(key):
        return time.fromisoformat(default)
    text = table.text(key, pattern=_HOUR, shape='an hour like "21:00"')
    return time.fromisoformat(text) if len(text) == len(default) else time.fromisoformat(default)


def _read_registration(table: Table) -> str:
    text = table.text("registration_number", required=False)
    if text and not is_registration_number(text):
        fault = '"registration_number" is not the number of a company: its check digit differs.'
        table.fault("registration_number", fault, "Write T and the 13 digits, or leave it out.")
    return text


def _read_billing(table: Table) -> dict[str, str]:
    billing = table.table("billing", required=False)
    if billing is None:
        return {}
    return _read_party(billing)


def _read_invoicer(table: Table) -> dict[str, str]:
    invoicer = table.table("invoicer", required=False)
    if invoicer is None:
        return {}
    contact = invoicer.text("contact", length_max=100, required=False)
    return _read_party(invoicer) | {"contact": contact}


def _read_party(table: Table) -> dict[str, str]:
    """Read whom an invoice names; what cannot be printed is told now and not on the invoice."""
    read = {name: table.text(name, length_max=100) for name in ("name", "address")}
    for name, text in read.items():
        try:
            check_glyphs([text])
        except MissingGlyph as error:
            fault = f'"{name}" has a character that cannot be printed.'
            table.fault(name, fault, f"Write {error.params['character']} otherwise.")
    table.close()
    return read


def apply_section(work: Work, section: object) -> list[str]:
    """Set the contract that a pack has; a pack without one leaves what is there.

    A credit limit is lent into the deposit, so that one guarded account says what can be spent.
    Locks: the contract, then the deposit.
    Raises: CreditSpent when the limit would fall below what is spent of it.
    """
    contract = cast("Contract | None", section)
    if contract is None:
        return []
    row = lock_contract_row(work)
    terms: Mapping[str, Any] = contract.as_json()
    if row is not None and row.terms == terms:
        return []
    if row is None:
        values = {"tenant_id": work.tenant_id, "terms": terms, "changed_at": work.at}
        work.session.execute(insert(ContractRow).values(**values))
        row = lock_contract_row(work)
        assert row is not None
    else:
        row.terms, row.changed_at = dict(terms), work.at
    _lend(work, row, contract)
    return ["gift contract"]


def lock_contract_row(work: Work) -> ContractRow | None:
    """Return the contract of the tenant, which nobody else changes until ``work`` ends."""
    return work.session.execute(
        sa.select(ContractRow)
        .where(ContractRow.tenant_id == work.tenant_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).scalar_one_or_none()


def _lend(work: Work, row: ContractRow, contract: Contract) -> None:
    """Bring the credit that is booked to the limit that was agreed; what is spent stays spent.

    Raises: CreditSpent.
    """
    deposit = books.account(work, books.DEPOSIT, contract.unit)
    credit = books.account(work, books.CREDIT, contract.unit)
    more = contract.credit_limit_minor - row.credit_minor
    if more > 0:
        books.move(work, "gift_credit", more, debit_id=credit, credit_id=deposit)
    elif more < 0:
        try:
            books.move(work, "gift_credit_ended", -more, debit_id=deposit, credit_id=credit)
        except ledger.InsufficientBalance as error:
            spent = row.credit_minor - ledger.get_balance(work, deposit)
            raise CreditSpent(lowest_minor=spent, unit=contract.unit) from error
    row.credit_minor = contract.credit_limit_minor


def take_deposit(work: Work, amount_minor: int, *, reference: str) -> UUID:
    """Book that a tenant paid in; the same reference and amount again change nothing.

    Locks: the contract, then the deposit.
    Raises: ContractMissing, DepositKnown, DepositReversed.
    """
    assert 0 < amount_minor <= AMOUNT_MINOR_MAX
    assert 0 < len(reference) <= REFERENCE_LENGTH_MAX
    contract = lock_contract_row(work)
    if contract is None:
        raise ContractMissing
    known = _find_deposit(work, reference)
    if known is not None:
        if known.reversed_at is not None:
            raise DepositReversed
        if known.amount_minor != amount_minor:
            raise DepositKnown
        return known.id
    unit = contract.terms["unit"]
    deposit_id = books.move(
        work,
        "gift_deposit",
        amount_minor,
        debit_id=books.account(work, books.CLEARING, unit),
        credit_id=books.account(work, books.DEPOSIT, unit),
    )
    work.session.execute(
        insert(DepositRow).values(
            tenant_id=work.tenant_id,
            id=deposit_id,
            reference=reference,
            amount_minor=amount_minor,
            actor=work.scope.actor.id,
            at=work.at,
        )
    )
    audit.record(
        work,
        action="gift_deposit.booked",
        subject=f"gift_deposit:{deposit_id}",
        details={"amount_minor": amount_minor, "reference": reference},
    )
    return deposit_id


def _find_deposit(work: Work, reference: str) -> DepositRow | None:
    return work.session.execute(
        sa.select(DepositRow)
        .where(DepositRow.tenant_id == work.tenant_id, DepositRow.reference == reference)
        .execution_options(populate_existing=True)
    ).scalar_one_or_none()


def reverse_deposit(work: Work, reference: str) -> int:
    """Take back a payment that was booked by mistake, and return its amount; once, however often.

    Locks: the contract, then the deposit.
    Raises: ContractMissing, DepositNotFound, DepositSpent.
    """
    contract = lock_contract_row(work)
    if contract is None:
        raise ContractMissing
    known = _find_deposit(work, reference)
    if known is None:
        raise DepositNotFound
    if known.reversed_at is not None:
        return known.amount_minor
    deposit = books.find(work, books.DEPOSIT)
    try:
        books.move(
            work,
            "gift_deposit_reversed",
            known.amount_minor,
            debit_id=deposit,
            credit_id=books.find(work, books.CLEARING),
            reverses_id=known.id,
        )
    except ledger.InsufficientBalance as error:
        missing = known.amount_minor - ledger.get_balance(work, deposit)
        raise DepositSpent(missing_minor=missing, unit=contract.terms["unit"]) from error
    known.reversed_at = work.at
    audit.record(
        work,
        action="gift_deposit.reversed",
        subject=f"gift_deposit:{known.id}",
        details={"amount_minor": known.amount_minor, "reference": reference},
    )
    return known.amount_minor
