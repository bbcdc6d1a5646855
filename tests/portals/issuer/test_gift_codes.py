"""Codes without names at the desk: how many, the way to them, their file, one that was lost."""

from __future__ import annotations

import csv
import io
import itertools
import re
from datetime import timedelta

import pytest

from giftpad import audit, gifts
from giftpad.gifts.commands import issuing
from giftpad.kernel.clock import local_date
from giftpad.kernel.ids import new_id
from giftpad.kernel.work import unit_of_work
from tests.make_gift_pages import MESSAGE, Company, decision, hand_in, make_company, path
from tests.portals.gift.conftest import Sent, open_gift
from tests.portals.issuer.counter import send, words

CODE_FEE = 50
VALUE = 5000
_networks = itertools.count(1)


@pytest.fixture
def company(house, settings, tmp_path) -> Company:
    return make_company(settings, tmp_path)


def wish(browser, order_id, count, **more):
    """Ask for so many codes in the step of the recipients."""
    browser.get(path(order_id, "/recipients"))
    sent = {"count": str(count), "go": "codes", "key": new_id().hex} | more
    return browser.post(path(order_id, "/recipients/codes"), sent)


def begin(company, browser):
    order_id = company.begin(browser)
    browser.post(
        path(order_id, "/design"),
        {
            "title": "株主優待",
            "design": "musubi",
            "sender_name": "株式会社はなまる",
            "message": MESSAGE,
            "locale": "ja",
        },
    )
    browser.post(path(order_id, "/goods"), {"course": str(company.course_id)})
    return order_id


def prepared(company, browser, count=12):
    order_id = begin(company, browser)
    answer = wish(browser, order_id, count)
    assert answer.headers["Location"].endswith("/when"), answer.text[:2000]
    with unit_of_work(company.site.scope) as work:
        last = local_date(work.at, "Asia/Tokyo") + timedelta(days=60)
    answer = browser.post(path(order_id, "/when"), {"start": "now", "claim_by": last.isoformat()})
    assert answer.status_code == 303, answer.text
    return order_id


def made(company, count=12):
    return company.send(prepared(company, company.person("issuer"), count))


def rows_of(answer):
    assert answer.status_code == 200
    data = answer.get_data()
    assert data.startswith(b"\xef\xbb\xbf"), "or a spreadsheet takes Japanese for something else"
    head, *rows = csv.reader(io.StringIO(data.decode("utf-8-sig")))
    return head, rows


def opened(company, link, language="en"):
    """Open a link on somebody's telephone, on a network that nobody has used before."""
    phone = company.site.nobody()
    number = next(_networks)
    phone.http.environ_base["REMOTE_ADDR"] = f"203.1.{number // 250}.{number % 250 + 1}"
    phone.headers = phone.headers | {"Accept-Language": language}
    return open_gift(phone, Sent(new_id(), new_id(), link))


def test_codes_are_ordered_at_the_desk_and_taken_out_as_a_file(company):
    issuer = company.person("issuer")
    before = company.budget()
    order_id = prepared(company, issuer, 12)
    check = words(issuer.get(path(order_id, "/check")))
    assert "12 codes = ¥60,600" in check
    assert "Code without a name" in check
    assert "Send one to myself" not in check, "there is no letter"
    company.submit(issuer, order_id)
    assert company.budget() == before - 12 * (VALUE + CODE_FEE)
    company.work_off()
    board = issuer.get(path(order_id))
    said = words(board)
    assert "Made 12 100 percent" in said
    assert "Delivered" not in said[: said.index("The gifts")]
    assert "Code 12" in said
    assert "(forgotten)" not in said
    assert "All codes (CSV)" in said
    answer = issuer.get(path(order_id, "/codes.csv"))
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=codes-")
    head, rows = rows_of(answer)
    assert head == ["Number", "Link to the gift", "Gift", "Last day to claim a gift"]
    assert [row[0] for row in rows] == [str(n) for n in range(1, 13)]
    assert {row[2] for row in rows} == {"5000円コース"}
    assert rows_of(issuer.get(path(order_id, "/codes.csv"))) == (head, rows), "the same again"
    assert company.differences() == []


def test_every_line_of_the_file_opens_its_gift_and_is_claimed_once(company):
    order_id = made(company, 3)
    _, rows = rows_of(company.person("issuer").get(path(order_id, "/codes.csv")))
    for _, link, *_ in rows:
        assert opened(company, link).status_code == 200
    first, *_ = company.gifts(order_id)
    company.claim(first.id)
    with pytest.raises(gifts.GiftOver):
        company.claim(first.id)
    _, later = rows_of(company.person("issuer").get(path(order_id, "/codes.csv")))
    assert later == rows[1:]


@pytest.mark.parametrize("typed", ["0", "-1", "1000001", "1,000,001", "abc", "", "1.5", "1e3"])
def test_a_number_that_no_order_can_have_is_named_at_its_field(company, typed):
    issuer = company.person("issuer")
    order_id = begin(company, issuer)
    answer = wish(issuer, order_id, typed)
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.text
    assert "Error:" in answer.text
    assert company.order(order_id).codes == 0


@pytest.mark.parametrize(("typed", "count"), [("1", 1), ("1,000,000", 1_000_000), ("300", 300)])
def test_as_many_as_an_order_can_have(company, typed, count):
    issuer = company.person("issuer")
    order_id = begin(company, issuer)
    assert wish(issuer, order_id, typed).status_code == 303
    assert company.order(order_id).codes == count


def test_an_order_with_recipients_says_so_and_one_for_codes_takes_no_list(company):
    issuer = company.person("issuer")
    order_id = company.prepare(issuer)
    refused = wish(issuer, order_id, 5)
    assert refused.status_code == 409
    assert "This order has 2 recipients" in words(refused)
    coded = begin(company, issuer)
    wish(issuer, coded, 5)
    refused = hand_in(issuer, coded, "氏名,メール\n山田 花子,hana@example.com\n")
    assert refused.status_code == 409
    assert "This order is for 5 codes" in words(refused)
    page = words(issuer.get(path(coded, "/recipients")))
    assert "5 codes" in page
    assert "Hand in a list" not in page
    assert wish(issuer, coded, "", go="none").status_code == 303
    assert "Hand in a list" in words(issuer.get(path(coded, "/recipients")))
    assert hand_in(issuer, coded, "氏名,メール\n山田 花子,hana@example.com\n").status_code == 303


def test_submitted_twice_the_codes_are_made_once(company):
    issuer = company.person("issuer")
    before = company.budget()
    order_id = prepared(company, issuer, 4)
    issuer.get(path(order_id, "/check"))
    sent = decision(issuer)
    for _ in range(2):
        assert issuer.post(path(order_id, "/submit"), sent).status_code == 303
    company.work_off()
    assert len(company.gifts(order_id)) == 4
    assert company.budget() == before - 4 * (VALUE + CODE_FEE)


def test_a_second_person_approves_what_costs_much(company):
    issuer = company.person("issuer")
    order_id = prepared(company, issuer, 30)
    company.submit(issuer, order_id)
    assert company.order(order_id).state == "submitted"
    waiting = words(issuer.get(path(order_id)))
    assert "30 codes" in waiting
    assert "Code without a name 30" in waiting


def test_while_codes_are_made_there_is_no_file_and_the_board_says_so(company, monkeypatch):
    monkeypatch.setattr(issuing, "CODES_CHUNK", 2)
    issuer = company.person("issuer")
    order_id = prepared(company, issuer, 5)
    company.submit(issuer, order_id)
    with unit_of_work(company.site.scope) as work:
        issuing.issue_chunk(work, order_id)
    said = words(issuer.get(path(order_id)))
    assert "2 of 5 gifts are made" in said
    assert "The file with the codes is here once all of them are made." in said
    refused = issuer.get(path(order_id, "/codes.csv"))
    assert refused.status_code == 409
    assert "2 of 5 codes are made" in words(refused)
    answer = send(issuer, path(order_id, "/stop"), {"why": "other", "words": "enough"})
    assert answer.status_code == 303, answer.text[:3000]
    order = company.order(order_id)
    assert (order.state, order.quantity, order.fees_minor) == ("sent", 2, 2 * CODE_FEE)
    assert len(rows_of(issuer.get(path(order_id, "/codes.csv")))[1]) == 2
    assert company.differences() == []


def test_large_orders_are_taken_out_part_by_part(company, monkeypatch):
    monkeypatch.setattr(gifts, "VOLUME", 4)
    monkeypatch.setattr("giftpad.gifts.commands.codes.VOLUME", 4)
    issuer = company.person("issuer")
    order_id = made(company, 10)
    page = issuer.get(path(order_id))
    assert "Numbers 5 to 8" in words(page)
    hrefs = re.findall(r'href="([^"]*codes\.csv\?volume=\d+)"', page.text)
    parts = [rows_of(issuer.get(href))[1] for href in hrefs]
    assert [len(part) for part in parts] == [4, 4, 2]
    assert list(itertools.chain(*parts)) == rows_of(issuer.get(path(order_id, "/codes.csv")))[1]
    for none in ("0", "4", "abc", "-1"):
        assert issuer.get(path(order_id, f"/codes.csv?volume={none}")).status_code == 404


def test_who_took_which_codes_is_on_record(company):
    order_id = made(company, 3)
    company.person("issuer").get(path(order_id, "/codes.csv"))
    with unit_of_work(company.site.scope) as work:
        wanted = audit.EntryFilter(actions=("gift_order.codes_taken",))
        (entry,) = audit.list_entries(work, wanted)
    assert (entry.details["count"], entry.details["first"], entry.details["last"]) == (3, 1, 3)
    assert entry.actor["kind"] == "person"
    board = words(company.person("viewer").get(path(order_id)))
    assert "Took codes without names out" in board
    assert "From number: 1 · Up to number: 3 · How many: 3" in board


@pytest.mark.parametrize("role", ["viewer", "support", "approver"])
def test_only_whoever_orders_takes_codes_out(company, role):
    order_id = made(company, 3)
    browser = company.person(role)
    assert browser.get(path(order_id, "/codes.csv")).status_code == 403
    assert "All codes (CSV)" not in words(browser.get(path(order_id)))


def test_no_cell_of_the_file_is_a_formula(company, monkeypatch):
    monkeypatch.setattr("giftpad.portals.issuer.gift_codes.name_goods", lambda *_: "=1+1")
    issuer = company.person("issuer")
    order_id = made(company, 2)
    _, rows = rows_of(issuer.get(path(order_id, "/codes.csv")))
    assert [cell for row in rows for cell in row if "1+1" in cell] == ["'=1+1"] * 2
    assert not [cell for row in rows for cell in row if cell[:1] in "=+-@\t"]


def test_an_order_for_people_has_no_codes(company):
    order_id = company.sent()
    issuer = company.person("issuer")
    assert issuer.get(path(order_id, "/codes.csv")).status_code == 409
    assert issuer.get(path(new_id(), "/codes.csv")).status_code == 404


def test_a_lost_code_gets_another_link_and_the_old_one_opens_nothing(company):
    order_id = made(company, 3)
    issuer, support = company.person("issuer"), company.person("support")
    _, before = rows_of(issuer.get(path(order_id, "/codes.csv")))
    gift = company.gifts(order_id)[1]
    here = f"/desk/gifts/one/{gift.id}"
    page = words(support.get(here))
    assert "The code was lost" in page
    assert "Another address" not in page
    asked = support.get(f"{here}/replace")
    assert not re.search(r'value="lost"[^>]*checked', asked.text), "nobody knows where a code is"
    answer = support.post(f"{here}/replace", {"key": support.key(), "why": "lost"})
    assert answer.status_code == 303, answer.text[:3000]
    page = words(support.follow(answer))
    assert "Show the link to get the new one, or take the file again." in page
    assert "To the same person" not in page
    _, after = rows_of(issuer.get(path(order_id, "/codes.csv")))
    assert after[0] == before[0]
    assert after[2] == before[2]
    assert after[1][0] == "2"
    assert after[1][1] != before[1][1]
    old = opened(company, before[1][1])
    assert old.status_code == 410
    assert "This code was replaced by a new one" in words(old)
    new = opened(company, after[1][1])
    assert new.status_code == 200
    assert company.differences() == []


def test_a_code_whose_choice_ran_out_goes_to_whoever_chose_and_is_in_no_file(company):
    order_id = made(company, 2)
    gift = company.gifts(order_id)[0]
    claim_id = company.claim(gift.id)
    with unit_of_work(company.site.scope) as work:
        gifts.choose_again(work, claim_id, reason="none left")
    support, here = company.person("support"), f"/desk/gifts/one/{gift.id}"
    assert 'name="same_person"' in support.get(f"{here}/replace").text
    assert "The gift belongs to whoever chose it" in words(support.last)
    form = {"key": support.key(), "why": "lost"}
    refused = support.post(f"{here}/replace", form)
    assert refused.status_code == 409
    assert "Something was chosen with this gift already. Nothing was changed." in words(refused)
    assert 'href="#same_person"' in refused.text, "the way to the tick"
    assert 'id="same_person"' in refused.text
    answer = support.post(f"{here}/replace", form | {"same_person": "yes"})
    assert answer.status_code == 303, answer.text[:3000]
    page = words(support.follow(answer))
    assert "Show the link to get the new one." in page
    assert "take the file again" not in page
    assert "To the same person: Yes" in page.replace(" :", ":")
    shown = words(support.post(f"{here}/link", {}))
    assert "Somebody has chosen with this gift already" in shown
    other = f"/desk/gifts/one/{company.gifts(order_id)[1].id}"
    support.get(other)
    assert "Whoever holds this link can claim the gift." in words(support.post(f"{other}/link", {}))


def test_thanks_of_nobody_known_come_from_a_recipient(company):
    order_id = made(company, 2)
    gift = company.gifts(order_id)[0]
    company.claim(gift.id)
    with unit_of_work(company.site.scope) as work:
        gifts.thank(work, gift.id, stamp="delighted", words="うれしいです。")
    said = words(company.person("viewer").get(path(order_id)))
    assert "— A recipient" in said


def test_codes_are_found_by_their_number(company):
    order_id = made(company, 12)
    found = company.person("viewer").get(path(order_id), query_string={"q": "7"})
    assert re.findall(r"Code \d+", words(found)[words(found).index("The gifts") :])[:1] == [
        "Code 7"
    ]


@pytest.mark.parametrize(("language", "sir"), [("ja", "様"), ("en", "Dear")])
def test_the_letter_of_a_code_greets_nobody_by_an_empty_name(company, language, sir):
    order_id = made(company, 1)
    ((_, link, *_),) = rows_of(company.person("issuer").get(path(order_id, "/codes.csv")))[1]
    said = words(opened(company, link, language))
    assert MESSAGE in said
    assert sir not in said
    preview = company.person("viewer").get(path(order_id, "/preview"))
    assert "sample)" not in words(preview)
    assert "The mail" not in words(preview)


def test_the_board_of_very_many_codes_is_not_read_every_few_seconds(company, monkeypatch):
    order_id = made(company, 12)
    viewer = company.person("viewer")
    assert 'hx-trigger="every 3s"' in viewer.get(path(order_id)).text
    monkeypatch.setattr("giftpad.portals.issuer.gift_board.LARGE", 11)
    assert 'hx-trigger="every 30s"' in viewer.get(path(order_id)).text
