"""Writing files: coupons as PDF, previews as pictures."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import BinaryIO, Final

from giftpad.printing.adapters import templates
from giftpad.printing.adapters.pictures import covered_png, page_png
from giftpad.printing.adapters.sheet import Sheet
from giftpad.printing.rules.layout import Rendered, RenderOptions, spending_areas

ITEMS_MAX: Final = 10_000
PREVIEW_DPI: Final = 110
PREVIEW_COLOURS: Final = 64


def render(
    template: str,
    common: Mapping[str, str],
    items: Iterable[Mapping[str, str]],
    output: BinaryIO,
    *,
    overrides_dir: Path | None = None,
    options: RenderOptions | None = None,
) -> Rendered:
    """Print one volume of items, in order, as a PDF; equal input gives equal bytes.

    ``items`` is read once and never held.  Nothing is written when an item is refused.
    Raises: UnknownTemplate, BrokenTemplate, MissingField, BadField, MissingGlyph, TextTooLong.
    """
    sheet = Sheet(
        templates.load(template, overrides_dir),
        common,
        output=output,
        options=options or RenderOptions(),
    )
    for values in items:
        assert sheet.item_count < ITEMS_MAX, "a volume holds no more; print several"
        sheet.add(values)
    return sheet.finish()


def read_sample(template: str, *, overrides_dir: Path | None = None) -> templates.Sample:
    """Return the data that a template itself brings along, to show what it looks like.

    Raises: UnknownTemplate, BrokenTemplate.
    """
    return templates.read_sample(templates.find_folder(template, overrides_dir))


def preview(
    template: str,
    data: templates.Sample | None = None,
    *,
    page: int = 1,
    overrides_dir: Path | None = None,
    pictures: Mapping[str, bytes] | None = None,
) -> bytes:
    """Draw a page of specimens as a PNG, with the template's own sample if no data is given.

    Raises: as ``render``.
    """
    sample = data or read_sample(template, overrides_dir=overrides_dir)
    pdf = io.BytesIO()
    render(
        template,
        sample.common,
        sample.items,
        pdf,
        overrides_dir=overrides_dir,
        options=RenderOptions(specimen=True, pictures=pictures or {}),
    )
    return page_png(pdf.getvalue(), page=page, dpi=PREVIEW_DPI, colour_count=PREVIEW_COLOURS)


def draw_covered(
    pdf: bytes, template: str, *, page: int, overrides_dir: Path | None = None
) -> bytes:
    """Draw a page of a finished file as a PNG on which everything that spends is covered.

    Raises: UnknownTemplate, BrokenTemplate.
    """
    found = templates.load(template, overrides_dir)
    return covered_png(
        pdf,
        page=page,
        dpi=PREVIEW_DPI,
        colour_count=PREVIEW_COLOURS,
        areas=spending_areas(found.head, found.layout),
    )


def write_previews() -> list[Path]:
    """Draw ``preview.png`` of every template of the house anew."""
    written = []
    for name in templates.template_names():
        path = templates.TEMPLATES_DIR / name / templates.PREVIEW_FILE
        path.write_bytes(preview(name))
        written.append(path)
    return written
