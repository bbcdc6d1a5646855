"""Reminding the selected of an order at the desk: in numbers first, once for each press."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from giftpad import audit, gifts, messaging
from giftpad.gifts.commands import reminding
from giftpad.gifts.rules.gifts import LETTER_PAUSE
from giftpad.kernel.ids import new_id
from giftpad.kernel.work import unit_of_work
from tests.make_gift_pages import Company, make_company, path
from tests.make_gifts import let_leave
from tests.make_pages import hidden
from tests.portals.issuer.counter import send, words

PEOPLE = "氏名,メール,携帯,送り方\n" + "".join(
    f"見本 {at},p{at}@example.com,0900000000{at},{way}\n"
    for at, way in enumerate(("メール", "メール", "SMS", "リンク"))
)


ALL = {"show": "all", "seen": "3"}
"""What the page of an order with three letters sends."""


@pytest.fixture
def company(house, settings, tmp_path) -> Company:
    return make_company(settings, tmp_path)


def a_day_later(company: Company, order_id: UUID) -> None:
    """Let the letters of an order have arrived, and a day and a night go by."""
    let_leave(company.site.scope, order_id)
    with unit_of_work(company.site.scope) as work:
        work.session.execute(
            sa.text(
                "UPDATE gifts SET delivery = 'delivered',"
                " queued_at = queued_at - interval '2 days', hand_reminded_at ="
                " ARRAY(SELECT at - interval '2 days' FROM unnest(hand_reminded_at) AS at)"
                " WHERE order_id = :order AND channel IN ('mail', 'sms')"
            ),
            {"order": order_id},
        )


def arrived(company: Company) -> UUID:
    order_id = company.sent(PEOPLE)
    a_day_later(company, order_id)
    return order_id


def reminders(company: Company, order_id: UUID) -> list[int]:
    """Return the row of each gift of which a reminder was written."""
    with unit_of_work(company.site.scope) as work:
        found = sa.text(
            "SELECT g.number FROM messaging_messages m JOIN gifts g ON g.id = m.reference"
            " WHERE g.order_id = :order AND m.template = 'gift_reminder' ORDER BY g.number"
        )
        return list(work.session.scalars(found, {"order": order_id}))


def test_the_board_offers_to_remind_those_it_shows(company):
    order_id = arrived(company)
    with unit_of_work(company.site.scope) as work:
        gifts.note_opened(work, company.gifts(order_id)[0].id)
    browser = company.person("support")
    board = browser.get(path(order_id), query_string={"show": "unopened"})
    assert "Remind the 3 selected (each at most twice)" in words(board)
    assert path(order_id, "/remind?show=unopened") in board.text
    followed = browser.get(path(order_id, "/progress"), query_string={"show": "unopened"})
    assert "Remind the 3 selected" in words(followed)
    for shown in ("claimed", "ended", "undelivered"):
        answer = browser.get(path(order_id), query_string={"show": shown})
        assert "/remind" not in answer.text


def test_it_is_said_in_numbers_first_and_done_once_for_a_press(company):
    order_id = arrived(company)
    company.claim(company.gifts(order_id)[1].id)
    browser = company.person("support")
    said = words(browser.get(path(order_id, "/remind"), query_string={"show": "all"}))
    assert "Selected: All, 4 gifts" in said
    assert "2 reminders are written. By mail 1, by SMS 1." in said
    assert "Have chosen already 1" in said
    assert "Got no mail and no SMS from here 1" in said
    assert reminders(company, order_id) == []
    form = {"key": browser.key(), "show": "all", "q": "", "seen": "2"}
    for _ in range(2):
        answer = browser.post(path(order_id, "/remind"), form)
        assert answer.status_code == 303
    assert "Reminders written: 2." in words(browser.follow(answer))
    first, _, third, _ = (each.number for each in company.gifts(order_id))
    assert reminders(company, order_id) == [first, third]
    with unit_of_work(company.site.scope) as work:
        wanted = audit.EntryFilter(subjects=(f"gift_order:{order_id}",))
        deeds = [each for each in audit.list_entries(work, wanted) if "reminded" in each.action]
    assert [each.details for each in deeds] == [{"gifts": 2, "selection": "all"}]
    board = words(browser.get(path(order_id)))
    assert "Reminded recipients" in board
    assert "Number of gifts: 2" in board


def test_a_second_tab_is_told_that_they_were_written_to(company):
    order_id = arrived(company)
    browser = company.person("support")
    assert send(browser, path(order_id, "/remind"), ALL).status_code == 303
    late = browser.post(path(order_id, "/remind"), {"key": new_id().hex} | ALL)
    assert late.status_code == 409
    said = words(late)
    assert "Nobody of these can be reminded just now. Nothing was written." in said
    assert "Were written to less than a day ago 3" in said
    assert "can be reminded again from" in said
    assert "Yes, send" not in said


def test_tabs_that_press_at_once_write_once(company):
    order_id = arrived(company)
    email = company.site.new_person("support")
    tabs = [company.site.sign_in(email) for _ in range(3)]
    same = new_id().hex
    for tab in tabs:
        tab.get(path(order_id, "/remind"))

    def press(asked) -> int:
        tab, key = asked
        return tab.post(path(order_id, "/remind"), {"key": key} | ALL).status_code

    with ThreadPoolExecutor(len(tabs)) as pool:
        told = list(pool.map(press, zip(tabs, (same, same, new_id().hex), strict=True)))
    assert 303 in told
    assert set(told) <= {303, 409}
    assert reminders(company, order_id) == [each.number for each in company.gifts(order_id)[:3]]


def test_what_is_chosen_on_the_board_is_who_is_written_to(company):
    order_id = arrived(company)
    opened, found, *_ = company.gifts(order_id)
    with unit_of_work(company.site.scope) as work:
        gifts.note_opened(work, opened.id)
    browser = company.person("support")
    send(browser, path(order_id, "/remind"), {"show": "unclaimed", "seen": "1"})
    assert reminders(company, order_id) == [opened.number]
    board = browser.get(path(order_id), query_string={"q": found.address})
    assert "Remind the 1 selected" in words(board)
    asked = browser.get(path(order_id, "/remind"), query_string={"q": found.address})
    assert f"Found by: {found.address}, 1 gift" in words(asked)
    form = {"key": browser.key(), "q": found.address, "seen": "1"}
    answer = browser.post(path(order_id, "/remind"), form)
    assert reminders(company, order_id) == [opened.number, found.number]
    board = words(browser.follow(answer))
    assert found.name in board, "the same are shown as before"
    assert opened.name not in board


def test_twice_is_enough_and_the_gift_says_when(company):
    order_id = arrived(company)
    browser = company.person("support")
    for _ in range(2):
        assert send(browser, path(order_id, "/remind"), ALL).status_code == 303
        a_day_later(company, order_id)
    said = words(browser.get(path(order_id, "/remind")))
    assert "Were reminded twice by hand already 3" in said
    assert "Yes, send" not in said
    gift = words(browser.get(f"/desk/gifts/one/{company.gifts(order_id)[0].id}"))
    assert gift.count("Somebody here wrote a reminder") == 2
    assert "The letter was written" not in gift, "the newest of its letters is a reminder"


def hours_now(company: Company) -> dict[str, time]:
    """Return quiet hours that last from an hour ago for two hours."""
    with unit_of_work(company.site.scope) as work:
        now, hour = work.at.astimezone(ZoneInfo("Asia/Tokyo")), timedelta(hours=1)
    return {"quiet_from": (now - hour).time(), "quiet_until": (now + hour).time()}


def set_run(company: Company, order_id: UUID, said: str, **values: object) -> None:
    """Let the letters of an order rest, or not."""
    with unit_of_work(company.site.scope) as work:
        work.session.execute(
            sa.text(f"UPDATE messaging_runs SET {said} WHERE id = :run"),
            {"run": gifts.get_order(work, order_id).run_id} | values,
        )


def waiting(company: Company, order_id: UUID) -> list[str]:
    """Return how the reminders of an order stand."""
    company.work_off()
    with unit_of_work(company.site.scope) as work:
        ids = {each.id for each in company.gifts(order_id)}
        return [
            each.state
            for each in messaging.list_messages(work)
            if each.reference in ids and each.template == "gift_reminder"
        ]


def test_in_the_quiet_hours_it_is_said_when_the_reminders_leave(company):
    order_id = arrived(company)
    set_run(
        company,
        order_id,
        "quiet_from = :quiet_from, quiet_until = :quiet_until",
        **hours_now(company),
    )
    browser = company.person("support")
    said = words(browser.get(path(order_id, "/remind")))
    assert "In the quiet hours nothing is sent: the letters leave at" in said
    answer = browser.post(path(order_id, "/remind"), {"key": browser.key()} | ALL)
    said = words(browser.follow(answer))
    assert "Reminders written: 3. In the quiet hours nothing is sent: they leave at" in said
    assert waiting(company, order_id) == ["queued"] * 3
    gift = words(browser.get(f"/desk/gifts/one/{company.gifts(order_id)[0].id}"))
    assert "From then on a letter can leave" in gift
    assert "Somebody here wrote a reminder" not in gift


def test_quiet_hours_of_today_say_nothing_of_letters_that_obey_others(company):
    order_id = arrived(company)
    set_run(company, order_id, "quiet_from = NULL, quiet_until = NULL")
    with unit_of_work(company.site.scope) as work:
        agreed = gifts.get_contract(work)
        gifts.apply_section(work, replace(agreed, **hours_now(company)))
    browser = company.person("support")
    assert "quiet hours" not in words(browser.get(path(order_id, "/remind")))
    answer = browser.post(path(order_id, "/remind"), {"key": browser.key()} | ALL)
    assert "quiet hours" not in words(browser.follow(answer))


def test_while_sending_is_paused_it_is_said_that_the_reminders_wait(company, monkeypatch):
    order_id = arrived(company)
    with unit_of_work(company.site.scope) as work:
        messaging.pause_run(work, gifts.get_order(work, order_id).run_id)
    browser = company.person("support")
    said = words(browser.get(path(order_id, "/remind")))
    assert "The letters wait until sending goes on." in said
    monkeypatch.setattr(reminding, "HAND_COUNT_MAX", 2)
    answer = browser.post(path(order_id, "/remind"), {"key": browser.key()} | ALL)
    said = words(browser.follow(answer))
    assert "Reminders written: 2. The others follow by themselves." in said
    assert "The letters wait until sending goes on." in said
    assert waiting(company, order_id) == ["queued"] * 3


def test_of_more_than_the_page_showed_nobody_is_written_to_before_it_is_pressed_again(company):
    order_id = arrived(company)
    first = company.gifts(order_id)[0]
    with unit_of_work(company.site.scope) as work:
        late = sa.text("UPDATE gifts SET delivery = :delivery WHERE id = :id")
        work.session.execute(late, {"delivery": "queued", "id": first.id})
    browser = company.person("support")
    assert "2 reminders are written." in words(browser.get(path(order_id, "/remind")))
    form = {"key": browser.key(), "show": "all", "seen": hidden(browser.last.text, "seen")}
    with unit_of_work(company.site.scope) as work:
        work.session.execute(late, {"delivery": "delivered", "id": first.id})
    answer = browser.post(path(order_id, "/remind"), form)
    assert answer.status_code == 409
    said = words(answer)
    assert "there are more reminders to send than this page showed: 3. Nothing was sent." in said
    assert "Yes, send 3 reminders" in said
    assert reminders(company, order_id) == []
    again = form | {"key": browser.key(), "seen": hidden(answer.text, "seen")}
    assert browser.post(path(order_id, "/remind"), again).status_code == 303
    assert len(reminders(company, order_id)) == 3


def test_whose_pause_ends_after_the_page_was_drawn_is_not_more_than_it_showed(company):
    """About a day after a large order somebody more is due at every moment."""
    order_id = arrived(company)
    first = company.gifts(order_id)[0]
    with unit_of_work(company.site.scope) as work:
        almost = sa.text(
            "UPDATE gifts SET queued_at = clock_now() - CAST(:ago AS interval) WHERE id = :id"
        )
        ago = LETTER_PAUSE - timedelta(hours=1)
        work.session.execute(almost, {"id": first.id, "ago": ago})
    browser = company.person("support")
    page = browser.get(path(order_id, "/remind"))
    assert "2 reminders are written." in words(page)
    form = {
        "key": browser.key(),
        "show": "all",
        "seen": hidden(page.text, "seen"),
        "seen_at": hidden(page.text, "seen_at"),
    }
    with unit_of_work(company.site.scope) as work:
        work.session.execute(almost, {"id": first.id, "ago": LETTER_PAUSE})
    assert browser.post(path(order_id, "/remind"), form).status_code == 303
    assert reminders(company, order_id) == [each.number for each in company.gifts(order_id)[1:3]]


@pytest.mark.parametrize(
    "seen_at", ["", "x", "9999-12-31T00:00:00+00:00", "9999-12-31", "0001-01-01"]
)
def test_an_instant_that_is_none_or_to_come_brings_no_reminder_earlier(company, seen_at):
    order_id = arrived(company)
    browser = company.person("support")
    assert send(browser, path(order_id, "/remind"), ALL).status_code == 303
    form = {"key": new_id().hex, "seen_at": seen_at} | ALL
    assert browser.post(path(order_id, "/remind"), form).status_code == 409
    assert len(reminders(company, order_id)) == 3


@pytest.mark.parametrize("seen", ["", "x", "-1"])
def test_a_form_that_does_not_say_what_it_showed_is_shown_anew(company, seen):
    order_id = arrived(company)
    browser = company.person("support")
    browser.get(path(order_id, "/remind"))
    form = {"key": browser.key(), "show": "all"} | ({"seen": seen} if seen else {})
    assert browser.post(path(order_id, "/remind"), form).status_code == 409
    assert reminders(company, order_id) == []


@pytest.mark.parametrize("role", ["viewer", "approver"])
def test_who_may_not_send_a_letter_again_reminds_nobody(company, role):
    order_id = arrived(company)
    browser = company.person(role)
    assert "/remind" not in browser.get(path(order_id)).text
    assert browser.get(path(order_id, "/remind")).status_code == 403
    answer = browser.post(path(order_id, "/remind"), {"key": new_id().hex} | ALL)
    assert answer.status_code == 403
    assert reminders(company, order_id) == []


def test_an_order_that_has_no_letters_offers_no_reminder(company):
    order_id = company.sent("氏名,送り方\n見本 花子,リンク\n")
    assert "/remind" not in company.person("owner").get(path(order_id)).text


def test_a_letter_is_offered_to_be_sent_again_when_it_can_be(company):
    order_id = company.sent(PEOPLE)
    gift = company.gifts(order_id)[0]
    where = f"/desk/gifts/one/{gift.id}/resend"
    browser = company.person("support")
    said = words(browser.get(where))
    assert "The letter was written a short while ago. It can be sent again from" in said
    assert f'action="{where}"' not in browser.last.text
    a_day_later(company, order_id)
    assert f'action="{where}"' in browser.get(where).text
    assert send(browser, where).status_code == 303
    with unit_of_work(company.site.scope) as work:
        work.session.execute(sa.text("UPDATE gifts SET resent = 2 WHERE id = :id"), {"id": gift.id})
    a_day_later(company, order_id)
    said = words(browser.get(where))
    assert "The letter was sent as often as is agreed." in said
    assert f'action="{where}"' not in browser.last.text


def test_a_letter_sent_again_while_sending_is_paused_is_said_to_wait(company):
    order_id = arrived(company)
    with unit_of_work(company.site.scope) as work:
        messaging.pause_run(work, gifts.get_order(work, order_id).run_id)
    where = f"/desk/gifts/one/{company.gifts(order_id)[0].id}"
    browser = company.person("support")
    for page in ("/resend", "/address"):
        assert "The letter waits until sending goes on." in words(browser.get(where + page))
    said = words(browser.follow(send(browser, where + "/resend")))
    assert "It is written. It leaves when sending goes on." in said
    assert "Sent again." not in said
