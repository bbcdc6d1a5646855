"""Facts take effect once, in order, whatever fails on the way."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

import psycopg
import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from giftpad import events, tenancy
from giftpad.cli import events as room
from giftpad.events.models import EventFailure, InboxReceipt, OutboxEvent
from giftpad.events.rules import TRIES_MAX
from giftpad.kernel.ids import new_id
from giftpad.kernel.work import unit_of_work
from tests import make
from tests.pump import pump


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted(events.Event):
    name: ClassVar[str] = "test.noted_v1"
    text: str


class Listener:
    """Handlers that write down what they took, in the transaction or beside it."""

    def __init__(self):
        self.broken: set[str] = set()
        self.detached_calls: list[str] = []

    def note(self, work, event):
        if event.text in self.broken:
            message = f"cannot take {event.text}"
            raise ValueError(message)
        work.session.execute(
            sa.text(
                "INSERT INTO event_failures (tenant_id, event_id, handler, tries, error, failed_at)"
                " VALUES (:t, :i, 'effect', 0, :e, now())"
            ),
            {"t": work.tenant_id, "i": new_id(), "e": event.text},
        )


@pytest.fixture
def listener(house):
    return Listener()


@pytest.fixture
def wired(listener):
    def note(work, event):
        listener.note(work, event)

    @events.detached
    def act(scope, event):
        del scope
        if event.text in listener.broken:
            raise ValueError(event.text)
        listener.detached_calls.append(event.text)

    events.subscribe({Noted: [note, events.on_queue("print", act)]})
    scope = make.make_tenant()
    yield scope
    with unit_of_work(scope) as work:  # or the next test's relay would find them
        work.session.execute(
            sa.update(OutboxEvent)
            .where(OutboxEvent.tenant_id == scope.tenant_id)
            .values(done_at=sa.func.now())
        )


@pytest.fixture
def reconcile_by_command(wired, monkeypatch):
    """The operator's command, here with the handlers of this file listening."""
    monkeypatch.setattr(room, "connect", lambda: None)
    slug = next(each.slug for each in tenancy.list_tenants() if each.id == wired.tenant_id)
    return lambda: CliRunner().invoke(room.events, ["reconcile", "--tenant", slug])


def publish(scope, *texts, object_id=None):
    ids = []
    with unit_of_work(scope) as work:
        for text in texts:
            event = Noted(object_id=object_id or new_id(), text=text)
            ids.append(events.publish(work, event))
    return ids


def effects(scope):
    with unit_of_work(scope) as work:
        rows = work.session.execute(
            sa.select(EventFailure.error)
            .where(EventFailure.tenant_id == scope.tenant_id, EventFailure.handler == "effect")
            .order_by(EventFailure.event_id)
        )
        return list(rows.scalars())


def settle(scope):
    """End every lease, as time would."""
    with unit_of_work(scope) as work:
        work.session.execute(
            sa.update(OutboxEvent)
            .where(OutboxEvent.tenant_id == scope.tenant_id)
            .values(leased_until=None)
        )


def give_up(scope, settings, letters):
    """Deliver until so many letters are dead, and no longer than the tries that takes."""
    for _ in range(2 * TRIES_MAX):
        pump(settings)
        settle(scope)
        with unit_of_work(scope) as work:
            if len(events.list_dead(work)) == letters:
                return
    raise AssertionError


def test_an_event_reaches_every_handler_once(wired, listener, settings):
    publish(wired, "a", "b")
    assert pump(settings, wired) == 4
    settle(wired)
    assert pump(settings, wired) == 0
    assert effects(wired) == ["a", "b"]
    assert sorted(listener.detached_calls) == ["a", "b"]


def test_what_takes_long_has_a_hint_of_its_own_for_each_event(wired, settings):
    publish(wired, *"abc")
    with psycopg.connect(settings.database_relay_url) as relay:
        taken = [d for d in events.take_due(relay) if d.tenant_id == wired.tenant_id]
        events.give_back(relay, taken)
    sizes = sorted((d.queue, len(d.event_ids)) for d in taken)
    assert sizes == [("events", 3), ("print", 1), ("print", 1), ("print", 1)]


def test_one_handler_that_fails_keeps_no_other_from_its_effect(listener, settings):
    """Both share a transaction; the one that took the event is not asked again."""

    def first(work, event):
        listener.note(work, event)

    def second(work, event):
        work.session.execute(sa.text("SELECT 1"))
        listener.note(work, Noted(object_id=event.object_id, text=f"{event.text} too"))

    events.subscribe({Noted: [first, second]})
    scope = make.make_tenant()
    listener.broken = {"a"}
    one = new_id()
    publish(scope, "a", "b", object_id=one)
    with psycopg.connect(settings.database_relay_url) as connection:
        (hint,) = [d for d in events.take_due(connection) if d.tenant_id == scope.tenant_id]
    assert hint.handlers == ("test_delivery.first", "test_delivery.second")
    assert len(hint.event_ids) == 2
    assert events.deliver(scope, hint.handlers, Noted.name, hint.event_ids) == 2
    assert effects(scope) == ["a too", "b too"]
    with unit_of_work(scope) as work:
        assert events.count_pending(work) == 2  # b waits behind a for the first handler
    listener.broken = set()
    settle(scope)
    assert pump(settings, scope) == 2
    assert effects(scope) == ["a too", "b too", "a", "b"]
    with unit_of_work(scope) as work:
        assert events.count_pending(work) == 0


def test_a_handler_that_waits_for_a_lock_is_asked_again_and_stops_nobody(
    listener, settings, superuser_url
):
    def first(work, event):
        listener.note(work, event)

    def second(work, event):
        work.session.execute(sa.text("SET LOCAL lock_timeout = '20ms'"))
        work.session.execute(sa.text("SELECT pg_advisory_xact_lock(4711)"))
        listener.note(work, Noted(object_id=event.object_id, text=f"{event.text} too"))

    events.subscribe({Noted: [first, second]})
    scope = make.make_tenant()
    names = ["test_delivery.first", "nobody.knows", "test_delivery.second"]
    event_ids = publish(scope, "a", "b")
    with psycopg.connect(superuser_url) as other:
        other.execute("SELECT pg_advisory_xact_lock(4711)")
        assert events.deliver(scope, names, Noted.name, event_ids) == 2
        assert effects(scope) == ["a", "b"]
    with unit_of_work(scope) as work:
        assert events.count_pending(work) == 2
        assert events.list_dead(work) == []
        tries = sa.select(sa.func.count()).where(EventFailure.handler == "test_delivery.second")
        assert work.session.execute(tries).scalar_one() == 0
    assert events.deliver(scope, names, Noted.name, event_ids) == 2
    assert sorted(effects(scope)) == ["a", "a too", "b", "b too"]
    with unit_of_work(scope) as work:
        assert events.count_pending(work) == 0


def test_a_rolled_back_change_tells_nobody(wired, settings):
    with pytest.raises(RuntimeError), unit_of_work(wired) as work:
        events.publish(work, Noted(object_id=new_id(), text="a"))
        raise RuntimeError
    assert pump(settings, wired) == 0


def test_a_hint_that_comes_twice_has_one_effect(wired, settings):
    (event_id,) = publish(wired, "a")
    for _ in range(2):
        events.deliver(wired, ["test_delivery.note"], Noted.name, [event_id])
    assert effects(wired) == ["a"]


def test_a_failing_event_stops_only_its_own_object(wired, listener, settings):
    listener.broken = {"a1"}
    one, other = new_id(), new_id()
    publish(wired, "a1", "a2", object_id=one)
    publish(wired, "b1", object_id=other)
    pump(settings)
    assert effects(wired) == ["b1"]
    listener.broken = set()
    settle(wired)
    pump(settings)
    assert effects(wired) == ["b1", "a1", "a2"]


def test_an_event_that_cannot_be_read_stops_no_other(wired, settings):
    one, bad, other = publish(wired, "a", "b", "c")
    with unit_of_work(wired) as work:
        work.session.execute(
            sa.update(OutboxEvent)
            .where(OutboxEvent.tenant_id == wired.tenant_id, OutboxEvent.id == bad)
            .values(payload={})
        )
    give_up(wired, settings, 2)
    assert effects(wired) == ["a", "c"]
    with unit_of_work(wired) as work:
        assert {dead.event_id for dead in events.list_dead(work)} == {bad}
        assert events.count_pending(work) == 0
    assert one < other


def test_nothing_of_an_object_is_sent_while_an_earlier_event_waits(wired, listener, settings):
    listener.broken = {"a1"}
    one = new_id()
    publish(wired, "a1", object_id=one)
    pump(settings)
    publish(wired, "a2", object_id=one)
    assert pump(settings, wired) == 0
    assert effects(wired) == []


def test_a_dead_letter_can_be_put_back(wired, listener, settings, reconcile_by_command):
    listener.broken = {"a"}
    publish(wired, "a")
    give_up(wired, settings, 2)
    with unit_of_work(wired) as work:
        dead = events.list_dead(work)
        assert events.reconcile(work, grace=timedelta(0)) == []
        assert events.count_dead(work) == 2
    done = reconcile_by_command()
    assert (done.exit_code, "0 missing, 2 given up, 0 on" in done.output) == (1, True), done.output
    assert sorted(d.handler for d in dead) == ["test_delivery.act", "test_delivery.note"]
    assert "cannot take a" in " ".join(d.error for d in dead)
    assert pump(settings, wired) == 0
    listener.broken = set()
    with unit_of_work(wired) as work:
        assert events.redrive(work) == 2
    pump(settings)
    assert effects(wired) == ["a"]
    assert listener.detached_calls == ["a"]
    done = reconcile_by_command()
    assert (done.exit_code, "0 missing, 0 given up, 0 on" in done.output) == (0, True), done.output


def test_a_lost_receipt_is_named_by_reconcile(wired, settings):
    (event_id,) = publish(wired, "a")
    pump(settings)
    with unit_of_work(wired) as work:
        work.session.execute(
            sa.delete(InboxReceipt).where(
                InboxReceipt.tenant_id == wired.tenant_id,
                InboxReceipt.handler == "test_delivery.note",
            )
        )
        found = events.reconcile(work, grace=timedelta(0))
    assert found == [(event_id, "test_delivery.note")]


def test_two_relays_never_take_the_same_event(wired, settings):
    publish(wired, *"abcdef")

    def take(connection):
        return [d for d in events.take_due(connection) if d.tenant_id == wired.tenant_id]

    with (
        psycopg.connect(settings.database_relay_url) as first,
        psycopg.connect(settings.database_relay_url) as second,
    ):
        taken = take(first)
        assert take(second) == []
        events.give_back(first, taken)
        again = take(second)
    assert sum(len(d.event_ids) for d in again) == 12


def test_the_relay_may_touch_the_rails_and_nothing_else(wired, settings):
    with psycopg.connect(settings.database_relay_url, autocommit=True) as relay:
        for statement in (
            "SELECT * FROM ledger_transfers",
            "SELECT * FROM payment_payments",
            "SELECT * FROM guard_keys",
            "DELETE FROM event_outbox",
            "UPDATE event_outbox SET payload = '{}'",
            "INSERT INTO event_inbox SELECT * FROM event_inbox",
            "SET ROLE giftpad_owner",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                relay.execute(statement)
