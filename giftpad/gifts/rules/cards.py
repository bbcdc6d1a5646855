"""Printed cards and letters: what stands on one, and how a file of them stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from uuid import UUID

from babel.dates import format_date

from giftpad.gifts.rules.contracts import CARD, LETTER
from giftpad.gifts.rules.postal import shown_postcode
from giftpad.kernel.i18n import mark, translate

DUE, PRINTING, READY = "due", "printing", "ready"
FAILED, GONE = "failed", "gone"
PRINT_STATES = (DUE, PRINTING, READY, FAILED, GONE)
"""A file that is gone was kept long enough; it can be printed again."""
TEMPLATES: Mapping[str, str] = {CARD: "gift_card_a4_8up", LETTER: "gift_letter_a4"}
BLEEDS = (CARD,)
"""What is cut out of its sheet, so that its art goes beyond the cut."""
CARDS_MAX = 400
"""Cards of one file."""
LETTERS_MAX = 200
"""Letters of one file, each a sheet."""
KEPT = timedelta(days=30)
HONORIFICS: Mapping[str, str] = {"ja": "{name} 様", "en": "{name}"}
FROM = mark("From {sender}")
HOW = mark("Read the code with a phone: a letter opens, and you choose your gift.")
UNTIL = mark("Until {day}")
LETTER_TITLE = mark("A gift for you from {sender}")
LETTER_HOW = mark("How to choose your gift")
LETTER_STEPS = (
    mark("1. Point the camera of a smartphone at the square on the left."),
    mark("2. Press the line that appears. A letter opens."),
    mark("3. Choose one thing and say where it goes. It costs you nothing."),
)
LETTER_UNTIL = mark("Please choose until {day}.")
LETTER_HELP = mark("Need help? {office}, telephone {phone}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One card or letter: its number, the text of its QR, and what else stands on it alone."""

    serial: str
    qr: str = field(repr=False)
    words: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CardTask:
    """One attempt at one file: all that is needed once no transaction is open."""

    tenant_id: UUID
    print_id: UUID
    order_id: UUID
    file_id: UUID
    stale_file_id: UUID | None
    kind: str
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


def letter_face_of(
    sender: str, message: str, until: date, *, accent: str, locale: str, office: str, phone: str
) -> dict[str, str]:
    """Return what stands on every letter of an order."""
    steps = {
        f"step_{number}": translate(step, locale) for number, step in enumerate(LETTER_STEPS, 1)
    }
    day = format_date(until, "long", locale=locale)
    return steps | {
        "sender": sender,
        "title": translate(LETTER_TITLE, locale, sender=sender),
        "message": message,
        "how_title": translate(LETTER_HOW, locale),
        "until": translate(LETTER_UNTIL, locale, day=day),
        "help": translate(LETTER_HELP, locale, office=office, phone=phone) if phone else "",
        "accent": accent,
    }


def card_words(person: Mapping[str, str], locale: str) -> dict[str, str]:
    """Return what stands on one card alone."""
    return {"recipient": HONORIFICS[locale].format(name=person["name"])}


def letter_words(person: Mapping[str, str], locale: str) -> dict[str, str]:
    """Return what stands on one letter alone: the block in its window, and a word for its person.

    Whose address is forgotten has none, and such a letter is not printed.
    """
    whole = "".join(person.get(part, "") for part in ("prefecture", "city", "street"))
    return {
        "postcode": shown_postcode(person.get("postcode", "")),
        "address": "\n".join(filter(None, (whole, person.get("building", "")))),
        "name": HONORIFICS[locale].format(name=person["name"]),
        "note": person["note"],
    }


def card_serial(order_number: int, number: int) -> str:
    """Return the number of a card; it finds a gift at the desk and opens nothing.

    >>> card_serial(12, 7)
    '12-0007'
    """
    return f"{order_number}-{number:04d}"
