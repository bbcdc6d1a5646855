"""Drawing up the invoice for an order: once, with the next number, in the order's transaction."""

from __future__ import annotations

import sqlalchemy as sa

from giftpad import audit, tenancy
from giftpad.gifts.models import ContractRow, InvoiceRow, OrderRow
from giftpad.gifts.rules.contracts import Contract
from giftpad.gifts.rules.invoices import (
    FROM_DEPOSIT,
    FROM_DEPOSIT_OR_CREDIT,
    TAXED,
    Invoice,
    Party,
    lines_of,
    rates_of,
)
from giftpad.kernel.clock import local_date
from giftpad.kernel.codes import encode
from giftpad.kernel.work import Work
from giftpad.printing import MissingGlyph, check_glyphs

NUMBER_DIGITS = 6
SERIES_LENGTH_MAX, TAG_LENGTH = 12, 4
NOBODY_NAMED = "Giftpad"
"""Who issues where the contract does not say; such an invoice is never a qualified one."""


def draw_up(work: Work, order: OrderRow) -> None:
    """Draw up the invoice for an order whose last gifts go out now.

    Whoever dies before the commit has taken no number, so there are no gaps.
    Locks: the contract.
    """
    number, terms = work.session.execute(
        sa.update(ContractRow)
        .where(ContractRow.tenant_id == work.tenant_id)
        .values(next_invoice=ContractRow.next_invoice + 1)
        .returning(ContractRow.next_invoice, ContractRow.terms)
        .execution_options(synchronize_session=False)
    ).one()
    number -= 1
    invoice = _invoice(work, order, Contract.of(terms), number)
    work.session.add(
        InvoiceRow(
            tenant_id=work.tenant_id,
            order_id=order.id,
            number=number,
            facts=invoice.as_json(),
            at=work.at,
        )
    )
    audit.record(
        work,
        action="gift_invoice.drawn_up",
        subject=f"gift_order:{order.id}",
        details={"number": invoice.number, "total_minor": invoice.total_minor},
    )


def _series(tenant: tenancy.Tenant) -> str:
    """Return what the numbers of a tenant's invoices begin with, and those of no other tenant.

    It has its place on the paper: of a long slug the beginning stands there, and the tenant's tag.
    """
    if len(tenant.slug) <= SERIES_LENGTH_MAX:
        return tenant.slug.upper()
    tag = encode(tenant.tag, TAG_LENGTH)
    return f"{tenant.slug[: SERIES_LENGTH_MAX - TAG_LENGTH - 1].rstrip('-').upper()}-{tag}"


def _printable(title: str) -> str:
    """Return the title of an order; nothing if it has a character that no paper shows."""
    try:
        check_glyphs([title])
    except MissingGlyph:
        return ""
    return title


def _invoice(work: Work, order: OrderRow, agreed: Contract, number: int) -> Invoice:
    assert order.value_minor is not None
    assert order.fees_minor is not None
    tenant = tenancy.get_tenant(work.tenant_id)
    fees = order.fee_terms
    lines = lines_of(
        count=order.quantity,
        value_minor=order.value_minor,
        value_tax=agreed.value_tax,
        fees_minor=order.fees_minor,
        agreed=fees,
        fee_percent=agreed.fee_tax_percent if fees is None else fees["percent"],
    )
    issuer = agreed.invoicer
    return Invoice(
        order_id=order.id,
        number=f"{_series(tenant)}-{number:0{NUMBER_DIGITS}d}",
        issued_on=local_date(work.at, tenant.zone),
        order_number=order.number,
        order_title=_printable(order.title),
        issuer=Party(
            name=issuer.get("name", "") or NOBODY_NAMED,
            address=issuer.get("address", ""),
            contact=issuer.get("contact", ""),
            registration_number=agreed.registration_number if issuer else "",
        ),
        billed=Party(
            name=agreed.billing.get("name", "") or tenant.name,
            address=agreed.billing.get("address", ""),
        ),
        unit=order.unit,
        lines=lines,
        rates=rates_of(lines),
        untaxed_minor=sum(line.amount_minor for line in lines if line.tax != TAXED),
        total_minor=sum(line.amount_minor for line in lines),
        value_tax=agreed.value_tax,
        paid=FROM_DEPOSIT_OR_CREDIT if agreed.credit_limit_minor else FROM_DEPOSIT,
    )
