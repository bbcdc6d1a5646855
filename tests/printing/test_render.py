import io
import json
import shutil
import subprocess
import tracemalloc
from pathlib import Path

import pikepdf
import pypdfium2 as pdfium
import pytest
from PIL import Image, ImageChops, ImageStat

from giftpad import printing
from giftpad.printing.adapters.setting import set_text
from giftpad.printing.adapters.templates import TEMPLATES_DIR
from giftpad.printing.rules.layout import TextElement

MM = 72 / 25.4
DPMM = 6


def picture(pdf, page=0):
    document = pdfium.PdfDocument(pdf)
    try:
        return document[page].render(scale=DPMM / MM).to_pil().convert("L")
    finally:
        document.close()


def brightness(image, x_mm, y_mm, side_mm=0.6):
    """Average a small square around a point of the page."""
    edges = (x_mm - side_mm / 2, y_mm - side_mm / 2, x_mm + side_mm / 2, y_mm + side_mm / 2)
    return ImageStat.Stat(image.crop(tuple(round(edge * DPMM) for edge in edges))).mean[0]


def text_of(pdf):
    document = pdfium.PdfDocument(pdf)
    try:
        return "".join(page.get_textpage().get_text_bounded() for page in document)
    finally:
        document.close()


def fonts_in(pdf):
    with pikepdf.open(pdf) as document:
        return [
            (str(thing.BaseFont), "/FontFile2" in thing.get("/FontDescriptor", {}))
            for thing in document.objects
            if isinstance(thing, pikepdf.Dictionary) and thing.get("/Type") == "/Font"
        ]


@pytest.mark.parametrize("template", ["coupon_a4_8up", "coupon_single"])
def test_every_font_is_embedded(template, items, common, printed, tmp_path):
    common["programme_name"] = "𠮷野町 商品券"
    pdf = printed(items(3), template, specimen=True)
    fonts = fonts_in(pdf)
    names = {name.partition("+")[2] for name, _ in fonts}
    assert names == {"BIZUDPGothic-Regular", "BIZUDPGothic-Bold", "NotoSansJP-Bold"}
    assert all(embedded for _, embedded in fonts)
    if program := shutil.which("pdffonts"):
        path = tmp_path / "out.pdf"
        path.write_bytes(pdf.getvalue())
        lines = subprocess.check_output([program, path], text=True).splitlines()[2:]
        assert len(lines) == len(fonts)
        assert all(line.split()[-5:-3] == ["yes", "yes"] for line in lines)


def test_equal_input_gives_equal_bytes(items, printed):
    assert printed(items(9)).getvalue() == printed(items(9)).getvalue()


def test_a_file_says_whose_it_is_and_no_wrong_day(items, common, printed):
    with pikepdf.open(printed(items(1))) as document:
        said = {name: str(value) for name, value in document.docinfo.items()}
    assert (said["/Author"], said["/Title"]) == (common["issuer_name"], common["programme_name"])
    assert said["/Subject"]
    assert not {"/CreationDate", "/ModDate"} & set(said)


def test_all_that_the_law_wants_stands_on_the_face(items, common, printed):
    (coupon,) = items(1)
    words = text_of(printed([coupon], "coupon_single"))
    for name in ("programme_name", "issuer_name", "issued_on", "expires_on", "contact", "notes"):
        assert common[name] in words
    assert coupon["serial"] in words
    assert coupon["typed_code"] in words
    assert "1,000" in words


@pytest.mark.parametrize("as_path", [False, True])
def test_a_code_is_black_ink_without_smoothing(as_path, items, printed):
    with pikepdf.open(printed(items(1), "coupon_single", qr_as_path=as_path)) as document:
        content = document.pages[0].Contents.read_bytes()
    assert b"0 g" in content
    assert (b"/IM true" in content, b"1 re" in content) == (not as_path, as_path)
    assert b"/I true" not in content


def test_static_art_is_stored_once(items, printed):
    sizes = [len(printed(items(count)).getvalue()) for count in (8, 88)]
    assert (sizes[1] - sizes[0]) / 80 < 400


@pytest.mark.parametrize("bleed", [False, True])
def test_art_reaches_three_millimetres_past_the_trim_only_with_bleed(bleed, items, printed):
    image = picture(printed(items(8), bleed=bleed))
    outside, gutter, beyond = (brightness(image, x, 40) for x in (8.5, 103.5, 6.2))
    assert (outside < 245, gutter < 245, beyond) == (bleed, bleed, 255)


@pytest.mark.parametrize("crop_marks", [False, True])
def test_crop_marks_stand_at_every_cut_and_only_outside(crop_marks, items, printed):
    image = picture(printed(items(8), crop_marks=crop_marks))
    at_cuts = [brightness(image, x, 6.5) for x in (10, 102, 108, 200)]
    at_cuts += [brightness(image, 5, y) for y in (11.5, 75.5, 81.5, 285.5)]
    assert all((mark < 235) == crop_marks for mark in at_cuts)
    assert [brightness(image, x, 78.5) for x in (10, 102, 108, 200)] == [255] * 4


def test_a_single_coupon_tells_the_print_shop_its_trim_and_bleed(items, printed):
    with pikepdf.open(printed(items(1), "coupon_single", bleed=True)) as document:
        page = document.pages[0]
        boxes = [
            [round(float(edge) / MM, 1) for edge in page[name]]
            for name in ("/MediaBox", "/BleedBox", "/TrimBox")
        ]
    assert boxes == [[0, 0, 170, 95], [7, 7, 163, 88], [10, 10, 160, 85]]


def test_the_widest_code_fits(items, printed):
    (coupon,) = items(1)
    coupon["typed_code"] = "WWWW-WWWW-WWWW-WWWW"
    for template in ("coupon_a4_8up", "coupon_single"):
        assert coupon["typed_code"] in text_of(printed([coupon], template))


def test_a_long_name_is_set_smaller_and_a_longer_one_refused(items, common, printed):
    common["programme_name"] = "みほん市 プレミアム付き商品券 令和八年版"
    assert common["programme_name"] in text_of(printed(items(1))).replace("\r\n", "")
    common["programme_name"] *= 3
    with pytest.raises(printing.TextTooLong) as refusal:
        printed(items(1))
    assert refusal.value.params["field"] == "programme_name"


def test_a_serial_too_long_for_its_place_is_refused_with_its_item(items, printed):
    coupons = items(3)
    coupons[1]["serial"] = "MIHONSHI-KURASHI-OUEN-0000002"
    with pytest.raises(printing.TextTooLong) as refusal:
        printed(coupons)
    assert (refusal.value.params["field"], refusal.value.params["item"]) == ("serial", 2)


def test_lines_that_are_too_many_or_too_high_are_refused():
    place = {"left": 0, "top": 0, "width": 50, "size": 10, "leading": 1.5, "text": "{notes}"}
    high = TextElement(height=9, lines=2, **place)
    low = TextElement(height=8, lines=2, **place)
    assert len(set_text(high, "一行目\n二行目")) == 2
    assert set_text(low, "一行目\n二行目") is None
    assert set_text(high, "一\n二\n三") is None


@pytest.mark.parametrize("item", [0, 2])
def test_a_missing_value_is_refused_by_name(item, items, common, printed):
    coupons = items(3)
    if item:
        coupons[item - 1]["typed_code"] = ""
    else:
        common["expires_on"] = " "
    with pytest.raises(printing.MissingField) as refusal:
        printed(coupons)
    assert refusal.value.params["item"] == item
    assert refusal.value.params["field"] == ("typed_code" if item else "expires_on")


def test_nothing_is_written_when_an_item_is_refused(items, common):
    coupons, out = items(20), io.BytesIO()
    coupons[19]["serial"] = "MH-🎁"
    with pytest.raises(printing.MissingGlyph):
        printing.render("coupon_a4_8up", common, coupons, out)
    assert out.getvalue() == b""


def test_an_accent_that_is_no_colour_is_refused(items, common, printed):
    common["accent"] = "green"
    with pytest.raises(printing.BadField):
        printed(items(1))


def test_a_code_too_long_for_its_square_is_refused_without_showing_it(items, printed):
    (coupon,) = items(1)
    coupon["qr"] = "HTTPS://GIFTPAD.EXAMPLE/Q/" + "7K" * 400
    with pytest.raises(printing.TextTooLong) as refusal:
        printed([coupon])
    assert "7K7K" not in f"{refusal.value} {refusal.value.params}"


@pytest.mark.parametrize("name", ["nothing", "../coupon_single", "", "/etc"])
def test_an_unknown_template_is_refused(name, items, printed):
    with pytest.raises(printing.UnknownTemplate):
        printed(items(1), name)


def test_a_tenant_replaces_a_whole_template(items, printed, tmp_path):
    folder = tmp_path / "coupon_single"
    shutil.copytree(TEMPLATES_DIR / "coupon_single", folder)
    path = folder / "layout.json"
    path.write_text(path.read_text("utf-8").replace("お支払い番号", "しはらい番号"), "utf-8")
    assert "しはらい番号" in text_of(printed(items(1), "coupon_single", overrides_dir=tmp_path))
    assert "お支払い番号" in text_of(printed(items(1), "coupon_single"))


def test_ten_thousand_coupons_need_little_memory(items, common):
    coupons = iter(items(printing.ITEMS_MAX))
    printing.render("coupon_a4_8up", common, items(8), io.BytesIO())
    tracemalloc.start()
    try:
        done = printing.render("coupon_a4_8up", common, coupons, io.BytesIO())
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert done == printing.Rendered(page_count=1250, item_count=10_000)
    assert peak_bytes < 30_000_000


@pytest.mark.parametrize("name", ["coupon_a4_8up", "coupon_single"])
def test_the_committed_preview_is_what_the_sample_looks_like(name):
    drawn = Image.open(io.BytesIO(printing.preview(name))).convert("L")
    kept = Image.open(TEMPLATES_DIR / name / "preview.png").convert("L")
    assert kept.size == drawn.size
    assert ImageStat.Stat(ImageChops.difference(kept, drawn)).mean[0] < 1


def test_a_preview_shows_the_data_it_is_given_and_never_a_real_code(items, common):
    coupons = items(9)
    sample = printing.Sample(common=common, items=coupons)
    first, second = (printing.preview("coupon_a4_8up", sample, page=page) for page in (1, 2))
    assert first != second
    assert Image.open(io.BytesIO(first)).format == "PNG"


def test_no_registry_address_stands_in_the_lock():
    lock = Path(TEMPLATES_DIR / "package-lock.json").read_text("utf-8")
    assert "http" not in lock
    packages = json.loads(lock)["packages"]
    assert all("integrity" in package for name, package in packages.items() if name)
