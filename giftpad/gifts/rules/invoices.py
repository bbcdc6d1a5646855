"""What an invoice for gifts says: its lines, its totals by rate, what of it carries tax.

Hides: how tax is taken out of a sum that holds it.  All of it is worked out once, kept, and only
written down again afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any
from uuid import UUID

VALUE, FEE = "value", "fee"
OUTSIDE, EXEMPT, TAXED = "outside", "exempt", "taxed"
VALUE_TAXES = (OUTSIDE, EXEMPT)
"""How the value of a gift stands to consumption tax: money that is only held, or a voucher."""
FROM_DEPOSIT, FROM_DEPOSIT_OR_CREDIT = "deposit", "deposit_or_credit"
PERCENT = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceLine:
    """One line: what for, how many, at what price; ``percent`` is 0 where there is no tax.

    ``channel`` is empty for the value of gifts, and for fees that are told only together.
    """

    what: str
    channel: str
    count: int
    each_minor: int
    amount_minor: int
    tax: str
    percent: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RateTotal:
    """All that one rate is on, tax included, and the tax in it."""

    percent: int
    amount_minor: int
    tax_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """Who issues an invoice, or who is billed; ``registration_number`` only of an issuer."""

    name: str
    address: str = ""
    contact: str = ""
    registration_number: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoice:
    """An invoice as it was drawn up; nothing in it ever changes."""

    order_id: UUID
    number: str
    issued_on: date
    order_number: int
    order_title: str
    issuer: Party
    billed: Party
    unit: str
    lines: tuple[InvoiceLine, ...]
    rates: tuple[RateTotal, ...]
    untaxed_minor: int
    total_minor: int
    value_tax: str
    paid: str

    @property
    def is_qualified(self) -> bool:
        """Whether it is what the buyer needs for the deduction of input tax."""
        return bool(self.issuer.registration_number)

    def as_json(self) -> dict[str, Any]:
        """Return the invoice as it is kept."""
        kept = asdict(self)
        del kept["order_id"]
        return kept | {"issued_on": self.issued_on.isoformat()}

    @classmethod
    def of(cls, order_id: UUID, kept: Mapping[str, Any]) -> Invoice:
        """Return the invoice that ``as_json`` wrote."""
        return cls(
            **{
                **kept,
                "order_id": order_id,
                "issued_on": date.fromisoformat(kept["issued_on"]),
                "issuer": Party(**kept["issuer"]),
                "billed": Party(**kept["billed"]),
                "lines": tuple(InvoiceLine(**line) for line in kept["lines"]),
                "rates": tuple(RateTotal(**rate) for rate in kept["rates"]),
            }
        )


def tax_within(amount_minor: int, percent: int) -> int:
    """Return the tax that an amount holds, a part of a yen left out.

    >>> tax_within(1100, 10), tax_within(4350, 10)
    (100, 395)
    """
    return amount_minor * percent // (PERCENT + percent)


def rates_of(lines: Sequence[InvoiceLine]) -> tuple[RateTotal, ...]:
    """Add up the taxed lines by rate; a part of a yen is left out once for each rate.

    Source: Enforcement Order of the Consumption Tax Act, article 70-10.

    >>> fees = [InvoiceLine(what="fee", channel=c, count=1, each_minor=105, amount_minor=105,
    ...     tax="taxed", percent=10) for c in ("mail", "sms")]
    >>> [(rate.amount_minor, rate.tax_minor) for rate in rates_of(fees)]
    [(210, 19)]
    """
    sums: dict[int, int] = {}
    for line in lines:
        if line.tax == TAXED:
            sums[line.percent] = sums.get(line.percent, 0) + line.amount_minor
    return tuple(
        RateTotal(percent=percent, amount_minor=amount, tax_minor=tax_within(amount, percent))
        for percent, amount in sorted(sums.items(), reverse=True)
    )


def lines_of(
    *,
    count: int,
    value_minor: int,
    value_tax: str,
    fees_minor: int,
    agreed: Mapping[str, Any] | None,
    fee_percent: int,
) -> tuple[InvoiceLine, ...]:
    """Write the lines of an order: its value, then its fees by channel.

    ``agreed`` holds ``counts`` and ``fees_minor`` by channel as they were at the submission; an
    order that knows them only together has one line of fees.
    """
    lines = [
        InvoiceLine(
            what=VALUE,
            channel="",
            count=count,
            each_minor=value_minor,
            amount_minor=count * value_minor,
            tax=value_tax,
            percent=0,
        )
    ]
    parts = (
        [("", 1, fees_minor)]
        if agreed is None
        else [
            (channel, number, agreed["fees_minor"].get(channel, 0))
            for channel, number in agreed["counts"].items()
        ]
    )
    lines += [
        InvoiceLine(
            what=FEE,
            channel=channel,
            count=number,
            each_minor=each,
            amount_minor=number * each,
            tax=TAXED,
            percent=fee_percent,
        )
        for channel, number, each in parts
        if number * each
    ]
    assert sum(line.amount_minor for line in lines if line.what == FEE) == fees_minor
    return tuple(lines)
