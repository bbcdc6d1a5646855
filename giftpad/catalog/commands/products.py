"""Products as a file says: new ones are added, known ones changed, by their codes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from giftpad.catalog.models import CourseProductRow, CourseRow, ProductRow, VariantRow
from giftpad.catalog.queries.products import among
from giftpad.catalog.rules.folding import search_text
from giftpad.catalog.rules.lines import NO_END, ProductLines, VariantLine
from giftpad.kernel.i18n import DEFAULT_UNIT
from giftpad.kernel.ids import new_id
from giftpad.kernel.work import Work
from giftpad.sheets import LineFault

Pictures = Mapping[str, UUID]
_BY_LANGUAGE = {"name": "names", "description": "descriptions", "category": "category_names"}
_AS_WRITTEN = ("category", "supplier", "age_min", "lead_days")
_NEW: Mapping[str, Any] = {
    "kind": "goods",
    "names": {},
    "descriptions": {},
    "category": "",
    "category_names": {},
    "supplier": "",
    "allergens": [],
    "age_min": 0,
    "lead_days": 0,
    "price_minor": 0,
    "unit": DEFAULT_UNIT,
    "excluded_prefectures": [],
    "state": "active",
    "picture_ids": [],
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenProducts:
    """What taking products did, or would do."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0

    def plus(self, other: TakenProducts) -> TakenProducts:
        """Add two counts."""
        return TakenProducts(
            added=self.added + other.added,
            changed=self.changed + other.changed,
            unchanged=self.unchanged + other.unchanged,
        )


@dataclass(slots=True, kw_only=True)
class _Known:
    """What the database has of the products of some lines."""

    products: dict[str, ProductRow] = field(default_factory=dict)
    variants: dict[str, VariantRow] = field(default_factory=dict)
    courses: dict[str, UUID] = field(default_factory=dict)
    places: dict[tuple[UUID, UUID], CourseProductRow] = field(default_factory=dict)
    """Which product stands where in which course: by product and course."""

    last_places: dict[UUID, int] = field(default_factory=dict)
    """The last place of each course, after which others are put."""


def take_products(
    work: Work,
    lines: Sequence[ProductLines],
    *,
    pictures: Pictures | None = None,
    is_stock_kept: bool = False,
) -> TakenProducts:
    """Make each product what its lines say, by its code.

    A column the file does not have leaves a known product as it is, and so does an empty cell of
    stock or limit.  ``is_stock_kept`` leaves the stock of known variants as well.  The lines must
    have been judged.  The same lines again change nothing.
    Locks: the known products, by code; then their variants, by id.
    """
    known = _find_known(work, lines, is_locked=True)
    if is_stock_kept:
        lines = [_without_stock(line, known) for line in lines]
    counts = TakenProducts()
    for line in lines:
        changed, is_new = _put(work, line, known, pictures or {})
        counts = counts.plus(
            TakenProducts(added=is_new, changed=changed and not is_new, unchanged=not changed)
        )
    work.session.flush()  # the next chunk reads past the session
    return counts


def try_products(
    work: Work, lines: Sequence[ProductLines], *, pictures: Pictures | None = None
) -> TakenProducts:
    """Tell what taking these lines would do now; nothing is written."""
    with work.session.begin_nested() as trial:
        counts = take_products(work, lines, pictures=pictures)
        trial.rollback()
    work.session.expire_all()
    return counts


def judge_products(
    work: Work, lines: Sequence[ProductLines]
) -> tuple[list[ProductLines], list[LineFault]]:
    """Part lines that can be taken from what only the database knows to be wrong."""
    known = _find_known(work, lines, is_locked=False)
    good: list[ProductLines] = []
    faults: list[LineFault] = []
    for line in lines:
        found = [
            LineFault(line=line.line, column="courses", code="course_unknown", params={"value": c})
            for c in line.values.get("courses", ())
            if c not in known.courses
        ]
        product = known.products.get(line.code)
        kind = line.values.get("kind") or (product.kind if product else "goods")
        if product is not None and (kind == "digital") != (product.kind == "digital"):
            found.append(LineFault(line=line.line, column="kind", code="kind_fixed"))
        for variant in line.variants:
            row = known.variants.get(variant.code)
            if row is not None and (product is None or row.product_id != product.id):
                params: dict[str, object] = {"value": variant.code}
                found.append(
                    LineFault(
                        line=variant.line,
                        column="variant_code",
                        code="variant_elsewhere",
                        params=params,
                    )
                )
            if kind == "digital" and variant.values.get("stock") is not None:
                found.append(LineFault(line=variant.line, column="stock", code="stock_of_digital"))
        faults += found
        if not found:
            good.append(line)
    return good, faults


def _without_stock(line: ProductLines, known: _Known) -> ProductLines:
    variants = tuple(
        replace(variant, values={k: v for k, v in variant.values.items() if k != "stock"})
        if variant.code in known.variants
        else variant
        for variant in line.variants
    )
    return replace(line, variants=variants)


def _find_known(work: Work, lines: Sequence[ProductLines], *, is_locked: bool) -> _Known:
    session, tenant_id = work.session, work.tenant_id
    products = (
        sa.select(ProductRow)
        .where(
            ProductRow.tenant_id == tenant_id,
            among(ProductRow.code, [line.code for line in lines], sa.Text),
        )
        .order_by(ProductRow.code)
        .execution_options(populate_existing=True)
    )
    variant_codes = [variant.code for line in lines for variant in line.variants]
    variants = (
        sa.select(VariantRow)
        .where(VariantRow.tenant_id == tenant_id, among(VariantRow.code, variant_codes, sa.Text))
        .order_by(VariantRow.id)
        .execution_options(populate_existing=True)
    )
    if is_locked:
        # Who takes one of a variant changes its stock: what was read must not be older than that.
        products = products.with_for_update(key_share=True)
        variants = variants.with_for_update(key_share=True)
    codes = sorted({code for line in lines for code in line.values.get("courses", ())})
    courses = sa.select(CourseRow.code, CourseRow.id).where(
        CourseRow.tenant_id == tenant_id, among(CourseRow.code, codes, sa.Text)
    )
    known = _Known(
        products={row.code: row for row in session.scalars(products)},
        variants={row.code: row for row in session.scalars(variants)},
        courses={code: course_id for code, course_id in session.execute(courses)},  # noqa: C416 - rows are no plain pairs
    )
    product_ids = [row.id for row in known.products.values()]
    places = sa.select(CourseProductRow).where(
        CourseProductRow.tenant_id == tenant_id,
        among(CourseProductRow.product_id, product_ids, sa.Uuid),
    )
    known.places = {(row.product_id, row.course_id): row for row in session.scalars(places)}
    last = (
        sa.select(CourseProductRow.course_id, sa.func.max(CourseProductRow.position))
        .where(
            CourseProductRow.tenant_id == tenant_id,
            among(CourseProductRow.course_id, list(known.courses.values()), sa.Uuid),
        )
        .group_by(CourseProductRow.course_id)
    )
    known.last_places = {course_id: place for course_id, place in session.execute(last)}  # noqa: C416 - rows are no plain pairs
    return known


def _put(work: Work, line: ProductLines, known: _Known, pictures: Pictures) -> tuple[bool, bool]:
    """Make one product what its lines say; tell whether anything changed, and whether it is new."""
    row = known.products.get(line.code)
    is_new = row is None
    if row is None:
        row = ProductRow(
            tenant_id=work.tenant_id, id=new_id(), code=line.code, created_at=work.at, **_NEW
        )
    changed = _set(row, _wanted(row, line.values, pictures))
    if changed:
        row.search_text = search_text(
            [
                *row.names.values(),
                *row.descriptions.values(),
                row.category,
                *row.category_names.values(),
                row.code,
            ]
        )
    if is_new:
        row.changed_at = work.at
        work.session.add(row)
        work.session.flush()  # what points to a product comes after it, which no relationship says
    for position, variant in enumerate(line.variants):
        changed |= _put_variant(work, row, variant, known, position=position)
    if "courses" in line.values:
        changed |= _put_places(work, row, line, known)
    if changed:
        row.changed_at = work.at
    return changed, is_new


def _wanted(row: ProductRow, values: Mapping[str, Any], pictures: Pictures) -> dict[str, Any]:
    wanted: dict[str, Any] = {name: values[name] for name in _AS_WRITTEN if name in values}
    for name, column in _BY_LANGUAGE.items():
        texts = dict(getattr(row, column))
        for key, locale in ((name, "ja"), (f"{name}_en", "en")):
            if key in values:
                texts[locale] = values[key]
        wanted[column] = {locale: text for locale, text in texts.items() if text}
    if "price" in values:
        wanted["price_minor"] = values["price"]
    for name in ("kind", "state", "unit"):
        if values.get(name):
            wanted[name] = values[name]
    for name in ("allergens", "excluded_prefectures"):
        if name in values:
            wanted[name] = list(values[name])
    # Names of pictures that came with the file; what came before is kept where none did.
    if values.get("pictures"):
        wanted["picture_ids"] = [pictures[name] for name in values["pictures"]]
    return wanted


def _set(row: object, wanted: Mapping[str, Any]) -> bool:
    changed = [name for name, value in wanted.items() if getattr(row, name) != value]
    for name in changed:
        setattr(row, name, wanted[name])
    return bool(changed)


def _put_variant(
    work: Work, product: ProductRow, line: VariantLine, known: _Known, *, position: int
) -> bool:
    row = known.variants.get(line.code)
    is_new = row is None
    if row is None:
        row = VariantRow(
            tenant_id=work.tenant_id,
            id=new_id(),
            product_id=product.id,
            code=line.code,
            names={},
            position=position,
            stock=0 if product.kind == "digital" else None,
            daily_limit=None,
        )
        work.session.add(row)
    names = dict(row.names)
    for key, locale in (("variant_name", "ja"), ("variant_name_en", "en")):
        if key in line.values:
            names[locale] = line.values[key]
    wanted: dict[str, Any] = {
        "names": {locale: text for locale, text in names.items() if text},
        "position": position,
    }
    for name in ("stock", "daily_limit"):
        if (value := line.values.get(name)) is not None:
            wanted[name] = None if value == NO_END else value
    return _set(row, wanted) or is_new


def _put_places(work: Work, product: ProductRow, line: ProductLines, known: _Known) -> bool:
    """Put a product into the courses that its line names, and out of all others.

    It keeps the place that it has there, unless the line gives one; a new one comes last.
    """
    wanted = {known.courses[code] for code in line.values["courses"]}
    placed = {course for product_id, course in known.places if product_id == product.id}
    for course_id in placed - wanted:
        work.session.delete(known.places.pop((product.id, course_id)))
    changed = placed != wanted
    for course_id in wanted:
        place = known.places.get((product.id, course_id))
        if place is None:
            last = known.last_places[course_id] = known.last_places.get(course_id, 0) + 1
            place = CourseProductRow(
                tenant_id=work.tenant_id,
                course_id=course_id,
                product_id=product.id,
                position=last,
            )
            work.session.add(place)
        if line.values.get("position") is not None:
            changed |= _set(place, {"position": line.values["position"]})
    return changed
