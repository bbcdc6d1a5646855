"""What the relay does in the database: take due events, cross-tenant, under a lease.

Hides: the order and the leases.  ``take_due`` and ``give_back`` run as giftpad_relay, which may
read and lease outbox rows and read receipts of every tenant, and nothing else.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from uuid import UUID

import psycopg
from psycopg.rows import TupleRow

from giftpad.events.commands import PURGE_MAX, purge
from giftpad.events.rules import LEASE, list_subscriptions
from giftpad.kernel.work import Scope, unit_of_work

TAKE_MAX = 500
"""Events of one tenant that one round takes; also the most ids in one delivery."""
PURGE_ROUNDS_MAX = 100

# Rows of one object leave together or wait together: nothing is taken while an earlier event of
# the same object is leased.  That is seen on the way along the index of what is pending, object by
# object; asking for each row anew leaves it to chance which index answers while the table is new
# to the planner.  For the same reason done_at is asked for again in words that fit no index.
# sendings tells a first sending, which needs no look at the inbox.
_TAKE = """
WITH due AS (
    SELECT o.tenant_id, o.id
    FROM tenants t CROSS JOIN LATERAL (
        SELECT w.tenant_id, w.id FROM (
            SELECT p.tenant_id, p.object_id, p.id, bool_or(p.leased_until > now()) OVER (
                PARTITION BY p.object_id ORDER BY p.id ROWS UNBOUNDED PRECEDING) AS waits
            FROM event_outbox p WHERE p.tenant_id = t.id AND p.done_at IS NULL
        ) q JOIN event_outbox w ON w.tenant_id = q.tenant_id AND w.id = q.id
        WHERE q.waits IS NOT TRUE AND num_nulls(w.done_at) = 1
            AND (w.leased_until IS NULL OR w.leased_until <= now())
        ORDER BY q.object_id, q.id LIMIT %(most)s FOR UPDATE OF w SKIP LOCKED
    ) o
)
UPDATE event_outbox o SET leased_until = now() + %(lease)s, sendings = sendings + 1
FROM due WHERE o.tenant_id = due.tenant_id AND o.id = due.id
RETURNING o.tenant_id, o.id, o.name, o.sendings
"""

_RECEIPTS = """
SELECT i.tenant_id, i.event_id, i.handler FROM event_inbox i
JOIN unnest(%(tenants)s::uuid[], %(events)s::uuid[]) AS wanted (tenant_id, event_id)
    ON i.tenant_id = wanted.tenant_id AND i.event_id = wanted.event_id
"""

_FINISH = """
UPDATE event_outbox o SET done_at = now()
FROM unnest(%(tenants)s::uuid[], %(events)s::uuid[]) AS done (tenant_id, event_id)
WHERE o.tenant_id = done.tenant_id AND o.id = done.event_id
"""

_GIVE_BACK = """
UPDATE event_outbox o SET leased_until = NULL
FROM unnest(%(tenants)s::uuid[], %(events)s::uuid[]) AS back (tenant_id, event_id)
WHERE o.tenant_id = back.tenant_id AND o.id = back.event_id AND o.done_at IS NULL
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A hint for a worker: let handlers take these events of this tenant, in this order.

    Handlers that work in the transaction go together, so that an event is held and closed once;
    one that does not goes alone.
    """

    tenant_id: UUID
    handlers: tuple[str, ...]
    event_name: str
    queue: str
    event_ids: tuple[UUID, ...]


def take_due(connection: psycopg.Connection[TupleRow]) -> list[Delivery]:
    """Lease what is due and return the deliveries to make; an empty list means nothing is.

    Events that nobody listens to, or that every handler has receipts for, are closed here.
    Locks: the taken outbox rows, skipping those another relay holds.
    """
    with connection.transaction():
        taken = connection.execute(_TAKE, {"most": TAKE_MAX, "lease": LEASE}).fetchall()
        receipts = _receipts_of(connection, taken)
        grouped: dict[tuple[UUID, str, str, str], tuple[dict[str, None], list[UUID]]]
        grouped = defaultdict(lambda: ({}, []))
        finished: list[tuple[UUID, UUID]] = []
        for tenant_id, event_id, name, _ in sorted(taken, key=lambda row: row[1]):
            waiting = [
                s for s in list_subscriptions(name) if (tenant_id, event_id, s.name) not in receipts
            ]
            if not waiting:
                finished.append((tenant_id, event_id))
            for subscription in waiting:
                # One that takes long has a hint of its own: another worker may take the next event.
                alone = "" if subscription.in_transaction else f"{subscription.name} {event_id}"
                handlers, ids = grouped[tenant_id, name, subscription.queue, alone]
                handlers[subscription.name] = None
                if ids[-1:] != [event_id]:
                    ids.append(event_id)
        if finished:
            tenants, events = zip(*finished, strict=True)
            connection.execute(_FINISH, {"tenants": list(tenants), "events": list(events)})
    return [
        Delivery(
            tenant_id=tenant_id,
            handlers=tuple(handlers),
            event_name=name,
            queue=queue,
            event_ids=tuple(ids),
        )
        for (tenant_id, name, queue, _), (handlers, ids) in grouped.items()
    ]


def _receipts_of(
    connection: psycopg.Connection[TupleRow], taken: list[TupleRow]
) -> set[tuple[UUID, UUID, str]]:
    again = [(tenant_id, event_id) for tenant_id, event_id, _, sendings in taken if sendings > 1]
    if not again:
        return set()
    tenants, events = zip(*again, strict=True)
    values = {"tenants": list(tenants), "events": list(events)}
    return {(row[0], row[1], row[2]) for row in connection.execute(_RECEIPTS, values)}


def give_back(connection: psycopg.Connection[TupleRow], deliveries: list[Delivery]) -> None:
    """End the leases of deliveries that could not be sent."""
    pairs = [(d.tenant_id, event_id) for d in deliveries for event_id in d.event_ids]
    tenants, events = zip(*pairs, strict=True)
    with connection.transaction():
        connection.execute(_GIVE_BACK, {"tenants": list(tenants), "events": list(events)})


def purge_delivered(scope: Scope) -> int:
    """Delete delivered events that are kept no longer, a batch a transaction; return how many."""
    total = 0
    for _ in range(PURGE_ROUNDS_MAX):
        with unit_of_work(scope, patience_s=60) as work:
            count = purge(work)
        total += count
        if count < PURGE_MAX:
            break
    return total
