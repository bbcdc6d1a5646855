"""Printed letters: the right name in the window above the code of the right gift."""

from __future__ import annotations

import io
from dataclasses import replace

import pypdfium2
import pytest
import sqlalchemy as sa
import zxingcpp

from giftpad import gifts, printing
from giftpad.gifts.commands import prints
from giftpad.gifts.rules.postal import judge_postal
from giftpad.kernel.work import unit_of_work
from tests.gifts.test_cards import files_of, print_all, print_ids, read_codes
from tests.make_gifts import CONTRACT, cells, make_company

MM = 72 / 25.4
HOME = {
    "postcode": "100-0001",
    "prefecture": "東京都",
    "city": "千代田区",
    "street": "千代田1-1",
    "building": "見本ビル101",
}
ENVELOPE = (235.0, 120.0)
SHEET = (210.0, 99.0)
WINDOW = (20.0, 12.0, 90.0, 45.0)
"""Left, top, width and height of the window that the letter is laid out for."""


@pytest.fixture
def company(house):
    return make_company()


def people(count, **more):
    base = [{"name": f"受取 {n}", "channel": "letter"} for n in range(count)]
    return [
        gifts.Cells(line=at + 2, cells={**each, **HOME, "building": f"{at + 1}号室", **more})
        for at, each in enumerate(base)
    ]


def sent(company, handed_in, **more):
    order_id = company.draft(channel="letter", **more)
    company.take(order_id, handed_in)
    if company.submit(order_id) == "submitted":
        company.approve(order_id)
    company.issue(order_id)
    print_all(company, order_id)
    return order_id


def faults_of(company, **cells):
    order_id = company.draft(channel="letter")
    company.take(order_id, [gifts.Cells(line=2, cells={"name": "山田 花子", **HOME, **cells})])
    with unit_of_work(company.scope) as work:
        lines = gifts.list_lines(work, order_id, faulty_only=True).items
    return [(fault.column, fault.code) for line in lines for fault in line.faults]


def words_in(page, left, top, width, height) -> str:
    return page.get_textpage().get_text_bounded(
        left=left * MM,
        right=(left + width) * MM,
        top=page.get_height() - top * MM,
        bottom=page.get_height() - (top + height) * MM,
    )


def test_name_and_address_in_the_window_belong_to_the_gift_that_the_code_opens(company):
    order_id = sent(company, people(4))
    (pdf,) = files_of(company, order_id)
    document = pypdfium2.PdfDocument(io.BytesIO(pdf))
    assert len(document) == 4
    with unit_of_work(company.scope) as work:
        links = {
            gift.name: gifts.get_link(work, gift.id).upper() for gift in company.gifts(order_id)
        }
    for at, page in enumerate(document):
        window = words_in(page, *WINDOW)
        assert f"受取 {at} 様" in window
        assert "〒100-0001" in window
        assert "東京都千代田区千代田1-1" in window
        assert f"{at + 1}号室" in window
        shown = page.render(scale=150 / 72).to_pil()
        (code,) = zxingcpp.read_barcodes(shown)
        assert code.text == links[f"受取 {at}"]


def test_however_the_sheet_slides_the_window_shows_the_whole_block_and_nothing_else(company):
    order_id = sent(company, people(1))
    (pdf,) = files_of(company, order_id)
    page = pypdfium2.PdfDocument(io.BytesIO(pdf))[0]
    left, top, width, height = WINDOW
    play = (ENVELOPE[0] - SHEET[0], ENVELOPE[1] - SHEET[1])
    for right in (2.0, play[0] - 2):
        for down in (2.0, play[1] - 1):
            seen = words_in(page, left - right, top - down, width, height)
            assert "〒100-0001" in seen
            assert "1号室" in seen
            assert "受取 0 様" in seen
            assert "贈りもの" not in seen
            assert "はなまる" not in seen


def test_the_letter_says_what_to_do_in_large_print(company):
    order_id = sent(company, people(1, note="いつもありがとう"), message="一年の感謝をこめて。")
    (pdf,) = files_of(company, order_id)
    page = pypdfium2.PdfDocument(io.BytesIO(pdf))[0]
    words = page.get_textpage().get_text_range()
    for said in ("一年の感謝をこめて。", "いつもありがとう", "カメラ", "までにお選びください"):
        assert said in words, said
    assert "株式会社はなまる" in words
    layout = printing.list_templates()
    assert next(each for each in layout if each.name == "gift_letter_a4").per_page == 1


@pytest.mark.parametrize(
    ("cells", "fault"),
    [
        ({"postcode": ""}, ("postcode", "required")),
        ({"postcode": "100-001"}, ("postcode", "postal.postcode")),
        ({"street": ""}, ("street", "required")),
        ({"prefecture": "東京"}, ("prefecture", "postal.prefecture")),
        ({"prefecture": "", "city": "千代田区"}, ("street", "postal.prefecture")),
        ({"street": "あ" * 60}, ("street", "postal.long")),
        ({"building": "あ" * 25}, ("building", "postal.long")),
        ({"building": "\U0001f381ビル"}, ("building", "postal.glyph")),
        ({"note": "\U0001f381"}, ("note", "note.glyph")),
        ({"name": "あ" * 21}, ("name", "name.card")),
    ],
)
def test_an_address_that_no_window_can_show_is_named_before_anything_is_ordered(
    company, cells, fault
):
    assert faults_of(company, **cells) == [fault]


def test_an_address_in_one_column_is_understood_and_nothing_is_guessed():
    whole = {"postcode": "〒１００−０００１", "street": "東京都千代田区千代田1-1"}
    postal, faults = judge_postal(whole)
    assert (postal.postcode, postal.prefecture, faults) == ("1000001", "東京都", [])
    assert postal.in_one_line() == "〒100-0001 東京都千代田区千代田1-1"
    _, faults = judge_postal(whole | {"street": "千代田区千代田1-1"})
    assert [(field, code) for field, code, _ in faults] == [("street", "postal.prefecture")]


def test_every_address_that_is_taken_can_be_printed(company):
    longest = {"city": "あ" * 20, "street": "い" * 25, "building": "う" * 24}
    order_id = sent(company, people(1, name="髙" * 20, note="ひ" * 200, **longest))
    assert len(read_codes(files_of(company, order_id)[0])) == 1


def test_two_people_of_one_house_are_two_and_one_person_twice_is_asked_about(company):
    order_id = company.draft(channel="letter")
    company.take(order_id, people(2, building="1号室"))
    with unit_of_work(company.scope) as work:
        assert gifts.count_lines(work, order_id).repeated == 0
    company.take(order_id, people(2, building="1号室", name="山田 花子"))
    with unit_of_work(company.scope) as work:
        assert gifts.count_lines(work, order_id).repeated == 1


@pytest.mark.parametrize(
    ("draft", "refusal"),
    [
        ({"message": "あ" * 1500}, printing.TextTooLong),
        ({"message": "ありがとう\U0001f381"}, printing.MissingGlyph),
    ],
)
def test_a_message_that_no_letter_can_carry_is_refused_before_money_is_held(
    company, draft, refusal
):
    order_id = company.draft(channel="letter", **draft)
    company.take(order_id, people(1))
    before = company.budget()
    with pytest.raises(refusal):
        company.submit(order_id)
    assert company.budget() == before


@pytest.mark.parametrize(
    ("fees", "fee"), [({"card": 350}, 350), ({"card": 350, "letter": 480}, 480)]
)
def test_a_letter_has_a_fee_of_its_own_or_that_of_a_card(house, fees, fee):
    company = make_company(contract=replace(CONTRACT, fees_minor=fees))
    order_id = sent(company, people(2))
    order = company.order(order_id)
    assert order.fees_minor == 2 * fee
    with unit_of_work(company.scope) as work:
        invoice = gifts.get_invoice(work, order_id)
    assert [(line.channel, line.each_minor) for line in invoice.lines[1:]] == [("letter", fee)]
    assert company.differences() == []


def test_cards_and_letters_of_one_order_are_files_of_their_own(company, monkeypatch):
    monkeypatch.setattr(prints, "LETTERS_MAX", 2)
    both = [*cells(3, "card"), *(replace(each, line=each.line + 10) for each in people(3))]
    order_id = sent(company, both)
    assert len(print_ids(company, order_id)) == 3
    with unit_of_work(company.scope) as work:
        found = gifts.list_prints(work, order_id)
        kit = gifts.open_kit(work, order_id)
    assert [(each.kind, each.quantity) for each in found] == [
        ("card", 3),
        ("letter", 2),
        ("letter", 1),
    ]
    assert kit.kinds == {"card", "letter"}
    assert [file.file_name.partition("-")[0] for file in kit.files] == ["cards", *["letters"] * 2]
    codes = [code for pdf in files_of(company, order_id) for code in read_codes(pdf)]
    assert len(set(codes)) == 6


def test_what_is_kept_of_an_address_is_sealed_and_forgotten(company):
    order_id = sent(company, people(1))
    (gift,) = company.gifts(order_id)
    assert gift.address == "〒100-0001 東京都千代田区千代田1-1 1号室"
    with unit_of_work(company.scope) as work:
        row = work.session.execute(
            sa.text("SELECT person_sealed FROM gifts WHERE id = :id"), {"id": gift.id}
        ).scalar_one()
    assert "千代田".encode() not in bytes(row)
