"""A gift order as its pages show it: the steps to it, what it costs, who had it in hand.

Hides: which of its parts are still missing, how a design becomes a picture and colours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from giftpad import catalog, designs, edge, gifts, messaging, programmes
from giftpad.kernel.i18n import mark
from giftpad.kernel.work import Scope, Work
from giftpad.portals.gift_designs import art_href, colours_href
from giftpad.portals.http import page
from giftpad.portals.issuer.gift_words import write_reach
from giftpad.portals.issuer.naming import read_actors
from giftpad.portals.programme_names import programme_name
from giftpad.portals.words import say_in_words

STEPS: tuple[tuple[str, str], ...] = (
    ("design", mark("Design")),
    ("goods", mark("Goods")),
    ("recipients", mark("Recipients")),
    ("when", mark("When")),
    ("check", mark("Confirm")),
)
"""The parts of an order that are prepared one after the other, each with an address of its own."""

CHANNEL_WORDS: dict[str, str] = {
    "mail": mark("Mail"),
    "sms": mark("SMS"),
    "link": mark("Link that you hand over"),
    "card": mark("Printed card"),
    "letter": mark("Printed letter"),
    "code": mark("Code without a name"),
}
LANGUAGES: tuple[tuple[str, str], ...] = (("ja", "日本語"), ("en", "English"))

STATE_WORDS: Mapping[str, tuple[str, str]] = {
    "draft": ("mute", mark("Draft")),
    "submitted": ("warn", mark("Waiting for approval")),
    "approved": ("info", mark("Approved")),
    "issuing": ("info", mark("Being sent")),
    "sent": ("ok", mark("Sent")),
    "closed": ("mute", mark("Closed")),
}
"""How an order stands: the sign and the words of it."""
CODES_STATE_WORDS: Mapping[str, tuple[str, str]] = {
    **STATE_WORDS,
    "issuing": ("info", mark("Being made")),
    "sent": ("ok", mark("Made")),
}
"""How an order stands that is for codes: these are not sent."""

MISSING_WORDS: Mapping[str, str] = {
    "title": mark("A name for the gift"),
    "design": mark("A design"),
    "sender_name": mark("The sender's name"),
    "message": mark("A message"),
    "course_id": mark("A course"),
    "amount_minor": mark("An amount"),
    "programme_id": mark("What the amount is for"),
    "recipients": mark("Recipients, or a number of codes"),
    "faults": mark("Recipients that must be mended"),
    "repeats": mark("An answer about recipients that stand there twice"),
}
_STEP_OF: Mapping[str, str] = {
    "title": "design",
    "design": "design",
    "sender_name": "design",
    "message": "design",
    "course_id": "goods",
    "amount_minor": "goods",
    "programme_id": "goods",
    "recipients": "recipients",
    "faults": "recipients",
    "repeats": "recipients",
}


AN_AMOUNT = mark("A balance of {amount_minor}")
KEPT_IN = mark("can be kept for shops of {programme}")
BUYS_OF = mark("buys goods of {course}")


@dataclass(frozen=True, slots=True, kw_only=True)
class DesignShown:
    """A design, its picture, and the style sheet with its colours."""

    design: designs.Design
    art: str
    colours: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What an order would cost now, and what can be spent on it.

    ``lines`` are channel, number of gifts and price of one with its fee.
    """

    cost: gifts.Cost
    unit: str
    lines: tuple[tuple[str, int, int], ...]
    budget_minor: int

    @property
    def missing_minor(self) -> int:
        """How much more must be paid in, or less be sent; 0 if there is enough."""
        return max(0, self.cost.total_minor - self.budget_minor)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A draft with all that is known of it.

    ``goods`` says what is given; ``missing`` are the words for what it still needs, each with the
    step where it is given.
    """

    order: gifts.OrderView
    counts: gifts.LineCounts
    course: catalog.Course | None
    goods: str
    contract: gifts.Contract
    estimate: Estimate | None
    missing: tuple[tuple[str, str], ...]


def draw(template: str, **values: Any) -> str:
    """Draw a page of gifts with the words that their parts need."""
    return page(
        f"issuer/gifts/{template}.html",
        nav_here="gifts",
        STEPS=STEPS,
        STATE_WORDS=STATE_WORDS,
        CODES_STATE_WORDS=CODES_STATE_WORDS,
        channel_words=CHANNEL_WORDS,
        write_reach=write_reach,
        **values,
    )


def show_designs() -> list[DesignShown]:
    """Return every design with its addresses."""
    return [show_design(design) for design in designs.list_designs()]


def show_design(design: designs.Design) -> DesignShown:
    """Return a design with its addresses."""
    return DesignShown(design=design, art=art_href(design), colours=colours_href(design))


def find_design(name: str) -> DesignShown | None:
    """Return the design of an order; None if it has none, or one that is there no more."""
    try:
        return show_design(designs.get_design(name))
    except designs.DesignNotFound:
        return None


def find_course(work: Work, course_id: UUID | None) -> catalog.Course | None:
    """Return the course of an order, or None."""
    return None if course_id is None else catalog.get_course(work, course_id)


def name_course(course: catalog.Course) -> str:
    """Return what a course is called in the reader's language."""
    return course.names.get(edge.current_locale()) or next(iter(course.names.values()))


def name_goods(work: Work, order: gifts.OrderView) -> str:
    """Return what each recipient of an order gets, in the reader's words; empty if not said."""
    course = find_course(work, order.draft.course_id)
    named = "" if course is None else name_course(course)
    if order.draft.kind != gifts.BALANCE or order.draft.amount_minor is None:
        return named
    parts = [say_in_words(AN_AMOUNT, amount_minor=order.draft.amount_minor, unit=order.unit)]
    if order.draft.programme_id is not None:
        programme = programmes.get_programme(work, order.draft.programme_id)
        parts.append(say_in_words(KEPT_IN, programme=programme_name(programme)))
    if named:
        parts.append(say_in_words(BUYS_OF, course=named))
    return say_in_words(mark(", ")).join(parts)


def list_keeping(work: Work, today: date) -> list[programmes.Programme]:
    """Return the programmes that take gifts and are not over."""
    found = programmes.list_programmes(work, limit=programmes.PAGE_MAX).items
    return [each for each in found if each.gifts and today <= each.ends_on]


def read_prepared(work: Work, order_id: UUID) -> Prepared:
    """Read a draft, its recipients in numbers, and what it would cost.

    Raises: OrderNotFound, ContractMissing.
    """
    order = gifts.get_order(work, order_id)
    contract = gifts.get_contract(work)
    counts = gifts.count_lines(work, order_id)
    course = find_course(work, order.draft.course_id)
    return Prepared(
        order=order,
        counts=counts,
        course=course,
        goods=name_goods(work, order),
        contract=contract,
        estimate=_estimate(work, counts.by_channel, _price(order, course), contract),
        missing=tuple(_missing(order, counts)),
    )


def _price(order: gifts.OrderView, course: catalog.Course | None) -> int | None:
    """Return what one gift of a draft is worth, once it is said."""
    if order.draft.kind == gifts.BALANCE:
        return order.draft.amount_minor
    return None if course is None else course.price_minor


def _estimate(
    work: Work,
    by_channel: Mapping[str, int],
    price_minor: int | None,
    contract: gifts.Contract,
) -> Estimate | None:
    if price_minor is None:
        return None
    cost = gifts.cost_of(by_channel, price_minor, contract)
    return Estimate(
        cost=cost,
        unit=contract.unit,
        lines=tuple(
            (channel, by_channel[channel], price_minor + contract.fee_of(channel))
            for channel in gifts.CHANNELS
            if by_channel.get(channel)
        ),
        budget_minor=gifts.get_budget(work),
    )


def _missing(order: gifts.OrderView, counts: gifts.LineCounts) -> list[tuple[str, str]]:
    is_balance = order.draft.kind == gifts.BALANCE
    goods = "amount_minor" if is_balance else "course_id"
    names = [
        name
        for name in ("title", "design", "sender_name", "message", goods)
        if not getattr(order.draft, name)
    ]
    if is_balance and order.draft.course_id is None and order.draft.programme_id is None:
        names.append("programme_id")
    if not counts.good:
        names.append("recipients")
    if counts.faulty:
        names.append("faults")
    if counts.repeated and not order.repeats_meant:
        names.append("repeats")
    return [(MISSING_WORDS[name], _STEP_OF[name]) for name in names]


def first_open_step(prepared: Prepared) -> str:
    """Return the step where a draft goes on."""
    return prepared.missing[0][1] if prepared.missing else "check"


def can_send(channel: str) -> bool:
    """Whether gifts can go this way here: mail and SMS need a provider."""
    return channel not in messaging.CHANNELS or messaging.can_send(channel)


def name_people(scope: Scope, order: gifts.OrderView) -> dict[str, str]:
    """Return the names of those who had an order in hand, by their ids.

    No transaction may be open.
    """
    wanted: Sequence[Any] = (order.created_by, order.submitted_by, order.decided_by)
    actors = read_actors(scope, wanted)
    return {
        str(actor_id): actors.people.get(str(actor_id))
        or actors.machines.get(str(actor_id))
        or "Giftpad"
        for actor_id in wanted
        if actor_id
    }
