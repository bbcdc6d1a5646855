"""Reading single gifts, for the sender's board and for whoever answers questions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from giftpad import tenancy
from giftpad.gifts.adapters import build_link
from giftpad.gifts.errors import GiftNotFound
from giftpad.gifts.models import BalanceRow, ClaimRow, GiftRow, OrderRow, ThanksRow
from giftpad.gifts.queries.balances import KeptView, list_items, list_kept
from giftpad.gifts.queries.claims import IS_CHOSEN, ClaimView, to_claim
from giftpad.gifts.queries.letters import (
    ThanksView,
    last_day,
    open_first_person,
    to_thanks,
)
from giftpad.gifts.rules.gifts import LETTER_PAUSE, OUTSTANDING, UNSENT, WITHDRAWN
from giftpad.kernel.work import Work

PAGE_MAX = 200
ENDING_WITHIN = timedelta(days=14)

_IS_USED = sa.exists().where(
    BalanceRow.tenant_id == GiftRow.tenant_id,
    BalanceRow.gift_id == GiftRow.id,
    BalanceRow.spent_minor > 0,
)

FILTERS: Mapping[str, tuple[sa.ColumnElement[bool], ...]] = {
    "all": (),
    "undelivered": (
        GiftRow.delivery.in_(UNSENT),
        GiftRow.state == OUTSTANDING,
    ),
    "unopened": (GiftRow.opened_at.is_(None), GiftRow.state == OUTSTANDING),
    "unclaimed": (
        GiftRow.opened_at.is_not(None),
        GiftRow.state == OUTSTANDING,
        GiftRow.claimed_minor == 0,
    ),
    "ending": (
        GiftRow.state == OUTSTANDING,
        GiftRow.ends_at < sa.func.clock_now() + ENDING_WITHIN,
    ),
    "claimed": (GiftRow.claimed_minor > 0,),
    "used": (_IS_USED,),
    "ended": (GiftRow.state.in_(("cancelled", "expired")),),
}
"""What a board can show of an order's gifts, by the name in its address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GiftView:
    """A gift as its sender sees it.

    Of its value so much is left, claimed (what is kept counts), cancelled and expired.
    """

    id: UUID
    order_id: UUID
    number: int
    name: str = field(repr=False)
    address: str = field(repr=False)
    channel: str
    state: str
    delivery: str
    value_minor: int
    left_minor: int
    claimed_minor: int
    cancelled_minor: int
    expired_minor: int
    external_id: str
    resent: int
    queued_at: datetime | None
    sent_at: datetime | None
    delivered_at: datetime | None
    opened_at: datetime | None
    reminded_at: datetime | None
    hand_reminded_at: tuple[datetime, ...]
    is_reminded_last: bool
    claim_by: date
    ended_at: datetime | None
    message_id: UUID | None
    passed_on_at: datetime | None
    claim: ClaimView | None
    thanks: ThanksView | None
    is_chosen: bool
    """Whether somebody has chosen with it, or kept of it; also where that ran out since."""
    items: tuple[ClaimView, ...] = ()
    kept: tuple[KeptView, ...] = ()

    @property
    def has_not_arrived(self) -> bool:
        """Whether its letter never arrived, or nobody knows: it may be sent again at once."""
        return self.delivery in UNSENT

    @property
    def resend_from(self) -> datetime | None:
        """From when on its letter may be sent again; None for at once."""
        if self.queued_at is None or self.has_not_arrived:
            return None
        return self.queued_at + LETTER_PAUSE


@dataclass(frozen=True, slots=True, kw_only=True)
class GiftPage:
    """A page of gifts in the order of their numbers; ``next_after`` is the last number, or None."""

    items: tuple[GiftView, ...]
    next_after: int | None


_JOINED = (
    sa.select(GiftRow, ClaimRow, ThanksRow, IS_CHOSEN)
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
)


def _views(work: Work, rows: Sequence[Any]) -> tuple[GiftView, ...]:
    """Return gifts as they are shown; what balances have bought and kept is asked for once."""
    of_balances = [row[0].id for row in rows if row[0].claimed_minor and row[1] is None]
    items, kept = list_items(work, of_balances), list_kept(work, of_balances)
    return tuple(
        replace(
            _view(work, row),
            items=tuple(items.get(row[0].id, ())),
            kept=tuple(kept.get(row[0].id, ())),
        )
        for row in rows
    )


def _view(work: Work, row: Any) -> GiftView:
    gift: GiftRow = row[0]
    claim: ClaimRow | None = row[1]
    thanks: ThanksRow | None = row[2]
    person = open_first_person(gift)
    return GiftView(
        id=gift.id,
        order_id=gift.order_id,
        number=gift.number,
        name=person["name"],
        address=person["address"],
        channel=gift.channel,
        state=gift.state,
        delivery=gift.delivery,
        value_minor=gift.value_minor,
        left_minor=gift.left_minor,
        claimed_minor=gift.claimed_minor,
        cancelled_minor=gift.cancelled_minor,
        expired_minor=gift.expired_minor,
        external_id=gift.external_id,
        resent=gift.resent,
        queued_at=gift.queued_at,
        sent_at=gift.sent_at,
        delivered_at=gift.delivered_at,
        opened_at=gift.opened_at,
        reminded_at=gift.reminded_at,
        hand_reminded_at=tuple(gift.hand_reminded_at),
        is_reminded_last=gift.is_reminded_last,
        claim_by=last_day(gift.ends_at, tenancy.get_tenant(work.tenant_id).zone),
        ended_at=gift.ended_at,
        message_id=gift.message_id,
        passed_on_at=gift.passed_on_at,
        claim=None if claim is None else to_claim(claim),
        thanks=None if thanks is None else to_thanks(thanks, work.at),
        is_chosen=row[3],
    )


def get_gift(work: Work, gift_id: UUID) -> GiftView:
    """Return one gift.

    Raises: GiftNotFound.
    """
    row = work.session.execute(
        _JOINED.where(GiftRow.tenant_id == work.tenant_id, GiftRow.id == gift_id)
    ).one_or_none()
    if row is None:
        raise GiftNotFound
    return _views(work, [row])[0]


def count_shown(work: Work, order_id: UUID) -> dict[str, int]:
    """Return how many gifts of an order each of the ``FILTERS`` shows, in one query."""
    counts = [
        sa.func.count().filter(sa.and_(sa.true(), *conditions)) for conditions in FILTERS.values()
    ]
    row = work.session.execute(
        sa.select(*counts).where(GiftRow.tenant_id == work.tenant_id, GiftRow.order_id == order_id)
    ).one()
    return dict(zip(FILTERS, row, strict=True))


def list_found(work: Work, gift_ids: Sequence[UUID]) -> GiftPage:
    """Return these gifts, in the order of their numbers."""
    rows = work.session.execute(
        _JOINED.where(GiftRow.tenant_id == work.tenant_id, GiftRow.id.in_(gift_ids)).order_by(
            GiftRow.number
        )
    ).all()
    return GiftPage(items=_views(work, rows), next_after=None)


def list_gifts(
    work: Work, order_id: UUID, *, shown: str = "all", after: int = 0, limit: int = 50
) -> GiftPage:
    """Return a page of an order's gifts, all of them or those of one of the ``FILTERS``."""
    most = min(limit, PAGE_MAX)
    rows = work.session.execute(
        _JOINED.where(
            GiftRow.tenant_id == work.tenant_id,
            GiftRow.order_id == order_id,
            GiftRow.number > after,
            *FILTERS[shown],
        )
        .order_by(GiftRow.number)
        .limit(most + 1)
    ).all()
    items = _views(work, rows[:most])
    return GiftPage(items=items, next_after=items[-1].number if len(rows) > most else None)


def list_thanks(work: Work, order_id: UUID, *, limit: int = 50) -> list[tuple[str, ThanksView]]:
    """Return the newest thanks for an order, each with the name of whom the gift was for."""
    rows = work.session.execute(
        sa.select(GiftRow, ThanksRow)
        .join(
            ThanksRow,
            sa.and_(ThanksRow.tenant_id == GiftRow.tenant_id, ThanksRow.gift_id == GiftRow.id),
        )
        .where(ThanksRow.tenant_id == work.tenant_id, ThanksRow.order_id == order_id)
        .order_by(ThanksRow.at.desc())
        .limit(min(limit, PAGE_MAX))
    )
    return [(open_first_person(gift)["name"], to_thanks(row, work.at)) for gift, row in rows]


def get_link(work: Work, gift_id: UUID) -> str:
    """Return the address that opens a gift, for whoever hands it over themselves.

    Raises: GiftNotFound.
    """
    row = work.session.execute(
        sa.select(GiftRow.locator, OrderRow.kid)
        .join(
            OrderRow,
            sa.and_(OrderRow.tenant_id == GiftRow.tenant_id, OrderRow.id == GiftRow.order_id),
        )
        .where(GiftRow.tenant_id == work.tenant_id, GiftRow.id == gift_id)
    ).one_or_none()
    if row is None:
        raise GiftNotFound
    locator, kid = row
    assert kid is not None
    return build_link(work.tenant_id, kid, locator)
