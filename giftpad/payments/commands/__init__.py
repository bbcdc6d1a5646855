"""The verbs of paying, and of the instruments that one pays with."""

from giftpad.payments.commands.give_back import refund, void
from giftpad.payments.commands.instruments import (
    block_instruments,
    drain_terms,
    issue_instruments,
    open_terms,
    release_terms,
    replace_instrument,
    set_rules,
    take_locators,
    unblock_instruments,
)
from giftpad.payments.commands.pay import pay

__all__ = [
    "block_instruments",
    "drain_terms",
    "issue_instruments",
    "open_terms",
    "pay",
    "refund",
    "release_terms",
    "replace_instrument",
    "set_rules",
    "take_locators",
    "unblock_instruments",
    "void",
]
