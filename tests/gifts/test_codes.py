"""Codes without names: so many gifts for whoever gets them, taken out as a list of links."""

from __future__ import annotations

import itertools
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from giftpad import audit, gifts
from giftpad.gifts import handlers, jobs
from giftpad.gifts.commands import issuing
from giftpad.gifts.models import LineRow
from giftpad.gifts.rules.orders import CODES_CHUNK
from giftpad.kernel.work import unit_of_work
from tests.make_balances import make_giver
from tests.make_gifts import CONTRACT, FEES, VALUE, cells, make_company

pytestmark = pytest.mark.usefixtures("house")
CODE_FEE = 30
MANY = 3_000
AGREED = replace(CONTRACT, fees_minor=FEES | {"code": CODE_FEE}, approve_above_minor=0)


@pytest.fixture
def company():
    return make_company(contract=AGREED, deposit_minor=100_000_000)


def taken_out(company, order_id, **asked):
    """Return the codes of an order as a file has them, page by page."""
    with unit_of_work(company.scope) as work:
        taken = gifts.open_codes(work, order_id, **asked)
    found, first = [], taken.first
    while True:
        with unit_of_work(company.scope) as work:
            page = gifts.list_codes(work, order_id, first=first, last=taken.last)
        if not page:
            return taken, found
        found += page
        first = page[-1].number + 1


@pytest.fixture
def giver():
    """A company whose codes are amounts."""
    return make_giver()


def link_now(company, gift_id):
    with unit_of_work(company.scope) as work:
        return gifts.show_link(work, gift_id)


def tail_of(link):
    return link.rpartition("/")[2]


def test_what_codes_cost_is_held_and_every_code_opens_a_gift_of_its_own(company):
    before = company.budget()
    order_id = company.for_codes(MANY)
    assert company.submit(order_id) == "submitted"
    assert company.budget() == before - MANY * (VALUE + CODE_FEE)
    company.approve(order_id)
    company.issue(order_id)
    order = company.order(order_id)
    assert (order.state, order.issued, order.run_id) == ("sent", MANY, None)
    taken, codes = taken_out(company, order_id)
    assert (taken.count, [code.number for code in codes]) == (MANY, list(range(1, MANY + 1)))
    assert len({code.link for code in codes}) == MANY
    with unit_of_work(company.scope) as work:
        for code in (codes[0], codes[CODES_CHUNK], codes[-1]):
            tenant, locator = gifts.find_gift_tenant(tail_of(code.link))
            gift_id = gifts.find_gift_id(work, locator)
            letter = gifts.get_letter(work, gift_id)
            assert (tenant.id, letter.number) == (company.scope.tenant_id, code.number)
            assert (letter.state, letter.recipient_name) == ("open", "")
            assert letter.claim_by == code.claim_by
    assert company.differences() == []


@pytest.mark.parametrize("agreed", [{"code": 7}, {"link": 9}, {}], ids=["its own", "links", "none"])
def test_a_code_has_the_fee_of_a_link_where_none_is_agreed_for_it(agreed):
    company = make_company(contract=replace(AGREED, fees_minor=agreed))
    order_id = company.for_codes(10)
    company.submit(order_id)
    assert company.order(order_id).fees_minor == 10 * next(iter(agreed.values()), 0)


@pytest.mark.parametrize("count", [-1, 1_000_001, 10**30])
def test_no_order_has_more_codes_than_a_million(company, count):
    order_id = company.draft()
    with pytest.raises(gifts.CodesUnfit) as refused, unit_of_work(company.scope) as work:
        gifts.order_codes(work, order_id, count)
    assert refused.value.params == {"most": 1_000_000}
    assert company.order(order_id).codes == 0


def test_a_million_codes_are_ordered_as_quickly_as_one(company):
    order_id = company.for_codes(1_000_000)
    with pytest.raises(gifts.BudgetTooSmall), unit_of_work(company.as_("issuer")) as work:
        gifts.submit_order(work, order_id)
    assert company.order(order_id).state == "draft"
    with unit_of_work(company.scope) as work:
        mine = (LineRow.tenant_id == work.tenant_id, LineRow.order_id == order_id)
        assert work.session.execute(sa.select(LineRow.id).where(*mine)).first() is None


def test_an_order_is_for_people_or_for_codes(company):
    named, coded = company.draft(), company.for_codes(5)
    company.take(named, cells(2))
    with pytest.raises(gifts.RecipientsThere), unit_of_work(company.scope) as work:
        gifts.order_codes(work, named, 5)
    with pytest.raises(gifts.CodesChosen), unit_of_work(company.scope) as work:
        gifts.take_recipients(work, coded, cells(1), replaces=True)
    draft = company.order(coded).draft
    with pytest.raises(gifts.CodesChosen), unit_of_work(company.scope) as work:
        gifts.change_order(work, coded, replace(draft, channel="mail"))
    with unit_of_work(company.scope) as work:
        gifts.change_order(work, coded, replace(draft, title="抽せん"))
        gifts.order_codes(work, coded, 0)
    assert company.take(coded, cells(2, "link")) == 2, "without codes it is for people again"


def test_no_order_for_people_goes_by_codes(company):
    with pytest.raises(gifts.OrderUnfit):
        company.draft(channel="code")
    order_id = company.draft()
    draft = company.order(order_id).draft
    with pytest.raises(gifts.OrderUnfit), unit_of_work(company.scope) as work:
        gifts.change_order(work, order_id, replace(draft, channel="code"))


def test_submitted_from_two_tabs_codes_are_made_once(company):
    before, order_id = company.budget(), company.for_codes(10)

    def submit(_):
        try:
            return company.submit(order_id)
        except gifts.OrderWrongState:
            return "refused"

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(submit, range(2))) == ["refused", "submitted"]
    company.approve(order_id)
    for _ in range(2):
        company.issue(order_id)
    assert company.progress(order_id).issued == 10
    assert company.budget() == before - 10 * (VALUE + CODE_FEE)
    assert company.differences() == []


def test_a_worker_that_dies_between_chunks_leaves_no_code_double(company, monkeypatch):
    count = CODES_CHUNK + 1000
    order_id = company.for_codes(count)
    company.submit(order_id)
    company.approve(order_id)
    real, calls = issuing._write_codes, itertools.count(1)

    def die_once_in_the_middle(work, order, accounts, first):
        real(work, order, accounts, first)
        if next(calls) == 2:
            raise SystemExit

    monkeypatch.setattr(issuing, "_write_codes", die_once_in_the_middle)
    with pytest.raises(SystemExit):
        company.issue(order_id)
    order = company.order(order_id)
    assert (order.state, order.issued) == ("issuing", CODES_CHUNK)
    assert company.differences() == []
    with pytest.raises(gifts.CodesNotReady), unit_of_work(company.scope) as work:
        gifts.open_codes(work, order_id)
    with pytest.raises(gifts.CodesNotReady), unit_of_work(company.scope) as work:
        gifts.open_link_page(work, order_id)
    company.issue(order_id)
    assert company.order(order_id).state == "sent"
    _, codes = taken_out(company, order_id)
    assert [code.number for code in codes] == list(range(1, count + 1))
    assert company.differences() == []


def test_a_stopped_order_keeps_its_codes_and_gives_the_rest_back(company):
    before, count = company.budget(), CODES_CHUNK + 500
    order_id = company.for_codes(count)
    company.submit(order_id)
    company.approve(order_id)
    with unit_of_work(company.scope) as work:
        assert issuing.issue_chunk(work, order_id)
    with unit_of_work(company.scope) as work:
        assert gifts.stop_issuing(work, order_id, reason="too many") == CODES_CHUNK
    order = company.order(order_id)
    assert (order.state, order.quantity, order.codes) == ("sent", CODES_CHUNK, CODES_CHUNK)
    assert order.fees_minor == CODES_CHUNK * CODE_FEE
    assert company.budget() == before - CODES_CHUNK * (VALUE + CODE_FEE)
    taken, codes = taken_out(company, order_id)
    assert (taken.last, len(codes)) == (CODES_CHUNK, CODES_CHUNK)
    with unit_of_work(company.scope) as work:
        invoice = gifts.find_invoice(work, order_id)
    assert invoice.total_minor == CODES_CHUNK * (VALUE + CODE_FEE)
    assert company.differences() == []


def test_one_stopped_before_its_first_code_is_a_draft_for_as_many(company):
    before, order_id = company.budget(), company.for_codes(10)
    company.submit(order_id)
    company.approve(order_id)
    with unit_of_work(company.scope) as work:
        assert gifts.stop_issuing(work, order_id, reason="a mistake") == 0
    order = company.order(order_id)
    assert (order.state, order.codes, company.budget()) == ("draft", 10, before)
    assert company.submit(order_id) == "submitted"


def test_a_code_that_was_claimed_or_taken_back_is_in_no_later_file(company):
    order_id = company.sent_codes(5)
    made = company.gifts(order_id)
    company.claim(made[1].id)
    with unit_of_work(company.scope) as work:
        gifts.cancel_gift(work, made[3].id, reason="lost")
    before = {code.number: code.link for code in taken_out(company, order_id)[1]}
    assert sorted(before) == [1, 3, 5]
    again = {code.number: code.link for code in taken_out(company, order_id)[1]}
    assert again == before, "the same code whenever it is taken out"
    assert company.differences() == []


def test_a_code_that_somebody_bought_with_is_theirs_whatever_is_left(giver):
    order_id = giver.sent_codes(3)
    bought, kept, free = giver.gifts(order_id)
    giver.buy(bought.id, "CUP")
    giver.keep(kept.id)
    taken, codes = taken_out(giver, order_id)
    assert (taken.count, [code.number for code in codes]) == (1, [free.number])
    with unit_of_work(giver.scope) as work:
        page = gifts.open_link_page(work, order_id)
    assert [link.number for link in page.items] == [free.number]


def test_a_code_whose_choice_ran_out_stays_with_whoever_chose(company):
    order_id = company.sent_codes(2)
    chosen, free = company.gifts(order_id)
    claim_id = company.claim(chosen.id)
    with unit_of_work(company.scope) as work:
        gifts.choose_again(work, claim_id, reason="none left")
    assert [gift.state for gift in company.gifts(order_id)] == ["outstanding", "outstanding"]
    assert [code.number for code in taken_out(company, order_id)[1]] == [free.number]


def test_a_code_that_was_bought_with_is_replaced_for_the_same_person_only(giver):
    gift = giver.gifts(giver.sent_codes(1))[0]
    with unit_of_work(giver.scope) as work:
        gifts.note_opened(work, gift.id)
    giver.buy(gift.id, "CUP")
    opened_at = giver.now(gift.id).opened_at
    link = link_now(giver, gift.id)
    with pytest.raises(gifts.PartlyTaken), unit_of_work(giver.scope) as work:
        gifts.replace_code(work, gift.id, reason="lost")
    assert link_now(giver, gift.id) == link
    with unit_of_work(giver.scope) as work:
        gifts.replace_code(work, gift.id, reason="lost", same_person=True)
    assert link_now(giver, gift.id) != link
    assert len(giver.letter(gift.id).items) == 1, "they see what they bought"
    assert giver.now(gift.id).opened_at == opened_at is not None


def test_a_code_whose_choice_ran_out_is_replaced_for_the_same_person_only(company):
    order_id = company.sent_codes(1)
    (gift,) = company.gifts(order_id)
    claim_id = company.claim(gift.id)
    with unit_of_work(company.scope) as work:
        gifts.choose_again(work, claim_id, reason="none left")
    chosen = company.gifts(order_id)[0]
    assert (chosen.claimed_minor, chosen.is_chosen) == (0, True)
    link = link_now(company, gift.id)
    with pytest.raises(gifts.PartlyTaken), unit_of_work(company.scope) as work:
        gifts.replace_code(work, gift.id, reason="lost")
    assert link_now(company, gift.id) == link
    with unit_of_work(company.scope) as work:
        gifts.replace_code(work, gift.id, reason="lost", same_person=True)
    assert link_now(company, gift.id) != link
    assert company.gifts(order_id)[0].opened_at == chosen.opened_at is not None
    assert taken_out(company, order_id)[1] == []
    with unit_of_work(company.scope) as work:
        wanted = audit.EntryFilter(actions=("gift.code_replaced",))
        (entry,) = audit.list_entries(work, wanted)
    assert entry.details == {"count": 1, "same_person": True, "reason": "lost"}


def test_the_file_of_links_is_none_of_codes(company):
    order_id = company.sent_codes(2)
    with pytest.raises(gifts.OrderWrongState), unit_of_work(company.scope) as work:
        gifts.open_links(work, order_id)


def test_a_volume_holds_the_same_numbers_whatever_became_of_others(company, monkeypatch):
    monkeypatch.setattr("giftpad.gifts.commands.codes.VOLUME", 4)
    order_id = company.sent_codes(10)
    company.claim(company.gifts(order_id)[0].id)
    volumes = [taken_out(company, order_id, volume=n)[1] for n in (1, 2, 3)]
    assert [[code.number for code in each] for each in volumes] == [
        [2, 3, 4],
        [5, 6, 7, 8],
        [9, 10],
    ]
    for beyond in (0, -1, 4, 10**9):
        with pytest.raises(gifts.VolumeNotFound), unit_of_work(company.scope) as work:
            gifts.open_codes(work, order_id, volume=beyond)


def test_every_file_is_on_record_with_its_numbers_before_a_code_leaves(company):
    order_id = company.sent_codes(7)
    taken_out(company, order_id)
    with unit_of_work(company.scope) as work:
        wanted = audit.EntryFilter(subjects=(f"gift_order:{order_id}",), limit=5)
        newest = audit.list_entries(work, wanted)[0]
    assert newest.action == "gift_order.codes_taken"
    assert newest.details == {"first": 1, "last": 7, "count": 7}


def test_codes_end_as_every_gift_does(company, fresh_clock):
    before = company.budget()
    order_id = company.sent_codes(1_500)
    made = company.gifts(order_id)
    company.claim(made[0].id)
    with unit_of_work(company.scope) as work:
        last = made[1].claim_by
        gifts.extend_gift(work, made[1].id, last + timedelta(days=9), reason="asked for")
    fresh_clock(timedelta(days=AGREED.claim_days + 1))
    jobs.end_due(company.scope)
    told = company.progress(order_id)
    assert (told.claimed, told.expired, told.outstanding_minor) == (1, 1_498, VALUE)
    with unit_of_work(company.scope) as work:
        assert gifts.cancel_rest(work, order_id, reason="over") == 1
    jobs.end_due(company.scope)
    assert company.order(order_id).state == "closed"
    assert company.budget() == before - VALUE - 1_500 * CODE_FEE
    assert company.differences() == []


def test_the_rest_is_taken_back_to_the_last_code(company):
    before = company.budget()
    order_id = company.sent_codes(2_300)
    company.claim(company.gifts(order_id)[0].id)
    with unit_of_work(company.scope) as work:
        assert gifts.begin_cancelling(work, order_id, reason="a recall") == 1_000
    handlers.cancel_due_rest(company.scope, gifts.RestDue(object_id=order_id, reason="a recall"))
    told = company.progress(order_id)
    assert (told.claimed, told.cancelled, told.outstanding_minor) == (1, 2_299, 0)
    assert company.budget() == before - VALUE - 2_300 * CODE_FEE
    assert company.differences() == []


def test_what_one_delivery_cannot_take_back_the_next_does(company, monkeypatch):
    monkeypatch.setattr(handlers, "REST_CHUNKS_MAX", 1)
    order_id = company.sent_codes(2_300)
    due = gifts.RestDue(object_id=order_id, reason="a recall")
    for left in (1_300, 300, 0):
        handlers.cancel_due_rest(company.scope, due)
        assert company.progress(order_id).outstanding_minor == left * VALUE
    asked = sa.text("SELECT count(*) FROM event_outbox WHERE tenant_id = :t AND name = :n")
    with unit_of_work(company.scope) as work:
        values = {"t": company.scope.tenant_id, "n": gifts.RestDue.name}
        assert work.session.execute(asked, values).scalar_one() == 3, "each asks for the next"


def test_nobody_is_written_to_about_a_code(company, fresh_clock):
    order_id = company.sent_codes(3)
    made = company.gifts(order_id)
    fresh_clock(timedelta(days=AGREED.claim_days - 5))
    assert jobs.remind_due(company.scope) == 0
    for act in (
        lambda work: gifts.resend(work, made[0].id),
        lambda work: gifts.readdress(work, made[0].id, channel="mail", address="hana@example.com"),
        lambda work: gifts.readdress(work, made[0].id, channel="link", address=""),
        lambda work: gifts.replace_card(work, made[0].id, reason="lost"),
    ):
        with pytest.raises(gifts.GiftWrongState), unit_of_work(company.scope) as work:
            act(work)


def test_the_link_of_one_code_is_shown_and_opens_it(company):
    order_id = company.sent_codes(3)
    gift = company.gifts(order_id)[1]
    with unit_of_work(company.scope) as work:
        link = gifts.show_link(work, gift.id)
    assert link == taken_out(company, order_id)[1][1].link


def test_whoever_gets_a_code_may_pass_it_on(company):
    order_id = company.sent_codes(1, can_be_passed_on=True)
    (gift,) = company.gifts(order_id)
    with unit_of_work(company.scope) as work:
        _, locator = gifts.find_gift_tenant(tail_of(gifts.show_link(work, gift.id)))
    wish = gifts.PassOn(
        gift_id=gift.id, locator=locator, key="k1", name="佐藤 次郎", channel="link"
    )
    with unit_of_work(company.scope) as work:
        link = gifts.pass_on(work, wish)
    with unit_of_work(company.scope) as work:
        letter = gifts.get_letter(work, gift.id)
    assert letter.recipient_name == "佐藤 次郎"
    assert company.gifts(order_id)[0].name == ""
    assert taken_out(company, order_id)[1] == [], "its link is somebody else's by now"
    assert link is not None


def test_the_pages_of_links_hold_every_code_once(company):
    order_id = company.sent_codes(7)
    found, after = [], 0
    while after is not None:
        with unit_of_work(company.scope) as work:
            page = gifts.open_link_page(work, order_id, after=after, limit=3)
        found += [(each.number, each.link) for each in page.items]
        after = page.next_after
    assert found == [(code.number, code.link) for code in taken_out(company, order_id)[1]]


@pytest.mark.long
def test_a_hundred_thousand_codes_are_made_and_taken_out_in_flat_memory():
    count = 100_000
    company = make_company(contract=AGREED, deposit_minor=count * (VALUE + CODE_FEE))
    order_id = company.for_codes(count)
    company.submit(order_id)
    company.approve(order_id)
    company.issue(order_id)  # the first delivery: whatever is loaded once is loaded by now
    tracemalloc.start()
    while company.order(order_id).state == "issuing":
        company.issue(order_id)
    made = tracemalloc.get_traced_memory()[1]
    tracemalloc.reset_peak()
    numbers, last = 0, 0
    with unit_of_work(company.scope) as work:
        taken = gifts.open_codes(work, order_id)
    while last < taken.last:
        with unit_of_work(company.scope) as work:
            page = gifts.list_codes(work, order_id, first=last + 1, last=taken.last)
        numbers, last = numbers + len(page), page[-1].number
    read = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (numbers, last) == (count, count)
    assert max(made, read) < 16 * 1024 * 1024, "a chunk at a time, however many there are"
    assert company.differences() == []
