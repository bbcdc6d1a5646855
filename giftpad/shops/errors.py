"""What shops refuse."""

from __future__ import annotations

from giftpad.kernel.errors import Conflict, Invalid, NotFound, Rejected


class ShopNotFound(NotFound):
    """No shop of this tenant has this id, or the caller is bound to another one."""

    code = "shop.not_found"
    sentence = "There is no such shop."


class NumberTaken(Conflict):
    """Another shop of the tenant has the number."""

    code = "shop.number_taken"
    sentence = "Another shop has the number {number}."


class PastDate(Invalid):
    """Facts cannot begin in the past: payments were judged by the old ones."""

    code = "shop.past_date"
    sentence = "{starts_on} is in the past. Choose today or a later day."


class BoundToShop(Rejected):
    """A caller that belongs to one shop decides nothing that the issuer decides."""

    code = "shop.bound"
    sentence = "This access belongs to one shop. It cannot enrol, change or stop shops."


class BranchNotFound(NotFound):
    """The shop has no such branch."""

    code = "branch.not_found"
    sentence = "There is no such branch."


class ImportNotFound(NotFound):
    """There is no such import in this tenant."""

    code = "shop_import.not_found"
    sentence = "There is no such import."


class ImportTooLarge(Invalid):
    """The uploaded file is larger than an import may be."""

    code = "shop_import.too_large"
    sentence = "The file has {size} bytes; {most} are the most."


class ImportEmpty(Invalid):
    """There is no file in the request, or nothing in it."""

    code = "shop_import.empty"
    sentence = "There is no file, or nothing in it."


class ImportFileGone(NotFound):
    """The file of an import is kept no more: it was taken whole, or is too old."""

    code = "shop_import.file_gone"
    sentence = "The file of this import is not kept any more. Hand it in again."
