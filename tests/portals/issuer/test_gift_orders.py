"""Gift orders at the desk: prepared step by step, mended, handed in, approved, taken back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from babel.dates import format_date

from giftpad import gifts
from giftpad.gifts import jobs
from giftpad.kernel.work import unit_of_work
from giftpad.portals.issuer import gift_columns
from tests.make_gift_pages import (
    MESSAGE,
    PEOPLE,
    Company,
    decision,
    hand_in,
    make_company,
    path,
)
from tests.make_pages import inputs
from tests.portals.issuer.counter import words

FAULTY = PEOPLE + "佐藤 三郎,saburo@exmaple,A-3\n,nobody@example.com,A-4\n"


@pytest.fixture
def company(house, settings, tmp_path) -> Company:
    return make_company(settings, tmp_path)


def counts(company, order_id):
    with unit_of_work(company.site.scope) as work:
        return gifts.count_lines(work, order_id)


def test_the_list_is_empty_until_an_order_is_begun(company):
    browser = company.person("issuer")
    assert "No gifts have been sent yet." in words(browser.get("/desk/gifts"))
    key = browser.key()
    first = browser.post("/desk/gifts", {"key": key})
    second = browser.post("/desk/gifts", {"key": key})
    assert first.headers["Location"] == second.headers["Location"]
    with unit_of_work(company.site.scope) as work:
        assert len(gifts.list_orders(work).items) == 1
    assert "Draft" in words(browser.get("/desk/gifts"))


def test_each_step_is_saved_and_leads_on(company):
    browser = company.person("issuer")
    order_id = company.prepare(browser)
    said = words(browser.get(path(order_id, "/check")))
    assert "2 gifts = ¥10,300" in said
    assert "Mail 2 ¥5,150 ¥10,300" in said
    assert MESSAGE in words(browser.get(path(order_id, "/design")))
    assert "A-2" in words(browser.get(path(order_id, "/recipients")))
    assert browser.get(path(order_id)).headers["Location"] == path(order_id, "/check")


def test_what_is_missing_is_said_with_the_way_to_it(company):
    browser = company.person("issuer")
    order_id = company.begin(browser)
    assert browser.get(path(order_id)).headers["Location"] == path(order_id, "/design")
    answer = browser.get(path(order_id, "/check"))
    assert "This is still missing" in words(answer)
    assert path(order_id, "/goods") in answer.text
    with unit_of_work(company.site.scope) as work:
        last = gifts.find_last_day(work, order_id)
    said = format_date(last, "d MMMM yyyy", locale="en")
    assert f"Last day to claim a gift {said}" in words(answer), "nobody named one yet"
    assert path(order_id, "/submit") not in answer.text
    assert answer.text.count("data-done") == 1, "of the steps only the day has been said, by itself"
    answer = browser.post(path(order_id, "/submit"), {"key": browser.key()})
    assert answer.status_code == 409
    assert company.order(order_id).state == "draft"


def test_what_is_typed_is_shown_before_it_is_saved(company):
    browser = company.person("issuer")
    order_id = company.begin(browser)
    browser.get(path(order_id, "/design"))
    fields = {"design": "oiwai", "sender_name": "見本商事", "message": "おめでとう", "locale": "ja"}
    answer = browser.post(path(order_id, "/preview"), fields)
    assert answer.status_code == 200
    assert "おめでとう" in answer.text
    assert 'data-design="oiwai"' in answer.text
    assert "見本 花子" in answer.text
    assert company.order(order_id).draft.message == ""


def test_the_mail_is_shown_in_the_words_in_which_it_is_sent(company, monkeypatch):
    browser = company.person("issuer")
    order_id = company.begin(browser)
    browser.get(path(order_id, "/design"))
    fields = {"title": "お歳暮", "sender_name": "見本商事", "message": "おめでとう", "locale": "ja"}
    shown = words(browser.post(path(order_id, "/preview"), fields))
    own = "見本商事より、見本 花子様へ贈りもののお知らせ"
    assert own in shown
    assert "会員登録もお支払いもいりません。" in shown
    monkeypatch.setattr("giftpad.messaging.commands.intents.find_wording", lambda *_: None)
    shown = words(browser.post(path(order_id, "/preview"), fields))
    assert own not in shown
    assert "お歳暮(見本商事からの贈りもの)" in shown
    unfit = fields | {"title": "お\u202e歳暮"}
    assert "お歳暮(" not in words(browser.post(path(order_id, "/preview"), unfit))


def test_faulty_rows_stand_there_and_are_mended_in_place(company):
    browser = company.person("issuer")
    order_id = company.prepare(browser, FAULTY)
    answer = browser.get(path(order_id, "/recipients"))
    said = words(answer)
    assert "2 ready 2 need you" in said
    assert "Check the part after the @" in said
    fields = {i["name"]: i["value"] for i in inputs(answer.text) if i["name"].startswith("mend-")}
    assert fields == {"mend-4-mail": "saburo@exmaple", "mend-5-name": ""}
    answer = browser.post(
        path(order_id, "/recipients/mend"),
        {"mend-4-mail": "saburo@example.com", "mend-5-name": ""},
    )
    assert "4 rows read: 3 ready, 1 need you." in words(browser.follow(answer))
    answer = browser.post(
        path(order_id, "/recipients/mend"), {"mend-5-name": "", "go": "leave-out"}
    )
    assert "Left out: 1 rows." in words(browser.follow(answer))
    assert (counts(company, order_id).total, counts(company, order_id).faulty) == (3, 0)
    csv = browser.get(path(order_id, "/recipients/corrected.csv")).get_data(as_text=True)
    assert "saburo@example.com" in csv
    assert "nobody@example.com" not in csv
    assert company.actions(f"gift_order:{order_id}") == ["gift_order.report_taken"]


def test_a_file_that_had_to_be_guessed_is_shown_first(company):
    browser = company.person("issuer")
    order_id = company.begin(browser)
    browser.get(path(order_id, "/recipients"))
    sheet = "お客さま,連絡先,部署\n山田 花子,hana@example.com,総務\n".encode("cp932")
    answer = hand_in(browser, order_id, sheet)
    assert answer.headers["Location"].startswith(path(order_id, "/recipients/columns"))
    said = words(browser.follow(answer))
    assert "山田 花子" in said
    assert "It was read as Shift_JIS." in said
    assert "Say above each column what stands in it." in said
    assert counts(company, order_id).total == 0
    where = path(order_id, "/recipients/columns")
    assert browser.post(where, {"field": ["", "mail", ""], "heading": "yes"}).status_code == 422
    answer = browser.post(where, {"field": ["name", "mail", ""], "heading": "yes"})
    assert answer.status_code == 303
    assert counts(company, order_id).good == 1
    again = hand_in(browser, order_id, sheet.decode("cp932"), replaces="yes")
    assert again.headers["Location"] == path(order_id, "/recipients")
    page = browser.follow(again)
    assert "All rows are ready: 1." in words(page)
    onward = f'href="{path(order_id, "/when")}"'
    assert onward in page.text.partition('id="hand-in"')[0].partition('id="stand"')[2]
    assert counts(company, order_id).good == 1


def guessed(company) -> tuple[Any, UUID]:
    """Return a browser, and a draft whose file waits to be looked at."""
    browser = company.person("issuer")
    order_id = company.begin(browser)
    browser.get(path(order_id, "/recipients"))
    sheet = "お客さま,連絡先,部署\n山田 花子,hana@example.com,総務\n".encode("cp932")
    hand_in(browser, order_id, sheet)
    return browser, order_id


def test_a_waiting_file_is_told_of_and_not_opened_for_it(company, monkeypatch):
    browser, order_id = guessed(company)

    def opened(*_):
        raise AssertionError

    monkeypatch.setattr("giftpad.tenancy.open_bytes", opened)
    assert path(order_id, "/recipients/columns") in browser.get(path(order_id, "/recipients")).text


def test_columns_named_in_two_windows_at_once_are_taken_once(company, monkeypatch):
    browser, order_id = guessed(company)
    where, fields = path(order_id, "/recipients/columns"), {"field": ["name", "mail", ""]}
    browser.get(where)

    def another_window_first(chosen):
        with unit_of_work(company.site.scope) as work:
            data = gifts.find_file(work, order_id)
            gifts.take_file(work, order_id, data, fields=fields["field"], replaces=False)
        return fault(chosen)

    fault = gift_columns._fault
    monkeypatch.setattr(gift_columns, "_fault", another_window_first)
    answer = browser.post(where, fields)
    assert answer.headers["Location"] == path(order_id, "/recipients")
    assert counts(company, order_id).good == 1


def test_a_row_that_cannot_be_is_left_out_of_nothing(company):
    browser = company.person("issuer")
    order_id = company.prepare(browser)
    answer = browser.post(path(order_id, "/recipients/leave-out"), {"line": ["9" * 5000, "x"]})
    assert answer.status_code == 303
    assert counts(company, order_id).total == 2


def test_until_when_somebody_must_approve_is_said_before_and_after(company, fresh_clock):
    browser = company.person("issuer")
    order_id = company.prepare(browser, many(30))
    assert "within 30 days" in words(browser.get(path(order_id, "/check")))
    company.submit(browser, order_id)
    assert "If nobody approves it by" in words(browser.get(path(order_id)))
    fresh_clock(gifts.APPROVED_WITHIN + timedelta(hours=1))
    jobs.lapse_waiting(company.site.scope)
    said = words(company.person("issuer").get(path(order_id, "/check")))
    assert "Nobody approved it in time" in said


def test_pasted_rows_and_single_people_are_taken_too(company):
    browser = company.person("issuer")
    order_id = company.begin(browser)
    browser.get(path(order_id, "/recipients"))
    fields = {
        "channel": "mail",
        "replaces": "no",
        "by": "paste",
        "pasted": PEOPLE.replace(",", "\t"),
    }
    for _ in range(2):
        answer = browser.post(path(order_id, "/recipients"), fields | {"key": "1" * 32})
        assert answer.status_code == 303
    one = {"name": "佐藤 三郎", "mail": "saburo@example.com", "key": "2" * 32}
    for _ in range(2):
        answer = browser.post(path(order_id, "/recipients/one"), one)
        assert "Added. 3 recipients are ready." in words(browser.follow(answer))


def test_a_file_whose_answer_was_lost_is_taken_once(company):
    browser = company.person("issuer")
    order_id = company.begin(browser)
    people = "氏名,送り方\n" + "".join(f"見本 {n},リンク\n" for n in range(5))
    for key, total in (("1" * 32, 5), ("1" * 32, 5), ("2" * 32, 10)):
        assert hand_in(browser, order_id, people, key=key).status_code == 303
        assert counts(company, order_id).total == total


UNREADABLE = (
    (b"", "people.csv", "The file is empty."),
    (b"%PDF-1.7 x", "people.pdf", "This is no table."),
    (b"name,mail\n\x81\xff\n", "people.csv", "neither UTF-8 nor Shift_JIS"),
    (b'name,mail\n"x,y\n', "people.csv", "quotation marks"),
)


def test_a_file_that_is_no_table_is_refused_and_says_why(company):
    browser = company.person("issuer")
    order_id = company.begin(browser)
    browser.get(path(order_id, "/recipients"))
    for data, name, said in UNREADABLE:
        answer = hand_in(browser, order_id, data, name=name)
        assert answer.status_code in (422, 413), (name, answer.status_code)
        assert said in words(answer), name
        assert counts(company, order_id).total == 0


def test_people_who_stand_there_twice_are_asked_about(company):
    browser = company.person("issuer")
    twice = PEOPLE + "山田 花子,hana@example.com,A-9\n"
    order_id = company.prepare(browser, twice)
    answer = browser.get(path(order_id, "/recipients"))
    assert "Rows 2, 4 have the same address." in words(answer)
    browser.get(path(order_id, "/check"))
    assert path(order_id, "/submit") not in browser.last.text
    browser.post(path(order_id, "/recipients/repeats"), {"go": "mean"})
    assert counts(company, order_id).total == 3
    assert path(order_id, "/submit") in browser.get(path(order_id, "/check")).text
    browser.post(path(order_id, "/recipients/repeats"), {"go": "drop"})
    assert counts(company, order_id).total == 2


def many(count):
    rows = (f"見本 {n},p{n}@example.com,B-{n}" for n in range(count))
    return "氏名,メール,管理番号\n" + "\n".join(rows) + "\n"


def test_a_submitted_order_holds_its_costs_once(company):
    browser = company.person("issuer")
    order_id = company.prepare(browser, many(30))
    before = company.budget()
    browser.get(path(order_id, "/check"))
    form = decision(browser)
    for _ in range(2):
        assert browser.post(path(order_id, "/submit"), form).status_code == 303
    assert company.order(order_id).state == "submitted"
    assert before - company.budget() == 30 * 5150
    other_tab = form | {"key": "0" * 32}
    answer = browser.post(path(order_id, "/submit"), other_tab)
    assert "This was done already." in words(browser.follow(answer))
    assert before - company.budget() == 30 * 5150


def test_whoever_hands_in_does_not_approve(company):
    owner = company.person("owner")
    order_id = company.prepare(owner, many(30))
    company.submit(owner, order_id)
    answer = owner.get(path(order_id))
    assert "Whoever submits an order cannot approve it." in words(answer)
    assert path(order_id, "/approve") not in answer.text
    answer = owner.post(path(order_id, "/approve"), {"key": owner.key()})
    assert answer.status_code == 422
    assert "Whoever submits an order cannot approve it." in words(answer)
    assert company.order(order_id).state == "submitted"
    approver = company.person("approver")
    approver.get(path(order_id))
    form = decision(approver)
    for _ in range(2):
        assert approver.post(path(order_id, "/approve"), form).status_code == 303
    assert company.order(order_id).state in ("approved", "issuing")


def test_what_was_swapped_after_the_approver_looked_is_not_approved(company):
    issuer, approver = company.person("issuer"), company.person("approver")
    order_id = company.prepare(issuer, many(30))
    company.submit(issuer, order_id)
    approver.get(path(order_id))
    looked_at = decision(approver)
    issuer.get(path(order_id))
    issuer.post(path(order_id, "/withdraw"), {"key": issuer.key()})
    hand_in(issuer, order_id, many(60), replaces="yes")
    company.submit(issuer, order_id)
    answer = approver.post(path(order_id, "/approve"), looked_at)
    assert answer.status_code == 409
    assert "This order was changed since you opened it." in words(answer)
    assert company.order(order_id).state == "submitted"
    answer = approver.post(path(order_id, "/approve"), decision(approver))
    assert answer.status_code == 303
    assert company.order(order_id).state in ("approved", "issuing")


def test_figures_that_are_old_are_not_handed_in(company):
    browser, other_tab = company.person("issuer"), company.person("issuer")
    order_id = company.prepare(browser, many(30))
    browser.get(path(order_id, "/check"))
    looked_at = decision(browser)
    hand_in(other_tab, order_id, many(60), replaces="yes")
    answer = browser.post(path(order_id, "/submit"), looked_at)
    assert answer.status_code == 409
    assert company.order(order_id).state == "draft"
    assert "¥309,000" in words(answer)
    assert browser.post(path(order_id, "/submit"), {"key": "0" * 32}).status_code == 409


def test_no_more_gifts_go_out_and_the_rest_of_the_money_is_free(company, monkeypatch):
    from giftpad.gifts.commands import issuing

    monkeypatch.setattr(issuing, "CHUNK", 10)
    browser, before = company.person("issuer"), company.budget()
    order_id = company.prepare(browser, many(15))
    assert company.submit(browser, order_id).status_code == 303
    assert company.order(order_id).state == "issuing"
    with unit_of_work(company.site.scope) as work:
        assert issuing.issue_chunk(work, order_id)
    assert path(order_id, "/stop") in browser.get(path(order_id)).text
    said = words(browser.get(path(order_id, "/stop")))
    assert "5 gifts do not go out. 10 gifts are out already and stay." in said
    form = {"key": browser.key(), "why": "left us", "words": ""}
    for _ in range(2):
        answer = browser.post(path(order_id, "/stop"), form)
        assert answer.status_code == 303, words(answer)
    company.work_off()
    order = company.order(order_id)
    assert (order.state, order.quantity, order.issued) == ("sent", 10, 10)
    assert before - company.budget() == 10 * 5150
    assert len(company.gifts(order_id)) == 10
    assert company.differences() == []


def test_an_order_that_cannot_be_issued_becomes_a_draft_again(company):
    browser, before = company.person("issuer"), company.budget()
    order_id = company.prepare(browser, many(2))
    company.submit(browser, order_id)
    assert company.order(order_id).state == "issuing"
    browser.get(path(order_id, "/stop"))
    form = {"key": browser.key(), "why": "left us", "words": ""}
    answer = browser.post(path(order_id, "/stop"), form)
    assert "It is a draft again." in words(browser.follow(browser.follow(answer)))
    company.work_off()
    assert company.order(order_id).state == "draft"
    assert company.budget() == before
    company.submit(browser, order_id)
    company.work_off()
    assert company.order(order_id).state == "sent"
    assert company.differences() == []


def test_an_order_is_sent_back_with_a_reason_that_is_read(company):
    issuer, approver = company.person("issuer"), company.person("approver")
    order_id = company.prepare(issuer, many(30))
    before = company.budget()
    company.submit(issuer, order_id)
    approver.get(path(order_id))
    key = approver.key()
    assert approver.post(path(order_id, "/send-back"), {"key": key}).status_code == 422
    answer = approver.post(
        path(order_id, "/send-back"), {"key": key, "reason": "金額を確かめてください"}
    )
    assert answer.status_code == 303
    assert company.order(order_id).state == "draft"
    assert company.budget() == before
    assert "金額を確かめてください" in words(issuer.get(path(order_id, "/check")))


def test_an_order_is_taken_back_and_thrown_away(company):
    browser = company.person("issuer")
    order_id = company.prepare(browser, many(30))
    company.submit(browser, order_id)
    browser.get(path(order_id))
    assert browser.post(path(order_id, "/withdraw"), {"key": browser.key()}).status_code == 303
    assert company.order(order_id).state == "draft"
    browser.get(path(order_id, "/discard"))
    form = {"key": browser.key()}
    for _ in range(2):
        assert browser.post(path(order_id, "/discard"), form).status_code == 303
    assert browser.get(path(order_id)).status_code == 404


def test_who_cannot_pay_is_told_how_much_is_missing(company):
    browser = company.person("issuer")
    order_id = company.prepare(browser, many(2000))
    said = words(browser.get(path(order_id, "/check")))
    assert "¥300,000 are missing." in said
    answer = browser.post(path(order_id, "/submit"), decision(browser))
    assert answer.status_code == 422
    assert company.order(order_id).state == "draft"


def test_a_sample_goes_to_whoever_prepares_it(company):
    browser = company.person("issuer")
    order_id = company.prepare(browser)
    page = browser.get(path(order_id, "/check"))
    keys = [i["value"] for i in inputs(page.text) if i.get("name") == "key"]
    answer = browser.post(path(order_id, "/sample"), {"key": keys[-1]})
    assert "It opens the preview and no gift." in words(browser.follow(answer))
    assert MESSAGE in words(browser.get(path(order_id, "/preview")))
