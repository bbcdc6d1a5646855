"""Preparing an order: what it says, until somebody submits it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import fields
from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from giftpad import audit, messaging, programmes
from giftpad.gifts.commands.contracts import lock_contract_row
from giftpad.gifts.errors import (
    CodesChosen,
    ContractMissing,
    OrderNotFound,
    OrderUnfit,
    OrderWrongState,
)
from giftpad.gifts.models import FileRow, LineRow, OrderRow
from giftpad.gifts.queries.contracts import get_contract
from giftpad.gifts.rules.contracts import CODE, NAMED, Contract
from giftpad.gifts.rules.orders import (
    AMOUNT_MINOR_MAX,
    COURSE,
    DRAFT,
    KINDS,
    MESSAGE_LENGTH_MAX,
    SENDER_LENGTH_MAX,
    TITLE_LENGTH_MAX,
    OrderDraft,
)
from giftpad.kernel.clock import local_date
from giftpad.kernel.i18n import LOCALES
from giftpad.kernel.ids import new_id
from giftpad.kernel.work import Work
from giftpad.tenancy import get_tenant


def draft_order(work: Work, draft: OrderDraft) -> UUID:
    """Begin an order and return its id.

    Locks: the contract, whose counter numbers the order.
    Raises: ContractMissing, OrderUnfit.
    """
    contract = lock_contract_row(work)
    if contract is None:
        raise ContractMissing
    agreed = Contract.of(contract.terms)
    check_draft(work, draft, agreed)
    order_id = new_id()
    work.session.execute(
        insert(OrderRow).values(
            tenant_id=work.tenant_id,
            id=order_id,
            number=contract.next_number,
            state=DRAFT,
            unit=agreed.unit,
            created_by=work.scope.actor.id,
            created_at=work.at,
            changed_at=work.at,
            **_values(draft),
        )
    )
    contract.next_number += 1
    return order_id


def change_order(work: Work, order_id: UUID, draft: OrderDraft) -> None:
    """Make a draft say what ``draft`` says.

    How the codes of an order go is said by ``order_codes`` alone.
    Locks: the order.
    Raises: OrderNotFound, OrderWrongState, OrderUnfit, CodesChosen.
    """
    row = lock_order(work, order_id, DRAFT)
    if row.codes and draft.channel in NAMED:
        raise CodesChosen(count=row.codes)
    check_draft(work, draft, get_contract(work), channels=(CODE,) if row.codes else NAMED)
    for name, value in _values(draft).items():
        setattr(row, name, value)
    row.changed_at = work.at


def discard_order(work: Work, order_id: UUID) -> None:
    """Throw a draft away, with its recipients.

    Locks: the order.
    Raises: OrderNotFound, OrderWrongState.
    """
    row = lock_order(work, order_id, DRAFT)
    for table in (LineRow, FileRow):
        work.session.execute(
            sa.delete(table).where(table.tenant_id == work.tenant_id, table.order_id == order_id)
        )
    work.session.execute(
        sa.delete(OrderRow).where(OrderRow.tenant_id == work.tenant_id, OrderRow.id == order_id)
    )
    audit.record(
        work,
        action="gift_order.discarded",
        subject=f"gift_order:{order_id}",
        details={"number": row.number},
    )


def lock_order(work: Work, order_id: UUID, *states: str) -> OrderRow:
    """Return an order in one of these states, which nobody else changes until ``work`` ends.

    Raises: OrderNotFound, OrderWrongState.
    """
    row = work.session.execute(
        sa.select(OrderRow)
        .where(OrderRow.tenant_id == work.tenant_id, OrderRow.id == order_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).scalar_one_or_none()
    if row is None:
        raise OrderNotFound
    if states and row.state not in states:
        raise OrderWrongState(state=row.state)
    return row


def check_draft(
    work: Work, draft: OrderDraft, agreed: Contract, *, channels: Collection[str] = NAMED
) -> None:
    """Refuse what no order may say; what is missing yet is no fault.

    Raises: OrderUnfit, which names the field; ProgrammeNotFound.
    """
    check_texts(draft)
    check_balance(work, draft, agreed)
    if draft.channel not in channels:
        raise OrderUnfit(field="channel")
    if draft.locale not in LOCALES:
        raise OrderUnfit(field="locale")
    if draft.claim_by is not None:
        today = local_date(work.at, get_tenant(work.tenant_id).zone)
        last = today + timedelta(days=agreed.claim_days_max)
        if not today < draft.claim_by <= last:
            raise OrderUnfit(field="claim_by", last=last.isoformat())
    latest = work.at + timedelta(days=agreed.claim_days_max)
    if draft.send_at is not None and not work.at - timedelta(days=1) <= draft.send_at <= latest:
        raise OrderUnfit(field="send_at")


def check_texts(said: OrderDraft | OrderRow) -> None:
    """Refuse texts that no letter could carry: once money is held, every letter can be written.

    Raises: OrderUnfit, which names the field.
    """
    for name, kind, most in _TEXTS:
        text = getattr(said, name)
        if text.strip() and not (len(text) <= most and messaging.fits(kind, text)):
            raise OrderUnfit(field=name, most=most)


_TEXTS = (
    ("title", "text", TITLE_LENGTH_MAX),
    ("sender_name", "text", SENDER_LENGTH_MAX),
    ("message", "long", MESSAGE_LENGTH_MAX),
)
"""What is said, as which kind of value of a letter."""


def check_balance(work: Work, draft: OrderDraft, agreed: Contract) -> None:
    """Refuse an amount that no gift can be, and a programme that takes no gifts.

    Raises: OrderUnfit, ProgrammeNotFound.
    """
    if draft.kind not in KINDS:
        raise OrderUnfit(field="kind")
    if draft.kind == COURSE and (draft.amount_minor, draft.programme_id) != (None, None):
        raise OrderUnfit(field="kind")
    if draft.amount_minor is not None and not 1 <= draft.amount_minor <= AMOUNT_MINOR_MAX:
        raise OrderUnfit(field="amount_minor", most=AMOUNT_MINOR_MAX)
    if draft.programme_id is not None:
        programme = programmes.get_programme(work, draft.programme_id)
        if not programme.gifts or programme.unit != agreed.unit:
            raise OrderUnfit(field="programme_id")


def _values(draft: OrderDraft) -> dict[str, object]:
    return {each.name: getattr(draft, each.name) for each in fields(draft)}
