"""Gift orders: all of an order in one call, how its gifts do, taking back and sending again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from flask import Response, url_for
from flask.views import MethodView
from marshmallow import Schema, fields, validate

from giftpad import designs, gifts
from giftpad.api.http import (
    IDEMPOTENCY_PARAMETER,
    Blueprint,
    CursorPage,
    CursorQuery,
    answer,
    decode_cursor,
    idempotent,
    make_page,
)
from giftpad.api.v1.gift_drafts import GiftOrderDraftSchema
from giftpad.api.v1.gift_schemas import GiftDoneSchema, GiftSchema
from giftpad.edge import RequestInvalid, body_limit, current_locale, current_scope, requires
from giftpad.guard import KEPT_FOR_MONEY
from giftpad.kernel.i18n import translate
from giftpad.kernel.work import Work, unit_of_work

BODY_MAX = 8 * 1024 * 1024
FAULTS_SHOWN = 100
REASON_LENGTH_MAX = 300
ORDER_PATIENCE_S = 60
"""Ten thousand people are judged and sealed in one transaction: all of them or none."""

blp = Blueprint("gift_orders", __name__, description="Gift orders and their gifts")


class GiftProgressSchema(Schema):
    """What became of the gifts of an order; each number counts gifts."""

    issued = fields.Integer(required=True)
    sent = fields.Integer(required=True)
    delivered = fields.Integer(required=True)
    opened = fields.Integer(required=True)
    claimed = fields.Integer(required=True)
    thanked = fields.Integer(required=True)
    cancelled = fields.Integer(required=True)
    expired = fields.Integer(required=True)
    failed = fields.Integer(required=True)
    perhaps_delivered = fields.Integer(
        required=True,
        attribute="unknown",
        metadata={"description": "Letters of which nobody knows whether they arrived"},
    )
    outstanding_minor = fields.Integer(required=True)
    claimed_minor = fields.Integer(required=True)
    kept = fields.Integer(required=True)
    kept_minor = fields.Integer(required=True)
    used = fields.Integer(
        required=True, metadata={"description": "Gifts of which a shop has taken something"}
    )
    spent_minor = fields.Integer(required=True)


class GiftOrderSchema(Schema):
    """One order; what is null is not settled before it is submitted."""

    id = fields.UUID(required=True)
    number = fields.Integer(required=True)
    state = fields.String(required=True, validate=validate.OneOf(gifts.STATES))
    title = fields.String(required=True, attribute="draft.title")
    design = fields.String(required=True, attribute="draft.design")
    sender_name = fields.String(required=True, attribute="draft.sender_name")
    message = fields.String(required=True, attribute="draft.message")
    kind = fields.String(required=True, validate=validate.OneOf(gifts.KINDS))
    course_id = fields.UUID(required=True, allow_none=True, attribute="draft.course_id")
    amount_minor = fields.Integer(required=True, allow_none=True, attribute="draft.amount_minor")
    programme_id = fields.UUID(required=True, allow_none=True, attribute="draft.programme_id")
    balance_until = fields.Date(
        required=True,
        allow_none=True,
        metadata={"description": "The last day of what is kept, settled by the approval"},
    )
    channel = fields.String(required=True, attribute="draft.channel")
    codes = fields.Integer(
        required=True, metadata={"description": "Gifts without recipients; 0 for recipients"}
    )
    locale = fields.String(required=True, attribute="draft.locale")
    send_at = fields.DateTime(required=True, allow_none=True, attribute="draft.send_at")
    claim_by = fields.Date(required=True, allow_none=True, attribute="draft.claim_by")
    can_be_passed_on = fields.Boolean(required=True, attribute="draft.can_be_passed_on")
    unit = fields.String(required=True)
    quantity = fields.Integer(required=True)
    issued = fields.Integer(required=True)
    value_minor = fields.Integer(required=True, allow_none=True)
    fees_minor = fields.Integer(required=True, allow_none=True)
    total_minor = fields.Integer(required=True, allow_none=True)
    created_at = fields.DateTime(required=True)
    submitted_at = fields.DateTime(required=True, allow_none=True)
    decided_at = fields.DateTime(required=True, allow_none=True)
    starts_at = fields.DateTime(required=True, allow_none=True)
    sent_at = fields.DateTime(required=True, allow_none=True)
    closed_at = fields.DateTime(required=True, allow_none=True)


class GiftOrderDetailSchema(GiftOrderSchema):
    """One order with what became of its gifts."""

    progress = fields.Nested(GiftProgressSchema, required=True)


class GiftOrderPageSchema(Schema):
    """A page of orders, newest first."""

    items = fields.List(fields.Nested(GiftOrderSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class GiftPageSchema(Schema):
    """A page of gifts, in the order of the list."""

    items = fields.List(fields.Nested(GiftSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class GiftQuerySchema(CursorQuery):
    """Which gifts a list shows."""

    show = fields.String(load_default="all", validate=validate.OneOf(list(gifts.FILTERS)))


class GiftLinkSchema(Schema):
    """A link to be handed over; whoever holds it can claim the gift."""

    number = fields.Integer(required=True)
    external_id = fields.String(required=True)
    link = fields.String(required=True)


class GiftLinkPageSchema(Schema):
    """A page of links, in the order of the list."""

    items = fields.List(fields.Nested(GiftLinkSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class LinkQuerySchema(CursorQuery):
    """Where a list of links goes on."""

    limit = fields.Integer(
        load_default=gifts.LINKS_PAGE, validate=validate.Range(min=1, max=gifts.LINKS_PAGE_MAX)
    )


class GiftReasonSchema(Schema):
    """Why something is taken back; kept in the audit."""

    reason = fields.String(required=True, validate=validate.Length(min=1, max=REASON_LENGTH_MAX))


class GiftResendSchema(Schema):
    """An empty object: sending again needs no words."""


class GiftDesignSchema(Schema):
    """How a gift looks."""

    name = fields.String(required=True)
    title = fields.String(required=True, metadata={"description": "In your language"})
    occasion = fields.String(required=True)


class GiftDesignListSchema(Schema):
    """Every design there is."""

    items = fields.List(fields.Nested(GiftDesignSchema), required=True)


def _make(work: Work, body: dict[str, Any]) -> gifts.OrderView:
    """Make an order with its recipients, or its codes, and submit it.

    Raises: RequestInvalid and what ``gifts.submit_order`` raises; then nothing is kept.
    """
    people, codes = body.pop("recipients"), body.pop("codes")
    are_repeats_meant = body.pop("are_repeats_meant")
    order_id = gifts.draft_order(work, gifts.OrderDraft(**body))
    if codes is not None:
        gifts.order_codes(work, order_id, codes["count"])
        gifts.submit_order(work, order_id)
        return gifts.get_order(work, order_id)
    gifts.take_recipients(work, order_id, _cells(people), replaces=True)
    faulty = gifts.list_lines(work, order_id, faulty_only=True, limit=FAULTS_SHOWN)
    if faulty.items:
        raise RequestInvalid([fault for line in faulty.items for fault in _faults(line)])
    if are_repeats_meant:
        gifts.mean_repeats(work, order_id)
    gifts.submit_order(work, order_id)
    return gifts.get_order(work, order_id)


def _cells(people: Iterable[dict[str, str]]) -> Iterable[gifts.Cells]:
    for line, cells in enumerate(people, 1):
        yield gifts.Cells(line=line, cells={name: text for name, text in cells.items() if text})


def _faults(line: gifts.LineView) -> Iterable[dict[str, str]]:
    for fault in line.faults:
        sentence = gifts.RECIPIENT_SENTENCES[fault.code]
        yield {
            "pointer": f"/recipients/{line.number - 1}/{fault.column}",
            "detail": translate(sentence, current_locale(), **fault.params),
        }


def _read_order(work: Work, order_id: UUID) -> dict[str, Any]:
    shown = GiftOrderSchema().dump(gifts.get_order(work, order_id))
    progress = GiftProgressSchema().dump(gifts.get_progress(work, order_id))
    return {**shown, "progress": progress}


@blp.route("/gift-orders")
class GiftOrders(MethodView):
    """Gift orders."""

    @requires("gifts:order")
    @body_limit(BODY_MAX)
    @blp.doc(parameters=[IDEMPOTENCY_PARAMETER])
    @blp.arguments(GiftOrderDraftSchema)
    @blp.response(202, GiftOrderSchema)
    @blp.alt_response(
        404, description="catalog.course_not_found, design.not_found, programme.not_found"
    )
    @blp.alt_response(
        422,
        description="request.invalid with a pointer to each faulty recipient,"
        " gift_order.over_budget, gift_order.repeated_lines, gift_order.unfit,"
        " gift_order.incomplete, gift_order.no_contract, programme.over",
    )
    def post(self, body: dict[str, Any]) -> Response:
        """Order gifts for up to 10,000 people or up to 1,000,000 codes; their cost is held at once.

        Above the amount of the contract a person approves the order at the desk.  Location is
        where to ask how far it is.
        """
        with unit_of_work(current_scope(), patience_s=ORDER_PATIENCE_S) as work:
            response = idempotent(
                work,
                lambda: _make(work, body),
                schema=GiftOrderSchema,
                status=202,
                kept_for=KEPT_FOR_MONEY,
            )
        order_id = (response.get_json() or {})["id"]
        response.headers["Location"] = url_for("gift_orders.OneGiftOrder", order_id=order_id)
        return response

    @requires("gifts:read")
    @blp.arguments(CursorQuery, location="query")
    @blp.response(200, GiftOrderPageSchema)
    def get(self, query: dict[str, Any]) -> CursorPage[gifts.OrderView]:
        """List orders, newest first."""
        with unit_of_work(current_scope()) as work:
            after = decode_cursor(query.get("cursor"))
            found = gifts.list_orders(work, after=after, limit=query["limit"])
        return make_page(found.items, found.next_after)


@blp.route("/gift-orders/<uuid:order_id>")
class OneGiftOrder(MethodView):
    """One order."""

    @requires("gifts:read")
    @blp.response(200, GiftOrderDetailSchema)
    @blp.alt_response(404, description="gift_order.not_found")
    def get(self, order_id: UUID) -> Response:
        """Show an order and what became of its gifts."""
        with unit_of_work(current_scope()) as work:
            return answer(_read_order(work, order_id))


@blp.route("/gift-orders/<uuid:order_id>/gifts")
class OrderGifts(MethodView):
    """The gifts of one order."""

    @requires("gifts:read")
    @blp.arguments(GiftQuerySchema, location="query")
    @blp.response(200, GiftPageSchema)
    @blp.alt_response(404, description="gift_order.not_found")
    def get(self, query: dict[str, Any], order_id: UUID) -> CursorPage[gifts.GiftView]:
        """List the gifts of an order, all of them or those of one kind."""
        with unit_of_work(current_scope()) as work:
            gifts.get_order(work, order_id)
            after = decode_cursor(query.get("cursor"), int) or 0
            found = gifts.list_gifts(
                work, order_id, shown=query["show"], after=after, limit=query["limit"]
            )
        return make_page(found.items, found.next_after)


@blp.route("/gift-orders/<uuid:order_id>/links")
class OrderLinks(MethodView):
    """The links of one order that are handed over."""

    @requires("gifts:order")
    @blp.arguments(LinkQuerySchema, location="query")
    @blp.response(200, GiftLinkPageSchema)
    @blp.alt_response(404, description="gift_order.not_found")
    @blp.alt_response(409, description="gift_order.codes_not_ready")
    def get(self, query: dict[str, Any], order_id: UUID) -> CursorPage[gifts.HandedLink]:
        """List the links of unclaimed gifts that you hand over; each page is put on record.

        These are gifts with the channel link or code.  Codes come once all of them are issued.
        """
        after = decode_cursor(query.get("cursor"), int) or 0
        with unit_of_work(current_scope()) as work:
            found = gifts.open_link_page(work, order_id, after=after, limit=query["limit"])
        return make_page(found.items, found.next_after)


@blp.route("/gift-orders/<uuid:order_id>/cancel")
class OrderCancel(MethodView):
    """Taking one order back."""

    @requires("gifts:order")
    @blp.doc(parameters=[IDEMPOTENCY_PARAMETER])
    @blp.arguments(GiftReasonSchema)
    @blp.response(202, GiftOrderSchema)
    @blp.alt_response(404, description="gift_order.not_found")
    @blp.alt_response(409, description="gift_order.wrong_state")
    def post(self, body: dict[str, Any], order_id: UUID) -> Response:
        """Take back what is not claimed; before its gifts go out an order becomes a draft again.

        While gifts go out no more of them do; ask again to take back those that are out.
        """

        def cancel() -> gifts.OrderView:
            order = gifts.get_order(work, order_id)
            if order.state in ("submitted", "approved"):
                gifts.withdraw_order(work, order_id)
            elif order.state == "issuing":
                gifts.stop_issuing(work, order_id, reason=body["reason"])
            else:
                gifts.begin_cancelling(work, order_id, reason=body["reason"])
            return gifts.get_order(work, order_id)

        with unit_of_work(current_scope(), patience_s=ORDER_PATIENCE_S) as work:
            return idempotent(
                work, cancel, schema=GiftOrderSchema, status=202, kept_for=KEPT_FOR_MONEY
            )


@blp.route("/gifts/<uuid:gift_id>")
class OneGift(MethodView):
    """One gift."""

    @requires("gifts:read")
    @blp.response(200, GiftSchema)
    @blp.alt_response(404, description="gift.not_found")
    def get(self, gift_id: UUID) -> gifts.GiftView:
        """Show one gift."""
        with unit_of_work(current_scope()) as work:
            return gifts.get_gift(work, gift_id)


@blp.route("/gifts/<uuid:gift_id>/cancel")
class GiftCancel(MethodView):
    """Taking one gift back."""

    @requires("gifts:order")
    @blp.doc(parameters=[IDEMPOTENCY_PARAMETER])
    @blp.arguments(GiftReasonSchema)
    @blp.response(200, GiftDoneSchema)
    @blp.alt_response(404, description="gift.not_found")
    @blp.alt_response(409, description="gift.wrong_state")
    def post(self, body: dict[str, Any], gift_id: UUID) -> Response:
        """Take a gift back that nobody has claimed; its value goes back to what can be spent."""

        def cancel() -> gifts.GiftView:
            gifts.cancel_gift(work, gift_id, reason=body["reason"])
            return gifts.get_gift(work, gift_id)

        with unit_of_work(current_scope()) as work:
            return idempotent(
                work, cancel, schema=GiftDoneSchema, status=200, kept_for=KEPT_FOR_MONEY
            )


@blp.route("/gifts/<uuid:gift_id>/resend")
class GiftResend(MethodView):
    """Sending one gift again."""

    @requires("gifts:support")
    @blp.doc(parameters=[IDEMPOTENCY_PARAMETER])
    @blp.arguments(GiftResendSchema)
    @blp.response(202, GiftDoneSchema)
    @blp.alt_response(404, description="gift.not_found")
    @blp.alt_response(409, description="gift.wrong_state")
    @blp.alt_response(422, description="gift.resent_too_often")
    def post(self, _body: dict[str, Any], gift_id: UUID) -> Response:
        """Send the letter of a gift once more, to the address it has."""

        def resend() -> gifts.GiftView:
            gifts.resend(work, gift_id)
            return gifts.get_gift(work, gift_id)

        with unit_of_work(current_scope()) as work:
            return idempotent(work, resend, schema=GiftDoneSchema, status=202)


@blp.route("/gift-designs")
class GiftDesigns(MethodView):
    """Designs of gifts."""

    @requires("gifts:read")
    @blp.response(200, GiftDesignListSchema)
    def get(self) -> dict[str, Any]:
        """List the designs that an order can have."""
        locale = current_locale()
        return {
            "items": [
                {
                    "name": design.name,
                    "title": design.name_in(locale),
                    "occasion": design.occasion_in(locale),
                }
                for design in designs.list_designs()
            ]
        }
