import math

import pytest

from giftpad.printing.rules import colours, layout, patterns
from giftpad.printing.rules.lines import settled, wrapped


def em(line):
    """Ten units for a full-width character, five for the others."""
    return sum(10 if character > "~" else 5 for character in line)


def test_a_line_never_begins_with_a_closing_mark():
    assert wrapped("これは券です。使えます。", 60, em) == ["これは券で", "す。使えま", "す。"]


def test_a_line_never_ends_with_an_opening_mark():
    assert wrapped("市の券「商品券」です", 40, em) == ["市の券", "「商品", "券」です"]


def test_a_number_is_never_broken():
    assert wrapped("電話0120-000-000まで", 65, em) == ["電話", "0120-000-000", "まで"]


def test_a_piece_wider_than_the_line_does_not_fit():
    assert wrapped("0120-000-000", 50, em) is None


def test_given_line_ends_are_kept():
    assert wrapped(settled("一行目\r\n二行目"), 100, em) == ["一行目", "二行目"]


@pytest.mark.parametrize("text", ["「」。「」。", "a、、、b", "  ", "「", "券「"])
def test_breaking_loses_no_character(text):
    lines = wrapped(text, 40, em)
    assert lines is not None
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


def test_loose_voice_marks_are_joined_and_names_keep_their_characters():
    assert settled("か\u3099") == "が"
    assert settled("\ufa19社") == "\ufa19社"  # NFC would make it another character


def test_a_light_accent_is_darkened_until_it_can_be_read():
    assert colours.readable("#165e83") == colours.resolve("#165e83", "#000000")
    red, green, blue = colours.readable("#ffe000")
    assert red > green > blue == 0.0
    assert 1.05 / (0.2126 * red**2.2 + 0.7152 * green**2.2 + 0.05) > 4.8


def test_a_percentage_is_a_tint_on_white():
    assert colours.resolve("ink/25", "#165e83") == (0.75, 0.75, 0.75)
    assert colours.resolve("paper", "#165e83") == (1.0, 1.0, 1.0)


@pytest.mark.parametrize(
    ("figure", "count"), [("waves", 6), ("rosette", 6 * len(patterns.ROSETTE_RINGS))]
)
def test_a_pattern_stays_inside_its_box(figure, count):
    element = layout.PatternElement(left=0, top=0, width=40, height=20, figure=figure)
    drawn = list(patterns.curves(element))
    assert len(drawn) == count
    ends = [end for curve in drawn for *_, end in curve.bends]
    assert all(-0.001 <= x <= 40.001 and -0.001 <= y <= 20.001 for x, y in ends)


def test_a_smooth_curve_follows_its_function():
    element = layout.PatternElement(
        left=0, top=0, width=40, height=2, figure="waves", strands=1, turns=1
    )
    (curve,) = patterns.curves(element)
    (_, _, (x, y)), *_ = curve.bends
    assert y == pytest.approx(1 + math.sin(2 * math.pi * x / 40))


def test_scales_with_a_rim_leave_the_middle_free():
    everywhere = layout.PatternElement(
        left=0, top=0, width=98, height=70, figure="scales", turns=14
    )
    rim = layout.PatternElement(
        left=0, top=0, width=98, height=70, figure="scales", turns=14, rim=5
    )
    inner = [
        x
        for curve in patterns.curves(rim)
        for *_, (x, y) in curve.bends
        if 20 < x < 78 and 20 < y < 50
    ]
    assert not inner
    assert len(list(patterns.curves(rim))) < len(list(patterns.curves(everywhere))) * 0.6


def test_cells_are_filled_row_by_row():
    sheet = layout.Layout(
        page=layout.Page(width=210, height=297),
        grid=layout.Grid(left=10, top=20, width=90, height=60, columns=2, rows=2, gap_x=6, gap_y=4),
        elements=[],
    )
    corners = [(cell.number, cell.left, cell.top) for cell in layout.cells(sheet)]
    assert corners == [(1, 10, 20), (2, 106, 20), (3, 10, 84), (4, 106, 84)]
    assert layout.cut_positions(sheet) == ([10, 100, 106, 196], [20, 80, 84, 144])


def test_a_text_whose_fields_are_all_empty_is_not_set():
    assert layout.filled("お問い合わせ {contact}", {"contact": ""}) == ""
    assert layout.filled("{a} / {b}", {"a": "1"}) == "1 / "
    assert layout.filled("見出し", {}) == "見出し"
