"""Who listens to what, what runs when, which section of a pack is whose: the house on one page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from giftpad import events, guard, payments, tenancy
from giftpad.events import jobs as event_jobs
from giftpad.guard import jobs as guard_jobs
from giftpad.kernel.config import Settings
from giftpad.kernel.db import bind_database
from giftpad.kernel.seal import load_kek
from giftpad.kernel.work import Scope
from giftpad.payments import handlers as payment_handlers

SUBSCRIPTIONS: events.Subscriptions = {
    payments.PaymentCaptured: [payment_handlers.note_captured],
    payments.PaymentVoided: [payment_handlers.note_voided],
    payments.PaymentRefunded: [payment_handlers.note_refunded],
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheduled:
    """Work that is due by the clock, for every tenant; ``cron`` is read in UTC."""

    job: Callable[[Scope], object]
    cron: str
    queue: str = "export"


SCHEDULE: dict[str, Scheduled] = {
    "events.purge": Scheduled(job=event_jobs.purge_delivered, cron="17 * * * *"),
    "guard.purge": Scheduled(job=guard_jobs.purge_old_keys, cron="37 * * * *"),
}


def bootstrap(settings: Settings) -> None:
    """Give this process its database, its keys, its limits and its wiring.

    Raises: KeyUnreadable.
    """
    bind_database(settings)
    tenancy.bind_kek(load_kek(settings.kek_path))
    guard.bind_redis(settings.redis_url)
    events.subscribe(SUBSCRIPTIONS)
