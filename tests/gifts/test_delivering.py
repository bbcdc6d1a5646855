"""How letters of gifts go: recorded with the gift, noted when they arrive, sent again with care."""

from __future__ import annotations

import email
import email.policy
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from giftpad import catalog, gifts, messaging
from giftpad.gifts import handlers, jobs
from giftpad.kernel.ids import new_id
from giftpad.kernel.work import unit_of_work
from giftpad.messaging import jobs as messaging_jobs
from giftpad.messaging.commands import finish_sending, start_sending
from giftpad.messaging.models import MessageRow
from giftpad.messaging.rules.sending import put_off
from tests.make_catalog import HEADER, Shelf
from tests.make_gift_rows import ALL_HOURS
from tests.make_gifts import CONTRACT, HOME, OWN_COURSE, make_company, set_contract

pytestmark = pytest.mark.usefixtures("house")
CROWD = 60


@pytest.fixture
def company():
    return make_company(contract=ALL_HOURS)


@pytest.fixture
def gift(company):
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


def make_due(work, message_id) -> None:
    """Let the pause of a message be over."""
    work.session.execute(
        sa.update(MessageRow).where(MessageRow.id == message_id).values(due_at=work.at)
    )


def readdress(company, gift, address="new@example.com", *, channel="mail"):
    with unit_of_work(company.as_("support")) as work:
        return gifts.readdress(work, gift.id, channel=channel, address=address)


def link_of(company, gift) -> str:
    with unit_of_work(company.scope) as work:
        return gifts.get_link(work, gift.id)


def opens(company, link) -> bool:
    """Whether a link still opens a gift."""
    found = gifts.find_gift_tenant(link.rpartition("/")[2])
    assert found is not None
    with unit_of_work(company.scope) as work:
        return gifts.find_gift_id(work, found[1]) is not None


def test_what_came_back_is_sent_elsewhere_at_once_and_the_old_link_is_dead(company, gift):
    hear(company, gift, messaging.MessageSent)
    hear(company, gift, messaging.MessageBounced, is_permanent=True)
    link = link_of(company, gift)
    with pytest.raises(gifts.OrderUnfit):
        readdress(company, gift, "nobody@")
    assert opens(company, link)
    assert readdress(company, gift)
    after = again(company, gift)
    assert (after.address, after.delivery) == ("new@example.com", "queued")
    assert after.sent_at is None
    assert after.message_id != gift.message_id
    assert not opens(company, link)
    assert opens(company, link_of(company, gift))


def test_a_letter_to_a_wrong_address_that_waits_never_leaves(company, gift, postman):
    link = link_of(company, gift)
    assert not readdress(company, gift)
    assert link_of(company, gift) == link, "nobody has it"
    assert postman() == ["new@example.com"]
    with unit_of_work(company.scope) as work:
        run = messaging.get_run(work, company.order(gift.order_id).run_id)
    assert (run.total, run.waiting, run.counts["expired"], run.counts["sent"]) == (2, 0, 1, 1)


def test_a_letter_that_failed_is_not_sent_again_to_the_wrong_address(company, gift, postman):
    postman.mail.replies["RCPT"] = ["550 5.1.1 no such box"]
    postman()
    assert again(company, gift).delivery == "failed"
    assert readdress(company, gift), "nobody can be sure who has the link"
    with pytest.raises(messaging.MessageWrongState), unit_of_work(company.scope) as work:
        messaging.retry(work, gift.message_id)
    assert postman() == ["new@example.com"]


def test_a_letter_that_is_being_handed_over_is_not_tried_once_more(company, gift, postman):
    link = link_of(company, gift)
    with unit_of_work(company.scope) as work:
        parcel = start_sending(work, gift.message_id)
    assert readdress(company, gift)
    assert not opens(company, link)
    with unit_of_work(company.scope) as work:
        finish_sending(work, parcel, put_off("busy"))
        make_due(work, gift.message_id)
    assert postman() == ["new@example.com"]


def test_letters_of_gifts_that_are_taken_back_stay_here(company, postman):
    first, *_ = company.gifts(company.sent(4, "mail"))
    with unit_of_work(company.scope) as work:
        gifts.cancel_gift(work, first.id, reason="x")
    assert postman() == [f"r{at}@example.com" for at in (1, 2, 3)]
    order_id = company.sent(4, "mail")
    company.claim(company.gifts(order_id)[0].id)
    with unit_of_work(company.scope) as work:
        gifts.begin_cancelling(work, order_id, reason="x")
    assert postman() == [f"r{at}@example.com" for at in (0, 1, 2, 3)]


def test_letters_and_corrections_at_the_same_time_leave_no_stranger_with_a_link(company, postman):
    """Whoever corrects an address meets the worker at every step; nobody waits for the other."""
    everybody = company.gifts(company.sent(CROWD, "mail"))

    def correct(gift):
        return readdress(company, gift, f"new{gift.number}@example.com")

    with ThreadPoolExecutor(4) as crowd:
        sending = [crowd.submit(postman) for _ in range(2)]
        is_new = list(crowd.map(correct, everybody))
        for each in sending:
            each.result()
    reached = set(postman())
    for gift, renewed in zip(everybody, is_new, strict=True):
        assert f"new{gift.number}@example.com" in reached
        assert renewed or gift.address not in reached, "a stranger has a link that opens"


def test_the_same_address_once_more_is_a_resend(company, gift, fresh_clock):
    hear(company, gift, messaging.MessageSent)
    with pytest.raises(gifts.ResendTooSoon):
        readdress(company, gift, gift.address.upper())
    fresh_clock(timedelta(days=1))
    link = link_of(company, gift)
    assert not readdress(company, gift, gift.address)
    assert (again(company, gift).resent, link_of(company, gift)) == (1, link)


def test_two_addresses_in_turn_are_no_way_round_the_limit(company, gift):
    for number in range(CONTRACT.resend_max):
        hear(company, again(company, gift), messaging.MessageSent)
        readdress(company, gift, f"{number}@example.com")
    hear(company, again(company, gift), messaging.MessageSent)
    with pytest.raises(gifts.GiftWrongState):
        readdress(company, gift, gift.address)
    readdress(company, gift, "", channel="link")
    with pytest.raises(gifts.GiftWrongState):
        readdress(company, gift, gift.address)


def test_a_card_is_printed_with_its_order_or_never(company, gift):
    with pytest.raises(gifts.OrderUnfit):
        readdress(company, gift, "", channel="card")
    assert again(company, gift).channel == "mail"


def test_a_link_that_was_sent_is_shown_to_nobody(company, gift):
    hear(company, gift, messaging.MessageDelivered)
    sent = link_of(company, gift)
    readdress(company, gift, "", channel="link")
    with unit_of_work(company.as_("support")) as work:
        shown = gifts.show_link(work, gift.id)
    assert shown != sent
    assert opens(company, shown)
    assert not opens(company, sent)


def test_whoever_has_not_chosen_is_reminded_once(company, gift, fresh_clock):
    hear(company, gift, messaging.MessageDelivered)
    fresh_clock(timedelta(days=CONTRACT.claim_days - 10))
    assert jobs.remind_due(company.scope) == 1
    assert jobs.remind_due(company.scope) == 0
    with unit_of_work(company.scope) as work:
        last = letters_about(work, gift)[-1]
        assert messaging.get_message(work, last).template == "gift_reminder"


def test_a_reminder_that_comes_back_does_not_undo_what_arrived(company, gift, fresh_clock):
    hear(company, gift, messaging.MessageDelivered)
    fresh_clock(timedelta(days=CONTRACT.claim_days - 10))
    with unit_of_work(company.scope) as work:
        before = set(letters_about(work, gift))
    assert jobs.remind_due(company.scope) == 1
    with unit_of_work(company.scope) as work:
        (reminder,) = set(letters_about(work, gift)) - before
    assert again(company, gift).delivery == "delivered"
    hear(company, gift, messaging.MessageBounced, message_id=reminder, is_permanent=True)
    assert again(company, gift).delivery == "delivered"
    assert company.progress(gift.order_id).failed == 0


def letters_about(work, gift) -> list[UUID]:
    found = sa.text("SELECT id FROM messaging_messages WHERE reference = :gift ORDER BY id")
    return list(work.session.execute(found, {"gift": gift.id}).scalars())


def test_whoever_has_chosen_is_left_alone(company, gift, fresh_clock):
    hear(company, gift, messaging.MessageDelivered)
    company.claim(gift.id)
    fresh_clock(timedelta(days=CONTRACT.claim_days - 10))
    assert jobs.remind_due(company.scope) == 0


def break_people(company, order_id) -> None:
    """Let nobody of an order be readable, as when a key is gone."""
    with unit_of_work(company.scope) as work:
        gone = sa.text("UPDATE gifts SET person_sealed = '\\x00' WHERE order_id = :id")
        work.session.execute(gone, {"id": order_id})


def test_one_gift_that_cannot_be_reminded_of_stops_nobody_elses_reminder(company, fresh_clock):
    broken, whole = (company.sent(2, "mail") for _ in range(2))
    for gift in (*company.gifts(broken), *company.gifts(whole)):
        hear(company, gift, messaging.MessageDelivered)
    break_people(company, broken)
    fresh_clock(timedelta(days=CONTRACT.claim_days - 10))
    assert jobs.remind_due(company.scope) == 2
    assert jobs.remind_due(company.scope) == 0
    assert all(gift.reminded_at is not None for gift in company.gifts(whole))
    assert company.progress(broken).issued == 2
    with unit_of_work(company.scope) as work:
        told = sa.text("SELECT count(reminded_at) FROM gifts WHERE order_id = :id")
        assert work.session.execute(told, {"id": broken}).scalar_one() == 0


def test_a_reminder_that_comes_back_says_nothing_of_the_letter(company, gift, fresh_clock):
    hear(company, gift, messaging.MessageDelivered)
    fresh_clock(timedelta(days=CONTRACT.claim_days - 10))
    jobs.remind_due(company.scope)
    reminded = again(company, gift)
    assert reminded.delivery == "delivered"
    hear(company, reminded, messaging.MessageBounced, is_permanent=True)
    assert again(company, gift).delivery == "delivered"


def quiet_now(company, *, until: timedelta = timedelta(hours=2)):
    """Agree on quiet hours that have just begun, in the tenant's zone."""
    with unit_of_work(company.scope) as work:
        now = work.at.astimezone(ZoneInfo("Asia/Tokyo"))
    begin, end = (now - timedelta(hours=1)).time(), (now + until).time()
    set_contract(company.scope, replace(CONTRACT, quiet_from=begin, quiet_until=end))


def test_letters_that_are_not_begun_when_it_gets_quiet_wait_for_the_morning(
    company, postman, fresh_clock, monkeypatch
):
    monkeypatch.setattr("giftpad.gifts.commands.deciding.next_loud", lambda at, *_: at)
    quiet_now(company)
    gift, other = company.gifts(company.sent(2, "mail"))
    assert not readdress(company, gift)
    hear(company, other, messaging.MessageBounced, is_permanent=True)
    with unit_of_work(company.scope) as work:
        gifts.resend(work, other.id)
        run = messaging.get_run(work, company.order(gift.order_id).run_id)
        rests = gifts.get_leaving(work, run.id).rests_until
    assert postman() == []
    assert rests is not None
    assert run.rests_until == rests
    fresh_clock(timedelta(hours=3))
    assert messaging_jobs.go_on_with_bulk(company.scope) == 1
    assert postman() == ["new@example.com", "r1@example.com"]


def letters_of(postman) -> str:
    """Return the texts of the letters to whoever has chosen, one below the other."""
    postman()
    mails = (
        email.message_from_bytes(raw, policy=email.policy.default) for raw in postman.mail.mails
    )
    texts = [mail.get_body(("plain",)).get_content() for mail in mails if "hanako" in mail["To"]]
    return "\n".join(texts)


def test_a_letter_about_a_code_speaks_of_no_parcel(company, gift, postman):
    shelf = Shelf(scope=company.scope, course_id=company.course_id)
    shelf.put(f"SPA,日帰り温泉,digital,,,,,{OWN_COURSE},,")
    variant = shelf.variant("SPA")
    with unit_of_work(company.scope) as work:
        catalog.add_codes(work, variant.id, [f"{gift.id.hex}-1"])
    company.variants[0] = variant.id
    claim_id = company.claim(gift.id, email="hanako@example.com")
    said = letters_of(postman)
    assert "日帰り温泉" in said
    for word in ("〒", HOME.city, "お届け先", "発送"):
        assert word not in said
    with pytest.raises(gifts.ClaimNotFound), unit_of_work(company.scope) as work:
        gifts.choose_again(work, claim_id, reason="在庫なし")
    with unit_of_work(company.scope) as work:
        assert gifts.get_letter(work, gift.id).state == "claimed"


def test_what_is_called_by_a_long_name_is_claimed_and_shipped(company, gift, postman):
    shelf = Shelf(scope=company.scope, course_id=company.course_id)
    name, kind = "みほん" * 33, "あかむらさき" * 16
    head = f"{HEADER},variant_code,variant_name"
    shelf.put(
        f"L,{name},goods,,みほん農園,,,{OWN_COURSE},9,,L-A,{kind}",
        "L,,,,,,,,9,,L-B,あお",
        header=head,
    )
    company.variants[0] = shelf.variant("L-A", "L").id
    claim_id = company.claim(gift.id, email="hanako@example.com")
    with unit_of_work(company.scope) as work:
        number = gifts.get_parcel(work, claim_id).claim.number
        lines = [gifts.Shipped(line=2, number=number, carrier="架空便", tracking="1")]
        assert gifts.note_shipped(work, lines) == (1, [])
    assert name in letters_of(postman)


@pytest.mark.parametrize(("carrier", "kept"), [("架空\n便", "架空 便"), ("架\u200b空", None)])
def test_a_carrier_is_written_on_one_line_or_refused(carrier, kept):
    cells = {"number": "G-00001", "tracking": "1", "carrier": carrier}
    read = gifts.clean_shipped(2, cells, carrier="")
    if kept is None:
        assert isinstance(read, gifts.ShippingFault)
        assert gifts.SHIPPING_SENTENCES[read.code]
    else:
        assert isinstance(read, gifts.Shipped)
        assert read.carrier == kept
