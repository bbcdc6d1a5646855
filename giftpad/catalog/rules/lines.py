"""Reading a table of products: one row a variant, rows of one code make one product.

Hides: header names in two languages, which cell is the product's and which the variant's.  What
only the database knows, whether a course exists for one, is judged by ``commands``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from giftpad import sheets
from giftpad.catalog.rules.goods import KINDS, PICTURES_MAX, STATES
from giftpad.kernel.money import UNITS
from giftpad.sheets import FieldFault, LineFault

ROWS_MAX = 20_000
FAULTS_MAX = 5_000
NAME_LENGTH_MAX = 100
DESCRIPTION_LENGTH_MAX = 1000
LABEL_LENGTH_MAX = 40
LIST_MAX = 47
PRICE_MAX = 10_000_000
STOCK_MAX = 1_000_000_000
LEAD_DAYS_MAX = 365
AGE_MAX = 120
POSITION_MAX = 1_000_000
VALUE_SHOWN_MAX = 60

COLUMNS: sheets.Columns = {
    "code": ("商品コード", "product code", "品番"),
    "name": ("商品名", "product name"),
    "name_en": ("商品名(英語)", "name in English"),
    "kind": ("種類",),
    "category": ("カテゴリ", "分類"),
    "category_en": ("カテゴリ(英語)", "category in English"),
    "description": ("説明", "商品説明"),
    "description_en": ("説明(英語)", "description in English"),
    "supplier": ("仕入先", "発送元"),
    "price": ("価格", "単価"),
    "unit": ("通貨", "currency"),
    "allergens": ("アレルギー", "アレルゲン"),
    "age_min": ("年齢制限", "対象年齢"),
    "lead_days": ("お届け日数", "発送日数"),
    "excluded_prefectures": ("お届けできない都道府県", "配送不可"),
    "state": ("状態",),
    "courses": ("コース",),
    "position": ("並び順", "order"),
    "pictures": ("写真", "画像"),
    "variant_code": ("種別コード", "SKU"),
    "variant_name": ("種別名", "variant"),
    "variant_name_en": ("種別名(英語)", "variant in English"),
    "stock": ("在庫", "在庫数"),
    "daily_limit": ("1日の上限", "一日の上限"),
}
"""The columns by their fields, and what each may be called; the first is the Japanese name."""

REQUIRED = ("code", "name")
VARIANT_FIELDS = frozenset({"variant_code", "variant_name", "variant_name_en"}) | {
    "stock",
    "daily_limit",
}
NO_END = "unlimited"
"""What a cell of stock or of a limit says for "without end", in the value that is read."""

_CODE = re.compile(r"[0-9A-Z](?:[0-9A-Z_-]{0,38}[0-9A-Z])?")
_SEPARATORS = re.compile(r"[;、|\n]")
_KIND_WORDS = {"品物": "goods", "商品": "goods", "デジタル": "digital", "寄付": "donation"}
_STATE_WORDS = {"公開": "active", "非公開": "hidden"}
_NO_END_WORDS = frozenset({NO_END, "無制限", "なし", "none", "∞"})


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantLine:
    """One row, as far as it is about the variant; ``values`` holds what the file says."""

    line: int
    code: str
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductLines:
    """One product of a file: ``values`` by field, only of the columns that the file has."""

    line: int
    code: str
    values: Mapping[str, Any]
    variants: tuple[VariantLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadProducts:
    """What a file says: the products in which nothing is wrong, and what is wrong."""

    products: tuple[ProductLines, ...] = ()
    faults: tuple[LineFault, ...] = ()


def column_names(locale: str) -> dict[str, str]:
    """Return the columns of a table of products, and how each is called in a language."""
    return {name: (names[0] if locale == "ja" else name) for name, names in COLUMNS.items()}


def _code(text: str) -> str:
    value = sheets.clean_folded(text).upper()
    if not _CODE.fullmatch(value):
        raise FieldFault(code="code" if value else "required", value=value)
    return value


def clean_code(text: str) -> str:
    """Clean the code of a product, a variant or a course.

    Raises: FieldFault.
    """
    return _code(text)


def _optional_code(text: str) -> str:
    return _code(text) if text.strip() else ""


def _chosen(text: str, *, words: Mapping[str, str], allowed: Collection[str], code: str) -> str:
    value = sheets.clean_folded(text).casefold()
    value = words.get(value, value)
    if value and value not in allowed:
        raise FieldFault(code=code, value=value)
    return value


def _listed(text: str, *, clean: Callable[[str], str], most: int = LIST_MAX) -> tuple[str, ...]:
    parts = _SEPARATORS.split(unicodedata.normalize("NFKC", text))
    found = tuple(dict.fromkeys(value for part in parts if (value := clean(part))))
    if len(found) > most:
        raise FieldFault(code="list", count=len(found), most=most)
    return found


def _bounded(text: str, *, most: int) -> int | str | None:
    """Read a number, "without end", or None for an empty cell, which says nothing."""
    if sheets.clean_folded(text).casefold() in _NO_END_WORDS:
        return NO_END
    return sheets.clean_whole(text, most=most)


def _unit(text: str) -> str:
    value = sheets.clean_folded(text).upper()
    if value and value not in UNITS:
        raise FieldFault(code="unit", value=value, known=", ".join(UNITS))
    return value


def _minor(text: str) -> int:
    return sheets.clean_whole(text, most=PRICE_MAX) or 0


def _days(text: str) -> int:
    return sheets.clean_whole(text, most=LEAD_DAYS_MAX) or 0


def _age(text: str) -> int:
    return sheets.clean_whole(text, most=AGE_MAX) or 0


_label = partial(sheets.clean_folded, length_max=LABEL_LENGTH_MAX)
_words = partial(sheets.clean_text, length_max=NAME_LENGTH_MAX)
_prose = partial(sheets.clean_text, length_max=DESCRIPTION_LENGTH_MAX)

CLEANERS: dict[str, Callable[[str], Any]] = {
    "code": _code,
    "name": partial(sheets.clean_name, length_max=NAME_LENGTH_MAX),
    "name_en": _words,
    "kind": partial(_chosen, words=_KIND_WORDS, allowed=KINDS, code="kind"),
    "category": _label,
    "category_en": _label,
    "description": _prose,
    "description_en": _prose,
    "supplier": _words,
    "price": _minor,
    "unit": _unit,
    "allergens": partial(_listed, clean=_label),
    "age_min": _age,
    "lead_days": _days,
    "excluded_prefectures": partial(_listed, clean=sheets.clean_prefecture),
    "state": partial(_chosen, words=_STATE_WORDS, allowed=STATES, code="state"),
    "courses": partial(_listed, clean=_optional_code),
    "position": partial(sheets.clean_whole, most=POSITION_MAX),
    "pictures": partial(_listed, clean=_words, most=PICTURES_MAX),
    "variant_code": _optional_code,
    "variant_name": _words,
    "variant_name_en": _words,
    "stock": partial(_bounded, most=STOCK_MAX),
    "daily_limit": partial(_bounded, most=STOCK_MAX),
}
"""Every field of a row and what turns its text into its value, or refuses it."""


def read_products(sheet: sheets.Sheet, *, pictures: Collection[str] | None = None) -> ReadProducts:
    """Read a table of products; a product with a fault in any of its rows is left out.

    ``pictures`` are the names of the files that came with it; None if none could.
    Raises: SheetUnreadable.
    """
    matched = sheets.match_columns(sheet.header, COLUMNS)
    faults = list(_judge_header(sheet, matched))
    if faults:
        return ReadProducts(faults=tuple(faults))
    reading = _Reading(pictures=frozenset(pictures or ()))
    for line, cells in sheet.rows():
        reading.take(line, matched.take(cells), surplus=len(cells) - len(sheet.header))
        if len(reading.faults) >= FAULTS_MAX:
            break
    if not reading.rows_read:
        reading.fault(sheet.header_line, "", "no_products")
    return ReadProducts(products=reading.products(), faults=tuple(reading.faults[:FAULTS_MAX]))


def _judge_header(sheet: sheets.Sheet, matched: sheets.Matched) -> Iterator[LineFault]:
    is_japanese = any(not name.isascii() for name in sheet.header)
    known = ", ".join(column_names("ja" if is_japanese else "en").values())
    line = sheet.header_line
    for name in matched.unmatched:
        shown = name[:VALUE_SHOWN_MAX]
        params = {"value": shown, "known": known}
        yield LineFault(line=line, column=shown, code="header_unknown", params=dict(params))
    for name in matched.repeated:
        shown = name[:VALUE_SHOWN_MAX]
        yield LineFault(line=line, column=shown, code="header_twice", params={"value": shown})
    for required in REQUIRED:
        if required not in matched.places:
            value = f"{required} / {COLUMNS[required][0]}"
            yield LineFault(
                line=line, column=required, code="header_missing", params={"value": value}
            )


class _Reading:
    """The products of one file while its rows are read."""

    def __init__(self, *, pictures: frozenset[str]) -> None:
        self.faults: list[LineFault] = []
        self.rows_read = 0
        self._pictures = pictures
        self._heads: dict[str, tuple[int, dict[str, Any]]] = {}
        self._variants: dict[str, list[VariantLine]] = {}
        self._variant_lines: dict[str, int] = {}
        self._wrong: set[str] = set()

    def fault(self, line: int, column: str, code: str, **params: object) -> None:
        """Note what is wrong with a cell, or with a whole line."""
        shown = {k: v[:VALUE_SHOWN_MAX] if isinstance(v, str) else v for k, v in params.items()}
        self.faults.append(LineFault(line=line, column=column, code=code, params=shown))

    def take(self, line: int, texts: Mapping[str, str], *, surplus: int) -> None:
        """Read one row."""
        self.rows_read += 1
        before = len(self.faults)
        if surplus > 0:
            self.fault(line, "", "cells", found=len(texts) + surplus, wanted=len(texts))
            return
        # A second row of a product need not say again what the first one said.
        is_first = texts["code"].strip().upper() not in self._heads
        values: dict[str, Any] = {}
        for name, text in texts.items():
            if not is_first and not text.strip() and name not in VARIANT_FIELDS:
                continue
            try:
                values[name] = CLEANERS[name](text)
            except FieldFault as error:
                self.fault(line, name, error.code, **error.params)
        code = values.get("code")
        if code is None:
            return
        self._join(line, code, values)
        if len(self.faults) > before:
            self._wrong.add(code)

    def _join(self, line: int, code: str, values: dict[str, Any]) -> None:
        own = {name: value for name, value in values.items() if name not in VARIANT_FIELDS}
        if code not in self._heads:
            self._heads[code] = (line, own)
            self._judge_product(line, own)
        first, head = self._heads[code]
        for name, value in own.items():
            if head.get(name) != value:
                self.fault(line, name, "differs", first=first)
        variant = values.get("variant_code") or code
        if variant in self._variant_lines:
            self.fault(
                line, "variant_code", "duplicate", value=variant, first=self._variant_lines[variant]
            )
        self._variant_lines.setdefault(variant, line)
        if head.get("kind") == "digital" and values.get("stock") is not None:
            self.fault(line, "stock", "stock_of_digital")
        about = {name: values[name] for name in values if name in VARIANT_FIELDS - {"variant_code"}}
        self._variants.setdefault(code, []).append(
            VariantLine(line=line, code=variant, values=about)
        )

    def _judge_product(self, line: int, own: Mapping[str, Any]) -> None:
        for name in own.get("pictures", ()):
            if name not in self._pictures:
                self.fault(line, "pictures", "picture_missing", value=name)

    def products(self) -> tuple[ProductLines, ...]:
        """Return the products in which nothing is wrong, in the order of the file."""
        return tuple(
            ProductLines(line=line, code=code, values=own, variants=tuple(self._variants[code]))
            for code, (line, own) in self._heads.items()
            if code not in self._wrong
        )
