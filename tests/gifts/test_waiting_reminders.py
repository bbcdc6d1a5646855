"""Reminders that wait for the morning or the end of a pause: which leave, and what they count."""

from __future__ import annotations

import email
from datetime import timedelta

import pytest
import sqlalchemy as sa

from giftpad import gifts, messaging
from giftpad.gifts import handlers, jobs
from giftpad.kernel.i18n import format_day
from giftpad.kernel.work import unit_of_work
from giftpad.messaging import jobs as messaging_jobs
from giftpad.messaging.commands.suppressions import stopped_address
from tests.make_balances import make_giver
from tests.make_gift_rows import ALL_HOURS
from tests.make_gifts import CONTRACT, let_leave, make_company, set_contract
from tests.make_reminders import (
    a_day_later,
    arrived,
    look,
    pause,
    quiet_until,
    remind,
    reminded,
    set_gifts,
    states,
)

pytestmark = pytest.mark.usefixtures("house")


@pytest.fixture
def company():
    return make_company(contract=ALL_HOURS)


def test_of_two_reminders_that_wait_one_leaves(company):
    order_id = arrived(company, 1)
    remind(company, order_id)
    a_day_later(company, order_id)
    remind(company, order_id)
    (gift,) = company.gifts(order_id)
    assert states(company, gift) == ["queued", "expired"], "the newest one and the one before"
    assert gift.hand_reminded_at == (gift.queued_at,), "what never left is none of the two"
    with unit_of_work(company.scope) as work:
        run = messaging.get_run(work, company.order(order_id).run_id)
    assert run.waiting == 2, "the letter and a reminder"


def test_whoever_claims_in_the_night_gets_no_reminder_in_the_morning(company, postman, fresh_clock):
    order_id = arrived(company, 2)
    quiet_until(company, order_id, hours=2)
    assert remind(company, order_id) == (2, False)
    company.claim(company.gifts(order_id)[0].id)
    assert company.gifts(order_id)[0].hand_reminded_at == ()
    fresh_clock(timedelta(hours=3))
    messaging_jobs.go_on_with_bulk(company.scope)
    assert postman("gift_reminder") == ["r1@example.com"]
    assert company.differences() == []


@pytest.mark.parametrize("deed", ["buy", "keep"])
def test_whoever_uses_an_amount_gets_no_reminder_that_waits(deed):
    giver = make_giver()
    set_contract(giver.scope, ALL_HOURS)
    order_id = arrived(giver, 1)
    (gift,) = giver.gifts(order_id)
    remind(giver, order_id)
    assert states(giver, gift) == ["queued"]
    if deed == "buy":
        giver.buy(gift.id, "CUP")
    else:
        giver.keep(gift.id)
    assert states(giver, gift) == ["expired"]
    assert giver.differences() == []


def test_a_gift_that_ends_before_the_letter_could_leave_is_not_reminded_of(company):
    order_id = arrived(company, 2)
    quiet_until(company, order_id, hours=3)
    first = company.gifts(order_id)[0]
    set_gifts(company, order_id, "ends_at = now() + interval '2 hours'", number=first.number)
    assert look(company, order_id).left_out == {"over": 1}
    assert remind(company, order_id) == (1, False)
    assert first.number not in reminded(company, order_id)


def test_a_reminder_that_waits_beyond_the_end_never_leaves(company, postman, fresh_clock):
    order_id = arrived(company, 1)
    assert postman() == ["r0@example.com"], "the letter itself"
    a_day_later(company, order_id)
    set_gifts(company, order_id, "delivery = 'delivered', ends_at = now() + interval '1 hour'")
    pause(company, order_id)
    assert remind(company, order_id) == (1, False)
    fresh_clock(timedelta(hours=2))
    pause(company, order_id, ends=True)
    assert postman("gift_reminder") == []
    (gift,) = company.gifts(order_id)
    assert states(company, gift) == ["expired"]
    assert gift.delivery == "delivered", "the letter itself has arrived"


def test_the_pause_counts_from_when_a_reminder_leaves(company, fresh_clock):
    order_id = arrived(company, 1)
    leaves_at = quiet_until(company, order_id, hours=10)
    assert remind(company, order_id) == (1, False)
    (gift,) = company.gifts(order_id)
    assert gift.queued_at is not None
    assert abs(gift.queued_at - leaves_at) < timedelta(minutes=1)
    assert gift.hand_reminded_at == (gift.queued_at,)
    fresh_clock(timedelta(hours=24))
    let_leave(company.scope, order_id)
    told = look(company, order_id)
    assert (told.left_out, told.again_at) == (
        {"lately": 1},
        gift.queued_at + timedelta(hours=20),
    )
    fresh_clock(timedelta(hours=32))
    assert look(company, order_id).count == 1


def test_the_automatic_reminder_takes_the_place_of_one_that_waits(company, fresh_clock):
    order_id = arrived(company, 2)
    pause(company, order_id)
    assert remind(company, order_id) == (2, False)
    fresh_clock(timedelta(days=CONTRACT.claim_days - 10))
    assert jobs.remind_due(company.scope) == 2
    for gift in company.gifts(order_id):
        assert states(company, gift) == ["queued", "expired"]
        assert (gift.hand_reminded_at, gift.reminded_at) == ((), gift.queued_at)


def test_who_cannot_be_reminded_again_keeps_the_reminder_that_waits(company):
    order_id = arrived(company, 3)
    remind(company, order_id)
    a_day_later(company, order_id)
    before = company.gifts(order_id)
    set_gifts(company, order_id, "person_sealed = '\\x00'", number=before[1].number)
    assert remind(company, order_id) == (2, False)
    assert [states(company, gift) for gift in before] == [
        ["queued", "expired"],
        ["queued"],
        ["queued", "expired"],
    ]
    assert remind_counts(company, order_id) == [1, 1, 1]


def remind_counts(company, order_id) -> list[int]:
    with unit_of_work(company.scope) as work:
        found = sa.text(
            "SELECT cardinality(hand_reminded_at) FROM gifts WHERE order_id = :order"
            " ORDER BY number"
        )
        return list(work.session.scalars(found, {"order": order_id}))


def give_more_time(company, gift) -> None:
    with unit_of_work(company.as_("support")) as work:
        later = gift.claim_by + timedelta(days=5)
        gifts.extend_gift(work, gift.id, later, reason="asked for")


def test_after_more_time_a_reminder_that_waits_names_the_new_day(company, postman):
    order_id = arrived(company, 1)
    pause(company, order_id)
    remind(company, order_id)
    (gift,) = company.gifts(order_id)
    give_more_time(company, gift)
    assert states(company, gift) == ["queued", "expired"], "written anew, and once"
    (after,) = company.gifts(order_id)
    assert after.hand_reminded_at == (after.queued_at,), "one of the two, as before"
    pause(company, order_id, ends=True)
    assert postman("gift_reminder") == ["r0@example.com"]
    assert after.claim_by > gift.claim_by
    assert format_day(after.claim_by, "ja") in newest_mail(postman)


def newest_mail(postman) -> str:
    letter = email.message_from_bytes(postman.mail.mails[-1])
    return next(
        part.get_payload(decode=True).decode()
        for part in letter.walk()
        if part.get_content_type() == "text/plain"
    )


def test_after_more_time_the_automatic_reminder_waits_for_its_own_time(company, fresh_clock):
    order_id = arrived(company, 1)
    pause(company, order_id)
    fresh_clock(timedelta(days=CONTRACT.claim_days - 10))
    assert jobs.remind_due(company.scope) == 1
    (gift,) = company.gifts(order_id)
    give_more_time(company, gift)
    assert states(company, gift) == ["expired"]
    assert company.gifts(order_id)[0].reminded_at is None


def test_a_reminder_that_left_is_not_written_again_for_more_time(company, postman):
    order_id = arrived(company, 1)
    postman()
    a_day_later(company, order_id)
    remind(company, order_id)
    assert postman("gift_reminder") == ["r0@example.com"]
    (gift,) = company.gifts(order_id)
    give_more_time(company, gift)
    assert len(states(company, gift)) == 1


def test_a_reminder_that_never_left_cuts_no_pause_short(company, fresh_clock):
    """The first one left; the second is withdrawn: the pause counts from the first."""
    order_id = arrived(company, 1)
    remind(company, order_id)
    (gift,) = company.gifts(order_id)
    first = gift.queued_at
    let_leave(company.scope, order_id)
    fresh_clock(timedelta(hours=25))
    pause(company, order_id)
    remind(company, order_id)
    fresh_clock(timedelta(hours=26))
    company.claim(gift.id)
    (after,) = company.gifts(order_id)
    assert (after.hand_reminded_at, after.queued_at) == ((first,), first)


def test_after_more_time_nobody_is_reminded_who_wants_no_letters_by_now(company):
    order_id = arrived(company, 1)
    pause(company, order_id)
    remind(company, order_id)
    (gift,) = company.gifts(order_id)
    with unit_of_work(company.scope) as work:
        messaging.suppress(work, stopped_address(work, "mail", gift.address, "unsubscribed"))
    give_more_time(company, gift)
    assert states(company, gift) == ["expired"]
    assert company.gifts(order_id)[0].hand_reminded_at == ()


def test_news_of_a_reminder_from_before_more_time_say_nothing_of_the_letter(company, fresh_clock):
    order_id = arrived(company, 1)
    let_leave(company.scope, order_id)
    fresh_clock(timedelta(days=CONTRACT.claim_days - 10))
    assert jobs.remind_due(company.scope) == 1
    let_leave(company.scope, order_id)
    (gift,) = company.gifts(order_id)
    news = messaging.MessageBounced(object_id=gift.message_id, reference=gift.id, is_permanent=True)
    give_more_time(company, gift)
    with unit_of_work(company.scope) as work:
        handlers.note_bounced(work, news)
    assert company.gifts(order_id)[0].delivery == "delivered"


def test_whoever_must_choose_again_gets_no_reminder_of_the_day_before(company, fresh_clock):
    giver = make_giver()
    set_contract(giver.scope, ALL_HOURS)
    order_id = arrived(giver, 1)
    (gift,) = giver.gifts(order_id)
    (claim_id,) = giver.buy(gift.id, "CUP")
    pause(giver, order_id)
    fresh_clock(timedelta(days=CONTRACT.claim_days - 10))
    assert jobs.remind_due(giver.scope) == 1
    with unit_of_work(giver.scope) as work:
        gifts.choose_again(work, claim_id, reason="none left")
    assert states(giver, gift) == ["expired"]


@pytest.mark.parametrize("news", ["sent", "delivered"])
def test_the_pause_counts_from_when_a_letter_left_that_waited_for_days(company, postman, news):
    """A receipt may be quicker than the end of the letter's chunk, and is all there is then."""
    order_id = arrived(company, 1)
    pause(company, order_id)
    remind(company, order_id)
    a_day_later(company, order_id)
    a_day_later(company, order_id)
    pause(company, order_id, ends=True)
    if news == "sent":
        assert postman("gift_reminder") == ["r0@example.com"]
    else:
        deliver_at_once(company, order_id)
    (gift,) = company.gifts(order_id)
    assert gift.hand_reminded_at == (gift.queued_at,)
    assert look(company, order_id).left_out == {"lately": 1}


def deliver_at_once(company, order_id) -> None:
    """Let a reminder leave of which only the receipt tells."""
    let_leave(company.scope, order_id)
    (gift,) = company.gifts(order_id)
    news = messaging.MessageDelivered(object_id=gift.message_id, reference=gift.id)
    with unit_of_work(company.scope) as work:
        handlers.note_delivered(work, news)


def test_a_letter_of_many_that_left_soon_keeps_the_instant_it_was_written(company, postman):
    order_id = arrived(company, 1)
    remind(company, order_id)
    (before,) = company.gifts(order_id)
    assert postman("gift_reminder") == ["r0@example.com"]
    assert company.gifts(order_id)[0].queued_at == before.queued_at
