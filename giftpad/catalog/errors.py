"""What the catalogue refuses."""

from __future__ import annotations

from giftpad.kernel.errors import Conflict, Invalid, NotFound, Rejected


class CourseNotFound(NotFound):
    """No course of this tenant has this id."""

    code = "catalog.course_not_found"
    sentence = "There is no such course."


class ProductNotFound(NotFound):
    """No product of this tenant has this id."""

    code = "catalog.product_not_found"
    sentence = "There is no such product."


class ChoiceNotFound(NotFound):
    """The course does not hold this, or it is no longer offered."""

    code = "catalog.choice_not_found"
    sentence = "This cannot be chosen here any more. Please choose something else."


class SoldOut(Conflict):
    """The last one is gone, or all of today are; nothing was taken."""

    code = "catalog.sold_out"
    sentence = "This was popular and is gone. Please choose something else."


class NotDelivered(Rejected):
    """The product cannot be sent to this prefecture; nothing was taken."""

    code = "catalog.not_delivered"
    sentence = "This cannot be delivered to {prefecture}. Please choose something else."


class PictureNotFound(NotFound):
    """There is no such picture."""

    code = "catalog.picture_not_found"
    sentence = "There is no such picture."


class PictureUnfit(Invalid):
    """The file is no picture that can be taken."""

    code = "catalog.picture_unfit"
    sentence = "{name} is no picture that can be used. Save it as JPEG or PNG, below {most_mb} MB."


class CodeTaken(Conflict):
    """Another course has the code."""

    code = "catalog.code_taken"
    sentence = "Another course has the code {code}."


class CourseUnfit(Invalid):
    """A course ends before it begins."""

    code = "catalog.course_unfit"
    sentence = "The last day must not lie before the first."


class NotDigital(Rejected):
    """Codes belong to digital products only."""

    code = "catalog.not_digital"
    sentence = "Codes can be added to digital products only."


class CountedByCodes(Rejected):
    """The stock of a digital product is the number of its codes."""

    code = "catalog.counted_by_codes"
    sentence = "The stock of a digital product is the number of its codes. Add codes instead."


class CatalogueEmpty(Invalid):
    """There is no file in the request, or nothing in it."""

    code = "catalog_import.empty"
    sentence = "There is no file, or nothing in it."


class CatalogueTooLarge(Invalid):
    """The uploaded file is larger than a catalogue may be."""

    code = "catalog_import.too_large"
    sentence = "The file is larger than {most_mb} megabytes. Send the pictures in several files."


class ArchiveUnfit(Invalid):
    """The ZIP file holds no table, several, or too much."""

    code = "catalog_import.archive"
    sentence = (
        "The ZIP file must hold one table (CSV or XLSX) and pictures, at most {most} files"
        " and {most_mb} megabytes when unpacked."
    )


class ImportNotFound(NotFound):
    """There is no such import in this tenant."""

    code = "catalog_import.not_found"
    sentence = "There is no such import."


class ImportNotReady(Conflict):
    """Only what was checked, and not yet taken, can be taken."""

    code = "catalog_import.not_ready"
    sentence = "This file cannot be taken in now: it is {state}."


class ImportFileGone(NotFound):
    """The file of an import is kept no more."""

    code = "catalog_import.file_gone"
    sentence = "The file of this import is not kept any more. Hand it in again."
