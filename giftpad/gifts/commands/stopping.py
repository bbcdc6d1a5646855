"""Ending the issue of an order before all of it is issued."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa

from giftpad import audit, events
from giftpad.gifts.commands import books
from giftpad.gifts.commands.contracts import lock_contract_row
from giftpad.gifts.commands.deciding import reopen
from giftpad.gifts.commands.drafting import lock_order
from giftpad.gifts.commands.invoices import draw_up
from giftpad.gifts.commands.prints import plan_prints
from giftpad.gifts.events import OrderSent
from giftpad.gifts.models import LineRow, OrderRow
from giftpad.gifts.rules.contracts import CODE
from giftpad.gifts.rules.orders import ISSUING, SENT
from giftpad.kernel.work import Work


def stop_issuing(work: Work, order_id: UUID, *, reason: str) -> int:
    """Issue no more gifts of an order and return how many there are of it.

    What is issued stays, and is what the invoice is about.  The rest of the money is free again,
    with the fees agreed for what is not issued.  An order of which nothing is issued becomes a
    draft again, to be mended.
    Locks: the order, the contract, what is held for the order, then the deposit.
    Raises: OrderNotFound, OrderWrongState.
    Publishes: gift_order.sent_v1 if something is issued.
    """
    order = lock_order(work, order_id, ISSUING)
    issued, wanted = order.issued_to, order.quantity
    if issued:
        lock_contract_row(work)  # for the invoice; whoever pays in holds it before the deposit
        _give_back_fees(work, order)
        books.let_go(work, order.id)
        _drop_lines(work, order)
        order.quantity, order.state = issued, SENT
        order.codes = min(order.codes, issued)
        order.sent_at = order.changed_at = work.at
        plan_prints(work, order)
        draw_up(work, order)
        events.publish(work, OrderSent(object_id=order.id, quantity=issued))
    else:
        reopen(work, order)
    audit.record(
        work,
        action="gift_order.stopped",
        subject=f"gift_order:{order.id}",
        details={"gifts": issued, "not_issued": wanted - issued, "reason": reason},
    )
    return issued


def _not_issued(order: OrderRow) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        LineRow.tenant_id == order.tenant_id,
        LineRow.order_id == order.id,
        LineRow.seq >= order.issued_to,
    )


def _count_not_issued(work: Work, order: OrderRow) -> dict[str, int]:
    """Return how many gifts are left to issue, by channel."""
    if order.codes:
        return {CODE: order.quantity - order.issued_to}
    counts = work.session.execute(
        sa.select(LineRow.channel, sa.func.count())
        .where(*_not_issued(order))
        .group_by(LineRow.channel)
    )
    return {str(channel): int(count) for channel, count in counts}


def _give_back_fees(work: Work, order: OrderRow) -> None:
    """Give back the fees of the gifts that nobody issues; all were taken with the first ones.

    An order that does not know what its fees were made of keeps them.
    """
    assert order.fees_minor is not None
    if order.fee_terms is None:
        return  # submitted before fees were kept by way of sending: nobody can tell them apart
    by_channel = _count_not_issued(work, order)
    agreed, counts = order.fee_terms["fees_minor"], order.fee_terms["counts"]
    fees = sum(count * agreed[channel] for channel, count in by_channel.items())
    books.move(
        work,
        "gift_fee_return",
        fees,
        debit_id=books.find(work, books.FEES, order.id),
        credit_id=books.find(work, books.DEPOSIT),
    )
    order.fees_minor -= fees
    kept = {channel: count - by_channel.get(channel, 0) for channel, count in counts.items()}
    order.fee_terms = {**order.fee_terms, "counts": {each: n for each, n in kept.items() if n}}


def _drop_lines(work: Work, order: OrderRow) -> None:
    work.session.execute(
        sa.delete(LineRow).where(*_not_issued(order)).execution_options(synchronize_session=False)
    )
