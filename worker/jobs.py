"""What a job worker runs: deliveries of events, and scheduled work tenant by tenant."""

from __future__ import annotations

from uuid import UUID

from giftpad import events, tenancy
from giftpad.kernel.log import get_logger
from giftpad.kernel.work import Scope
from giftpad.wiring import SCHEDULE

log = get_logger("worker")


def deliver(tenant_id: str, handler: str, event_name: str, event_ids: list[str]) -> None:
    """Let a handler take events; a hint for a handler that is gone is dropped."""
    scope = Scope(tenant_id=UUID(tenant_id))
    try:
        events.deliver(scope, handler, event_name, [UUID(text) for text in event_ids])
    except KeyError:
        log.warning("no such handler", handler=handler, event_name=event_name)


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
