"""Builders for batches of coupons, through the packages' doors; a reader of print files."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pypdfium2
import zxingcpp

from giftpad import coupons, payments, programmes
from giftpad.coupons import handlers as coupon_handlers
from giftpad.kernel.config import Settings
from giftpad.kernel.work import unit_of_work
from tests import make
from tests.make import Town
from tests.pump import pump

TEMPLATE = "coupon_a4_8up"
LOCATORS_TAKEN = 7
FACE_LINES = (
    "見本町の取扱店でお使いください。",
    "残りは次のお買い物でも使えます。現金とは交換できません。",
    "お問い合わせ 商品券係 00-0000-0000",
)
DECODE_SCALE = 150 / 72


def make_town(prefix: str = "MC", name: str = "見本商品券") -> Town:
    """Make a town whose programme prints coupons; its serials are not equal to its locators."""
    town = make.make_town()
    town.programme_id = add_programme(town, prefix, name)
    with unit_of_work(town.scope) as work:
        payments.take_locators(work, LOCATORS_TAKEN)
    return town


def add_programme(town: Town, prefix: str, name: str = "見本商品券") -> UUID:
    """Set up one more programme of a town and return its id."""
    terms = programmes.Terms(
        slug=f"programme-{prefix.lower()}",
        names={"ja": name, "en": "Sample coupon"},
        unit="JPY",
        starts_on=date(2026, 1, 1),
        ends_on=datetime.now(UTC).date() + timedelta(days=300),
        groups=("common",),
        areas=("east",),
        ceiling_minor=5000,
        validity=programmes.Validity(days=180),
        serial_prefix=prefix,
        face_text={"ja": FACE_LINES, "en": ("No change is given.",)},
        template=TEMPLATE,
        spendable_from="release",
        quantity_max=1_000_000,
        face_value_min_minor=1,
        face_value_max_minor=10_000,
    )
    with unit_of_work(town.scope) as work:
        programme_id, _ = programmes.set_programme(work, terms)
    return programme_id


def order(town: Town, quantity: int = 3, *, face_value_minor: int = 1000, **changes) -> UUID:
    """Order a batch and return its id."""
    wanted = {
        "programme_id": town.programme_id,
        "quantity": quantity,
        "face_value_minor": face_value_minor,
        "template": TEMPLATE,
    }
    with unit_of_work(town.scope) as work:
        return coupons.order_batch(work, coupons.BatchOrder(**(wanted | changes)))


def release(town: Town, batch_id: UUID) -> None:
    """Release a batch."""
    with unit_of_work(town.scope) as work:
        coupons.release(work, batch_id)


def released(town: Town, settings: Settings, quantity: int = 3, **changes) -> UUID:
    """Order, print and release a batch, and return its id."""
    batch_id = order(town, quantity, **changes)
    pump(settings)
    release(town, batch_id)
    return batch_id


def get_batch(town: Town, batch_id: UUID) -> coupons.BatchView:
    """Return a batch as it is shown."""
    with unit_of_work(town.scope) as work:
        return coupons.get_batch(work, batch_id)


def get_coupon(town: Town, serial: str) -> coupons.CouponView:
    """Return a coupon as it is shown."""
    with unit_of_work(town.scope) as work:
        return coupons.get_coupon(work, serial)


def take_pdf(town: Town, batch_id: UUID, volume: int = 1) -> bytes:
    """Take a print file out, as an issuer does."""
    with unit_of_work(town.scope) as work:
        ticket = coupons.open_pdf(work, batch_id, volume=volume)
    return coupons.read_pdf(ticket)


def read_paper(pdf: bytes) -> list[tuple[str, str]]:
    """Read QR text and typed code of every coupon from the drawn pages, left to right, down."""
    read = []
    with pypdfium2.PdfDocument(io.BytesIO(pdf)) as document:
        for page in document:
            text = page.get_textpage()
            words = text.get_text_bounded().split()
            text.close()
            typed = [w for w in words if len(w) == 19 and w.count("-") == 3]
            picture = page.render(scale=DECODE_SCALE).to_pil()
            page.close()
            codes = zxingcpp.read_barcodes(picture, formats=zxingcpp.BarcodeFormat.QRCode)
            codes.sort(
                key=lambda code: (
                    round(code.position.top_left.y / 100),
                    code.position.top_left.x,
                )
            )
            assert len(typed) == len(codes)
            read += list(zip([code.text for code in codes], typed, strict=True))
    return read


def spoil_items(monkeypatch, spoil) -> None:
    """Change what reaches the renderer; the check still knows what should be there."""
    draw = coupon_handlers.press.list_items
    monkeypatch.setattr(
        coupon_handlers.press, "list_items", lambda task: iter(spoil(list(draw(task))))
    )
