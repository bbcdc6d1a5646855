"""Choosing: the goods of the course by category and search, one of them, its variants."""

from __future__ import annotations

from urllib.parse import urlencode
from uuid import UUID

from flask import Blueprint, Response, request, url_for

from giftpad import catalog, edge, gifts
from giftpad.kernel.i18n import mark
from giftpad.kernel.work import Work, unit_of_work
from giftpad.portals.forms import Choice, Form
from giftpad.portals.gift.basket import add_to_basket, read_basket
from giftpad.portals.gift.letter import RECEIVE
from giftpad.portals.gift.opened import keep_draft, read_draft, read_letter
from giftpad.portals.gift.pages import as_gift_pages, draw_of, stand_at
from giftpad.portals.http import see_other
from giftpad.portals.lists import id_asked

PAGE = 24
SEARCH_LENGTH_MAX = 60
GONE = mark("This was popular and is gone. Please choose something else.")

bp = Blueprint("gift_choice", __name__)
as_gift_pages(bp)


class VariantForm(Form):
    """Which kind of a product."""

    variant = Choice(mark("Kind"), holds_names=True)


@bp.get("/g/choose")
@edge.requires(RECEIVE)
def index() -> Response | str:
    """List what can be had, by category and by what is looked for."""
    text = request.args.get("text", "").strip()[:SEARCH_LENGTH_MAX]
    category = request.args.get("category", "")[:SEARCH_LENGTH_MAX]
    with unit_of_work(edge.current_scope()) as work:
        letter = read_letter(work)
        if letter.state != "open":
            return see_other("gift.index")
        if letter.course_id is None:
            return see_other("gift_balance.ask_keep")
        basket = read_basket(work, letter)
        course = catalog.get_course(work, letter.course_id)
        categories = catalog.list_categories(work, letter.course_id, price_max=basket.price_max)
        choices = catalog.list_choices(
            work,
            letter.course_id,
            text=text,
            category=category,
            price_max=basket.price_max,
            after=id_asked("after"),
            limit=PAGE,
        )
    return draw_of(
        letter,
        "gift/choose.html",
        course=course,
        categories=categories,
        choices=choices,
        text=text,
        category=category,
        is_first="after" not in request.args,
        page_path=_page_path,
        draft=read_draft(),
        basket=basket,
    )


def _page_path(**changes: object) -> str:
    """Return the address of this list with something of its query changed; None takes it away."""
    asked = {name: value for name, value in request.args.items() if name != "after"} | changes
    query = urlencode({name: str(value) for name, value in asked.items() if value})
    path = url_for(".index")
    return f"{path}?{query}" if query else path


@bp.get("/g/products/<uuid:product_id>")
@edge.requires(RECEIVE)
def show_product(product_id: UUID) -> Response | str:
    """Show one thing that can be chosen."""
    with unit_of_work(edge.current_scope()) as work:
        letter = read_letter(work)
        if letter.state != "open":
            return see_other("gift.index")
        product = _find_product(work, letter, product_id)
        basket = read_basket(work, letter)
    if product is None:
        return see_other(".index", say=GONE, kind="warning")
    form = _form_of(product)
    return draw_of(letter, "gift/product.html", product=product, form=form, basket=basket)


@bp.post("/g/products/<uuid:product_id>")
@edge.requires(RECEIVE)
def choose(product_id: UUID) -> Response | tuple[str, int]:
    """Remember what was chosen in this browser, and go on to where it goes."""
    stand_at(".index")
    with unit_of_work(edge.current_scope()) as work:
        letter = read_letter(work)
        if letter.state != "open":
            return see_other("gift.index")
        product = _find_product(work, letter, product_id)
        basket = read_basket(work, letter)
    if product is None:
        return see_other(".index", say=GONE, kind="warning")
    form = _form_of(product, request.form)
    if not form.is_right():
        html = draw_of(letter, "gift/product.html", product=product, form=form, basket=basket)
        return html, 422
    if letter.kind == gifts.BALANCE:
        return add_to_basket(basket, product, UUID(form.variant.data))
    draft = read_draft().choose(product, UUID(form.variant.data))
    response = see_other("gift_delivery.review")
    keep_draft(response, draft)
    return response


def _find_product(work: Work, letter: gifts.Letter, product_id: UUID) -> catalog.ProductView | None:
    """Return a product of the gift's course that can be had now, or None.

    What has no price of its own is nothing that a balance can buy.
    """
    if letter.course_id is None:
        return None
    try:
        product = catalog.get_choice(work, letter.course_id, product_id)
    except catalog.ChoiceNotFound:
        return None
    is_free = letter.kind == gifts.BALANCE and not product.price_minor
    return None if is_free else product


def _form_of(product: catalog.ProductView, sent: object = None) -> VariantForm:
    """Return the form for the kinds that can be had; the only one is chosen already."""
    form = VariantForm(sent)
    locale = edge.current_locale()
    form.variant.choices = [
        (str(each.id), each.name_in(locale) or product.name_in(locale))
        for each in product.variants
        if each.is_available
    ]
    if len(form.variant.choices) == 1:
        form.variant.data = form.variant.choices[0][0]
    return form
