"""Money: whole minor units of a unit of account, never a fraction and never a float."""

from __future__ import annotations

from dataclasses import dataclass

from giftpad.kernel.errors import Invalid

AMOUNT_MINOR_MAX = 2**53 - 1
"""The largest amount; every JSON reader can hold it exactly."""


class UnknownUnit(Invalid):
    """A unit of account that Giftpad does not know."""

    code = "unit.unknown"
    sentence = "There is no unit of account called {unit}."


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of account: ``code`` as in ISO 4217 or of our own; ``scale`` decimal places."""

    code: str
    scale: int


UNITS = {unit.code: unit for unit in (Unit("JPY", 0), Unit("EUR", 2), Unit("USD", 2))}


def get_unit(code: str) -> Unit:
    """Return the unit called ``code``.

    Raises: UnknownUnit.
    """
    try:
        return UNITS[code]
    except KeyError:
        raise UnknownUnit(unit=code) from None


def split_evenly(total_minor: int, parts: int) -> list[int]:
    """Share ``total_minor`` out in parts that differ by at most one and sum exactly.

    >>> split_evenly(1000, 3)
    [334, 333, 333]
    """
    assert total_minor >= 0
    assert parts > 0
    share, left_over = divmod(total_minor, parts)
    return [share + 1] * left_over + [share] * (parts - left_over)
