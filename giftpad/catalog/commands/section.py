"""The part of a tenant pack that is about the catalogue: courses, products, pictures, codes.

The table is one as it would be imported; drawings may be SVG here, because a pack is reviewed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import cast

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from giftpad import sheets
from giftpad.catalog.adapters import (
    check_picture,
    draw_drawing,
    draw_picture,
    is_kept,
    keep_picture,
    picture_id_of,
)
from giftpad.catalog.commands.courses import add_course, change_course
from giftpad.catalog.commands.products import judge_products, take_products
from giftpad.catalog.commands.stock import add_codes
from giftpad.catalog.errors import PictureUnfit
from giftpad.catalog.models import CourseRow, PictureRow
from giftpad.catalog.queries import find_variant_id
from giftpad.catalog.rules.faults import SENTENCES
from giftpad.catalog.rules.goods import CourseFacts
from giftpad.catalog.rules.lines import PRICE_MAX, ROWS_MAX, ProductLines, read_products
from giftpad.kernel.money import UNITS
from giftpad.kernel.work import Scope, Work
from giftpad.tenancy import PackFolder, Problems, Table, check_drawing, read_toml

FILES = (
    r"catalog/(courses\.toml|products\.csv|codes/[A-Z0-9_-]+\.csv"
    r"|pictures/[a-z0-9_-]+\.(svg|png|jpg))"
)
COURSES, PRODUCTS = "catalog/courses.toml", "catalog/products.csv"
CODES, PICTURES = "catalog/codes/", "catalog/pictures/"
DRAWING = ".svg"
DRAWING_BYTES_MAX = 100_000
_CODE = r"[0-9A-Z]([0-9A-Z_-]{0,38}[0-9A-Z])?"


@dataclass(frozen=True, slots=True, kw_only=True)
class PackCatalogue:
    """What a pack says of the catalogue."""

    courses: tuple[CourseFacts, ...] = ()
    products: tuple[ProductLines, ...] = ()
    pictures: Mapping[str, bytes] = field(default_factory=dict)
    codes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def read_section(folder: PackFolder, paths: tuple[str, ...], problems: Problems) -> PackCatalogue:
    """Read ``catalog/``; each fault is a problem of its line."""
    courses: tuple[CourseFacts, ...] = ()
    if COURSES in paths:
        found = read_toml(
            folder.shown(COURSES),
            folder.files[COURSES],
            problems,
            read=lambda table: [_read_course(entry) for entry in table.tables("courses")],
        )
        courses = tuple(found or ())
    pictures = {
        PurePosixPath(path).name: folder.files[path] for path in paths if path.startswith(PICTURES)
    }
    for name, data in pictures.items():
        _check_picture(folder.shown(PICTURES + name), data, problems)
    products: tuple[ProductLines, ...] = ()
    if PRODUCTS in paths:
        products = _read_products(folder, problems, pictures=pictures, courses=courses)
    codes = {
        PurePosixPath(path).stem: _read_codes(folder, path, problems)
        for path in paths
        if path.startswith(CODES)
    }
    return PackCatalogue(courses=courses, products=products, pictures=pictures, codes=codes)


def _read_course(table: Table) -> CourseFacts:
    starts_on, ends_on = table.day("starts_on"), table.day("ends_on")
    if starts_on and ends_on and ends_on < starts_on:
        table.fault("ends_on", '"ends_on" lies before "starts_on".', "Write a later day.")
    facts = CourseFacts(
        code=table.text("code", pattern=_CODE, shape="1 to 40 capitals, digits, hyphens"),
        names=table.by_locale("name", length_max=100),
        price_minor=table.whole("price_minor", least=1, most=PRICE_MAX),
        unit=table.choice("unit", tuple(UNITS), default="JPY"),
        # The stand-in of a day that is missing is never used: the pack is refused.
        starts_on=starts_on or ends_on,  # type: ignore[arg-type]
        ends_on=ends_on or starts_on,  # type: ignore[arg-type]
    )
    table.close()
    return facts


def _check_picture(shown: str, data: bytes, problems: Problems) -> None:
    if shown.endswith(DRAWING):
        check_drawing(shown, data, problems, noun="drawing", size_max=DRAWING_BYTES_MAX)
        return
    try:
        check_picture(shown, data)
    except PictureUnfit as error:
        fault = "This is no picture that can be used."
        remedy = f"Save it as JPEG or PNG, below {error.params['most_mb']} MB."
        problems.add(shown, 1, fault, remedy=remedy)


def _read_products(
    folder: PackFolder,
    problems: Problems,
    *,
    pictures: Mapping[str, bytes],
    courses: tuple[CourseFacts, ...],
) -> tuple[ProductLines, ...]:
    shown = folder.shown(PRODUCTS)
    try:
        sheet = sheets.read_sheet(folder.files[PRODUCTS], rows_max=ROWS_MAX)
        read = read_products(sheet, pictures=pictures.keys())
    except sheets.SheetUnreadable as error:
        fault = error.sentence.format_map(error.params)
        problems.add(shown, 1, fault, remedy="Correct the file.")
        return ()
    known = {course.code for course in courses}
    faults = [
        *read.faults,
        *(
            sheets.LineFault(
                line=line.line, column="courses", code="course_unknown", params={"value": code}
            )
            for line in read.products
            for code in line.values.get("courses", ())
            if code not in known
        ),
    ]
    for each in faults:
        fault, remedy = (text.format_map(each.params) for text in SENTENCES[each.code])
        where = f"{each.column}: " if each.column else ""
        problems.add(shown, each.line, where + fault, remedy=remedy)
    return read.products


def _read_codes(folder: PackFolder, path: str, problems: Problems) -> tuple[str, ...]:
    try:
        return read_codes(folder.files[path])
    except sheets.SheetUnreadable as error:
        fault = error.sentence.format_map(error.params)
        problems.add(folder.shown(path), 1, fault, remedy="Correct the file.")
        return ()


def read_codes(data: bytes) -> tuple[str, ...]:
    """Read a table of codes: the first column of each row below the header.

    Raises: SheetUnreadable.
    """
    rows = sheets.read_sheet(data).rows()
    return tuple(dict.fromkeys(cells[0] for _, cells in rows if cells and cells[0]))


def prepare_section(scope: Scope, section: object) -> None:
    """Draw the pictures of a pack and keep those that are not kept yet."""
    for name, data in cast("PackCatalogue", section).pictures.items():
        if is_kept(scope.tenant_id, picture_id_of(data)):
            continue
        drawn = draw_drawing(data) if name.endswith(DRAWING) else draw_picture(name, data)
        keep_picture(scope.tenant_id, drawn)


def apply_section(work: Work, section: object) -> list[str]:
    """Make and change the courses and products of a pack; others stay, and so does any stock."""
    pack = cast("PackCatalogue", section)
    changes: list[str] = []
    changed = sum(_put_course(work, facts) for facts in pack.courses)
    if changed:
        changes.append(f"{changed} courses")
    ids = {name: picture_id_of(data) for name, data in pack.pictures.items()}
    if ids:
        rows = [
            {"tenant_id": work.tenant_id, "id": picture_id, "added_at": work.at}
            for picture_id in set(ids.values())
        ]
        work.session.execute(insert(PictureRow).values(rows).on_conflict_do_nothing())
    good, _ = judge_products(work, pack.products)
    taken = take_products(work, good, pictures=ids, is_stock_kept=True)
    if taken.added or taken.changed:
        changes.append(f"{taken.added} products added, {taken.changed} changed")
    for code, codes in pack.codes.items():
        variant_id = find_variant_id(work, code)
        if variant_id is not None and (added := add_codes(work, variant_id, codes)):
            changes.append(f"{added} codes of {code}")
    return changes


def _put_course(work: Work, facts: CourseFacts) -> bool:
    found = sa.select(CourseRow.id).where(
        CourseRow.tenant_id == work.tenant_id, CourseRow.code == facts.code
    )
    course_id = work.session.scalar(found)
    if course_id is not None:
        return change_course(work, course_id, facts)
    add_course(work, facts)
    return True
