"""The form for an address: what is typed, what a postcode fills in, what the domain says of it.

Hides: which parts are asked of whom: what is no parcel goes to nobody's door.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from giftpad import gifts, places
from giftpad.kernel.i18n import mark
from giftpad.kernel.prefectures import PREFECTURES
from giftpad.messaging import AddressUnfit, check_mail
from giftpad.portals.forms import Choice, Form, Words

MOST = 200
TIME_SLOTS = {
    "any": mark("Any time"),
    "morning": mark("In the morning"),
    "afternoon": mark("In the afternoon"),
    "evening": mark("In the evening"),
}
"""What each of the domain's times is called."""
FIND, TAKE = "find", "take"
"""Buttons that ask for the address of a postcode, and send nothing."""
NO_POSTCODE = mark("A postcode has seven digits, like 100-0001.")
UNKNOWN_POSTCODE = mark("We do not know this postcode. Please fill in the rest below.")
NO_HOUSE = mark("The house number is missing. If there is none, write so after the district.")
OUR_COUNTRY = "+81"


class AddressForm(Form):
    """Who gets what was chosen, where, and when."""

    name = Words(mark("Name"), most=MOST)
    kana = Words(mark("Reading of the name"), most=MOST, required=False)
    postcode = Words(mark("Postcode"), most=MOST)
    prefecture = Choice(mark("Prefecture"), holds_names=True)
    city = Words(mark("City, ward, town"), most=MOST)
    street = Words(mark("District and house number"), most=MOST)
    building = Words(mark("Building and room"), most=MOST, required=False)
    phone = Words(mark("Telephone"), most=MOST)
    email = Words(mark("E-mail"), most=MOST, required=False)
    time_slot = Choice(mark("When it is brought"), list(TIME_SLOTS.items()), required=False)
    wish = Words(mark("A wish for the delivery"), most=MOST, required=False)

    is_parcel = True

    @property
    def parts(self) -> tuple[str, ...]:
        """The fields that are asked."""
        return tuple(field.name for field in self if self.is_parcel or field.name in WITHOUT_DOOR)

    def typed(self) -> dict[str, str]:
        """Return what was typed into the fields that are asked."""
        return {name: self[name].data or "" for name in self.parts}


WITHOUT_DOOR = ("name", "kana", "email")
"""What is asked where nothing is brought to a door."""


def form_of(kind: str, known: Mapping[str, str]) -> AddressForm:
    """Return the form for a kind of product, filled with what is known."""
    form = AddressForm(data={"time_slot": "any"} | dict(known))
    return _fitted(form, kind)


def form_sent(kind: str, sent: object) -> AddressForm:
    """Return the form for a kind of product as it was sent."""
    return _fitted(AddressForm(sent), kind)


def _fitted(form: AddressForm, kind: str) -> AddressForm:
    form.is_parcel = kind == "goods"
    form.prefecture.choices = [(name, name) for name in PREFECTURES]
    return form


def read_address(form: AddressForm) -> gifts.Address | None:
    """Return the address that a form holds, or None and say at its fields what is wrong."""
    typed = form.typed()
    has_house = not form.is_parcel or _has_a_house(form, typed)
    try:
        if form.is_parcel:
            address = gifts.clean_address(typed)
            return address if has_house else None
        return _read_person(form, typed)
    except gifts.AddressFaulty as error:
        _tell(form, error)
        return None


def _has_a_house(form: AddressForm, typed: Mapping[str, str]) -> bool:
    """Whether an address is more than what its postcode says: no parcel finds a district.

    The postcode of a single house or office says its number.
    """
    known = {each.town + each.street for each in places.find_addresses(typed["postcode"])}
    if typed["street"] not in known or any(each.isdigit() for each in typed["street"]):
        return True
    form.refuse("street", NO_HOUSE)
    return False


def _read_person(form: AddressForm, typed: Mapping[str, str]) -> gifts.Address | None:
    """Return a person without a door; their mail address is all that reaches them."""
    nowhere = dict.fromkeys(("postcode", "prefecture", "city", "street", "phone"), "")
    try:
        gifts.clean_address(typed)
    except gifts.AddressFaulty as error:
        if _tell(form, error):
            return None
    try:
        email = check_mail(typed["email"]) if typed["email"] else ""
    except AddressUnfit:
        return None
    return gifts.Address(**nowhere, name=typed["name"], kana=typed["kana"], email=email)


def _tell(form: AddressForm, error: gifts.AddressFaulty) -> bool:
    """Say at the fields that are asked what is wrong with them; whether anything is."""
    faults: Mapping[str, Mapping[str, object]] = error.params["faults"]  # type: ignore[assignment] # JSON
    mine = {name: fault for name, fault in faults.items() if name in form.parts}
    for name, fault in mine.items():
        params = {key: value for key, value in fault.items() if key != "code"}
        form.refuse(name, gifts.ADDRESS_SENTENCES[str(fault["code"])], **params)
    return bool(mine)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a postcode stands for: nothing, one address which is filled in, or several to choose."""

    options: tuple[places.Address, ...] = ()
    is_filled: bool = False
    filled: str = ""
    """What was written into the street; another postcode takes it away again."""


def look_up(form: AddressForm, sent: Mapping[str, str]) -> Found:
    """Fill in what the postcode says, and lose nothing of what was typed.

    ``sent`` holds the button that was pressed and the number of the place that was chosen of
    several, beside what the last look-up has filled in.
    """
    place, before = sent.get("place", ""), sent.get("filled", "")
    if places.normalise_postcode(form.postcode.data) is None:
        form.refuse("postcode", NO_POSTCODE)
        return Found(filled=before)
    options = places.find_addresses(form.postcode.data)
    if not options:
        form.refuse("postcode", UNKNOWN_POSTCODE)
        return Found(filled=before)
    if len(options) == 1:
        return _fill(form, options[0], before)
    if sent.get("act") == TAKE and place in map(str, range(len(options))):
        return _fill(form, options[int(place)], before)
    return Found(options=options, filled=before)


def _fill(form: AddressForm, found: places.Address, before: str) -> Found:
    form.postcode.data = places.format_postcode(found.postcode)
    form.prefecture.data, form.city.data = found.prefecture, found.city
    typed, known = form.street.data.removeprefix(before), found.town + found.street
    form.street.data = typed if found.town and typed.startswith(found.town) else known + typed
    return Found(filled=known, is_filled=True)


def known_of(address: gifts.Address) -> dict[str, str]:
    """Return the fields of an address as people write them."""
    fields = asdict(address)
    fields["postcode"] = write_postcode(address)
    fields["phone"] = write_phone(address)
    return fields


def write_postcode(address: gifts.Address) -> str:
    """Write the postcode of an address as it is read."""
    return places.format_postcode(address.postcode) if address.postcode else ""


def write_phone(address: gifts.Address) -> str:
    """Write a telephone number as it is dialled in Japan."""
    if address.phone.startswith(OUR_COUNTRY):
        return "0" + address.phone.removeprefix(OUR_COUNTRY)
    return address.phone
