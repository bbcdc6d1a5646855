"""Publish an event with the change it tells of; let handlers take it, exactly once in effect."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
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
_LOCKED = sa.text("""
    SELECT id, object_id, CAST(payload AS text) FROM event_outbox
    WHERE tenant_id = :tenant AND id = ANY(CAST(:ids AS uuid[])) AND name = :name
    ORDER BY id FOR NO KEY UPDATE
""")
_RECEIVED = sa.text("""
    SELECT event_id FROM event_inbox
    WHERE tenant_id = :tenant AND event_id = ANY(CAST(:ids AS uuid[])) AND handler = :handler
""")
_RECEIVE = sa.text("""
    INSERT INTO event_inbox (tenant_id, event_id, handler, outcome, received_at)
    SELECT :tenant, unnest(CAST(:ids AS uuid[])), :handler, 'done', :at
""")
_CLOSE = sa.text("""
    UPDATE event_outbox o SET done_at = now()
    WHERE o.tenant_id = :tenant AND o.id = ANY(CAST(:ids AS uuid[])) AND :count = (
        SELECT count(*) FROM event_inbox i
        WHERE i.tenant_id = o.tenant_id AND i.event_id = o.id
            AND i.handler = ANY(CAST(:handlers AS text[])))
""")


def publish(work: Work, event: Event) -> UUID:
    """Write an event into the outbox; it leaves when, and only when, ``work`` commits."""
    event_id = new_id()
    work.session.execute(
        insert(OutboxEvent).values(
            tenant_id=work.tenant_id,
            id=event_id,
            name=event.name,
            object_id=event.object_id,
            payload=msgspec.to_builtins(event),
            created_at=work.at,
        )
    )
    return event_id


def deliver(scope: Scope, handler: str, event_name: str, event_ids: Sequence[UUID]) -> int:
    """Let one handler take the events it has no receipt for; return how many it took.

    An event whose handler fails keeps no receipt and is sent again after a while; later events
    of the same object wait for it.
    """
    subscription = get_subscription(handler, event_name)
    begun = time.perf_counter()
    taken = _deliver(scope, subscription, event_ids)
    metrics.note_handled(handler, "done", taken)
    metrics.note_delivery(handler, time.perf_counter() - begun)
    return taken


def _deliver(scope: Scope, subscription: Subscription, event_ids: Sequence[UUID]) -> int:
    if not subscription.in_transaction:
        return sum(_deliver_detached(scope, subscription, event_id) for event_id in event_ids)
    with unit_of_work(scope, patience_s=120) as work:
        waiting = _unreceived(work, subscription, event_ids)
        taken = _take_together(work, subscription, waiting)
        if taken is None:
            taken = _take_singly(work, subscription, waiting)
        _close(work, subscription, taken)
    return len(taken)


def _unreceived(
    work: Work, subscription: Subscription, event_ids: Sequence[UUID]
) -> list[tuple[UUID, UUID, str]]:
    """Return id, object and payload of events without a receipt, oldest first, holding their rows.

    Two deliveries of the same event must not run at once, and the lock is taken on the row that
    both would close in the end.
    """
    asked = {"tenant": work.tenant_id, "ids": _packed(event_ids)}
    rows = work.session.execute(_LOCKED, asked | {"name": subscription.event.name}).all()
    received = work.session.execute(_RECEIVED, asked | {"handler": subscription.name})
    done = set(received.scalars())
    return [tuple(row) for row in rows if row[0] not in done]


def _packed(event_ids: Sequence[UUID]) -> UuidArray:
    return UuidArray.of(event_id.bytes for event_id in event_ids)


def _decode(subscription: Subscription, payload: str) -> Event:
    """Read an event; one that does not decode fails like a handler, alone, and not with others."""
    return msgspec.json.decode(payload, type=subscription.event, strict=False)


def _receive(work: Work, subscription: Subscription, event_ids: Sequence[UUID]) -> None:
    if event_ids:
        values = {"tenant": work.tenant_id, "ids": _packed(event_ids)}
        work.session.execute(_RECEIVE, values | {"handler": subscription.name, "at": work.at})


def _take_together(
    work: Work, subscription: Subscription, waiting: list[tuple[UUID, UUID, str]]
) -> list[UUID] | None:
    """Take all events in one savepoint; None if any of them failed and nothing was done."""
    event_ids = [event_id for event_id, _, _ in waiting]
    try:
        with savepoint(work):
            events = [_decode(subscription, payload) for _, _, payload in waiting]
            if not subscription.takes_many:
                for event in events:
                    subscription.handler(work, event)
            elif events:
                subscription.handler(work, events)
            _receive(work, subscription, event_ids)
    except Exception as error:  # noqa: BLE001 - the edge of jobs: the cause is found one by one
        if len(waiting) == 1:
            _fail(work, subscription, event_ids[0], error)
            return []
        return None
    return event_ids


def _take_singly(
    work: Work, subscription: Subscription, waiting: list[tuple[UUID, UUID, str]]
) -> list[UUID]:
    taken: list[UUID] = []
    stopped: set[UUID] = set()
    for event_id, object_id, payload in waiting:
        if object_id in stopped:
            continue
        try:
            with savepoint(work):
                event = _decode(subscription, payload)
                subscription.handler(work, [event] if subscription.takes_many else event)
                _receive(work, subscription, [event_id])
        except Exception as error:  # noqa: BLE001 - the edge of jobs: recorded, retried, then dead
            stopped.add(object_id)
            _fail(work, subscription, event_id, error)
        else:
            taken.append(event_id)
    return taken


def _deliver_detached(scope: Scope, subscription: Subscription, event_id: UUID) -> int:
    with unit_of_work(scope) as work:
        waiting = _unreceived(work, subscription, [event_id])
    if not waiting:
        return 0
    try:
        with _heartbeat(scope, event_id):
            subscription.handler(scope, _decode(subscription, waiting[0][2]))
    except Exception as error:  # noqa: BLE001 - the edge of jobs: recorded, retried, then dead
        with unit_of_work(scope) as work:
            _fail(work, subscription, event_id, error)
        return 0
    with unit_of_work(scope) as work:
        if _unreceived(work, subscription, [event_id]):
            _receive(work, subscription, [event_id])
        _close(work, subscription, [event_id])
    return 1


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


def _fail(work: Work, subscription: Subscription, event_id: UUID, error: Exception) -> None:
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
        _close(work, subscription, [event_id])
        return
    work.session.execute(
        sa.update(OutboxEvent)
        .where(OutboxEvent.tenant_id == work.tenant_id, OutboxEvent.id == event_id)
        .values(leased_until=sa.func.now() + timedelta(seconds=back_off_s(tries)))
    )


def _close(work: Work, subscription: Subscription, event_ids: Sequence[UUID]) -> None:
    """Close the events that every handler has a receipt for."""
    if not event_ids:
        return
    handlers = [s.name for s in list_subscriptions(subscription.event.name)]
    values = {"tenant": work.tenant_id, "ids": _packed(event_ids)}
    work.session.execute(_CLOSE, values | {"handlers": handlers, "count": len(handlers)})


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
