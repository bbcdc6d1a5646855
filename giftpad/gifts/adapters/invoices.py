"""Drawing an invoice on paper, in the reader's language; its numbers are those that were kept.

Hides: the print template.  A tenant's own templates are not asked: it is billed, not the issuer.
"""

from __future__ import annotations

import io

from giftpad import printing
from giftpad.gifts.rules.invoices import (
    EXEMPT,
    FEE,
    FROM_DEPOSIT_OR_CREDIT,
    OUTSIDE,
    TAXED,
    Invoice,
    InvoiceLine,
)
from giftpad.kernel.i18n import format_amount, mark, translate

TEMPLATE = "gift_invoice_a4"
LINES_MAX = 9
"""Lines the paper has room for: the value and a fee for every channel there may be."""
WHAT = {
    "": mark("Fees for sending"),
    "mail": mark("Fee for gifts by mail"),
    "sms": mark("Fee for gifts by SMS"),
    "link": mark("Fee for gifts by link"),
    "card": mark("Fee for gifts on printed cards"),
    "letter": mark("Fee for gifts by printed letter"),
    "code": mark("Fee for codes without names"),
}
VALUE_WORDS = mark("Value of gifts")
TAX_WORDS = {OUTSIDE: mark("not taxed"), EXEMPT: mark("exempt")}
SUM_WORDS = {
    OUTSIDE: mark("Not subject to consumption tax"),
    EXEMPT: mark("Exempt from consumption tax"),
}
HEADS = {
    "what": mark("What for"),
    "count": mark("Quantity"),
    "each": mark("Price of one"),
    "tax": mark("Tax"),
    "amount": mark("Amount"),
}
TITLE = mark("Invoice")
QUALIFIED = mark("Qualified invoice for consumption tax")
UNQUALIFIED = mark("This is not a qualified invoice: its issuer has named no registration number.")
NUMBER = mark("Invoice number: {number}")
ISSUED = mark("Date: {on_day}")
REGISTRATION = mark("Registration number: {number}")
ORDER = mark("Order {number}: {title}")
ORDER_ALONE = mark("Order {number}")
SUPPLIED = mark("Date of supply: {on_day}")
TOTAL = mark("Total, tax included")
RATE = mark("Subject to {percent} %, tax included")
RATE_AMOUNT = mark("{all_minor} (of it tax {tax_minor})")
FROM_DEPOSIT_WORDS = mark("Paid from your deposit. Nothing needs to be transferred.")
FROM_CREDIT_WORDS = mark(
    "Taken from your deposit and credit. What was taken from credit is due as the contract says."
)
ROUNDED = mark("All prices include tax. Parts of a yen of tax are dropped once for each rate.")
OUTSIDE_NOTE = mark(
    "The value of gifts is money held for you until a gift is claimed or given back. Holding it is"
    " no supply, so no consumption tax is on it."
)
EXEMPT_NOTE = mark("The value of gifts is the transfer of vouchers, which is exempt.")
UNQUALIFIED_NOTE = mark("No tax is shown because the issuer has named no registration number.")


def draw_invoice(invoice: Invoice, locale: str) -> bytes:
    """Draw an invoice as a PDF; the same invoice and language give the same bytes.

    Raises: as ``printing.render``.
    """
    output = io.BytesIO()
    printing.render(TEMPLATE, _Words(invoice, locale).all(), [{}], output)
    return output.getvalue()


class _Words:
    """What stands on the paper, field by field."""

    def __init__(self, invoice: Invoice, locale: str) -> None:
        self._invoice = invoice
        self._locale = locale

    def say(self, sentence: str, **params: object) -> str:
        return translate(sentence, self._locale, unit=self._invoice.unit, **params)

    def money(self, amount_minor: int) -> str:
        return format_amount(amount_minor, self._invoice.unit, self._locale)

    def all(self) -> dict[str, str]:
        return self._head() | self._parties() | self._table() | self._sums()

    def _head(self) -> dict[str, str]:
        invoice, on_day = self._invoice, self._invoice.issued_on.isoformat()
        order = ORDER if invoice.order_title else ORDER_ALONE
        is_credit = invoice.paid == FROM_DEPOSIT_OR_CREDIT
        about = self.say(order, number=invoice.order_number, title=invoice.order_title)
        return {
            "title": self.say(TITLE),
            "kind": self.say(QUALIFIED if invoice.is_qualified else UNQUALIFIED),
            "number": self.say(NUMBER, number=invoice.number),
            "issued": self.say(ISSUED, on_day=on_day),
            "order": f"{about}\n{self.say(SUPPLIED, on_day=on_day)}",
            "total_label": self.say(TOTAL),
            "total": self.money(invoice.total_minor),
            "payment": self.say(FROM_CREDIT_WORDS if is_credit else FROM_DEPOSIT_WORDS),
        }

    def _parties(self) -> dict[str, str]:
        issuer, billed = self._invoice.issuer, self._invoice.billed
        number = issuer.registration_number
        return {
            "billed_name": billed.name,
            "billed_address": billed.address,
            "issuer_name": issuer.name,
            "issuer_address": issuer.address,
            "issuer_contact": issuer.contact,
            "registration": self.say(REGISTRATION, number=number) if number else "",
        }

    def _table(self) -> dict[str, str]:
        assert len(self._invoice.lines) <= LINES_MAX
        words = {f"head_{name}": self.say(sentence) for name, sentence in HEADS.items()}
        for number, line in enumerate(self._invoice.lines, 1):
            for name, text in self._line(line).items():
                words[f"{name}_{number}"] = text
        return words

    def _line(self, line: InvoiceLine) -> dict[str, str]:
        is_fee = line.what == FEE
        return {
            "what": self.say(WHAT.get(line.channel, WHAT[""]) if is_fee else VALUE_WORDS),
            "count": f"{line.count:,}",
            "each": self.money(line.each_minor),
            "tax": f"{line.percent} %" if line.tax == TAXED else self.say(TAX_WORDS[line.tax]),
            "amount": self.money(line.amount_minor),
        }

    def _sums(self) -> dict[str, str]:
        invoice = self._invoice
        sums = [
            (
                self.say(RATE, percent=rate.percent),
                self.say(RATE_AMOUNT, all_minor=rate.amount_minor, tax_minor=rate.tax_minor)
                if invoice.is_qualified
                else self.money(rate.amount_minor),
            )
            for rate in invoice.rates
        ]
        sums.append((self.say(SUM_WORDS[invoice.value_tax]), self.money(invoice.untaxed_minor)))
        words = {"sum_label_4": self.say(TOTAL), "sum_4": self.money(invoice.total_minor)}
        for number, (label, amount) in enumerate(sums, 4 - len(sums)):
            words |= {f"sum_label_{number}": label, f"sum_{number}": amount}
        value_note = OUTSIDE_NOTE if invoice.value_tax == OUTSIDE else EXEMPT_NOTE
        notes = [ROUNDED, value_note, *([] if invoice.is_qualified else [UNQUALIFIED_NOTE])]
        return words | {"notes": "\n".join(self.say(note) for note in notes)}
