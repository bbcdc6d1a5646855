"""One PDF file of equal cells, written page by page.

What all items share is drawn once, as a Form XObject per face; a page then costs its items'
own texts and QR codes only.

Hides: reportlab, page boxes, crop marks, the specimen overlay.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any, BinaryIO, Final

from qrcode.exceptions import DataOverflowError
from reportlab import rl_config
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfdoc, pdfmetrics
from reportlab.pdfgen.canvas import Canvas

from giftpad.printing.adapters import painting
from giftpad.printing.adapters.fonts import base_font, runs
from giftpad.printing.adapters.setting import set_text
from giftpad.printing.adapters.stamping import LineStamp, QrStamp
from giftpad.printing.adapters.templates import Template
from giftpad.printing.errors import BadField, BrokenTemplate, MissingField, TextTooLong
from giftpad.printing.rules import colours, layout
from giftpad.printing.rules.lines import settled
from giftpad.printing.rules.matrix import MODULE_MM_MIN, qr_matrix

# Streams are compressed; writing them as ASCII on top would only make the file a quarter longer.
rl_config.useA85 = 0

SPECIMEN_WORDS: Final = "見本 SPECIMEN"
SPECIMEN_CODE: Final = "SPECIMEN "
_FACE_FORM: Final = "face"
_MARKS_FORM: Final = "marks"
_PAGE_FORM: Final = "page"
_SPECIMEN_FORM: Final = "specimen"
_MARK_THICKNESS_PT: Final = 0.25


class _Information(pdfdoc.PDFInfo):
    """What a reader shows of the file: no date, for the same data make the same file any day."""

    def format(self, document: Any) -> bytes:
        texts = {
            "Title": self.title,
            "Author": self.author,
            "Subject": self.subject,
            "Creator": self.creator,
            "Producer": self.producer,
        }
        shown = {name: pdfdoc.PDFString(text) for name, text in texts.items()}
        written: bytes = pdfdoc.PDFDictionary(shown).format(document)
        return written


class Sheet:
    """A file being written; ``add`` items in order, then ``finish``."""

    def __init__(
        self,
        template: Template,
        common: Mapping[str, str],
        *,
        output: BinaryIO,
        options: layout.RenderOptions,
    ) -> None:
        if options.bleed and not template.head.bleed_mm:
            raise BrokenTemplate(template=template.name, problem="Its art has no bleed.")
        self.item_count = 0
        self.page_count = 0
        self._template = template
        self._options = options
        self._cells = layout.cells(template.layout)
        self._page = template.layout.page
        self._origins = [
            f"1 0 0 1 {cell.left * mm:.4f} {(self._page.height - cell.top) * mm:.4f} cm"
            for cell in self._cells
        ]
        self._bleed_mm = template.head.bleed_mm if options.bleed else 0.0
        marks = options.crop_marks
        self._has_marks = template.head.crop_marks if marks is None else marks
        self._fields: dict[layout.Scope, list[tuple[str, layout.Field]]] = {
            "common": [],
            "item": [],
        }
        for name, field in template.head.fields.items():
            self._fields[field.scope].append((name, field))
        self._common = self._checked(common, "common", item=0)
        self._accent = self._accent_of(self._common)
        self._canvas = Canvas(
            output,
            pagesize=(self._page.width * mm, self._page.height * mm),
            pageCompression=1,
            invariant=1,
            initialFontName=base_font(),  # type: ignore[arg-type]  # the stub says float
            lang=template.head.language,
        )
        self._canvas._doc.info = _Information()  # type: ignore[attr-defined] # noqa: SLF001 - no other way
        self._canvas.setCreator("Giftpad")
        self._canvas.setProducer("Giftpad")
        self._canvas.setAuthor(self._common.get("issuer_name") or "Giftpad")
        self._canvas.setTitle(self._common.get("programme_name") or template.head.title)
        self._canvas.setSubject(template.head.title)
        self._set_boxes()
        self._static, own = self._divided()
        self._own = [(element, self._stamp_of(element)) for element in own]
        self._define_forms()
        self._page_items: list[str] = []

    def add(self, values: Mapping[str, str]) -> None:
        """Draw the next item into the next free cell.

        Raises: MissingField, MissingGlyph, TextTooLong.
        """
        cell = self._cells[len(self._page_items)]
        self.item_count += 1
        known = self._common | self._checked(values, "item", item=self.item_count)
        drawn = [self._operators(element, stamp, known) for element, stamp in self._own]
        self._page_items.append(f"q {self._origins[cell.number - 1]} {' '.join(drawn)} Q")
        if len(self._page_items) == len(self._cells):
            self._end_page()

    def finish(self) -> layout.Rendered:
        """Close the last page and write the file."""
        if self._page_items:
            self._end_page()
        self._canvas.save()
        return layout.Rendered(page_count=self.page_count, item_count=self.item_count)

    def _end_page(self) -> None:
        """Write a page: what all items share, the items, what lies above them."""
        self.page_count += 1
        count = len(self._page_items)
        if count == len(self._cells):
            self._canvas.doForm(_PAGE_FORM)
        else:
            self._paint_under(count)
        self._canvas.addLiteral("\n".join(self._page_items))
        if self._options.specimen:
            self._in_cells(_SPECIMEN_FORM, count)
        self._canvas.showPage()
        self._page_items.clear()

    def _paint_under(self, count: int) -> None:
        if self._has_marks:
            self._canvas.doForm(_MARKS_FORM)
        self._in_cells(_FACE_FORM, count)

    def _in_cells(self, form: str, count: int) -> None:
        for origin in self._origins[:count]:
            self._canvas.saveState()
            self._canvas.addLiteral(origin)
            self._canvas.doForm(form)
            self._canvas.restoreState()

    def _checked(
        self, values: Mapping[str, str], scope: layout.Scope, *, item: int
    ) -> dict[str, str]:
        """Keep the declared fields of this scope, settled; refuse when a required one is empty."""
        kept = {}
        for name, field in self._fields[scope]:
            text = settled(values.get(name, ""))
            if field.required and not text:
                raise MissingField(template=self._template.name, field=name, item=item)
            kept[name] = specimen_value(field, text) if self._options.specimen else text
        return kept

    def _accent_of(self, common: Mapping[str, str]) -> str:
        for name, field in self._template.head.fields.items():
            if field.kind == "colour" and common.get(name):
                if not colours.is_hex(common[name]):
                    raise BadField(template=self._template.name, field=name)
                return common[name]
        return colours.ACCENT_DEFAULT

    def _divided(
        self,
    ) -> tuple[list[layout.Element], list[layout.TextElement | layout.QrElement]]:
        """Divide the elements into those that all items share and those that differ."""
        static: list[layout.Element] = []
        own: list[layout.TextElement | layout.QrElement] = []
        for element in self._template.layout.elements:
            names = layout.fields_of(element)
            differs = any(self._template.head.fields[name].scope == "item" for name in names)
            if not (differs and isinstance(element, layout.TextElement)):
                static.append(element)
            if isinstance(element, layout.QrElement) or (
                differs and isinstance(element, layout.TextElement)
            ):
                own.append(element)
        return static, own

    def _define_forms(self) -> None:
        canvas = self._canvas
        self._begin_cell_form(_FACE_FORM, bleed_mm=self._bleed_mm)
        for element in self._static:
            if isinstance(element, layout.TextElement):
                canvas.addLiteral(self._text_operators(element, self._common))
            else:
                painting.paint_static(
                    canvas,
                    element,
                    accent=self._accent,
                    folder=self._template.folder,
                    pictures=self._options.pictures,
                )
        canvas.endForm()
        if self._has_marks:
            canvas.beginForm(_MARKS_FORM)
            self._paint_marks()
            canvas.endForm()
        canvas.beginForm(_PAGE_FORM, 0, 0, self._page.width * mm, self._page.height * mm)
        self._paint_under(len(self._cells))
        canvas.endForm()
        if self._options.specimen:
            self._begin_cell_form(_SPECIMEN_FORM, bleed_mm=0)
            self._paint_specimen()
            canvas.endForm()

    def _begin_cell_form(self, name: str, *, bleed_mm: float) -> None:
        """Begin a form that clips at the trim, or so much outside of it."""
        grid = self._template.layout.grid
        edges = (-bleed_mm, -grid.height - bleed_mm, grid.width + bleed_mm, bleed_mm)
        left, bottom, right, top = (edge * mm for edge in edges)
        self._canvas.beginForm(name, left, bottom, right, top)  # type: ignore[arg-type]  # no ints

    def _stamp_of(
        self, element: layout.TextElement | layout.QrElement
    ) -> LineStamp | QrStamp | None:
        if isinstance(element, layout.TextElement):
            return LineStamp(self._canvas, element, accent=self._accent)
        return None if self._options.qr_as_path else QrStamp(element)

    def _operators(
        self,
        element: layout.TextElement | layout.QrElement,
        stamp: LineStamp | QrStamp | None,
        values: Mapping[str, str],
    ) -> str:
        """Write one element of an item: by its stamp if that can do it."""
        if isinstance(element, layout.TextElement):
            stamped = stamp.write(values) if isinstance(stamp, LineStamp) else None
            return stamped or self._text_operators(element, values)
        return self._qr_operators(element, stamp if isinstance(stamp, QrStamp) else None, values)

    def _text_operators(self, element: layout.TextElement, values: Mapping[str, str]) -> str:
        text = layout.filled(element.text, values)
        if not text:
            return ""
        lines = set_text(element, text)
        if lines is None:
            raise TextTooLong(
                template=self._template.name,
                field=", ".join(layout.fields_of(element)) or element.text,
                item=self.item_count,
            )
        colour = colours.resolve(element.colour, self._accent)
        return painting.text_operators(self._canvas, lines, colour=colour, spacing=element.spacing)

    def _qr_operators(
        self, element: layout.QrElement, stamp: QrStamp | None, values: Mapping[str, str]
    ) -> str:
        if not values[element.field]:
            return ""
        too_long = TextTooLong(
            template=self._template.name, field=element.field, item=self.item_count
        )
        try:
            matrix = qr_matrix(values[element.field])
        except DataOverflowError as fault:
            raise too_long from fault
        if painting.module_mm(element, matrix) < MODULE_MM_MIN:
            raise too_long
        if stamp is not None:
            return stamp.write(matrix)
        return painting.qr_operators(element, matrix, as_path=self._options.qr_as_path)

    def _set_boxes(self) -> None:
        """Tell the print shop where it is cut: a single item's trim and bleed, else the sheet."""
        page, bleed = self._page, self._bleed_mm
        left, bottom, right, top = 0.0, 0.0, page.width, page.height
        if len(self._cells) == 1:
            cell = self._cells[0]
            left, top = cell.left, page.height - cell.top
            right, bottom = left + cell.width, top - cell.height
        else:
            bleed = 0.0
        self._canvas.setTrimBox(tuple(edge * mm for edge in (left, bottom, right, top)))
        self._canvas.setBleedBox(
            tuple(edge * mm for edge in (left - bleed, bottom - bleed, right + bleed, top + bleed))
        )

    def _paint_marks(self) -> None:
        """Draw a mark at both ends of every cut, outside bleed and gutters."""
        across, down = layout.cut_positions(self._template.layout)
        near, far = layout.MARK_OFFSET_MM, layout.MARK_OFFSET_MM + layout.MARK_LENGTH_MM
        height = self._page.height
        canvas = self._canvas
        canvas.setStrokeGray(0)
        canvas.setLineWidth(_MARK_THICKNESS_PT)
        for x in across:
            for start, end in ((down[0] - near, down[0] - far), (down[-1] + near, down[-1] + far)):
                canvas.line(x * mm, (height - start) * mm, x * mm, (height - end) * mm)
        for y in down:
            for start, end in (
                (across[0] - near, across[0] - far),
                (across[-1] + near, across[-1] + far),
            ):
                canvas.line(start * mm, (height - y) * mm, end * mm, (height - y) * mm)

    def _paint_specimen(self) -> None:
        grid = self._template.layout.grid
        (run,) = runs(SPECIMEN_WORDS, "bold")
        diagonal = math.hypot(grid.width, grid.height) * mm
        size = 0.7 * diagonal / pdfmetrics.stringWidth(run.text, run.font_name, 1)
        canvas = self._canvas
        canvas.translate(grid.width / 2 * mm, -grid.height / 2 * mm)
        canvas.rotate(math.degrees(math.atan2(grid.height, grid.width)))
        canvas.setStrokeColorRGB(*colours.resolve("shu", self._accent))
        canvas.setLineWidth(0.6)
        canvas.setFont(run.font_name, size)
        canvas.drawCentredString(0, -0.38 * size, run.text, mode=1)


def specimen_value(field: layout.Field, text: str) -> str:
    """Replace what spends by something of the same look that does not."""
    if field.kind == "qr":
        return (SPECIMEN_CODE * (len(text) // len(SPECIMEN_CODE) + 1))[: len(text)]
    return re.sub("[^-]", "X", text) if field.kind == "code" else text
