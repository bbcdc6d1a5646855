"""A gift order as its pages show it: the steps to it, what it costs, who had it in hand.

Hides: which of its parts are still missing, how a design becomes a picture and colours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from giftpad import catalog, designs, edge, gifts, messaging
from giftpad.kernel.i18n import mark
from giftpad.kernel.work import Scope, Work
from giftpad.portals.gift_designs import art_href, colours_href
from giftpad.portals.http import page
from giftpad.portals.issuer.naming import read_actors

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
}
LANGUAGES: tuple[tuple[str, str], ...] = (("ja", "日本語"), ("en", "English"))
OFFERED = ("mail", "sms", "link", "card", "letter")
"""Ways of sending, in the order they are offered."""

STATE_WORDS: Mapping[str, tuple[str, str]] = {
    "draft": ("mute", mark("Draft")),
    "submitted": ("warn", mark("Waiting for approval")),
    "approved": ("info", mark("Approved")),
    "issuing": ("info", mark("Being sent")),
    "sent": ("ok", mark("Sent")),
    "closed": ("mute", mark("Closed")),
}
"""How an order stands: the sign and the words of it."""

MISSING_WORDS: Mapping[str, str] = {
    "title": mark("A name for the order"),
    "design": mark("A design"),
    "sender_name": mark("The sender's name"),
    "message": mark("A message"),
    "course_id": mark("A course"),
    "recipients": mark("Recipients"),
    "faults": mark("Recipients that must be mended"),
    "repeats": mark("An answer about recipients that stand there twice"),
}
_STEP_OF: Mapping[str, str] = {
    "title": "design",
    "design": "design",
    "sender_name": "design",
    "message": "design",
    "course_id": "goods",
    "recipients": "recipients",
    "faults": "recipients",
    "repeats": "recipients",
}


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

    ``missing`` are the words for what it still needs, each with the step where it is given.
    """

    order: gifts.OrderView
    counts: gifts.LineCounts
    course: catalog.Course | None
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
        channel_words=CHANNEL_WORDS,
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
        contract=contract,
        estimate=_estimate(work, counts.by_channel, course, contract),
        missing=tuple(_missing(order, counts)),
    )


def _estimate(
    work: Work,
    by_channel: Mapping[str, int],
    course: catalog.Course | None,
    contract: gifts.Contract,
) -> Estimate | None:
    if course is None:
        return None
    cost = gifts.cost_of(by_channel, course.price_minor, contract)
    return Estimate(
        cost=cost,
        unit=course.unit,
        lines=tuple(
            (channel, by_channel[channel], course.price_minor + contract.fee_of(channel))
            for channel in gifts.CHANNELS
            if by_channel.get(channel)
        ),
        budget_minor=gifts.get_budget(work),
    )


def _missing(order: gifts.OrderView, counts: gifts.LineCounts) -> list[tuple[str, str]]:
    names = [
        name
        for name in ("title", "design", "sender_name", "message", "course_id")
        if not getattr(order.draft, name)
    ]
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
