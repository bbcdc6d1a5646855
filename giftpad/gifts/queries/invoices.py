"""Reading invoices as they were drawn up."""

from __future__ import annotations

from uuid import UUID

from giftpad.gifts.errors import InvoiceNotFound
from giftpad.gifts.models import InvoiceRow
from giftpad.gifts.rules.invoices import Invoice
from giftpad.kernel.work import Work


def find_invoice(work: Work, order_id: UUID) -> Invoice | None:
    """Return the invoice for an order, or None."""
    row = work.session.get(InvoiceRow, (work.tenant_id, order_id))
    return None if row is None else Invoice.of(order_id, row.facts)


def get_invoice(work: Work, order_id: UUID) -> Invoice:
    """Return the invoice for an order.

    Raises: InvoiceNotFound.
    """
    invoice = find_invoice(work, order_id)
    if invoice is None:
        raise InvoiceNotFound
    return invoice
