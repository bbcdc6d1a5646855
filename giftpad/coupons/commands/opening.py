"""Opening a batch: its serials, its locators, its key, its terms and its parts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from giftpad import payments
from giftpad.coupons.adapters.press import print_shop, wrap_key
from giftpad.coupons.models import CouponBatch, CouponChunk, CouponSerials, CouponVolume
from giftpad.coupons.rules import CHUNK_COUNT_MAX, DONE, DUE, VOLUME_COUNT_MAX, split
from giftpad.kernel.clock import end_of, start_of
from giftpad.kernel.codes import build_typed
from giftpad.kernel.ids import new_id
from giftpad.kernel.seal import new_key
from giftpad.kernel.work import Work
from giftpad.tenancy import current_ring_key, find_ring_key, get_tenant


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A batch as it shall be; ``is_issued`` if its value is booked beside, once it is open.

    What is paperless has no volumes: nothing of it is ever printed.
    """

    programme_id: UUID
    prefix: str
    quantity: int
    face_value_minor: int
    unit: str
    template: str
    face: dict[str, str]
    issued_on: date
    starts_on: date
    ends_on: date
    state: str
    is_issued: bool = False
    is_paperless: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """What opening a batch took and made."""

    batch_id: UUID
    serial_first: int
    locator_first: int
    terms_id: UUID
    kid: int
    batch_key: bytes


def open_batch(work: Work, plan: Plan) -> Opened:
    """Take serials and locators, make the key, the terms and the parts, and write them down.

    Locks: the programme's counter of serials, then the tenant's counter of locators.
    """
    batch_id, terms_id, key = new_id(), new_id(), new_key()
    tenant = get_tenant(work.tenant_id)
    opened = Opened(
        batch_id=batch_id,
        serial_first=_take_serials(work, plan),
        locator_first=payments.take_locators(work, plan.quantity),
        terms_id=terms_id,
        kid=current_ring_key(work.tenant_id).kid,
        batch_key=key,
    )
    ends_at = end_of(plan.ends_on, tenant.zone)
    payments.open_terms(
        work,
        payments.Terms(
            id=terms_id,
            programme_id=plan.programme_id,
            starts_at=start_of(plan.starts_on, tenant.zone),
            ends_at=ends_at,
        ),
    )
    work.session.execute(
        insert(CouponBatch).values(
            tenant_id=work.tenant_id,
            id=batch_id,
            programme_id=plan.programme_id,
            prefix=plan.prefix,
            serial_first=opened.serial_first,
            locator_first=opened.locator_first,
            quantity=plan.quantity,
            face_value_minor=plan.face_value_minor,
            unit=plan.unit,
            is_paperless=plan.is_paperless,
            template=plan.template,
            face=plan.face,
            state=plan.state,
            terms_id=terms_id,
            issued_on=plan.issued_on,
            starts_on=plan.starts_on,
            ends_on=plan.ends_on,
            ends_at=ends_at,
            batch_key=wrap_key(work.tenant_id, batch_id, key),
            kid=opened.kid,
            address=print_shop().address,
            ordered_by=work.scope.actor.id,
            created_at=work.at,
        )
    )
    _write_parts(work, plan, opened)
    return opened


def code_hash(tenant_id: UUID, opened: Opened) -> bytes:
    """Return what is kept of the typed code of the first coupon of a batch that was opened now."""
    ring_key = find_ring_key(tenant_id, opened.kid)
    assert ring_key is not None
    symbols = build_typed(opened.batch_key, opened.locator_first)
    return payments.hash_typed(payments.pepper(ring_key.key), tenant_id, symbols)


def _take_serials(work: Work, plan: Plan) -> int:
    taken = (
        insert(CouponSerials)
        .values(
            tenant_id=work.tenant_id,
            programme_id=plan.programme_id,
            next_serial=1 + plan.quantity,
        )
        .on_conflict_do_update(
            index_elements=["tenant_id", "programme_id"],
            set_={"next_serial": CouponSerials.next_serial + plan.quantity},
        )
        .returning(CouponSerials.next_serial)
    )
    return work.session.execute(taken).scalar_one() - plan.quantity


def _write_parts(work: Work, plan: Plan, opened: Opened) -> None:
    for table, part_max, state in (
        (CouponChunk, CHUNK_COUNT_MAX, DONE if plan.is_issued else DUE),
        (CouponVolume, VOLUME_COUNT_MAX, DUE),
    ):
        if plan.is_paperless and table is CouponVolume:
            continue
        work.session.execute(
            sa.insert(table),
            [
                {
                    "tenant_id": work.tenant_id,
                    "id": new_id(),
                    "batch_id": opened.batch_id,
                    "number": part.number,
                    "serial_first": part.serial_first,
                    "quantity": part.quantity,
                    "state": state,
                }
                for part in split(opened.serial_first, plan.quantity, part_max)
            ],
        )
