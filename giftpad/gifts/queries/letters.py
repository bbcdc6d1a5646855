"""What the one who holds a link sees: the letter, how the gift stands, what was chosen."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from giftpad import tenancy
from giftpad.gifts.errors import GiftNotFound, LinkChanged
from giftpad.gifts.models import ClaimRow, GiftRow, OldLinkRow, OrderRow, ThanksRow, person_place
from giftpad.gifts.models.gifts import thanks_place
from giftpad.gifts.queries.balances import KeptView, list_items, list_kept
from giftpad.gifts.queries.claims import ClaimView, to_claim
from giftpad.gifts.rules.contracts import CODE
from giftpad.gifts.rules.gifts import CANCELLED, CLAIMED, EXPIRED, OUTSTANDING, REPLACED, WITHDRAWN
from giftpad.gifts.rules.orders import BALANCE
from giftpad.kernel.clock import local_date
from giftpad.kernel.work import Work

THANKS_MENDED_FOR = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ThanksView:
    """What a recipient said; ``can_be_mended`` for a day."""

    stamp: str
    words: str = field(repr=False)
    at: datetime
    can_be_mended: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A gift as its recipient sees it.

    ``state`` is "waiting" (not opened yet by the sender's time), "open", "claimed", "cancelled"
    or "expired".  ``claim_by`` is the last day.  Of a balance ``left_minor`` is what nothing has
    become of, ``items`` what it bought and ``kept`` what can be spent in shops; ``claim`` is what
    was chosen of a course.
    """

    gift_id: UUID
    order_id: UUID
    number: int
    state: str
    sender_name: str
    recipient_name: str = field(repr=False)
    message: str = field(repr=False)
    note: str = field(repr=False)
    title: str
    design: str
    kind: str
    course_id: UUID | None
    programme_id: UUID | None
    balance_until: date | None
    value_minor: int
    left_minor: int
    unit: str
    locale: str
    claim_by: date
    opens_at: datetime | None
    can_be_passed_on: bool
    claim: ClaimView | None
    thanks: ThanksView | None
    items: tuple[ClaimView, ...] = ()
    kept: tuple[KeptView, ...] = ()
    ran_out: bool = False
    """Whether something was chosen that was not to be had after all, so that it is open again."""


def state_of(gift: GiftRow, order: OrderRow, now: datetime) -> str:
    """Return how a gift stands for its recipient at an instant."""
    if gift.state in (CLAIMED, CANCELLED, EXPIRED):
        return gift.state
    if gift.ends_at <= now:
        return EXPIRED
    if order.send_at is not None and now < order.send_at:
        return "waiting"
    return "open"


def find_gift_id(work: Work, locator: int) -> UUID | None:
    """Return the gift that a proven locator opens, or None."""
    return work.session.execute(
        sa.select(GiftRow.id).where(GiftRow.tenant_id == work.tenant_id, GiftRow.locator == locator)
    ).scalar_one_or_none()


_withdrawn = aliased(ClaimRow)
_RAN_OUT = (
    sa.exists()
    .where(
        _withdrawn.tenant_id == GiftRow.tenant_id,
        _withdrawn.gift_id == GiftRow.id,
        _withdrawn.state == WITHDRAWN,
    )
    .correlate(GiftRow)
)


def find_link_change(work: Work, locator: int) -> str | None:
    """Return why a link opens its gift no more, or None where it was never changed.

    One that was replaced was on a card; that of a code without a name is "code".
    """
    row = work.session.execute(
        sa.select(OldLinkRow.why, OrderRow.codes)
        .join(
            GiftRow,
            sa.and_(GiftRow.tenant_id == OldLinkRow.tenant_id, GiftRow.id == OldLinkRow.gift_id),
        )
        .join(
            OrderRow,
            sa.and_(OrderRow.tenant_id == GiftRow.tenant_id, OrderRow.id == GiftRow.order_id),
        )
        .where(OldLinkRow.tenant_id == work.tenant_id, OldLinkRow.locator == locator)
    ).one_or_none()
    if row is None:
        return None
    return CODE if row.why == REPLACED and row.codes else str(row.why)


def find_passed(work: Work, locator: int, key: str) -> UUID:
    """Return the gift that a link opens, or that was passed on from it by the form of this key.

    Raises: GiftNotFound, LinkChanged.
    """
    gift_id = find_gift_id(work, locator)
    if gift_id is not None:
        return gift_id
    old = work.session.get(OldLinkRow, (work.tenant_id, locator))
    if old is None:
        raise GiftNotFound
    if not key or old.key != key:
        raise LinkChanged
    return old.gift_id


def get_letter(work: Work, gift_id: UUID) -> Letter:
    """Return a gift as its recipient sees it, in one query; a balance in three.

    Raises: GiftNotFound.
    """
    found = work.session.execute(
        sa.select(GiftRow, OrderRow, ClaimRow, ThanksRow, _RAN_OUT)
        .join(
            OrderRow,
            sa.and_(OrderRow.tenant_id == GiftRow.tenant_id, OrderRow.id == GiftRow.order_id),
        )
        .outerjoin(
            ClaimRow,
            sa.and_(
                ClaimRow.tenant_id == GiftRow.tenant_id,
                ClaimRow.gift_id == GiftRow.id,
                ClaimRow.state != WITHDRAWN,
                ClaimRow.position == 0,
            ),
        )
        .outerjoin(
            ThanksRow,
            sa.and_(ThanksRow.tenant_id == GiftRow.tenant_id, ThanksRow.gift_id == GiftRow.id),
        )
        .where(GiftRow.tenant_id == work.tenant_id, GiftRow.id == gift_id)
    ).one_or_none()
    if found is None:
        raise GiftNotFound
    gift, order = found[0], found[1]
    claim: ClaimRow | None = found[2]
    thanks: ThanksRow | None = found[3]
    of_balance = [gift.id] if order.kind == BALANCE else []
    person = open_person(gift)
    zone = tenancy.get_tenant(work.tenant_id).zone
    return Letter(
        gift_id=gift.id,
        order_id=order.id,
        number=gift.number,
        state=state_of(gift, order, work.at),
        sender_name=order.sender_name,
        recipient_name=person["name"],
        message=order.message,
        note=person["note"],
        title=order.title,
        design=order.design,
        kind=order.kind,
        course_id=order.course_id,
        programme_id=order.programme_id,
        balance_until=order.balance_until,
        value_minor=gift.value_minor,
        left_minor=gift.left_minor,
        unit=order.unit,
        locale=gift.locale,
        claim_by=last_day(gift.ends_at, zone),
        opens_at=order.send_at,
        can_be_passed_on=order.can_be_passed_on
        and gift.passed_on_at is None
        and not gift.claimed_minor,  # what was bought and kept stays whose it is
        claim=None if claim is None else to_claim(claim),
        thanks=None if thanks is None else to_thanks(thanks, work.at),
        ran_out=gift.state == OUTSTANDING and bool(found[4]),
        items=tuple(list_items(work, of_balance).get(gift.id, ())),
        kept=tuple(list_kept(work, of_balance).get(gift.id, ())),
    )


def last_day(ends_at: datetime, zone: str) -> date:
    """Return the last day before an end at midnight."""
    return local_date(ends_at - timedelta(microseconds=1), zone)


NOBODY = {"name": "", "address": "", "note": ""}
"""What is left of a recipient who is forgotten."""


def open_person(gift: GiftRow) -> dict[str, str]:
    """Return name, address and note of a recipient; empty ones when they are forgotten."""
    if not gift.person_sealed:
        return NOBODY
    place = person_place(gift.tenant_id, gift.id)
    opened: dict[str, str] = json.loads(
        tenancy.open_text(gift.tenant_id, place, gift.person_sealed)
    )
    return opened


def open_first_person(gift: GiftRow) -> dict[str, str]:
    """Return whom a gift was for at first: what its sender knows, whoever has it now."""
    if gift.passed_on_at is None:
        return open_person(gift)
    if not gift.first_sealed:
        return NOBODY
    place = person_place(gift.tenant_id, gift.id, "first_sealed")
    opened: dict[str, str] = json.loads(tenancy.open_text(gift.tenant_id, place, gift.first_sealed))
    return opened


def to_thanks(row: ThanksRow, now: datetime) -> ThanksView:
    """Return thanks as the value the rest of the house works with."""
    place, sealed = thanks_place(row.tenant_id, row.gift_id), row.words_sealed
    return ThanksView(
        stamp=row.stamp,
        words=tenancy.open_text(row.tenant_id, place, sealed) if sealed else "",
        at=row.at,
        can_be_mended=now < row.at + THANKS_MENDED_FOR,
    )
