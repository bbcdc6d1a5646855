"""After the print: release, taking the file out, and destroying key and files."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from giftpad import audit, events, payments
from giftpad.coupons.adapters.press import PrintTicket, overrides_of, read_ticket, unwrap_key
from giftpad.coupons.errors import (
    BatchWrongState,
    PageNotFound,
    PrintDestroyed,
    PrintNotReady,
    PrintUnreadable,
    VolumeNotFound,
)
from giftpad.coupons.events import BatchReleased
from giftpad.coupons.events import PrintDestroyed as PrintDestroyedEvent
from giftpad.coupons.models import CouponBatch, CouponVolume
from giftpad.coupons.models.finding import is_claimed, require_batch
from giftpad.coupons.rules import FAILED, READY, RELEASED, format_serial
from giftpad.kernel.work import Work
from giftpad.printing import draw_covered


def release(work: Work, batch_id: UUID) -> None:
    """Make the coupons of a batch spendable, once every one of them was printed and read back.

    Locks: the batch.
    Raises: BatchNotFound, BatchWrongState.
    Publishes: coupon_batch.released_v1.
    """
    batch = require_batch(work, batch_id, lock=True)
    if batch.state != READY:
        raise BatchWrongState(state=batch.state)
    batch.state, batch.released_at = RELEASED, work.at
    payments.release_terms(work, batch.terms_id)
    events.publish(work, BatchReleased(object_id=batch_id, quantity=batch.quantity))
    audit.record(
        work,
        action="coupon_batch.released",
        subject=f"coupon_batch:{batch_id}",
        details={"quantity": batch.quantity, "face_value_minor": batch.face_value_minor},
    )


def _raise_if_destroyed(batch: CouponBatch) -> None:
    if batch.print_destroyed_at is not None:
        raise PrintDestroyed(destroyed_on=batch.print_destroyed_at.date().isoformat())


def open_pdf(work: Work, batch_id: UUID, *, volume: int) -> PrintTicket:
    """Put on record that somebody takes a print file out, and return the right to read it.

    The file may be read only when this has committed.
    Raises: BatchNotFound, VolumeNotFound, PrintDestroyed, PrintNotReady.
    """
    batch, row = _require_ready(work, batch_id, volume)
    ticket = _make_ticket(batch, row)
    audit.record(
        work,
        action="coupon_batch.pdf_downloaded",
        subject=f"coupon_batch:{batch_id}",
        details={"volume": volume, "sha256": ticket.sha256},
    )
    return ticket


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewTicket:
    """The right, already on record, to see one page with all codes covered."""

    print: PrintTicket
    template: str
    page: int


def open_preview(work: Work, batch_id: UUID, *, volume: int, page: int = 1) -> PreviewTicket:
    """Put on record that somebody looks at a page, and return the right to draw it.

    The page may be drawn only when this has committed.
    Raises: BatchNotFound, VolumeNotFound, PageNotFound, PrintDestroyed, PrintNotReady.
    """
    batch, row = _require_ready(work, batch_id, volume)
    assert row.page_count is not None
    if not 1 <= page <= row.page_count:
        raise PageNotFound(volume=volume, page=page, page_count=row.page_count)
    ticket = PreviewTicket(print=_make_ticket(batch, row), template=batch.template, page=page)
    audit.record(
        work,
        action="coupon_batch.page_previewed",
        subject=f"coupon_batch:{batch_id}",
        details={"volume": volume, "page": page},
    )
    return ticket


def preview_page(ticket: PreviewTicket) -> bytes:
    """Draw the page of a ticket as a PNG on which nothing spends; no transaction may be open.

    Raises: PrintUnreadable.
    """
    return draw_covered(
        read_pdf(ticket.print),
        ticket.template,
        page=ticket.page,
        overrides_dir=overrides_of(ticket.print.tenant_id),
    )


def _require_ready(work: Work, batch_id: UUID, volume: int) -> tuple[CouponBatch, CouponVolume]:
    batch = require_batch(work, batch_id)
    row = work.session.execute(
        sa.select(CouponVolume).where(
            CouponVolume.tenant_id == work.tenant_id,
            CouponVolume.batch_id == batch_id,
            CouponVolume.number == volume,
        )
    ).scalar_one_or_none()
    if row is None:
        raise VolumeNotFound(volume=volume)
    _raise_if_destroyed(batch)
    # A batch that failed its check stays in the house whole, its good volumes too.
    if row.state != READY or batch.state not in (READY, RELEASED):
        state = row.state if row.state != READY else batch.state
        raise PrintNotReady(volume=volume, state=state)
    return batch, row


def _make_ticket(batch: CouponBatch, row: CouponVolume) -> PrintTicket:
    assert row.file_id is not None
    assert row.sha256 is not None
    first = format_serial(batch.prefix, row.serial_first)
    last = format_serial(batch.prefix, row.serial_first + row.quantity - 1)
    return PrintTicket(
        tenant_id=batch.tenant_id,
        batch_id=batch.id,
        volume=row.number,
        file_id=row.file_id,
        file_name=f"{first}-{last}.pdf",
        sha256=row.sha256,
        batch_key=unwrap_key(batch),
    )


def read_pdf(ticket: PrintTicket) -> bytes:
    """Open the sealed file of a ticket; no transaction may be open.

    Raises: PrintUnreadable.
    """
    pdf = read_ticket(ticket)
    if pdf is None:
        raise PrintUnreadable(volume=ticket.volume)
    return pdf


def destroy_print(work: Work, batch_id: UUID) -> None:
    """Destroy the key of a batch: its codes and print files can never be read again.

    The files, which are noise from now on, are deleted right after.
    Locks: the batch.
    Raises: BatchNotFound, BatchWrongState, PrintDestroyed.
    Publishes: coupon_batch.print_destroyed_v1.
    """
    batch = require_batch(work, batch_id, lock=True)
    _raise_if_destroyed(batch)
    if batch.state not in (READY, RELEASED, FAILED) or is_claimed(work, batch_id):
        raise BatchWrongState(state=batch.state)
    batch.batch_key, batch.print_destroyed_at = None, work.at
    events.publish(work, PrintDestroyedEvent(object_id=batch_id))
    audit.record(work, action="coupon_batch.print_destroyed", subject=f"coupon_batch:{batch_id}")


def forget_files(work: Work, batch_id: UUID) -> None:
    """Note that the print files of a batch are gone from the file store."""
    work.session.execute(
        sa.update(CouponVolume)
        .where(CouponVolume.tenant_id == work.tenant_id, CouponVolume.batch_id == batch_id)
        .values(file_id=None)
    )
