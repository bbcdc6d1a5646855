"""The board of an order at the desk: figures, finding, single gifts, taking back, taking away."""

from __future__ import annotations

import html
import io
import re
from uuid import UUID
from zoneinfo import ZoneInfo

import openpyxl
import pypdfium2
import pytest
import sqlalchemy as sa

from giftpad import gifts
from giftpad.gifts.handlers import issue_due_gifts
from giftpad.kernel.ids import new_id
from giftpad.kernel.work import unit_of_work
from tests.make_gift_pages import Company, make_company, path
from tests.portals.issuer.counter import send, words

LINKS = "氏名,送り方,管理番号\n山田 花子,リンク,A-1\n鈴木 一,リンク,A-2\n佐藤 三郎,リンク,A-3\n"


@pytest.fixture
def company(house, settings, tmp_path) -> Company:
    return make_company(settings, tmp_path)


def gift_path(gift_id: UUID, more: str = "") -> str:
    return f"/desk/gifts/one/{gift_id}{more}"


def test_the_board_tells_how_far_the_gifts_are(company):
    order_id = company.sent(LINKS)
    said = words(company.person("viewer").get(path(order_id)))
    assert "Sent 3 100 percent" in said
    assert "Opened 0 0 percent" in said
    assert "All 3 Not delivered 0 Not opened yet 3" in said
    assert "山田 花子" in said
    assert "Costs" in said
    assert "¥15,300" in said


def test_the_board_follows_as_long_as_something_can_happen(company):
    order_id = company.prepare(company.person("issuer"), LINKS)
    company.submit(company.person("issuer"), order_id)
    browser = company.person("issuer")
    answer = browser.get(path(order_id, "/progress"))
    assert 'hx-trigger="every 3s"' in answer.text
    assert "0 of 3 gifts are made" in words(answer)
    company.work_off()
    first, *others = company.gifts(order_id)
    answer = browser.get(path(order_id, "/progress"))
    assert 'hx-trigger="every 3s"' in answer.text
    assert answer.text.lstrip().startswith('<div id="live"')
    company.claim(first.id)
    with unit_of_work(company.site.scope) as work:
        gifts.thank(work, first.id, stamp="delighted", words="とてもうれしいです。")
    said = words(browser.get(path(order_id, "/progress")))
    assert "Claimed 1 33 percent" in said
    assert "とてもうれしいです。" in said
    for gift in others:
        company.claim(gift.id)
    assert "hx-trigger" not in browser.get(path(order_id, "/progress")).text


def test_the_board_follows_what_it_shows_and_can_be_stopped(company):
    order_id = company.sent(LINKS)
    with unit_of_work(company.site.scope) as work:
        gifts.note_opened(work, company.gifts(order_id)[0].id)
    browser = company.person("viewer")
    page = browser.get(path(order_id), query_string={"show": "unopened"})
    (asks,) = re.findall(r'hx-get="([^"]*)"', page.text)
    said = words(browser.get(html.unescape(asks)))
    assert "鈴木 一" in said
    assert "山田 花子" not in said
    (still,) = re.findall(r'href="([^"]*follow=off)"', page.text)
    answer = browser.get(html.unescape(still))
    assert "hx-trigger" not in answer.text
    assert "Follow again" in words(answer)


def test_the_board_tells_how_gifts_do_by_each_way(company):
    order_id = company.sent(LINKS + "高橋 四郎,カード,A-4\n")
    company.claim(company.gifts(order_id)[3].id)
    said = words(company.person("viewer").get(path(order_id)))
    assert "Link that you hand over 3 3 – 0 0" in said
    assert "Printed card 1 1 – 1 1" in said


def test_a_gift_is_found_by_row_reference_or_whole_address(company):
    order_id = company.sent()
    browser = company.person("support")
    for word, name in (("2", "山田 花子"), ("A-2", "鈴木 一"), ("HAJIME@example.com", "鈴木 一")):
        said = words(browser.get(path(order_id), query_string={"q": word}))
        rows = said.partition("When Reference")[2]
        assert name in rows, word
        assert len(re.findall("山田 花子|鈴木 一", rows)) == 1, word
    said = words(browser.get(path(order_id), query_string={"q": "山田"}))
    assert "Nothing of this order is called so." in said


def test_a_filter_shows_its_part(company):
    order_id = company.sent(LINKS)
    first = company.gifts(order_id)[0]
    with unit_of_work(company.site.scope) as work:
        gifts.note_opened(work, first.id)
    browser = company.person("viewer")
    answer = browser.get(path(order_id), query_string={"show": "unopened"})
    assert "鈴木 一" in words(answer)
    assert "山田 花子" not in words(answer)
    assert re.search(r'show=unopened[^>]*aria-current="page"', answer.text)
    answer = browser.get(path(order_id), query_string={"show": "undelivered"})
    assert "Nobody is in this state." in words(answer)


def test_a_link_is_shown_on_record_and_only_where_it_is_handed_over(company):
    order_id = company.sent(LINKS)
    (gift, *_) = company.gifts(order_id)
    browser = company.person("support")
    assert "Show the link" in words(browser.get(gift_path(gift.id)))
    answer = browser.post(gift_path(gift.id, "/link"))
    assert re.search(r'value="http[^"]*/g/[0-9A-Z]{36}"', answer.text)
    assert company.actions(f"gift:{gift.id}") == ["gift.link_shown"]
    people = "氏名,メール\n高橋 四郎,shiro@example.com\n"
    by_mail = company.gifts(company.sent(people))[0]
    answer = browser.post(gift_path(by_mail.id, "/link"))
    assert answer.status_code == 409
    assert "/g/" not in answer.text


def test_the_links_are_taken_out_on_record(company):
    order_id = company.sent(LINKS)
    answer = company.person("issuer").get(path(order_id, "/links.csv"))
    lines = answer.get_data(as_text=True).lstrip("\ufeff").splitlines()
    assert lines[0] == '"Row","Name","Reference","Link to the gift"'
    assert [line.split('","')[1] for line in lines[1:]] == ["山田 花子", "鈴木 一", "佐藤 三郎"]
    assert len({line.split('","')[3] for line in lines[1:]}) == 3
    assert "gift_order.links_taken" in company.actions(f"gift_order:{order_id}")
    assert company.person("viewer").get(path(order_id, "/links.csv")).status_code == 403


def test_all_gifts_are_taken_away_as_csv_and_as_a_workbook(company, monkeypatch):
    monkeypatch.setattr("giftpad.portals.words.DEFAULT_ZONE", "Pacific/Honolulu")  # not theirs
    order_id = company.sent(LINKS)
    browser = company.person("support")
    with unit_of_work(company.site.scope) as work:
        gifts.note_opened(work, company.gifts(order_id)[0].id)
        now = work.at.astimezone(ZoneInfo("Asia/Tokyo"))
    lines = browser.get(path(order_id, "/report.csv")).get_data(as_text=True).splitlines()
    assert len(lines) == 4
    assert "山田 花子" in lines[1]
    assert f"{now:%Y-%m-%d %H:%M:%S}" in lines[1], "when it was opened, as a spreadsheet reads it"
    book = openpyxl.load_workbook(io.BytesIO(browser.get(path(order_id, "/report.xlsx")).data))
    assert [row[1].value for row in book.active.iter_rows(min_row=2)] == [
        "山田 花子",
        "鈴木 一",
        "佐藤 三郎",
    ]
    assert company.actions(f"gift_order:{order_id}").count("gift_order.report_taken") == 2


def test_a_number_reads_as_it_is_dialled_and_print_is_in_nobody_s_hands(company):
    rows = "氏名,携帯,送り方\n山田 花子,090-1234-5678,SMS\n鈴木 一,,カード\n"
    browser = company.person("issuer")
    order_id = company.prepare(browser, rows)
    assert "090123456" in browser.get(path(order_id, "/recipients")).text
    company.submit(browser, order_id)
    company.work_off()
    taken = browser.get(path(order_id, "/report.csv")).get_data(as_text=True)
    assert '"09012345678"' in taken
    assert "+81" not in taken
    printed = words(browser.get(path(order_id)))
    assert "Goes out in print" in printed
    assert "You hand it over" not in printed


@pytest.mark.parametrize("role", ["viewer", "approver"])
def test_who_may_only_look_takes_no_addresses_away(company, role):
    order_id = company.sent(LINKS)
    browser = company.person(role)
    assert "report." not in browser.get(path(order_id)).text
    for kind in ("csv", "xlsx"):
        assert browser.get(path(order_id, f"/report.{kind}")).status_code == 403


def test_a_gift_goes_elsewhere_at_once(company):
    order_id = company.sent()
    (gift, *_) = company.gifts(order_id)
    browser = company.person("support")
    where = gift_path(gift.id, "/address")
    answer = send(browser, where, {"channel": "mail", "address": "hana@exmaple"})
    assert answer.status_code == 422
    assert "Check the part after the @" in words(answer)
    answer = send(browser, where, {"channel": "mail", "address": "hanako@example.com"})
    assert answer.status_code == 303
    assert company.gifts(order_id)[0].address == "hanako@example.com"
    said = words(browser.get(path(order_id), query_string={"q": "hanako@example.com"}))
    assert "山田 花子" in said
    assert "Another link: Yes" in words(browser.get(gift_path(gift.id)))


def test_whoever_chose_has_opened_before(company):
    order_id = company.sent(LINKS)
    (gift, *_) = company.gifts(order_id)
    company.claim(gift.id)
    said = words(company.person("viewer").get(gift_path(gift.id)))
    happened = said.partition("What happened")[2].partition("Facts")[0]
    assert happened.index("Claimed") < happened.index("The letter was opened")


def test_a_link_that_is_handed_over_is_not_replaced_by_one_careless_press(company):
    order_id = company.sent(LINKS)
    (gift, *_) = company.gifts(order_id)
    browser, where = company.person("support"), gift_path(gift.id, "/address")
    assert " checked" not in browser.get(where).text
    answer = send(browser, where, {"address": ""})
    assert answer.status_code == 422
    answer = send(browser, where, {"channel": "link", "address": "090-0000-0000"})
    assert answer.status_code == 422
    assert "A link that you hand over has no address." in words(answer)
    assert company.gifts(order_id)[0] == gift
    answer = send(browser, where, {"channel": "link", "address": ""})
    assert answer.status_code == 303
    assert "opens nothing any more" in words(browser.follow(answer))


def test_thanks_are_read_in_the_words_they_were_said_in(company):
    order_id = company.sent(LINKS)
    (gift, *_) = company.gifts(order_id)
    company.claim(gift.id)
    with unit_of_work(company.site.scope) as work:
        gifts.thank(work, gift.id, stamp="delicious", words="")
    assert gifts.STAMP_WORDS["delicious"] == "It looks delicious"
    for where in (path(order_id), gift_path(gift.id)):
        assert "It looks delicious" in words(company.person("viewer").get(where))


def test_a_letter_is_not_sent_again_at_will(company):
    order_id = company.sent()
    (gift, *_) = company.gifts(order_id)
    browser = company.person("support")
    browser.get(gift_path(gift.id, "/resend"))
    answer = browser.post(gift_path(gift.id, "/resend"), {"key": new_id().hex})
    assert answer.status_code == 422
    assert "It can be sent again from" in words(answer)
    assert company.gifts(order_id)[0].resent == 0


def test_a_letter_that_went_out_often_enough_says_so_in_the_reader_s_language(company):
    order_id = company.sent()
    (gift, *_) = company.gifts(order_id)
    with unit_of_work(company.site.scope) as work:
        work.session.execute(
            sa.text("UPDATE gifts SET resent = 2, delivery = 'sent' WHERE id = :id"),
            {"id": gift.id},
        )
    browser = company.person("support")
    where = gift_path(gift.id, "/resend")
    browser.get(where)
    answer = browser.post(where, {"key": new_id().hex})
    assert answer.status_code == 409
    assert "it is sent as often as allowed" in words(answer)
    browser.headers["Accept-Language"] = "ja"
    said = words(browser.post(where, {"key": new_id().hex}))
    assert "再送の上限に達しています" in said
    assert "契約で決めた回数まで、もう送りました。" in said


def test_a_letter_that_never_left_is_not_said_to_wait(company):
    order_id = company.prepare(company.person("issuer"))
    company.submit(company.person("issuer"), order_id)
    issue_due_gifts(company.site.scope, gifts.GiftsDue(object_id=order_id))
    (gift, *_) = company.gifts(order_id)
    with unit_of_work(company.site.scope) as work:
        gifts.cancel_gift(work, gift.id, reason="x")
    browser = company.person("support")
    assert "Letter Not sent, for the gift was taken back first" in words(
        browser.get(gift_path(gift.id))
    )
    report = browser.get(path(order_id, "/report.csv")).get_data(as_text=True)
    assert "Not sent, for the gift was taken back first" in report


def test_more_time_is_given_within_the_contract(company):
    order_id = company.sent(LINKS)
    (gift, *_) = company.gifts(order_id)
    browser = company.person("support")
    where = gift_path(gift.id, "/extend")
    answer = send(browser, where, {"claim_by": "2099-01-01", "words": "休暇"})
    assert answer.status_code == 422
    later = gift.claim_by.replace(day=1).fromordinal(gift.claim_by.toordinal() + 30)
    answer = send(browser, where, {"claim_by": later.isoformat(), "words": "休暇"})
    assert answer.status_code == 303, words(answer)
    assert company.gifts(order_id)[0].claim_by == later
    assert later.isoformat() not in words(browser.get(gift_path(gift.id)))


def test_a_gift_is_taken_back_once_and_its_value_returns(company):
    order_id = company.sent(LINKS)
    (gift, *_) = company.gifts(order_id)
    before = company.budget()
    browser = company.person("issuer")
    browser.get(gift_path(gift.id, "/cancel"))
    form = {"key": browser.key(), "why": "left us", "words": ""}
    for _ in range(2):
        assert browser.post(gift_path(gift.id, "/cancel"), form).status_code == 303
    assert company.budget() - before == 5000
    assert company.gifts(order_id)[0].state == "cancelled"
    assert "Cancelled" in words(browser.get(gift_path(gift.id)))
    late = browser.post(gift_path(gift.id, "/cancel"), form | {"key": new_id().hex})
    assert late.status_code == 409


def test_the_rest_is_taken_back_in_numbers(company):
    order_id = company.sent(LINKS)
    first = company.gifts(order_id)[0]
    with unit_of_work(company.site.scope) as work:
        gifts.cancel_gift(work, first.id, reason="x")
    before = company.budget()
    browser = company.person("owner")
    said = words(browser.get(path(order_id, "/cancel-rest")))
    assert "2 gifts are taken back. Nothing is claimed yet." in said
    assert "¥10,000 come back to what you can spend." in said
    form = {"key": browser.key(), "why": "declined", "words": ""}
    answer = browser.post(path(order_id, "/cancel-rest"), form)
    assert "2 gifts are taken back." in words(browser.follow(answer))
    assert company.budget() - before == 10_000
    assert browser.post(path(order_id, "/cancel-rest"), form).status_code == 303
    assert company.budget() - before == 10_000


def test_who_may_only_look_is_offered_nothing_else(company):
    order_id = company.sent(LINKS)
    (gift, *_) = company.gifts(order_id)
    browser = company.person("viewer")
    text = browser.get(gift_path(gift.id)).text + browser.get(path(order_id)).text
    for act in ("/cancel", "/address", "/resend", "/extend", "/link", "/links.csv"):
        assert act not in text
    for act in ("/cancel", "/address", "/resend", "/extend"):
        assert browser.get(gift_path(gift.id, act)).status_code == 403


def test_the_invoice_is_offered_in_both_languages_when_all_is_out(company):
    order_id = company.sent(LINKS)
    browser = company.person("viewer")
    answer = browser.get(path(order_id))
    assert "Invoice number: HANAMAR-" in words(answer)
    assert "not a qualified invoice" in words(answer)
    for language, title in (("ja", "請求書"), ("en", "Invoice")):
        taken = browser.get(path(order_id, "/invoice.pdf"), query_string={"language": language})
        assert taken.mimetype == "application/pdf", words(taken)
        page = pypdfium2.PdfDocument(io.BytesIO(taken.data))[0].get_textpage()
        assert title in page.get_text_range()
