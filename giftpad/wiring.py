"""Who listens to what, what runs when, which section of a pack is whose: the house on one page."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from giftpad import (
    catalog,
    coupons,
    designs,
    events,
    gifts,
    guard,
    identity,
    messaging,
    payments,
    printing,
    programmes,
    shops,
    tenancy,
    tills,
)
from giftpad.catalog import handlers as catalog_handlers
from giftpad.catalog import jobs as catalog_jobs
from giftpad.coupons import handlers as coupon_handlers
from giftpad.coupons import jobs as coupon_jobs
from giftpad.events import jobs as event_jobs
from giftpad.gifts import handlers as gift_handlers
from giftpad.gifts import jobs as gift_jobs
from giftpad.guard import jobs as guard_jobs
from giftpad.health import jobs as health_jobs
from giftpad.identity import handlers as identity_handlers
from giftpad.identity import jobs as identity_jobs
from giftpad.kernel.config import Settings
from giftpad.kernel.db import bind_database
from giftpad.kernel.files import open_files
from giftpad.kernel.seal import load_kek
from giftpad.kernel.work import Scope
from giftpad.messaging import handlers as messaging_handlers
from giftpad.messaging import jobs as messaging_jobs
from giftpad.payments import handlers as payment_handlers
from giftpad.reporting import handlers as reporting_handlers
from giftpad.shops import handlers as shop_handlers
from giftpad.shops import jobs as shop_jobs
from giftpad.tills import jobs as till_jobs

MAIL_PICTURE_WIDTH_PX = 1200

SUBSCRIPTIONS: events.Subscriptions = {
    coupons.ChunkDue: [events.on_queue("print", coupon_handlers.issue_due_chunk)],
    coupons.VolumeDue: [events.on_queue("print", coupon_handlers.print_due_volume)],
    # Not behind the prints: what is destroyed should be gone soon.
    coupons.PrintDestroyed: [events.on_queue("export", coupon_handlers.delete_print_files)],
    messaging.MessageSent: [gift_handlers.note_sent],
    messaging.MessageDelivered: [gift_handlers.note_delivered],
    messaging.MessageBounced: [gift_handlers.note_bounced],
    messaging.MessageGivenUp: [gift_handlers.note_given_up],
    messaging.MessageUnknown: [gift_handlers.note_unknown],
    gifts.CardsDue: [events.on_queue("print", gift_handlers.print_due_cards)],
    gifts.GiftsDue: [events.on_queue("export", gift_handlers.issue_due_gifts)],
    gifts.RemindersDue: [events.on_queue("export", gift_handlers.send_due_reminders)],
    gifts.RestDue: [events.on_queue("export", gift_handlers.cancel_due_rest)],
    shops.ShopImportOrdered: [events.on_queue("export", shop_handlers.run_import)],
    catalog.CatalogImportOrdered: [events.on_queue("export", catalog_handlers.check_import)],
    catalog.CatalogImportConfirmed: [events.on_queue("export", catalog_handlers.take_confirmed)],
    identity.ResetAsked: [events.on_queue("otp", identity_handlers.mail_reset_code)],
    messaging.CodeDue: [events.on_queue("otp", messaging_handlers.send_due)],
    messaging.MailDue: [events.on_queue("tx-mail", messaging_handlers.send_due)],
    messaging.SmsDue: [events.on_queue("tx-sms", messaging_handlers.send_due)],
    messaging.BulkMailDue: [events.on_queue("bulk-mail", messaging_handlers.send_bulk_due)],
    messaging.BulkSmsDue: [events.on_queue("bulk-sms", messaging_handlers.send_bulk_due)],
    coupons.CouponsIssued: [reporting_handlers.note_issued],
    coupons.CouponsExpired: [reporting_handlers.note_expired],
    payments.PaymentCaptured: [
        payment_handlers.note_captured,
        reporting_handlers.note_paid,
        gift_handlers.note_paid,
    ],
    payments.PaymentVoided: [
        payment_handlers.note_voided,
        reporting_handlers.note_voided,
        gift_handlers.note_voided,
    ],
    payments.PaymentRefunded: [
        payment_handlers.note_refunded,
        reporting_handlers.note_refunded,
        gift_handlers.note_refunded,
    ],
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheduled:
    """Work that is due by the clock, for every tenant; ``cron`` is read in UTC."""

    job: Callable[[Scope], object]
    cron: str
    queue: str = "export"


SCHEDULE: dict[str, Scheduled] = {
    "catalog.purge": Scheduled(job=catalog_jobs.purge_old, cron="12 4 * * *"),
    "coupons.expire": Scheduled(job=coupon_jobs.expire_due, cron="7 * * * *"),
    "coupons.destroy_prints": Scheduled(job=coupon_jobs.destroy_due_prints, cron="27 * * * *"),
    "events.purge": Scheduled(job=event_jobs.purge_delivered, cron="17 * * * *"),
    "gifts.start": Scheduled(job=gift_jobs.start_due_orders, cron="* * * * *"),
    "gifts.end": Scheduled(job=gift_jobs.end_due, cron="11 * * * *"),
    "gifts.lapse": Scheduled(job=gift_jobs.lapse_waiting, cron="37 * * * *"),
    "gifts.remind": Scheduled(job=gift_jobs.remind_due, cron="22 0-11 * * *"),
    "gifts.throw_away_prints": Scheduled(job=gift_jobs.throw_away_prints, cron="32 3 * * *"),
    "gifts.forget": Scheduled(job=gift_jobs.forget_old, cron="42 3 * * *"),
    "identity.purge": Scheduled(job=identity_jobs.purge_old, cron="47 * * * *"),
    "identity.rotate_keys": Scheduled(job=identity_jobs.rotate_keys, cron="2 * * * *"),
    "identity.close_visits": Scheduled(job=identity_jobs.close_over_visits, cron="*/5 * * * *"),
    "messaging.put_back": Scheduled(job=messaging_jobs.put_back_due, cron="*/5 * * * *"),
    "messaging.go_on": Scheduled(job=messaging_jobs.go_on_with_bulk, cron="* * * * *"),
    "messaging.ask": Scheduled(job=messaging_jobs.ask_for_unknown, cron="*/5 * * * *"),
    "messaging.purge": Scheduled(job=messaging_jobs.purge_old, cron="52 * * * *"),
    "shops.purge_files": Scheduled(job=shop_jobs.purge_files, cron="57 3 * * *"),
    "health.prove_books": Scheduled(job=health_jobs.prove_books, cron="*/10 * * * *"),
    "tills.purge": Scheduled(job=till_jobs.purge_old, cron="42 * * * *"),
    "guard.purge": Scheduled(job=guard_jobs.purge_old_keys, cron="37 * * * *"),
}

PACK_SECTIONS: dict[str, tenancy.PackSection] = {
    "shops": tenancy.PackSection(
        files=re.compile(r"shops\.csv"), read=shops.read_section, apply=shops.apply_section
    ),
    "catalog": tenancy.PackSection(
        files=re.compile(catalog.PACK_FILES),
        read=catalog.read_section,
        apply=catalog.apply_section,
        prepare=catalog.prepare_section,
    ),
    "programmes": tenancy.PackSection(
        files=re.compile(r"programmes/[^/]+\.toml"),
        read=programmes.read_section,
        apply=programmes.apply_section,
    ),
    "gifts": tenancy.PackSection(
        files=re.compile(r"gifts\.toml"), read=gifts.read_section, apply=gifts.apply_section
    ),
    "print": tenancy.PackSection(
        files=re.compile(r"print/[a-z0-9_]+/[^/]+"), read=printing.read_section
    ),
    "letters": tenancy.PackSection(
        files=messaging.SECTION_FILES,
        read=messaging.read_section,
        apply=messaging.apply_section,
    ),
    "people": tenancy.PackSection(
        files=re.compile(r"people\.toml"),
        read=partial(
            tenancy.read_people,
            roles=tuple(identity.ROLES),
            shop_roles=tuple(identity.SHOP_ROLES),
        ),
    ),
}


def _picture_of(_tenant_id: UUID, name: str) -> bytes | None:
    """Return the picture of a design for a mail; None if there is none of that name any more."""
    try:
        return designs.picture_png(name, MAIL_PICTURE_WIDTH_PX)
    except designs.DesignNotFound:
        return None


def bootstrap(settings: Settings) -> None:
    """Give this process its database, its keys, its limits and its wiring.

    Raises: KeyUnreadable, SettingsError.
    """
    identity.bind_issuer(settings.issuer)
    identity.bind_trusted_issuers(settings.trusted_issuers_file, ours=settings.issuer)
    identity.bind_rotation(settings.keys_rotated_every_days)
    identity.bind_inner_hosts(settings.inner_hosts)
    identity.bind_endings(tills.end_clerks_of)
    bind_database(settings)
    tenancy.bind_kek(load_kek(settings.kek_path))
    guard.bind_redis(settings.redis_url)
    coupons.bind_print_shop(settings)
    gifts.bind_links(settings)
    gifts.bind_press(settings)
    shops.bind_files(open_files(settings))
    catalog.bind_files(open_files(settings))
    messaging.bind_providers(settings)
    messaging.bind_pictures(_picture_of)
    events.subscribe(SUBSCRIPTIONS)
