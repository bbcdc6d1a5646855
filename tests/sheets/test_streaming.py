"""Workbooks that are written while they are sent."""

from __future__ import annotations

import io
import tracemalloc
from datetime import date

import openpyxl

from giftpad import sheets


def read(header, rows):
    data = b"".join(sheets.stream_xlsx(header, rows))
    book = openpyxl.load_workbook(io.BytesIO(data))
    return book.active


def test_texts_numbers_and_days_come_back_as_what_they_are():
    sheet = read(
        ["氏名", "額"], [["山田 <花子> & 𠮷", 5000, date(2027, 2, 28), None, "0090", "a\nb"]]
    )
    assert [cell.value for cell in sheet[1]][:2] == ["氏名", "額"]
    values = [cell.value for cell in sheet[2]]
    assert values[:2] == ["山田 <花子> & 𠮷", 5000]
    assert values[2].date() == date(2027, 2, 28)
    assert values[3] in (None, "")
    assert values[4:] == ["0090", "a\nb"]
    assert sheet.freeze_panes == "A2"
    assert sheet["A1"].font.bold


def test_no_text_becomes_a_formula_and_nothing_breaks_the_file():
    sheet = read(["x"], [["=1+1"], ["\x00\x0b\ud800あ"], ["@SUM(A1)"], ["x" * 40_000]])
    assert all(cell.data_type != "f" for (cell,) in sheet.iter_rows(min_row=2))
    assert sheet["A3"].value == "あ"
    assert len(sheet["A5"].value) == 32_767


def test_a_streamed_workbook_reads_as_the_one_written_whole():
    rows = [[n, f"名前 {n}", date(2026, 11, n + 1), "=x", ""] for n in range(20)]
    whole = openpyxl.load_workbook(io.BytesIO(sheets.write_xlsx(["a", "b", "c", "d", "e"], rows)))
    streamed = read(["a", "b", "c", "d", "e"], rows)
    assert [[c.value or None for c in row] for row in streamed.iter_rows()] == [
        [c.value or None for c in row] for row in whole.active.iter_rows()
    ]


def test_a_long_table_takes_no_more_memory_than_a_short_one():
    def peak(count: int) -> int:
        rows = ([n, f"名前 {n}" * 5, date(2026, 11, 1)] for n in range(count))
        tracemalloc.start()
        total = sum(len(piece) for piece in sheets.stream_xlsx(["a", "b", "c"], rows))
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert total
        return most

    assert peak(40_000) < 1.5 * peak(2_000)
