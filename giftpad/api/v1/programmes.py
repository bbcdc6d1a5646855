"""What programmes there are and what their rules are; packs set them, so here they are read."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask.views import MethodView
from marshmallow import Schema, fields

from giftpad import programmes
from giftpad.api.http import Blueprint, CursorPage, CursorQuery, decode_cursor, make_page
from giftpad.edge import current_locale, current_scope, requires
from giftpad.kernel.work import unit_of_work

blp = Blueprint("programmes", __name__, description="Programmes")


class ValiditySchema(Schema):
    """How long a coupon is valid, its day of issue included; exactly one is not null."""

    until = fields.Date(required=True, allow_none=True)
    days = fields.Integer(required=True, allow_none=True)
    months = fields.Integer(required=True, allow_none=True)


class ProgrammeSchema(Schema):
    """A programme and its rules; dates are inclusive."""

    id = fields.UUID(required=True)
    slug = fields.String(required=True)
    name = fields.Method(
        "name_of",
        required=True,
        metadata={"description": "In the language of Accept-Language", "type": "string"},
    )
    unit = fields.String(required=True)
    starts_on = fields.Date(required=True)
    ends_on = fields.Date(required=True)
    groups = fields.List(
        fields.String(),
        required=True,
        metadata={"description": "Groups of shops that accept it; empty: all"},
    )
    areas = fields.List(
        fields.String(),
        required=True,
        metadata={"description": "Areas whose shops accept it; empty: all"},
    )
    ceiling_minor = fields.Integer(
        required=True, allow_none=True, metadata={"description": "The most of one payment"}
    )
    validity = fields.Nested(ValiditySchema, required=True)
    serial_prefix = fields.String(required=True)
    template = fields.String(required=True)
    spendable_from = fields.String(required=True)
    quantity_max = fields.Integer(required=True)
    face_value_min_minor = fields.Integer(required=True)
    face_value_max_minor = fields.Integer(required=True)
    gifts = fields.Boolean(
        required=True,
        metadata={"description": "Whether the balance of a gift can be kept in it"},
    )

    def name_of(self, programme: programmes.Programme) -> str:
        """Return the programme's name as the caller reads best."""
        return programme.names[current_locale()]


class ProgrammePageSchema(Schema):
    """A page of programmes."""

    items = fields.List(fields.Nested(ProgrammeSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


@blp.route("/programmes")
class Programmes(MethodView):
    """The programmes of the tenant."""

    @requires("programmes:read")
    @blp.arguments(CursorQuery, location="query")
    @blp.response(200, ProgrammePageSchema)
    def get(self, query: dict[str, Any]) -> CursorPage[programmes.Programme]:
        """List the programmes, oldest first."""
        with unit_of_work(current_scope()) as work:
            page = programmes.list_programmes(
                work, decode_cursor(query.get("cursor")), limit=query["limit"]
            )
        return make_page(page.items, page.next_after)


@blp.route("/programmes/<uuid:programme_id>")
class OneProgramme(MethodView):
    """One programme."""

    @requires("programmes:read")
    @blp.response(200, ProgrammeSchema)
    @blp.alt_response(404)
    def get(self, programme_id: UUID) -> programmes.Programme:
        """Return one programme."""
        with unit_of_work(current_scope()) as work:
            return programmes.get_programme(work, programme_id)
