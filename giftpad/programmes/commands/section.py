"""The part of a tenant pack that is about programmes: one TOML file each."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from pathlib import PurePosixPath
from typing import cast

from giftpad.kernel.i18n import LOCALES
from giftpad.kernel.money import AMOUNT_MINOR_MAX
from giftpad.kernel.work import Work
from giftpad.printing import MissingGlyph, check_glyphs, list_templates
from giftpad.programmes.commands.programmes import set_programme
from giftpad.programmes.rules import Terms, Validity
from giftpad.shops import FieldFault, clean_label
from giftpad.tenancy import PackFolder, Problems, Table, read_toml

UNITS_OFFERED = ("JPY",)
"""The units that a programme may have: a limit of the product; the books know more."""
QUANTITY_MAX = 1_000_000
VALID_DAYS_MAX = 3660
VALID_MONTHS_MAX = 120
FACE_LINES_MAX = 6
FACE_LINE_LENGTH_MAX = 60
SPENDABLE_FROM = ("release",)
_SLUG = r"[a-z][a-z0-9]*(-[a-z0-9]+)*"
_PREFIX = r"[A-Z][A-Z0-9]{0,7}"
_TEMPLATE = r"[a-z][a-z0-9]*(_[a-z0-9]+)*"


def read_section(
    folder: PackFolder, paths: tuple[str, ...], problems: Problems
) -> tuple[Terms, ...]:
    """Read ``programmes/*.toml``."""
    found: list[Terms] = []
    prefixes: dict[str, str] = {}
    templates = _template_names(folder) if paths else ()
    for path in paths:

        def read_table(table: Table, stem: str = PurePosixPath(path).stem) -> Terms:
            terms = _read_terms(table, templates)
            if table.has("slug") and terms.slug != stem:
                fault = f'"slug" is "{terms.slug}".'
                table.fault("slug", fault, f'It must be "{stem}", the name of the file.')
            if terms.serial_prefix in prefixes:
                fault = f'"serial_prefix" is that of {prefixes[terms.serial_prefix]} already.'
                table.fault("serial_prefix", fault, "Choose another.")
            prefixes.setdefault(terms.serial_prefix, terms.slug)
            return terms

        terms = read_toml(folder.shown(path), folder.files[path], problems, read=read_table)
        if terms is not None:
            found.append(terms)
    return tuple(found)


def apply_section(work: Work, section: object) -> list[str]:
    """Open and change the programmes of a pack; those it does not name stay as they are.

    Raises: ProgrammeFixed.
    """
    changes: list[str] = []
    for terms in cast("tuple[Terms, ...]", section):
        _, changed = set_programme(work, terms)
        changes += [f"{terms.slug} {', '.join(changed)}"] if changed else []
    return changes


def _template_names(folder: PackFolder) -> tuple[str, ...]:
    """Return the templates that a programme of the pack may name: the house's and its own."""
    parts = [PurePosixPath(path).parts for path in folder.files]
    own = {names[1] for names in parts if names[0] == "print" and len(names) > 2}  # noqa: PLR2004
    return tuple(sorted(own.union(info.name for info in list_templates())))


def _check_printable(table: Table, key: str, texts: Iterable[str]) -> None:
    try:
        check_glyphs(texts)
    except MissingGlyph as error:
        shown = "{character} ({code_point})".format_map(error.params)
        table.fault(key, f'"{key}" holds {shown}, which cannot be printed.', "Write it otherwise.")


def _read_names(table: Table) -> dict[str, str]:
    names = table.by_locale("name", length_max=60)
    for text in names.values():
        _check_printable(table, "name", [text])
    return names


def _read_template(table: Table, templates: tuple[str, ...]) -> str:
    name = table.text("template", pattern=_TEMPLATE, shape="the name of a print template")
    if re.fullmatch(_TEMPLATE, name) and name not in templates:
        remedy = f"Write one of: {', '.join(templates)}; or add print/{name}/ to the pack."
        table.fault("template", f'There is no print template "{name}".', remedy)
    return name


def _read_terms(table: Table, templates: tuple[str, ...]) -> Terms:
    starts_on, ends_on = _read_period(table)
    groups, areas, ceiling_minor = _read_acceptance(table)
    quantity_max, face_value_min_minor, face_value_max_minor = _read_limits(table)
    return Terms(
        slug=table.text("slug", pattern=_SLUG, shape="small letters, digits, hyphens"),
        names=_read_names(table),
        unit=table.choice("unit", UNITS_OFFERED),
        starts_on=starts_on,
        ends_on=ends_on,
        groups=groups,
        areas=areas,
        ceiling_minor=ceiling_minor,
        validity=_read_validity(table),
        serial_prefix=table.text(
            "serial_prefix", pattern=_PREFIX, shape="1 to 8 capitals and digits"
        ),
        face_text=_read_face(table),
        template=_read_template(table, templates),
        spendable_from=table.choice("spendable_from", SPENDABLE_FROM, default="release"),
        quantity_max=quantity_max,
        face_value_min_minor=face_value_min_minor,
        face_value_max_minor=face_value_max_minor,
        gifts=table.truth("gifts", default=False),
    )


def _read_period(table: Table) -> tuple[date, date]:
    period = table.table("period")
    if period is None:
        return date.min, date.max
    starts_on = period.day("starts_on") or date.min
    ends_on = period.day("ends_on") or date.max
    if ends_on < starts_on:
        period.fault("ends_on", "The period ends before it begins.", "Correct one of the days.")
    period.close()
    return starts_on, ends_on


def _read_acceptance(table: Table) -> tuple[tuple[str, ...], tuple[str, ...], int | None]:
    acceptance = table.table("acceptance")
    if acceptance is None:
        return (), (), None
    groups, areas = (_read_labels(acceptance, key) for key in ("groups", "areas"))
    ceiling = acceptance.whole("ceiling_minor", least=1, most=AMOUNT_MINOR_MAX, default=0)
    acceptance.close()
    return groups, areas, ceiling or None


def _read_labels(table: Table, key: str) -> tuple[str, ...]:
    """Read the areas or groups as shops write them, so that both compare letter by letter."""
    try:
        return tuple(sorted({clean_label(text) for text in table.texts(key)}))
    except FieldFault:
        table.fault(key, f'"{key}" holds a name that no shop can have.', "Shorten or correct it.")
        return ()


def _read_validity(table: Table) -> Validity:
    stand_in = Validity(until=date.max)
    validity = table.table("validity")
    if validity is None:
        return stand_in
    given = [key for key in ("until", "days", "months") if validity.has(key)]
    until = validity.day("until", required=False)
    days = validity.whole("days", least=1, most=VALID_DAYS_MAX, default=0)
    months = validity.whole("months", least=1, most=VALID_MONTHS_MAX, default=0)
    validity.close()
    if len(given) != 1:
        fault = f"A validity needs one of until, days, months; there are {len(given)}."
        validity.fault("", fault, "Keep exactly one of them.")
        return stand_in
    if until is None and not days and not months:
        return stand_in
    return Validity(until=until, days=days or None, months=months or None)


def _read_limits(table: Table) -> tuple[int, int, int]:
    limits = table.table("limits")
    if limits is None:
        return 1, 1, 1
    quantity_max = limits.whole("quantity_max", least=1, most=QUANTITY_MAX, default=QUANTITY_MAX)
    least, most = (
        limits.whole(key, least=1, most=AMOUNT_MINOR_MAX)
        for key in ("face_value_min_minor", "face_value_max_minor")
    )
    if most < least:
        fault = "The largest face value is below the smallest."
        limits.fault("face_value_max_minor", fault, "Correct one of the two.")
    limits.close()
    return quantity_max, least, most


def _read_face(table: Table) -> dict[str, tuple[str, ...]]:
    face = table.table("face")
    if face is None:
        return {}
    lines = {
        locale: face.texts(locale, required=True, length_max=FACE_LINE_LENGTH_MAX)
        for locale in LOCALES
    }
    for locale, texts in lines.items():
        if len(texts) > FACE_LINES_MAX:
            fault = f"A face has {len(texts)} lines."
            face.fault(locale, fault, f"Keep it to {FACE_LINES_MAX}.")
        _check_printable(face, locale, texts)
    face.close()
    return lines
