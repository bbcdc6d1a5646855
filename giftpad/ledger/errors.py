"""What the ledger refuses."""

from __future__ import annotations

from giftpad.kernel.errors import Rejected


class InsufficientBalance(Rejected):
    """A guarded account holds less than the transfer would take."""

    code = "payment.insufficient_balance"
    sentence = "The balance is not enough. {balance_minor} is left. No money has moved."
