"""Which payments somebody at the desk looks for, and how a list of them reads.

Hides: how a name becomes one shop and a serial one account, the columns of the CSV file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from giftpad import coupons, payments, shops
from giftpad.edge import current_caller, current_scope, write_line
from giftpad.kernel.clock import start_of
from giftpad.kernel.errors import NotFound
from giftpad.kernel.i18n import mark
from giftpad.kernel.work import Work, unit_of_work
from giftpad.portals.downloads import csv_head
from giftpad.portals.forms import Choice, Day, Form, Words
from giftpad.portals.words import say_in_words, sheet_when

CSV_PAGE = 200
SHOPS_OFFERED = 6

STATES: tuple[tuple[str, str], ...] = (
    ("", mark("All")),
    ("captured", mark("Paid")),
    ("voided", mark("Cancelled the same day")),
    ("refunded", mark("Refunded, in part or whole")),
)
CSV_HEADER = (
    mark("Receipt number"),
    mark("Day and time"),
    mark("Shop number"),
    mark("Member shop"),
    mark("Programme"),
    mark("Coupon"),
    mark("Amount"),
    mark("Cancelled or refunded"),
    mark("State"),
    mark("Payment"),
)
STATE_WORDS = {
    "captured": mark("Paid"),
    "voided": mark("Cancelled"),
    "partly_refunded": mark("Partly refunded"),
    "refunded": mark("Refunded"),
}
ALL = mark("All")
NO_SUCH_SHOP = mark("No shop has this number or name.")
SEVERAL_SHOPS = mark("Several shops match. Choose one of them below.")
NO_SUCH_COUPON = mark("There is no coupon with this number.")
BACKWARDS = mark("The last day is before the first.")


class FilterForm(Form):
    """Which payments are wanted."""

    shop = Words(mark("Shop (number or name)"), most=80, required=False)
    serial = Words(mark("Coupon number"), most=64, required=False)
    programme = Choice(mark("Programme"), required=False, holds_names=True)
    state = Choice(mark("State"), STATES, required=False)
    first = Day(mark("First day"), required=False)
    last = Day(mark("Last day"), required=False)

    def offer(self, names: dict[UUID, str]) -> None:
        """Let a programme be chosen by its name."""
        offered = [(str(programme_id), name) for programme_id, name in names.items()]
        self.programme.choices = [("", say_in_words(ALL)), *offered]


@dataclass(frozen=True, slots=True)
class Found:
    """What a filter came to: what to look for, or the shops that it may have meant."""

    wanted: payments.PaymentFilter | None
    offered: tuple[shops.ShopView, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A payment with the names that belong to it."""

    payment: payments.PaymentView
    receipt: str
    shop_number: str
    shop_name: str
    serial: str
    programme: str


def understand(work: Work, form: FilterForm) -> Found:
    """Turn what was typed into what is looked for; faults are said at their fields."""
    is_right = form.is_right()
    offered: tuple[shops.ShopView, ...] = ()
    shop_id = account_id = None
    if form.shop.data:
        shop_id, offered = _find_shop(work, form)
    if form.serial.data:
        account_id = _find_account(work, form)
    if form.first.day and form.last.day and form.last.day < form.first.day:
        form.refuse("last", BACKWARDS)
    if not is_right or form.faults:
        return Found(None, offered)
    zone = current_caller().tenant.zone
    day_after = form.last.day + timedelta(days=1) if form.last.day else None
    wanted = payments.PaymentFilter(
        shop_id=shop_id,
        account_id=account_id,
        programme_id=UUID(form.programme.data) if form.programme.data else None,
        state=form.state.data or None,
        since=start_of(form.first.day, zone) if form.first.day else None,
        until=start_of(day_after, zone) if day_after else None,
    )
    return Found(wanted)


def _find_shop(work: Work, form: FilterForm) -> tuple[UUID | None, tuple[shops.ShopView, ...]]:
    shop_id = shops.find_shop_id(work, form.shop.data)
    if shop_id is not None:
        return shop_id, ()
    wanted = shops.ShopFilter(text=form.shop.data)
    offered = shops.list_shops(work, wanted, limit=SHOPS_OFFERED).items
    if len(offered) == 1:
        return offered[0].id, ()
    form.refuse("shop", SEVERAL_SHOPS if offered else NO_SUCH_SHOP)
    return None, offered


def _find_account(work: Work, form: FilterForm) -> UUID | None:
    try:
        return coupons.get_coupon(work, form.serial.data, with_payments=False).account_id
    except NotFound:
        form.refuse("serial", NO_SUCH_COUPON)
        return None


def name_rows(work: Work, listed: list[payments.PaymentView], names: dict[UUID, str]) -> list[Row]:
    """Put the names of shops, coupons and programmes beside payments."""
    serials = coupons.find_serials(work, {payment.locator for payment in listed})
    known = shops.find_names(work, {payment.shop_id for payment in listed})
    rows = []
    for payment in listed:
        number, name = known.get(payment.shop_id, ("", ""))
        row = Row(
            payment=payment,
            receipt=payments.receipt_number(payment.id),
            shop_number=number,
            shop_name=name,
            serial=serials.get(payment.locator, ""),
            programme=names.get(payment.programme_id, ""),
        )
        rows.append(row)
    return rows


def write_rows(wanted: payments.PaymentFilter, names: dict[UUID, str]) -> Iterator[str]:
    """Write payments as CSV page by page; no transaction stays open while a slow reader reads."""
    yield csv_head(CSV_HEADER)
    before: UUID | None = None
    while True:
        with unit_of_work(current_scope()) as work:
            listed = payments.list_payments(work, replace(wanted, before=before, limit=CSV_PAGE))
            rows = name_rows(work, listed, names)
        yield "".join(write_line(_cells(row)) for row in rows)
        if len(listed) < CSV_PAGE:
            return
        before = listed[-1].id


def _cells(row: Row) -> list[object]:
    payment = row.payment
    given_back = payment.amount_minor if payment.state == "voided" else payment.refunded_minor
    return [
        row.receipt,
        sheet_when(payment.at),
        row.shop_number,
        row.shop_name,
        row.programme,
        row.serial,
        payment.amount_minor,
        given_back,
        say_in_words(STATE_WORDS[payment.state]),
        str(payment.id),
    ]
