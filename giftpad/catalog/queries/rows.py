"""A product as the rows of the table that it can be taken in from again."""

from __future__ import annotations

from giftpad.catalog.queries.courses import list_courses_of
from giftpad.catalog.rules.goods import ProductView, VariantView
from giftpad.catalog.rules.lines import NO_END
from giftpad.kernel.work import Work

SEPARATOR = ";"
NO_LIMIT = "none"


def as_rows(work: Work, product: ProductView) -> list[dict[str, object]]:
    """Return one row a variant, by field; the product's own cells stand in each.

    Pictures are not among them: a table alone leaves them as they are.
    """
    courses = SEPARATOR.join(course.code for course in list_courses_of(work, product.id))
    own: dict[str, object] = {
        "code": product.code,
        "name": product.names.get("ja", ""),
        "name_en": product.names.get("en", ""),
        "kind": product.kind,
        "category": product.category,
        "category_en": product.category_names.get("en", ""),
        "description": product.descriptions.get("ja", ""),
        "description_en": product.descriptions.get("en", ""),
        "supplier": product.supplier,
        "price": product.price_minor,
        "unit": product.unit,
        "allergens": SEPARATOR.join(product.allergens),
        "age_min": product.age_min or "",
        "lead_days": product.lead_days or "",
        "excluded_prefectures": SEPARATOR.join(product.excluded_prefectures),
        "state": product.state,
        "courses": courses,
    }
    return [own | _own_cells(variant, product) for variant in product.variants]


def _own_cells(variant: VariantView, product: ProductView) -> dict[str, object]:
    stock: object = NO_END if variant.stock is None else variant.stock
    return {
        "variant_code": variant.code,
        "variant_name": variant.names.get("ja", ""),
        "variant_name_en": variant.names.get("en", ""),
        # The stock of a digital product is counted by its codes.
        "stock": "" if product.kind == "digital" else stock,
        "daily_limit": NO_LIMIT if variant.daily_limit is None else variant.daily_limit,
    }
