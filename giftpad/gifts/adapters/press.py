"""Drawing cards, reading them back, keeping the files sealed.

Hides: the print template, the file store, the place a sealed file opens at.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from pathlib import Path
from uuid import UUID

from giftpad import designs, printing, tenancy
from giftpad.gifts.rules.cards import BLEEDS, TEMPLATES, CardTask, Printed
from giftpad.gifts.rules.contracts import CARD
from giftpad.kernel.config import Settings
from giftpad.kernel.errors import DomainError, Unavailable
from giftpad.kernel.files import FileStore, open_files
from giftpad.kernel.migrate import ROOT
from giftpad.kernel.seal import SealBroken

FILE_KIND = "gift_cards"
ART_WIDTH_PX = 1440
PROBLEMS_KEPT_MAX = 20
TENANTS = ROOT / "tenants"


class _Bound:
    """The file store of this process."""

    files: FileStore | None = None


def bind_press(settings: Settings) -> None:
    """Give this process its file store."""
    _Bound.files = open_files(settings)


def _files() -> FileStore:
    assert _Bound.files is not None, "bind_press has not been called"
    return _Bound.files


def _overrides_of(tenant_id: UUID) -> Path | None:
    folder = TENANTS / tenancy.get_tenant(tenant_id).slug / "print"
    return folder if folder.is_dir() else None


def file_place(tenant_id: UUID, print_id: UUID, file_id: UUID) -> str:
    """Name the one place a sealed file of cards opens at."""
    return f"{tenant_id}:{FILE_KIND}:{print_id}:{file_id}"


def print_cards(task: CardTask) -> Printed:
    """Draw a file of cards, read every code and number back, and keep it sealed if all are right.

    What a template or a typeface refuses comes back as a problem: repeating would not help.
    Raises: Unavailable.
    """
    try:
        page_count, pdf = _draw(task)
    except Unavailable:
        raise
    except DomainError as refusal:
        return Printed(problems=(str(refusal).partition(": ")[2],))
    expected = [printing.ExpectedItem(qr_text=card.qr, serial=card.serial) for card in task.cards]
    report = printing.verify(
        io.BytesIO(pdf),
        expected,
        TEMPLATES[task.kind],
        overrides_dir=_overrides_of(task.tenant_id),
    )
    if report.problems:
        return Printed(problems=tuple(str(each) for each in report.problems[:PROBLEMS_KEPT_MAX]))
    place = file_place(task.tenant_id, task.print_id, task.file_id)
    sealed = tenancy.seal_bytes(task.tenant_id, place, pdf)
    _files().write(task.tenant_id, FILE_KIND, task.file_id, data=sealed)
    return Printed(
        page_count=page_count, size_bytes=len(pdf), sha256=hashlib.sha256(pdf).hexdigest()
    )


def _draw(task: CardTask) -> tuple[int, bytes]:
    output = io.BytesIO()
    rendered = printing.render(
        TEMPLATES[task.kind],
        task.face,
        ({**card.words, "serial": card.serial, "qr": card.qr} for card in task.cards),
        output,
        overrides_dir=_overrides_of(task.tenant_id),
        options=_options(task.kind, task.design),
    )
    return rendered.page_count, output.getvalue()


def _options(kind: str, design: str) -> printing.RenderOptions:
    art = designs.picture_png(design, ART_WIDTH_PX)
    return printing.RenderOptions(bleed=kind in BLEEDS, pictures={"art": art})


def try_face(tenant_id: UUID, kind: str, face: Mapping[str, str]) -> None:
    """Draw one card or letter and throw it away, so that what cannot be printed is refused at once.

    Raises: as ``printing.render``.
    """
    overrides = _overrides_of(tenant_id)
    (item, *_) = printing.read_sample(TEMPLATES[kind], overrides_dir=overrides).items
    printing.render(TEMPLATES[kind], face, [item], io.BytesIO(), overrides_dir=overrides)


def per_page(tenant_id: UUID) -> dict[str, int]:
    """Return how many cards, and how many letters, stand on a sheet."""
    infos = {info.name: info for info in printing.list_templates(_overrides_of(tenant_id))}
    return {kind: infos[name].per_page for kind, name in TEMPLATES.items()}


def draw_specimen(design: str, face: dict[str, str]) -> bytes:
    """Draw cards of a design as a PNG, with invented recipients; nothing on it opens anything."""
    sample = printing.read_sample(TEMPLATES[CARD])
    data = printing.Sample(common=sample.common | face, items=sample.items[:1])
    pictures = {"art": designs.picture_png(design, ART_WIDTH_PX)}
    return printing.preview(TEMPLATES[CARD], data, pictures=pictures)


def read_file(tenant_id: UUID, print_id: UUID, file_id: UUID, *, sha256: str) -> bytes | None:
    """Open a sealed file of cards; None if it is gone or was changed."""
    place = file_place(tenant_id, print_id, file_id)
    try:
        sealed = _files().read(tenant_id, FILE_KIND, file_id)
        pdf = tenancy.open_bytes(tenant_id, place, sealed)
    except (FileNotFoundError, SealBroken):
        return None
    return pdf if hashlib.sha256(pdf).hexdigest() == sha256 else None


def throw_away(tenant_id: UUID, file_id: UUID) -> None:
    """Delete a file of cards, if it is there."""
    _files().delete(tenant_id, FILE_KIND, file_id)
