"""Invoices for gift orders, as numbers and on paper."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response
from flask.views import MethodView
from marshmallow import Schema, fields, validate

from giftpad import gifts
from giftpad.api.http import Blueprint
from giftpad.edge import current_scope, requires
from giftpad.kernel.i18n import LOCALES
from giftpad.kernel.work import unit_of_work

blp = Blueprint("gift_invoices", __name__, description="Invoices for gift orders")


class InvoiceBilledSchema(Schema):
    """Who is billed."""

    name = fields.String(required=True)
    address = fields.String(required=True)


class InvoiceIssuerSchema(InvoiceBilledSchema):
    """Who issues an invoice."""

    contact = fields.String(required=True)
    registration_number = fields.String(
        required=True, metadata={"description": "T and 13 digits; empty if there is none"}
    )


class InvoiceLineSchema(Schema):
    """One line of an invoice."""

    what = fields.String(required=True, validate=validate.OneOf(["value", "fee"]))
    channel = fields.String(required=True)
    count = fields.Integer(required=True)
    each_minor = fields.Integer(required=True)
    amount_minor = fields.Integer(required=True)
    tax = fields.String(required=True, validate=validate.OneOf(["outside", "exempt", "taxed"]))
    percent = fields.Integer(required=True)


class InvoiceRateSchema(Schema):
    """All that one rate is on, tax included."""

    percent = fields.Integer(required=True)
    amount_minor = fields.Integer(required=True)
    tax_minor = fields.Integer(required=True)


class GiftInvoiceSchema(Schema):
    """The invoice for an order; it never changes."""

    number = fields.String(required=True)
    issued_on = fields.Date(required=True)
    order_number = fields.Integer(required=True)
    is_qualified = fields.Boolean(required=True)
    issuer = fields.Nested(InvoiceIssuerSchema, required=True)
    billed = fields.Nested(InvoiceBilledSchema, required=True)
    unit = fields.String(required=True)
    lines = fields.List(fields.Nested(InvoiceLineSchema), required=True)
    rates = fields.List(fields.Nested(InvoiceRateSchema), required=True)
    untaxed_minor = fields.Integer(required=True)
    total_minor = fields.Integer(required=True)


class InvoiceQuerySchema(Schema):
    """The language of a paper."""

    language = fields.String(load_default="ja", validate=validate.OneOf(LOCALES))


@blp.route("/gift-orders/<uuid:order_id>/invoice")
class OrderInvoice(MethodView):
    """The invoice for one order."""

    @requires("gifts:read")
    @blp.response(200, GiftInvoiceSchema)
    @blp.alt_response(404, description="gift_invoice.not_found")
    def get(self, order_id: UUID) -> gifts.Invoice:
        """Show the invoice that was drawn up when the last gifts went out."""
        with unit_of_work(current_scope()) as work:
            return gifts.get_invoice(work, order_id)


@blp.route("/gift-orders/<uuid:order_id>/invoice.pdf")
class OrderInvoicePdf(MethodView):
    """The invoice for one order on paper."""

    @requires("gifts:read")
    @blp.arguments(InvoiceQuerySchema, location="query")
    @blp.response(200, {"type": "string", "format": "binary"}, content_type="application/pdf")
    @blp.alt_response(404, description="gift_invoice.not_found")
    def get(self, query: dict[str, Any], order_id: UUID) -> Response:
        """Take the invoice away as a PDF, in Japanese or English."""
        with unit_of_work(current_scope()) as work:
            invoice = gifts.get_invoice(work, order_id)
        response = Response(
            gifts.draw_invoice(invoice, query["language"]), content_type="application/pdf"
        )
        name = f"invoice-{invoice.number}-{query['language']}.pdf"
        response.headers.set("Content-Disposition", "attachment", filename=name)
        response.headers["Cache-Control"] = "no-store"
        return response
