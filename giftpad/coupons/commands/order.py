"""Ordering a batch."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from uuid import UUID

from babel.dates import format_date

from giftpad import audit, events
from giftpad.coupons.adapters.press import draw_specimen, try_face
from giftpad.coupons.commands.opening import Plan, open_batch
from giftpad.coupons.errors import BadFaceValue, BadQuantity
from giftpad.coupons.events import BatchOrdered, ChunkDue
from giftpad.coupons.models import CouponChunk
from giftpad.coupons.models.finding import find_next_due
from giftpad.coupons.rules import ORDERED, QUANTITY_MAX, REPLACEMENT_TEMPLATE, BatchOrder
from giftpad.kernel.clock import local_date
from giftpad.kernel.i18n import format_amount
from giftpad.kernel.work import Work
from giftpad.programmes import Programme, coupon_validity, get_programme
from giftpad.tenancy import Tenant, get_tenant

SPECIMEN_VALUE_MINOR = 1000


def order_batch(work: Work, order: BatchOrder) -> UUID:
    """Order a batch of coupons and return its id; issuing and printing follow by themselves.

    What cannot be printed is refused here, by the character or the text that does not go.
    Locks: the programme's serials, the tenant's locators.
    Raises: ProgrammeNotFound, ProgrammeOver, BadQuantity, BadFaceValue, UnknownTemplate,
        MissingGlyph, TextTooLong, MissingField.
    Publishes: coupon_batch.ordered_v1, coupon_chunk.due_v1 of the first chunk.
    """
    programme = get_programme(work, order.programme_id)
    tenant = get_tenant(work.tenant_id)
    issued_on = local_date(work.at, tenant.zone)
    _check(order, programme)
    starts_on, ends_on = coupon_validity(programme, issued_on)
    face = dated_face(programme, tenant, order.face_value_minor, days=(issued_on, ends_on))
    template = order.template or programme.template
    order = replace(order, template=template)
    # The successor of a lost coupon says the same, so it must fit that template as well.
    for name in {template, REPLACEMENT_TEMPLATE}:
        try_face(work.tenant_id, name, face, prefix=programme.serial_prefix)
    opened = open_batch(
        work,
        Plan(
            programme_id=programme.id,
            prefix=programme.serial_prefix,
            quantity=order.quantity,
            face_value_minor=order.face_value_minor,
            unit=programme.unit,
            template=template,
            face=face,
            issued_on=issued_on,
            starts_on=starts_on,
            ends_on=ends_on,
            state=ORDERED,
        ),
    )
    _tell(work, order, opened.batch_id)
    return opened.batch_id


def dated_face(
    programme: Programme, tenant: Tenant, face_value_minor: int, *, days: tuple[date, date]
) -> dict[str, str]:
    """Return what stands on every coupon, with the day of its issue and its last day."""
    face = face_of(programme, tenant, face_value_minor)
    for name, day in zip(("issued_on", "expires_on"), days, strict=True):
        face[name] = format_date(day, "long", locale=tenant.locale)
    return face


def specimen(work: Work, programme_id: UUID, *, face_value_minor: int | None = None) -> bytes:
    """Draw a page of a programme's coupons as they would look if ordered today, as a PNG.

    Nothing on it spends.  Without a face value it is an allowed one near 1,000.
    Raises: ProgrammeNotFound, ProgrammeOver; as ``printing.render``.
    """
    programme = get_programme(work, programme_id)
    tenant = get_tenant(work.tenant_id)
    issued_on = local_date(work.at, tenant.zone)
    _, ends_on = coupon_validity(programme, issued_on)
    least, most = programme.face_value_min_minor, programme.face_value_max_minor
    value = min(max(face_value_minor or SPECIMEN_VALUE_MINOR, least), most)
    face = dated_face(programme, tenant, value, days=(issued_on, ends_on))
    return draw_specimen(work.tenant_id, programme.template, face, prefix=programme.serial_prefix)


def _check(order: BatchOrder, programme: Programme) -> None:
    most = min(QUANTITY_MAX, programme.quantity_max)
    if not 1 <= order.quantity <= most:
        raise BadQuantity(quantity_min=1, quantity_max=most)
    least, most = programme.face_value_min_minor, programme.face_value_max_minor
    if not least <= order.face_value_minor <= most:
        raise BadFaceValue(
            face_value_min_minor=least, face_value_max_minor=most, unit=programme.unit
        )


def face_of(programme: Programme, tenant: Tenant, face_value_minor: int) -> dict[str, str]:
    """Return what stands on every coupon of a batch, in the tenant's language."""
    locale = tenant.locale
    office = tenant.contact.offices.get(locale, tenant.name)
    return {
        "programme_name": programme.names[locale],
        "issuer_name": tenant.name,
        "face_value": format_amount(face_value_minor, programme.unit, locale),
        # One running text, because the box of a template may hold fewer lines than the pack has.
        "notes": " ".join(programme.face_text.get(locale, ())),
        "contact": " ".join(part for part in (office, tenant.contact.phone) if part),
    }


def _tell(work: Work, order: BatchOrder, batch_id: UUID) -> None:
    chunk_id = find_next_due(work, CouponChunk, batch_id)
    assert chunk_id is not None
    events.publish(
        work,
        BatchOrdered(
            object_id=batch_id,
            programme_id=order.programme_id,
            quantity=order.quantity,
            face_value_minor=order.face_value_minor,
        ),
    )
    events.publish(work, ChunkDue(object_id=chunk_id, batch_id=batch_id))
    audit.record(
        work,
        action="coupon_batch.ordered",
        subject=f"coupon_batch:{batch_id}",
        details={
            "programme_id": str(order.programme_id),
            "quantity": order.quantity,
            "face_value_minor": order.face_value_minor,
            "template": order.template,
        },
    )
