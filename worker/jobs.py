"""What a job worker runs: deliveries of events, and scheduled work tenant by tenant."""

from __future__ import annotations

from uuid import UUID

from rq import get_current_job

from giftpad import events, guard, tenancy
from giftpad.kernel.log import get_logger
from giftpad.kernel.work import Scope
from giftpad.wiring import SCHEDULE

log = get_logger("worker")

PLATFORM = Scope(tenant_id=tenancy.PLATFORM_TENANT_ID)
SWITCHED = {"print": "printing"}
"""Queues whose work can be switched off, by the name of the feature."""
GIVE_WAY = frozenset({"events", "print", "export", "bulk-mail", "bulk-sms"})
"""Queues whose work slows down under overload; nobody waits at a screen for it."""


def _may_begin() -> bool:
    """Whether this work may be done now; under overload it is put off a little first."""
    job = get_current_job()
    queue = job.origin if job is not None else ""
    guard.refresh_switches(PLATFORM, older_than_s=guard.REFRESH_S)
    if queue in SWITCHED and guard.is_off(SWITCHED[queue]):
        return False
    if queue in GIVE_WAY:
        guard.give_way()
    return True


def deliver(tenant_id: str, handlers: list[str], event_name: str, event_ids: list[str]) -> None:
    """Let handlers take events.

    A hint for work that is switched off is dropped: the relay sends it again when its lease is
    over.
    """
    if _may_begin():
        scope = Scope(tenant_id=UUID(tenant_id))
        events.deliver(scope, handlers, event_name, [UUID(text) for text in event_ids])


def run_scheduled(name: str) -> None:
    """Run one entry of the schedule for every tenant; one tenant's failure stops no other."""
    job = SCHEDULE[name].job
    failed: list[str] = []
    for tenant in tenancy.list_tenants():
        try:
            job(Scope(tenant_id=tenant.id))
        except Exception:
            failed.append(tenant.slug)
            log.exception("scheduled work failed", name=name, tenant=tenant.slug)
    if failed:
        message = f"{name} failed for {', '.join(failed)}"
        raise RuntimeError(message)
