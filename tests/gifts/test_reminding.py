"""Reminding by hand: who is written to and who is not, how often, how soon, by whom at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from giftpad import audit, gifts, messaging
from giftpad.gifts import handlers, jobs
from giftpad.gifts.commands import reminding
from giftpad.gifts.errors import MoreToRemind, NobodyToRemind
from giftpad.kernel.db import database
from giftpad.kernel.work import unit_of_work
from giftpad.messaging import jobs as messaging_jobs
from giftpad.messaging.commands.suppressions import stopped_address
from tests.make_gift_rows import ALL_HOURS
from tests.make_gifts import CONTRACT, let_leave, make_company, person, set_contract
from tests.make_reminders import a_day_later, arrived, look, remind, reminded, set_gifts

pytestmark = pytest.mark.usefixtures("house")
TABS = 4


@pytest.fixture
def company():
    return make_company(contract=ALL_HOURS)


def test_whoever_can_be_reminded_is_and_the_others_are_told_by_reason(company):
    order_id = arrived(company, 9)
    each = company.gifts(order_id)
    company.claim(each[1].id)
    with unit_of_work(company.scope) as work:
        gifts.cancel_gift(work, each[2].id, reason="x")
    for number, said in (
        (each[3].number, "delivery = 'bounced'"),
        (each[4].number, "delivery = 'queued'"),
        (each[5].number, "queued_at = queued_at + interval '1 day'"),
        (each[6].number, "hand_reminded_at = ARRAY[queued_at, queued_at]"),
        (each[7].number, "passed_on_at = queued_at"),
    ):
        set_gifts(company, order_id, said, number=number)
    told = look(company, order_id)
    reasons = ("claimed", "over", "undelivered", "waiting", "lately", "twice", "passed_on")
    assert told.left_out == dict.fromkeys(reasons, 1)
    assert (told.by_channel, told.count, told.selected) == ({"mail": 2}, 2, 9)
    lately = company.gifts(order_id)[5].queued_at
    assert lately is not None
    assert told.again_at == lately + timedelta(hours=20)
    assert remind(company, order_id) == (2, False)
    assert reminded(company, order_id) == [each[0].number, each[8].number]


@pytest.mark.parametrize("channel", ["link", "card"])
def test_who_got_no_letter_of_ours_gets_no_reminder(company, channel):
    order_id = company.sent(2, channel)
    assert look(company, order_id).left_out == {"no_address": 2}
    with pytest.raises(NobodyToRemind):
        remind(company, order_id)


def test_a_code_that_names_nobody_is_not_reminded_of(company):
    order_id = company.sent_codes(2)
    assert look(company, order_id).left_out == {"no_address": 2}
    with pytest.raises(NobodyToRemind):
        remind(company, order_id)


def test_who_has_used_a_part_of_an_amount_is_left_alone(company):
    order_id = arrived(company, 2, kind="balance", amount_minor=1000)
    set_gifts(company, order_id, "claimed_minor = 400", number=company.gifts(order_id)[0].number)
    assert look(company, order_id).left_out == {"claimed": 1}
    assert remind(company, order_id) == (1, False)


def test_who_wants_no_letters_is_counted_out_and_gets_none(company):
    order_id = arrived(company, 3)
    quiet = company.gifts(order_id)[1]
    with unit_of_work(company.scope) as work:
        stopped = stopped_address(work, "mail", quiet.address.upper(), "unsubscribed")
        assert messaging.suppress(work, stopped)
    told = look(company, order_id)
    assert (told.count, told.left_out, told.is_exact) == (2, {"stopped": 1}, True)
    assert remind(company, order_id) == (2, False)
    assert quiet.number not in reminded(company, order_id)
    assert company.gifts(order_id)[1].hand_reminded_at == ()


def test_of_very_many_only_whoever_writes_knows_who_wants_none(company, monkeypatch):
    order_id = arrived(company, 3)
    with unit_of_work(company.scope) as work:
        to = company.gifts(order_id)[1].address
        messaging.suppress(work, stopped_address(work, "mail", to, "unsubscribed"))
    monkeypatch.setattr("giftpad.gifts.queries.reminding.OPENED_MAX", 2)
    told = look(company, order_id)
    assert (told.count, told.is_exact) == (3, False)
    assert remind(company, order_id) == (2, False)


def test_nobody_is_reminded_twice_in_a_day_or_three_times_at_all(company):
    order_id = arrived(company, 2)
    for _ in range(2):
        assert remind(company, order_id) == (2, False)
        assert look(company, order_id).count == 0
        with pytest.raises(NobodyToRemind):
            remind(company, order_id)
        let_leave(company.scope, order_id)
        a_day_later(company, order_id)
    assert look(company, order_id).left_out == {"twice": 2}
    with pytest.raises(NobodyToRemind):
        remind(company, order_id)
    assert len(reminded(company, order_id)) == 4


def test_the_reminder_that_leaves_by_itself_counts_by_itself(company, fresh_clock):
    order_id = arrived(company, 1)
    assert remind(company, order_id) == (1, False)
    let_leave(company.scope, order_id)
    fresh_clock(timedelta(days=CONTRACT.claim_days - 10))
    assert jobs.remind_due(company.scope) == 1
    let_leave(company.scope, order_id)
    with pytest.raises(NobodyToRemind):
        remind(company, order_id)
    fresh_clock(timedelta(days=CONTRACT.claim_days - 8))
    assert remind(company, order_id) == (1, False)
    (gift,) = company.gifts(order_id)
    assert (len(gift.hand_reminded_at), gift.reminded_at is not None) == (2, True)


def test_a_reminder_and_a_letter_sent_again_keep_the_same_pause(company, fresh_clock):
    order_id = arrived(company, 1)
    (gift,) = company.gifts(order_id)
    remind(company, order_id)
    with pytest.raises(gifts.ResendTooSoon), unit_of_work(company.as_("support")) as work:
        gifts.resend(work, gift.id)
    fresh_clock(timedelta(days=1))
    with unit_of_work(company.as_("support")) as work:
        gifts.resend(work, gift.id)
    set_gifts(company, order_id, "delivery = 'sent'")
    assert look(company, order_id).left_out == {"lately": 1}


def test_a_reminder_by_hand_that_comes_back_says_nothing_of_the_letter(company):
    order_id = arrived(company, 1)
    remind(company, order_id)
    (gift,) = company.gifts(order_id)
    news = messaging.MessageBounced(object_id=gift.message_id, reference=gift.id, is_permanent=True)
    with unit_of_work(company.scope) as work:
        handlers.note_bounced(work, news)
    assert company.gifts(order_id)[0].delivery == "delivered"


def test_one_that_cannot_be_read_stops_nobody_elses_reminder(company):
    order_id = arrived(company, 3)
    broken = company.gifts(order_id)[1].number
    set_gifts(company, order_id, "person_sealed = '\\x00'", number=broken)
    assert remind(company, order_id) == (2, False)
    assert broken not in reminded(company, order_id)


def test_many_tabs_at_once_write_to_everybody_once(company):
    order_id = arrived(company, 30)

    def press(_tab: int) -> int:
        try:
            return remind(company, order_id)[0]
        except NobodyToRemind:
            return 0

    with ThreadPoolExecutor(TABS) as tabs:
        counts = list(tabs.map(press, range(TABS)))
    assert sorted(counts) == [0, 0, 0, 30]
    assert reminded(company, order_id) == [each.number for each in company.gifts(order_id)]


def test_a_large_selection_goes_on_by_itself_and_from_where_it_stood(company, monkeypatch):
    monkeypatch.setattr(reminding, "HAND_COUNT_MAX", 3)
    monkeypatch.setattr(handlers, "REMIND_CHUNKS_MAX", 2)
    order_id = arrived(company, 12)
    assert remind(company, order_id, shown="unopened") == (3, True)
    numbers = [each.number for each in company.gifts(order_id)]
    with unit_of_work(company.scope) as work:
        begun_at = work.at - timedelta(minutes=1)
        gifts_opened = company.gifts(order_id)[4]
        gifts_there = [number for number in numbers if number != gifts_opened.number]
    with unit_of_work(company.scope) as work:
        gifts.note_opened(work, gifts_opened.id)
    due = gifts.RemindersDue(
        object_id=order_id, shown="unopened", begun_at=begun_at, after=numbers[2]
    )
    handlers.send_due_reminders(company.scope, due)
    assert len(reminded(company, order_id)) == 9
    handlers.send_due_reminders(company.scope, due)  # it comes again, as after a crash
    assert reminded(company, order_id) == gifts_there
    # So late that the pause is over; begun then, it writes to nobody a second time.
    set_gifts(company, order_id, "queued_at = queued_at - interval '20 hours'")
    handlers.send_due_reminders(
        company.scope, replace_begun(due, by=timedelta(hours=20, minutes=2))
    )
    assert reminded(company, order_id) == gifts_there


def replace_begun(due: gifts.RemindersDue, *, by: timedelta) -> gifts.RemindersDue:
    return replace(due, begun_at=due.begun_at - by)


def test_an_order_that_was_closed_meanwhile_has_nobody_to_remind(company):
    order_id = arrived(company, 1)
    with unit_of_work(company.scope) as work:
        gifts.begin_cancelling(work, order_id, reason="x")
        begun_at = work.at
    jobs.end_due(company.scope)
    due = gifts.RemindersDue(object_id=order_id, shown="all", begun_at=begun_at, after=0)
    handlers.send_due_reminders(company.scope, due)
    assert reminded(company, order_id) == []
    with pytest.raises(gifts.OrderWrongState):
        remind(company, order_id)


def test_a_look_costs_the_same_however_many_there_are(company):
    def asked(order_id) -> int:
        seen: list[str] = []

        def note(_connection, _cursor, statement, *_):
            seen.append(statement)

        sa.event.listen(database().engine, "before_cursor_execute", note)
        look(company, order_id)
        sa.event.remove(database().engine, "before_cursor_execute", note)
        return len(seen)

    few, many = arrived(company, 2), arrived(company, 40)
    assert asked(few) == asked(many)


def test_reminders_leave_and_none_in_the_quiet_hours(company, postman, fresh_clock, monkeypatch):
    monkeypatch.setattr("giftpad.gifts.commands.deciding.next_loud", lambda at, *_: at)
    loud = company.sent(1, "mail")
    assert postman("gift_reminder") == []
    a_day_later(company, loud)
    remind(company, loud)
    assert postman("gift_reminder") == ["r0@example.com"]
    with unit_of_work(company.scope) as work:
        now = work.at.astimezone(ZoneInfo("Asia/Tokyo"))
    hour = timedelta(hours=1)
    quiet = replace(CONTRACT, quiet_from=(now - hour).time(), quiet_until=(now + 2 * hour).time())
    set_contract(company.scope, quiet)
    order_id = arrived(company, 2)
    assert remind(company, order_id) == (2, False)
    assert postman("gift_reminder") == ["r0@example.com"], "the one from before"
    fresh_clock(timedelta(hours=3))
    messaging_jobs.go_on_with_bulk(company.scope)
    assert postman("gift_reminder") == ["r0@example.com", "r0@example.com", "r1@example.com"]


def test_who_had_people_written_to_is_on_record_once_however_it_goes_on(company, monkeypatch):
    monkeypatch.setattr(reminding, "HAND_COUNT_MAX", 3)
    order_id = arrived(company, 8)
    with unit_of_work(company.scope) as work:
        for gift in company.gifts(order_id)[:3]:
            to = stopped_address(work, "mail", gift.address, "unsubscribed")
            messaging.suppress(work, to)
        begun_at = work.at
    assert remind(company, order_id) == (0, True), "none of the first ones wants a letter"
    due = gifts.RemindersDue(
        object_id=order_id,
        shown="all",
        begun_at=begun_at,
        after=company.gifts(order_id)[2].number,
    )
    handlers.send_due_reminders(company.scope, due)
    assert len(reminded(company, order_id)) == 5
    with unit_of_work(company.scope) as work:
        wanted = audit.EntryFilter(actions=("gift_order.reminded",))
        (entry,) = audit.list_entries(work, wanted)
    assert entry.actor["id"] == person("support").id
    assert entry.details == {"gifts": 5, "selection": "all"}


def test_of_more_than_were_seen_nobody_is_reminded(company):
    order_id = arrived(company, 2)
    with pytest.raises(MoreToRemind) as refused, unit_of_work(company.as_("support")) as work:
        gifts.begin_reminding(work, gifts.Selection(order_id=order_id), seen=1)
    assert refused.value.params == {"n": 2}
    assert reminded(company, order_id) == []
    with unit_of_work(company.as_("support")) as work:
        told = gifts.begin_reminding(work, gifts.Selection(order_id=order_id), seen=3)
    assert told == (2, False), "fewer than were seen is no surprise"
