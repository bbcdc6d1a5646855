"""What the database knows of how things are: connections, keys, batches, payments."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from giftpad import identity, tenancy
from giftpad.kernel.ids import first_id_at
from giftpad.kernel.work import Scope, Work, unit_of_work

MINUTE = timedelta(minutes=1)

_CONNECTIONS = sa.text("""
    SELECT COALESCE(state, 'other'), count(*) FROM pg_stat_activity
    WHERE datname = current_database() GROUP BY 1
""")
_PAYMENTS = sa.text("""
    SELECT count(*) FROM payment_payments
    WHERE tenant_id = :tenant AND id >= :first AND id < :last
""")
_BATCHES = sa.text("""
    SELECT state, count(*) FROM coupon_batches WHERE tenant_id = :tenant GROUP BY state
""")


def measure_platform(work: Work) -> dict[str, Any]:
    """Return connections by state and the signing keys; ``work`` is of the platform tenant.

    Connections of other roles are counted as "other": their state is not ours to see.
    """
    connections = {state: int(count) for state, count in work.session.execute(_CONNECTIONS)}
    keys = [key for key in identity.list_keys(work) if key.revoked_at is None]
    signs = next((key for key in keys if key.state == "current"), None)
    return {
        "connections": connections,
        "keys": {
            "count": len(keys),
            "signs_since": (signs.promoted_at or signs.created_at).isoformat() if signs else None,
        },
    }


def measure_money() -> dict[str, Any]:
    """Return the payments of the last minute and the batches by state: over all, and by tenant.

    One short transaction a tenant, because no role of ours sees payments of more than one.
    """
    until = datetime.now(UTC)
    batches: Counter[str] = Counter()
    payments: dict[str, int] = {}
    for tenant in tenancy.list_tenants():
        if tenant.id == tenancy.PLATFORM_TENANT_ID:
            continue
        with unit_of_work(Scope(tenant_id=tenant.id)) as work:
            batches.update(
                {
                    state: int(count)
                    for state, count in work.session.execute(_BATCHES, {"tenant": tenant.id})
                }
            )
            values = {
                "tenant": tenant.id,
                "first": first_id_at(until - MINUTE),
                "last": first_id_at(until),
            }
            payments[tenant.slug] = int(work.session.execute(_PAYMENTS, values).scalar_one())
    return {
        "payments": sum(payments.values()),
        "tenants": sorted(payments),
        "by_tenant": {slug: count for slug, count in payments.items() if count},
        "batches": dict(batches),
    }
