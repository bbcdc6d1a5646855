"""Making the print file of a volume, checking it, and keeping it sealed.

Hides: where the key of a batch lies, how codes are drawn from it, the file store, the seal.
A file is made, checked and sealed in memory: what spends never reaches a disk in the open.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from giftpad.coupons.models.tables import CouponBatch, CouponVolume
from giftpad.coupons.rules import format_serial
from giftpad.kernel import seal
from giftpad.kernel.codes import TYPED_LENGTH, build_qr, build_typed, group_typed
from giftpad.kernel.config import Settings
from giftpad.kernel.files import FileStore, open_files
from giftpad.payments import qr_key
from giftpad.printing import ExpectedItem, Sample, list_templates, preview, render, verify
from giftpad.tenancy import find_ring_key, get_tenant, kek

FILE_KIND = "coupon_print"
PRINT_LABEL = "giftpad coupon print v1"
PROBLEMS_KEPT_MAX = 20
TENANTS = Path(__file__).resolve().parents[3] / "tenants"
_TRIAL_NUMBER = 9_999_999


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintShop:
    """What this process prints with."""

    files: FileStore
    address: str
    retention: timedelta


class _Bound:
    """The one print shop of this process."""

    shop: PrintShop | None = None


def bind_print_shop(settings: Settings) -> None:
    """Give this process its file store, the address it prints and how long print files live."""
    _Bound.shop = PrintShop(
        files=open_files(settings),
        address=settings.public_address,
        retention=timedelta(days=settings.print_retention_days),
    )


def print_shop() -> PrintShop:
    """Return what this process prints with."""
    assert _Bound.shop is not None, "bind_print_shop has not been called"
    return _Bound.shop


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintTask:
    """One attempt at one volume: all that is needed once no transaction is open.

    ``stale_file_id`` is the file of an attempt that this one supersedes.
    """

    tenant_id: UUID
    batch_id: UUID
    volume_id: UUID
    file_id: UUID
    stale_file_id: UUID | None
    template: str
    face: Mapping[str, str]
    address: str
    kid: int
    prefix: str
    serial_first: int
    locator_first: int
    quantity: int
    batch_key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Printed:
    """A volume on paper-to-be, in the open; it lives no longer than the attempt."""

    page_count: int
    pdf: bytes = field(repr=False)

    @property
    def sha256(self) -> str:
        """The hash of the open file."""
        return hashlib.sha256(self.pdf).hexdigest()


def key_place(tenant_id: UUID, batch_id: UUID) -> str:
    """Name the one place a wrapped batch key opens at."""
    return seal.column_place(tenant_id, "coupon_batches", "batch_key", batch_id)


def wrap_key(tenant_id: UUID, batch_id: UUID, key: bytes) -> bytes:
    """Wrap a batch's key for its row."""
    return seal.wrap(kek(), key, key_place(tenant_id, batch_id))


def unwrap_key(batch: CouponBatch) -> bytes:
    """Unwrap the key of a batch that still has one."""
    assert batch.batch_key is not None
    return seal.unwrap(kek(), batch.batch_key, key_place(batch.tenant_id, batch.id))


def make_task(
    batch: CouponBatch, volume: CouponVolume, *, file_id: UUID, stale_file_id: UUID | None
) -> PrintTask:
    """Take what printing needs out of the rows."""
    return PrintTask(
        tenant_id=batch.tenant_id,
        batch_id=batch.id,
        volume_id=volume.id,
        file_id=file_id,
        stale_file_id=stale_file_id,
        template=batch.template,
        face=batch.face,
        address=batch.address,
        kid=batch.kid,
        prefix=batch.prefix,
        serial_first=volume.serial_first,
        locator_first=batch.locator_first + volume.serial_first - batch.serial_first,
        quantity=volume.quantity,
        batch_key=unwrap_key(batch),
    )


def print_volume(task: PrintTask) -> Printed:
    """Draw a volume.

    Raises: as ``printing.render``.
    """
    output = io.BytesIO()
    rendered = render(
        task.template,
        task.face,
        items=list_items(task),
        output=output,
        overrides_dir=overrides_of(task.tenant_id),
    )
    return Printed(page_count=rendered.page_count, pdf=output.getvalue())


def list_items(task: PrintTask) -> Iterator[dict[str, str]]:
    """Write what stands on each coupon alone."""
    qr_texts = _qr_texts(task)
    for offset in range(task.quantity):
        yield {
            "serial": format_serial(task.prefix, task.serial_first + offset),
            "typed_code": group_typed(build_typed(task.batch_key, task.locator_first + offset)),
            "qr": next(qr_texts),
        }


def _qr_texts(task: PrintTask) -> Iterator[str]:
    ring_key = find_ring_key(task.tenant_id, task.kid)
    assert ring_key is not None
    mac_key, tag = qr_key(ring_key.key), get_tenant(task.tenant_id).tag
    for locator in range(task.locator_first, task.locator_first + task.quantity):
        yield build_qr(task.address, mac_key, task.kid, tag, locator=locator)


def check_volume(task: PrintTask, printed: Printed) -> list[str]:
    """Read every QR, typed code and serial back from the pages; return what is wrong, in words.

    What should be there is worked out anew from the batch, not taken from what was drawn.
    """
    expected = [
        ExpectedItem(
            qr_text=qr_text,
            serial=format_serial(task.prefix, task.serial_first + offset),
            typed_code=group_typed(build_typed(task.batch_key, task.locator_first + offset)),
        )
        for offset, qr_text in enumerate(_qr_texts(task))
    ]
    report = verify(
        io.BytesIO(printed.pdf),
        expected,
        template=task.template,
        overrides_dir=overrides_of(task.tenant_id),
    )
    return [str(problem) for problem in report.problems[:PROBLEMS_KEPT_MAX]]


def keep(task: PrintTask, printed: Printed) -> None:
    """Seal a checked volume and write it to the file store."""
    sealed = seal.seal(
        seal.derive(task.batch_key, PRINT_LABEL),
        printed.pdf,
        file_place(task.tenant_id, task.batch_id, task.file_id),
    )
    print_shop().files.write(task.tenant_id, FILE_KIND, task.file_id, data=sealed)


def throw_away(tenant_id: UUID, file_id: UUID) -> None:
    """Delete a print file, if it is there."""
    print_shop().files.delete(tenant_id, FILE_KIND, file_id)


def file_place(tenant_id: UUID, batch_id: UUID, file_id: UUID) -> str:
    """Name the one place a sealed print file opens at."""
    return f"{tenant_id}:{FILE_KIND}:{batch_id}:{file_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintTicket:
    """The right, already on record, to take one print file out."""

    tenant_id: UUID
    batch_id: UUID
    volume: int
    file_id: UUID
    file_name: str
    sha256: str
    batch_key: bytes = field(repr=False)


def read_ticket(ticket: PrintTicket) -> bytes | None:
    """Open the sealed file of a ticket; None if it is gone or was changed."""
    place = file_place(ticket.tenant_id, ticket.batch_id, ticket.file_id)
    try:
        sealed = print_shop().files.read(ticket.tenant_id, FILE_KIND, ticket.file_id)
        pdf = seal.open_sealed(seal.derive(ticket.batch_key, PRINT_LABEL), sealed, place)
    except (FileNotFoundError, seal.SealBroken):
        return None
    return pdf if hashlib.sha256(pdf).hexdigest() == ticket.sha256 else None


def overrides_of(tenant_id: UUID) -> Path | None:
    """Return the folder of a tenant's own print templates, if it has one."""
    folder = TENANTS / get_tenant(tenant_id).slug / "print"
    return folder if folder.is_dir() else None


def try_face(tenant_id: UUID, template: str, face: Mapping[str, str], *, prefix: str) -> None:
    """Draw one coupon and throw it away, so that a face that cannot be printed is refused at once.

    Raises: as ``printing.render``.
    """
    item = _trial_item(prefix, _TRIAL_NUMBER)
    render(template, face, items=[item], output=io.BytesIO(), overrides_dir=overrides_of(tenant_id))


def _trial_item(prefix: str, number: int) -> dict[str, str]:
    return {
        "serial": format_serial(prefix, number),
        "typed_code": group_typed("0" * TYPED_LENGTH),
        "qr": build_qr(print_shop().address, b"", 0, 0, locator=0),
    }


def draw_specimen(tenant_id: UUID, template: str, face: Mapping[str, str], *, prefix: str) -> bytes:
    """Draw a full page of specimens of a face as a PNG.

    Raises: as ``printing.render``.
    """
    overrides = overrides_of(tenant_id)
    counts = {info.name: info.per_page for info in list_templates(overrides)}
    items = [_trial_item(prefix, number) for number in range(1, counts.get(template, 1) + 1)]
    sample = Sample(common=dict(face), items=items)
    return preview(template, sample, overrides_dir=overrides)
