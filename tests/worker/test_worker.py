"""Hints on queues: what is sent when, what a lost Redis costs, what a worker does with a hint."""

from __future__ import annotations

from datetime import UTC, datetime

import psycopg
import pytest
import redis
import sqlalchemy as sa
from rq import Queue, SimpleWorker
from rq.serializers import JSONSerializer

from giftpad import coupons, events, identity, shops, wiring
from giftpad.kernel.db import bind_database
from giftpad.kernel.work import unit_of_work
from giftpad.payments.models import PaymentHistory
from tests import make
from worker import jobs, relay
from worker.queues import HEAVY, LANES, QUICK, connect, open_queue
from worker.scheduler import due_between

MANY_EVENTS = sa.text(
    "INSERT INTO event_outbox (tenant_id, id, name, object_id, payload, created_at)"
    " SELECT :tenant, uuidv7(), 'test.unheard_v1', uuidv7(), '{}', now()"
    " FROM generate_series(1, :count)"
)
FETCHED = (
    "SELECT idx_tup_fetch + seq_tup_read FROM pg_stat_xact_user_tables"
    " WHERE relname = 'event_outbox'"
)


@pytest.fixture
def queue(settings):
    connection = connect(settings.redis_url)
    connection.flushdb()
    yield connection
    connection.close()


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("since", "until", "due"),
    [
        ("2026-11-21T10:06:30", "2026-11-21T10:06:59", None),
        ("2026-11-21T10:06:30", "2026-11-21T10:07:00", "2026-11-21T10:07"),
        ("2026-11-21T10:06:30", "2026-11-21T10:07:04", "2026-11-21T10:07"),
        ("2026-11-21T10:07:00", "2026-11-21T10:07:30", None),
        ("2026-11-21T08:00:00", "2026-11-21T10:30:00", "2026-11-21T10:07"),
    ],
)
def test_work_is_due_once_at_its_minute_and_missed_hours_count_once(since, until, due):
    assert due_between("7 * * * *", at(since), at(until)) == (at(due) if due else None)


def history(town):
    with unit_of_work(town.scope) as work:
        return work.session.query(PaymentHistory).filter_by(tenant_id=town.tenant_id).count()


def test_a_hint_travels_as_json_and_takes_effect(town, settings, queue):
    with psycopg.connect(settings.database_relay_url) as connection:
        assert relay.relay_once(connection, queue) >= 1
    (job, *_) = open_queue("events", queue).jobs
    assert job.func_name == "worker.jobs.deliver"
    assert b"payment.captured_v1" in queue.hget(job.key, "data") or job.args[2].startswith("pay")
    worker = SimpleWorker(
        [open_queue("events", queue)], connection=queue, serializer=JSONSerializer
    )
    worker.work(burst=True, logging_level="CRITICAL")
    assert history(town) == 1


def test_a_round_reads_each_waiting_event_a_few_times_however_many_there_are(
    town, settings, superuser_url
):
    with psycopg.connect(superuser_url) as superuser:  # what other tests have left
        superuser.execute("UPDATE event_outbox SET done_at = now() WHERE done_at IS NULL")
    with psycopg.connect(settings.database_relay_url, options=relay.OPTIONS) as relaying:
        with unit_of_work(town.scope) as work:
            work.session.execute(MANY_EVENTS, {"tenant": work.tenant_id, "count": 300})
        with relaying.transaction():
            events.take_due(relaying)
            (fetched,) = relaying.execute(FETCHED).fetchone()
    assert 300 <= fetched <= 300 * 8


def test_leases_are_given_back_when_redis_takes_no_hint(town, settings, queue):
    away = redis.Redis(host="127.0.0.1", port=1, socket_connect_timeout=0.2)
    with psycopg.connect(settings.database_relay_url) as connection:
        with pytest.raises(redis.RedisError):
            relay.relay_once(connection, away)
        assert relay.relay_once(connection, queue) >= 1
    away.close()


def test_a_hint_for_a_handler_that_is_gone_is_dropped(town):
    jobs.deliver(str(town.tenant_id), ["nobody.listens"], "payment.captured_v1", [])


def test_every_entry_of_the_schedule_runs_for_every_tenant(fresh_settings):
    bound = bind_database(fresh_settings)
    wiring.bootstrap(fresh_settings)
    assert identity.issuer().address == fresh_settings.issuer, "mails name our address"
    make.make_town()
    make.make_tenant()
    for name in wiring.SCHEDULE:
        jobs.run_scheduled(name)  # which would tell of a tenant it failed for
    bound.close()


def test_no_lane_waits_for_another():
    assert set(QUICK) & set(HEAVY) == set()
    assert set(LANES["all"]) == set(QUICK) | set(HEAVY)
    used = {entry.queue for entry in wiring.SCHEDULE.values()}
    assert used <= set(LANES["all"])


@pytest.mark.parametrize("lane", ["heavy", "all"])
def test_no_print_holds_up_what_else_is_due(queue, lane):
    waiting = {entry.queue for entry in wiring.SCHEDULE.values()}
    for event in (shops.ShopImportOrdered, coupons.PrintDestroyed):
        waiting |= {wired.queue for wired in wiring.SUBSCRIPTIONS[event]}
    assert "print" not in waiting
    for name in ["print", *sorted(waiting)]:
        open_queue(name, queue).enqueue(jobs.run_scheduled, name)
    queues = [open_queue(name, queue) for name in LANES[lane]]
    taken = []
    for _ in range(len(waiting) + 1):
        _, found = Queue.dequeue_any(queues, None, queue, serializer=JSONSerializer)
        taken.append(found.name)
    assert (set(taken[:-1]), taken[-1]) == (waiting, "print")


def test_no_heavy_queue_comes_before_a_quick_one():
    assert LANES["all"][: len(QUICK)] == LANES["quick"] == QUICK
