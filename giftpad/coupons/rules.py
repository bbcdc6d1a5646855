"""What holds for batches, serials and states, as pure functions and values."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

from giftpad.kernel.codes import DASHES

QUANTITY_MAX = 1_000_000
CHUNK_COUNT_MAX = 50_000
VOLUME_COUNT_MAX = 10_000
RANGE_COUNT_MAX = 1_000_000
REASON_LENGTH_MAX = 500
SERIAL_DIGITS = 7
"""Digits a serial is filled up to; the first 9,999,999 of a programme sort as text."""

REPLACEMENT_TEMPLATE = "coupon_single"

ORDERED: Final = "ordered"
ISSUING: Final = "issuing"
PRINTING: Final = "printing"
VERIFYING: Final = "verifying"
READY: Final = "ready"
RELEASED: Final = "released"
FAILED: Final = "failed"
BATCH_STATES = (ORDERED, ISSUING, PRINTING, VERIFYING, READY, RELEASED, FAILED)

DUE: Final = "due"
RUNNING: Final = "running"
DONE: Final = "done"
CHUNK_STATES = (DUE, RUNNING, DONE)
VOLUME_STATES = (DUE, PRINTING, VERIFYING, READY, FAILED)

ISSUED: Final = "issued"
ACTIVE: Final = "active"
BLOCKED: Final = "blocked"
REPLACED: Final = "replaced"
EXPIRED: Final = "expired"

_TO_DASH = {ord(dash): "-" for dash in DASHES}
_SERIALS = (re.compile(r"([A-Z][A-Z0-9]*)-0*([0-9]{1,15})"), re.compile(r"([A-Z]+)0*([0-9]{1,15})"))


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchOrder:
    """What somebody who orders a batch decides; without ``template`` the programme's is used."""

    programme_id: UUID
    quantity: int
    face_value_minor: int
    template: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A run of consecutive coupons of one batch: the ``number``-th, from ``serial_first`` on."""

    number: int
    serial_first: int
    quantity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many coupons of a batch have come how far."""

    issued: int
    printed: int
    verified: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeView:
    """One print file of a batch."""

    number: int
    state: str
    serial_first: str
    serial_last: str
    quantity: int
    page_count: int | None
    size_bytes: int | None
    sha256: str | None
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchView:
    """A batch of coupons as it is shown."""

    id: UUID
    programme_id: UUID
    state: str
    quantity: int
    face_value_minor: int
    unit: str
    template: str
    serial_first: str
    serial_last: str
    issued_on: date
    starts_on: date
    ends_on: date
    counts: Counts
    progress: float
    volumes: tuple[VolumeView, ...]
    failure_code: str | None
    failure_text: str | None
    created_at: datetime
    released_at: datetime | None
    expired_at: datetime | None
    print_destroyed_at: datetime | None
    replaces: str | None
    stands_since: datetime | None = None
    """Since when nothing has moved although work is under way; None while it moves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestLine:
    """What a list of a batch says of one coupon; nothing in it spends."""

    serial: str
    face_value_minor: int
    unit: str
    issued_on: date
    ends_on: date


def split(serial_first: int, quantity: int, part_max: int) -> Iterator[Part]:
    """Cut a run of coupons into parts of ``part_max``; only the last may be shorter.

    >>> [(p.number, p.serial_first, p.quantity) for p in split(11, 5, 2)]
    [(1, 11, 2), (2, 13, 2), (3, 15, 1)]
    """
    for index, offset in enumerate(range(0, quantity, part_max)):
        yield Part(
            number=index + 1,
            serial_first=serial_first + offset,
            quantity=min(part_max, quantity - offset),
        )


def format_serial(prefix: str, number: int) -> str:
    """Write a serial as it is printed.

    >>> format_serial("MC", 42)
    'MC-0000042'
    """
    return f"{prefix}-{number:0{SERIAL_DIGITS}d}"


def parse_serial(text: str) -> tuple[str, int] | None:
    """Read prefix and number of a serial; width, case, spaces, dashes and zeros do not matter.

    >>> parse_serial(" mc - 42 ")
    ('MC', 42)
    """
    folded = unicodedata.normalize("NFKC", text.translate(_TO_DASH)).upper()
    folded = "".join(symbol for symbol in folded if not symbol.isspace())
    for pattern in _SERIALS:
        if match := pattern.fullmatch(folded):
            return match[1], int(match[2])
    return None


def progress(quantity: int, counts: Counts) -> float:
    """Return how far a batch has come, 0 to 1: issuing, printing and checking are a third each.

    >>> progress(10, Counts(issued=10, printed=5, verified=0))
    0.5
    """
    return round((counts.issued + counts.printed + counts.verified) / (3 * quantity), 4)


def state_of_coupon(
    alias_state: str, *, released_at: datetime | None, ends_at: datetime, now: datetime
) -> str:
    """Return the state that a coupon is shown in; what can never be undone comes first."""
    if alias_state == REPLACED:
        return REPLACED
    if now >= ends_at:
        return EXPIRED
    if alias_state == BLOCKED:
        return BLOCKED
    return ISSUED if released_at is None else ACTIVE


def state_of_print(volume_states: list[str]) -> str:
    """Return the state of a batch whose volumes are in these states."""
    if FAILED in volume_states:
        return FAILED
    if all(state == READY for state in volume_states):
        return READY
    return PRINTING if DUE in volume_states or PRINTING in volume_states else VERIFYING
