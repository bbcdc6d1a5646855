"""Printed cards: every code on the pages opens the gift of whoever's name stands beside it."""

from __future__ import annotations

import io
from datetime import timedelta

import pypdfium2
import pytest
import zxingcpp

from giftpad import gifts
from giftpad.gifts import handlers, jobs
from giftpad.gifts.commands import prints
from giftpad.gifts.models import PrintRow
from giftpad.kernel.work import unit_of_work
from tests.make_gifts import cells, make_company

pytestmark = pytest.mark.usefixtures("house")
QR_ONLY = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCodeModel2)


@pytest.fixture
def company():
    return make_company()


def print_ids(company, order_id):
    with unit_of_work(company.scope) as work:
        rows = work.session.query(PrintRow).filter(PrintRow.order_id == order_id).all()
    return [row.id for row in rows]


def print_all(company, order_id) -> None:
    for print_id in print_ids(company, order_id):
        handlers.print_due_cards(company.scope, gifts.CardsDue(object_id=print_id))


def files_of(company, order_id) -> list[bytes]:
    with unit_of_work(company.as_("issuer")) as work:
        tickets = gifts.open_cards(work, order_id)
    found = [
        gifts.read_cards(each.tenant_id, each.print_id, each.file_id, sha256=each.sha256)
        for each in tickets
    ]
    assert all(found)
    return [each for each in found if each]


def read_codes(pdf: bytes) -> list[str]:
    document = pypdfium2.PdfDocument(io.BytesIO(pdf))
    pages = [document[number].render(scale=200 / 72).to_pil() for number in range(len(document))]
    return [code.text for page in pages for code in zxingcpp.read_barcodes(page, formats=QR_ONLY)]


def words_of(pdf: bytes) -> str:
    document = pypdfium2.PdfDocument(io.BytesIO(pdf))
    return "".join(page.get_textpage().get_text_range() for page in document)


def test_every_card_carries_the_link_of_its_own_gift(company):
    order_id = company.sent(10, "card")
    print_all(company, order_id)
    (pdf,) = files_of(company, order_id)
    with unit_of_work(company.scope) as work:
        links = {gifts.get_link(work, gift.id).upper() for gift in company.gifts(order_id)}
    assert set(read_codes(pdf)) == links
    assert len(links) == 10
    words = words_of(pdf)
    assert all(gift.name in words for gift in company.gifts(order_id))
    assert "受取 3 様" in words


def test_at_rest_the_file_is_sealed_and_it_is_on_record_who_took_it(company, settings):
    order_id = company.sent(2, "card")
    print_all(company, order_id)
    files_of(company, order_id)
    kept = list(settings.home.glob(f"files/{company.scope.tenant_id}/gift_cards/*"))
    assert len(kept) == 1
    assert b"%PDF" not in kept[0].read_bytes()
    from giftpad import audit

    with unit_of_work(company.scope) as work:
        newest = audit.list_entries(work)[0]
    assert (newest.action, newest.details["cards"]) == ("gift_cards.taken", 2)


def test_many_cards_are_divided_into_files(company, monkeypatch):
    from giftpad.gifts.commands import prints

    monkeypatch.setattr(prints, "CARDS_MAX", 4)
    order_id = company.sent(10, "card")
    print_all(company, order_id)
    with unit_of_work(company.scope) as work:
        found = gifts.list_prints(work, order_id)
    assert [(each.quantity, each.state) for each in found] == [(4, "ready")] * 2 + [(2, "ready")]
    codes = [code for pdf in files_of(company, order_id) for code in read_codes(pdf)]
    assert len(set(codes)) == 10


def test_printed_twice_at_once_it_is_one_file(company):
    order_id = company.sent(2, "card")
    (print_id,) = print_ids(company, order_id)
    from giftpad.gifts.commands.prints import start_print
    from giftpad.gifts.errors import PrintBusy

    with unit_of_work(company.scope) as work:
        assert start_print(work, print_id) is not None
    with pytest.raises(PrintBusy), unit_of_work(company.scope) as work:
        start_print(work, print_id)


def test_after_a_month_the_file_is_gone_and_can_be_printed_again(company, fresh_clock):
    order_id = company.sent(2, "card")
    print_all(company, order_id)
    fresh_clock(timedelta(days=31))
    assert jobs.throw_away_prints(company.scope) == 1
    with pytest.raises(gifts.PrintGone):
        files_of(company, order_id)
    with unit_of_work(company.as_("issuer")) as work:
        assert gifts.print_again(work, order_id) == 1
    print_all(company, order_id)
    assert len(read_codes(files_of(company, order_id)[0])) == 2


@pytest.mark.parametrize(
    ("name", "code"), [("あ" * 21, "name.card"), ("\U0001f600 山田", "name.glyph")]
)
def test_a_name_that_no_card_can_carry_is_named_before_anything_is_ordered(company, name, code):
    order_id = company.draft(channel="card")
    line = cells(1, "card")[0]
    company.take(order_id, [gifts.Cells(line=2, cells=line.cells | {"name": name})])
    with unit_of_work(company.scope) as work:
        (found,) = gifts.list_lines(work, order_id, faulty_only=True).items
    assert [fault.code for fault in found.faults] == [code]


def test_an_order_without_cards_has_none(company):
    order_id = company.sent(1)
    with pytest.raises(gifts.PrintNotFound), unit_of_work(company.scope) as work:
        gifts.open_cards(work, order_id)


def goes_by_mail(company, gift) -> None:
    with unit_of_work(company.as_("support")) as work:
        gifts.replace_card(
            work, gift.id, reason="lost", channel="mail", address=f"n{gift.number}@example.com"
        )


def serials_of(company, order_id) -> list[list[str]]:
    """Return what stands on each file, by the end of its numbers."""
    with unit_of_work(company.as_("issuer")) as work:
        tickets = gifts.open_cards(work, order_id)
    return [[serial[-2:] for serial in each.serials] for each in tickets]


def test_a_card_that_goes_by_mail_leaves_every_file_where_it_was(company, monkeypatch):
    monkeypatch.setattr(prints, "CARDS_MAX", 2)
    order_id = company.sent(4, "card")
    print_all(company, order_id)
    goes_by_mail(company, company.gifts(order_id)[0])
    assert len(files_of(company, order_id)) == 2
    assert serials_of(company, order_id) == [["02", "03"], ["04", "05"]], "as they are printed"


def test_printed_again_a_file_holds_its_own_people_without_who_went_away(
    company, monkeypatch, fresh_clock
):
    monkeypatch.setattr(prints, "CARDS_MAX", 2)
    order_id = company.sent(6, "card")
    print_all(company, order_id)
    first, _, third, fourth, *_ = company.gifts(order_id)
    for gift in (first, third, fourth):
        goes_by_mail(company, gift)
    fresh_clock(timedelta(days=31))
    assert jobs.throw_away_prints(company.scope) == 3
    with unit_of_work(company.as_("issuer")) as work:
        assert gifts.print_again(work, order_id) == 3
    print_all(company, order_id)
    assert serials_of(company, order_id) == [["03"], ["06", "07"]]
    with unit_of_work(company.scope) as work:
        links = [gifts.get_link(work, gift.id).upper() for gift in company.gifts(order_id)]
        assert [each.quantity for each in gifts.list_prints(work, order_id)] == [1, 2]
    assert [set(read_codes(pdf)) for pdf in files_of(company, order_id)] == [
        {links[1]},
        {links[4], links[5]},
    ]
