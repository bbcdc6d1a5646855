"""Shops: who accepts payments, and what held for each of them when.

Knows: shops, dated facts, contacts, branches, files of shops.
Hides: encodings and spellings of CSV, how facts are dated, how contacts are sealed.
Does not know: programmes, payments, people who sign in, HTTP.
"""

from giftpad.sheets import FieldFault, LineFault
from giftpad.shops.adapters import bind_files
from giftpad.shops.commands import (
    add_branch,
    apply_section,
    change_facts,
    close_branch,
    enrol,
    kept_file,
    order_import,
    preview_import,
    read_section,
    set_accepting,
    set_contact,
    take_lines,
)
from giftpad.shops.errors import (
    BoundToShop,
    BranchNotFound,
    ImportFileGone,
    ImportNotFound,
    NumberTaken,
    PastDate,
    ShopNotFound,
)
from giftpad.shops.events import ShopImportOrdered
from giftpad.shops.queries import (
    PAGE_MAX,
    corrected_file,
    faulty_lines,
    find_facts,
    find_names,
    find_shop_id,
    get_contact,
    get_import,
    get_shop,
    list_accepting,
    list_faults,
    list_imports,
    list_shops,
)
from giftpad.shops.rules.facts import (
    Acceptance,
    BranchView,
    Contact,
    DatedFacts,
    Facts,
    NewShop,
    ShopChange,
    ShopFilter,
    ShopPage,
    ShopView,
    Taken,
)
from giftpad.shops.rules.faults import SENTENCES
from giftpad.shops.rules.fields import CLEANERS, clean_groups, clean_label
from giftpad.shops.rules.imports import IMPORT_SIZE_MAX, FaultyLine, ImportPreview, ImportView
from giftpad.shops.rules.sheet import COLUMNS, SheetLine, column_names, read_sheet

__all__ = [
    "CLEANERS",
    "COLUMNS",
    "IMPORT_SIZE_MAX",
    "PAGE_MAX",
    "SENTENCES",
    "Acceptance",
    "BoundToShop",
    "BranchNotFound",
    "BranchView",
    "Contact",
    "DatedFacts",
    "Facts",
    "FaultyLine",
    "FieldFault",
    "ImportFileGone",
    "ImportNotFound",
    "ImportPreview",
    "ImportView",
    "LineFault",
    "NewShop",
    "NumberTaken",
    "PastDate",
    "SheetLine",
    "ShopChange",
    "ShopFilter",
    "ShopImportOrdered",
    "ShopNotFound",
    "ShopPage",
    "ShopView",
    "Taken",
    "add_branch",
    "apply_section",
    "bind_files",
    "change_facts",
    "clean_groups",
    "clean_label",
    "close_branch",
    "column_names",
    "corrected_file",
    "enrol",
    "faulty_lines",
    "find_facts",
    "find_names",
    "find_shop_id",
    "get_contact",
    "get_import",
    "get_shop",
    "kept_file",
    "list_accepting",
    "list_faults",
    "list_imports",
    "list_shops",
    "order_import",
    "preview_import",
    "read_section",
    "read_sheet",
    "set_accepting",
    "set_contact",
    "take_lines",
]
