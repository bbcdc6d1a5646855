"""Publish an event with the change it tells of; let handlers take it, exactly once in effect."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from operator import attrgetter
from typing import Any
from uuid import UUID

import msgspec
import psycopg
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from giftpad.events.models import EventFailure, InboxReceipt, OutboxEvent
from giftpad.events.rules import (
    LEASE,
    TRIES_MAX,
    Event,
    Subscription,
    back_off_s,
    get_subscription,
    list_subscriptions,
)
from giftpad.kernel import metrics
from giftpad.kernel.arrays import UuidArray
from giftpad.kernel.errors import Unavailable
from giftpad.kernel.ids import new_id
from giftpad.kernel.log import get_logger
from giftpad.kernel.work import Scope, Work, savepoint, unit_of_work

log = get_logger("events")

RETENTION = timedelta(days=30)
PURGE_MAX = 20_000

# Ids travel as one array: five hundred parameters of their own cost more than what they ask for.
# Rows are held and closed by one write; whoever finds in the end that a receipt is missing opens
# the row again, in the same transaction.
_HOLD = sa.text("""
    UPDATE event_outbox SET done_at = now()
    WHERE tenant_id = :tenant AND id = ANY(CAST(:ids AS uuid[])) AND name = :name
        AND done_at IS NULL
    RETURNING id, object_id, CAST(payload AS text)
""")
_REOPEN = sa.text("""
    UPDATE event_outbox SET done_at = NULL
    WHERE tenant_id = :tenant AND id = ANY(CAST(:ids AS uuid[]))
""")
_LOOK = sa.text("""
    SELECT id, object_id, CAST(payload AS text) FROM event_outbox o
    WHERE tenant_id = :tenant AND id = :id AND name = :name AND done_at IS NULL
        AND NOT EXISTS (
            SELECT FROM event_inbox i
            WHERE i.tenant_id = o.tenant_id AND i.event_id = o.id AND i.handler = :handler)
""")
_RECEIVED = sa.text("""
    SELECT event_id, handler FROM event_inbox
    WHERE tenant_id = :tenant AND event_id = ANY(CAST(:ids AS uuid[]))
""")
_RECEIVE = sa.text("""
    INSERT INTO event_inbox (tenant_id, event_id, handler, outcome, received_at)
    SELECT :tenant, unnest(CAST(:ids AS uuid[])), :handler, 'done', :at
""")


@dataclass(slots=True)
class _Held:
    """An event whose row this transaction holds; it is read once for all its handlers."""

    id: UUID
    object_id: UUID
    payload: str
    event: Event | None = None

    def read(self, subscription: Subscription) -> Event:
        """Return the event; one that does not decode fails like a handler, and alone."""
        if self.event is None:
            self.event = msgspec.json.decode(self.payload, type=subscription.event, strict=False)
        return self.event


Receipts = set[tuple[UUID, str]]


def publish(work: Work, event: Event) -> UUID:
    """Write an event into the outbox; it leaves when, and only when, ``work`` commits."""
    row = _row_of(work, event)
    work.session.execute(insert(OutboxEvent).values(row))
    event_id: UUID = row["id"]
    return event_id


def publish_many(work: Work, events: Iterable[Event]) -> None:
    """Write events into the outbox, in their order, by one statement."""
    rows = [_row_of(work, event) for event in events]
    if rows:
        work.session.execute(insert(OutboxEvent), rows)


def _row_of(work: Work, event: Event) -> dict[str, Any]:
    return {
        "tenant_id": work.tenant_id,
        "id": new_id(),
        "name": event.name,
        "object_id": event.object_id,
        "payload": msgspec.to_builtins(event),
        "created_at": work.at,
    }


def deliver(
    scope: Scope, handlers: Sequence[str], event_name: str, event_ids: Sequence[UUID]
) -> int:
    """Let handlers take the events they have no receipt for; return how many each took, summed.

    Handlers that work in the transaction share one.  An event whose handler fails keeps no
    receipt of it and is sent again after a while; later events of the same object wait for it.
    A handler that the wiring does not have is left out: it may be newer or older than we are.
    Locks: the outbox rows.  Two deliveries of the same events may meet in a deadlock; whoever
    loses it has done nothing, and what it had is sent again.
    """
    subscriptions = _wired(handlers, event_name)
    together = [each for each in subscriptions if each.in_transaction]
    taken = _deliver_together(scope, together, event_ids) if together else 0
    for subscription in subscriptions:
        if not subscription.in_transaction:
            begun = time.perf_counter()
            count = sum(_deliver_detached(scope, subscription, each) for each in event_ids)
            _note(subscription, count, time.perf_counter() - begun)
            taken += count
    return taken


def _wired(handlers: Sequence[str], event_name: str) -> list[Subscription]:
    found: list[Subscription] = []
    for handler in handlers:
        try:
            found.append(get_subscription(handler, event_name))
        except KeyError:
            log.warning("no such handler", handler=handler, event_name=event_name)
    return found


def _note(subscription: Subscription, taken: int, seconds: float) -> None:
    metrics.note_handled(subscription.name, "done", taken)
    metrics.note_delivery(subscription.name, seconds)


def _deliver_together(
    scope: Scope, subscriptions: Sequence[Subscription], event_ids: Sequence[UUID]
) -> int:
    counted: list[tuple[Subscription, int, float]] = []
    with (
        unit_of_work(scope, patience_s=120) as work,
        _holding(work, subscriptions[0].event, event_ids) as (held, received),
    ):
        for subscription in subscriptions:
            begun = time.perf_counter()
            count = _take(work, subscription, held, received)
            counted.append((subscription, count, time.perf_counter() - begun))
    for each in counted:  # what was not committed was not done
        _note(*each)
    return sum(count for _, count, _ in counted)


@contextmanager
def _holding(
    work: Work, event: type[Event], event_ids: Sequence[UUID]
) -> Iterator[tuple[list[_Held], Receipts]]:
    """Hold the rows of events that are not closed, oldest first, with the receipts they have.

    Two deliveries of the same event cannot run at once.  In the end those stay closed that every
    handler has a receipt for; the body adds to the receipts what it writes.
    """
    asked = {"tenant": work.tenant_id, "ids": _packed(event_ids)}
    rows = work.session.execute(_HOLD, asked | {"name": event.name})
    held = sorted((_Held(*row) for row in rows), key=attrgetter("id"))
    received: Receipts = {(row[0], row[1]) for row in work.session.execute(_RECEIVED, asked)}
    yield held, received
    listeners = [s.name for s in list_subscriptions(event.name)]
    lacking = [h.id for h in held if any((h.id, name) not in received for name in listeners)]
    if lacking:
        work.session.execute(_REOPEN, asked | {"ids": _packed(lacking)})


def _packed(event_ids: Iterable[UUID]) -> UuidArray:
    return UuidArray.of(event_id.bytes for event_id in event_ids)


def _receive(work: Work, subscription: Subscription, event_ids: Sequence[UUID]) -> None:
    if event_ids:
        values = {"tenant": work.tenant_id, "ids": _packed(event_ids)}
        work.session.execute(_RECEIVE, values | {"handler": subscription.name, "at": work.at})


def _take(work: Work, subscription: Subscription, held: Sequence[_Held], received: Receipts) -> int:
    """Let one handler take what it has no receipt for; return how many events it took."""
    waiting = [each for each in held if (each.id, subscription.name) not in received]
    if not waiting:
        return 0
    try:
        with savepoint(work):
            _handle(work, subscription, waiting)
    except Exception as error:  # noqa: BLE001 - the edge of jobs: the cause is found one by one
        if isinstance(getattr(error, "orig", None), psycopg.errors.LockNotAvailable):
            # Somebody holds what this handler needs: that is no failure of an event, and one at a
            # time they would wait as often.  They are sent again when their lease ends.
            log.warning("handler waits", handler=subscription.name)
            return 0
        if len(waiting) == 1:
            _fail(work, subscription, waiting[0].id, error, received=received)
            return 0
        return _take_singly(work, subscription, waiting, received)
    received.update((each.id, subscription.name) for each in waiting)
    return len(waiting)


def _handle(work: Work, subscription: Subscription, held: Sequence[_Held]) -> None:
    events = [each.read(subscription) for each in held]
    if subscription.takes_many:
        subscription.handler(work, events)
    else:
        for event in events:
            subscription.handler(work, event)
    _receive(work, subscription, [each.id for each in held])


def _take_singly(
    work: Work, subscription: Subscription, waiting: Sequence[_Held], received: Receipts
) -> int:
    taken = 0
    stopped: set[UUID] = set()
    for each in waiting:
        if each.object_id in stopped:
            continue
        try:
            with savepoint(work):
                _handle(work, subscription, [each])
        except Exception as error:  # noqa: BLE001 - the edge of jobs: recorded, retried, then dead
            stopped.add(each.object_id)
            _fail(work, subscription, each.id, error, received=received)
        else:
            taken += 1
            received.add((each.id, subscription.name))
    return taken


def _deliver_detached(scope: Scope, subscription: Subscription, event_id: UUID) -> int:
    name, kind = subscription.name, subscription.event
    asked = {"tenant": scope.tenant_id, "id": event_id, "name": kind.name, "handler": name}
    with unit_of_work(scope) as work:
        row = work.session.execute(_LOOK, asked).one_or_none()
    if row is None:
        return 0
    failure: Exception | None = None
    try:
        with _heartbeat(scope, event_id):
            subscription.handler(scope, _Held(*row).read(subscription))
    except Exception as error:  # noqa: BLE001 - the edge of jobs: recorded, retried, then dead
        failure = error
    with unit_of_work(scope) as work, _holding(work, kind, [event_id]) as (held, received):
        if held and (event_id, name) not in received:
            if failure is not None:
                _fail(work, subscription, event_id, failure, received=received)
            else:
                _receive(work, subscription, [event_id])
                received.add((event_id, name))
        elif failure is not None:  # somebody else took it meanwhile
            log.warning("handler failed", handler=name, event_id=str(event_id), exc_info=failure)
    return 0 if failure is not None else 1


@contextmanager
def _heartbeat(scope: Scope, event_id: UUID) -> Iterator[None]:
    """Renew the lease of a long delivery while it runs, so that nobody else begins it."""
    stop = threading.Event()

    def renew() -> None:
        while not stop.wait(LEASE.total_seconds() / 3):
            # A database that is away for a moment must not end the renewals that follow.
            with suppress(Unavailable), unit_of_work(scope) as work:
                work.session.execute(
                    sa.update(OutboxEvent)
                    .where(OutboxEvent.tenant_id == work.tenant_id, OutboxEvent.id == event_id)
                    .values(leased_until=sa.func.now() + LEASE)
                )

    thread = threading.Thread(target=renew, name="lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _fail(
    work: Work,
    subscription: Subscription,
    event_id: UUID,
    error: Exception,
    *,
    received: Receipts,
) -> None:
    """Record a failure: a later retry by the lease, or after the last try a dead letter."""
    log.warning("handler failed", handler=subscription.name, event_id=str(event_id), exc_info=error)
    failure = insert(EventFailure).values(
        tenant_id=work.tenant_id,
        event_id=event_id,
        handler=subscription.name,
        tries=1,
        error=f"{type(error).__name__}: {error}"[:2000],
        failed_at=work.at,
    )
    failure = failure.on_conflict_do_update(
        index_elements=["tenant_id", "event_id", "handler"],
        set_={
            "tries": EventFailure.tries + 1,
            "error": failure.excluded.error,
            "failed_at": failure.excluded.failed_at,
        },
    )
    tries = work.session.execute(failure.returning(EventFailure.tries)).scalar_one()
    metrics.note_handled(subscription.name, "dead" if tries >= TRIES_MAX else "failed", 1)
    if tries >= TRIES_MAX:
        receipt: dict[str, Any] = {
            "tenant_id": work.tenant_id,
            "event_id": event_id,
            "handler": subscription.name,
            "outcome": "dead",
            "received_at": work.at,
        }
        work.session.execute(insert(InboxReceipt).values(receipt).on_conflict_do_nothing())
        received.add((event_id, subscription.name))
        return
    work.session.execute(
        sa.update(OutboxEvent)
        .where(OutboxEvent.tenant_id == work.tenant_id, OutboxEvent.id == event_id)
        .values(leased_until=sa.func.now() + timedelta(seconds=back_off_s(tries)))
    )


def redrive(work: Work, event_id: UUID | None = None) -> int:
    """Put dead letters, or one of them, back on the rails; return how many."""
    dead = sa.delete(InboxReceipt).where(
        InboxReceipt.tenant_id == work.tenant_id, InboxReceipt.outcome == "dead"
    )
    if event_id is not None:
        dead = dead.where(InboxReceipt.event_id == event_id)
    event_ids = list(work.session.execute(dead.returning(InboxReceipt.event_id)).scalars())
    work.session.execute(
        sa.delete(EventFailure).where(
            EventFailure.tenant_id == work.tenant_id, EventFailure.event_id.in_(event_ids)
        )
    )
    work.session.execute(
        sa.update(OutboxEvent)
        .where(OutboxEvent.tenant_id == work.tenant_id, OutboxEvent.id.in_(event_ids))
        .values(done_at=None, leased_until=None)
    )
    return len(event_ids)


def purge(work: Work) -> int:
    """Delete what was delivered longer ago than it is kept; return how many events went."""
    old = (
        sa.select(OutboxEvent.id)
        .where(OutboxEvent.tenant_id == work.tenant_id, OutboxEvent.done_at < work.at - RETENTION)
        .limit(PURGE_MAX)
    )
    event_ids = list(work.session.execute(old).scalars())
    for table, column in (
        (EventFailure, EventFailure.event_id),
        (InboxReceipt, InboxReceipt.event_id),
        (OutboxEvent, OutboxEvent.id),
    ):
        work.session.execute(
            sa.delete(table).where(
                table.tenant_id == work.tenant_id,
                column.in_(event_ids),
            )
        )
    return len(event_ids)
