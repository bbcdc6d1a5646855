"""Tablets of shops and the PINs on them: how long they are good, which PINs are none."""

from __future__ import annotations

import re
import unicodedata
from itertools import pairwise

from giftpad.tills.errors import PinTrivial, PinUnfit

KEEPING_TILLS = "tills:manage"
"""What whoever connects tablets and sets PINs must be allowed."""
PAIRING_LIFE_S = 600
TERMINAL_LIFE_S = 365 * 24 * 3600
TERMINAL_IDLE_S = 60 * 24 * 3600
TERMINAL_LEEWAY_S = 10
"""How long after its exchange the last secret of a tablet may be shown without another exchange."""
TERMINALS_MAX = 20
CLERKS_MAX = 50
PIN_LENGTH_MIN, PIN_LENGTH_MAX = 4, 6
PIN_FAILURES_MAX = 5
TILL_LOCKED_AFTER_S = 600
"""How long a tablet stays open for a clerk without being touched."""
TILL_OPEN_MAX_S = 12 * 3600
"""How long a clerk stays at a tablet before the PIN is asked for anew, touched or not."""
TILL_ROLE = "clerk"
"""What whoever types a PIN may do, whatever else they may do by a password."""
_PIN = re.compile(rf"[0-9]{{{PIN_LENGTH_MIN},{PIN_LENGTH_MAX}}}")
_COLUMNS = frozenset({"2580", "0852", "1470", "0741", "3690", "0963"})
"""The columns of keys, down and up."""


def normalise_pin(text: str) -> str:
    """Return the form of a PIN that is hashed: digits, however they were typed."""
    return unicodedata.normalize("NFKC", text[:40]).strip()


def check_pin(text: str) -> str:
    """Return the normalised form of a new PIN.

    Raises: PinUnfit, PinTrivial.
    """
    pin = normalise_pin(text)
    if not _PIN.fullmatch(pin):
        raise PinUnfit(least=PIN_LENGTH_MIN, most=PIN_LENGTH_MAX)
    if is_trivial(pin):
        raise PinTrivial
    return pin


def is_trivial(pin: str) -> bool:
    """Whether a PIN is among the first that whoever guesses tries.

    >>> [pin for pin in ("1234", "0000", "1212", "901234", "2580", "4071") if is_trivial(pin)]
    ['1234', '0000', '1212', '901234', '2580']
    """
    steps = {(int(after) - int(before)) % 10 for before, after in pairwise(pin)}
    is_row = steps in ({0}, {1}, {9})
    period = next(n for n in range(1, len(pin) + 1) if pin == (pin[:n] * len(pin))[: len(pin)])
    repeats = 2 * period <= len(pin)
    pairs = len(pin) % 2 == 0 and all(pin[at] == pin[at + 1] for at in range(0, len(pin), 2))
    return is_row or repeats or pairs or pin in _COLUMNS
