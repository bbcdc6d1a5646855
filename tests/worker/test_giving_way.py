"""Under overload work in the background slows down, and printing can be switched off by name."""

from __future__ import annotations

import pytest
from rq import SimpleWorker
from rq.serializers import JSONSerializer

from giftpad import events, guard, tenancy
from giftpad.kernel.work import Scope, unit_of_work
from tests import make
from worker import jobs
from worker.queues import TIMEOUT_S, connect, open_queue

PLATFORM = Scope(tenant_id=tenancy.PLATFORM_TENANT_ID, actor=make.TILL)


@pytest.fixture
def queue(settings, house):
    connection = connect(settings.redis_url)
    connection.flushdb()
    make.make_tenant()
    guard.forget_switches()
    yield connection
    with unit_of_work(PLATFORM) as work:
        guard.switch_feature(work, "printing", on=True, reason="the test is over")
    guard.forget_switches()
    connection.close()


@pytest.fixture
def taken(monkeypatch):
    """What was handed to handlers."""
    found = []
    monkeypatch.setattr(events, "deliver", lambda _, handler, *__: found.append(handler))
    return found


@pytest.fixture
def waited(monkeypatch):
    """How often work gave way."""
    found = []
    monkeypatch.setattr(guard, "give_way", lambda: found.append(1))
    return found


def run(queue, *names):
    """Send one hint on each of these queues and let a worker take them all."""
    tenant = str(make.make_tenant().tenant_id)
    for name in names:
        open_queue(name, queue).enqueue("worker.jobs.deliver", tenant, name, "a.happened_v1", [])
    queues = [open_queue(name, queue) for name in names]
    worker = SimpleWorker(queues, connection=queue, serializer=JSONSerializer)
    worker.work(burst=True, logging_level="CRITICAL")


def test_printing_stops_when_it_is_switched_off_and_goes_on_afterwards(queue, taken):
    with unit_of_work(PLATFORM) as work:
        guard.switch_feature(work, "printing", on=False, reason="the sale begins")
    run(queue, "print", "events")
    assert taken == ["events"]  # the hint for the print comes again when its lease is over
    with unit_of_work(PLATFORM) as work:
        guard.switch_feature(work, "printing", on=True, reason="it is over")
    guard.forget_switches()
    run(queue, "print")
    assert taken == ["events", "print"]


def test_what_nobody_waits_for_gives_way_and_what_somebody_waits_for_does_not(queue, taken, waited):
    run(queue, *TIMEOUT_S)
    assert sorted(taken) == sorted(TIMEOUT_S)
    assert len(waited) == len(jobs.GIVE_WAY)
    assert not jobs.GIVE_WAY & {"otp", "tx-mail", "tx-sms"}
    assert set(TIMEOUT_S) > jobs.GIVE_WAY
