"""Let events take effect inside a test: relay and worker in one place, without a queue between."""

from __future__ import annotations

import psycopg

from giftpad import events
from giftpad.kernel.config import Settings
from giftpad.kernel.work import Scope

ROUNDS_MAX = 1000


def forget_others(superuser_url: str, scope: Scope) -> None:
    """Let no event of another tenant be due any more: tests that share a database leave some."""
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        connection.execute(
            "UPDATE event_outbox SET done_at = now() WHERE done_at IS NULL AND tenant_id <> %s",
            (scope.tenant_id,),
        )


def pump(settings: Settings, of: Scope | None = None) -> int:
    """Deliver until nothing is due; return how many events handlers took.

    With ``of`` only those of its tenant are counted: other tests may have left events behind.
    """
    taken = 0
    with psycopg.connect(settings.database_relay_url) as connection:
        for _ in range(ROUNDS_MAX):
            deliveries = events.take_due(connection)
            if not deliveries:
                return taken
            for hint in deliveries:
                scope = Scope(tenant_id=hint.tenant_id)
                count = events.deliver(scope, hint.handlers, hint.event_name, hint.event_ids)
                if of is None or of.tenant_id == hint.tenant_id:
                    taken += count
    message = "events keep coming"
    raise AssertionError(message)
