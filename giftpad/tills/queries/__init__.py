"""Which tablets a shop has, who may be at them, and whether a PIN is right."""

from giftpad.tills.queries.pins import hash_pin, is_pin
from giftpad.tills.queries.terminals import (
    ClerkView,
    Terminal,
    TerminalView,
    TillView,
    asks_pin,
    clerk_name,
    clerk_place,
    find_terminal,
    get_till,
    holds,
    is_connected,
    list_names,
)

__all__ = [
    "ClerkView",
    "Terminal",
    "TerminalView",
    "TillView",
    "asks_pin",
    "clerk_name",
    "clerk_place",
    "find_terminal",
    "get_till",
    "hash_pin",
    "holds",
    "is_connected",
    "is_pin",
    "list_names",
]
