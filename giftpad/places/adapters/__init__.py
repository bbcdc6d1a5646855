"""The list of Japan Post."""

from giftpad.places.adapters.post import find_entries, list_month

__all__ = ["find_entries", "list_month"]
