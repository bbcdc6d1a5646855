"""Many letters leave in runs that can be watched and paused, and stand before nobody's code."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
import sqlalchemy as sa

from giftpad import audit, messaging, tenancy
from giftpad.events.models import OutboxEvent
from giftpad.kernel.db import database
from giftpad.kernel.ids import tag_of
from giftpad.kernel.work import unit_of_work
from giftpad.messaging import handlers, jobs
from giftpad.messaging.commands import Taken, begin_next, bulk, finish_taken, make_ready
from giftpad.messaging.rules import runs, sending
from giftpad.tenancy import get_tenant
from tests import make
from tests.messaging.conftest import code_message, invitation
from tests.messaging.wire import CUT
from worker.queues import LANES, LaneWorker, open_queue

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def letters(count, run_id=None, **changes):
    return [
        replace(invitation(to=f"hana{n}@aoba.example"), is_bulk=True, run_id=run_id, **changes)
        for n in range(count)
    ]


def send_many(post, messages):
    with unit_of_work(post.scope) as work:
        return messaging.send_many(work, messages)


def open_run(post, name="Summer gifts", **changes):
    with unit_of_work(post.scope) as work:
        return messaging.open_run(work, name=name, **changes)


def run_of(post, run_id):
    with unit_of_work(post.scope) as work:
        return messaging.get_run(work, run_id)


def counts(post, run_id):
    return {state: count for state, count in run_of(post, run_id).counts.items() if count}


def outbox(post):
    with unit_of_work(post.scope) as work:
        found = work.session.execute(
            sa.select(OutboxEvent.name).where(OutboxEvent.tenant_id == post.scope.tenant_id)
        )
        return sorted(found.scalars())


def test_a_run_of_many_is_sent_by_few_connections_and_told_by_few_events(post):
    run_id = open_run(post)
    ids = send_many(post, letters(230, run_id))
    assert outbox(post) == ["message.bulk_mail_due_v1"] * sending.LINES_MAX
    assert (run_of(post, run_id).total, run_of(post, run_id).waiting) == (230, 230)
    post.deliver()
    assert sorted(post.mail.recipients) == sorted(f"hana{n}@aoba.example" for n in range(230))
    assert post.mail.opened <= 23
    assert counts(post, run_id) == {"sent": 230}
    found = post.view(ids[0])
    assert (found.queue, found.state, found.run_id) == ("bulk-mail", "sent", run_id)


def test_many_are_recorded_by_a_few_statements(post):
    run_id, messages = open_run(post), letters(200)
    messages = [replace(each, run_id=run_id) for each in messages]
    with unit_of_work(post.scope) as work:
        tag = get_tenant(post.scope.tenant_id).tag
        tenancy.seal_text(post.scope.tenant_id, "a place", "x")  # keys are known from here on
        engine, seen = work.session.get_bind(), []

        def note(*asked):
            seen.append(asked[2])

        sa.event.listen(engine, "before_cursor_execute", note)
        ids = messaging.send_many(work, messages)
        sa.event.remove(engine, "before_cursor_execute", note)
    assert len(seen) == 3, "the run, the messages, the events"
    assert {tag_of(each) for each in ids} == {tag}


def test_all_are_recorded_or_none(post):
    run_id = open_run(post)
    wrong = replace(invitation(to="nobody"), is_bulk=True, run_id=run_id)
    with pytest.raises(messaging.AddressUnfit):
        send_many(post, [*letters(3, run_id), wrong])
    with pytest.raises(messaging.RunNotFound):
        send_many(post, letters(1, get_tenant(post.scope.tenant_id).id))
    assert run_of(post, run_id).total == 0
    assert send_many(post, []) == []
    post.deliver()
    assert post.mail.mails == []


def test_a_paused_run_keeps_its_letters_and_others_go_on(post):
    paused, other = open_run(post, "one"), open_run(post, "two")
    send_many(post, [*letters(5, paused), *letters(4, other), *letters(3)])
    with unit_of_work(post.scope) as work:
        assert messaging.pause_run(work, paused)
        assert not messaging.pause_run(work, paused)
    post.deliver()
    assert len(post.mail.mails) == 7
    assert (run_of(post, paused).waiting, counts(post, other)) == (5, {"sent": 4})
    assert run_of(post, paused).paused_at is not None
    assert jobs.go_on_with_bulk(post.scope) == 0
    with unit_of_work(post.scope) as work:
        assert messaging.resume_run(work, paused)
        assert not messaging.resume_run(work, paused)
        shown = audit.list_entries(work, audit.EntryFilter(limit=5))
    assert [each.action for each in shown[:2]] == ["message_run.resumed", "message_run.paused"]
    post.deliver()
    assert counts(post, paused) == {"sent": 5}


def test_a_pause_holds_back_what_a_worker_holds_already(post):
    run_id = open_run(post)
    ids = send_many(post, letters(10, run_id))
    post.mail.gate = threading.Event()
    event = messaging.BulkMailDue(object_id=run_id)
    with ThreadPoolExecutor(1) as pool:
        sent = pool.submit(handlers.send_bulk_due, post.scope, event)
        assert post.mail.arrived.wait(20)
        with unit_of_work(post.scope) as work:
            messaging.pause_run(work, run_id)
        post.mail.gate.set()
        sent.result(20)
    assert counts(post, run_id) == {"sent": 1}
    assert {post.view(each).state for each in ids[1:]} == {"queued"}


def test_a_run_counts_what_became_of_each(post):
    run_id = open_run(post)
    ids = send_many(post, letters(4, run_id))
    post.mail.replies["taken"] = ["250 fine", CUT]
    post.mail.replies["RCPT"] = ["250 fine", "250 fine", "550 never", "450 later"]
    post.deliver()
    assert counts(post, run_id) == {"sent": 1, "unknown": 1, "failed": 1}
    assert run_of(post, run_id).waiting == 1
    with unit_of_work(post.scope) as work:
        messaging.retry(work, ids[2])
    assert run_of(post, run_id).waiting == 2
    post.change(ids[3], due_at=datetime.now(UTC) - timedelta(seconds=1))
    assert jobs.go_on_with_bulk(post.scope) == 1
    post.deliver()
    assert counts(post, run_id) == {"sent": 3, "unknown": 1}


def test_a_provider_that_is_away_costs_a_run_no_attempts(post):
    gone = replace(post.settings, smtp_url="smtp://127.0.0.1:9")
    messaging.bind_providers(gone)
    run_id = open_run(post)
    ids = send_many(post, letters(20, run_id))
    for _ in range(3):
        assert jobs.go_on_with_bulk(post.scope) == 1
        post.deliver()
    assert sum(post.view(each).attempts for each in ids) <= 7
    assert run_of(post, run_id).waiting == 20
    assert post.dead() == []


def test_bulk_that_fails_leaves_codes_alone(post):
    """The breaker of bulk is open; a code goes by the same server at once."""
    post.mail.replies["MAIL"] = ["421 too much"] * 14
    send_many(post, letters(20))
    for _ in range(8):
        jobs.go_on_with_bulk(post.scope)
        post.deliver()
    opened = post.mail.opened
    jobs.go_on_with_bulk(post.scope)
    post.deliver()
    assert post.mail.opened == opened, "bulk is left alone for a while"
    post.mail.replies.clear()
    code = post.send(code_message())
    post.deliver()
    assert post.view(code).state == "sent"


def test_codes_leave_while_bulk_hangs(post):
    """500 letters wait at a provider that does not answer; a code is sent meanwhile."""
    run_id = open_run(post)
    send_many(post, letters(500, run_id))
    hangs = post.mail.gate = threading.Event()
    with ThreadPoolExecutor(2) as pool:
        event = messaging.BulkMailDue(object_id=run_id)
        bulks = [pool.submit(handlers.send_bulk_due, post.scope, event) for _ in range(2)]
        assert post.mail.arrived.wait(20)
        post.mail.gate = None
        code = post.send(code_message())
        handlers.send_due(post.scope, messaging.CodeDue(object_id=code))
        assert post.view(code).state == "sent"
        assert run_of(post, run_id).waiting == 500, "none of them has been answered yet"
        with unit_of_work(post.scope) as work:
            messaging.pause_run(work, run_id)
        hangs.set()
        for each in bulks:
            each.result(20)


def test_a_code_of_the_same_tenant_stands_before_a_backlog_on_the_rails(post):
    """Bulk is one event for many, so the relay has nothing to carry before the code."""
    send_many(post, letters(500))
    post.send(code_message())
    assert outbox(post) == [
        *["message.bulk_mail_due_v1"] * sending.LINES_MAX,
        "message.code_due_v1",
    ]


def test_codes_have_a_worker_to_themselves_and_heavy_work_helps_out():
    assert LANES["codes"] == ("otp",)
    assert not set(LANES["quick"]) & {"bulk-mail", "bulk-sms", "print"}
    assert LANES["bulk"][:2] == ("bulk-mail", "bulk-sms")
    assert LANES["heavy"][:2] == ("export", "print")
    assert set(LANES["bulk"]) == set(LANES["heavy"])


def test_mail_and_sms_in_bulk_take_turns(settings):
    from redis import Redis

    connection = Redis.from_url(settings.redis_url)
    queues = [open_queue(name, connection) for name in LANES["bulk"]]
    worker = LaneWorker(queues, connection=connection)
    order = []
    for name in ("bulk-mail", "bulk-sms", "bulk-sms", "print", "bulk-mail"):
        worker.reorder_queues(next(each for each in queues if each.name == name))
        order.append([each.name for each in worker._ordered_queues][:2])
    mail, sms = ["bulk-mail", "bulk-sms"], ["bulk-sms", "bulk-mail"]
    assert order == [sms, mail, mail, mail, sms]
    heavy = LaneWorker([open_queue(n, connection) for n in LANES["heavy"]], connection=connection)
    heavy.reorder_queues(open_queue("bulk-mail", connection))
    assert [each.name for each in heavy._ordered_queues] == list(LANES["heavy"])


def test_no_more_workers_send_for_one_tenant_than_there_are_places(post):
    send_many(post, letters(5))
    with unit_of_work(post.scope) as work:
        places = [bulk.take_line(work, "bulk-mail") for _ in range(sending.LINES_MAX)]
        assert sorted(places) == list(range(sending.LINES_MAX))
    post.deliver()
    assert post.mail.mails == []
    with unit_of_work(post.scope) as work:
        bulk.leave_line(work, "bulk-mail", places[0], goes_on=True)
    post.deliver()
    assert len(post.mail.mails) == 5


def hold(post):
    """Hold what is due, as a worker of bulk does, and return it as it is handed over."""
    with unit_of_work(post.scope) as work:
        number = bulk.take_line(work, "bulk-mail")
        held = bulk.hold_bulk(work, "bulk-mail", number)
        return held, make_ready(work, held)


def pass_by(post, ids):
    """Let the time pass after which nobody waits for a dead worker any more."""
    over = datetime.now(UTC) - timedelta(seconds=1)
    for each in ids:
        lease = over if post.view(each).state == "sending" else None
        post.change(each, due_at=over, leased_until=lease)


def test_what_a_dead_worker_held_goes_on_and_only_what_it_was_sending_is_unknown(post):
    """Two were taken before it died; of the third nobody knows; the others were not begun."""
    run_id = open_run(post)
    ids = send_many(post, letters(10, run_id))
    held, parcels = hold(post)
    assert list(held.ids) == [each.id for each in parcels] == ids
    before = None
    for place, parcel in enumerate(parcels[:3]):
        assert begin_next(post.scope, parcel, held, before=before)
        before = Taken(parcel.id, parcel.attempt, f"mail-{place}")
    post.deliver()
    assert post.mail.mails == [], "all are held, or being sent"
    pass_by(post, ids)
    jobs.go_on_with_bulk(post.scope)
    post.deliver()
    assert counts(post, run_id) == {"sent": 9, "unknown": 1}
    assert [post.view(each).state for each in ids[:4]] == ["sent", "sent", "unknown", "sent"]
    assert [post.view(each).provider_id for each in ids[:2]] == ["mail-0", "mail-1"]
    assert sorted(post.mail.recipients) == [f"hana{n}@aoba.example" for n in range(3, 10)]
    assert not begin_next(post.scope, parcels[4], held, before=None), "somebody else has sent it"


def test_a_beginning_that_is_repeated_is_one(post):
    """Its connection broke after the commit: the same call again finds what it has done."""
    ids = send_many(post, letters(2))
    held, parcels = hold(post)
    assert begin_next(post.scope, parcels[0], held, before=None)
    assert begin_next(post.scope, parcels[0], held, before=None)
    assert (post.view(ids[0]).state, post.view(ids[0]).attempts) == ("sending", 1)


def test_a_receipt_that_is_quicker_than_the_end_of_its_chunk_stays(post):
    run_id = open_run(post)
    ids = send_many(post, letters(2, run_id))
    held, parcels = hold(post)
    assert begin_next(post.scope, parcels[0], held, before=None)
    with unit_of_work(post.scope) as work:
        messaging.note_receipt(work, messaging.Receipt(message_id=ids[0], status="delivered"))
    with unit_of_work(post.scope) as work:
        assert finish_taken(work, [Taken(ids[0], 1, "mail-1")]) == 0
    assert (post.view(ids[0]).state, post.view(ids[0]).provider_id) == ("delivered", "mail-1")
    assert counts(post, run_id) == {"delivered": 1}


def test_a_silent_provider_ends_the_slice_and_a_slow_one_lets_others_go_first(post, monkeypatch):
    """Whoever waits for each of a thousand answers sends nothing else meanwhile."""
    monkeypatch.setattr("giftpad.messaging.adapters.smtp.ACCEPT_TIMEOUT_S", 0.2)
    run_id = open_run(post)
    send_many(post, letters(20, run_id))
    post.mail.gate = threading.Event()
    event = messaging.BulkMailDue(object_id=run_id)
    handlers.send_bulk_due(post.scope, event)
    post.mail.gate.set()
    assert counts(post, run_id) == {"unknown": 1}
    assert outbox(post).count("message.bulk_mail_due_v1") == 1, "the schedule tries again"
    monkeypatch.setattr(handlers, "SLOW_S", 0.0)
    handlers.send_bulk_due(post.scope, event)
    assert counts(post, run_id) == {"unknown": 1, "sent": 1}
    assert outbox(post).count("message.bulk_mail_due_v1") == 2, "the next worker goes on"


def test_a_slice_ends_and_the_next_worker_goes_on(post, monkeypatch):
    monkeypatch.setattr(handlers, "SLICE_S", 0.0)
    send_many(post, letters(3))
    monkeypatch.setattr(handlers, "_send_for_a_while", lambda *_: True)
    handlers.send_bulk_due(post.scope, messaging.BulkMailDue(object_id=make.new_id()))
    assert outbox(post) == ["message.bulk_mail_due_v1"] * 2
    monkeypatch.undo()
    post.deliver()
    assert len(post.mail.mails) == 3


def test_sms_in_bulk_have_a_queue_of_their_own(post):
    message = replace(code_message("sms"), template="sign_in_code")
    with pytest.raises(AssertionError):
        post.send(replace(message, is_bulk=True))


def minutes(*counted):
    return [runs.Minute(NOON - timedelta(seconds=ago), done) for ago, done in counted]


@pytest.mark.parametrize(
    ("told", "waiting", "in_s"),
    [
        (minutes((120, 60), (60, 60)), 100, 100),
        (minutes((600, 9000), (60, 60)), 100, 100),  # what was long ago says nothing
        (minutes((60, 9)), 100, None),
        (minutes((2, 50)), 100, None),
        (minutes((400, 50)), 100, None),
        ([], 100, None),
        (minutes((60, 60)), 0, None),
    ],
)
def test_the_end_is_estimated_from_the_speed_of_the_last_minutes(told, waiting, in_s):
    ends_at = runs.estimate_end(waiting, told, NOON)
    assert ends_at == (None if in_s is None else NOON + timedelta(seconds=in_s))


def test_the_end_of_a_run_is_told_while_it_runs_and_not_while_it_is_paused(post):
    run_id = open_run(post)
    assert run_of(post, run_id).ends_at is None
    send_many(post, letters(20, run_id))
    post.mail.replies["RCPT"] = ["250 fine"] * 15 + ["450 later"] * 5
    post.deliver()
    with unit_of_work(post.scope) as work:
        work.session.execute(
            sa.text("UPDATE messaging_run_minutes SET began_at = began_at - interval '30 seconds'")
        )
    found = run_of(post, run_id)
    assert found.waiting == 5
    assert timedelta(seconds=5) < found.ends_at - datetime.now(UTC) < timedelta(seconds=30)
    with unit_of_work(post.scope) as work:
        messaging.pause_run(work, run_id)
        assert messaging.get_run(work, run_id).ends_at is None
        messaging.resume_run(work, run_id)
        assert messaging.get_run(work, run_id).ends_at is None, "the pause is no part of the speed"


def test_what_was_left_in_a_run_too_long_is_counted_as_over(post):
    run_id = open_run(post)
    ids = send_many(post, letters(3, run_id))
    for each in ids[:2]:
        post.change(each, delete_after=datetime.now(UTC) - timedelta(seconds=1))
    assert jobs.purge_old(post.scope) == 2
    assert (counts(post, run_id), run_of(post, run_id).waiting) == ({"expired": 2}, 1)


def test_another_tenant_sees_no_run(post):
    run_id = open_run(post)
    stranger = make.make_tenant()
    for door in (messaging.get_run, messaging.pause_run, messaging.resume_run):
        with pytest.raises(messaging.RunNotFound), unit_of_work(stranger) as work:
            door(work, run_id)
    with unit_of_work(stranger) as work:
        assert messaging.list_runs(work) == []
    with unit_of_work(post.scope) as work:
        assert [each.id for each in messaging.list_runs(work)] == [run_id]


def test_whoever_is_in_the_way_when_letters_are_closed_is_waited_for_again(post, superuser_url):
    """Of the last letter nothing but its closing says that it was taken."""
    run_id, tries = open_run(post), []
    ids = send_many(post, letters(3, run_id))
    with psycopg.connect(superuser_url) as other:

        def stand_in_the_way(_connection, cursor, statement, *_):
            if "told_at = %(at)s, provider_id = n.name" not in statement:
                return
            tries.append(statement)
            if len(tries) == 1:
                other.execute("SELECT 1 FROM messaging_messages FOR UPDATE")
                cursor.execute("SET LOCAL lock_timeout = 50")
            else:
                other.rollback()

        sa.event.listen(database().engine, "before_cursor_execute", stand_in_the_way)
        post.deliver()
        sa.event.remove(database().engine, "before_cursor_execute", stand_in_the_way)
    assert len(tries) == 2
    assert [post.view(each).state for each in ids] == ["sent"] * 3
    assert counts(post, run_id) == {"sent": 3}
