"""Recipients as they are handed in: all that is wrong is named, and mended where it stands."""

from __future__ import annotations

import pytest

from giftpad import gifts
from giftpad.kernel.work import unit_of_work
from tests.make_gifts import cells, make_company

pytestmark = pytest.mark.usefixtures("house")
GOOD = {"name": "山田 花子", "mail": "hana@example.com"}


@pytest.fixture
def company():
    return make_company()


def faults_of(company, *handed_in: dict[str, str], **draft: object) -> list[tuple[int, str, str]]:
    order_id = company.draft(**({"channel": "mail"} | draft))
    lines = [gifts.Cells(line=at, cells=each) for at, each in enumerate(handed_in, 2)]
    company.take(order_id, lines)
    with unit_of_work(company.scope) as work:
        page = gifts.list_lines(work, order_id, faulty_only=True)
    return [(line.number, fault.column, fault.code) for line in page.items for fault in line.faults]


@pytest.mark.parametrize(
    ("handed_in", "column", "code"),
    [
        ({"mail": "a@example.com"}, "name", "required"),
        (GOOD | {"name": "あ" * 61}, "name", "name.long"),
        (GOOD | {"name": "hana@example.com"}, "name", "name.address"),
        (GOOD | {"name": "山田\x07花子"}, "name", "character"),
        (GOOD | {"mail": "yamada@exmaple"}, "mail", "mail.shape"),
        (GOOD | {"mail": "yamada.example.com"}, "mail", "mail.at"),
        (GOOD | {"mail": "ya mada@example.com"}, "mail", "mail.space"),
        (GOOD | {"mail": "a@example.com, b@example.com"}, "mail", "mail.two"),
        (GOOD | {"phone": "12-34"}, "phone", "phone.shape"),
        (GOOD | {"phone": "9012345678"}, "phone", "phone.zero"),
        ({"name": "山田", "phone": "03-1234-5678"}, "phone", "phone.landline"),
        (GOOD | {"channel": "はと"}, "channel", "channel.unknown"),
        (GOOD | {"locale": "tlh"}, "locale", "locale.unknown"),
        (GOOD | {"note": "あ" * 201}, "note", "note.long"),
        (GOOD | {"external_id": "a b"}, "external_id", "external_id.shape"),
        ({"name": "山田"}, "mail", "required"),
        ({"name": "山田", "channel": "SMS"}, "phone", "required"),
    ],
)
def test_each_kind_of_fault_is_named_at_its_cell_and_has_a_remedy(company, handed_in, column, code):
    assert faults_of(company, handed_in) == [(2, column, code)]
    assert gifts.RECIPIENT_SENTENCES[code]


@pytest.mark.parametrize(
    ("handed_in", "channel", "address"),
    [
        (GOOD, "mail", "hana@example.com"),
        (GOOD | {"mail": "\uff48\uff41\uff4e\uff41\uff20example.com"}, "mail", "hana@example.com"),
        ({"name": "鈴木", "phone": "090-1234-5678"}, "sms", "+819012345678"),
        (GOOD | {"phone": "09012345678", "channel": "ショートメール"}, "sms", "+819012345678"),
        (GOOD | {"channel": "リンク"}, "link", ""),
    ],
)
def test_what_people_write_is_understood(company, handed_in, channel, address):
    order_id = company.draft(channel="mail")
    company.take(order_id, [gifts.Cells(line=2, cells=handed_in)])
    with unit_of_work(company.scope) as work:
        (line,) = gifts.list_lines(work, order_id).items
    assert (line.channel, line.address, line.faults) == (channel, address, ())


def test_a_reference_stands_there_once_and_was_never_used_before(company):
    again = GOOD | {"external_id": "A-1"}
    assert faults_of(company, again, again) == [(3, "external_id", "external_id.repeated")]
    order_id = company.draft()
    company.take(order_id, [gifts.Cells(line=2, cells=again)])
    company.submit(order_id)
    company.issue(order_id)
    assert faults_of(company, again) == [(2, "external_id", "external_id.known")]


def test_of_two_orders_with_one_reference_the_second_is_told_and_neither_stands_still(company):
    orders = []
    for _ in range(2):
        order_id = company.draft()
        line = cells(1)[0].cells | {"external_id": "B-1"}
        company.take(order_id, [gifts.Cells(line=7, cells=line)])
        orders.append(order_id)
    first, second = orders
    company.submit(first)
    with pytest.raises(gifts.ReferencesKnown) as refused:
        company.submit(second)
    assert refused.value.params == {"lines": "7"}
    before = company.budget()
    company.issue(first)
    assert company.order(first).state == "sent"
    with pytest.raises(gifts.ReferencesKnown):
        company.submit(second)
    assert company.budget() == before, "nothing was held for it"


def test_a_line_is_mended_where_it_stands(company):
    order_id = company.draft(channel="mail")
    company.take(order_id, [gifts.Cells(line=12, cells=GOOD | {"mail": "yamada@exmaple"})])
    with unit_of_work(company.as_("issuer")) as work:
        (fault,) = gifts.mend_line(work, order_id, 12, {"mail": "yamada"})
    assert fault.code == "mail.at"
    with unit_of_work(company.as_("issuer")) as work:
        assert gifts.mend_line(work, order_id, 12, {"mail": "yamada@example.com"}) == []
    with unit_of_work(company.scope) as work:
        (line,) = gifts.list_lines(work, order_id).items
    assert (line.name, line.address) == ("山田 花子", "yamada@example.com")


def test_mending_the_first_of_two_references_frees_the_second(company):
    order_id = company.draft(channel="mail")
    again = GOOD | {"external_id": "A-1"}
    company.take(order_id, [gifts.Cells(line=at, cells=again) for at in (2, 3)])
    with unit_of_work(company.as_("issuer")) as work:
        gifts.mend_line(work, order_id, 2, {"external_id": "A-2"})
    with unit_of_work(company.scope) as work:
        assert gifts.count_lines(work, order_id).faulty == 0


def test_faulty_lines_are_mended_or_left_out_before_it_is_submitted(company):
    order_id = company.draft(channel="mail")
    lines = [*cells(3, "mail"), gifts.Cells(line=9, cells={"name": "だれか"})]
    company.take(order_id, lines)
    with pytest.raises(gifts.LinesFaulty) as refused:
        company.submit(order_id)
    assert refused.value.params == {"count": 1}
    with unit_of_work(company.as_("issuer")) as work:
        assert gifts.leave_out(work, order_id) == 1
    with unit_of_work(company.scope) as work:
        assert gifts.count_lines(work, order_id).good == 3


def test_whoever_stands_there_twice_is_asked_about(company):
    order_id = company.draft(channel="link")
    same = {"name": "山田", "mail": "hana@example.com", "channel": "mail"}
    other = same | {"name": "鈴木", "mail": "HANA@example.com"}
    company.take(order_id, [gifts.Cells(line=at, cells=c) for at, c in ((12, same), (57, other))])
    with unit_of_work(company.scope) as work:
        assert gifts.list_repeats(work, order_id) == [(12, 57)]
    with pytest.raises(gifts.LinesRepeated):
        company.submit(order_id)
    with unit_of_work(company.as_("issuer")) as work:
        gifts.drop_repeats(work, order_id)
    with unit_of_work(company.scope) as work:
        assert [line.number for line in gifts.list_lines(work, order_id).items] == [12]


def test_a_spreadsheet_from_hell_names_every_fault_and_harms_no_good_line(company):
    broken = [
        {"name": "", "mail": "a@example.com"},
        {"name": "x" * 61, "mail": "a@example.com"},
        GOOD | {"mail": "no at"},
        GOOD | {"mail": "a@b"},
        {"name": "y", "phone": "90"},
        GOOD | {"channel": "?"},
    ]
    lines = []
    for at in range(5000):
        given = cells(1, "link")[0].cells | {"name": f"受取 {at}"}
        lines.append(gifts.Cells(line=at + 2, cells=given))
    for at in range(300):
        lines[at * 16] = gifts.Cells(line=at * 16 + 2, cells=broken[at % len(broken)])
    order_id = company.draft(channel="mail")
    assert company.take(order_id, lines) == 5000
    with unit_of_work(company.scope) as work:
        counts = gifts.count_lines(work, order_id)
    assert (counts.total, counts.faulty, counts.good) == (5000, 300, 4700)


def test_of_two_with_one_address_the_faulty_one_goes(company):
    order_id = company.draft(channel="mail")
    wrong = GOOD | {"name": "山田花子" * 20}
    company.take(order_id, [gifts.Cells(line=2, cells=wrong), gifts.Cells(line=3, cells=GOOD)])
    with unit_of_work(company.scope) as work:
        gifts.drop_repeats(work, order_id)
        gifts.leave_out(work, order_id)
        left = gifts.list_lines(work, order_id).items
    assert [line.number for line in left] == [3]
