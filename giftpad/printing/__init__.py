"""Paper: declarative templates and data become PDF files, pictures, and proof that they are right.

Knows: millimetres, typefaces and their glyphs, QR codes, crop marks, bleed; how to read a finished
file back and compare every code on it.
Hides: reportlab, the QR tables, pdfium and zxing, the files of a template.
Does not know: coupons, batches, tenants, what a code is worth, the database.
"""

from giftpad.printing.adapters.templates import Sample
from giftpad.printing.commands import (
    ITEMS_MAX,
    draw_covered,
    preview,
    read_sample,
    render,
    write_previews,
)
from giftpad.printing.errors import (
    BadField,
    BrokenTemplate,
    MissingField,
    MissingGlyph,
    TextTooLong,
    UnknownTemplate,
)
from giftpad.printing.queries import (
    TemplateInfo,
    check_glyphs,
    check_template,
    list_templates,
    read_section,
    verify,
)
from giftpad.printing.rules.layout import Field, Rendered, RenderOptions
from giftpad.printing.rules.matrix import QrMatrix, single_qr_matrix
from giftpad.printing.rules.problems import ExpectedItem, Fault, Problem, VerifyReport

__all__ = [
    "ITEMS_MAX",
    "BadField",
    "BrokenTemplate",
    "ExpectedItem",
    "Fault",
    "Field",
    "MissingField",
    "MissingGlyph",
    "Problem",
    "QrMatrix",
    "RenderOptions",
    "Rendered",
    "Sample",
    "TemplateInfo",
    "TextTooLong",
    "UnknownTemplate",
    "VerifyReport",
    "check_glyphs",
    "check_template",
    "draw_covered",
    "list_templates",
    "preview",
    "read_sample",
    "read_section",
    "render",
    "single_qr_matrix",
    "verify",
    "write_previews",
]
