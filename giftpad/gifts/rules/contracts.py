"""What a tenant and whoever runs Giftpad have agreed on for gifts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, time
from typing import Any

from giftpad.gifts.rules.invoices import OUTSIDE
from giftpad.messaging import quiet_until

MAIL, SMS, LINK, CARD, LETTER = "mail", "sms", "link", "card", "letter"
CODE = "code"
NAMED = (MAIL, SMS, LINK, CARD, LETTER)
"""Ways to somebody whom an order names."""
CHANNELS = (*NAMED, CODE)
PRINTED = (CARD, LETTER)
HANDED_OVER = (LINK, CODE)
"""Ways on which the sender hands the link over; a code is for whoever gets it, and names nobody."""
FEE_OF = {LETTER: CARD, CODE: LINK}
"""Channels that came later, each with the one whose fee it has where none is agreed for it."""
RETURNED, KEPT = "returned", "kept"
UNCLAIMED = (RETURNED, KEPT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """The terms a tenant orders gifts by.

    ``approve_above_minor``: an order of more than this needs a second person; 0 means every one.
    ``unclaimed``: whether what nobody claims is given back to the tenant.  ``fees_minor`` is what
    one gift costs beside its value, tax included, by channel.  Between ``quiet_from`` and
    ``quiet_until``, in the tenant's zone, nothing is sent.  ``invoicer`` is who issues invoices,
    whose ``registration_number`` is, and ``billing`` who gets them; ``value_tax`` how the value of
    gifts stands on them.
    """

    unit: str
    approve_above_minor: int
    unclaimed: str
    credit_limit_minor: int
    claim_days: int
    claim_days_max: int
    fees_minor: Mapping[str, int]
    fee_tax_percent: int
    quiet_from: time = time(21)
    quiet_until: time = time(8)
    resend_max: int = 2
    registration_number: str = ""
    billing: Mapping[str, str] = field(default_factory=dict)
    invoicer: Mapping[str, str] = field(default_factory=dict)
    value_tax: str = OUTSIDE

    def fee_of(self, channel: str) -> int:
        """Return the fee of a channel.

        Where none is agreed for letters it is that of cards, and for codes that of links.
        """
        alike = FEE_OF.get(channel, channel)
        return self.fees_minor.get(channel, self.fees_minor.get(alike, 0))

    def as_json(self) -> dict[str, Any]:
        """Return the contract as it is kept."""
        kept = asdict(self)
        kept["quiet_from"], kept["quiet_until"] = (
            self.quiet_from.isoformat("minutes"),
            self.quiet_until.isoformat("minutes"),
        )
        return kept

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> Contract:
        """Return the contract that ``as_json`` wrote."""
        return cls(
            **{
                **kept,
                "quiet_from": time.fromisoformat(kept["quiet_from"]),
                "quiet_until": time.fromisoformat(kept["quiet_until"]),
            }
        )


def next_loud(at: datetime, contract: Contract, zone: str) -> datetime:
    """Return ``at``, or the end of the quiet hours that it falls into.

    >>> from datetime import UTC
    >>> agreed = Contract(unit="JPY", approve_above_minor=0, unclaimed=KEPT, credit_limit_minor=0,
    ...     claim_days=90, claim_days_max=180, fees_minor={}, fee_tax_percent=10)
    >>> next_loud(datetime(2026, 11, 22, 13, 30, tzinfo=UTC), agreed, "Asia/Tokyo").isoformat()
    '2026-11-22T23:00:00+00:00'
    """
    return quiet_until(at, contract.quiet_from, contract.quiet_until, zone) or at


def corporate_check_digit(digits: str) -> int:
    """Return the check digit of the twelve digits that follow it in a corporate number.

    Source: Ordinance on the designation of corporate numbers, article 2.

    >>> corporate_check_digit("700110005901")
    8
    """
    weights = (1, 2)
    total = sum(int(digit) * weights[at % 2] for at, digit in enumerate(reversed(digits)))
    return 9 - total % 9


REGISTRATION_LENGTH = 14


def is_registration_number(text: str) -> bool:
    """Whether this can be the T-number of a company: T, a check digit, twelve digits."""
    digits = text[1:]
    return (
        len(text) == REGISTRATION_LENGTH
        and text.startswith("T")
        and digits.isascii()
        and digits.isdigit()
        and int(digits[0]) == corporate_check_digit(digits[1:])
    )
