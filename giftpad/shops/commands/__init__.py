"""The verbs of shops: one shop at a time, many at once, and files of them."""

from giftpad.shops.commands.imports import give_up_imports, kept_file, order_import
from giftpad.shops.commands.lines import take_lines, try_lines
from giftpad.shops.commands.preview import preview_import
from giftpad.shops.commands.section import apply_section, read_section
from giftpad.shops.commands.shops import (
    add_branch,
    change_facts,
    close_branch,
    enrol,
    set_accepting,
    set_contact,
)

__all__ = [
    "add_branch",
    "apply_section",
    "change_facts",
    "close_branch",
    "enrol",
    "give_up_imports",
    "kept_file",
    "order_import",
    "preview_import",
    "read_section",
    "set_accepting",
    "set_contact",
    "take_lines",
    "try_lines",
]
