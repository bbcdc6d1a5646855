"""Finding shops, as they are now and as they will be, and the files they came in."""

from giftpad.shops.queries.accepting import list_accepting
from giftpad.shops.queries.imports import (
    corrected_file,
    faulty_lines,
    fetch_file,
    find_kept,
    get_import,
    list_faults,
    list_imports,
)
from giftpad.shops.queries.shops import (
    PAGE_MAX,
    facts_of,
    find_facts,
    find_names,
    find_shop_id,
    get_contact,
    get_shop,
    list_planned,
    list_shops,
)

__all__ = [
    "PAGE_MAX",
    "corrected_file",
    "facts_of",
    "faulty_lines",
    "fetch_file",
    "find_facts",
    "find_kept",
    "find_names",
    "find_shop_id",
    "get_contact",
    "get_import",
    "get_shop",
    "list_accepting",
    "list_faults",
    "list_imports",
    "list_planned",
    "list_shops",
]
