"""Who did what, in a chain of hashes per tenant that shows any later change.

Knows: actors, actions, subjects.
Hides: the chain and its head.
Does not know: what the actions mean.
"""

from giftpad.audit.commands import record
from giftpad.audit.queries import Break, Entry, list_entries, verify

__all__ = ["Break", "Entry", "list_entries", "record", "verify"]
