"""Films for Chromium's fake camera: a printed coupon held before it, as hands hold it.

The pages are rendered from the print file itself; nothing is drawn that a printer would not print.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import pypdfium2
import zxingcpp
from PIL import Image, ImageEnhance, ImageFilter

SIZE = (1280, 720)
RATE = 10
RENDER_SCALE = 300 / 72
DESK = (96, 88, 80)
CODE_SIDE = 300
"""How large a QR stands in the picture, in pixels: a hand's breadth from the lens."""

CAMERA = (
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    "--use-file-for-fake-video-capture={film}",
)


@dataclass(frozen=True, kw_only=True)
class Hand:
    """How a coupon is held: turned, slanted, out of focus, in bad light."""

    turn: float = 0.0
    slant: float = 0.0
    blur: float = 0.0
    light: float = 1.0


STEADY = Hand()
TILTED = Hand(turn=17, slant=0.16)
BLURRED = Hand(turn=-4, blur=2.0)
DIM = Hand(turn=6, light=0.3)
ALL_AT_ONCE = Hand(turn=-12, slant=0.1, blur=1.4, light=0.45)


def camera_arguments(film: Path) -> list[str]:
    """Return what tells Chromium to take a film for its camera, and not to ask."""
    return [argument.format(film=film) for argument in CAMERA]


def picture_coupon(pdf: bytes, number: int = 0) -> Image.Image:
    """Return the coupon with one of the codes of a print file's first page, as it is printed."""
    with pypdfium2.PdfDocument(io.BytesIO(pdf)) as document:
        page = document[0]
        sheet = page.render(scale=RENDER_SCALE).to_pil().convert("RGB")
        page.close()
    found = zxingcpp.read_barcodes(sheet, formats=zxingcpp.BarcodeFormat.QRCode)
    found.sort(key=lambda each: (each.position.top_left.y // 50, each.position.top_left.x))
    place = found[number].position
    side = place.top_right.x - place.top_left.x
    left, top = place.top_left.x - 3 * side, place.top_left.y - side
    paper = sheet.crop((left, top, left + 5 * side, top + 3 * side))
    scale = CODE_SIDE / side
    return paper.resize((round(paper.width * scale), round(paper.height * scale)))


def picture_code(text: str) -> Image.Image:
    """Return any QR on white paper: of a menu, a web site, another town."""
    barcode = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode)
    drawn = Image.fromarray(barcode.to_image(scale=8))
    code = drawn.convert("RGB").resize((CODE_SIDE, CODE_SIDE), Image.Resampling.NEAREST)
    paper = Image.new("RGB", (CODE_SIDE * 2, CODE_SIDE * 2), "white")
    paper.paste(code, (CODE_SIDE // 2, CODE_SIDE // 2))
    return paper


def _hold(paper: Image.Image, hand: Hand, step: int) -> Image.Image:
    """Draw one frame; a hand is never quite still."""
    width, height = paper.size
    slant = hand.slant * height
    held = paper.transform(
        paper.size,
        Image.Transform.QUAD,
        (-slant, -slant / 2, -slant / 3, height + slant, width + slant, height, width, slant),
        resample=Image.Resampling.BICUBIC,
        fillcolor=DESK,
    )
    held = held.rotate(
        hand.turn + step % 3 - 1, expand=True, resample=Image.Resampling.BICUBIC, fillcolor=DESK
    )
    frame = Image.new("RGB", SIZE, DESK)
    # The code is not in the middle of a coupon, but it is what people hold into the frame.
    shift = round(width * 0.2) if width > height else 0
    sway = (step % 5 - 2) * 3
    place = (SIZE[0] - held.width) // 2 - shift + sway, (SIZE[1] - held.height) // 2 + sway
    frame.paste(held, place)
    if hand.blur:
        frame = frame.filter(ImageFilter.GaussianBlur(hand.blur))
    return ImageEnhance.Brightness(frame).enhance(hand.light)


def shoot(film: Path, paper: Image.Image | None, hand: Hand = STEADY, *, frames: int = 10) -> Path:
    """Write a film of a paper in a hand, or of an empty desk, that Chromium plays in a loop."""
    with film.open("wb") as out:
        out.write(f"YUV4MPEG2 W{SIZE[0]} H{SIZE[1]} F{RATE}:1 Ip A1:1 C420jpeg\n".encode())
        for step in range(frames):
            frame = Image.new("RGB", SIZE, DESK) if paper is None else _hold(paper, hand, step)
            light, blue, red = frame.convert("YCbCr").split()
            half = (SIZE[0] // 2, SIZE[1] // 2)
            out.write(b"FRAME\n")
            for plane in (light, blue.resize(half), red.resize(half)):
                out.write(plane.tobytes())
    return film
