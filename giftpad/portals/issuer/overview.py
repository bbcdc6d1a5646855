"""The first page of the desk: what is to be done, how the money stands, what happened last.

Hides: which part needs which permission, how days become bars.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from babel.core import Locale
from babel.dates import format_date
from flask import Blueprint, Response, request, url_for

from giftpad import coupons, edge, gifts, payments, programmes, reporting, shops
from giftpad.kernel.clock import local_date
from giftpad.kernel.i18n import mark
from giftpad.kernel.work import Work, unit_of_work
from giftpad.portals.http import new_key, page, see_other
from giftpad.portals.issuer.attention import list_todos
from giftpad.portals.lists import id_asked
from giftpad.portals.programme_names import programme_names
from giftpad.portals.words import local, short_day, yen

bp = Blueprint("desk", __name__, url_prefix="/desk")

PAYMENTS_SHOWN = 6
DAYS_SHOWN = 30
FISCAL_MONTH = 4
NOON_H, EVENING_H = 11, 17
LATE_S = 120

PERIODS = {
    "30": mark("Last 30 days"),
    "month": mark("This month"),
    "before": mark("Last month"),
    "year": mark("This fiscal year"),
}
NO_PROGRAMME = mark("There is no programme yet.")
NO_PROGRAMME_BEGIN = mark("No programme yet. Start by deciding the value and its expiry.")
GREETINGS = (mark("Good morning."), mark("Good afternoon."), mark("Good evening."))


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """The figures of one programme and its days."""

    figures: reporting.Figures
    unreleased_minor: int
    late_min: int
    bars: list[tuple[str, int, str]]
    used_minor: int
    count: int
    voided: int
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Paid:
    """One of the latest payments."""

    payment: payments.PaymentView
    shop: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What stands where there are no figures yet, and the one way on that the reader has.

    With a ``key`` the way is a form that begins an order of gifts.
    """

    sentence: str
    verb: str | None = None
    href: str = ""
    key: str = ""


def period_days(period: str, today: date) -> tuple[date, date]:
    """Return the first and the last day of a period that somebody may choose.

    >>> period_days("before", date(2026, 1, 15))
    (datetime.date(2025, 12, 1), datetime.date(2025, 12, 31))
    """
    first_of_month = today.replace(day=1)
    if period == "month":
        return first_of_month, today
    if period == "before":
        last = first_of_month - timedelta(days=1)
        return last.replace(day=1), last
    if period == "year":
        year = today.year if today.month >= FISCAL_MONTH else today.year - 1
        return date(year, FISCAL_MONTH, 1), today
    return today - timedelta(days=DAYS_SHOWN - 1), today


@bp.get("")
@edge.requires()
def overview() -> str | Response:
    """Show what is to be done, how the money stands and what happened last."""
    scope = edge.current_scope()
    if scope.actor.shop_id is not None:
        return see_other("/shop")  # Whoever works in a shop has nothing to do here.
    held = scope.permissions
    with unit_of_work(scope) as work:
        listed = programmes.list_programmes(work, limit=programmes.PAGE_MAX)
        names = programme_names(listed)
        programme_id = _programme_asked(names)
        todos = list_todos(work, names)
        money = None
        if "reports:read" in held and programme_id is not None:
            money = _money(work, programme_id)
        latest = _latest(work, programme_id) if "payments:read" in held else None
        has_batches = "coupons:read" not in held or bool(coupons.list_batches(work, limit=1))
        opening = _opening(work, listed.items, has_batches=has_batches)
        now = work.at
    return page(
        "issuer/overview/index.html",
        nav_here="overview",
        at=now,
        greeting=_greeting(now),
        todos=todos,
        programmes=names,
        programme_id=programme_id,
        periods=PERIODS,
        period=_period_asked(),
        money=money,
        latest=latest,
        has_batches=has_batches,
        opening=opening,
    )


def _opening(
    work: Work, listed: Collection[programmes.Programme], *, has_batches: bool
) -> Opening | None:
    """Return how the reader's tenant begins; None where there are coupons to tell of.

    A programme for gifts only keeps what is left of them, so it asks nobody to order coupons.
    """
    held, features = work.scope.permissions, edge.current_caller().tenant.features
    has_coupons = has_batches or any(not programme.gifts for programme in listed)
    if "gifts" in features and "gifts:read" in held and not has_coupons:
        return _gift_opening(work)
    may_order = "coupons:issue" in held
    if not listed:
        return Opening(
            sentence=NO_PROGRAMME_BEGIN if may_order else NO_PROGRAMME,
            verb=mark("See the programmes") if "programmes:read" in held else None,
            href=url_for("desk_programmes.index"),
        )
    if has_batches:
        return None
    if not may_order:
        return Opening(sentence=mark("No coupons have been ordered yet."))
    return Opening(
        sentence=mark("No coupons have been ordered yet. Order the first ones to begin."),
        verb=mark("Order coupons"),
        href=url_for("desk_batches.orders.new"),
    )


def _gift_opening(work: Work) -> Opening:
    """Return how a company begins that has gifts and no coupons."""
    if gifts.list_orders(work, limit=1).items:
        return Opening(
            sentence=mark("All orders, and how far they are, stand under Gifts."),
            verb=mark("See the gifts"),
            href=url_for("desk_gifts.index"),
        )
    if "gifts:order" not in work.scope.permissions:
        return Opening(sentence=mark("No gifts have been sent yet."))
    if gifts.find_contract(work) is None:
        return Opening(
            sentence=mark("There is no contract for gifts yet. Ask whoever runs Giftpad for you.")
        )
    return Opening(
        sentence=mark(
            "No gifts have been sent yet. Choose a design and goods, hand in a list of people,"
            " and write a few words."
        ),
        verb=mark("Send gifts"),
        key=new_key(),
    )


def _programme_asked(names: dict[UUID, str]) -> UUID | None:
    asked = id_asked("programme")
    return asked if asked in names else next(iter(names), None)


def _period_asked() -> str:
    asked = request.args.get("period", "")
    return asked if asked in PERIODS else next(iter(PERIODS))


def _greeting(now: datetime) -> str:
    hour = local(now).hour
    return GREETINGS[0 if hour < NOON_H else 1 if hour < EVENING_H else 2]


def _money(work: Work, programme_id: UUID) -> Money:
    period = _period_asked()
    today = local_date(work.at, edge.current_caller().tenant.zone)
    first, last = period_days(period, today)
    figures = reporting.get_figures(work, programme_id)
    days = reporting.list_days(work, programme_id, first, last)
    return Money(
        figures=figures,
        unreleased_minor=count_unreleased(work, programme_id, figures),
        late_min=figures.lag_s // 60 if figures.lag_s > LATE_S else 0,
        bars=bars(days, figures.unit, by_month=period == "year"),
        used_minor=sum(one.used_minor for one in days),
        count=sum(one.paid_count for one in days),
        voided=sum(one.voided_count for one in days),
        title=PERIODS[period],
    )


def count_unreleased(work: Work, programme_id: UUID, figures: reporting.Figures) -> int:
    """Return how much of what is left waits for its release.

    Figures come a little after the facts, so that no more waits than they know of.
    """
    return min(coupons.sum_unreleased(work, programme_id), figures.left_minor)


def bars(days: Iterable[reporting.Day], unit: str, *, by_month: bool) -> list[tuple[str, int, str]]:
    """Return label, value and text of each bar: a day, or a month where days would be too many."""
    if not by_month:
        return [_bar(short_day(one.day), one.used_minor, unit) for one in days]
    sums: Counter[date] = Counter()
    for one in days:
        sums[one.day.replace(day=1)] += one.used_minor
    locale = Locale.parse(edge.current_locale())
    return [
        _bar(format_date(month, "LLL", locale=locale), used, unit)
        for month, used in sorted(sums.items())
    ]


def _bar(label: str, used_minor: int, unit: str) -> tuple[str, int, str]:
    """Draw a day on which more was given back than paid as empty; its text says how much."""
    return label, max(used_minor, 0), yen(used_minor, unit)


def _latest(work: Work, programme_id: UUID | None) -> list[Paid]:
    if programme_id is None:
        return []
    wanted = payments.PaymentFilter(programme_id=programme_id, limit=PAYMENTS_SHOWN)
    found = payments.list_payments(work, wanted)
    names = shops.find_names(work, [one.shop_id for one in found])
    return [Paid(payment=one, shop=names.get(one.shop_id, ("", ""))[1]) for one in found]
