"""How letters of gifts go: recorded with the gift, noted when they arrive, sent again with care."""

from __future__ import annotations

from datetime import timedelta

import pytest

from giftpad import gifts, messaging
from giftpad.gifts import handlers, jobs
from giftpad.kernel.ids import new_id
from giftpad.kernel.work import unit_of_work
from tests.make_gifts import CONTRACT, make_company

pytestmark = pytest.mark.usefixtures("house")


@pytest.fixture
def company():
    return make_company()


@pytest.fixture
def gift(company, monkeypatch):
    monkeypatch.setattr("giftpad.gifts.commands.deciding.next_loud", lambda at, *_: at)
    return company.gifts(company.sent(1, "mail"))[0]


def again(company, gift) -> gifts.GiftView:
    with unit_of_work(company.scope) as work:
        return gifts.get_gift(work, gift.id)


def hear(company, gift, event, **more) -> None:
    handler = {
        messaging.MessageSent: lambda work, event: handlers.note_sent(work, [event]),
        messaging.MessageDelivered: handlers.note_delivered,
        messaging.MessageBounced: handlers.note_bounced,
        messaging.MessageUnknown: handlers.note_unknown,
    }[event]
    message_id = more.pop("message_id", gift.message_id)
    with unit_of_work(company.scope) as work:
        handler(work, event(object_id=message_id, reference=gift.id, **more))


def test_a_letter_is_recorded_with_the_gift_it_is_about(company, gift):
    assert gift.delivery == "queued"
    assert gift.message_id is not None
    with unit_of_work(company.scope) as work:
        message = messaging.get_message(work, gift.message_id)
    assert (message.template, message.queue) == ("gift_invitation", "bulk-mail")
    assert message.recipient == "r***@example.com"


def test_what_became_of_it_is_seen_on_the_board(company, gift):
    hear(company, gift, messaging.MessageSent)
    assert again(company, gift).delivery == "sent"
    hear(company, gift, messaging.MessageDelivered)
    progress = company.progress(gift.order_id)
    assert (progress.sent, progress.delivered, progress.failed) == (1, 1, 0)
    hear(company, gift, messaging.MessageBounced, is_permanent=True)
    assert company.progress(gift.order_id).failed == 1


def test_a_receipt_that_is_faster_than_our_own_word_stands(company, gift):
    hear(company, gift, messaging.MessageDelivered)
    hear(company, gift, messaging.MessageSent)
    assert again(company, gift).delivery == "delivered"


def test_news_of_an_older_letter_changes_nothing(company, gift):
    hear(company, gift, messaging.MessageBounced, message_id=new_id(), is_permanent=True)
    assert again(company, gift).delivery == "queued"


def test_nobody_is_bothered_twice_in_a_day_or_without_end(company, gift, fresh_clock):
    hear(company, gift, messaging.MessageSent)
    with pytest.raises(gifts.ResendTooSoon), unit_of_work(company.as_("support")) as work:
        gifts.resend(work, gift.id)
    for day in range(1, CONTRACT.resend_max + 1):
        fresh_clock(timedelta(days=day))
        with unit_of_work(company.as_("support")) as work:
            gifts.resend(work, gift.id)
        hear(company, again(company, gift), messaging.MessageSent)
    fresh_clock(timedelta(days=9))
    with pytest.raises(gifts.GiftWrongState), unit_of_work(company.as_("support")) as work:
        gifts.resend(work, gift.id)


def test_a_letter_of_which_nobody_knows_is_counted_and_sent_again_at_once(company, gift):
    hear(company, gift, messaging.MessageUnknown)
    assert company.progress(gift.order_id).unknown == 1
    assert [each.id for each in company.gifts(gift.order_id, shown="undelivered")] == [gift.id]
    with unit_of_work(company.as_("support")) as work:
        gifts.resend(work, gift.id)
    assert again(company, gift).message_id != gift.message_id
    assert company.progress(gift.order_id).unknown == 0


def test_the_letters_of_many_gifts_are_noted_together(company, monkeypatch):
    monkeypatch.setattr("giftpad.gifts.commands.deciding.next_loud", lambda at, *_: at)
    sent = company.gifts(company.sent(5, "mail"))
    hear(company, sent[0], messaging.MessageDelivered)
    news = [messaging.MessageSent(object_id=g.message_id, reference=g.id) for g in sent]
    news[1] = messaging.MessageSent(object_id=new_id(), reference=sent[1].id)
    with unit_of_work(company.scope) as work:
        handlers.note_sent(work, news)
    assert [again(company, each).delivery for each in sent] == [
        "delivered",
        "queued",
        *["sent"] * 3,
    ]


def test_what_came_back_is_sent_elsewhere_at_once_with_the_same_link(company, gift):
    hear(company, gift, messaging.MessageBounced, is_permanent=True)
    with unit_of_work(company.scope) as work:
        link = gifts.get_link(work, gift.id)
    with pytest.raises(gifts.OrderUnfit), unit_of_work(company.as_("support")) as work:
        gifts.readdress(work, gift.id, channel="mail", address="nobody@")
    with unit_of_work(company.as_("support")) as work:
        gifts.readdress(work, gift.id, channel="mail", address="new@example.com")
    after = again(company, gift)
    assert (after.address, after.delivery) == ("new@example.com", "queued")
    assert after.message_id != gift.message_id
    with unit_of_work(company.scope) as work:
        assert gifts.get_link(work, gift.id) == link


def test_whoever_has_not_chosen_is_reminded_once(company, gift, fresh_clock):
    hear(company, gift, messaging.MessageDelivered)
    fresh_clock(timedelta(days=CONTRACT.claim_days - 10))
    assert jobs.remind_due(company.scope) == 1
    assert jobs.remind_due(company.scope) == 0
    reminded = again(company, gift)
    with unit_of_work(company.scope) as work:
        assert messaging.get_message(work, reminded.message_id).template == "gift_reminder"


def test_whoever_has_chosen_is_left_alone(company, gift, fresh_clock):
    hear(company, gift, messaging.MessageDelivered)
    company.claim(gift.id)
    fresh_clock(timedelta(days=CONTRACT.claim_days - 10))
    assert jobs.remind_due(company.scope) == 0
