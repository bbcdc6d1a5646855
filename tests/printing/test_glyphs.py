import pypdfium2 as pdfium
import pytest
from reportlab.pdfbase import pdfmetrics

from giftpad import printing
from giftpad.printing.adapters import fonts


@pytest.mark.parametrize("name", ["髙", "﨑", "𠮷", "濵", "德", "①", "㈱", "〜", "ｶﾞ"])
def test_characters_of_names_print_and_stand_in_the_text_layer(name, items, common, printed):
    common["issuer_name"] = f"{name}商店"
    document = pdfium.PdfDocument(printed(items(1), "coupon_single"))
    words = document[0].get_textpage().get_text_bounded()
    document.close()
    assert f"{name}商店" in words


def test_a_stand_in_is_drawn_and_is_no_box(items, common, printed):
    pictures = set()
    for name in "𠮷𠮟𥔎":
        common["programme_name"] = name
        document = pdfium.PdfDocument(printed(items(1), "coupon_single"))
        pictures.add(document[0].render(scale=2).to_pil().tobytes())
        document.close()
    assert len(pictures) == 3


def test_only_what_the_first_face_lacks_is_drawn_by_the_second():
    parts = [(run.font_name.partition("_")[0], run.text) for run in fonts.runs("髙𠮷家", "bold")]
    assert parts == [("BIZUDPGothic", "髙"), ("NotoSansJP", "𠮷"), ("BIZUDPGothic", "家")]


@pytest.mark.parametrize("weight", ["regular", "bold"])
def test_the_writer_knows_every_glyph_that_the_check_knows(weight):
    for file in fonts._FILES[weight]:
        known_to_the_writer = pdfmetrics.getFont(fonts.registered(file)).face.charToGlyph
        assert fonts._glyph_names(file).keys() <= {
            code for code, glyph in known_to_the_writer.items() if glyph
        }


@pytest.mark.parametrize(
    ("character", "code_point"),
    [
        ("🎁", "U+1F381"),
        ("\u0301", "U+0301"),
        ("\u200b", "U+200B"),
        ("\t", "U+0009"),
        ("\U000e0100", "U+E0100"),
        ("ก", "U+0E01"),
        ("\ue000", "U+E000"),
    ],
)
def test_what_no_face_draws_is_refused_by_name(character, code_point):
    with pytest.raises(printing.MissingGlyph) as refusal:
        printing.check_glyphs(["商品券", f"券{character}券"])
    assert refusal.value.params == {"character": character, "code_point": code_point}
    assert code_point in str(refusal.value)


def test_usual_text_passes_the_check():
    printing.check_glyphs(["みほん市 商品券 1,000円", "Gift “café” — ¥500\n二行目", "か\u3099"])
