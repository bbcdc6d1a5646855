import io

import pikepdf
import pytest
import zxingcpp
from PIL import Image
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas

from giftpad import printing


def verify(pdf, expected, template="coupon_a4_8up"):
    return printing.verify(pdf, expected, template)


def drawn(picture, x_mm=118, y_mm=225):
    """Put a picture onto a page; unless said otherwise, into the second coupon's notes."""
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=(210 * mm, 297 * mm))
    canvas.drawImage(str(picture), x_mm * mm, y_mm * mm, 12 * mm, 12 * mm)
    canvas.save()
    out.seek(0)
    return out


def found(report):
    return [(fault.kind, fault.page, fault.cell) for fault in report.problems]


@pytest.mark.parametrize("qr_as_path", [False, True])
@pytest.mark.parametrize(("template", "pages"), [("coupon_a4_8up", 3), ("coupon_single", 20)])
def test_every_code_of_a_good_file_is_read(template, pages, qr_as_path, items, expected, printed):
    coupons = items(20)
    pdf = printed(coupons, template, qr_as_path=qr_as_path, bleed=True)
    report = verify(pdf, expected(coupons), template)
    assert report.ok, report.problems
    assert (report.page_count, report.item_count, report.good_count) == (pages, 20, 20)


def test_two_swapped_coupons_are_found(items, expected, printed):
    coupons = items(16)
    swapped = [*coupons]
    swapped[3], swapped[10] = swapped[10], swapped[3]
    report = verify(printed(swapped), expected(coupons))
    kinds = {(fault.kind, fault.page, fault.cell) for fault in report.problems}
    assert {("wrong_code", 1, 4), ("wrong_code", 2, 3)} <= kinds
    assert {("wrong_serial", 1, 4), ("wrong_serial", 2, 3)} <= kinds
    assert report.good_count == 14


def test_two_swapped_codes_under_right_serials_are_found(items, expected, printed):
    coupons = items(8)
    swapped = [dict(coupon) for coupon in coupons]
    swapped[0]["qr"], swapped[1]["qr"] = coupons[1]["qr"], coupons[0]["qr"]
    report = verify(printed(swapped), expected(coupons))
    assert found(report) == [("wrong_code", 1, 1), ("wrong_code", 1, 2)]
    assert "MH-0000002" in report.problems[0].detail


def test_a_repeated_code_is_found(items, expected, printed):
    coupons = items(16)
    repeated = [dict(coupon) for coupon in coupons]
    repeated[12]["qr"] = coupons[2]["qr"]
    assert found(verify(printed(repeated), expected(coupons))) == [("repeated", 2, 5)]


def test_a_code_that_the_list_itself_repeats_is_found(items, expected, printed):
    coupons = items(8)
    coupons[5]["qr"] = coupons[4]["qr"]
    assert found(verify(printed(coupons), expected(coupons))) == [("repeated", 1, 6)]


def test_a_code_covered_by_art_is_found(items, expected, printed):
    coupons = items(8)
    with pikepdf.open(printed(coupons)) as pdf:
        millimetre = 72 / 25.4
        corner = (10 + 70) * millimetre, (297 - 11.5 - 30) * millimetre
        cover = f"q 0.8 g {corner[0]} {corner[1]} 30 30 re f Q".encode()
        pdf.pages[0].contents_add(pikepdf.Stream(pdf, cover))
        pdf.save(covered := printed([]))
    covered.seek(0)
    assert found(verify(covered, expected(coupons))) == [("unreadable", 1, 1)]


def test_a_code_covered_on_a_page_like_the_first_is_found(items, expected, printed):
    """Such a page is not searched whole; what lies over its codes shows all the same."""
    coupons = items(24)
    with pikepdf.open(printed(coupons)) as pdf:
        for page, place in zip(pdf.pages, ("20 20", "200 515", "20 20"), strict=True):
            # Words, as they are told apart by nothing but that they are words: two broad noughts.
            words = f" BT /F1+0 90 Tf 60 Tz 0.3 g 1 0 0 1 {place} Tm (00) Tj ET"
            page.contents_add(pikepdf.Stream(pdf, words.encode()))
        pdf.save(covered := printed([]))
    covered.seek(0)
    assert found(verify(covered, expected(coupons))) == [("unreadable", 2, 3)]


@pytest.mark.parametrize(("x_mm", "y_mm"), [(118, 225), (2, 2), (80, 150)])
def test_an_extra_code_on_a_later_page_is_found(items, expected, printed, tmp_path, x_mm, y_mm):
    coupons = items(24)
    picture = tmp_path / "extra.png"
    extra = zxingcpp.create_barcode("EXTRA", zxingcpp.BarcodeFormat.QRCode)
    Image.fromarray(extra.to_image(scale=12)).save(picture)
    over = drawn(picture, x_mm, y_mm)
    with pikepdf.open(printed(coupons)) as pdf, pikepdf.open(over) as added:
        pdf.pages[2].add_overlay(added.pages[0])
        pdf.save(out := io.BytesIO())
    out.seek(0)
    report = verify(out, expected(coupons))
    assert "extra" in {kind for kind, _, _ in found(report)}
    assert {page for _, page, _ in found(report)} == {3}


def test_a_missing_coupon_shifts_all_that_follow(items, expected, printed):
    coupons = items(9)
    report = verify(printed(coupons[:4] + coupons[5:]), expected(coupons))
    kinds = [fault.kind for fault in report.problems]
    assert kinds.count("wrong_code") == 4
    assert kinds[-2:] == ["page_count", "missing"]
    assert report.good_count == 4


def test_extra_coupons_are_found(items, expected, printed):
    coupons = items(9)
    report = verify(printed(coupons), expected(coupons[:7]))
    assert found(report) == [("extra", 1, 8), ("extra", 2, 1), ("page_count", 2, 0)]


def test_a_foreign_code_a_wrong_serial_and_a_wrong_typed_code_are_found(items, expected, printed):
    coupons = items(3)
    wrong = [dict(coupon) for coupon in coupons]
    wrong[0]["qr"] = "HTTPS://GIFTPAD.EXAMPLE/Q/" + "9" * 36
    wrong[1]["serial"] = "MH-00000020"
    wrong[2]["typed_code"] = "0000-0000-0000-0000"
    report = verify(printed(wrong), expected(coupons))
    assert found(report) == [
        ("unknown_code", 1, 1),
        ("wrong_serial", 1, 2),
        ("wrong_typed_code", 1, 3),
    ]


def test_a_report_never_shows_what_spends(items, expected, printed):
    coupons = items(8)
    report = verify(printed(coupons[::-1]), expected(coupons))
    told = f"{report!r} {[str(fault) for fault in report.problems]} {expected(coupons)!r}"
    assert report.problem_count >= 16
    for coupon in coupons:
        assert coupon["qr"] not in told
        assert coupon["qr"][-36:] not in told
        assert coupon["typed_code"] not in told


def test_a_specimen_does_not_pass_for_the_real_thing(items, expected, printed):
    coupons = items(8)
    report = verify(printed(coupons, specimen=True), expected(coupons))
    assert report.good_count == 0
    assert coupons[0]["typed_code"] not in str(report)


def test_a_long_list_of_problems_is_counted_but_cut(items, expected, printed):
    coupons = items(120)
    report = verify(printed(coupons[::-1]), expected(coupons))
    assert report.problem_count == 360
    assert len(report.problems) == 100


def test_a_phantom_of_a_smaller_kind_is_not_taken_for_an_extra_code(
    items, expected, printed, tmp_path
):
    coupons = items(8)
    micro = zxingcpp.create_barcode("7496", zxingcpp.BarcodeFormat.MicroQRCode)
    picture = tmp_path / "micro.png"
    Image.fromarray(micro.to_image(scale=12)).save(picture)
    (read,) = zxingcpp.read_barcodes(Image.open(picture))
    assert read.format == zxingcpp.BarcodeFormat.MicroQRCode
    with pikepdf.open(printed(coupons)) as pdf, pikepdf.open(drawn(picture)) as over:
        pdf.pages[0].add_overlay(over.pages[0])
        pdf.save(out := io.BytesIO())
    out.seek(0)
    assert verify(out, expected(coupons)).ok
