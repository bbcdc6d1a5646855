"""Batches of paper coupons, their print files, and single coupons by their serial."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

from flask import Response
from flask.views import MethodView
from marshmallow import Schema, fields, validate

from giftpad import coupons
from giftpad.api.http import (
    IDEMPOTENCY_PARAMETER,
    Blueprint,
    CursorPage,
    CursorQuery,
    decode_cursor,
    idempotent,
    make_page,
)
from giftpad.edge import current_scope, requires, write_line
from giftpad.kernel.work import Scope, Work, unit_of_work

RANGE_PATIENCE_S = 300
"""A million coupons are stopped in one transaction: all of them or none."""

MANIFEST_PAGE = 10_000
TEMPLATE_PATTERN = r"^[a-z][a-z0-9_]{0,63}$"
REASON_LENGTH_MAX = 500
SERIAL_LENGTH_MAX = 64
VOLUME_NUMBER_MAX = 10_000

blp = Blueprint("coupons", __name__, description="Paper coupons: batches, prints, serials")


class CouponReleaseSchema(Schema):
    """An empty object: a release needs no words."""


class CouponBatchOrderSchema(Schema):
    """What to make."""

    programme_id = fields.UUID(required=True)
    quantity = fields.Integer(
        required=True, strict=True, metadata={"minimum": 1, "maximum": 1_000_000}
    )
    face_value_minor = fields.Integer(required=True, strict=True, metadata={"minimum": 1})
    template = fields.String(
        load_default=None,
        validate=validate.Regexp(TEMPLATE_PATTERN),
        metadata={"description": "Left out: the programme's own print template."},
    )


class BatchQuerySchema(CursorQuery):
    """Which batches a list shows."""

    programme_id = fields.UUID(load_default=None)


class CouponCountsSchema(Schema):
    """How many coupons of a batch have come how far."""

    issued = fields.Integer(required=True)
    printed = fields.Integer(required=True)
    verified = fields.Integer(
        required=True, metadata={"description": "Printed, and every code read back right."}
    )


class CouponVolumeSchema(Schema):
    """One print file of at most 10,000 coupons."""

    number = fields.Integer(required=True)
    state = fields.String(
        required=True,
        validate=validate.OneOf(["due", "printing", "verifying", "ready", "failed"]),
    )
    serial_first = fields.String(required=True)
    serial_last = fields.String(required=True)
    quantity = fields.Integer(required=True)
    page_count = fields.Integer(required=True, allow_none=True)
    size_bytes = fields.Integer(required=True, allow_none=True)
    sha256 = fields.String(required=True, allow_none=True)
    problems = fields.List(fields.String(), required=True)


class CouponBatchSummarySchema(Schema):
    """A batch of coupons, without its volumes."""

    id = fields.UUID(required=True)
    state = fields.String(
        required=True,
        validate=validate.OneOf(
            ["ordered", "issuing", "printing", "verifying", "ready", "released", "failed"]
        ),
    )
    programme_id = fields.UUID(required=True)
    quantity = fields.Integer(required=True)
    face_value_minor = fields.Integer(required=True)
    unit = fields.String(required=True)
    template = fields.String(required=True)
    serial_first = fields.String(required=True)
    serial_last = fields.String(required=True)
    issued_on = fields.Date(required=True)
    starts_on = fields.Date(required=True)
    ends_on = fields.Date(required=True, metadata={"description": "The last valid day."})
    counts = fields.Nested(CouponCountsSchema, required=True)
    progress = fields.Float(required=True, metadata={"description": "From 0 to 1."})
    failure_code = fields.String(required=True, allow_none=True)
    failure_text = fields.String(
        required=True, allow_none=True, metadata={"description": "Page, cell and serial."}
    )
    created_at = fields.DateTime(required=True)
    released_at = fields.DateTime(required=True, allow_none=True)
    expired_at = fields.DateTime(required=True, allow_none=True)
    print_destroyed_at = fields.DateTime(
        required=True,
        allow_none=True,
        metadata={"description": "When print files and key were destroyed for good."},
    )
    replaces = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "The lost coupon that this batch of one replaces."},
    )


class CouponBatchSchema(CouponBatchSummarySchema):
    """A batch of coupons."""

    volumes = fields.List(fields.Nested(CouponVolumeSchema), required=True)


class CouponBatchPageSchema(Schema):
    """A page of batches, newest first."""

    items = fields.List(fields.Nested(CouponBatchSummarySchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class VolumeQuerySchema(Schema):
    """Which print file is wanted."""

    volume = fields.Integer(load_default=1, validate=validate.Range(min=1, max=VOLUME_NUMBER_MAX))


class CouponPaymentSchema(Schema):
    """One payment made with a coupon."""

    id = fields.UUID(required=True)
    state = fields.String(required=True)
    amount_minor = fields.Integer(required=True)
    refunded_minor = fields.Integer(required=True)
    shop_id = fields.UUID(required=True)
    at = fields.DateTime(required=True)


class CouponSchema(Schema):
    """One coupon; its serial finds it and never pays."""

    serial = fields.String(required=True)
    state = fields.String(
        required=True,
        validate=validate.OneOf(["issued", "active", "blocked", "replaced", "expired"]),
    )
    programme_id = fields.UUID(required=True)
    batch_id = fields.UUID(required=True)
    face_value_minor = fields.Integer(required=True)
    balance_minor = fields.Integer(required=True)
    unit = fields.String(required=True)
    issued_on = fields.Date(required=True)
    starts_on = fields.Date(required=True)
    ends_on = fields.Date(required=True, metadata={"description": "The last valid day."})
    released_at = fields.DateTime(required=True, allow_none=True)
    replaces = fields.String(required=True, allow_none=True)
    replaced_by = fields.String(required=True, allow_none=True)
    replaced_by_batch_id = fields.UUID(required=True, allow_none=True)
    payments = fields.List(
        fields.Nested(CouponPaymentSchema),
        required=True,
        allow_none=True,
        metadata={"description": "The last ones, newest first; null without payments:read."},
    )


class CouponReasonSchema(Schema):
    """Why something is done; kept in the audit."""

    reason = fields.String(load_default="", validate=validate.Length(max=REASON_LENGTH_MAX))


class CouponRangeSchema(CouponReasonSchema):
    """A run of serials of one programme, both ends included."""

    first = fields.String(
        required=True, data_key="from", validate=validate.Length(max=SERIAL_LENGTH_MAX)
    )
    last = fields.String(
        required=True, data_key="to", validate=validate.Length(max=SERIAL_LENGTH_MAX)
    )


class CouponCountSchema(Schema):
    """How many coupons changed their state."""

    count = fields.Integer(required=True)


@blp.route("/coupon-batches")
class Batches(MethodView):
    """Batches of the tenant."""

    @requires("coupons:issue")
    @blp.doc(parameters=[IDEMPOTENCY_PARAMETER])
    @blp.arguments(CouponBatchOrderSchema)
    @blp.response(202, CouponBatchSchema)
    @blp.alt_response(404, description="programme.not_found, printing.unknown_template")
    @blp.alt_response(
        422,
        description="coupon_batch.quantity, coupon_batch.face_value, programme.over,"
        " printing.missing_glyph, printing.text_too_long",
    )
    def post(self, body: dict[str, Any]) -> Response:
        """Order a batch; it is issued, printed and read back by itself."""

        def order() -> coupons.BatchView:
            batch_id = coupons.order_batch(work, coupons.BatchOrder(**body))
            return coupons.get_batch(work, batch_id)

        with unit_of_work(current_scope()) as work:
            return idempotent(work, order, schema=CouponBatchSchema, status=202)

    @requires("coupons:read")
    @blp.arguments(BatchQuerySchema, location="query")
    @blp.response(200, CouponBatchPageSchema)
    def get(self, query: dict[str, Any]) -> CursorPage[coupons.BatchView]:
        """List batches, newest first."""
        limit: int = query["limit"]
        with unit_of_work(current_scope()) as work:
            found = coupons.list_batches(
                work,
                before=decode_cursor(query.get("cursor")),
                programme_id=query["programme_id"],
                limit=limit + 1,
            )
        return make_page(found[:limit], found[limit - 1].id if len(found) > limit else None)


@blp.route("/coupon-batches/<uuid:batch_id>")
class OneBatch(MethodView):
    """One batch."""

    @requires("coupons:read")
    @blp.response(200, CouponBatchSchema)
    @blp.alt_response(404, description="coupon_batch.not_found")
    def get(self, batch_id: UUID) -> coupons.BatchView:
        """Show a batch: its state, how far it is, its volumes."""
        with unit_of_work(current_scope()) as work:
            return coupons.get_batch(work, batch_id)


@blp.route("/coupon-batches/<uuid:batch_id>/release")
class BatchRelease(MethodView):
    """The release of a batch."""

    @requires("coupons:release")
    @blp.doc(parameters=[IDEMPOTENCY_PARAMETER])
    @blp.arguments(CouponReleaseSchema)
    @blp.response(200, CouponBatchSchema)
    @blp.alt_response(404, description="coupon_batch.not_found")
    @blp.alt_response(409, description="coupon_batch.wrong_state")
    def post(self, _body: dict[str, Any], batch_id: UUID) -> Response:
        """Make the coupons of a batch spendable, once all were printed and read back."""

        def release() -> coupons.BatchView:
            coupons.release(work, batch_id)
            return coupons.get_batch(work, batch_id)

        with unit_of_work(current_scope()) as work:
            return idempotent(work, release, schema=CouponBatchSchema, status=200)


@blp.route("/coupon-batches/<uuid:batch_id>/pdf")
class BatchPdf(MethodView):
    """A print file."""

    @requires("coupons:print")
    @blp.arguments(VolumeQuerySchema, location="query")
    @blp.response(200, {"type": "string", "format": "binary"}, content_type="application/pdf")
    @blp.alt_response(404, description="coupon_batch.not_found, print.not_found")
    @blp.alt_response(409, description="print.not_ready, print.destroyed, print.unreadable")
    def get(self, query: dict[str, Any], batch_id: UUID) -> Response:
        """Take out a print file; this is put on record first."""
        with unit_of_work(current_scope()) as work:
            ticket = coupons.open_pdf(work, batch_id, volume=query["volume"])
        return _download(coupons.read_pdf(ticket), "application/pdf", ticket.file_name)


@blp.route("/coupon-batches/<uuid:batch_id>/manifest.csv")
class BatchManifest(MethodView):
    """The list of a batch's coupons."""

    @requires("coupons:print")
    @blp.response(200, {"type": "string"}, content_type="text/csv")
    @blp.alt_response(404, description="coupon_batch.not_found")
    def get(self, batch_id: UUID) -> Response:
        """List the coupons of a batch as CSV: nothing in it spends."""
        scope = current_scope()
        first = _read_manifest(scope, batch_id, 0)
        lines = _manifest(scope, batch_id, first)
        return _download(lines, "text/csv; charset=utf-8", f"{first[0].serial}.csv")


def _download(content: bytes | Iterator[str], content_type: str, file_name: str) -> Response:
    response = Response(content, content_type=content_type)
    response.headers.set("Content-Disposition", "attachment", filename=file_name)
    response.headers["Cache-Control"] = "no-store"
    return response


def _read_manifest(scope: Scope, batch_id: UUID, offset: int) -> list[coupons.ManifestLine]:
    with unit_of_work(scope) as work:
        return coupons.list_manifest(work, batch_id, offset=offset, limit=MANIFEST_PAGE)


def _manifest(scope: Scope, batch_id: UUID, lines: list[coupons.ManifestLine]) -> Iterator[str]:
    """Write the list page by page, each read in a short transaction of its own."""
    offset, names = 0, ("serial", "face_value_minor", "unit", "issued_on", "ends_on")
    yield write_line(names)
    while lines:
        yield "".join(write_line(getattr(line, name) for name in names) for line in lines)
        offset += len(lines)
        lines = _read_manifest(scope, batch_id, offset) if len(lines) == MANIFEST_PAGE else []


@blp.route("/coupons/<serial>")
class OneCoupon(MethodView):
    """One coupon."""

    @requires("coupons:read")
    @blp.response(200, CouponSchema)
    @blp.alt_response(404, description="coupon.not_found")
    def get(self, serial: str) -> coupons.CouponView:
        """Show a coupon by its serial, however it is written, with its last payments."""
        with unit_of_work(current_scope()) as work:
            return _show(work, serial)


def _show(work: Work, serial: str) -> coupons.CouponView:
    """Return a coupon as its caller may see it: payments are a permission of their own."""
    with_payments = "payments:read" in work.scope.permissions
    return coupons.get_coupon(work, serial, with_payments=with_payments)


def _turn(verb: Callable[..., int], serial: str, *, reason: str) -> coupons.CouponView:
    with unit_of_work(current_scope()) as work:
        verb(work, serial, reason=reason)
        return _show(work, serial)


@blp.route("/coupons/<serial>/block")
class CouponBlock(MethodView):
    """Stopping one coupon."""

    @requires("coupons:block")
    @blp.arguments(CouponReasonSchema)
    @blp.response(200, CouponSchema)
    @blp.alt_response(404, description="coupon.not_found")
    @blp.alt_response(409, description="coupon.wrong_state")
    def post(self, body: dict[str, Any], serial: str) -> coupons.CouponView:
        """Stop a coupon: it pays nothing from now on, and its value is kept."""
        return _turn(coupons.block, serial, reason=body["reason"])


@blp.route("/coupons/<serial>/unblock")
class CouponUnblock(MethodView):
    """Letting one coupon be spent again."""

    @requires("coupons:block")
    @blp.arguments(CouponReasonSchema)
    @blp.response(200, CouponSchema)
    @blp.alt_response(404, description="coupon.not_found")
    @blp.alt_response(409, description="coupon.wrong_state")
    def post(self, body: dict[str, Any], serial: str) -> coupons.CouponView:
        """Let a stopped coupon be spent again."""
        return _turn(coupons.unblock, serial, reason=body["reason"])


@blp.route("/coupons/<serial>/replace")
class CouponReplace(MethodView):
    """Replacing one lost coupon."""

    @requires("coupons:block")
    @blp.doc(parameters=[IDEMPOTENCY_PARAMETER])
    @blp.arguments(CouponReasonSchema)
    @blp.response(202, CouponBatchSchema)
    @blp.alt_response(404, description="coupon.not_found")
    @blp.alt_response(409, description="coupon.wrong_state, coupon.already_replaced")
    def post(self, body: dict[str, Any], serial: str) -> Response:
        """Replace a lost coupon: the old one is dead at once, its successor a batch of one."""

        def replace() -> coupons.BatchView:
            batch_id = coupons.replace(work, serial, reason=body["reason"])
            return coupons.get_batch(work, batch_id)

        with unit_of_work(current_scope()) as work:
            return idempotent(work, replace, schema=CouponBatchSchema, status=202)


def _turn_range(verb: Callable[..., int], body: dict[str, Any]) -> dict[str, int]:
    with unit_of_work(current_scope(), patience_s=RANGE_PATIENCE_S) as work:
        return {"count": verb(work, body["first"], last=body["last"], reason=body["reason"])}


@blp.route("/coupons/block")
class RangeBlock(MethodView):
    """Stopping a run of coupons."""

    @requires("coupons:block")
    @blp.arguments(CouponRangeSchema)
    @blp.response(200, CouponCountSchema)
    @blp.alt_response(404, description="coupon.not_found")
    @blp.alt_response(422, description="coupon.range")
    def post(self, body: dict[str, Any]) -> dict[str, int]:
        """Stop all coupons of a run of serials, as of a lost parcel: all or none."""
        return _turn_range(coupons.block, body)


@blp.route("/coupons/unblock")
class RangeUnblock(MethodView):
    """Letting a run of coupons be spent again."""

    @requires("coupons:block")
    @blp.arguments(CouponRangeSchema)
    @blp.response(200, CouponCountSchema)
    @blp.alt_response(404, description="coupon.not_found")
    @blp.alt_response(422, description="coupon.range")
    def post(self, body: dict[str, Any]) -> dict[str, int]:
        """Let all stopped coupons of a run of serials be spent again: all or none."""
        return _turn_range(coupons.unblock, body)
