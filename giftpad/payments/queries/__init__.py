"""Look up what a code opens; list what was paid; prove that payments and books agree."""

from giftpad.payments.queries.instruments import (
    count_instruments,
    get_instrument,
    get_instruments,
)
from giftpad.payments.queries.lists import (
    find_paid,
    get_payment,
    last_payment,
    list_movements,
    list_payments,
    sum_payments,
)
from giftpad.payments.queries.opening import (
    find_instrument,
    find_locator,
    find_opened,
    find_qr_tenant,
    last_day,
    look_up,
    look_up_again,
)
from giftpad.payments.queries.proof import verify

__all__ = [
    "count_instruments",
    "find_instrument",
    "find_locator",
    "find_opened",
    "find_paid",
    "find_qr_tenant",
    "get_instrument",
    "get_instruments",
    "get_payment",
    "last_day",
    "last_payment",
    "list_movements",
    "list_payments",
    "look_up",
    "look_up_again",
    "sum_payments",
    "verify",
]
