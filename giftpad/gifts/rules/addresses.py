"""Where a claimed gift goes: the parts of an address in Japan, cleaned and judged."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from giftpad import sheets
from giftpad.gifts.errors import AddressFaulty
from giftpad.gifts.rules.gifts import TIME_SLOTS
from giftpad.kernel.i18n import mark
from giftpad.kernel.prefectures import PREFECTURES
from giftpad.messaging import AddressUnfit, check_mail, check_phone

LENGTHS: Mapping[str, int] = {
    "name": 40,
    "kana": 60,
    "city": 40,
    "street": 80,
    "building": 80,
    "wish": 200,
}
OTHER_LENGTH_MAX = 100
REQUIRED = ("name", "prefecture", "city", "street")
_POSTCODE_DIGITS = 7
_KANA = re.compile(r"[\u3041-\u3096\u30a1-\u30fa\u30fb\u30fc0-9A-Za-z .,'-]+")

ADDRESS_SENTENCES: Mapping[str, str] = {
    "required": mark("This must not be empty."),
    "too_long": mark("This has at most {most} characters."),
    "character": mark("There is a character in it that cannot be shown. Type it again."),
    "postcode": mark("A postcode has seven digits, like 100-0001."),
    "prefecture": mark("Choose the prefecture from the list."),
    "kana": mark("Write how the name is read, in kana."),
    "phone": mark("Write the telephone number in digits, like 09012345678."),
    "mail": mark("This is no mail address. Check it, or leave it empty."),
    "time_slot": mark("Choose one of the times."),
}
"""What is wrong with a part of an address, and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Who gets a parcel where; ``postcode`` is seven digits, ``phone`` with its country."""

    name: str
    kana: str = ""
    postcode: str
    prefecture: str
    city: str
    street: str
    building: str = ""
    phone: str
    email: str = ""
    wish: str = ""
    time_slot: str = "any"

    def as_json(self) -> dict[str, str]:
        """Return the address as it is kept, sealed."""
        return asdict(self)


def clean_address(values: Mapping[str, str]) -> Address:
    """Clean what somebody typed; all that is wrong is told at once.

    Raises: AddressFaulty, whose ``faults`` holds code and params by field.
    """
    faults: dict[str, dict[str, object]] = {}
    clean: dict[str, str] = {}
    for field in Address.__dataclass_fields__:
        most = LENGTHS.get(field, OTHER_LENGTH_MAX)
        try:
            clean[field] = sheets.clean_text(values.get(field, ""), length_max=most)
        except sheets.FieldFault as fault:
            faults[field] = {"code": fault.code, "most": most}
            continue
        if field in REQUIRED and not clean[field]:
            faults[field] = {"code": "required"}
    for field, judge in _JUDGES.items():
        if field not in faults:
            try:
                clean[field] = judge(clean[field])
            except (AddressUnfit, ValueError):
                code = {"email": "mail"}.get(field, field)
                faults[field] = {"code": code}
    if faults:
        raise AddressFaulty(faults=faults)
    return Address(**clean)


def _postcode(text: str) -> str:
    digits = "".join(c for c in unicodedata.normalize("NFKC", text) if c.isdigit())
    if len(digits) != _POSTCODE_DIGITS:
        raise ValueError
    return digits


def _prefecture(text: str) -> str:
    if text not in PREFECTURES:
        raise ValueError
    return text


def _kana(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text)
    if folded and not _KANA.fullmatch(folded):
        raise ValueError
    return folded


def _email(text: str) -> str:
    return check_mail(text) if text else ""


def _time_slot(text: str) -> str:
    if text and text not in TIME_SLOTS:
        raise ValueError
    return text or TIME_SLOTS[0]


_JUDGES = {
    "postcode": _postcode,
    "prefecture": _prefecture,
    "kana": _kana,
    "phone": check_phone,
    "email": _email,
    "time_slot": _time_slot,
}
