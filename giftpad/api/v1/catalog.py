"""What can be chosen as a gift: courses, and the products behind them; lists are read here only."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask.views import MethodView
from marshmallow import Schema, fields
from marshmallow.validate import Length, OneOf

from giftpad import catalog, sheets
from giftpad.api.http import Blueprint, CursorPage, CursorQuery, decode_cursor, make_page
from giftpad.edge import current_locale, current_scope, requires
from giftpad.kernel.work import unit_of_work

blp = Blueprint("catalog", __name__, description="Catalogue of gifts")


def _code(text: str) -> str:
    """Return the code of a product that a cursor holds.

    Raises: ValueError.
    """
    try:
        is_code = catalog.clean_code(text) == text
    except sheets.FieldFault:
        is_code = False
    if not is_code:
        raise ValueError(text)
    return text


TEXT_LENGTH_MAX = 100
_NAMED = {"description": "In the language of Accept-Language", "type": "string"}


class CourseSchema(Schema):
    """A course: what a gift of one price is chosen from; dates are inclusive."""

    id = fields.UUID(required=True)
    code = fields.String(required=True)
    name = fields.Method("name_of", required=True, metadata=_NAMED)
    price_minor = fields.Integer(required=True)
    unit = fields.String(required=True)
    starts_on = fields.Date(required=True)
    ends_on = fields.Date(required=True)
    choice_count = fields.Integer(
        required=True, metadata={"description": "Products that can be had now"}
    )

    def name_of(self, course: catalog.Course) -> str:
        """Return the course's name as the caller reads best."""
        return course.name_in(current_locale())


class CoursesSchema(Schema):
    """All courses of the tenant."""

    items = fields.List(fields.Nested(CourseSchema), required=True)


class VariantSchema(Schema):
    """One kind of a product; null is without end."""

    id = fields.UUID(required=True)
    code = fields.String(required=True)
    name = fields.Method("name_of", required=True, metadata=_NAMED)
    is_available = fields.Boolean(required=True)
    stock = fields.Integer(required=True, allow_none=True)
    daily_limit = fields.Integer(required=True, allow_none=True)

    def name_of(self, variant: catalog.VariantView) -> str:
        """Return the variant's name as the caller reads best."""
        return variant.name_in(current_locale())


class ProductSchema(Schema):
    """A product with its variants, as it is now."""

    id = fields.UUID(required=True)
    code = fields.String(required=True)
    kind = fields.String(required=True, validate=OneOf(catalog.KINDS))
    name = fields.Method("name_of", required=True, metadata=_NAMED)
    description = fields.Method("description_of", required=True, metadata=_NAMED)
    category = fields.String(required=True)
    supplier = fields.String(required=True)
    allergens = fields.List(fields.String(), required=True)
    age_min = fields.Integer(required=True)
    lead_days = fields.Integer(required=True)
    price_minor = fields.Integer(required=True)
    unit = fields.String(required=True)
    excluded_prefectures = fields.List(fields.String(), required=True)
    state = fields.String(required=True, validate=OneOf(catalog.STATES))
    is_available = fields.Boolean(required=True)
    variants = fields.List(fields.Nested(VariantSchema), required=True)

    def name_of(self, product: catalog.ProductView) -> str:
        """Return the product's name as the caller reads best."""
        return product.name_in(current_locale())

    def description_of(self, product: catalog.ProductView) -> str:
        """Return the product's description as the caller reads best."""
        return product.description_in(current_locale())


class ProductPageSchema(Schema):
    """A page of products."""

    items = fields.List(fields.Nested(ProductSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class ProductQuery(CursorQuery):
    """Which products are wanted."""

    text = fields.String(load_default="", validate=Length(max=TEXT_LENGTH_MAX))
    category = fields.String(load_default="", validate=Length(max=TEXT_LENGTH_MAX))
    course_id = fields.UUID(load_default=None)


@blp.route("/catalog/courses")
class Courses(MethodView):
    """The courses of the tenant."""

    @requires("catalog:read")
    @blp.response(200, CoursesSchema)
    def get(self) -> dict[str, list[catalog.Course]]:
        """List the courses, the cheapest first."""
        with unit_of_work(current_scope()) as work:
            return {"items": catalog.list_courses(work)}


@blp.route("/catalog/courses/<uuid:course_id>")
class OneCourse(MethodView):
    """One course."""

    @requires("catalog:read")
    @blp.response(200, CourseSchema)
    @blp.alt_response(404)
    def get(self, course_id: UUID) -> catalog.Course:
        """Return one course."""
        with unit_of_work(current_scope()) as work:
            return catalog.get_course(work, course_id)


@blp.route("/catalog/products")
class Products(MethodView):
    """The products of the tenant."""

    @requires("catalog:read")
    @blp.arguments(ProductQuery, location="query")
    @blp.response(200, ProductPageSchema)
    def get(self, query: dict[str, Any]) -> CursorPage[catalog.ProductView]:
        """List the products by their codes, hidden ones too."""
        wanted = catalog.ProductFilter(
            text=query["text"], category=query["category"], course_id=query["course_id"]
        )
        with unit_of_work(current_scope()) as work:
            page = catalog.list_products(
                work,
                wanted,
                after=decode_cursor(query.get("cursor"), _code) or "",
                limit=query["limit"],
            )
        return make_page(page.items, page.next_after)


@blp.route("/catalog/products/<uuid:product_id>")
class OneProduct(MethodView):
    """One product."""

    @requires("catalog:read")
    @blp.response(200, ProductSchema)
    @blp.alt_response(404)
    def get(self, product_id: UUID) -> catalog.ProductView:
        """Return one product with what is left of each variant."""
        with unit_of_work(current_scope()) as work:
            return catalog.get_product(work, product_id)
