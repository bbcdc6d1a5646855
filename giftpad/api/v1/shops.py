"""Shops: enrolled one by one, changed from a day on, stopped; files of them are in shop_imports."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from flask import Response
from flask.views import MethodView
from marshmallow import Schema, ValidationError, fields, post_load, validate

from giftpad import audit, shops
from giftpad.api.http import (
    Blueprint,
    CursorPage,
    CursorQuery,
    decode_cursor,
    idempotent,
    make_page,
)
from giftpad.edge import current_locale, current_scope, requires
from giftpad.kernel.i18n import translate
from giftpad.kernel.work import Work, unit_of_work

FLOOR_AREA_MAX = 1_000_000
FILTER_LENGTH_MAX = 100
_FILLED = frozenset({"number", "name", "area"})
"""Texts that are never empty, where they are given at all."""

blp = Blueprint("shops", __name__, description="Shops")


class FactField(fields.String):
    """A text of a shop, cleaned and judged as it is in a file of shops."""

    def __init__(self, name: str, **kwargs: Any) -> None:
        super().__init__(**kwargs, metadata={"minLength": 1} if name in _FILLED else None)
        self._clean = shops.CLEANERS[name]

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        text = super()._deserialize(value, attr, data, **kwargs)
        try:
            return self._clean(text)
        except shops.FieldFault as fault:
            remedy = shops.SENTENCES[fault.code][1]
            detail = translate(remedy, current_locale(), **fault.params)
            raise ValidationError(detail) from None


class StrictBoolean(fields.Boolean):
    """``true`` or ``false``; in Python ``0`` and ``0.0`` would pass for ``false``."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        del attr, data, kwargs
        if not isinstance(value, bool):
            fault = "invalid"
            raise self.make_error(fault, input=value)
        return value


def _check_year(day: date) -> None:
    """Judge a day as one in a file of shops is judged."""
    try:
        shops.CLEANERS["starts_on"](day.isoformat())
    except shops.FieldFault as fault:
        raise ValidationError(shops.SENTENCES[fault.code][1]) from None


class ContactSchema(Schema):
    """The person a shop is reached by; kept sealed."""

    name = FactField("contact_name", load_default="")
    phone = FactField("contact_phone", load_default="")
    email = FactField("contact_email", load_default="")


class FactsSchema(Schema):
    """What holds for a shop; ``starts_on`` says from which day, and without it from now."""

    name = FactField("name")
    kana = FactField("kana")
    area = FactField("area")
    groups = fields.List(fields.String(), validate=validate.Length(max=100))
    accepting = StrictBoolean()
    address = FactField("address")
    phone = FactField("phone")
    floor_area_m2 = fields.Integer(
        strict=True, allow_none=True, validate=validate.Range(min=0, max=FLOOR_AREA_MAX)
    )
    hq_prefecture = FactField("hq_prefecture")
    starts_on = fields.Date(allow_none=True, load_default=None, validate=_check_year)

    @post_load
    def clean_groups(self, body: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Clean the groups together: each once, in order."""
        if "groups" in body:
            try:
                body["groups"] = shops.clean_groups(body["groups"])
            except shops.FieldFault as fault:
                remedy = shops.SENTENCES[fault.code][1]
                detail = translate(remedy, current_locale(), **fault.params)
                raise ValidationError(detail, "groups") from None
        return body


class NewShopSchema(FactsSchema):
    """A shop to enrol."""

    number = FactField("number", required=True)
    name = FactField("name", required=True)
    area = FactField("area", required=True)
    contact = fields.Nested(ContactSchema)


class BranchSchema(Schema):
    """One place of a shop."""

    id = fields.UUID(dump_only=True)
    name = FactField("name", required=True)
    address = FactField("address", load_default="")


class FactsViewSchema(Schema):
    """What holds for a shop."""

    name = fields.String(required=True)
    kana = fields.String(required=True)
    area = fields.String(required=True)
    groups = fields.List(fields.String(), required=True)
    accepting = fields.Boolean(required=True)
    address = fields.String(required=True)
    phone = fields.String(required=True)
    floor_area_m2 = fields.Integer(required=True, allow_none=True)
    hq_prefecture = fields.String(required=True)


class PlannedSchema(Schema):
    """What will hold for a shop, and from when."""

    starts_at = fields.DateTime(required=True)
    facts = fields.Nested(FactsViewSchema, required=True)


class ShopItemSchema(Schema):
    """A shop as it is now; before its first day, ``has_started`` is false."""

    id = fields.UUID(required=True)
    number = fields.String(required=True)
    name = fields.String(required=True, attribute="facts.name")
    kana = fields.String(required=True, attribute="facts.kana")
    area = fields.String(required=True, attribute="facts.area")
    groups = fields.List(fields.String(), required=True, attribute="facts.groups")
    accepting = fields.Boolean(required=True, attribute="facts.accepting")
    address = fields.String(required=True, attribute="facts.address")
    phone = fields.String(required=True, attribute="facts.phone")
    floor_area_m2 = fields.Integer(required=True, allow_none=True, attribute="facts.floor_area_m2")
    hq_prefecture = fields.String(required=True, attribute="facts.hq_prefecture")
    has_started = fields.Boolean(required=True)
    starts_at = fields.DateTime(required=True)
    created_at = fields.DateTime(required=True)


class ShopSchema(ShopItemSchema):
    """A shop with its places and with what will hold later."""

    branches = fields.List(fields.Nested(BranchSchema), required=True)
    planned = fields.List(fields.Nested(PlannedSchema), required=True)


class ShopPageSchema(Schema):
    """A page of shops."""

    items = fields.List(fields.Nested(ShopItemSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class ShopQuerySchema(CursorQuery):
    """Which shops a list shows."""

    area = FactField("area", load_default="")
    group = fields.String(load_default="", validate=validate.Length(max=FILTER_LENGTH_MAX))
    q = fields.String(
        load_default="",
        validate=validate.Length(max=FILTER_LENGTH_MAX),
        metadata={"description": "A part of the name or its reading, or a whole number"},
    )


@blp.route("/shops")
class Shops(MethodView):
    """The shops of the tenant."""

    @requires("shops:read")
    @blp.arguments(ShopQuerySchema, location="query")
    @blp.response(200, ShopPageSchema)
    def get(self, query: dict[str, Any]) -> CursorPage[shops.ShopView]:
        """List the shops as they are now, in the order of their enrolment."""
        wanted = shops.ShopFilter(area=query["area"], group=query["group"], text=query["q"])
        with unit_of_work(current_scope()) as work:
            page = shops.list_shops(
                work, wanted, after=decode_cursor(query.get("cursor")), limit=query["limit"]
            )
        return make_page(page.items, page.next_after)

    @requires("shops:write")
    @blp.arguments(NewShopSchema)
    @blp.response(201, ShopSchema)
    @blp.alt_response(409, description="shop.number_taken")
    def post(self, body: dict[str, Any]) -> Response:
        """Enrol a shop."""
        contact = body.pop("contact", None)
        new = shops.NewShop(
            number=body.pop("number"),
            starts_on=body.pop("starts_on"),
            facts=shops.Facts(**body),
            contact=shops.Contact(**contact) if contact else None,
        )
        with unit_of_work(current_scope()) as work:
            return idempotent(
                work,
                lambda: shops.get_shop(work, shops.enrol(work, new)),
                schema=ShopSchema(),
                required=False,
            )


@blp.route("/shops/<uuid:shop_id>")
class OneShop(MethodView):
    """One shop."""

    @requires("shops:read")
    @blp.response(200, ShopSchema)
    @blp.alt_response(404)
    def get(self, shop_id: UUID) -> shops.ShopView:
        """Return a shop with its branches and planned facts."""
        with unit_of_work(current_scope()) as work:
            return shops.get_shop(work, shop_id)


@blp.route("/shops/<uuid:shop_id>/facts")
class ShopFacts(MethodView):
    """What holds for a shop."""

    @requires("shops:write")
    @blp.arguments(FactsSchema)
    @blp.response(201, ShopSchema)
    @blp.alt_response(404)
    def post(self, body: dict[str, Any], shop_id: UUID) -> shops.ShopView:
        """Let other facts hold for a shop from a day on, or from now; what is not given stays."""
        starts_on = body.pop("starts_on")
        with unit_of_work(current_scope()) as work:
            shops.change_facts(work, shop_id, body, starts_on=starts_on)
            return shops.get_shop(work, shop_id)


def _set_accepting(work: Work, shop_id: UUID, *, accepting: bool) -> shops.ShopView:
    shops.set_accepting(work, shop_id, accepting=accepting)
    return shops.get_shop(work, shop_id)


@blp.route("/shops/<uuid:shop_id>/suspend")
class ShopSuspend(MethodView):
    """Stop a shop."""

    @requires("shops:write")
    @blp.response(200, ShopSchema)
    @blp.alt_response(404)
    def post(self, shop_id: UUID) -> shops.ShopView:
        """Let a shop accept nothing from now on."""
        with unit_of_work(current_scope()) as work:
            return _set_accepting(work, shop_id, accepting=False)


@blp.route("/shops/<uuid:shop_id>/resume")
class ShopResume(MethodView):
    """Let a shop go on."""

    @requires("shops:write")
    @blp.response(200, ShopSchema)
    @blp.alt_response(404)
    def post(self, shop_id: UUID) -> shops.ShopView:
        """Let a stopped shop accept again."""
        with unit_of_work(current_scope()) as work:
            return _set_accepting(work, shop_id, accepting=True)


@blp.route("/shops/<uuid:shop_id>/contact")
class ShopContact(MethodView):
    """The person a shop is reached by."""

    @requires("shops:write")
    @blp.response(200, ContactSchema)
    @blp.alt_response(404)
    def get(self, shop_id: UUID) -> shops.Contact:
        """Return the person a shop is reached by; that it was looked at is recorded."""
        with unit_of_work(current_scope()) as work:
            contact = shops.get_contact(work, shop_id)
            audit.record(work, action="shop.contact_seen", subject=f"shop:{shop_id}")
            return contact

    @requires("shops:write")
    @blp.arguments(ContactSchema)
    @blp.response(200, ContactSchema)
    @blp.alt_response(404)
    def put(self, body: dict[str, Any], shop_id: UUID) -> shops.Contact:
        """Set the person a shop is reached by."""
        contact = shops.Contact(**body)
        with unit_of_work(current_scope()) as work:
            shops.set_contact(work, shop_id, contact)
        return contact


@blp.route("/shops/<uuid:shop_id>/branches")
class ShopBranches(MethodView):
    """The places of a shop."""

    @requires("shops:write")
    @blp.arguments(BranchSchema)
    @blp.response(201, ShopSchema)
    @blp.alt_response(404)
    def post(self, body: dict[str, Any], shop_id: UUID) -> shops.ShopView:
        """Add one place to a shop."""
        with unit_of_work(current_scope()) as work:
            shops.add_branch(work, shop_id, **body)
            return shops.get_shop(work, shop_id)


@blp.route("/shops/<uuid:shop_id>/branches/<uuid:branch_id>/close")
class ShopBranchClose(MethodView):
    """Close a place."""

    @requires("shops:write")
    @blp.response(200, ShopSchema)
    @blp.alt_response(404)
    def post(self, shop_id: UUID, branch_id: UUID) -> shops.ShopView:
        """Close one place of a shop."""
        with unit_of_work(current_scope()) as work:
            shops.close_branch(work, shop_id, branch_id)
            return shops.get_shop(work, shop_id)
