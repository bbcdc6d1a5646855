"""What can be wrong with a table of products, in words: what is wrong, and how to right it."""

from __future__ import annotations

from giftpad import sheets
from giftpad.kernel.i18n import mark

SENTENCES: dict[str, tuple[str, str]] = {
    **sheets.CELL_SENTENCES,
    "code": (
        mark("{value} is no code."),
        mark("Write 1 to 40 letters, digits, hyphens and underscores."),
    ),
    "kind": (
        mark("{value} is no kind of product."),
        mark("Write goods, digital or donation."),
    ),
    "state": (mark("{value} is no state."), mark("Write active or hidden.")),
    "unit": (mark("{value} is no currency that is known."), mark("Write one of: {known}.")),
    "list": (
        mark("There are {count} entries."),
        mark("Keep at most {most}, with a semicolon between them."),
    ),
    "duplicate": (
        mark("The code {value} stands in line {first} already."),
        mark("Give each variant a code of its own."),
    ),
    "differs": (
        mark("This is not what line {first} says of the same product."),
        mark("Write the same, or leave it empty in all rows but the first."),
    ),
    "stock_of_digital": (
        mark("The stock of a digital product is the number of its codes."),
        mark("Leave it empty, and add the codes on the product's page."),
    ),
    "picture_missing": (
        mark("There is no picture called {value} in the file."),
        mark("Hand in a ZIP file with the table and all pictures that it names."),
    ),
    "picture_unfit": (
        mark("{value} is no picture that can be used."),
        mark("Save it as JPEG or PNG, below {most_mb} MB."),
    ),
    "course_unknown": (
        mark("There is no course with the code {value}."),
        mark("Make the course first, or correct its code."),
    ),
    "variant_elsewhere": (
        mark("The code {value} belongs to a variant of another product."),
        mark("Give the variant a code of its own."),
    ),
    "kind_fixed": (
        mark("A product of another kind has this code already."),
        mark("Give the digital product a code of its own."),
    ),
    "no_products": (
        mark("The file has no lines below its header."),
        mark("Write one variant in each line."),
    ),
}
