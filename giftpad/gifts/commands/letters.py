"""What is written to recipients: the invitation, a reminder, what became of their claim."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa

from giftpad import designs, messaging, programmes, tenancy
from giftpad.gifts.adapters import build_address, build_link
from giftpad.gifts.errors import OrderIncomplete, OrderNotFound
from giftpad.gifts.models import BalanceRow, ClaimRow, GiftRow, OrderRow
from giftpad.gifts.queries.contracts import get_contract, get_leaving
from giftpad.gifts.queries.last_days import find_last_day
from giftpad.gifts.queries.letters import last_day, open_person
from giftpad.gifts.rules.addresses import Address
from giftpad.gifts.rules.contracts import MAIL
from giftpad.gifts.rules.gifts import INVITATION, QUEUED, REMINDER
from giftpad.gifts.rules.orders import BALANCE, OrderDraft
from giftpad.gifts.rules.shipping import GOODS
from giftpad.kernel.i18n import format_amount
from giftpad.kernel.work import Work

BALANCE_LETTERS = {INVITATION: "gift_balance_invitation", REMINDER: "gift_balance_reminder"}
"""What is written instead of a letter where the gift is an amount."""
KEPT = "gift_kept"
SAMPLE_PATH = "/g/..."
RECEIVED, SHIPPED, CHOOSE_AGAIN = "gift_received", "gift_shipped", "gift_choose_again"


def link_of(order: OrderRow, gift: GiftRow) -> str:
    """Return the address that opens a gift."""
    assert order.kid is not None
    return build_link(gift.tenant_id, order.kid, gift.locator)


def _last_day(gift: GiftRow) -> date:
    return last_day(gift.ends_at, tenancy.get_tenant(gift.tenant_id).zone)


def invite(
    work: Work, order: OrderRow, gifts: Sequence[GiftRow], *, template: str = INVITATION
) -> datetime:
    """Send gifts to those they are for; all leave when, and only when, ``work`` commits.

    Return when they leave at the earliest; from then on counts the pause before the next one.
    A reminder changes nothing of how the letter went: that has arrived, or there were none.
    Raises: ChannelMissing.
    """
    order.run_id = run_of(work, order)
    leaves_at = get_leaving(work, order.run_id).at
    letters = [_invitation(order, gift, template) for gift in gifts]
    message_ids = messaging.send_many(work, letters)
    if message_ids:
        work.session.execute(
            _NOTE_MESSAGES,
            {
                "tenant": work.tenant_id,
                "gifts": [gift.id for gift in gifts],
                "messages": message_ids,
                "queued": None if template == REMINDER else QUEUED,
                "at": leaves_at,
            },
        )
    return leaves_at


_NOTE_MESSAGES = sa.text("""
    UPDATE gifts g SET message_id = n.message_id,
        delivery = coalesce(CAST(:queued AS text), g.delivery), queued_at = :at
    FROM unnest(CAST(:gifts AS uuid[]), CAST(:messages AS uuid[])) AS n (gift_id, message_id)
    WHERE g.tenant_id = :tenant AND g.id = n.gift_id
""")


def run_of(work: Work, order: OrderRow) -> UUID:
    """Return the run that counts the letters of an order; a gift can outlive its first one.

    Locks: the order, where it has none: two who begin one would leave one that nobody can pause.
    """
    if (known := _find_run(work, order)) is not None:
        return known
    work.session.flush()
    work.session.refresh(order, with_for_update=True)
    if (known := _find_run(work, order)) is not None:
        return known
    name, agreed = f"{order.number} {order.title}", get_contract(work)
    quiet = agreed.quiet_from, agreed.quiet_until
    return messaging.open_run(work, name=name, reference=order.id, quiet=quiet)


def _find_run(work: Work, order: OrderRow) -> UUID | None:
    is_there = order.run_id is not None and messaging.has_run(work, order.run_id)
    return order.run_id if is_there else None


def hold_run(work: Work, order: OrderRow) -> None:
    """Hold the run of an order's letters, for whoever writes one after taking locators.

    Locators are taken last by everybody, so that nothing is waited for while one has them.
    Locks: the run.
    """
    order.run_id = run_of(work, order)
    messaging.lock_run(work, order.run_id)


def _colours(order: OrderRow) -> dict[str, str]:
    design = designs.get_design(order.design)
    return {name: getattr(design, name).lower() for name in ("paper", "ink", "band")}


def _invitation(order: OrderRow, gift: GiftRow, template: str) -> messaging.Message:
    person = open_person(gift)
    send_before = (
        gift.ends_at if template == REMINDER else None
    )  # then nothing is left to remind of
    values: dict[str, str | date] = {
        "recipient": person["name"],
        "sender": order.sender_name,
        "title": order.title,
        "link": link_of(order, gift),
        "until_day": _last_day(gift),
        **_colours(order),
    }
    if template == INVITATION and gift.channel == MAIL:
        values["message"] = "\n\n".join(filter(None, [person["note"], order.message]))
    if order.kind == BALANCE:
        template = BALANCE_LETTERS[template]
        values["balance"] = format_amount(gift.left_minor, order.unit, gift.locale)
    return messaging.Message(
        template=template,
        to=person["address"],
        values=values,
        locale=gift.locale,
        channel=gift.channel,
        send_before=send_before,
        is_bulk=True,
        run_id=order.run_id,
        reference=gift.id,
        sender_name=order.sender_name,
        picture=order.design,
    )


def send_sample(work: Work, order_id: UUID, *, to: str, name: str, path: str) -> None:
    """Send the letter of an order to whoever prepares it; it opens ``path`` and no gift.

    Raises: OrderNotFound, OrderIncomplete, ChannelMissing.
    """
    order = work.session.get(OrderRow, (work.tenant_id, order_id))
    if order is None:
        raise OrderNotFound
    for missing in ("title", "design", "sender_name", "message"):
        if not getattr(order, missing):
            raise OrderIncomplete(missing=missing)
    until_day = find_last_day(work, order_id)
    sample = _sample(order, unit=order.unit, name=name, until_day=until_day, path=path)
    messaging.send(work, replace(sample, to=to))


def write_sample(
    work: Work, draft: OrderDraft, *, unit: str, name: str, until_day: date
) -> messaging.Written:
    """Return the mail of an order as it is drafted, in the tenant's own words where it has them.

    Raises: ValuesUnfit.
    """
    return messaging.preview(work, _sample(draft, unit=unit, name=name, until_day=until_day))


def _sample(
    said: OrderRow | OrderDraft, *, unit: str, name: str, until_day: date, path: str = SAMPLE_PATH
) -> messaging.Message:
    values: dict[str, str | date] = {
        "recipient": name,
        "sender": said.sender_name,
        "title": said.title,
        "message": said.message,
        "link": build_address(path),
        "until_day": until_day,
    }
    template = INVITATION
    if said.kind == BALANCE:
        template = BALANCE_LETTERS[INVITATION]
        values["balance"] = format_amount(said.amount_minor or 0, unit, said.locale)
    return messaging.Message(
        template=template,
        to="",
        values=values,
        locale=said.locale,
        sender_name=said.sender_name,
        picture=said.design,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedGift:
    """A gift with what was claimed, and where it goes: what letters about it are written from."""

    order: OrderRow
    gift: GiftRow
    claim: ClaimRow
    to: Address


def tell_claimed(work: Work, about: ClaimedGift) -> None:
    """Confirm to a recipient what they chose, if they gave an address for it.

    What travels in no parcel goes nowhere and leaves on no day.
    """
    values: dict[str, str | date] = {"number": about.claim.number}
    if about.claim.kind == GOODS:
        values["address"] = _written(about.to)
        if about.claim.expected_on is not None:
            values["expected_day"] = about.claim.expected_on
    _tell(work, about, RECEIVED, values=values)


def _written(to: Address) -> str:
    """Write an address as it stands on a parcel."""
    lines = (f"〒{to.postcode[:3]}-{to.postcode[3:]}", f"{to.prefecture}{to.city}{to.street}")
    return "\n".join(filter(None, (*lines, to.building, to.name)))


def tell_bought(work: Work, about: ClaimedGift, rows: Sequence[ClaimRow]) -> None:
    """Confirm to a recipient all that a balance has bought, in one letter."""
    locale = about.gift.locale
    values: dict[str, str | date] = {
        "number": ", ".join(row.number for row in rows),
        "product": ", ".join(_product(row, locale) for row in rows),
    }
    if any(row.kind == GOODS for row in rows):
        values["address"] = _written(about.to)
    _tell(work, about, RECEIVED, values=values)


def tell_kept(work: Work, order: OrderRow, gift: GiftRow, kept: BalanceRow) -> None:
    """Confirm to a recipient what they keep, at the address their gift came to."""
    person = open_person(gift)
    if gift.channel != MAIL or not person["address"] or not messaging.can_send(MAIL):
        return
    programme = programmes.get_programme(work, kept.programme_id)
    messaging.send(
        work,
        messaging.Message(
            template=KEPT,
            to=person["address"],
            values={
                "recipient": person["name"],
                "sender": order.sender_name,
                "balance": format_amount(kept.amount_minor, order.unit, gift.locale),
                "programme": programme.names.get(gift.locale) or programme.slug,
                "number": kept.serial,
                "link": link_of(order, gift),
                "until_day": kept.ends_on,
                **_colours(order),
            },
            locale=gift.locale,
            sender_name=order.sender_name,
            picture=order.design,
        ),
    )


def tell_shipped(work: Work, about: ClaimedGift) -> None:
    """Tell a recipient that a parcel is on its way, if they gave an address for it."""
    values = {
        "number": about.claim.number,
        "carrier": about.claim.carrier,
        "tracking": about.claim.tracking,
    }
    _tell(work, about, SHIPPED, values=values)


def ask_again(work: Work, about: ClaimedGift) -> None:
    """Ask a recipient to choose once more, by the address of the claim, or that of the gift."""
    _tell(work, about, CHOOSE_AGAIN, values={"until_day": _last_day(about.gift)})


PRODUCT_LENGTH_MAX = 100
"""A product and what is special about its variant can be longer together than a letter takes."""


def _shortened(name: str) -> str:
    return name if len(name) <= PRODUCT_LENGTH_MAX else name[: PRODUCT_LENGTH_MAX - 1] + "…"


def _product(row: ClaimRow, locale: str) -> str:
    names: Mapping[str, str] = row.product["names"]
    return _shortened(names.get(locale) or next(iter(names.values())))


def _tell(
    work: Work, about: ClaimedGift, template: str, *, values: Mapping[str, str | date]
) -> None:
    gift, order = about.gift, about.order
    person = open_person(gift)
    to = about.to.email or (person["address"] if gift.channel == MAIL else "")
    if not to or not messaging.can_send(MAIL):
        return
    common = {
        # Whoever got a gift that names nobody is called as they call themselves.
        "recipient": person["name"] or about.to.name,
        "sender": order.sender_name,
        "product": _product(about.claim, gift.locale),
        "link": link_of(order, gift),
        **_colours(order),
    }
    messaging.send(
        work,
        messaging.Message(
            template=template,
            to=to,
            values=common | dict(values),
            locale=gift.locale,
            sender_name=order.sender_name,
            picture=order.design,
        ),
    )
