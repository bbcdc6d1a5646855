"""The catalogue at the desk: courses, the list of products with its filter, one product in full.

Hides: how a list goes on, what a stock is typed as.  Courses are changed in ``courses``, many
products at once in ``catalogue_imports``.
"""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from flask import Blueprint, Response, g, request, stream_with_context, url_for

from giftpad import catalog, sheets
from giftpad.edge import current_caller, current_locale, current_scope, requires
from giftpad.guard import KeyReused
from giftpad.kernel.errors import Invalid, Rejected
from giftpad.kernel.i18n import mark
from giftpad.kernel.work import unit_of_work
from giftpad.portals.downloads import UTF8_MARK, attachment
from giftpad.portals.forms import Choice, Form, Upload, WholeNumber, Words, refused
from giftpad.portals.http import do_once, new_key, page, see_other
from giftpad.portals.lists import filter_asked, list_href
from giftpad.portals.pictures import LARGE, picture_href
from giftpad.portals.words import say_in_words

bp = Blueprint("desk_catalogue", __name__, url_prefix="/desk/catalogue")

PAGE = 50
FILTER_LENGTH_MAX = 100
STOCK_MAX = 1_000_000_000
ALL = mark("All")
STATES = (("", ALL), ("active", mark("offered")), ("hidden", mark("hidden")))
KIND_WORDS = {"goods": mark("Goods"), "digital": mark("Digital"), "donation": mark("Donation")}
SHOWN = mark("The product is offered.")
HIDDEN = mark("The product is hidden. What was taken of it stays taken.")
STOCK_SET = mark("The stock is set.")
CODES_ADDED = mark("{added} codes were added, {known} were known already.")
NO_FILE = mark("Please choose a file.")

Answer = Response | tuple[str, int]


class FilterForm(Form):
    """Which products are wanted."""

    q = Words(mark("Name or code"), most=FILTER_LENGTH_MAX, required=False)
    category = Choice(mark("Category"), required=False, holds_names=True)
    state = Choice(mark("State"), STATES, required=False)


class StockForm(Form):
    """How much of a variant is left, and how much of it may go on one day; empty is no end."""

    stock = WholeNumber(mark("Left"), least=0, most=STOCK_MAX, required=False)
    daily_limit = WholeNumber(mark("At most a day"), least=0, most=STOCK_MAX, required=False)


class CodesForm(Form):
    """A file of codes of a digital product."""

    file = Upload(mark("Codes (CSV or XLSX)"), accept=".csv,.xlsx,text/csv")


@bp.get("")
@requires("catalog:read")
def index() -> tuple[str, int]:
    """List courses and products."""
    form = FilterForm(request.args)
    with unit_of_work(current_scope()) as work:
        courses = catalog.list_courses(work)
        categories = catalog.list_product_categories(work)
        locale = current_locale()
        form.category.choices = [
            ("", say_in_words(ALL)),
            *((each.key, each.name_in(locale)) for each in categories),
        ]
        is_right, asked = form.is_right(), filter_asked(form)
        found = catalog.ProductPage(items=(), next_after=None)
        after = request.args.get("after", "")
        if is_right:
            found = catalog.list_products(work, _wanted(form), after=after, limit=PAGE)
    drawn = page(
        "issuer/catalogue/index.html",
        nav_here="catalogue",
        form=form,
        courses=courses,
        products=found.items,
        kinds=KIND_WORDS,
        is_filtered=bool(asked),
        picture=_picture,
        first_href=list_href(".index", asked) if after else None,
        next_href=list_href(".index", asked, after=found.next_after) if found.next_after else None,
    )
    return drawn, 200 if is_right else 422


def _wanted(form: FilterForm) -> catalog.ProductFilter:
    return catalog.ProductFilter(
        text=form.q.data or "", category=form.category.data or "", state=form.state.data or ""
    )


def _picture(picture_id: UUID, *, is_large: bool = False) -> str:
    tenant = current_caller().tenant
    return picture_href(tenant, picture_id, LARGE) if is_large else picture_href(tenant, picture_id)


@bp.get("/all.csv")
@requires("catalog:read")
def all_rows() -> Response:
    """Take away all products as the table that can be taken in again; pictures and stock stay."""
    columns = catalog.column_names(current_locale())
    # What a table without them leaves as it is: a stock of then would bring back what was chosen
    # since.
    for kept in ("pictures", "position", "stock"):
        columns.pop(kept)
    return attachment(stream_with_context(_lines(columns)), "catalogue.csv")


def _lines(columns: dict[str, str]) -> Iterator[str]:
    """Write products page by page; no transaction stays open while a slow reader reads."""
    yield UTF8_MARK + sheets.write_line(columns.values())
    after: str | None = ""
    while after is not None:
        with unit_of_work(current_scope()) as work:
            found = catalog.list_products(
                work, catalog.ProductFilter(), after=after, limit=catalog.PAGE_MAX
            )
            rows = [row for one in found.items for row in catalog.as_rows(work, one)]
        yield "".join(sheets.write_line(row[name] for name in columns) for row in rows)
        after = found.next_after


@bp.get("/<uuid:product_id>")
@requires("catalog:read")
def product(product_id: UUID) -> str:
    """Show one product: what is known of it, and what is left."""
    return _draw(product_id)


def _draw(
    product_id: UUID,
    *,
    stock_form: StockForm | None = None,
    codes_form: CodesForm | None = None,
    variant_id: UUID | None = None,
    key: str = "",
) -> str:
    with unit_of_work(current_scope()) as work:
        found = catalog.get_product(work, product_id)
        courses = catalog.list_courses_of(work, product_id)
    return page(
        "issuer/catalogue/product.html",
        nav_here="catalogue",
        product=found,
        courses=courses,
        kinds=KIND_WORDS,
        picture=_picture,
        stock_form=stock_form or StockForm(None),
        codes_form=codes_form or CodesForm(None),
        faulty_variant=variant_id,
        key=key or new_key(),
    )


@bp.post("/<uuid:product_id>/state")
@requires("catalog:write")
def set_state(product_id: UUID) -> Response:
    """Offer a product or hide it."""
    is_active = request.form.get("state") == "active"
    with unit_of_work(current_scope()) as work:
        catalog.set_state(work, product_id, is_active=is_active)
    say = SHOWN if is_active else HIDDEN
    return see_other(".product", product_id=product_id, say=say)


@bp.post("/<uuid:product_id>/variants/<uuid:variant_id>/stock")
@requires("catalog:write")
def set_stock(product_id: UUID, variant_id: UUID) -> Answer:
    """Say how much of a variant is left."""
    g.page_path = url_for(".product", product_id=product_id)
    form, key = StockForm(request.form), request.form.get("key", "")
    if not form.is_right():
        return _draw(product_id, stock_form=form, variant_id=variant_id, key=key), 422
    try:
        with unit_of_work(current_scope()) as work:
            _check_variant(catalog.get_product(work, product_id), variant_id)
            do_once(
                work,
                lambda: catalog.set_stock(
                    work,
                    variant_id,
                    stock=form.stock.number,
                    daily_limit=form.daily_limit.number,
                ),
            )
    except (Rejected, KeyReused) as error:
        status = refused(form, error)
        return _draw(product_id, stock_form=form, variant_id=variant_id), status
    return see_other(".product", product_id=product_id, say=STOCK_SET)


def _check_variant(found: catalog.ProductView, variant_id: UUID) -> None:
    if variant_id not in {variant.id for variant in found.variants}:
        raise catalog.ProductNotFound


@bp.post("/<uuid:product_id>/variants/<uuid:variant_id>/codes")
@requires("catalog:write")
def add_codes(product_id: UUID, variant_id: UUID) -> Answer:
    """Add the codes of a file to a digital product; those that are known are passed over."""
    g.page_path = url_for(".product", product_id=product_id)
    form, key = CodesForm(request.files), request.form.get("key", "")
    sent = request.files.get("file")
    data = sent.stream.read() if sent is not None else b""
    if not data:
        form.refuse("file", NO_FILE)
        return _draw(product_id, codes_form=form, variant_id=variant_id, key=key), 422
    try:
        codes = catalog.read_codes(data)
        with unit_of_work(current_scope()) as work:
            _check_variant(catalog.get_product(work, product_id), variant_id)
            done = do_once(work, lambda: catalog.add_codes(work, variant_id, codes), more=data)
    except (Invalid, Rejected, KeyReused) as error:
        status = refused(form, error)
        return _draw(product_id, codes_form=form, variant_id=variant_id), status
    params = {"added": int(done), "known": len(codes) - int(done)}
    return see_other(".product", product_id=product_id, say=CODES_ADDED, params=params)
