"""The rails of all tenants, as the one role that sees them does.

Hides: SQL across tenants.  It runs as giftpad_relay, which may read outbox and inbox, no more.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import TupleRow

CONNECT_TIMEOUT_S = 3
OPTIONS = "-c statement_timeout=5000 -c lock_timeout=1000 -c timezone=UTC"
SHOWN_MAX = 50

_WAITING = """
SELECT tenant_id, count(*), min(created_at), min(created_at) FILTER (WHERE sendings = 0), now()
FROM event_outbox WHERE done_at IS NULL GROUP BY tenant_id
"""
_DEAD = "SELECT tenant_id, count(*) FROM event_inbox WHERE outcome = 'dead' GROUP BY tenant_id"
# A role that may not read statistics sees a standby's process number, and no more of it.
_STANDBYS = """
SELECT count(*), count(replay_lsn), COALESCE(max(EXTRACT(epoch FROM replay_lag)), 0)
FROM pg_stat_replication
"""

Rails = psycopg.Connection[TupleRow]
"""A connection that sees the rails of all tenants."""


def connect_rails(url: str) -> Rails:
    """Connect as the relay does."""
    return psycopg.connect(url, autocommit=True, connect_timeout=CONNECT_TIMEOUT_S, options=OPTIONS)


def look_at_rails(connection: Rails) -> dict[str, Any]:
    """Return what waits, for how long, and what was given up: over all, and by tenant."""
    by_tenant: dict[UUID, dict[str, Any]] = defaultdict(
        lambda: {"waiting": 0, "oldest_s": 0.0, "relay_lag_s": 0.0, "dead": 0}
    )
    for tenant_id, waiting, oldest, unsent, now in connection.execute(_WAITING):
        by_tenant[tenant_id] |= {
            "waiting": int(waiting),
            "oldest_s": _age_s(oldest, now),
            "relay_lag_s": _age_s(unsent, now),
        }
    for tenant_id, dead in connection.execute(_DEAD):
        by_tenant[tenant_id]["dead"] = int(dead)
    worst = sorted(by_tenant.items(), key=lambda item: (-item[1]["dead"], -item[1]["oldest_s"]))
    return {
        "waiting": sum(each["waiting"] for each in by_tenant.values()),
        "oldest_s": max((each["oldest_s"] for each in by_tenant.values()), default=0.0),
        "relay_lag_s": max((each["relay_lag_s"] for each in by_tenant.values()), default=0.0),
        "dead": sum(each["dead"] for each in by_tenant.values()),
        "tenants": {str(tenant_id): each for tenant_id, each in worst[:SHOWN_MAX]},
    }


def look_at_standbys(connection: Rails) -> dict[str, Any]:
    """Return how many standbys follow, and how far behind the last is; None where not to be seen.

    Seen by a role that has pg_read_all_stats (docs/operating/monitoring.md).
    """
    row = connection.execute(_STANDBYS).fetchone()
    assert row is not None
    standbys, seen, lag_s = row
    is_seen = bool(standbys) and seen == standbys
    return {"standbys": int(standbys), "lag_s": float(lag_s) if is_seen else None}


def _age_s(since: datetime | None, now: datetime) -> float:
    return round(max((now - since).total_seconds(), 0.0), 3) if since is not None else 0.0
