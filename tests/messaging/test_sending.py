"""A message leaves once, when its change is committed, and tells honestly what became of it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy

import psycopg
import pytest

from giftpad import events, messaging
from giftpad.kernel.work import Scope, unit_of_work
from giftpad.messaging import handlers, jobs
from giftpad.messaging.adapters import sms_http, smtp
from giftpad.messaging.commands import start_sending
from giftpad.messaging.errors import PutOff
from giftpad.messaging.rules.sending import ATTEMPTS_MAX, QUICK_TRIES_MAX
from tests import make
from tests.messaging.conftest import CODE, MAIL, PHONE, code_message, invitation
from tests.messaging.wire import CUT


def read(raw):
    return message_from_bytes(raw, policy=policy.default)


def test_a_mail_is_sent_once_the_change_is_committed(post):
    class Undone(Exception):
        pass

    with pytest.raises(Undone), unit_of_work(post.scope) as work:
        messaging.send(work, invitation())
        raise Undone
    assert (post.deliver(), post.mail.opened) == (0, 0)
    message_id = post.send(invitation())
    assert post.mail.opened == 0
    assert post.deliver() == 1
    found = post.view(message_id)
    assert (found.state, found.attempts, found.last_error) == ("sent", 1, "")
    assert (found.provider_id, found.queue) == ("4F1D2C", "tx-mail")
    assert found.sent_at is not None
    assert post.mail.recipients == [MAIL]
    assert post.deliver() == 0
    assert len(post.mail.mails) == 1


def test_two_workers_with_the_same_hint_send_once(post):
    message_id = post.send(invitation())
    event = messaging.MailDue(object_id=message_id)
    post.mail.gate = make_gate()
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(handlers.send_due, post.scope, event)
        assert post.mail.arrived.wait(20)
        with pytest.raises(PutOff, match="another worker"):
            handlers.send_due(post.scope, event)
        post.mail.gate.set()
        assert first.result() is None
    handlers.send_due(post.scope, event)
    assert post.view(message_id).state == "sent"
    assert len(post.mail.mails) == 1


def make_gate():
    from threading import Event

    return Event()


def test_two_deliveries_of_one_event_send_once(post):
    message_id = post.send(invitation())
    with psycopg.connect(post.settings.database_relay_url) as relay:
        hints = [h for h in events.take_due(relay) if h.tenant_id == post.scope.tenant_id]
    (hint,) = hints
    assert (hint.queue, hint.event_name) == ("tx-mail", "message.mail_due_v1")

    def deliver(_):
        scope = Scope(tenant_id=hint.tenant_id)
        return events.deliver(scope, hint.handlers, hint.event_name, hint.event_ids)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(deliver, range(4)))
    assert post.view(message_id).state == "sent"
    assert len(post.mail.mails) == 1


@pytest.mark.parametrize("channel", ["mail", "sms"])
def test_a_code_travels_on_its_own_queue_and_is_forgotten(post, channel):
    message_id = post.send(code_message(channel))
    assert post.row(message_id)["values_sealed"] is not None
    post.deliver()
    found = post.view(message_id)
    assert (found.state, found.queue) == ("sent", "otp")
    assert post.row(message_id)["values_sealed"] is None


def test_a_code_that_is_over_is_not_sent(post):
    message_id = post.send(code_message(valid=timedelta(seconds=-1)))
    assert post.deliver() == 1
    found = post.view(message_id)
    assert (found.state, found.attempts, post.mail.opened) == ("expired", 0, 0)
    assert post.row(message_id)["values_sealed"] is None


@pytest.mark.parametrize(
    ("step", "reply", "reason"),
    [
        ("greeting", "421 4.3.2 closing", "mail server: SMTPConnectError 421 4.3.2"),
        ("MAIL", "550 5.7.1 not you", "mail server refused the sender: 550 5.7.1"),
        ("RCPT", f"450 4.2.1 <{MAIL}> greylisted", "mail server refused the recipient: 450 4.2.1"),
        ("DATA", "452 4.3.1 full", "mail server refused the mail: 452 4.3.1"),
        ("taken", "451 4.3.0 later", "mail server refused the mail: 451 4.3.0"),
        ("RCPT", CUT, "mail server: SMTPServerDisconnected"),
    ],
)
def test_what_may_pass_is_tried_again(post, step, reply, reason):
    post.mail.replies[step] = [reply]
    message_id = post.send(invitation())
    assert post.deliver() == 0
    found = post.view(message_id)
    assert (found.state, found.attempts, found.last_error) == ("queued", 1, reason)
    assert post.deliver() == 1
    found = post.view(message_id)
    assert (found.state, found.attempts, found.last_error) == ("sent", 2, "")


@pytest.mark.parametrize("step", ["RCPT", "DATA", "taken"])
def test_what_is_refused_for_good_is_not_tried_again(post, step):
    post.mail.replies[step] = [f"550 5.1.1 <{MAIL}>: no such user", "550 again"]
    message_id = post.send(invitation())
    assert post.deliver() == 1
    found = post.view(message_id)
    assert (found.state, found.attempts) == ("failed", 1)
    assert found.last_error.endswith(": 550 5.1.1")
    assert post.deliver() == 0
    assert post.row(message_id)["values_sealed"] is not None, "a person may send it again"


@pytest.mark.parametrize("answer", [CUT, "what?", "334 more"])
def test_a_lost_answer_is_unknown_and_a_letter_does_not_go_out_twice(post, answer):
    post.mail.replies["taken"] = [answer]
    message_id = post.send(invitation())
    assert post.deliver() == 1
    found = post.view(message_id)
    assert (found.state, found.attempts) == ("unknown", 1)
    assert "a whole mail" in found.last_error
    assert jobs.put_back_due(post.scope) == 0
    assert post.deliver() == 0
    assert len(post.mail.mails) == 1


def test_a_code_whose_answer_was_lost_goes_out_again_while_it_is_valid(post):
    post.mail.replies["taken"] = [CUT, CUT]
    message_id = post.send(code_message())
    assert post.deliver() == 0
    assert post.view(message_id).state == "queued"
    post.change(message_id, send_before=datetime.now(UTC) - timedelta(seconds=1))
    assert post.deliver() == 1
    assert post.view(message_id).state == "expired"
    assert len(post.mail.mails) == 1


def test_no_answer_in_time_is_as_none(post, monkeypatch):
    monkeypatch.setattr(smtp, "ACCEPT_TIMEOUT_S", 0.05)
    post.mail.gate = make_gate()
    message_id = post.send(invitation())
    post.deliver()
    assert post.view(message_id).state == "unknown"
    post.mail.gate.set()


def test_a_provider_that_is_not_there_is_asked_again_later_and_never_for_ever(post):
    from dataclasses import replace

    gone = replace(post.settings, smtp_url="smtp://127.0.0.1:9")
    messaging.bind_providers(gone)
    message_id = post.send(invitation())
    for _ in range(QUICK_TRIES_MAX - 1):
        assert post.deliver() == 0
    assert post.view(message_id).attempts == QUICK_TRIES_MAX - 1
    assert post.deliver() == 1, "the rails are through with it; the schedule takes over"
    found = post.view(message_id)
    assert (found.state, found.attempts) == ("queued", QUICK_TRIES_MAX)
    assert jobs.put_back_due(post.scope) == 0, "its pause is not over"
    while post.view(message_id).state == "queued":
        post.change(message_id, due_at=datetime.now(UTC) - timedelta(seconds=1))
        assert jobs.put_back_due(post.scope) == 1
        assert post.deliver() == 1
    found = post.view(message_id)
    assert (found.state, found.attempts) == ("failed", ATTEMPTS_MAX)
    assert post.dead() == []


def test_the_schedule_finds_what_was_overlooked(post):
    message_id = post.send(invitation())
    post.change(message_id, due_at=datetime.now(UTC) - timedelta(seconds=1))
    assert jobs.put_back_due(post.scope) == 1
    assert post.deliver() == 2
    assert post.view(message_id).state == "sent"
    assert len(post.mail.mails) == 1


@pytest.mark.parametrize(
    ("make_message", "state", "mails"), [(invitation, "unknown", 0), (code_message, "sent", 1)]
)
def test_what_a_dead_worker_held_is_unknown_unless_it_may_go_twice(
    post, make_message, state, mails
):
    message_id = post.send(make_message())
    with unit_of_work(post.scope) as work:
        assert start_sending(work, message_id) is not None
    post.change(message_id, leased_until=datetime.now(UTC) - timedelta(seconds=1))
    post.deliver()
    assert post.view(message_id).state == state
    assert len(post.mail.mails) == mails


def test_an_sms_is_asked_for_with_its_id_as_key(post):
    message_id = post.send(code_message("sms"))
    post.deliver()
    (asked,) = post.sms.asked
    assert asked["headers"]["Authorization"] == "Bearer a token"
    assert asked["headers"]["Idempotency-Key"] == str(message_id)
    assert asked["body"]["to"] == PHONE
    assert asked["body"]["from"] == "Midori"
    assert asked["body"]["text"].splitlines()[-1] == f"@pay.example #{CODE}"
    assert post.view(message_id).provider_id == "sms-1"


@pytest.mark.parametrize("answer", [500, 503, 429, 401, 302, CUT])
def test_an_sms_that_may_have_been_taken_goes_again_under_the_same_key(post, answer):
    post.sms.statuses = [answer]
    message_id = post.send(code_message("sms"))
    assert post.deliver() == 0
    assert post.deliver() == 1
    assert post.view(message_id).state == "sent"
    assert post.sms.keys == [str(message_id)] * 2


def test_an_sms_without_an_answer_in_time_goes_again(post, monkeypatch):
    monkeypatch.setattr(sms_http, "ANSWER_TIMEOUT_S", 0.05)
    post.sms.gate = make_gate()
    message_id = post.send(code_message("sms"))
    assert post.deliver() == 0
    assert post.view(message_id).last_error == "SMS provider gave no answer in time"
    post.sms.gate.set()
    monkeypatch.undo()
    assert post.deliver() == 1
    assert post.view(message_id).state == "sent"


def test_an_sms_that_is_refused_for_good_fails_and_its_code_is_gone(post):
    post.sms.statuses = [422]
    message_id = post.send(code_message("sms"))
    assert post.deliver() == 1
    found = post.view(message_id)
    assert (found.state, found.last_error) == ("failed", "SMS provider answered 422")
    assert post.row(message_id)["values_sealed"] is None


def test_a_provider_that_fails_again_and_again_is_left_alone_for_a_while(post):
    post.mail.replies["greeting"] = ["421 no"] * 100
    ids = [post.send(invitation()) for _ in range(8)]
    post.deliver()
    assert post.mail.opened == 5
    assert post.view(ids[-1]).last_error == "provider does not answer at present"


def test_a_refused_recipient_does_not_hold_the_others_up(post):
    post.mail.replies["RCPT"] = ["550 no"] * 8
    for _ in range(8):
        post.send(invitation())
    good = post.send(invitation())
    post.deliver()
    assert post.view(good).state == "sent"


def test_another_tenant_sees_nothing(post):
    message_id = post.send(invitation())
    stranger = make.make_tenant()
    with unit_of_work(stranger) as work:
        assert messaging.list_messages(work) == []
        for door in (messaging.get_message, messaging.retry):
            with pytest.raises(messaging.MessageNotFound):
                door(work, message_id)


def test_old_messages_are_deleted(post):
    old, young = post.send(invitation()), post.send(invitation())
    post.change(old, delete_after=datetime.now(UTC) - timedelta(seconds=1))
    assert jobs.purge_old(post.scope) == 1
    with pytest.raises(messaging.MessageNotFound):
        post.view(old)
    assert post.view(young).state == "queued"
    assert post.deliver() == 2, "the event of a message that is gone is closed"


def test_headers_are_ours_and_japanese_arrives_as_written(post):
    message_id = post.send(invitation())
    post.deliver()
    (raw,) = post.mail.mails
    assert raw.isascii()
    mail = read(raw)
    assert mail["Subject"] == "みどり市からの招待"
    assert mail["From"].addresses[0].display_name == "みどり市"
    assert mail["From"].addresses[0].addr_spec == "no-reply@midori.example"
    assert mail["To"] == MAIL
    assert mail["Message-ID"] == f"<{message_id}@midori.example>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Content-Language"] == "ja"
    assert abs(mail["Date"].datetime - datetime.now(UTC)) < timedelta(minutes=5)
    kinds = [part.get_content_type() for part in mail.iter_parts()]
    assert kinds == ["text/plain", "text/html"]
    assert {part.get_content_charset() for part in mail.iter_parts()} == {"utf-8"}
    text = mail.get_body(("plain",)).get_content()
    assert "https://pay.example/join/kumquat-lantern" in text
    assert "2026年12月1日" in text


def test_an_address_whose_dots_stand_together_is_quoted_on_the_wire(post):
    message_id = post.send(invitation(to="hana..s.@docomo.example"))
    post.deliver()
    assert post.view(message_id).state == "sent"
    assert post.mail.recipients == ['"hana..s."@docomo.example']


PIPELINING = "250-provider\r\n250 PIPELINING"


def test_envelope_and_mail_are_asked_at_once_where_the_server_takes_that(post):
    post.mail.replies["EHLO"] = [PIPELINING]
    message_id = post.send(invitation())
    post.deliver()
    assert (post.view(message_id).state, post.mail.recipients) == ("sent", [MAIL])
    assert len(post.mail.mails) == 1


def test_a_recipient_refused_among_them_gets_no_mail_and_holds_nobody_up(post):
    """The server waits for a mail that has nobody to go to: it gets none, and no part of one."""
    post.mail.replies["EHLO"] = [PIPELINING] * 3
    post.mail.replies["RCPT"] = ["550 never"]
    first, second = post.send(invitation()), post.send(invitation(to="next@aoba.example"))
    post.deliver()
    assert {post.view(first).state, post.view(second).state} == {"failed", "sent"}
    assert len(post.mail.mails) == 1
