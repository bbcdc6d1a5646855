"""Programmes: the rules of one currency or voucher scheme of a tenant.

Knows: units, periods, validity, acceptance, ceilings, the text on a face.
Hides: how rules are written in a pack, the accounts of a book, what payments are told.
Does not know: coupons one by one, paper, HTTP.
"""

from giftpad.programmes.commands import apply_section, read_section, set_programme
from giftpad.programmes.errors import ProgrammeFixed, ProgrammeNotFound, ProgrammeOver
from giftpad.programmes.queries import (
    PAGE_MAX,
    find_programme_by_prefix,
    find_programme_by_slug,
    get_programme,
    list_programmes,
)
from giftpad.programmes.rules import (
    Programme,
    ProgrammePage,
    Terms,
    Validity,
    coupon_validity,
)

__all__ = [
    "PAGE_MAX",
    "Programme",
    "ProgrammeFixed",
    "ProgrammeNotFound",
    "ProgrammeOver",
    "ProgrammePage",
    "Terms",
    "Validity",
    "apply_section",
    "coupon_validity",
    "find_programme_by_prefix",
    "find_programme_by_slug",
    "get_programme",
    "list_programmes",
    "read_section",
    "set_programme",
]
