"""Replacing one lost coupon: a new alias on the same account, the old one dead."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from giftpad import audit, events, payments
from giftpad.coupons.adapters.press import try_face
from giftpad.coupons.commands.opening import Opened, Plan, code_hash, open_batch
from giftpad.coupons.errors import CouponAlreadyReplaced, CouponWrongState
from giftpad.coupons.events import CouponReplaced, VolumeDue
from giftpad.coupons.models import CouponReplacement, CouponVolume
from giftpad.coupons.models.finding import (
    Found,
    find_next_due,
    find_successor,
    require_batch,
    require_coupon,
)
from giftpad.coupons.models.instruments import require_instrument
from giftpad.coupons.rules import (
    ACTIVE,
    BLOCKED,
    ISSUED,
    PRINTING,
    REPLACED,
    REPLACEMENT_TEMPLATE,
    format_serial,
    state_of_coupon,
)
from giftpad.kernel.work import Work


def replace(work: Work, serial: str, *, reason: str) -> UUID:
    """Replace a lost coupon and return the batch of one that prints its successor.

    The old coupon is dead when this commits.  The value stays on its account and keeps its issue
    and expiry dates; the successor can be spent at once if the old one could have been released.
    Locks: the programme's serials, the tenant's locators, then the account.
    Raises: CouponNotFound, CouponWrongState, CouponAlreadyReplaced; as ``printing.render``.
    Publishes: coupon.replaced_v1, coupon_volume.due_v1.
    """
    found = require_coupon(work, serial)
    instrument = require_instrument(work, found)
    _check(work, found, instrument)
    batch = found.batch
    try_face(work.tenant_id, REPLACEMENT_TEMPLATE, batch.face, prefix=batch.prefix)
    opened = open_batch(
        work,
        Plan(
            programme_id=batch.programme_id,
            prefix=batch.prefix,
            quantity=1,
            face_value_minor=batch.face_value_minor,
            unit=batch.unit,
            template=REPLACEMENT_TEMPLATE,
            face=batch.face,
            issued_on=batch.issued_on,
            starts_on=batch.starts_on,
            ends_on=batch.ends_on,
            state=PRINTING,
            is_issued=True,
        ),
    )
    _link(work, found, opened, reason=reason, balance_minor=instrument.balance_minor)
    payments.replace_instrument(work, found.locator, _alias(work, opened))
    if instrument.released_at is not None:
        payments.release_terms(work, opened.terms_id)
        require_batch(work, opened.batch_id, lock=True).released_at = work.at
    _tell(work, found, opened, reason=reason)
    return opened.batch_id


def _check(work: Work, found: Found, instrument: payments.InstrumentView) -> None:
    state = state_of_coupon(
        instrument.state,
        released_at=instrument.released_at,
        ends_at=instrument.ends_at,
        now=work.at,
    )
    if state == REPLACED:
        _refuse_replaced(work, found)
    if state not in (ISSUED, ACTIVE, BLOCKED):
        raise CouponWrongState(serial=found.serial, state=state)


def _refuse_replaced(work: Work, found: Found) -> None:
    successor = find_successor(work, found)
    assert successor is not None
    raise CouponAlreadyReplaced(serial=found.serial, replaced_by=successor[0])


def _alias(work: Work, opened: Opened) -> payments.Alias:
    return payments.Alias(
        locator=opened.locator_first,
        code_hash=code_hash(work.tenant_id, opened),
        terms_id=opened.terms_id,
    )


def _link(work: Work, found: Found, opened: Opened, *, reason: str, balance_minor: int) -> None:
    actor = work.scope.actor
    linked = work.session.execute(
        insert(CouponReplacement)
        .values(
            tenant_id=work.tenant_id,
            old_batch_id=found.batch.id,
            old_serial=found.number,
            new_batch_id=opened.batch_id,
            new_serial=opened.serial_first,
            balance_minor=balance_minor,
            reason=reason,
            actor=f"{actor.kind}:{actor.id}",
            at=work.at,
        )
        .on_conflict_do_nothing()
        .returning(CouponReplacement.new_serial)
    ).first()
    if linked is None:
        _refuse_replaced(work, found)


def _tell(work: Work, found: Found, opened: Opened, *, reason: str) -> None:
    volume_id = find_next_due(work, CouponVolume, opened.batch_id)
    assert volume_id is not None
    events.publish(work, VolumeDue(object_id=volume_id, batch_id=opened.batch_id))
    events.publish(
        work,
        CouponReplaced(
            object_id=found.batch.id,
            serial=found.number,
            new_batch_id=opened.batch_id,
            new_serial=opened.serial_first,
        ),
    )
    audit.record(
        work,
        action="coupon.replaced",
        subject=f"coupon:{found.serial}",
        details={
            "by": format_serial(found.batch.prefix, opened.serial_first),
            "reason": reason,
        },
    )
