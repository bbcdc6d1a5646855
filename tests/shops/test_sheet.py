"""Reading CSV files of shops: encodings, spellings, quoting, and the place of each fault."""

from __future__ import annotations

import io
import tracemalloc

import pytest

from giftpad.kernel.prefectures import PREFECTURES
from giftpad.shops import COLUMNS, SENTENCES, LineFault, SheetLine, read_sheet
from giftpad.shops.rules.sheet import LINES_MAX

HEADER = "加盟店番号,店舗名,フリガナ,地区,区分,住所,電話番号,売場面積,本店所在地,適用開始日,取扱"
GOOD = (
    "1001,青葉ベーカリー,アオバ,中央地区,市内;大型,中央1-1,00-0000-1001,48,東京都,2027-04-01,はい"
)


def read(text, encoding="utf-8"):
    return list(read_sheet(io.BytesIO(text.encode(encoding))))


def faults(text, encoding="utf-8"):
    found = [item for item in read(text, encoding) if isinstance(item, LineFault)]
    return [(fault.line, fault.column, fault.code) for fault in found]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_each_encoding_and_line_end_gives_the_same_values(encoding, ending):
    (line,) = read(ending.join([HEADER, GOOD, ""]), encoding)
    assert isinstance(line, SheetLine)
    assert line.values["name"] == "青葉ベーカリー"
    assert line.values["groups"] == ("大型", "市内")
    assert line.values["floor_area_m2"] == 48
    assert line.values["starts_on"].isoformat() == "2027-04-01"
    assert line.values["accepting"] is True


def test_names_with_rare_characters_stay_as_they_are():
    text = "number,name,area\n1,髙﨑①㈱,東\n"
    for encoding in ("utf-8", "cp932"):
        (line,) = read(text, encoding)
        assert line.values["name"] == "髙﨑①㈱"


def test_columns_may_be_english_in_any_order_and_case():
    (line,) = read("Area,NAME,number\n東,店,a-1\n")
    assert line.values == {"area": "東", "name": "店", "number": "A-1"}


def test_full_width_numbers_and_half_width_kana_are_made_usual():
    wide = str.maketrans({chr(code): chr(code + 0xFEE0) for code in range(0x2D, 0x3A)})
    cells = ["1001".translate(wide), "店", "東", "ｱｵﾊﾞ", "00-0000-1001".translate(wide)]
    text = f"number,name,area,kana,phone,floor_area_m2\n{','.join(cells)},{'120'.translate(wide)}\n"
    (line,) = read(text)
    assert line.values["number"] == "1001"
    assert line.values["kana"] == "アオバ"
    assert line.values["phone"] == "00-0000-1001"
    assert line.values["floor_area_m2"] == 120


# the cell, its column, the code of the fault
BAD_CELLS = [
    ("number", "", "required"),
    ("number", "東-1", "number"),
    ("number", "1" * 21, "number"),
    ("name", "", "required"),
    ("name", "店" * 81, "too_long"),
    ("name", "店\x07", "character"),
    ("name", "店\u202e", "character"),
    ("name", "店\ue000", "character"),
    ("area", " ", "required"),
    ("area", "東" * 41, "too_long"),
    ("kana", "青葉", "kana"),
    ("phone", "1001", "phone"),
    ("phone", "00-0000-10011111", "phone"),
    ("floor_area_m2", "-3", "floor_area"),
    ("floor_area_m2", "12.5", "floor_area"),
    ("floor_area_m2", "1000001", "floor_area"),
    ("hq_prefecture", "東京", "prefecture"),
    ("starts_on", "2027-02-30", "date"),
    ("starts_on", "令和9年", "date"),
    ("accepting", "maybe", "accepting"),
    ("groups", ";".join(f"g{n}" for n in range(21)), "groups"),
    ("contact_email", "a@b", "email"),
    ("contact_phone", "x", "phone"),
]


@pytest.mark.parametrize(("column", "cell", "code"), BAD_CELLS)
def test_a_bad_cell_is_named_by_line_and_column(column, cell, code):
    values = {"number": "1", "name": "店", "area": "東"} | {column: cell}
    text = ",".join(values) + "\n" + ",".join(f'"{value}"' for value in values.values()) + "\n"
    assert faults(text) == [(2, column, code)]


def test_every_fault_has_words_that_its_parameters_fill():
    text = "number,name,area,kana\n東,,東,青\n1,店,東,カ\n1,店,東,カ\n2,店\n"
    texts = ["", text, "number,name\n", "a,number,number\n", 'number,name,area\n1,"x,y\n']
    texts += ["number,name,area\n1,店\x00,東"]
    seen = set()
    for item in [item for t in texts for item in read(t)]:
        if isinstance(item, LineFault):
            for sentence in SENTENCES[item.code]:
                assert "{" not in sentence.format_map(item.params)
            seen.add(item.code)
    assert {"number", "required", "kana", "duplicate", "cells", "header_missing", "quotes"} <= seen


def test_lines_inside_quotation_marks_count_as_they_stand_in_the_file():
    text = 'number,name,area,address\n1,店,東,"一行目\n二行目\n三行目"\n2,,東,x\n\n3,店,,x\n'
    assert faults(text) == [(5, "name", "required"), (7, "area", "required")]


def test_one_line_may_have_several_faults():
    assert faults("number,name,area\n東,,\n") == [
        (2, "number", "number"),
        (2, "name", "required"),
        (2, "area", "required"),
    ]


@pytest.mark.parametrize(
    ("header", "known"),
    [
        ("number,name,aera", "number, name, kana"),
        ("加盟店番号,店舗名,区", "加盟店番号, 店舗名, フリガナ"),
    ],
)
def test_an_unknown_column_names_the_known_in_the_language_of_the_file(header, known):
    fault, *_ = read(f"{header}\n1,a,b\n")
    assert fault.params["known"].startswith(known)


def test_a_repeated_number_names_both_lines():
    (_, fault) = read("number,name,area\na1,店,東\nA1,店,東\n")
    assert (fault.line, fault.code, fault.params["first"]) == (3, "duplicate", 2)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", [(1, "", "empty_file")]),
        ("number,name,area\n", [(1, "", "empty_file")]),
        (
            "number,name,aera\n1,a,b\n",
            [(1, "aera", "header_unknown"), (1, "area", "header_missing")],
        ),
        ("number,name,area,加盟店番号\n", [(1, "加盟店番号", "header_twice")]),
        ("number,name,area\n1,店\n", [(2, "", "cells")]),
        ("number,name,area\n1,店,東,西\n", [(2, "", "cells")]),
        ('number,name,area\n1,"店,東\n', [(2, "", "quotes")]),
        ('number,name,area\n1,"店"x,東\n', [(2, "", "quotes")]),
    ],
)
def test_a_file_of_the_wrong_shape_is_told_so(text, expected):
    assert faults(text) == expected


@pytest.mark.parametrize("encoding", ["utf-8", "cp932"])
def test_bytes_of_no_encoding_name_their_line(encoding):
    lines = [HEADER, GOOD, GOOD.replace("1001", "1002", 1), GOOD.replace("1001", "1003", 1)]
    data = "\r\n".join(lines).encode(encoding).split(b"\r\n")
    data[2] = data[2][:5] + b"\x82\x20" + data[2][5:]
    (fault,) = read_sheet(io.BytesIO(b"\r\n".join(data)))
    assert (fault.line, fault.code) == (3, "encoding")


def test_a_file_cut_inside_a_character_is_told_so():
    data = (HEADER + "\n" + GOOD + "\n1002,店").encode()[:-1]
    (fault,) = read_sheet(io.BytesIO(data))
    assert (fault.line, fault.code) == (3, "encoding")


def test_a_mark_of_utf_8_forbids_another_reading():
    data = b"\xef\xbb\xbf" + "number,name,area\n1,店,東\n".encode("cp932")
    (fault,) = read_sheet(io.BytesIO(data))
    assert fault.code == "encoding"


def test_more_shops_than_allowed_are_refused_at_the_first_too_many():
    text = "number,name,area\n" + "".join(f"{n},s,a\n" for n in range(LINES_MAX + 5))
    found = read(text)
    assert isinstance(found[-1], LineFault)
    assert (found[-1].line, found[-1].code) == (LINES_MAX + 2, "too_many")
    assert len(found) == LINES_MAX + 1


def test_reading_many_lines_holds_little_in_memory():
    row = ",青葉ベーカリー中央店,アオバ,中央地区,市内,中央1-1-1,00-0000-1001,48,東京都,,\r\n"
    data = (HEADER + "\r\n" + "".join(f"{n}{row}" for n in range(20_000))).encode("cp932")
    tracemalloc.start()
    count = sum(isinstance(item, SheetLine) for item in read_sheet(io.BytesIO(data)))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 20_000
    # The numbers seen, to find repeats, and one block: far less than the lines themselves.
    assert peak < 10 * 1024 * 1024


def test_there_are_47_prefectures_and_each_column_has_two_names():
    assert len(set(PREFECTURES)) == 47
    assert len(set(COLUMNS.values())) == len(COLUMNS)
