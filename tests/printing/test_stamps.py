"""What is written without the library looks exactly like what the library writes."""

import io

import pypdfium2 as pdfium
import pytest
from PIL import ImageChops

from giftpad import printing
from giftpad.printing.adapters import sheet

DPI = 200
CODES = ("WWWW-1111-WWWW-1111", "0A2B-ZZZZ-QQJQ-7Y7Y", "1111-1111-1111-1111")


def pages(pdf):
    document = pdfium.PdfDocument(pdf)
    try:
        return [
            (page.render(scale=DPI / 72).to_pil(), page.get_textpage().get_text_bounded())
            for page in document
        ]
    finally:
        document.close()


@pytest.mark.parametrize("template", ["coupon_a4_8up", "coupon_single"])
def test_stamped_items_look_as_the_library_writes_them(template, items, printed, monkeypatch):
    coupons = items(9)
    for coupon, code in zip(coupons, CODES, strict=False):
        coupon["typed_code"] = code
    coupons[3]["serial"] = "(M\\H)-000003"
    coupons[4]["serial"] = "MHKA-0000005"  # set smaller, or it would not fit
    stamped = pages(printed(coupons, template))
    monkeypatch.setattr(sheet.Sheet, "_stamp_of", lambda *_: None)
    ordinary = pages(printed(coupons, template))
    assert [words for _, words in stamped] == [words for _, words in ordinary]
    for (one, _), (other, _) in zip(stamped, ordinary, strict=True):
        assert one.size == other.size
        assert ImageChops.difference(one, other).getbbox() is None


@pytest.mark.parametrize("serial", ["MH-00001番", "𠮷-0000001"])
def test_what_a_stamp_cannot_do_is_done_the_ordinary_way(serial, items, common):
    coupons = items(3)
    coupons[1]["serial"] = serial
    out = io.BytesIO()
    printing.render("coupon_a4_8up", common, coupons, out)
    ((_, words),) = pages(out)
    assert serial in words
    assert coupons[2]["serial"] in words
