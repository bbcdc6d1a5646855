"""Coupons that no press ever sees: issued one by one, shown on their holder's screen.

Hides: that each is a batch of one, so that whoever looks one up, pays with it, stops or replaces
it needs to know nothing of screens.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from giftpad import events, ledger, payments
from giftpad.coupons.adapters.press import print_shop
from giftpad.coupons.commands.opening import Plan, code_hash, open_batch
from giftpad.coupons.commands.order import dated_face
from giftpad.coupons.events import BatchReleased, CouponsIssued
from giftpad.coupons.models.finding import require_batch
from giftpad.coupons.rules import RELEASED, REPLACEMENT_TEMPLATE, format_serial
from giftpad.kernel.work import Work
from giftpad.programmes import get_programme
from giftpad.tenancy import get_tenant, remember_address


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperlessOrder:
    """A coupon to issue at once; ``entry_id`` joins its issue with what it was paid by."""

    programme_id: UUID
    amount_minor: int
    issued_on: date
    starts_on: date
    ends_on: date
    entry_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Paperless:
    """A coupon that was issued so."""

    serial: str
    locator: int
    account_id: UUID


def issue_paperless(work: Work, order: PaperlessOrder) -> Paperless:
    """Issue one coupon that is shown and not printed; it can be spent from its first day on.

    Its amount may be any: the programme's face values are those of paper.
    Locks: the programme's serials, the tenant's locators.
    Raises: ProgrammeNotFound.
    Publishes: coupon_range.issued_v1, coupon_batch.released_v1.
    """
    programme, tenant = get_programme(work, order.programme_id), get_tenant(work.tenant_id)
    days = (order.issued_on, order.ends_on)
    opened = open_batch(
        work,
        Plan(
            programme_id=programme.id,
            prefix=programme.serial_prefix,
            quantity=1,
            face_value_minor=order.amount_minor,
            unit=programme.unit,
            template=REPLACEMENT_TEMPLATE,  # for the paper that replaces it when a phone is lost
            face=dated_face(programme, tenant, order.amount_minor, days=days),
            issued_on=order.issued_on,
            starts_on=order.starts_on,
            ends_on=order.ends_on,
            state=RELEASED,
            is_issued=True,
            is_paperless=True,
        ),
    )
    remember_address(print_shop().address)  # what is on a screen is read like what was printed
    source_id = ledger.find_account(work, programme.id, "funding", programme.id)
    assert source_id is not None
    payments.issue_instruments(
        work,
        payments.IssueChunk(
            terms_id=opened.terms_id,
            entry_id=order.entry_id,
            source_id=source_id,
            amount_minor=order.amount_minor,
            locator_first=opened.locator_first,
            count=1,
            code_hashes=[code_hash(work.tenant_id, opened)],
        ),
    )
    payments.release_terms(work, opened.terms_id)
    require_batch(work, opened.batch_id, lock=True).released_at = work.at
    _tell(work, opened.batch_id, order, unit=programme.unit)
    (instrument,) = payments.get_instruments(work, opened.locator_first, opened.locator_first)
    return Paperless(
        serial=format_serial(programme.serial_prefix, opened.serial_first),
        locator=opened.locator_first,
        account_id=instrument.account_id,
    )


def _tell(work: Work, batch_id: UUID, order: PaperlessOrder, *, unit: str) -> None:
    events.publish(
        work,
        CouponsIssued(
            object_id=batch_id,
            programme_id=order.programme_id,
            unit=unit,
            count=1,
            amount_minor=order.amount_minor,
            at=work.at,
        ),
    )
    events.publish(work, BatchReleased(object_id=batch_id, quantity=1))
