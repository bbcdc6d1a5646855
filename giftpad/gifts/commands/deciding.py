"""From draft to approved: submit, withdraw, approve, send back.

What an order costs is held from its submission on, so that an approval can never fail for want
of money; whoever takes it back before its issue gets all of it back.
"""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa

from giftpad import audit, catalog, designs, events, messaging, payments, tenancy
from giftpad.gifts.adapters.press import try_face
from giftpad.gifts.commands import books
from giftpad.gifts.commands.drafting import check_texts, lock_order
from giftpad.gifts.commands.letters import run_of
from giftpad.gifts.commands.prints import write_face
from giftpad.gifts.errors import (
    LinesFaulty,
    LinesRepeated,
    OrderChanged,
    OrderIncomplete,
    OrderTooLate,
    OrderUnfit,
    OwnOrder,
    ReferencesKnown,
)
from giftpad.gifts.events import GiftsDue, OrderApproved, OrderSubmitted
from giftpad.gifts.models import LineRow, OrderRow
from giftpad.gifts.queries.contracts import get_contract
from giftpad.gifts.queries.last_days import kept_until, last_day_of
from giftpad.gifts.queries.lines import count_lines
from giftpad.gifts.rules.contracts import MAIL, PRINTED, SMS, Contract, next_loud
from giftpad.gifts.rules.orders import (
    APPROVED,
    APPROVED_WITHIN,
    COURSE,
    DRAFT,
    ISSUING,
    SUBMITTED,
    Cost,
    cost_of,
    fee_terms_of,
)
from giftpad.kernel.clock import end_of, local_date
from giftpad.kernel.work import Work

REASON_LENGTH_MAX = 300

_NUMBER_THEM = sa.text("""
    UPDATE gift_lines l SET seq = n.place - 1 FROM (
        SELECT id, row_number() OVER (ORDER BY number) AS place
        FROM gift_lines WHERE tenant_id = :tenant AND order_id = :order
    ) n
    WHERE l.tenant_id = :tenant AND l.id = n.id
""")


_ORDERED_MEANWHILE = sa.text("""
    SELECT l.number FROM gift_lines l
    WHERE l.tenant_id = :tenant AND l.order_id = :order AND l.external_id <> ''
        AND (EXISTS (SELECT 1 FROM gifts g
                WHERE g.tenant_id = :tenant AND g.external_id = l.external_id)
            OR EXISTS (SELECT 1 FROM gift_lines o
                WHERE o.tenant_id = :tenant AND o.external_id = l.external_id
                    AND o.order_id <> :order AND o.seq IS NOT NULL))
    ORDER BY l.number LIMIT :most
""")
NAMED_MAX = 20


def submit_order(
    work: Work, order_id: UUID, *, seen: datetime | None = None, total_minor: int | None = None
) -> str:
    """Hand an order in and hold what it costs; return the state it is in then.

    Up to the amount that the contract names it is approved at once; above it waits for a second
    person.  ``seen`` is when the order was changed last, and ``total_minor`` what it cost, as
    whoever submits saw it.
    Locks: the order, then the deposit.
    Raises: OrderNotFound, OrderWrongState, OrderChanged, ContractMissing, OrderIncomplete,
        OrderUnfit, ProgrammeOver, LinesFaulty, LinesRepeated, ReferencesKnown, ChannelMissing,
        BudgetTooSmall; for what is printed MissingGlyph, TextTooLong.
    Publishes: gift_order.submitted_v1, and what ``approve_order`` publishes.
    """
    order = lock_order(work, order_id, DRAFT)
    _check_seen(order, seen)
    agreed = get_contract(work)
    value = _check_complete(work, order, agreed)
    cost = _check_lines(work, order, value, agreed)
    if total_minor is not None and cost.total_minor != total_minor:
        raise OrderChanged
    books.hold(work, order.id, order.unit, cost.total_minor)
    _check_references(work, order.id)
    work.session.execute(_NUMBER_THEM, {"tenant": work.tenant_id, "order": order.id})
    order.state = SUBMITTED
    order.value_minor, order.fees_minor = value, cost.fees_minor
    order.fee_terms = fee_terms_of(cost.counts, agreed)
    order.unclaimed, order.quantity = agreed.unclaimed, cost.count
    order.submitted_by, order.submitted_at = work.scope.actor.id, work.at
    order.changed_at, order.refusal, order.lapsed_at = work.at, "", None
    events.publish(
        work,
        OrderSubmitted(object_id=order.id, quantity=cost.count, total_minor=cost.total_minor),
    )
    alone = cost.total_minor <= agreed.approve_above_minor
    if alone:
        _approve(work, order, agreed)
    audit.record(
        work,
        action="gift_order.submitted",
        subject=f"gift_order:{order.id}",
        details={
            "number": order.number,
            "gifts": cost.count,
            "total_minor": cost.total_minor,
            "needs_approval": not alone,
        },
    )
    return order.state


def _check_seen(order: OrderRow, seen: datetime | None) -> None:
    if seen is not None and seen != order.changed_at:
        raise OrderChanged


def _check_references(work: Work, order_id: UUID) -> None:
    """Refuse references that another order has taken since they were read.

    Whoever comes here holds the tenant's deposit, so of two orders with one reference the second
    sees the first.
    Raises: ReferencesKnown.
    """
    values = {"tenant": work.tenant_id, "order": order_id, "most": NAMED_MAX}
    lines = work.session.execute(_ORDERED_MEANWHILE, values).scalars().all()
    if lines:
        raise ReferencesKnown(lines=", ".join(str(line) for line in lines))


def _check_complete(work: Work, order: OrderRow, agreed: Contract) -> int:
    """Return the value of one gift, if the order says all that it must.

    Raises: OrderIncomplete, OrderUnfit.
    """
    goods = "course_id" if order.kind == COURSE else "amount_minor"
    for name in ("title", "design", "sender_name", "message", goods):
        value = getattr(order, name)
        if not (value.strip() if isinstance(value, str) else value):
            raise OrderIncomplete(missing=name)
    if order.course_id is None and order.programme_id is None:
        raise OrderIncomplete(missing="programme_id")
    check_texts(order)
    designs.get_design(order.design)
    zone = tenancy.get_tenant(work.tenant_id).zone
    today = local_date(work.at, zone)
    until = kept_until(work, order, max(work.at, order.send_at or work.at))
    order.claim_by = last_day_of(work, order, until)
    if end_of(order.claim_by, zone) <= _starts_at(work, order, agreed):
        raise OrderUnfit(field="claim_by")
    if until is not None and order.claim_by > until:
        raise OrderUnfit(field="claim_by", last=until.isoformat())
    price_minor = _price(work, order, today)
    return price_minor if order.amount_minor is None else order.amount_minor


def _price(work: Work, order: OrderRow, today: date) -> int:
    """Return what the course of an order costs, if it has one that can be given today.

    Raises: OrderUnfit.
    """
    if order.course_id is None:
        return 0
    course = catalog.get_course(work, order.course_id)
    if course.unit != order.unit or not course.starts_on <= today <= course.ends_on:
        raise OrderUnfit(field="course_id")
    return course.price_minor


def _check_lines(work: Work, order: OrderRow, value_minor: int, agreed: Contract) -> Cost:
    counts = count_lines(work, order.id)
    if counts.faulty:
        raise LinesFaulty(count=counts.faulty)
    if counts.repeated and not order.repeats_meant:
        raise LinesRepeated(count=counts.repeated)
    cost = cost_of(counts.by_channel, value_minor, agreed)
    if cost.count == 0:
        raise OrderIncomplete(missing="recipients")
    for kind in PRINTED:
        if counts.by_channel.get(kind):
            assert order.claim_by is not None
            try_face(work.tenant_id, kind, write_face(work, order, kind, until=order.claim_by))
    for channel in (MAIL, SMS):
        if counts.by_channel.get(channel) and not messaging.can_send(channel):
            raise messaging.ChannelMissing(channel=channel)
    return cost


def withdraw_order(work: Work, order_id: UUID) -> None:
    """Make a submitted or approved order a draft again, before any gift of it is issued.

    Locks: the order, then what is held for it.
    Raises: OrderNotFound, OrderWrongState.
    """
    order = lock_order(work, order_id, SUBMITTED, APPROVED)
    reopen(work, order)
    audit.record(work, action="gift_order.withdrawn", subject=f"gift_order:{order.id}", details={})


def send_back(work: Work, order_id: UUID, *, reason: str) -> None:
    """Make a submitted order a draft again, with the reason why it was not approved.

    Locks: the order, then what is held for it.
    Raises: OrderNotFound, OrderWrongState.
    """
    order = lock_order(work, order_id, SUBMITTED)
    reopen(work, order)
    order.refusal = reason[:REASON_LENGTH_MAX]
    audit.record(
        work,
        action="gift_order.sent_back",
        subject=f"gift_order:{order.id}",
        details={"reason": order.refusal},
    )


def lapse_some(work: Work, *, limit: int) -> int:
    """Make orders that nobody approved in time drafts again; return how many.

    What is held goes back, and its people are forgotten as those of any draft are.
    Locks: the orders, passing over those that somebody is at, then what is held for them.
    """
    late = (
        sa.select(OrderRow)
        .where(
            OrderRow.tenant_id == work.tenant_id,
            OrderRow.state == SUBMITTED,
            OrderRow.submitted_at < work.at - APPROVED_WITHIN,
        )
        .order_by(OrderRow.submitted_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    orders = work.session.scalars(late).all()
    for order in orders:
        reopen(work, order)
        order.lapsed_at = work.at
        audit.record(
            work,
            action="gift_order.lapsed",
            subject=f"gift_order:{order.id}",
            details={"number": order.number},
        )
    return len(orders)


def reopen(work: Work, order: OrderRow) -> None:
    """Make an order that the caller has locked a draft again, and free all that is held for it."""
    books.let_go(work, order.id)
    order.state, order.quantity = DRAFT, 0
    order.submitted_by = order.submitted_at = order.decided_by = order.decided_at = None
    order.starts_at = order.value_minor = order.fees_minor = order.unclaimed = None
    order.fee_terms = None
    order.locator_first = order.kid = order.balance_until = None
    order.changed_at = work.at
    work.session.execute(
        sa.update(LineRow)
        .where(LineRow.tenant_id == work.tenant_id, LineRow.order_id == order.id)
        .values(seq=None)
        .execution_options(synchronize_session=False)
    )


def approve_order(work: Work, order_id: UUID, *, seen: datetime | None = None) -> None:
    """Let an order be issued, at once or at the time it names.

    ``seen`` is when the order was changed last, as whoever approves saw it: what was taken back
    and handed in anew meanwhile must be looked at anew.
    Locks: the order, then the tenant's locators.
    Raises: OrderNotFound, OrderWrongState, OrderChanged, OwnOrder, OrderTooLate,
        ProgrammeOver.
    Publishes: gift_order.approved_v1, and gift_order.gifts_due_v1 if it begins at once.
    """
    order = lock_order(work, order_id, SUBMITTED)
    if order.submitted_by == work.scope.actor.id:
        raise OwnOrder
    _check_seen(order, seen)
    _approve(work, order, get_contract(work))
    audit.record(
        work,
        action="gift_order.approved",
        subject=f"gift_order:{order.id}",
        details={"number": order.number, "gifts": order.quantity},
    )


def _approve(work: Work, order: OrderRow, agreed: Contract) -> None:
    order.state = APPROVED
    order.decided_by, order.decided_at = work.scope.actor.id, work.at
    order.changed_at = work.at
    order.locator_first = payments.take_locators(work, order.quantity)
    order.kid = tenancy.current_ring_key(work.tenant_id).kid
    order.starts_at = _starts_at(work, order, agreed)
    zone = tenancy.get_tenant(work.tenant_id).zone
    assert order.claim_by is not None
    if end_of(order.claim_by, zone) <= order.starts_at:
        raise OrderTooLate(claim_by=order.claim_by.isoformat())
    order.balance_until = kept_until(work, order, order.starts_at)
    events.publish(work, OrderApproved(object_id=order.id))
    if order.starts_at <= work.at:
        start_issuing(work, order)


def _starts_at(work: Work, order: OrderRow, agreed: Contract) -> datetime:
    """Return when an order begins: not in the quiet hours if anything of it rings a telephone."""
    wanted = max(work.at, order.send_at or work.at)
    counts = count_lines(work, order.id).by_channel
    if not counts.get(MAIL) and not counts.get(SMS):
        return wanted
    return next_loud(wanted, agreed, tenancy.get_tenant(work.tenant_id).zone)


def start_issuing(work: Work, order: OrderRow) -> None:
    """Begin to issue an approved order, which the caller has locked.

    Publishes: gift_order.gifts_due_v1.
    """
    order.state, order.changed_at = ISSUING, work.at
    if not order.codes:  # no letter is written for a code
        order.run_id = run_of(work, order)
    events.publish(work, GiftsDue(object_id=order.id))


def start_due(work: Work, *, limit: int) -> int:
    """Begin to issue approved orders whose time has come; return how many.

    One whose last day is over stays approved: its gifts could not be claimed.

    Locks: the orders, passing over those that somebody is at.
    """
    due = (
        sa.select(OrderRow)
        .where(
            OrderRow.tenant_id == work.tenant_id,
            OrderRow.state == APPROVED,
            OrderRow.starts_at <= work.at,
            OrderRow.claim_by >= local_date(work.at, tenancy.get_tenant(work.tenant_id).zone),
        )
        .order_by(OrderRow.starts_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    count = 0
    for order in work.session.execute(due).scalars():
        start_issuing(work, order)
        count += 1
    return count
