"""The peer of B3: the same coupons drawn with reportlab as its manual says, and nothing else.

    python -m bench.paper_peer --list sample.csv --out peer.pdf [--widget QrCode]

The same paper, the same art from the same layout file, the same typefaces, the same texts.  The
art is defined once as a form and placed for each coupon, since reportlab can do that; serial and
typed code are strings, the QR is reportlab's ``QrCodeWidget`` with the same square and the same
error correction.  Drawing is timed after a first page, so that typefaces are loaded.  Prints JSON.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import math
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from reportlab.graphics import renderPDF
from reportlab.graphics.barcode.qr import QrCode, QrCodeWidget
from reportlab.graphics.shapes import Drawing
from reportlab.lib.colors import HexColor, white
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Paragraph

TEMPLATES = Path(__file__).resolve().parents[1] / "print_templates"
FACES = TEMPLATES / "node_modules/@expo-google-fonts/biz-udpgothic"
FONTS = {
    "regular": ("Gothic", "400Regular/BIZUDPGothic_400Regular.ttf"),
    "bold": ("GothicBold", "700Bold/BIZUDPGothic_700Bold.ttf"),
}
INKS = {"shu": "#c2441f", "kin": "#b7791f", "paper": "#ffffff", "ink": "#000000"}
OWN = ("serial", "typed_code", "qr")
QUIET = 4
WAVE_STEPS, ROSETTE_STEPS = 4, 5
ROSETTE_RINGS = ((0.86, 0.13), (0.58, 0.15), (0.29, 0.14))
Point = tuple[float, float]
Element = dict[str, Any]


class Coupons:
    """A file of coupons on one template."""

    def __init__(self, template: str, *, widget: str, out: Any) -> None:
        folder = TEMPLATES / template
        self.layout = json.loads((folder / "layout.json").read_text("utf-8"))
        self.common = json.loads((folder / "sample.json").read_text("utf-8"))["common"]
        self.widget = widget
        page = self.layout["page"]
        self.height = page["height"]
        self.canvas = Canvas(out, pagesize=(page["width"] * mm, self.height * mm))
        self.canvas.setPageCompression(1)
        self.own = {name: self._element(name) for name in OWN}
        self._define_art()

    def draw(self, items: Sequence[dict[str, str]]) -> None:
        """Draw the coupons in order, as many on a page as fit, and write the file."""
        grid = self.layout["grid"]
        per_page = grid["columns"] * grid["rows"]
        for number, item in enumerate(items):
            row, column = divmod(number % per_page, grid["columns"])
            left = grid["left"] + column * (grid["width"] + grid["gap_x"])
            top = grid["top"] + row * (grid["height"] + grid["gap_y"])
            self.canvas.saveState()
            self.canvas.translate(left * mm, (self.height - top) * mm)
            self.canvas.doForm("art")
            self._draw_text(self.own["serial"], "No. " + item["serial"])
            self._draw_text(self.own["typed_code"], item["typed_code"])
            self._draw_code(self.own["qr"], item["qr"])
            self.canvas.restoreState()
            if number % per_page == per_page - 1:
                self.canvas.showPage()
        self.canvas.save()

    def _element(self, field: str) -> Element:
        return next(
            element
            for element in self.layout["elements"]
            if element.get("field") == field or f"{{{field}}}" in element.get("text", "")
        )

    def _draw_code(self, element: Element, text: str) -> None:
        side, (left, bottom, _, _) = element["width"] * mm, _box(element)
        if self.widget == "QrCode":
            code = QrCode(text, qrLevel="M", width=side, height=side, qrBorder=QUIET)
            code.drawOn(self.canvas, left, bottom)
            return
        widget = QrCodeWidget(text, barLevel="M", barWidth=side, barHeight=side, barBorder=QUIET)
        drawing = Drawing(side, side)
        drawing.add(widget)
        renderPDF.draw(drawing, self.canvas, left, bottom)

    def _draw_text(self, element: Element, text: str) -> None:
        font = FONTS[element.get("weight", "regular")][0]
        left, bottom, width, height = _box(element)
        size, spacing = element["size"], element.get("spacing", 0)
        colour = self._colour(element.get("colour", "ink"))
        if pdfmetrics.stringWidth(text, font, size) > width and element.get("lines", 1) > 1:
            leading = size * element.get("leading", 1.4)
            style = ParagraphStyle(
                "", fontName=font, fontSize=size, leading=leading, textColor=colour, wordWrap="CJK"
            )
            paragraph = Paragraph(text, style)
            _, used = paragraph.wrapOn(self.canvas, width, height)
            paragraph.drawOn(self.canvas, left, bottom + height - used)
            return
        while pdfmetrics.stringWidth(text, font, size) > width:
            size -= 0.25
        self.canvas.setFont(font, size)
        self.canvas.setFillColor(colour)
        y = bottom + (height - size) / 2 + size * 0.12
        if element.get("align") == "right":
            self.canvas.drawRightString(left + width, y, text, charSpace=spacing)
        elif element.get("align") == "center":
            self.canvas.drawCentredString(left + width / 2, y, text, charSpace=spacing)
        else:
            self.canvas.drawString(left, y, text, charSpace=spacing)

    def _define_art(self) -> None:
        grid = self.layout["grid"]
        self.canvas.beginForm("art", 0, -grid["height"] * mm, grid["width"] * mm, 0)
        for element in self.layout["elements"]:
            if element not in self.own.values():
                self._draw_static(element)
        self.canvas.setFillColor(white)
        self.canvas.rect(*_box(self.own["qr"]), stroke=0, fill=1)
        self.canvas.endForm()

    def _draw_static(self, element: Element) -> None:
        canvas, (left, bottom, width, height) = self.canvas, _box(element)
        if element["type"] == "text":
            text = element["text"]
            for name, value in self.common.items():
                text = text.replace(f"{{{name}}}", value)
            self._draw_text(element, text)
            return
        canvas.saveState()
        canvas.setLineWidth(element.get("thickness", 0.5))
        for name, setter in (("fill", canvas.setFillColor), ("stroke", canvas.setStrokeColor)):
            if element.get(name):
                setter(self._colour(element[name]))
        if element["type"] == "box":
            radius = element.get("radius", 0) * mm
            marks = {"stroke": int("stroke" in element), "fill": int("fill" in element)}
            canvas.roundRect(left, bottom, width, height, radius, **marks)
        elif element["type"] == "line":
            canvas.setStrokeColor(self._colour(element["colour"]))
            canvas.line(left, bottom + height, left + width, bottom)
        elif element["type"] == "pattern":
            self._draw_pattern(element)
        canvas.restoreState()

    def _draw_pattern(self, element: Element) -> None:
        self.canvas.setStrokeColor(self._colour(element["colour"]))
        path = self.canvas.beginPath()
        for points in _waves(element) if element["figure"] == "waves" else _rosette(element):
            x, y = next(points)
            path.moveTo(x * mm, -y * mm)
            for x, y in points:
                path.lineTo(x * mm, -y * mm)
        self.canvas.drawPath(path)

    def _colour(self, name: str) -> Any:
        name, _, percent = name.partition("/")
        ink = HexColor(self.common["accent"] if name == "accent" else INKS.get(name, name))
        share = int(percent or 100) / 100
        return type(ink)(*(1 - share * (1 - part) for part in ink.rgb()))


def _box(element: Element) -> tuple[float, float, float, float]:
    """Return left, bottom, width and height in points, from the cell's top left."""
    bottom = -(element["top"] + element["height"])
    return element["left"] * mm, bottom * mm, element["width"] * mm, element["height"] * mm


def _waves(element: Element) -> Iterator[Iterator[Point]]:
    lying = element["width"] >= element["height"]
    length, depth = sorted((element["width"], element["height"]), reverse=True)
    steps = round(element["turns"]) * WAVE_STEPS * 2
    for strand in range(element["strands"]):
        shift = strand / element["strands"]

        def points(shift: float = shift) -> Iterator[Point]:
            for step in range(steps + 1):
                turn = element["turns"] * step / steps + shift
                along, across = length * step / steps, depth / 2 * (1 + math.sin(math.tau * turn))
                x, y = (along, across) if lying else (across, along)
                yield element["left"] + x, element["top"] + y

        yield points()


def _rosette(element: Element) -> Iterator[Iterator[Point]]:
    steps = round(element["turns"]) * ROSETTE_STEPS * 2
    for ring, swing in ROSETTE_RINGS:
        for strand in range(element["strands"]):

            def points(
                ring: float = ring, swing: float = swing, strand: int = strand
            ) -> Iterator[Point]:
                for step in range(steps + 1):
                    angle = math.tau * step / steps
                    phase = math.tau * strand / element["strands"]
                    reach = ring + swing * math.cos(element["turns"] * angle + phase)
                    x = element["width"] / 2 * (1 + reach * math.cos(angle))
                    y = element["height"] / 2 * (1 + reach * math.sin(angle))
                    yield element["left"] + x, element["top"] + y

            yield points()


def main() -> None:
    """Draw the coupons of a list and print how long it took."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--list", type=Path, required=True)
    parser.add_argument("--count", type=int, default=400)
    parser.add_argument("--template", default="coupon_a4_8up")
    parser.add_argument("--widget", choices=["QrCodeWidget", "QrCode"], default="QrCodeWidget")
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()
    with asked.list.open(encoding="utf-8", newline="") as file:
        items = [item for item, _ in zip(csv.DictReader(file), range(asked.count), strict=False)]
    for name, path in FONTS.values():
        pdfmetrics.registerFont(TTFont(name, str(FACES / path)))
    Coupons(asked.template, widget=asked.widget, out=io.BytesIO()).draw(items[:8])
    out = io.BytesIO()
    began, cpu_began = time.perf_counter(), time.process_time()
    Coupons(asked.template, widget=asked.widget, out=out).draw(items)
    seconds, cpu_s = time.perf_counter() - began, time.process_time() - cpu_began
    asked.out.write_bytes(out.getvalue())
    print(json.dumps({"quantity": len(items), "seconds": seconds, "cpu_s": cpu_s}))  # noqa: T201


if __name__ == "__main__":
    main()
