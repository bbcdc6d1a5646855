"""All of an order's cards for a print house: whole, countable, and only cards open gifts."""

from __future__ import annotations

import csv
import hashlib
import io
import re
import zipfile

import pypdfium2
import pytest
import zxingcpp

from giftpad import audit, gifts
from giftpad.gifts.commands import prints
from giftpad.kernel.work import unit_of_work
from tests.make_gift_pages import Company, make_company, path
from tests.portals.issuer.counter import words

PEOPLE = "氏名,送り方\n" + "".join(f"受取 {n},カード\n" for n in range(1, 19))
QR_ONLY = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCodeModel2)
PER_PAGE, COLUMNS = 8, 2
KIT = "/cards/print-house.zip"


@pytest.fixture
def company(house, settings, tmp_path, monkeypatch) -> Company:
    monkeypatch.setattr(prints, "CARDS_MAX", 10)
    return make_company(settings, tmp_path)


def taken(company, order_id) -> zipfile.ZipFile:
    answer = company.person("issuer").get(path(order_id, KIT))
    assert (answer.status_code, answer.mimetype) == (200, "application/zip")
    assert "print-house-" in answer.headers["Content-Disposition"]
    archive = zipfile.ZipFile(io.BytesIO(answer.data))
    assert archive.testzip() is None
    return archive


def serials_of(archive) -> list[list[str]]:
    text = archive.read("serials.csv").decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text)))[1:]


def read_cards(pdf: bytes) -> dict[str, tuple[int, int, str]]:
    """Return page, place and code of each card by its number, as a camera and a reader see them."""
    found = {}
    document = pypdfium2.PdfDocument(io.BytesIO(pdf))
    for number in range(len(document)):
        page = document[number]
        wide, high = page.get_width() / COLUMNS, page.get_height() / 4
        shown = page.render(scale=200 / 72).to_pil()
        for code in zxingcpp.read_barcodes(shown, formats=QR_ONLY):
            x, y = code.position.top_left.x * 72 / 200, code.position.top_left.y * 72 / 200
            column, row = int(x // wide), int(y // high)
            text = page.get_textpage().get_text_bounded(
                left=column * wide,
                right=(column + 1) * wide,
                bottom=page.get_height() - (row + 1) * high,
                top=page.get_height() - row * high,
            )
            (serial,) = re.findall(r"\d+-\d{4}", text)
            found[serial] = (number + 1, row * COLUMNS + column + 1, code.text)
    return found


def test_the_list_says_where_each_card_lies_and_each_opens_its_own_gift(company):
    order_id = company.sent(PEOPLE)
    archive = taken(company, order_id)
    number = company.order(order_id).number
    files = [f"cards/cards-{number}-00{n}.pdf" for n in (1, 2)]
    assert [name for name in archive.namelist() if name.startswith("cards/")] == files
    listed = serials_of(archive)
    assert [row[0] for row in listed] == [str(n) for n in range(1, 19)]
    seen = {name: read_cards(archive.read(name)) for name in files}
    for _, serial, file, sheet, place in listed:
        page, cell, _ = seen[f"cards/{file}"][serial]
        assert (str(page), str(cell)) == (sheet, place), serial
    with unit_of_work(company.site.scope) as work:
        links = {
            f"{number}-{gift.number:04d}": gifts.get_link(work, gift.id).upper()
            for gift in gifts.list_gifts(work, order_id, limit=200).items
        }
    codes = {serial: card[2] for cards in seen.values() for serial, card in cards.items()}
    assert codes == links


def test_nothing_but_the_cards_opens_a_gift(company):
    archive = taken(company, company.sent(PEOPLE))
    for name in archive.namelist():
        if not name.startswith("cards/"):
            assert b"/g/" not in archive.read(name).lower(), name
            assert "受取".encode() not in archive.read(name), name


def test_the_sums_hold_and_the_control_sheet_counts_what_is_there(company):
    archive = taken(company, company.sent(PEOPLE))
    sums = archive.read("SHA256SUMS").decode().splitlines()
    assert len(sums) == len(archive.namelist()) - 1
    for line in sums:
        digest, _, name = line.partition("  ")
        assert hashlib.sha256(archive.read(name)).hexdigest() == digest, name
    sheet = pypdfium2.PdfDocument(io.BytesIO(archive.read("control-sheet.pdf")))
    said = sheet[0].get_textpage().get_text_range()
    assert "2 files, 3 sheets, 18 pieces" in said
    for row in serials_of(archive):
        if row[0] in {"1", "10", "11", "18"}:
            assert row[1] in said
    for line in sums:
        if "cards/" in line:
            assert line[:12] in said
    assert "18点、用紙3枚" in archive.read("README.ja.txt").decode()
    assert "18 pieces" in archive.read("README.en.txt").decode()


def test_whoever_may_take_cards_takes_all_of_them_on_record(company):
    order_id = company.sent(PEOPLE)
    assert company.person("viewer").get(path(order_id, KIT)).status_code == 403
    assert "print house" not in words(company.person("viewer").get(path(order_id)))
    assert "All for the print house (ZIP)" in words(company.person("issuer").get(path(order_id)))
    taken(company, order_id)
    with unit_of_work(company.site.scope) as work:
        wanted = audit.EntryFilter(subjects=(f"gift_order:{order_id}",))
        entries = [e for e in audit.list_entries(work, wanted) if e.action == "gift_cards.taken"]
    assert [(e.details["cards"], e.details["kind"]) for e in entries] == [(18, "zip")]


def test_before_all_are_printed_nothing_is_given_away(company):
    order_id = company.prepare(company.person("issuer"), PEOPLE)
    company.submit(company.person("issuer"), order_id)
    assert company.person("issuer").get(path(order_id, KIT)).status_code in (404, 409)
    links = company.sent("氏名,送り方\n山田,リンク\n")
    assert company.person("issuer").get(path(links, KIT)).status_code == 404
