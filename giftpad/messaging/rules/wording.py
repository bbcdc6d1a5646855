"""What a letter is made of: a subject, lines, the values it names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

CODE_LINE, LINK_LINE, MESSAGE_LINE = "{code}", "{link}", "{message}"
BOUND_LINE = "@{host} #{code}"
"""The last line of a message with a code: browsers fill the code in on this host alone.

Source: the origin-bound one-time code format of the WICG.
"""
_NAME = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One template: its subject, its lines, the kind of each value, its lines as an SMS.

    A value of ``optional`` may be left out, and with it each line that names it.  A tenant's own
    wording must name all of ``needs``.  ``button`` is what the address is called in a mail with
    pictures.  ``may_be_stopped``: whoever gets it in bulk can say that they want no more.
    """

    subject: str
    lines: tuple[str, ...]
    values: Mapping[str, str]
    sms: tuple[str, ...] = ()
    optional: frozenset[str] = frozenset()
    needs: tuple[str, ...] = ()
    button: str = ""
    is_code: bool = False
    may_be_stopped: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """A tenant's own words for one letter in one language."""

    subject: str
    lines: tuple[str, ...]
    sms: tuple[str, ...] = ()


def names_in(text: str) -> set[str]:
    """Return the values that a line names.

    >>> sorted(names_in("{sender} until {until_day}"))
    ['sender', 'until_day']
    """
    return set(_NAME.findall(text))


def has_stray_brace(text: str) -> bool:
    """Whether a line holds a brace that belongs to no name.

    >>> has_stray_brace("{link"), has_stray_brace("{link}")
    (True, False)
    """
    return bool(set(_NAME.sub("", text)) & set("{}"))
