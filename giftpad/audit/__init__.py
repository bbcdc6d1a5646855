"""Who did what, in a chain of hashes per tenant that shows any later change.

Knows: actors, actions, subjects.
Hides: the chain and its head.
Does not know: what the actions mean.
"""

from giftpad.audit.commands import record
from giftpad.audit.queries import PAGE_MAX, Break, Entry, list_entries, verify
from giftpad.audit.rules import EntryFilter

__all__ = ["PAGE_MAX", "Break", "Entry", "EntryFilter", "list_entries", "record", "verify"]
