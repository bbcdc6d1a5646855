"""The invoice for an order, as a PDF in the language that is asked for."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response, request

from giftpad import gifts
from giftpad.edge import current_locale, current_scope, requires
from giftpad.kernel.i18n import LOCALES
from giftpad.kernel.work import unit_of_work
from giftpad.portals.downloads import attachment

bp = Blueprint("papers", __name__)


@bp.get("/<uuid:order_id>/invoice.pdf")
@requires("gifts:read")
def invoice(order_id: UUID) -> Response:
    """Take the invoice for an order away; what it says was settled when the gifts went out."""
    language = request.args.get("language", "")
    locale = language if language in LOCALES else current_locale()
    with unit_of_work(current_scope()) as work:
        found = gifts.get_invoice(work, order_id)
    pdf = gifts.draw_invoice(found, locale)
    return attachment(pdf, f"invoice-{found.number}-{locale}.pdf", "application/pdf")
