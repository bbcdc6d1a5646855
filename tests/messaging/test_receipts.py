"""What providers tell afterwards is believed when it is signed, counted once, and followed."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from uuid import uuid4

import pytest
import sqlalchemy as sa

from giftpad import audit, messaging
from giftpad.kernel.work import unit_of_work
from giftpad.messaging.commands import start_sending
from tests import make
from tests.messaging.conftest import MAIL, SECRET, code_message, invitation
from tests.messaging.test_bulk import counts, letters, open_run, run_of, send_many
from tests.messaging.test_gift_letters import gift
from tests.waiting import wait_for_waiting


def receipt(message_id, status="delivered", **more):
    return {"id": str(message_id), "status": status, **more}


def test_a_mail_that_arrived_is_delivered_once(post, hooks, told):
    reference = uuid4()
    message_id = post.send(replace(invitation(), reference=reference))
    post.deliver()
    answer = hooks(receipt(message_id), receipt(message_id))
    assert (answer.status_code, answer.json) == (200, {"noted": 1})
    assert hooks(receipt(f"<{message_id}@midori.example>")).json == {"noted": 0}
    found = post.view(message_id)
    assert (found.state, found.told_at is not None) == ("delivered", True)
    post.deliver()
    assert told == [
        messaging.MessageSent(object_id=message_id, reference=reference),
        messaging.MessageDelivered(object_id=message_id, reference=reference),
    ]


def test_without_a_reference_nobody_is_told(post, hooks, told):
    message_id = post.send(invitation())
    post.deliver()
    hooks(receipt(message_id))
    post.deliver()
    assert told == []


def test_a_mail_that_bounced_for_good_is_the_last_to_its_address(post, hooks, told):
    reference = uuid4()
    message_id = post.send(replace(invitation(), reference=reference))
    post.deliver()
    hooks(receipt(message_id, "bounced", permanent=True))
    assert post.view(message_id).state == "bounced"
    again = post.send(replace(invitation(to=MAIL.upper()), reference=reference))
    code = post.send(code_message())
    post.deliver()
    assert post.view(again).state == "suppressed"
    assert post.view(again).last_error == "nothing is sent to this address: bounced"
    assert post.view(code).state == "sent", "whoever asks for a code looks at a screen"
    assert [type(each).name for each in told] == [
        *("message.sent_v1", "message.bounced_v1", "message.given_up_v1")
    ]
    assert told[1].is_permanent
    assert told[2].state == "suppressed"


def test_a_person_lifts_it_and_what_was_held_back_can_be_sent(post, hooks):
    message_id = post.send(invitation())
    post.deliver()
    hooks(receipt(message_id, "bounced", permanent=True))
    held = post.send(invitation())
    post.deliver()
    with unit_of_work(post.scope) as work:
        (shown,) = messaging.list_suppressions(work)
        assert (shown.shown, shown.reason) == ("h***@aoba.example", "bounced")
        assert messaging.lift_suppressions(work, "mail", MAIL.upper()) == 1
        messaging.retry(work, held)
    with unit_of_work(post.scope) as work:
        actions = [e.action for e in audit.list_entries(work, audit.EntryFilter(limit=2))]
        assert actions == ["message.retried", "message_suppression.lifted"]
        assert messaging.list_suppressions(work) == []
    post.deliver()
    assert post.view(held).state == "sent"
    with unit_of_work(post.scope) as work, pytest.raises(messaging.SuppressionNotFound):
        messaging.lift_suppressions(work, "mail", MAIL)


def test_what_bounced_for_now_stops_nothing(post, hooks):
    message_id = post.send(invitation())
    post.deliver()
    hooks(receipt(message_id, "bounced"))
    assert post.view(message_id).state == "bounced"
    again = post.send(invitation())
    post.deliver()
    assert post.view(again).state == "sent"


def test_a_complaint_stops_bulk_and_nothing_that_somebody_set_off(post, hooks):
    message_id = post.send(gift(to=MAIL))
    post.deliver()
    assert hooks(receipt(message_id, "complained")).json == {"noted": 1}
    assert post.view(message_id).state == "sent"
    bulk, own = post.send(gift(to=MAIL)), post.send(invitation())
    post.deliver()
    assert (post.view(bulk).state, post.view(own).state) == ("suppressed", "sent")


def test_a_run_counts_what_arrived_and_what_was_held_back(post, hooks):
    run_id = open_run(post)
    first, second, third = send_many(post, letters(3, run_id))
    post.deliver()
    hooks(receipt(first), receipt(second, "bounced", permanent=True))
    hooks(receipt(first, "bounced"))
    send_many(post, letters(2, run_id))
    post.deliver()
    assert counts(post, run_id) == {"bounced": 2, "sent": 2, "suppressed": 1}
    assert run_of(post, run_id).waiting == 0
    assert post.view(third).state == "sent"


def test_a_receipt_shows_that_what_was_unknown_was_taken(post, hooks, told):
    from tests.messaging.wire import CUT

    post.mail.replies["taken"] = [CUT]
    message_id = post.send(replace(invitation(), reference=uuid4()))
    post.deliver()
    assert post.view(message_id).state == "unknown"
    hooks(receipt(message_id))
    assert post.view(message_id).state == "delivered"
    assert post.row(message_id)["values_sealed"] is None
    post.deliver()
    assert [type(each).name for each in told] == ["message.unknown_v1", "message.delivered_v1"]


def test_a_receipt_that_is_quicker_than_the_answer_holds(post, hooks):
    message_id = post.send(invitation())
    with unit_of_work(post.scope) as work:
        parcel = start_sending(work, message_id)
    hooks(receipt(message_id))
    from giftpad.messaging.commands import finish_sending
    from giftpad.messaging.rules.sending import taken

    with unit_of_work(post.scope) as work:
        assert finish_sending(work, parcel, taken("4F1D2C")) == "delivered"
    assert post.view(message_id).provider_id == "4F1D2C"


def test_a_receipt_for_what_was_never_sent_is_none(post, hooks):
    message_id = post.send(invitation())
    assert hooks(receipt(message_id)).json == {"noted": 0}
    assert hooks(receipt(uuid4())).json == {"noted": 0}
    assert post.view(message_id).state == "queued"


@pytest.mark.parametrize(
    "change",
    [
        {"secret": "another secret, as long"},
        {"at": -301},
        {"at": 400},
        {"provider": "nobody"},
        {"provider": "twilio"},
    ],
)
def test_what_is_not_signed_as_agreed_changes_nothing(post, hooks, change):
    message_id = post.send(invitation())
    post.deliver()
    if "at" in change:  # seconds from now, not from when this file was read
        change = {"at": time.time() + change["at"]}
    answer = hooks(receipt(message_id), **change)
    assert (answer.status_code, answer.json["code"]) == (404, "message_hook.not_found")
    assert post.view(message_id).state == "sent"


def test_a_body_that_was_changed_on_its_way_changes_nothing(post, hooks):
    message_id = post.send(invitation())
    post.deliver()
    raw = json.dumps({"receipts": [receipt(message_id)]}).encode()
    signature = messaging.sign_own(SECRET, raw, int(time.time()))
    for data, headers in (
        (raw + b" ", {"X-Giftpad-Signature": signature}),
        (raw, {"X-Giftpad-Signature": signature.replace("v1=", "v1=0")}),
        (raw, {}),
        (raw, {"X-Giftpad-Signature": "あ".encode().decode("latin-1")}),
    ):
        answer = hooks.client.post("/api/hooks/messages/mail", data=data, headers=headers)
        assert answer.status_code == 404
    assert post.view(message_id).state == "sent"


def test_without_a_secret_nobody_is_believed(post, hooks):
    messaging.bind_providers(replace(post.settings, hooks_secret=""))
    assert hooks(receipt(uuid4()), secret="").status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"receipts": 5}',
        b'{"receipts": [5]}',
        b'{"receipts": [{"id": "x", "status": "delivered"}]}',
        b'{"receipts": [{"id": "01a2031b-af40-743c-9c67-61622267074d", "status": "lost"}]}',
        b'{"receipts": ' + b"[" * 20_000,
        b"\xff",
    ],
)
def test_receipts_that_are_none_are_refused(hooks, body):
    answer = hooks(body=body)
    assert (answer.status_code, answer.json["code"]) == (422, "message_hook.unreadable")


def test_a_receipt_reaches_only_the_tenant_of_its_message(post, hooks):
    message_id = post.send(invitation())
    post.deliver()
    other = make.make_tenant()
    from giftpad.kernel.ids import TAG_BITS
    from giftpad.tenancy import get_tenant

    tag = get_tenant(other.tenant_id).tag
    forged = type(message_id)(int=message_id.int >> TAG_BITS << TAG_BITS | tag)
    assert hooks(receipt(forged)).json == {"noted": 0}
    assert post.view(message_id).state == "sent"


def test_receipts_of_two_letters_wait_for_the_second_without_their_run(post, hooks):
    run_id = open_run(post)
    first, second = sorted(send_many(post, letters(2, run_id)))
    post.deliver()
    with ThreadPoolExecutor(1) as pool:
        with unit_of_work(post.scope) as work:
            messaging.lock_letters(work, [second])
            noting = pool.submit(hooks, receipt(first), receipt(second))
            wait_for_waiting(work)
            with unit_of_work(post.scope) as beside:
                beside.session.execute(sa.text("SET LOCAL lock_timeout = 2000"))
                messaging.lock_run(beside, run_id)
        assert noting.result().json == {"noted": 2}
