"""The recipient's own steps: open, choose, change the address, say thank you."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Protocol
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from giftpad import catalog, events, tenancy
from giftpad.gifts.commands import books
from giftpad.gifts.commands.letters import ClaimedGift, tell_claimed
from giftpad.gifts.commands.withdrawing import withdraw_reminders
from giftpad.gifts.errors import (
    ClaimSent,
    GiftNotFound,
    GiftOver,
    GiftWrongState,
    LinkChanged,
    PassedOn,
)
from giftpad.gifts.events import GiftClaimed, GiftThanked
from giftpad.gifts.models import ClaimRow, GiftRow, OrderRow, ThanksRow
from giftpad.gifts.models.gifts import claim_place, thanks_place
from giftpad.gifts.queries.letters import THANKS_MENDED_FOR, state_of
from giftpad.gifts.rules.addresses import Address
from giftpad.gifts.rules.gifts import (
    CHANGEABLE,
    CLAIMED,
    RECEIVED,
    STAMPS,
    WITHDRAWN,
    WORDS_LENGTH_MAX,
    claim_number,
)
from giftpad.gifts.rules.orders import COURSE
from giftpad.gifts.rules.shipping import GOODS
from giftpad.kernel.clock import local_date
from giftpad.kernel.ids import new_id
from giftpad.kernel.work import Work, rows_changed

CLAIM_KEPT = timedelta(days=400)
"""How long the address of a claim is kept: a business year, and time to ask after it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimOrder:
    """What a recipient chose and where it goes; the same ``key`` again is the same claim."""

    gift_id: UUID
    key: str
    variant_id: UUID
    address: Address = field(repr=False)
    locator: int | None = None
    """Of the link that was used; another one may have taken its place meanwhile."""


def lock_gift(work: Work, gift_id: UUID) -> tuple[GiftRow, OrderRow]:
    """Return a gift, which nobody else changes until ``work`` ends, and its order.

    Raises: GiftNotFound.
    """
    gift = work.session.execute(
        sa.select(GiftRow)
        .where(GiftRow.tenant_id == work.tenant_id, GiftRow.id == gift_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).scalar_one_or_none()
    if gift is None:
        raise GiftNotFound
    order = work.session.get(OrderRow, (work.tenant_id, gift.order_id))
    assert order is not None
    return gift, order


def refuse_passed_on(gift: GiftRow) -> None:
    """Refuse what a sender does with a gift that somebody has passed on.

    Raises: PassedOn.
    """
    if gift.passed_on_at is not None:
        raise PassedOn


def find_claim_row(work: Work, gift_id: UUID, claim_id: UUID | None = None) -> ClaimRow | None:
    """Return a claim of a gift that stands: this one, or what was chosen of a course."""
    which = ClaimRow.position == 0 if claim_id is None else ClaimRow.id == claim_id
    return work.session.execute(
        sa.select(ClaimRow).where(
            ClaimRow.tenant_id == work.tenant_id,
            ClaimRow.gift_id == gift_id,
            ClaimRow.state != WITHDRAWN,
            which,
        )
    ).scalar_one_or_none()


def claim(work: Work, order: ClaimOrder) -> UUID:
    """Take what a recipient chose and return the id of the claim; once, however often asked.

    Of two who claim one gift at the same time the first wins and the other is told.
    Locks: the gift, the goods, the gift's account, a reminder of it that waits, the run of that.
    Raises: GiftNotFound, LinkChanged, GiftOver, GiftWrongState, ChoiceNotFound,
        SoldOut, NotDelivered.
    Publishes: gift.claimed_v1.
    """
    gift, gift_order = lock_gift(work, order.gift_id)
    before = find_claim_row(work, gift.id)
    if before is not None and before.key == order.key:
        return before.id
    if order.locator is not None and order.locator != gift.locator:
        raise LinkChanged
    if state_of(gift, gift_order, work.at) != "open":
        raise GiftOver(state=state_of(gift, gift_order, work.at))
    if gift_order.kind != COURSE:
        raise GiftWrongState(state=gift_order.kind)
    assert gift_order.course_id is not None
    claim_id = new_id()
    taken = catalog.take(
        work,
        catalog.Taking(
            for_id=claim_id,
            course_id=gift_order.course_id,
            variant_id=order.variant_id,
            prefecture=order.address.prefecture,
        ),
    )
    row = write_claim(
        work, gift, order, taken=taken, claim_id=claim_id, value_minor=gift.value_minor
    )
    _spend(work, gift, claim_id)
    gift.state, gift.ended_at = CLAIMED, work.at
    gift.claimed_minor = gift.value_minor
    gift.opened_at = gift.opened_at or work.at
    withdraw_reminders(work, [gift])
    events.publish(
        work,
        GiftClaimed(
            object_id=gift.id,
            order_id=gift.order_id,
            claim_id=claim_id,
            amount_minor=gift.value_minor,
            at=work.at,
        ),
    )
    tell_claimed(work, ClaimedGift(order=gift_order, gift=gift, claim=row, to=order.address))
    return claim_id


class Wanted(Protocol):
    """What any claim says: by which key it was sent, and where it goes."""

    @property
    def key(self) -> str:
        """What makes it single."""

    @property
    def address(self) -> Address:
        """Where it goes."""


def write_claim(
    work: Work,
    gift: GiftRow,
    order: Wanted,
    *,
    taken: catalog.Taken,
    claim_id: UUID,
    value_minor: int,
    position: int = 0,
) -> ClaimRow:
    """Write down what was taken out of the catalogue for a gift; no money moves by it.

    Raises: ChoiceNotFound for a parcel that goes to no door: it was none when it was chosen.
    """
    if taken.kind == GOODS and not order.address.street:
        raise catalog.ChoiceNotFound
    row = ClaimRow(
        tenant_id=work.tenant_id,
        id=claim_id,
        gift_id=gift.id,
        order_id=gift.order_id,
        position=position,
        value_minor=value_minor,
        number=claim_number(gift.locator, position or _turn(work, gift)),
        key=order.key,
        state=RECEIVED,
        product_id=taken.product.id,
        variant_id=taken.variant.id,
        product=_as_chosen(taken),
        kind=taken.kind,
        supplier=taken.supplier,
        address_sealed=_seal_address(work, claim_id, order.address),
        time_slot=order.address.time_slot,
        expected_on=_expected_on(work, taken.lead_days),
        carrier="",
        tracking="",
        claimed_at=work.at,
        changed_at=work.at,
        delete_after=work.at + CLAIM_KEPT,
    )
    work.session.add(row)
    work.session.flush()  # one claim a gift is the database's word, and it is asked before money
    return row


def _turn(work: Work, gift: GiftRow) -> int:
    """Return 0 for the first choice of a course, and 2 and on for what is chosen once more.

    What was withdrawn stands on a supplier's list: were its number the same, a parcel that goes
    out by that list would be taken for the other one.
    """
    before = work.session.execute(
        sa.select(sa.func.count()).where(
            ClaimRow.tenant_id == work.tenant_id, ClaimRow.gift_id == gift.id
        )
    ).scalar_one()
    return before + 1 if before else 0


def _as_chosen(taken: catalog.Taken) -> dict[str, Any]:
    """Return what the catalogue says of a product now, which is what was chosen."""
    names = dict(taken.product.names)
    if len(taken.product.variants) > 1:
        names = {
            locale: f"{name} {taken.variant.name_in(locale)}" for locale, name in names.items()
        }
    return {"names": names, "code": taken.product.code, "variant": taken.variant.code}


def _expected_on(work: Work, lead_days: int) -> date:
    today = local_date(work.at, tenancy.get_tenant(work.tenant_id).zone)
    return today + timedelta(days=lead_days)


def _seal_address(work: Work, claim_id: UUID, address: Address) -> bytes:
    text = json.dumps(address.as_json(), ensure_ascii=False)
    return tenancy.seal_text(work.tenant_id, claim_place(work.tenant_id, claim_id), text)


def _spend(work: Work, gift: GiftRow, entry_id: UUID) -> None:
    unit = work.session.execute(
        sa.select(OrderRow.unit).where(
            OrderRow.tenant_id == work.tenant_id, OrderRow.id == gift.order_id
        )
    ).scalar_one()
    books.move(
        work,
        "gift_claim",
        gift.value_minor,
        debit_id=gift.account_id,
        credit_id=books.account(work, books.CLAIMED, unit, gift.order_id),
        entry_id=entry_id,
    )


def change_address(
    work: Work, gift_id: UUID, address: Address, *, claim_id: UUID | None = None
) -> None:
    """Send what was claimed somewhere else, as long as it is not on its way.

    ``claim_id`` says which of the things that a balance has bought.
    Locks: the gift.
    Raises: GiftNotFound, GiftWrongState, ClaimSent, NotDelivered.
    """
    gift, order = lock_gift(work, gift_id)
    row = find_claim_row(work, gift.id, claim_id)
    if row is None:
        raise GiftWrongState(state=state_of(gift, order, work.at))
    if row.state not in CHANGEABLE:
        raise ClaimSent
    if address.prefecture in catalog.get_taken(work, row.id).product.excluded_prefectures:
        raise catalog.NotDelivered(prefecture=address.prefecture)
    row.address_sealed = _seal_address(work, row.id, address)
    row.time_slot, row.changed_at = address.time_slot, work.at


def note_opened(work: Work, gift_id: UUID) -> bool:
    """Note that a person has seen the letter; True the first time."""
    result = work.session.execute(
        sa.update(GiftRow)
        .where(
            GiftRow.tenant_id == work.tenant_id,
            GiftRow.id == gift_id,
            GiftRow.opened_at.is_(None),
        )
        .values(opened_at=work.at)
        .execution_options(synchronize_session=False)
    )
    return rows_changed(result) == 1


def thank(work: Work, gift_id: UUID, *, stamp: str, words: str) -> None:
    """Say thank you for a gift that was claimed; for a day it can be said otherwise.

    Locks: the gift.
    Raises: GiftNotFound, GiftWrongState.
    Publishes: gift.thanked_v1, the first time.
    """
    assert stamp in ("", *STAMPS)
    gift, order = lock_gift(work, gift_id)
    if not gift.claimed_minor:
        raise GiftWrongState(state=state_of(gift, order, work.at))
    before = work.session.get(ThanksRow, (work.tenant_id, gift_id))
    if before is not None and before.at + THANKS_MENDED_FOR < work.at:
        raise GiftWrongState(state="thanked")
    place = thanks_place(work.tenant_id, gift_id)
    sealed = tenancy.seal_text(work.tenant_id, place, words[:WORDS_LENGTH_MAX])
    if before is not None:
        before.stamp, before.words_sealed = stamp, sealed
        return
    work.session.execute(
        insert(ThanksRow).values(
            tenant_id=work.tenant_id,
            gift_id=gift_id,
            order_id=gift.order_id,
            stamp=stamp,
            words_sealed=sealed,
            at=work.at,
            delete_after=work.at + CLAIM_KEPT,
        )
    )
    events.publish(work, GiftThanked(object_id=gift_id, order_id=gift.order_id))
