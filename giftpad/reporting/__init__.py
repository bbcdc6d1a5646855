"""Figures by day: what was issued, used, given back and has expired, ready for a page at once.

Knows: days of the tenant's zone, programmes, how late a figure is.
Hides: the daily table, how events fill it, how it is built anew and proven against the ledger.
Does not know: single coupons, single payments, shops, HTTP.
"""

from giftpad.reporting.commands import catch_up, rebuild
from giftpad.reporting.queries import check_figures, get_figures, list_days
from giftpad.reporting.rules import Day, Figures

__all__ = [
    "Day",
    "Figures",
    "catch_up",
    "check_figures",
    "get_figures",
    "list_days",
    "rebuild",
]
