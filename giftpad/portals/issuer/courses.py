"""Courses at the desk: one with what it holds, one is made, one is changed."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response, request

from giftpad import catalog, sheets
from giftpad.edge import current_caller, current_scope, requires
from giftpad.kernel.errors import Conflict, Invalid
from giftpad.kernel.i18n import DEFAULT_UNIT, mark
from giftpad.kernel.work import unit_of_work
from giftpad.portals.forms import Day, Form, WholeNumber, Words, refused
from giftpad.portals.http import do_once, new_key, page, see_other
from giftpad.portals.issuer.catalogue import KIND_WORDS
from giftpad.portals.pictures import picture_href

bp = Blueprint("desk_courses", __name__, url_prefix="/desk/catalogue/courses")

NAME_LENGTH_MAX = 100
CODE_LENGTH_MAX = 60
PRICE_MAX = 10_000_000
CHOICES_SHOWN = 100
ADDED = mark("The course is made. Put products into it by taking in a list.")
CHANGED = mark("The course is changed.")
UNCHANGED = mark("Nothing was different.")
NO_CODE = mark("Write 1 to 40 letters, digits, hyphens and underscores.")

Answer = Response | tuple[str, int]


class CourseForm(Form):
    """A course: what it is called, what it costs, when it is given."""

    code = Words(mark("Code"), most=CODE_LENGTH_MAX)
    name = Words(mark("Name in Japanese"), most=NAME_LENGTH_MAX)
    name_en = Words(mark("Name in English"), most=NAME_LENGTH_MAX, required=False)
    price = WholeNumber(mark("Price"), least=1, most=PRICE_MAX, counted_in="円")
    starts_on = Day(mark("First day it is given"))
    ends_on = Day(mark("Last day it is given"))

    def facts(self, unit: str) -> catalog.CourseFacts | None:
        """Return what was typed, or None with each fault at its field."""
        is_right = self.is_right()
        code = ""
        try:
            code = catalog.clean_code(self.code.data or "")
        except sheets.FieldFault:
            if not self.code.errors:
                self.refuse("code", NO_CODE)
            is_right = False
        if not is_right:
            return None
        assert self.starts_on.day is not None
        assert self.ends_on.day is not None
        names = {"ja": self.name.data, "en": self.name_en.data}
        return catalog.CourseFacts(
            code=code,
            names={locale: name for locale, name in names.items() if name},
            price_minor=self.price.known,
            unit=unit,
            starts_on=self.starts_on.day,
            ends_on=self.ends_on.day,
        )


@bp.get("/<uuid:course_id>")
@requires("catalog:read")
def one(course_id: UUID) -> str:
    """Show a course and what it holds, as whoever chooses finds it."""
    with unit_of_work(current_scope()) as work:
        course = catalog.get_course(work, course_id)
        found = catalog.list_choices(work, course_id, limit=CHOICES_SHOWN)
        held = catalog.list_products(
            work, catalog.ProductFilter(course_id=course_id), limit=catalog.PAGE_MAX
        )
    offered = {choice.product_id for choice in found.items}
    tenant = current_caller().tenant
    return page(
        "issuer/catalogue/course.html",
        nav_here="catalogue",
        course=course,
        choices=found.items,
        left_out=[product for product in held.items if product.id not in offered],
        kinds=KIND_WORDS,
        picture=lambda picture_id: picture_href(tenant, picture_id),
    )


@bp.get("/new")
@requires("catalog:write")
def new_page() -> str:
    """Ask for a new course."""
    return _draw(CourseForm(None), None, key=new_key())


def _draw(form: CourseForm, course: catalog.Course | None, *, key: str) -> str:
    return page(
        "issuer/catalogue/course_form.html",
        nav_here="catalogue",
        form=form,
        course=course,
        key=key,
    )


@bp.post("/new")
@requires("catalog:write")
def add() -> Answer:
    """Make a course, once for each form."""
    form, key = CourseForm(request.form), request.form.get("key", "")
    facts = form.facts(DEFAULT_UNIT)
    if facts is None:
        return _draw(form, None, key=key), 422
    try:
        with unit_of_work(current_scope()) as work:
            course_id = UUID(do_once(work, lambda: catalog.add_course(work, facts)))
    except (Conflict, Invalid) as error:
        status = refused(form, error)
        return _draw(form, None, key=key), status
    return see_other(".one", course_id=course_id, say=ADDED)


def _get(course_id: UUID) -> catalog.Course:
    with unit_of_work(current_scope()) as work:
        return catalog.get_course(work, course_id)


@bp.get("/<uuid:course_id>/change")
@requires("catalog:write")
def change_page(course_id: UUID) -> str:
    """Ask what a course is to be."""
    course = _get(course_id)
    form = CourseForm(
        None,
        code=course.code,
        name=course.names.get("ja", ""),
        name_en=course.names.get("en", ""),
        price=str(course.price_minor),
        starts_on=course.starts_on.isoformat(),
        ends_on=course.ends_on.isoformat(),
    )
    return _draw(form, course, key=new_key())


@bp.post("/<uuid:course_id>/change")
@requires("catalog:write")
def change(course_id: UUID) -> Answer:
    """Change a course; gifts that were given keep the price that they had."""
    form, key, course = CourseForm(request.form), request.form.get("key", ""), _get(course_id)
    facts = form.facts(course.unit)
    if facts is None:
        return _draw(form, course, key=key), 422
    try:
        with unit_of_work(current_scope()) as work:
            done = do_once(work, lambda: catalog.change_course(work, course_id, facts))
    except (Conflict, Invalid) as error:
        status = refused(form, error)
        return _draw(form, course, key=key), status
    return see_other(".one", course_id=course_id, say=CHANGED if done == "True" else UNCHANGED)
