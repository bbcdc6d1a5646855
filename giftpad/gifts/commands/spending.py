"""A balance in its recipient's hands: it buys several things, and what is left can be kept.

Whoever comes holds the row of the gift, and what became of each part of its value stands in that
row under a rule of the database: however many press at once, no yen is given away twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from giftpad import catalog, coupons, events, programmes, tenancy
from giftpad.gifts.commands import books
from giftpad.gifts.commands.claiming import lock_gift, write_claim
from giftpad.gifts.commands.letters import ClaimedGift, tell_bought, tell_kept
from giftpad.gifts.commands.withdrawing import withdraw_reminders
from giftpad.gifts.errors import (
    BalanceTooSmall,
    BasketUnfit,
    GiftOver,
    GiftWrongState,
    ItemGone,
    ItemNotDelivered,
    LinkChanged,
    PricesChanged,
)
from giftpad.gifts.events import GiftClaimed, GiftKept
from giftpad.gifts.models import BalanceRow, ClaimRow, GiftRow, OrderRow
from giftpad.gifts.queries.letters import state_of
from giftpad.gifts.rules.addresses import Address
from giftpad.gifts.rules.gifts import BASKET_MAX, CLAIMED
from giftpad.gifts.rules.orders import BALANCE
from giftpad.kernel.clock import local_date
from giftpad.kernel.ids import new_id
from giftpad.kernel.work import Work


@dataclass(frozen=True, slots=True, kw_only=True)
class BasketOrder:
    """What a balance shall buy and where it goes; the same ``key`` again is the same basket.

    ``total_minor`` is what its recipient was told that it costs.
    """

    gift_id: UUID
    key: str
    variant_ids: tuple[UUID, ...]
    total_minor: int
    address: Address = field(repr=False)
    locator: int | None = None
    """Of the link that was used; another one may have taken its place meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepOrder:
    """That what is left shall be kept; the same ``key`` again is the same keeping."""

    gift_id: UUID
    key: str
    locator: int | None = None


def claim_items(work: Work, order: BasketOrder) -> list[UUID]:
    """Take all that a basket holds and return the claims; all of it or nothing, and once.

    What is left stays with the gift.
    Locks: the gift, the goods in the order of their ids, the gift's account, a reminder of it that
        waits, the run of that.
    Raises: GiftNotFound, LinkChanged, GiftOver, GiftWrongState, BasketUnfit, ItemGone,
        ItemNotDelivered, PricesChanged, BalanceTooSmall; ChoiceNotFound as ``write_claim``.
    Publishes: gift.claimed_v1 for each.
    """
    gift, gift_order = lock_gift(work, order.gift_id)
    before = _list_claimed(work, gift.id, order.key)
    if before:
        return before
    _check_open(work, gift, gift_order, order.locator)
    if gift_order.course_id is None:
        raise GiftWrongState(state="kept_only")
    if not 1 <= len(order.variant_ids) <= BASKET_MAX:
        raise BasketUnfit(most=BASKET_MAX)
    taken = _take_all(work, gift_order.course_id, order)
    _check_price(gift, gift_order, taken, told_minor=order.total_minor)
    position = _last_position(work, gift.id)
    rows = []
    for at, (claim_id, each) in enumerate(taken.items(), position + 1):
        row = write_claim(
            work,
            gift,
            order,
            taken=each,
            claim_id=claim_id,
            position=at,
            value_minor=each.product.price_minor,
        )
        _spend(work, gift, gift_order, row.value_minor, entry_id=claim_id, kind="gift_claim")
        rows.append(row)
    withdraw_reminders(work, [gift])
    _tell_claimed(work, gift, rows)
    about = ClaimedGift(order=gift_order, gift=gift, claim=rows[0], to=order.address)
    tell_bought(work, about, rows)
    return [row.id for row in rows]


def _check_open(work: Work, gift: GiftRow, order: OrderRow, locator: int | None) -> None:
    if locator is not None and locator != gift.locator:
        raise LinkChanged
    if order.kind != BALANCE:
        raise GiftWrongState(state=order.kind)
    state = state_of(gift, order, work.at)
    if state != "open":
        raise GiftOver(state=state)


def _list_claimed(work: Work, gift_id: UUID, key: str) -> list[UUID]:
    """Return what this press has claimed before, also what was withdrawn since."""
    return list(
        work.session.scalars(
            sa.select(ClaimRow.id)
            .where(
                ClaimRow.tenant_id == work.tenant_id,
                ClaimRow.gift_id == gift_id,
                ClaimRow.key == key,
            )
            .order_by(ClaimRow.position)
        )
    )


def _last_position(work: Work, gift_id: UUID) -> int:
    return work.session.execute(
        sa.select(sa.func.coalesce(sa.func.max(ClaimRow.position), 0)).where(
            ClaimRow.tenant_id == work.tenant_id, ClaimRow.gift_id == gift_id
        )
    ).scalar_one()


def _take_all(work: Work, course_id: UUID, order: BasketOrder) -> dict[UUID, catalog.Taken]:
    """Take each thing out of the stock, by the ids of the things: two baskets never cross."""
    taken = {}
    for variant_id in sorted(order.variant_ids):
        claim_id = new_id()
        taking = catalog.Taking(
            for_id=claim_id,
            course_id=course_id,
            variant_id=variant_id,
            prefecture=order.address.prefecture,
        )
        try:
            taken[claim_id] = catalog.take(work, taking)
        except (catalog.SoldOut, catalog.ChoiceNotFound) as error:
            raise ItemGone(variant_id=str(variant_id)) from error
        except catalog.NotDelivered as error:
            raise ItemNotDelivered(
                variant_id=str(variant_id), prefecture=order.address.prefecture
            ) from error
        if not taken[claim_id].product.price_minor:
            raise ItemGone(variant_id=str(variant_id))  # what has no price of its own is no goods
    return taken


def _check_price(
    gift: GiftRow, order: OrderRow, taken: dict[UUID, catalog.Taken], *, told_minor: int
) -> None:
    total = sum(each.product.price_minor for each in taken.values())
    if total != told_minor:
        raise PricesChanged(total_minor=total, unit=order.unit)
    if total > gift.left_minor:
        raise BalanceTooSmall(left_minor=gift.left_minor, total_minor=total, unit=order.unit)


def _spend(
    work: Work, gift: GiftRow, order: OrderRow, amount_minor: int, *, entry_id: UUID, kind: str
) -> None:
    """Move a part of a gift to what was claimed of its order, and note it in the gift."""
    books.move(
        work,
        kind,
        amount_minor,
        debit_id=gift.account_id,
        credit_id=books.account(work, books.CLAIMED, order.unit, order.id),
        entry_id=entry_id,
    )
    gift.claimed_minor += amount_minor
    gift.opened_at = gift.opened_at or work.at
    if not gift.left_minor:
        gift.state, gift.ended_at = CLAIMED, work.at


def _tell_claimed(work: Work, gift: GiftRow, rows: list[ClaimRow]) -> None:
    events.publish_many(
        work,
        [
            GiftClaimed(
                object_id=gift.id,
                order_id=gift.order_id,
                claim_id=row.id,
                amount_minor=row.value_minor,
                at=work.at,
            )
            for row in rows
        ],
    )


def keep(work: Work, order: KeepOrder) -> UUID:
    """Turn what is left of a gift into a balance that shops take, and return its id; once.

    The gift's account is emptied and the programme issues the same amount in one transaction,
    by one entry.  It ends when the gift's programme says, counted from when the gift went out.
    Locks: the gift, its account, a reminder of it that waits and the run of that, the programme's
        serials, the tenant's locators.
    Raises: GiftNotFound, LinkChanged, GiftOver, GiftWrongState.
    Publishes: gift.kept_v1, and what ``coupons.issue_paperless`` publishes.
    """
    gift, gift_order = lock_gift(work, order.gift_id)
    before = work.session.execute(
        sa.select(BalanceRow.id).where(
            BalanceRow.tenant_id == work.tenant_id,
            BalanceRow.gift_id == gift.id,
            BalanceRow.key == order.key,
        )
    ).scalar_one_or_none()
    if before is not None:
        return before
    _check_open(work, gift, gift_order, order.locator)
    if gift_order.programme_id is None:
        raise GiftWrongState(state="not_kept")
    balance_id, amount_minor = new_id(), gift.left_minor
    _spend(work, gift, gift_order, amount_minor, entry_id=balance_id, kind="gift_keep")
    withdraw_reminders(work, [gift])  # before the locators, which everybody takes last
    row = _issue(
        work, gift, gift_order, key=order.key, balance_id=balance_id, amount_minor=amount_minor
    )
    events.publish(
        work,
        GiftKept(
            object_id=gift.id,
            order_id=gift.order_id,
            balance_id=row.id,
            programme_id=row.programme_id,
            amount_minor=row.amount_minor,
            at=work.at,
        ),
    )
    tell_kept(work, gift_order, gift, row)
    return row.id


def _issue(
    work: Work, gift: GiftRow, order: OrderRow, *, key: str, balance_id: UUID, amount_minor: int
) -> BalanceRow:
    """Let the programme issue what was left of a gift."""
    assert order.programme_id is not None
    assert order.balance_until is not None
    assert order.starts_at is not None
    zone = tenancy.get_tenant(work.tenant_id).zone
    today = local_date(work.at, zone)
    if order.balance_until < today:
        raise GiftOver(state="expired")
    programme = programmes.get_programme(work, order.programme_id)
    issued = coupons.issue_paperless(
        work,
        coupons.PaperlessOrder(
            programme_id=programme.id,
            amount_minor=amount_minor,
            issued_on=local_date(order.starts_at, zone),
            starts_on=max(today, programme.starts_on),
            ends_on=order.balance_until,
            entry_id=balance_id,
        ),
    )
    row = BalanceRow(
        tenant_id=work.tenant_id,
        id=balance_id,
        gift_id=gift.id,
        order_id=gift.order_id,
        key=key,
        programme_id=programme.id,
        locator=issued.locator,
        account_id=issued.account_id,
        serial=issued.serial,
        amount_minor=amount_minor,
        spent_minor=0,
        kept_at=work.at,
        ends_on=order.balance_until,
    )
    work.session.add(row)
    work.session.flush()
    return row


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What a shop took of an account, or gave back where it is negative."""

    account_id: UUID
    amount_minor: int
    at: datetime


def note_spent(work: Work, changes: Sequence[Spent]) -> None:
    """Note what shops took of kept balances, or gave back.

    All payments of a tenant come here, and most are from coupons: what is no kept balance is
    passed over by one query for all of them.
    Locks: the balances, in the order of their accounts.
    """
    of_account: dict[UUID, list[Spent]] = {}
    for change in changes:
        of_account.setdefault(change.account_id, []).append(change)
    wanted = sa.literal(list(of_account), ARRAY(sa.Uuid))
    rows = work.session.scalars(
        sa.select(BalanceRow)
        .where(BalanceRow.tenant_id == work.tenant_id, BalanceRow.account_id == sa.any_(wanted))
        .order_by(BalanceRow.account_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    for row in rows:
        mine = of_account[row.account_id]
        row.spent_minor += sum(change.amount_minor for change in mine)
        row.used_at = row.used_at or min(change.at for change in mine)
