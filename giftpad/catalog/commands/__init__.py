"""The verbs of the catalogue: keep and give back, courses, stock, products as a file says."""

from giftpad.catalog.commands.courses import add_course, change_course, fill_course
from giftpad.catalog.commands.files import add_picture, check_file, take_file
from giftpad.catalog.commands.imports import kept_file, order_import, take_import
from giftpad.catalog.commands.products import (
    TakenProducts,
    judge_products,
    take_products,
    try_products,
)
from giftpad.catalog.commands.section import (
    FILES,
    apply_section,
    prepare_section,
    read_codes,
    read_section,
)
from giftpad.catalog.commands.stock import add_codes, set_state, set_stock
from giftpad.catalog.commands.taking import find_digital_code, take

__all__ = [
    "FILES",
    "TakenProducts",
    "add_codes",
    "add_course",
    "add_picture",
    "apply_section",
    "change_course",
    "check_file",
    "fill_course",
    "find_digital_code",
    "judge_products",
    "kept_file",
    "order_import",
    "prepare_section",
    "read_codes",
    "read_section",
    "set_state",
    "set_stock",
    "take",
    "take_file",
    "take_import",
    "take_products",
    "try_products",
]
