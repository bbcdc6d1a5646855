"""No more a second than a provider takes, codes first, and no SMS twice for a worker that died."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import redis

from giftpad import guard, messaging
from giftpad.guard import commands as guard_commands
from giftpad.guard.rules import Allowance
from giftpad.kernel.config import Settings
from giftpad.local.parts import ROOT, child_environment
from giftpad.messaging import handlers
from tests.messaging.conftest import PHONE, code_message
from tests.messaging.test_bulk import letters, send_many
from tests.messaging.test_gift_letters import gift

PER_S = 20


@pytest.fixture
def shared(settings, house):
    """The Redis that processes share their turns by, empty."""
    guard.bind_redis(settings.redis_url)
    with redis.Redis.from_url(settings.redis_url) as client:
        for key in client.scan_iter("giftpad:turns:*"):
            client.delete(key)
    guard_commands._redis_breaker.close()
    guard_commands._Memory.buckets.clear()
    yield
    guard.bind_redis(settings.redis_url)


@pytest.mark.parametrize("per_s", [1, 2, 5, 10, 100, 1000])
def test_in_no_second_there_is_more_than_is_allowed(per_s):
    allowance = Allowance(per_s)
    assert allowance.refill_per_s + allowance.burst <= max(per_s, 2)
    assert 0 == allowance.reserve(0) <= allowance.reserve(1) <= allowance.reserve(2)
    assert 1 + allowance.reserve(2) <= allowance.burst


def most_in_a_second(instants):
    return max(sum(1 for at in instants if start <= at < start + 1) for start in instants)


def test_workers_together_send_no_more_than_the_provider_takes(post, shared):
    """Counted where it counts: at the provider, over every second that begins with an SMS."""
    post.settings = replace(post.settings, sms_rate_per_s=PER_S)
    messaging.bind_providers(post.settings)
    ids = [post.send(code_message("sms")) for _ in range(50)]
    with ThreadPoolExecutor(4) as pool:
        list(
            pool.map(
                lambda each: handlers.send_due(post.scope, messaging.CodeDue(object_id=each)), ids
            )
        )
    assert len(post.sms.at) == 50
    assert most_in_a_second(post.sms.at) <= PER_S
    assert Counter(post.sms.keys) == Counter(map(str, ids))


def test_a_code_goes_before_bulk_that_uses_up_all_the_rest(shared):
    allowance = guard.Allowance(50)
    took = Counter()

    def take(rank):
        wait_s = guard.take_turn("sms", allowance, rank=rank, processes=1)
        took[rank] += not wait_s
        return wait_s

    while not take(2):
        pass
    assert take(0) == 0.0, "bulk has left some"
    while not take(1):
        pass
    assert take(0) == 0.0, "letters too"
    while not take(0):
        pass
    assert take(2) > take(0) > 0
    assert took[2] >= 3


def test_when_a_code_waits_nobody_else_gets_the_turn_that_comes_next(shared):
    allowance = guard.Allowance(2)
    assert guard.take_turn("sms", allowance, rank=2, processes=1) == 0.0
    waits_s = guard.take_turn("sms", allowance, rank=0, processes=1)
    assert 0 < waits_s <= 1
    time.sleep(waits_s)
    assert guard.take_turn("sms", allowance, rank=2, processes=1) > 0
    assert guard.take_turn("sms", allowance, rank=0, processes=1) == 0.0


def test_without_redis_each_process_has_its_share(shared):
    guard.bind_redis("redis://127.0.0.1:9/0")
    allowance = guard.Allowance(10)
    assert guard.take_turn("mail", allowance, rank=2, processes=4) == 0.0
    assert guard.take_turn("mail", allowance, rank=2, processes=4) == pytest.approx(0.5, abs=0.1)


def test_bulk_gives_up_its_slice_and_no_attempt_when_no_turn_comes(post, shared, monkeypatch):
    from giftpad.messaging.adapters import providers

    post.settings = replace(post.settings, mail_rate_per_s=1)
    messaging.bind_providers(post.settings)
    monkeypatch.setitem(providers.TURN_PATIENCE_S, "bulk", 0.0)
    ids = send_many(post, letters(3))
    handlers.send_bulk_due(post.scope, messaging.BulkMailDue(object_id=ids[0]))
    assert len(post.mail.mails) == 1
    assert [post.view(each).attempts for each in ids] == [1, 0, 0]
    assert [post.view(each).state for each in ids] == ["sent", "queued", "queued"]


WORKER = """
import sys
from uuid import UUID
from giftpad import messaging
from giftpad.kernel.config import read_settings
from giftpad.kernel.work import Scope
from giftpad.messaging import handlers
from giftpad.wiring import bootstrap
bootstrap(read_settings())
tenant, message = map(UUID, sys.argv[1:])
handlers.send_due(Scope(tenant_id=tenant), messaging.SmsDue(object_id=message))
"""


def start_worker(post, message_id):
    return subprocess.Popen(
        [sys.executable, "-c", WORKER, str(post.scope.tenant_id), str(message_id)],
        env=child_environment(post.settings),
        cwd=ROOT,
        start_new_session=True,
    )


def test_an_sms_of_a_worker_that_was_killed_is_one_message_at_the_provider(post):
    message_id = post.send(replace(gift(to=PHONE, channel="sms"), is_bulk=False))
    post.sms.gate = threading.Event()
    worker = start_worker(post, message_id)
    try:
        assert post.sms.arrived.wait(60)
    finally:
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()
    post.sms.gate.set()
    assert post.view(message_id).state == "sending"
    past = datetime.now(UTC) - timedelta(seconds=1)
    post.change(message_id, leased_until=past, due_at=past)
    handlers.send_due(post.scope, messaging.SmsDue(object_id=message_id))
    assert post.view(message_id).state == "sent"
    assert set(post.sms.keys) == {str(message_id)}, "the key tells them apart from two messages"


def test_an_sms_of_a_killed_worker_is_asked_for_where_there_are_no_keys(post):
    post.settings = replace(post.settings, sms_url=post.sms.twilio_url)
    messaging.bind_providers(post.settings)
    message_id = post.send(replace(gift(to=PHONE, channel="sms"), is_bulk=False))
    post.sms.gate = threading.Event()
    worker = start_worker(post, message_id)
    try:
        assert post.sms.arrived.wait(60)
    finally:
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()
    post.sms.gate.set()
    past = datetime.now(UTC) - timedelta(minutes=3)
    post.change(message_id, leased_until=past, due_at=past)
    handlers.send_due(post.scope, messaging.SmsDue(object_id=message_id))
    assert post.view(message_id).state == "unknown"
    post.change(message_id, told_at=past)
    from giftpad.messaging import jobs

    assert jobs.ask_for_unknown(post.scope) == 1
    assert post.view(message_id).state == "sent"
    assert len(post.sms.asked) == 1


def test_no_limit_is_set_unless_somebody_sets_it():
    assert (Settings().mail_rate_per_s, Settings().sms_rate_per_s) == (0, 0)
