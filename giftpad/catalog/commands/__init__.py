"""The verbs of the catalogue: keep and give back, courses, stock, products as a file says."""

from giftpad.catalog.commands.courses import add_course, change_course, fill_course
from giftpad.catalog.commands.products import (
    TakenProducts,
    judge_products,
    take_products,
    try_products,
)
from giftpad.catalog.commands.stock import add_codes, set_state, set_stock
from giftpad.catalog.commands.taking import find_digital_code, give_back, take

__all__ = [
    "TakenProducts",
    "add_codes",
    "add_course",
    "change_course",
    "fill_course",
    "find_digital_code",
    "give_back",
    "judge_products",
    "set_state",
    "set_stock",
    "take",
    "take_products",
    "try_products",
]
