"""Reading figures, and proving them against the ledger."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

import sqlalchemy as sa

from giftpad.kernel.work import Work, plan_anew
from giftpad.ledger import Difference
from giftpad.reporting.models import ReportingDay
from giftpad.reporting.rules import COUNTED, Day, Figures
from giftpad.tenancy import get_tenant

DAYS_MAX = 400
DIFFERENCES_MAX = 100
HEARD = {
    "payment.captured_v1": ("reporting.note_paid", "paid"),
    "payment.voided_v1": ("reporting.note_voided", "voided"),
    "payment.refunded_v1": ("reporting.note_refunded", "refunded"),
    "coupon_range.issued_v1": ("reporting.note_issued", "issued"),
    "coupon_range.expired_v1": ("reporting.note_expired", "expired"),
}
"""The events that the figures are made of, who takes each, and what it counts as."""

_KINDS = {"pay": "paid", "void": "voided", "refund": "refunded", "issue": "issued"}


def _sums(rows: str) -> str:
    """Write the sums of rows (programme_id, day, unit, kind, count, amount) by kind."""
    counts = ", ".join(
        f"COALESCE(sum({'count' if name.endswith('_count') else 'amount'})"
        f" FILTER (WHERE kind = '{name.rpartition('_')[0]}'), 0)::bigint AS {name}"
        for name in COUNTED
    )
    keys = "programme_id, day, unit"
    return f"SELECT {keys}, {counts} FROM {rows} GROUP BY {keys}"  # noqa: S608 - as below


_CASES = " ".join(f"WHEN '{kind}' THEN '{name}'" for kind, name in _KINDS.items())
_HEARD = ", ".join(f"('{name}', '{who}', '{kind}')" for name, (who, kind) in HEARD.items())

# One statement sees one instant: a transfer is there with its event, and an event that has been
# taken is there with its receipt.  What is still to come is taken off what the ledger has.
FACTS = f"""
    moved AS (
        SELECT a.book_id AS programme_id, (t.at AT TIME ZONE :zone)::date AS day, a.unit,
            CASE t.kind {_CASES} ELSE 'expired' END AS kind, 1 AS count, t.amount_minor AS amount
        FROM ledger_transfers t
        JOIN ledger_accounts a ON a.tenant_id = t.tenant_id AND a.id = t.credit_id
        WHERE t.tenant_id = :tenant
            AND t.kind IN ('issue', 'pay', 'void', 'refund', 'expire')
    ), to_come AS (
        SELECT (o.payload ->> 'programme_id')::uuid AS programme_id,
            ((o.payload ->> 'at')::timestamptz AT TIME ZONE :zone)::date AS day,
            o.payload ->> 'unit' AS unit, h.kind,
            -COALESCE((o.payload ->> 'count')::bigint, 1) AS count,
            -(o.payload ->> 'amount_minor')::bigint AS amount
        FROM event_outbox o
        JOIN (VALUES {_HEARD}) AS h (name, handler, kind) ON h.name = o.name
        LEFT JOIN event_inbox i ON i.tenant_id = o.tenant_id AND i.event_id = o.id
            AND i.handler = h.handler
        WHERE o.tenant_id = :tenant AND i.outcome IS DISTINCT FROM 'done'
            AND (o.done_at IS NULL OR i.outcome = 'dead')
    ), facts AS (
        {_sums("(SELECT * FROM moved UNION ALL SELECT * FROM to_come) everything")}
    )
"""  # noqa: S608 - made of names in this house

_SAME = ", ".join(COUNTED)
_CHECK = sa.text(f"""
    WITH {FACTS}, different AS (
        (SELECT programme_id, day, unit, {_SAME}, 'ledger' AS side FROM facts
         EXCEPT SELECT programme_id, day, unit, {_SAME}, 'ledger' FROM reporting_days
         WHERE tenant_id = :tenant)
        UNION ALL
        (SELECT programme_id, day, unit, {_SAME}, 'figures' FROM reporting_days
         WHERE tenant_id = :tenant
         EXCEPT SELECT programme_id, day, unit, {_SAME}, 'figures' FROM facts)
    )
    SELECT programme_id, day,
        string_agg(CONCAT_WS(' ', {_SAME}), '') FILTER (WHERE side = 'ledger'),
        string_agg(CONCAT_WS(' ', {_SAME}), '') FILTER (WHERE side = 'figures')
    FROM different
    WHERE ({" <> 0 OR ".join(COUNTED)} <> 0)
    GROUP BY programme_id, day ORDER BY programme_id, day LIMIT :most
""")  # noqa: S608 - made of names in this house


def fact_values(work: Work) -> dict[str, object]:
    """Return what the statements on facts need."""
    return {"tenant": work.tenant_id, "zone": get_tenant(work.tenant_id).zone}


_OLDEST_TO_COME = sa.text("""
    SELECT min(created_at) FROM event_outbox
    WHERE tenant_id = :tenant AND done_at IS NULL AND name = ANY (:names)
""")


def get_figures(work: Work, programme_id: UUID | None = None) -> Figures:
    """Return all that happened so far, in one programme or in all of the tenant."""
    wanted = [ReportingDay.tenant_id == work.tenant_id]
    if programme_id is not None:
        wanted.append(ReportingDay.programme_id == programme_id)
    columns = [sa.func.coalesce(sa.func.sum(getattr(ReportingDay, name)), 0) for name in COUNTED]
    row = work.session.execute(
        sa.select(sa.func.min(ReportingDay.unit), *columns).where(*wanted)
    ).one()
    oldest = work.session.execute(
        _OLDEST_TO_COME, {"tenant": work.tenant_id, "names": list(HEARD)}
    ).scalar_one()
    as_of = work.at if oldest is None else min(oldest, work.at)
    sums = {name: int(value) for name, value in zip(COUNTED, row[1:], strict=True)}
    used = sums["paid_minor"] - sums["voided_minor"] - sums["refunded_minor"]
    return Figures(
        unit=row[0] or "JPY",
        used_minor=used,
        left_minor=sums["issued_minor"] - used - sums["expired_minor"],
        as_of=as_of,
        lag_s=int((work.at - as_of).total_seconds()),
        **sums,
    )


def list_days(work: Work, programme_id: UUID | None, first: date, last: date) -> list[Day]:
    """Return every day of a span in order, those on which nothing happened too.

    At most the last ``DAYS_MAX`` days of it.
    """
    first = max(first, last - timedelta(days=DAYS_MAX - 1))
    wanted = [
        ReportingDay.tenant_id == work.tenant_id,
        ReportingDay.day.between(first, last),
    ]
    if programme_id is not None:
        wanted.append(ReportingDay.programme_id == programme_id)
    sums = [sa.func.sum(getattr(ReportingDay, name)) for name in COUNTED]
    rows = work.session.execute(
        sa.select(ReportingDay.day, *sums).where(*wanted).group_by(ReportingDay.day)
    )
    found = {
        row[0]: Day(
            day=row[0],
            **{name: int(value) for name, value in zip(COUNTED, row[1:], strict=True)},
        )
        for row in rows
    }
    span = (last - first).days + 1
    days = [first + timedelta(days=number) for number in range(span)]
    return [found.get(day) or Day(day=day) for day in days]


def check_figures(work: Work) -> list[Difference]:
    """Compare the figures of every day with the ledger, less the events that are still to come."""
    plan_anew(work)
    values = fact_values(work) | {"most": DIFFERENCES_MAX}
    return [
        Difference(
            kind="figures",
            subject=f"of programme {programme_id} on {day}",
            expected=expected or "nothing",
            found=found or "nothing",
        )
        for programme_id, day, expected, found in work.session.execute(_CHECK, values)
    ]
