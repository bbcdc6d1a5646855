"""Tables as people hand them in: every spreadsheet's encodings, workbooks, and hostile ones."""

from __future__ import annotations

import io
import tracemalloc
import zipfile
from datetime import date, datetime

import openpyxl
import pytest

from giftpad import sheets

MORNING = datetime(2027, 3, 31, 9, 5)  # noqa: DTZ001 - a workbook knows no zone
ROWS = [["氏名", "メール", "金額"], ["髙﨑 花子", "hanako@a.example", "5000"]]


def texts(data, **limits):
    sheet = sheets.read_sheet(data, **limits)
    return sheet, [cells for _, cells in sheet.rows()]


def workbook(*rows, change=None):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    if change is not None:
        change(book)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def repacked(data, **parts):
    """Write some parts of a workbook anew."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", 8) as new:
        for member in old.infolist():
            content = old.read(member)
            for name, text in parts.items():
                if member.filename.endswith(f"{name}.xml"):
                    content = text if isinstance(text, bytes) else text.encode()
            new.writestr(member.filename, content)
    return out.getvalue()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932", "utf-16"])
@pytest.mark.parametrize("separator", [",", "\t", ";"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_each_spelling_of_a_table_gives_the_same_cells(encoding, separator, ending):
    text = ending.join(separator.join(row) for row in ROWS)
    sheet, rows = texts(text.encode(encoding))
    assert sheet.header == ("氏名", "メール", "金額")
    assert rows == [("髙﨑 花子", "hanako@a.example", "5000")]
    assert sheet.kind == ("tsv" if separator == "\t" else "csv")


def test_a_workbook_gives_what_a_person_reads_in_it():
    data = workbook(
        [],
        ["商品", "値", "日", "時", "可", "空"],
        ["茶", 5000, date(2027, 3, 31), MORNING, True, None],
        [],
        ["'=1+1", 0.1, 1e20, "0312", "x", None],
    )
    sheet = sheets.read_sheet(data)
    assert (sheet.kind, sheet.header_line) == ("xlsx", 2)
    assert list(sheet.rows()) == [
        (3, ("茶", "5000", "2027-03-31", "2027-03-31 09:05:00", "yes", "")),
        (5, ("=1+1", "0.1", "100000000000000000000", "0312", "x", "")),
    ]
    assert list(sheet.rows()) == list(sheet.rows())


def test_a_workbook_that_begins_further_right_and_below_keeps_its_line_numbers():
    def change(book):
        sheet = book.active
        sheet["C4"], sheet["D4"], sheet["C7"], sheet["D7"] = "a", "b", "1", "2"

    sheet = sheets.read_sheet(workbook(change=change))
    matched = sheets.match_columns(sheet.header, {"a": (), "b": ()})
    assert [(line, matched.take(cells)) for line, cells in sheet.rows()] == [
        (7, {"a": "1", "b": "2"})
    ]


def test_the_first_sheet_that_is_shown_is_read():
    def change(book):
        book.active.append(["hidden"])
        book.active.sheet_state = "hidden"
        book.create_sheet("名簿").append(["氏名"])

    assert sheets.read_sheet(workbook(change=change)).header == ("氏名",)


def test_cells_left_out_at_the_end_of_a_row_are_empty_and_surplus_ones_are_seen():
    _, rows = texts(b"a,b,c\n1\n1,2,3,,\n1,2,3,4\n\n,,\n")
    assert rows == [("1", "", ""), ("1", "2", "3"), ("1", "2", "3", "4")]


def test_lines_count_as_they_stand_in_the_file():
    sheet = sheets.read_sheet(b'a,b\n1,"x\ny"\n\n2,z\n')
    assert [line for line, _ in sheet.rows()] == [2, 5]


def cut(data):
    return data[: len(data) // 2]


ENCRYPTED = b"\xd0\xcf\x11\xe0" + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le")
SHEET = '<worksheet xmlns="x"><sheetData>{}</sheetData></worksheet>'
FAR = SHEET.format('<row r="1"><c r="A1"><v>1</v></c><c r="{}"><v>1</v></c></row>')
DOCUMENT = io.BytesIO()
with zipfile.ZipFile(DOCUMENT, "w") as archive:
    archive.writestr("word/document.xml", "<x/>")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "sheet.empty"),
        (b" \r\n\r\n", "sheet.empty"),
        (workbook(), "sheet.empty"),
        ("氏名\n花子".encode("cp932") + b"\x82", "sheet.encoding"),
        ("氏名,a\n".encode("utf-16-le"), "sheet.encoding"),
        ("氏名,a\n".encode("utf-32"), "sheet.encoding"),
        (b"\xef\xbb\xbf" + "氏名".encode("cp932"), "sheet.encoding"),
        (b"%PDF-1.7", "sheet.not_a_table"),
        (b"\x89PNG\r\n", "sheet.not_a_table"),
        (DOCUMENT.getvalue(), "sheet.not_a_table"),
        (ENCRYPTED, "sheet.protected"),
        (b"\xd0\xcf\x11\xe0" + b"\0" * 600, "sheet.old_workbook"),
        (cut(workbook(["a"])), "sheet.broken_workbook"),
        (repacked(workbook(["a"]), sheet1="<worksheet><no"), "sheet.broken_workbook"),
        (repacked(workbook(["a"]), workbook="<!DOCTYPE x><x/>"), "sheet.broken_workbook"),
        (repacked(workbook(["a"]), sheet1=FAR.format("1A")), "sheet.broken_workbook"),
        (repacked(workbook(["a"]), sheet1=FAR.format("A1048576")), "sheet.too_long"),
        (repacked(workbook(["a"]), sheet1=FAR.format("CV100001")), "sheet.too_long"),
        (repacked(workbook(["a"]), sheet1=FAR.format("XFD1")), "sheet.too_wide"),
        (repacked(workbook(["a"]), sheet1=FAR.format("xfd1")), "sheet.too_wide"),
        (b",".join(b"%d" % n for n in range(201)), "sheet.too_wide"),
    ],
)
def test_what_is_no_table_is_refused_with_its_reason(data, code):
    with pytest.raises(sheets.SheetUnreadable) as refusal:
        sheets.read_sheet(data)
    assert refusal.value.code == code
    assert "{" not in str(refusal.value)


def test_the_line_of_a_wrong_byte_or_mark_is_told():
    with pytest.raises(sheets.EncodingUnknown) as refusal:
        sheets.read_sheet("氏名\n花子\n太郎\n".encode() + b"\x80x")
    assert refusal.value.params == {"line": 4, "byte": 22}
    sheet = sheets.read_sheet(b'a,b\n1,2\n1,"2\n')
    with pytest.raises(sheets.QuotesUnmatched) as refusal:
        list(sheet.rows())
    assert refusal.value.params == {"line": 3}


def test_more_bytes_or_rows_than_allowed_are_refused():
    with pytest.raises(sheets.SheetTooLarge):
        sheets.read_sheet(b"a\n" * 10, size_max=19)
    sheet = sheets.read_sheet(b"a\n1\n2\n3\n", rows_max=2)
    with pytest.raises(sheets.SheetTooLong):
        list(sheet.rows())
    with pytest.raises(sheets.SheetTooLong):
        list(sheets.read_sheet(workbook(*[["a"]] * 4), rows_max=2).rows())


def test_a_small_file_that_unpacks_to_much_is_refused_in_little_memory():
    bomb = b"<worksheet>" + b" " * (300 * 1024 * 1024)
    data = repacked(workbook(["a"]), sheet1=bomb)
    del bomb
    assert len(data) < sheets.SIZE_MAX
    tracemalloc.start()
    with pytest.raises(sheets.SheetTooLarge):
        sheets.read_sheet(data)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 16 * 1024 * 1024


def test_a_part_that_lies_about_its_size_is_refused():
    data = bytearray(repacked(workbook(["a"]), sheet1=b"<worksheet>" + b" " * 100_000))
    place = data.rfind((100_011).to_bytes(4, "little"))
    data[place : place + 4] = (50).to_bytes(4, "little")
    with pytest.raises(sheets.WorkbookBroken):
        sheets.read_sheet(bytes(data))


COLUMNS = {"name": ("氏名", "お名前", "full name"), "email": ("メール", "メールアドレス", "e-mail")}


@pytest.mark.parametrize(
    ("header", "places"),
    [
        (["氏名", "メール"], {"name": 0, "email": 1}),
        (["Ｅ－Ｍａｉｌ ", "FULL_NAME"], {"email": 0, "name": 1}),
        (["ﾒｰﾙ", "お 名 前"], {"email": 0, "name": 1}),
        (["部署", "email"], {"email": 1}),
    ],
)
def test_columns_are_known_by_any_spelling_of_their_names(header, places):
    assert sheets.match_columns(header, COLUMNS).places == places


def test_what_no_field_takes_and_what_stands_twice_is_told():
    matched = sheets.match_columns(["氏名", "部署", "お名前"], COLUMNS)
    assert (matched.unmatched, matched.repeated) == (("部署",), ("お名前",))


def test_what_was_chosen_before_goes_first():
    remembered = {"宛名": "name", "氏名": "", "誰か": "gone"}
    matched = sheets.match_columns(["宛名", "氏名", "誰か"], COLUMNS, remembered)
    assert matched.places == {"name": 0}
    assert matched.unmatched == ("誰か",)


FORMULAS = ["=1+1", "+81-3", "-5", "@x", "'=1", "＝1", "\t=1"]


@pytest.mark.parametrize("write", [sheets.write_csv, sheets.write_xlsx])
def test_what_is_written_is_no_formula_and_reads_back_as_it_was(write):
    rows = [["髙﨑", text, 5000] for text in FORMULAS]
    data = write(["氏名", "式", "金額"], rows)
    _, read = texts(data)
    assert read == [("髙﨑", text.strip(), "5000") for text in FORMULAS]


def test_a_workbook_that_is_written_holds_texts_numbers_and_days():
    rows = [["=1+1", 5, date(2027, 3, 31), "a\x07b"]]
    data = sheets.write_xlsx(["a", "b", "c", "d"], rows, title="名簿")
    sheet = openpyxl.load_workbook(io.BytesIO(data)).active
    assert [cell.data_type for cell in sheet[2]] == ["s", "n", "d", "s"]
    assert sheet["A2"].value == "'=1+1"
    assert sheet["D2"].value == "ab"
    assert sheet.freeze_panes == "A2"
