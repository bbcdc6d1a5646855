"""Forms about a shop: what is typed is cleaned and judged as it is in a file of shops.

Hides: which cleaner belongs to which field, how a fault of it is said, how groups are written.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from giftpad import shops
from giftpad.kernel.i18n import mark
from giftpad.portals.forms import Day, Form, Words
from giftpad.portals.words import say_in_words, sentences

TYPED_LENGTH_MAX = 500
GROUP_SEPARATOR = "; "
CONTACT_FIELDS = ("contact_name", "contact_phone", "contact_email")
FACT_FIELDS = (
    "name",
    "kana",
    "area",
    "groups",
    "address",
    "phone",
    "floor_area_m2",
    "hq_prefecture",
)
COLUMN_WORDS: dict[str, str] = {
    "number": mark("Shop number"),
    "name": mark("Shop name"),
    "kana": mark("Reading in kana"),
    "area": mark("Area"),
    "groups": mark("Groups of shops"),
    "accepting": mark("Takes coupons"),
    "address": mark("Address"),
    "phone": mark("Telephone"),
    "floor_area_m2": mark("Floor area in square metres"),
    "hq_prefecture": mark("Prefecture of the head office"),
    "starts_on": mark("From which day"),
    "contact_name": mark("Name of the contact"),
    "contact_phone": mark("Telephone of the contact"),
    "contact_email": mark("E-mail of the contact"),
}
"""What the fields of a shop, and the columns of a file of shops, are called at the desk."""


def _typed(name: str, *, required: bool = False) -> Words:
    return Words(COLUMN_WORDS[name], most=TYPED_LENGTH_MAX, required=required)


class CleanedForm(Form):
    """A form some of whose fields are judged by the rules of shops."""

    def clean(self, names: Sequence[str]) -> dict[str, Any] | None:
        """Return the cleaned values of fields, or None with each fault at its field."""
        is_right = self.is_right()
        values: dict[str, Any] = {}
        for name in names:
            field = self[name]
            try:
                values[name] = shops.CLEANERS[name](field.data or "")
            except shops.FieldFault as fault:
                is_right = False
                if not field.errors:
                    what, remedy = shops.SENTENCES[fault.code]
                    told = (say_in_words(what, **fault.params), say_in_words(remedy))
                    field.errors = [sentences(told)]
        return values if is_right else None


class FactsForm(CleanedForm):
    """What holds for a shop, and from which day; ``seen`` is what the page was drawn from."""

    name = _typed("name", required=True)
    kana = _typed("kana")
    area = _typed("area", required=True)
    groups = _typed("groups")
    address = _typed("address")
    phone = _typed("phone")
    floor_area_m2 = _typed("floor_area_m2")
    hq_prefecture = _typed("hq_prefecture")
    starts_on = Day(COLUMN_WORDS["starts_on"], required=False)


class EnrolForm(FactsForm):
    """A shop to enrol, with the person it is reached by."""

    number = _typed("number", required=True)
    contact_name = _typed("contact_name")
    contact_phone = _typed("contact_phone")
    contact_email = _typed("contact_email")


class ContactForm(CleanedForm):
    """The person a shop is reached by."""

    contact_name = _typed("contact_name")
    contact_phone = _typed("contact_phone")
    contact_email = _typed("contact_email")

    def contact(self) -> shops.Contact | None:
        """Return the contact, or None with each fault at its field."""
        values = self.clean(CONTACT_FIELDS)
        return None if values is None else as_contact(values)


class BranchForm(CleanedForm):
    """One place of a shop."""

    name = _typed("name", required=True)
    address = _typed("address")


def as_contact(values: dict[str, Any]) -> shops.Contact:
    """Return the contact that cleaned fields make."""
    return shops.Contact(
        name=values["contact_name"], phone=values["contact_phone"], email=values["contact_email"]
    )


def as_typed(facts: shops.Facts) -> dict[str, str]:
    """Return facts as somebody would type them."""
    typed = {name: str(getattr(facts, name) or "") for name in FACT_FIELDS}
    typed["groups"] = GROUP_SEPARATOR.join(facts.groups)
    if facts.floor_area_m2 is not None:
        typed["floor_area_m2"] = str(facts.floor_area_m2)
    return typed


def changed(facts: shops.Facts, values: dict[str, Any]) -> dict[str, Any]:
    """Return only the values that differ from facts."""
    return {name: value for name, value in values.items() if getattr(facts, name) != value}
