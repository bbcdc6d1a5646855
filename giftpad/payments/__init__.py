"""Paying, and giving back: whoever presents a code, for whichever shop, exactly once.

Knows: instruments, terms, shop acceptance, refusals, history.
Hides: the SQL of the hot path, how a code becomes a locator, the read side.
Does not know: what a coupon looks like, how a programme is set up, settlement, HTTP.
"""

from giftpad.payments.commands import (
    block_instruments,
    drain_terms,
    issue_instruments,
    open_terms,
    pay,
    refund,
    release_terms,
    replace_instrument,
    set_rules,
    take_locators,
    unblock_instruments,
    void,
)
from giftpad.payments.errors import REFUSALS, InstrumentNotFound, PaymentNotFound, ShopMissing
from giftpad.payments.events import PaymentCaptured, PaymentRefunded, PaymentVoided
from giftpad.payments.queries import (
    count_instruments,
    get_instruments,
    get_payment,
    last_day,
    list_payments,
    look_up,
    verify,
)
from giftpad.payments.rules import (
    Alias,
    Drained,
    Given,
    InstrumentView,
    IssueChunk,
    Looked,
    Paid,
    PaymentFilter,
    PaymentView,
    PayOrder,
    Rules,
    Terms,
    hash_typed,
    pepper,
    qr_key,
)

__all__ = [
    "REFUSALS",
    "Alias",
    "Drained",
    "Given",
    "InstrumentNotFound",
    "InstrumentView",
    "IssueChunk",
    "Looked",
    "Paid",
    "PayOrder",
    "PaymentCaptured",
    "PaymentFilter",
    "PaymentNotFound",
    "PaymentRefunded",
    "PaymentView",
    "PaymentVoided",
    "Rules",
    "ShopMissing",
    "Terms",
    "block_instruments",
    "count_instruments",
    "drain_terms",
    "get_instruments",
    "get_payment",
    "hash_typed",
    "issue_instruments",
    "last_day",
    "list_payments",
    "look_up",
    "open_terms",
    "pay",
    "pepper",
    "qr_key",
    "refund",
    "release_terms",
    "replace_instrument",
    "set_rules",
    "take_locators",
    "unblock_instruments",
    "verify",
    "void",
]
