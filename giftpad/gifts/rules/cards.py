"""Printed cards: what stands on one, and how a file of them stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from uuid import UUID

from babel.dates import format_date

from giftpad.kernel.i18n import mark, translate

DUE, PRINTING, READY = "due", "printing", "ready"
FAILED, GONE = "failed", "gone"
PRINT_STATES = (DUE, PRINTING, READY, FAILED, GONE)
"""A file that is gone was kept long enough; it can be printed again."""
TEMPLATE = "gift_card_a4_8up"
CARDS_MAX = 400
"""Cards of one file."""
KEPT = timedelta(days=30)
HONORIFICS: Mapping[str, str] = {"ja": "{name} 様", "en": "{name}"}
FROM = mark("From {sender}")
HOW = mark("Read the code with a phone: a letter opens, and you choose your gift.")
UNTIL = mark("Until {day}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One card: its number, who it is for, and the text of its QR."""

    serial: str
    recipient: str = field(repr=False)
    qr: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CardTask:
    """One attempt at one file: all that is needed once no transaction is open."""

    tenant_id: UUID
    print_id: UUID
    order_id: UUID
    file_id: UUID
    stale_file_id: UUID | None
    design: str
    face: Mapping[str, str]
    cards: tuple[Card, ...] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Printed:
    """How an attempt ended; it failed if there are problems."""

    page_count: int = 0
    size_bytes: int = 0
    sha256: str = ""
    problems: tuple[str, ...] = ()


def face_of(sender: str, until: date, *, accent: str, locale: str) -> dict[str, str]:
    """Return what stands on every card of an order."""
    return {
        "sender": translate(FROM, locale, sender=sender),
        "how": translate(HOW, locale),
        "until": translate(UNTIL, locale, day=format_date(until, "long", locale=locale)),
        "accent": accent,
    }


def card_serial(order_number: int, number: int) -> str:
    """Return the number of a card; it finds a gift at the desk and opens nothing.

    >>> card_serial(12, 7)
    '12-0007'
    """
    return f"{order_number}-{number:04d}"
