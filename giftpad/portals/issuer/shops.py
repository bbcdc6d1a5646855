"""Member shops at the desk: the list with its filter, all of them as CSV, one in full.

Hides: how a list goes on.  What changes a shop is in ``shop_changes``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from uuid import UUID

from flask import Blueprint, Response, request, stream_with_context

from giftpad import programmes, shops
from giftpad.edge import current_scope, requires, write_line
from giftpad.kernel.i18n import mark
from giftpad.kernel.work import Work, unit_of_work
from giftpad.portals.downloads import attachment, csv_head
from giftpad.portals.forms import Form, Words
from giftpad.portals.http import new_key, page
from giftpad.portals.issuer import shop_changes
from giftpad.portals.issuer.shop_forms import COLUMN_WORDS, FACT_FIELDS, GROUP_SEPARATOR, BranchForm
from giftpad.portals.issuer.shop_shown import draw_one
from giftpad.portals.lists import filter_asked, id_asked, list_href
from giftpad.portals.words import say_in_words, sheet_when

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
    is_right, asked, after = form.is_right(), filter_asked(form), id_asked("after")
    listed = shops.ShopPage(items=(), next_after=None)
    with unit_of_work(current_scope()) as work:
        if is_right:
            listed = shops.list_shops(work, form.wanted, after=after, limit=PAGE)
        areas, groups = _labels(work)
    later = listed.next_after
    drawn = page(
        "issuer/shops/index.html",
        nav_here="shops",
        form=form,
        shops=listed.items,
        areas=areas,
        groups=groups,
        is_filtered=bool(asked),
        first_href=list_href(".index", asked) if after else None,
        next_href=list_href(".index", asked, after=later) if later else None,
        csv_href=list_href(".all_rows", asked),
    )
    return drawn, 200 if is_right else 422


@bp.get("/all.csv")
@requires(*READING)
def all_rows() -> Response | tuple[str, int]:
    """Take away every shop that is wanted, as CSV."""
    form = FilterForm(request.args)
    if not form.is_right():
        return index()
    return attachment(stream_with_context(_lines(form.wanted)), "shops.csv")


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


def _lines(wanted: shops.ShopFilter) -> Iterator[str]:
    """Write the shops page by page; no transaction stays open while a slow reader reads."""
    yield csv_head(CSV_HEADER)
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
    return [shop.number, *shown, accepting, sheet_when(shop.starts_at)]
