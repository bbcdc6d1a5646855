"""Links: changed for good, or looked at by whoever hands them over, which is on record first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import sqlalchemy as sa

from giftpad import audit, payments
from giftpad.gifts.adapters import build_link, link_builder
from giftpad.gifts.commands.claiming import lock_gift, refuse_passed_on
from giftpad.gifts.errors import (
    CodesNotReady,
    GiftWrongState,
    OrderNotFound,
    OrderWrongState,
    PartlyTaken,
)
from giftpad.gifts.models import GiftRow, OldLinkRow, OrderRow
from giftpad.gifts.queries.claims import IS_CHOSEN, is_chosen
from giftpad.gifts.queries.letters import open_person
from giftpad.gifts.rules.contracts import CODE, HANDED_OVER
from giftpad.gifts.rules.gifts import OUTSTANDING
from giftpad.gifts.rules.orders import CLOSED, SENT
from giftpad.kernel.work import Work

LINKS_PAGE, LINKS_PAGE_MAX = 500, 5000


def show_link(work: Work, gift_id: UUID) -> str:
    """Return the link of a gift that somebody hands over themselves, and put it on record.

    Whoever holds the link can claim the gift, so that one that was sent is shown to nobody.
    Locks: the gift.
    Raises: GiftNotFound, GiftWrongState, PassedOn.
    """
    gift, order = lock_gift(work, gift_id)
    if gift.channel not in HANDED_OVER or gift.state != OUTSTANDING:
        raise GiftWrongState(state=gift.state if gift.state != OUTSTANDING else gift.channel)
    refuse_passed_on(gift)
    assert order.kid is not None
    audit.record(work, action="gift.link_shown", subject=f"gift:{gift.id}", details={})
    return build_link(work.tenant_id, order.kid, gift.locator)


def change_link(
    work: Work, gift: GiftRow, why: str, *, key: str = "", same_person: bool = False
) -> bool:
    """Give a gift, which is locked, another link; the one before opens nothing and says why.

    ``key`` is that of the form which asks for it, where it may be sent again.  With the new link
    one sees what was bought or kept with the old one, and where it goes: ``same_person`` says
    that it is for whoever did so, and reaches what they kept by it.  Return whether it was asked
    for that, because somebody has chosen with the gift.
    Locks: the tenant's locators.
    Raises: PartlyTaken.
    """
    was_chosen = is_chosen(work, gift)
    if was_chosen and not same_person:
        raise PartlyTaken
    work.session.add(
        OldLinkRow(
            tenant_id=work.tenant_id,
            locator=gift.locator,
            gift_id=gift.id,
            why=why,
            key=key,
            at=work.at,
        )
    )
    gift.locator = payments.take_locators(work, 1)
    work.session.flush()
    return was_chosen


def open_links(work: Work, order_id: UUID) -> int:
    """Put on record that all links of an order are taken out, and return how many there are.

    Codes without names have a file of their own.
    Raises: OrderNotFound, OrderWrongState.
    """
    order = work.session.get(OrderRow, (work.tenant_id, order_id))
    if order is None:
        raise OrderNotFound
    if order.codes:
        raise OrderWrongState(state=CODE)
    count = work.session.execute(
        sa.select(sa.func.count()).select_from(GiftRow).where(*handed_over(work, order_id))
    ).scalar_one()
    audit.record(
        work,
        action="gift_order.links_taken",
        subject=f"gift_order:{order_id}",
        details={"count": count},
    )
    return int(count)


def record_taken(work: Work, order: OrderRow, *, first: int, last: int, count: int) -> None:
    """Put on record that links of an order are taken out: their numbers, and how many there are."""
    audit.record(
        work,
        action="gift_order.codes_taken" if order.codes else "gift_order.links_taken",
        subject=f"gift_order:{order.id}",
        details={"first": first, "last": last, "count": count},
    )


def check_ready(order: OrderRow) -> None:
    """Refuse to give codes away before all of them are there: half a file looks like a whole one.

    Raises: OrderWrongState, CodesNotReady.
    """
    if not order.codes:
        raise OrderWrongState(state=order.channel)
    if order.state not in (SENT, CLOSED):
        raise CodesNotReady(done=order.issued_to, most=order.quantity or order.codes)


def builder_of(work: Work, order_id: UUID) -> Callable[[int], str]:
    """Return what builds the links of an order's gifts, of which there are some."""
    kid = work.session.execute(
        sa.select(OrderRow.kid).where(OrderRow.tenant_id == work.tenant_id, OrderRow.id == order_id)
    ).scalar_one()
    assert kid is not None  # it was approved, or there were no gifts
    return link_builder(work.tenant_id, kid)


def handed_over(work: Work, order_id: UUID) -> tuple[sa.ColumnElement[bool], ...]:
    """Return what gifts must be whose links may be handed over now, by hand or in a file.

    A code that somebody has chosen something with is theirs; nobody else may get it.  Links with
    names go to whom they are for.
    """
    return (
        GiftRow.tenant_id == work.tenant_id,
        GiftRow.order_id == order_id,
        GiftRow.channel.in_(HANDED_OVER),
        GiftRow.state == OUTSTANDING,
        GiftRow.passed_on_at.is_(None),  # its link is somebody else's by now
        sa.or_(GiftRow.channel != CODE, ~IS_CHOSEN),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedLink:
    """The link of one gift that somebody hands over themselves."""

    number: int
    external_id: str
    link: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkPage:
    """A page of links; ``next_after`` is the last number, None at the end."""

    items: tuple[HandedLink, ...]
    next_after: int | None


def open_link_page(
    work: Work, order_id: UUID, *, after: int = 0, limit: int = LINKS_PAGE
) -> LinkPage:
    """Return the next links of an order, and put on record how many these are.

    Codes without names come when all of them are made: what ends early would look like the end.
    Raises: OrderNotFound, CodesNotReady.
    """
    order = work.session.get(OrderRow, (work.tenant_id, order_id))
    if order is None:
        raise OrderNotFound
    if order.codes:
        check_ready(order)
    most = min(limit, LINKS_PAGE_MAX)
    found = _read_links(work, order_id, after=after, limit=most + 1)
    if not found:
        return LinkPage(items=(), next_after=None)
    build = builder_of(work, order_id)
    items = tuple(
        HandedLink(number=gift.number, external_id=gift.external_id, link=build(gift.locator))
        for gift in found[:most]
    )
    first, last = items[0].number, items[-1].number
    record_taken(work, order, first=first, last=last, count=len(items))
    return LinkPage(items=items, next_after=items[-1].number if len(found) > most else None)


def list_links(work: Work, order_id: UUID, *, after: int = 0) -> list[tuple[int, str, str, str]]:
    """Return number, name, reference and link of the next unclaimed gifts to be handed over.

    Only what ``open_links`` has put on record may be asked for.
    """
    found = _read_links(work, order_id, after=after, limit=LINKS_PAGE)
    if not found:
        return []
    build = builder_of(work, order_id)
    return [
        (gift.number, open_person(gift)["name"], gift.external_id, build(gift.locator))
        for gift in found
    ]


def _read_links(work: Work, order_id: UUID, *, after: int, limit: int) -> Sequence[GiftRow]:
    return (
        work.session.execute(
            sa.select(GiftRow)
            .where(*handed_over(work, order_id), GiftRow.number > after)
            .order_by(GiftRow.number)
            .limit(limit)
        )
        .scalars()
        .all()
    )
