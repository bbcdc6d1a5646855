"""Finding courses, choices, products, pictures and imports."""

from giftpad.catalog.queries.choices import list_categories, list_choices
from giftpad.catalog.queries.courses import get_course, list_courses, list_courses_of
from giftpad.catalog.queries.imports import get_import, list_faults, list_imports
from giftpad.catalog.queries.pictures import picture
from giftpad.catalog.queries.products import (
    PAGE_MAX,
    find_product_ids,
    find_variant_id,
    get_choice,
    get_product,
    list_product_categories,
    list_products,
    views_of,
)
from giftpad.catalog.queries.rows import as_rows
from giftpad.catalog.queries.takings import get_taken

__all__ = [
    "PAGE_MAX",
    "as_rows",
    "find_product_ids",
    "find_variant_id",
    "get_choice",
    "get_course",
    "get_import",
    "get_product",
    "get_taken",
    "list_categories",
    "list_choices",
    "list_courses",
    "list_courses_of",
    "list_faults",
    "list_imports",
    "list_product_categories",
    "list_products",
    "picture",
    "views_of",
]
