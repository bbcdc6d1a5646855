"""Where a letter goes: the parts of an address in Japan as they stand in its window.

Hides: which part holds the prefecture, how much of an address the window shows.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from giftpad.kernel.i18n import mark
from giftpad.kernel.prefectures import PREFECTURES
from giftpad.printing import MissingGlyph, check_glyphs

POSTAL_FIELDS = ("postcode", "prefecture", "city", "street", "building")
POSTCODE_DIGITS = 7
ADDRESS_LENGTH_MAX = 48
"""Prefecture, city and street together: two lines of the window."""
BUILDING_LENGTH_MAX = 24
POSTAL_SENTENCES: Mapping[str, str] = {
    "postal.postcode": mark("A postcode has seven digits, like 100-0001."),
    "postal.prefecture": mark("Begin the address with the prefecture, like 東京都."),
    "postal.long": mark("In the window there is room for {most} characters; these are {length}."),
    "postal.glyph": mark("The character {character} cannot be printed. Write it otherwise."),
}

Found = tuple[str, str, dict[str, object]]
"""What is wrong: the field, the code, what the sentence names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Postal:
    """Where a letter goes; ``postcode`` is seven digits."""

    postcode: str
    prefecture: str
    city: str
    street: str
    building: str

    def as_json(self) -> dict[str, str]:
        """Return the address as it is kept, sealed with its person."""
        return asdict(self)

    def in_one_line(self) -> str:
        """Write the address as a list shows it.

        >>> Postal(postcode="1000001", prefecture="東京都", city="千代田区", street="千代田1-1",
        ...     building="").in_one_line()
        '〒100-0001 東京都千代田区千代田1-1'
        """
        whole = f"{self.prefecture}{self.city}{self.street}"
        return " ".join(filter(None, (shown_postcode(self.postcode), whole, self.building)))


def shown_postcode(digits: str) -> str:
    """Write a postcode as it stands on a letter."""
    return f"〒{digits[:3]}-{digits[3:]}" if digits else ""


def judge_postal(values: Mapping[str, str]) -> tuple[Postal, list[Found]]:
    """Understand an address; the prefecture may stand before the city or the street.

    >>> judge_postal({"postcode": "100-0001", "street": "東京都千代田区千代田1-1"})[0].prefecture
    '東京都'
    """
    faults: list[Found] = []
    parts = {field: values.get(field, "") for field in POSTAL_FIELDS}
    digits = unicodedata.normalize("NFKC", parts["postcode"]).lstrip("〒 ")
    digits = digits.replace("-", "").replace("\u2212", "").replace("\u2015", "")
    if not digits:
        faults.append(("postcode", "required", {}))
    elif len(digits) != POSTCODE_DIGITS or not (digits.isascii() and digits.isdigit()):
        faults.append(("postcode", "postal.postcode", {}))
        digits = ""
    parts["postcode"] = digits
    if not parts["street"]:
        faults.append(("street", "required", {}))
    elif not parts["prefecture"]:
        _find_prefecture(parts)
    if parts["street"] and parts["prefecture"] not in PREFECTURES:
        is_typed = bool(values.get("prefecture"))
        faults.append(("prefecture" if is_typed else "street", "postal.prefecture", {}))
    faults += _unfit(parts)
    return Postal(**parts), faults


def _find_prefecture(parts: dict[str, str]) -> None:
    """Take the prefecture from the beginning of what comes first; nothing is guessed."""
    field = "city" if parts["city"] else "street"
    for prefecture in PREFECTURES:
        if parts[field].startswith(prefecture):
            parts["prefecture"] = prefecture
            parts[field] = parts[field].removeprefix(prefecture).strip()
            return


def _unfit(parts: Mapping[str, str]) -> list[Found]:
    whole = len(parts["prefecture"] + parts["city"] + parts["street"])
    faults: list[Found] = []
    for field, length, most in (
        ("street", whole, ADDRESS_LENGTH_MAX),
        ("building", len(parts["building"]), BUILDING_LENGTH_MAX),
    ):
        if length > most:
            faults.append((field, "postal.long", {"length": length, "most": most}))
    for field in ("city", "street", "building"):
        try:
            check_glyphs([parts[field]])
        except MissingGlyph as error:
            faults.append((field, "postal.glyph", {"character": error.params["character"]}))
    return faults
