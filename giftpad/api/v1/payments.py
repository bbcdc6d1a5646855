"""Looking up, paying, and giving back.

Look-up and payment are the hot routes: their bodies are read and written by msgspec, and each
costs one round trip to the database.  The schemas beside them describe the same for the OpenAPI
file; a test holds both to one corpus.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from flask import Response
from flask.views import MethodView
from marshmallow import Schema, fields, validate

from giftpad import coupons, payments, tenancy
from giftpad.api.http import (
    IDEMPOTENCY_PARAMETER,
    Blueprint,
    CursorPage,
    CursorQuery,
    decode_cursor,
    encode_cursor,
    idempotent,
    read_body,
)
from giftpad.edge import HotCall, current_scope, demand, hot, requires
from giftpad.guard import KEPT_FOR_MONEY
from giftpad.kernel.clock import local_date
from giftpad.kernel.i18n import translate
from giftpad.kernel.money import AMOUNT_MINOR_MAX
from giftpad.kernel.work import Scope, unit_of_work

CODE_LENGTH_MAX = 200
_BLANK_FOR_PLUS = re.compile(r"([T ]\d.*) (\d\d:?\d\d)$")

blp = Blueprint("payments", __name__, description="Look up, pay, void, refund")


class InstrumentBody(msgspec.Struct, forbid_unknown_fields=True):
    """What the payer presents."""

    kind: Literal["coupon"]
    code: Annotated[str, msgspec.Meta(min_length=1, max_length=CODE_LENGTH_MAX)]


class LookUpBody(msgspec.Struct, forbid_unknown_fields=True):
    """What a shop asks before a payment."""

    instrument: InstrumentBody
    shop_id: UUID | None = None


class PaymentBody(msgspec.Struct, forbid_unknown_fields=True):
    """What a shop asks to be paid."""

    instrument: InstrumentBody
    amount_minor: Annotated[int, msgspec.Meta(ge=1, le=AMOUNT_MINOR_MAX)]
    shop_id: UUID | None = None


class InstrumentSchema(Schema):
    """What the payer presents: the text of a QR as read, or a typed code."""

    kind = fields.String(required=True, validate=validate.OneOf(["coupon"]))
    code = fields.String(required=True, validate=validate.Length(min=1, max=CODE_LENGTH_MAX))


class LookUpSchema(Schema):
    """What a shop asks before a payment."""

    instrument = fields.Nested(InstrumentSchema, required=True)
    shop_id = fields.UUID(
        allow_none=True, metadata={"description": "May be left out by a caller bound to one shop."}
    )


class PaymentRequestSchema(LookUpSchema):
    """What a shop asks to be paid."""

    amount_minor = fields.Integer(
        required=True, strict=True, validate=validate.Range(min=1, max=AMOUNT_MINOR_MAX)
    )


class LookedSchema(Schema):
    """What a shop may know of an instrument."""

    balance_minor = fields.Integer(required=True)
    unit = fields.String(required=True)
    usable = fields.Boolean(required=True)
    reason = fields.String(
        required=True, allow_none=True, metadata={"description": "The refusal's code, or null."}
    )
    message = fields.String(required=True, allow_none=True)
    ceiling_minor = fields.Integer(required=True, allow_none=True)
    programme_id = fields.UUID(required=True)
    starts_on = fields.Date(required=True)
    ends_on = fields.Date(required=True, metadata={"description": "The last valid day."})


class PaidSchema(Schema):
    """A payment as it was first answered."""

    id = fields.UUID(required=True)
    state = fields.String(required=True, validate=validate.OneOf(["captured"]))
    amount_minor = fields.Integer(required=True)
    balance_minor = fields.Integer(
        required=True, metadata={"description": "What the instrument holds after the payment."}
    )
    unit = fields.String(required=True)
    shop_id = fields.UUID(required=True)
    programme_id = fields.UUID(required=True)
    at = fields.DateTime(required=True)


class PaymentSchema(Schema):
    """A payment as it stands now."""

    id = fields.UUID(required=True)
    state = fields.String(
        required=True,
        validate=validate.OneOf(["captured", "voided", "partly_refunded", "refunded"]),
    )
    kind = fields.String(required=True)
    amount_minor = fields.Integer(required=True)
    balance_after_minor = fields.Integer(required=True)
    refunded_minor = fields.Integer(required=True)
    unit = fields.String(required=True)
    shop_id = fields.UUID(required=True)
    programme_id = fields.UUID(required=True)
    client_id = fields.String(required=True)
    at = fields.DateTime(required=True)


class PaymentPageSchema(Schema):
    """A page of payments, newest first."""

    items = fields.List(fields.Nested(PaymentSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class QueryInstant(fields.AwareDateTime):
    """An instant of a query, where the plus of an offset comes as a blank if it is not escaped."""

    def _deserialize(self, value: Any, *place: Any, **options: Any) -> Any:
        if isinstance(value, str):
            value = _BLANK_FOR_PLUS.sub(r"\1+\2", value)
        return super()._deserialize(value, *place, **options)


class PaymentQuerySchema(CursorQuery):
    """Which payments a list shows."""

    shop_id = fields.UUID()
    serial = fields.String(
        metadata={"description": "The serial printed on a coupon; needs coupons:read as well."}
    )
    since = QueryInstant()
    until = QueryInstant()


class GiveBackSchema(Schema):
    """Why something is given back."""

    reason = fields.String(load_default="", validate=validate.Length(max=200))


class RefundSchema(GiveBackSchema):
    """How much is given back; without an amount all that is left."""

    amount_minor = fields.Integer(
        strict=True,
        load_default=None,
        allow_none=True,
        validate=validate.Range(min=1, max=AMOUNT_MINOR_MAX),
    )


class GivenSchema(Schema):
    """A void or a refund, and what it left."""

    id = fields.UUID(required=True)
    payment_id = fields.UUID(required=True)
    kind = fields.String(required=True, validate=validate.OneOf(["void", "refund"]))
    state = fields.String(required=True, metadata={"description": "The payment's state now."})
    amount_minor = fields.Integer(required=True)
    balance_minor = fields.Integer(required=True)
    refunded_minor = fields.Integer(required=True)
    unit = fields.String(required=True)
    at = fields.DateTime(required=True)


def _shop_of(scope: Scope, asked: UUID | None) -> UUID:
    """Return the shop that is meant.

    Raises: ShopMissing, where neither the body nor the token names one.
    """
    shop_id = asked or scope.actor.shop_id
    if shop_id is None:
        raise payments.ShopMissing
    return shop_id


def _documented(schema: type[Schema]) -> dict[str, Any]:
    return {"required": True, "content": {"application/json": {"schema": schema}}}


@blp.route("/instruments/lookup")
class InstrumentLookUp(MethodView):
    """What a code opens."""

    @requires("payments:accept")
    @blp.doc(requestBody=_documented(LookUpSchema))
    @blp.alt_response(200, schema=LookedSchema)
    @blp.alt_response(404)
    @hot(200)
    def post(self, call: HotCall) -> bytes:
        """Tell a shop what a code opens and whether it may be spent there now.

        Changes nothing.
        """
        body = read_body(call, LookUpBody)
        scope = call.scope
        looked = payments.look_up(scope, body.instrument.code, _shop_of(scope, body.shop_id))
        zone = tenancy.get_tenant(scope.tenant_id).zone
        last_day = payments.last_day(looked.ends_at, zone)
        message = None
        if looked.reason is not None:
            message = translate(
                payments.REFUSALS[looked.reason].sentence,
                call.locale,
                balance_minor=looked.balance_minor,
                ceiling_minor=looked.ceiling_minor,
                unit=looked.unit,
                last_day=last_day,
            )
        return msgspec.json.encode(
            {
                "balance_minor": looked.balance_minor,
                "unit": looked.unit,
                "usable": looked.reason is None,
                "reason": looked.reason,
                "message": message,
                "ceiling_minor": looked.ceiling_minor,
                "programme_id": looked.programme_id,
                "starts_on": local_date(looked.starts_at, zone),
                "ends_on": last_day,
            },
        )


@blp.route("/payments")
class Payments(MethodView):
    """Payments of the tenant, or of the caller's shop."""

    @requires("payments:accept")
    @blp.doc(requestBody=_documented(PaymentRequestSchema), parameters=[IDEMPOTENCY_PARAMETER])
    @blp.alt_response(201, schema=PaidSchema)
    @blp.alt_response(404)
    @hot(201)
    def post(self, call: HotCall) -> bytes:
        """Take an amount from what a code opens; safe to repeat with the same key."""
        key = call.need_key()
        body = read_body(call, PaymentBody)
        paid = payments.pay(
            call.scope,
            payments.PayOrder(
                kind=body.instrument.kind,
                code=body.instrument.code,
                shop_id=_shop_of(call.scope, body.shop_id),
                amount_minor=body.amount_minor,
                key=key,
                request_hash=call.request_hash(),
            ),
        )
        return msgspec.json.encode(_paid_content(paid))

    @requires("payments:read")
    @blp.arguments(PaymentQuerySchema, location="query")
    @blp.response(200, PaymentPageSchema)
    @blp.alt_response(404, description="coupon.not_found")
    def get(self, query: dict[str, Any]) -> CursorPage[payments.PaymentView]:
        """List payments, newest first."""
        limit: int = query["limit"]
        if "serial" in query:
            # The answer tells whether there is such a coupon, which a till has no need to know.
            demand("coupons:read")
        with unit_of_work(current_scope()) as work:
            account_id = None
            if "serial" in query:
                coupon = coupons.get_coupon(work, query["serial"], with_payments=False)
                account_id = coupon.account_id
            wanted = payments.PaymentFilter(
                shop_id=query.get("shop_id"),
                account_id=account_id,
                since=query.get("since"),
                until=query.get("until"),
                before=decode_cursor(query.get("cursor")),
                limit=limit + 1,
            )
            found = payments.list_payments(work, wanted)
        more = len(found) > limit
        return CursorPage(found[:limit], encode_cursor(found[limit - 1].id) if more else None)


def _paid_content(paid: payments.Paid) -> dict[str, Any]:
    return {
        "id": paid.id,
        "state": "captured",
        "amount_minor": paid.amount_minor,
        "balance_minor": paid.balance_minor,
        "unit": paid.unit,
        "shop_id": paid.shop_id,
        "programme_id": paid.programme_id,
        "at": paid.at,
    }


@blp.route("/payments/<uuid:payment_id>")
class OnePayment(MethodView):
    """One payment."""

    @requires("payments:read")
    @blp.response(200, PaymentSchema)
    def get(self, payment_id: UUID) -> payments.PaymentView:
        """Return a payment as it stands now."""
        with unit_of_work(current_scope()) as work:
            return payments.get_payment(work, payment_id)


@blp.route("/payments/<uuid:payment_id>/void")
class PaymentVoid(MethodView):
    """Undo a payment."""

    @requires("payments:accept")
    @blp.doc(parameters=[IDEMPOTENCY_PARAMETER])
    @blp.arguments(GiveBackSchema)
    @blp.response(201, GivenSchema)
    def post(self, body: dict[str, Any], payment_id: UUID) -> Response:
        """Undo a payment of today whole; safe to repeat with the same key."""
        with unit_of_work(current_scope()) as work:
            return idempotent(
                work,
                lambda: payments.void(work, payment_id, reason=body["reason"]),
                schema=GivenSchema,
                status=201,
                kept_for=KEPT_FOR_MONEY,
            )


@blp.route("/payments/<uuid:payment_id>/refund")
class PaymentRefund(MethodView):
    """Give value of a payment back."""

    @requires("payments:refund")
    @blp.doc(parameters=[IDEMPOTENCY_PARAMETER])
    @blp.arguments(RefundSchema)
    @blp.response(201, GivenSchema)
    def post(self, body: dict[str, Any], payment_id: UUID) -> Response:
        """Give back a part of a payment, or all that is left of it."""
        amount: int | None = body["amount_minor"]
        with unit_of_work(current_scope()) as work:
            return idempotent(
                work,
                lambda: payments.refund(work, payment_id, amount, reason=body["reason"]),
                schema=GivenSchema,
                status=201,
                kept_for=KEPT_FOR_MONEY,
            )
