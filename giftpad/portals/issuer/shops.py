"""Member shops at the desk: the list with its filter, all of them as CSV, one in full.

Hides: how a list goes on.  What changes a shop is in ``shop_changes``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request, stream_with_context, url_for

from giftpad import programmes, shops
from giftpad.edge import current_scope, requires, write_line
from giftpad.kernel.i18n import mark
from giftpad.kernel.work import Work, unit_of_work
from giftpad.portals.forms import Form, Words
from giftpad.portals.http import new_key, page
from giftpad.portals.issuer import shop_changes
from giftpad.portals.issuer.shop_forms import COLUMN_WORDS, FACT_FIELDS, GROUP_SEPARATOR, BranchForm
from giftpad.portals.issuer.shop_shown import draw_one
from giftpad.portals.words import say_in_words, when

bp = Blueprint("desk_shops", __name__, url_prefix="/desk/shops")
bp.register_blueprint(shop_changes.bp)

# Reading coupons too keeps the people of a shop out: they have their own pages.
READING = ("shops:read", "coupons:read")
PAGE = 50
FILTER_LENGTH_MAX = 100

YES, NO = mark("Yes"), mark("No")
CSV_HEADER = tuple(
    COLUMN_WORDS[name] for name in ("number", *FACT_FIELDS, "accepting", "starts_on")
)


class FilterForm(Form):
    """Which shops are wanted."""

    q = Words(mark("Name, reading or number"), most=FILTER_LENGTH_MAX, required=False)
    area = Words(mark("Area"), most=FILTER_LENGTH_MAX, required=False)
    group = Words(mark("Group of shops"), most=FILTER_LENGTH_MAX, required=False)

    @property
    def wanted(self) -> shops.ShopFilter:
        """What the filter looks for."""
        return shops.ShopFilter(
            text=self.q.data,
            area=_label(self.area.data),
            group=_label(self.group.data),
        )


def _label(text: str) -> str:
    try:
        return shops.clean_label(text)
    except shops.FieldFault:
        return text


@bp.get("")
@requires(*READING)
def index() -> tuple[str, int]:
    """List the shops as they are now, in the order of their enrolment."""
    form = FilterForm(request.args)
    is_right = form.is_right()
    listed = shops.ShopPage(items=(), next_after=None)
    with unit_of_work(current_scope()) as work:
        if is_right:
            listed = shops.list_shops(work, form.wanted, after=_after(), limit=PAGE)
        areas, groups = _labels(work)
    drawn = page(
        "issuer/shops/index.html",
        nav_here="shops",
        form=form,
        shops=listed.items,
        areas=areas,
        groups=groups,
        is_filtered=any(value for name, value in request.args.items() if name != "after"),
        first_href=_here("desk_shops.index") if _after() else None,
        next_href=_here("desk_shops.index", after=listed.next_after) if listed.next_after else None,
        csv_href=_here("desk_shops.all_rows"),
    )
    return drawn, 200 if is_right else 422


@bp.get("/all.csv")
@requires(*READING)
def all_rows() -> Response | tuple[str, int]:
    """Take away every shop that is wanted, as CSV."""
    form = FilterForm(request.args)
    if not form.is_right():
        return index()
    response = Response(stream_with_context(_lines(form.wanted)), mimetype="text/csv")
    response.headers.set("Content-Disposition", "attachment", filename="shops.csv")
    return response


@bp.get("/<uuid:shop_id>")
@requires(*READING)
def one(shop_id: UUID) -> str:
    """Show one shop: what holds now, what will hold later, its places."""
    return draw_one(shop_id, BranchForm(None), key=new_key())


def _labels(work: Work) -> tuple[list[str], list[str]]:
    """Return the areas and groups that the programmes know, to choose from."""
    listed = programmes.list_programmes(work, limit=programmes.PAGE_MAX).items
    areas = sorted({area for programme in listed for area in programme.areas})
    groups = sorted({group for programme in listed for group in programme.groups})
    return areas, groups


def _after() -> UUID | None:
    """Return where the list goes on; what is no place begins it."""
    try:
        return UUID(request.args.get("after", ""))
    except ValueError:
        return None


def _here(endpoint: str, **more: object) -> str:
    """Return an address with the filter of this request."""
    kept = {name: value for name, value in request.args.items() if value and name != "after"}
    values: dict[str, Any] = kept | more
    return url_for(endpoint, **values)


def _lines(wanted: shops.ShopFilter) -> Iterator[str]:
    """Write the shops page by page; no transaction stays open while a slow reader reads."""
    yield "\ufeff" + write_line([say_in_words(name) for name in CSV_HEADER])
    after: UUID | None = None
    while True:
        with unit_of_work(current_scope()) as work:
            listed = shops.list_shops(work, wanted, after=after, limit=shops.PAGE_MAX)
        yield "".join(write_line(_cells(shop)) for shop in listed.items)
        if listed.next_after is None:
            return
        after = listed.next_after


def _cells(shop: shops.ShopView) -> Sequence[object]:
    facts = [getattr(shop.facts, name) for name in FACT_FIELDS]
    shown = [GROUP_SEPARATOR.join(v) if isinstance(v, tuple) else v for v in facts]
    accepting = say_in_words(YES if shop.facts.accepting else NO)
    return [shop.number, *shown, accepting, when(shop.starts_at)]
