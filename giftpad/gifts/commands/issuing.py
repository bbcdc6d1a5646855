"""Issuing an order piece by piece: accounts, value, gifts and their letters in one transaction."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from giftpad import events, ledger, tenancy
from giftpad.gifts.commands import books
from giftpad.gifts.commands.contracts import lock_contract_row
from giftpad.gifts.commands.drafting import lock_order
from giftpad.gifts.commands.invoices import draw_up
from giftpad.gifts.commands.letters import invite
from giftpad.gifts.commands.prints import plan_prints
from giftpad.gifts.events import GiftsDue, GiftsIssued, OrderSent
from giftpad.gifts.models import GiftRow, LineRow, OrderRow
from giftpad.gifts.rules.contracts import CODE, MAIL, SMS
from giftpad.gifts.rules.gifts import KEPT_AFTER_END, NONE, OUTSTANDING, QUEUED
from giftpad.gifts.rules.orders import CHUNK, CODES_CHUNK, ISSUING, SENT
from giftpad.kernel.arrays import UuidArray
from giftpad.kernel.clock import end_of
from giftpad.kernel.ids import new_id, new_ids_packed
from giftpad.kernel.work import Work, rows_changed

_WRITE_CODES = sa.text("""
    INSERT INTO gifts (tenant_id, id, order_id, number, locator, account_id, value_minor, state,
        channel, locale, external_id, person_sealed, delivery, ends_at, created_at, delete_after)
    SELECT :tenant, n.id, :order, :first + n.place, :locator_first + :first + n.place - 1,
        n.account_id, :value, :state, :channel, :locale, '', ''::bytea, :none,
        :ends_at, :at, :delete_after
    FROM unnest(CAST(:gifts AS uuid[]), CAST(:accounts AS uuid[])) WITH ORDINALITY
        AS n (id, account_id, place)
""")
"""Codes are numbered from 1 in the order of their locators, as lines are from their first."""

_WRITE_GIFTS = sa.text("""
    INSERT INTO gifts (tenant_id, id, order_id, number, locator, account_id, value_minor, state,
        channel, locale, external_id, person_sealed, address_index, delivery, queued_at,
        ends_at, created_at, delete_after)
    SELECT l.tenant_id, l.id, l.order_id, l.number, :locator_first + l.seq, n.account_id, :value,
        :state, l.channel, l.locale, l.external_id, l.person_sealed, l.address_index,
        CASE WHEN l.channel IN ('mail', 'sms') THEN :queued ELSE :none END,
        CASE WHEN l.channel IN ('mail', 'sms') THEN CAST(:at AS timestamptz) END,
        :ends_at, :at, :delete_after
    FROM unnest(CAST(:accounts AS uuid[])) WITH ORDINALITY AS n (account_id, place)
    JOIN gift_lines l ON l.tenant_id = :tenant AND l.order_id = :order
        AND l.seq = :first + n.place - 1
""")


def issue_chunk(work: Work, order_id: UUID) -> bool:
    """Issue the next gifts of an order, each with its letter; False if none is left to issue.

    When the last day to claim is over, none is issued any more: nobody could have it.

    Value, gifts, letters and the place reached commit together, so whoever dies in between has
    issued nothing and whoever comes again goes on where the order stands.
    Locks: the order, with the last gifts the contract, what is held for it, the run of its letters.
    Publishes: gift_order.gifts_issued_v1; after the last one gift_order.sent_v1 and
        gift_print.cards_due_v1.
    """
    order = lock_order(work, order_id)
    if order.state != ISSUING or _ends_at(work, order) <= work.at:
        return False
    count = min(CODES_CHUNK if order.codes else CHUNK, order.quantity - order.issued_to)
    assert count > 0
    first = order.issued_to
    if first + count == order.quantity:
        lock_contract_row(work)  # for the invoice; whoever pays in holds it before the deposit
    accounts = _fund(work, order, count, first)
    if order.codes:
        _write_codes(work, order, accounts, first)
    else:
        _write_gifts(work, order, accounts, first)
        gifts = _list_issued(work, order, first, count)
        invite(work, order, [gift for gift in gifts if gift.channel in (MAIL, SMS)])
    order.issued_to += count
    assert order.value_minor is not None
    events.publish(
        work,
        GiftsIssued(
            object_id=order.id, count=count, amount_minor=count * order.value_minor, at=work.at
        ),
    )
    if order.issued_to == order.quantity:
        order.state, order.sent_at = SENT, work.at
        plan_prints(work, order)
        events.publish(work, OrderSent(object_id=order.id, quantity=order.quantity))
        # Last: it holds the audit chain, and whoever holds the run waits for that.
        draw_up(work, order)
    order.changed_at = work.at
    return order.state == ISSUING


def _ends_at(work: Work, order: OrderRow) -> datetime:
    assert order.claim_by is not None
    return end_of(order.claim_by, tenancy.get_tenant(work.tenant_id).zone)


def pass_on(work: Work, order_id: UUID) -> None:
    """Let somebody else go on with an order that is not all issued.

    Publishes: gift_order.gifts_due_v1.
    """
    events.publish(work, GiftsDue(object_id=order_id))


def _fund(work: Work, order: OrderRow, count: int, first: int) -> UuidArray:
    """Move what some gifts cost out of what is held, and return the accounts of the gifts."""
    assert order.value_minor is not None
    assert order.fees_minor is not None
    entry_id, held = new_id(), books.find(work, books.HELD, order.id)
    source = books.account(work, books.ISSUE, order.unit, order.id)
    amount = count * order.value_minor
    books.move(work, "gift_fund", amount, debit_id=held, credit_id=source, entry_id=entry_id)
    if first == 0:  # fees as they were agreed at the submission, whatever the contract says now
        fees = books.account(work, books.FEES, order.unit, order.id)
        books.move(
            work, "gift_fee", order.fees_minor, debit_id=held, credit_id=fees, entry_id=entry_id
        )
    accounts = UuidArray.of(new_ids_packed(count))
    ledger.issue_many(
        work,
        ledger.Bulk(
            entry_id=entry_id,
            kind="gift_issue",
            other_id=source,
            account_ids=accounts,
            transfer_ids=UuidArray.of(new_ids_packed(count)),
        ),
        account_kind=books.GIFT,
        amount_minor=order.value_minor,
    )
    return accounts


def _values(work: Work, order: OrderRow, accounts: UuidArray, first: int) -> dict[str, object]:
    """Return what every gift of a chunk is written with."""
    ends_at = _ends_at(work, order)
    return {
        "tenant": work.tenant_id,
        "order": order.id,
        "locator_first": order.locator_first,
        "first": first,
        "accounts": accounts,
        "value": order.value_minor,
        "state": OUTSTANDING,
        "none": NONE,
        "at": work.at,
        "ends_at": ends_at,
        "delete_after": ends_at + KEPT_AFTER_END,
    }


def _write_codes(work: Work, order: OrderRow, accounts: UuidArray, first: int) -> None:
    """Write gifts that are for nobody in particular: there is no line and no letter of them."""
    values = _values(work, order, accounts, first) | {
        "gifts": UuidArray.of(new_ids_packed(accounts.count)),
        "channel": CODE,
        "locale": order.locale,
    }
    written = work.session.execute(_WRITE_CODES, values)
    assert rows_changed(written) == accounts.count


def _write_gifts(work: Work, order: OrderRow, accounts: UuidArray, first: int) -> None:
    """Write gifts over the lines that they come from, which are gone then."""
    written = work.session.execute(
        _WRITE_GIFTS, _values(work, order, accounts, first) | {"queued": QUEUED}
    )
    assert rows_changed(written) == accounts.count
    gone = work.session.execute(
        sa.delete(LineRow)
        .where(
            LineRow.tenant_id == work.tenant_id,
            LineRow.order_id == order.id,
            LineRow.seq.between(first, first + accounts.count - 1),
        )
        .execution_options(synchronize_session=False)
    )
    assert rows_changed(gone) == accounts.count


def _list_issued(work: Work, order: OrderRow, first: int, count: int) -> list[GiftRow]:
    assert order.locator_first is not None
    begin = order.locator_first + first
    return list(
        work.session.scalars(
            sa.select(GiftRow)
            .where(
                GiftRow.tenant_id == work.tenant_id,
                GiftRow.locator.between(begin, begin + count - 1),
            )
            .order_by(GiftRow.locator)
        )
    )
