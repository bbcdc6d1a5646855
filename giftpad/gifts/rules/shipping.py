"""Parcels: what a supplier is told, what a carrier tells back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from giftpad.kernel.i18n import mark

GOODS = "goods"
"""The kind of product that travels in a parcel; others are fulfilled without one."""

LIST_FIELDS: Mapping[str, str] = {
    "number": "お届け番号",
    "code": "商品コード",
    "product": "商品名",
    "name": "お届け先氏名",
    "kana": "お届け先フリガナ",
    "postcode": "郵便番号",
    "prefecture": "都道府県",
    "city": "市区町村",
    "street": "町名・番地",
    "building": "建物名",
    "phone": "電話番号",
    "time_slot": "時間帯",
    "wish": "ご希望",
    "sender": "ご依頼主",
}
"""The columns of a shipping list, with the names they have until a supplier wants others."""
TRACKING_FIELDS: Mapping[str, tuple[str, ...]] = {
    "number": ("お届け番号", "受付番号", "お客様管理番号", "お客様管理ナンバー", "number", "claim"),
    "tracking": ("伝票番号", "送り状番号", "お問い合わせ番号", "お問合せ番号", "tracking number"),
    "carrier": ("運送会社", "配送業者", "配送会社", "carrier"),
}
TRACKING_LENGTH_MAX, CARRIER_LENGTH_MAX = 40, 40

SHIPPING_SENTENCES: Mapping[str, str] = {
    "number.missing": mark("The number of the claim is missing."),
    "number.unknown": mark("There is no claim with the number {number}."),
    "tracking.missing": mark("The carrier's number is missing."),
    "tracking.shape": mark("This is no carrier's number: {tracking}."),
    "carrier.missing": mark("Say which carrier it is."),
    "carrier.shape": mark("A carrier's name has at most {most} characters that can be shown."),
    "state": mark("The claim {number} cannot be sent: it is {state}."),
    "repeated": mark("The claim {number} stands there twice."),
}
"""What is wrong with a line of a file of a carrier."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shipped:
    """One line of a carrier's file: which claim travels under which number."""

    line: int
    number: str
    carrier: str
    tracking: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShippingFault:
    """What is wrong with one line of a carrier's file."""

    line: int
    code: str
    params: Mapping[str, str]


def clean_shipped(line: int, cells: Mapping[str, str], *, carrier: str) -> Shipped | ShippingFault:
    """Understand one line of a carrier's file; ``carrier`` holds where none is named.

    >>> clean_shipped(2, {"number": "g-4f271", "tracking": "1234-5678-9012"}, carrier="架空便")
    Shipped(line=2, number='G-4F271', carrier='架空便', tracking='1234-5678-9012')
    """
    number = cells.get("number", "").strip().upper()
    tracking = cells.get("tracking", "").strip()
    named = " ".join((cells.get("carrier", "").strip() or carrier).split())

    def fault(code: str, **params: str) -> ShippingFault:
        return ShippingFault(line=line, code=code, params=params)

    if not number:
        return fault("number.missing")
    if not tracking:
        return fault("tracking.missing")
    if not named:
        return fault("carrier.missing")
    if len(named) > CARRIER_LENGTH_MAX or not named.isprintable():
        return fault("carrier.shape", most=str(CARRIER_LENGTH_MAX))
    is_plain = tracking.isascii() and tracking.replace("-", "").isalnum()
    if not is_plain or len(tracking) > TRACKING_LENGTH_MAX:
        return fault("tracking.shape", tracking=tracking[:TRACKING_LENGTH_MAX])
    return Shipped(line=line, number=number, carrier=named, tracking=tracking)
