"""Recipients as somebody hands them in: what each cell means, and what is wrong with it.

Hides: widths, spaces, the ways to write a telephone number.  Nothing is guessed: a value that is
not right is named with what to do, and stands there to be mended as it was typed.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from giftpad import sheets
from giftpad.gifts.rules.contracts import CARD, LETTER, LINK, MAIL, NAMED, PRINTED, SMS
from giftpad.gifts.rules.postal import POSTAL_FIELDS, POSTAL_SENTENCES, Postal, judge_postal
from giftpad.kernel.i18n import LOCALES, mark
from giftpad.messaging import AddressUnfit, check_mail, check_phone
from giftpad.printing import MissingGlyph, check_glyphs

FIELDS = ("name", "mail", "phone", "channel", "external_id", "note", "locale", *POSTAL_FIELDS)
"""The columns of a file of recipients."""
HEADERS: Mapping[str, tuple[str, ...]] = {
    "name": ("氏名", "名前", "お名前", "宛名", "name", "full name", "recipient"),
    "mail": ("メール", "メールアドレス", "e-mail", "email", "mail"),
    "phone": ("電話番号", "携帯電話", "携帯", "電話", "phone", "mobile", "tel"),
    "channel": ("送り方", "方法", "channel"),
    "external_id": ("管理番号", "社員番号", "会員番号", "id", "external_id", "external id"),
    "note": ("ひとこと", "メッセージ", "note", "message"),
    "locale": ("言語", "language", "locale"),
    "postcode": ("郵便番号", "〒", "postcode", "postal code", "zip"),
    "prefecture": ("都道府県", "prefecture"),
    "city": ("市区町村", "市町村", "city"),
    "street": ("住所", "番地", "町名番地", "住所1", "street", "address"),
    "building": ("建物名", "建物", "住所2", "building"),
}
"""What a column may be called; the first is what our own files call it."""
CHANNEL_WORDS: Mapping[str, str] = {
    "mail": MAIL,
    "e-mail": MAIL,
    "email": MAIL,
    "メール": MAIL,
    "sms": SMS,
    "ショートメール": SMS,
    "link": LINK,
    "リンク": LINK,
    "card": CARD,
    "カード": CARD,
    "はがき": CARD,
    "letter": LETTER,
    "手紙": LETTER,
    "封書": LETTER,
    "郵送": LETTER,
}
LOCALE_WORDS: Mapping[str, str] = {
    "ja": "ja",
    "日本語": "ja",
    "japanese": "ja",
    "en": "en",
    "英語": "en",
    "english": "en",
}
NAME_LENGTH_MAX = 60
CARD_NAME_LENGTH_MAX = 20
NOTE_LENGTH_MAX = 200
ID_LENGTH_MAX = 64
CELL_LENGTH_MAX = 1000
"""Of what was typed, no more than this is kept for mending."""
_MOBILE = re.compile(r"\+81[6789]0\d{8}")
_COUNTRY = "+81"
_ID = re.compile(r"[\w.@:/+-]{1,64}")

RECIPIENT_SENTENCES: Mapping[str, str] = {
    "required": mark("This must not be empty."),
    "name.long": mark("A name has at most {most} characters; this one has {length}."),
    "name.card": mark("On paper a name has at most {most} characters; this one has {length}."),
    "name.glyph": mark("The character {character} cannot be printed. Write the name otherwise."),
    "name.address": mark("This looks like a mail address. Put the person's name here."),
    "character": mark("Character {place} cannot be shown. Type the value again."),
    "mail.at": mark("A mail address has one @ with something on both sides."),
    "mail.shape": mark("Check the part after the @: a mail address ends like example.com."),
    "mail.space": mark("There is a space inside the mail address. Take it out."),
    "mail.two": mark("There are two addresses in one cell. Keep one."),
    "phone.shape": mark("Write the telephone number in digits, like 09012345678."),
    "phone.zero": mark("The leading 0 is missing. A spreadsheet drops it: add it."),
    "phone.landline": mark("An SMS goes to mobile numbers only: 090, 080, 070 or 060."),
    "channel.unknown": mark("Write mail, sms, link, card or letter."),
    "channel.card": mark("A card is printed with its order only. Choose another way of sending."),
    "channel.address": mark("This way of sending needs an address that is missing."),
    "locale.unknown": mark("Write ja or en."),
    "note.long": mark("A note has at most {most} characters; this one has {length}."),
    "external_id.shape": mark("A reference has at most {most} letters, digits and - . _ : / + @."),
    "external_id.repeated": mark("This reference stands in line {line} already."),
    "external_id.known": mark("A gift with this reference was ordered before."),
    "columns": mark("This line has more cells than the heading. Check its commas and quotes."),
    "note.glyph": mark("The character {character} cannot be printed. Write the note otherwise."),
    **POSTAL_SENTENCES,
}
"""What is wrong with a cell and what to do, by code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that is wrong with one cell."""

    column: str
    code: str
    params: Mapping[str, Any]

    def as_json(self) -> dict[str, Any]:
        """Return the fault as it is kept."""
        return {"column": self.column, "code": self.code, "params": dict(self.params)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """One recipient as handed in, and what was understood.

    ``cells`` is what was typed, by field; ``address`` the mail address or number that is sent to,
    empty for a link or a card.  ``postal`` is where a letter goes, None for any other way.
    """

    line: int
    cells: Mapping[str, str]
    name: str
    address: str
    channel: str
    external_id: str
    note: str
    locale: str
    faults: tuple[Fault, ...]
    postal: Postal | None = None

    @property
    def index_words(self) -> str:
        """What tells whether somebody stands there twice: the address; of a letter the name too."""
        return self.address if self.postal is None else f"{self.address} {self.name}"


class _Judge:
    """Reads the cells of one line and notes what is wrong with each."""

    def __init__(self, cells: Mapping[str, str]) -> None:
        self.cells = cells
        self.faults: list[Fault] = []

    def fault(self, column: str, code: str, **params: object) -> None:
        self.faults.append(Fault(column=column, code=code, params=params))

    def plain(self, column: str) -> str:
        """Return a cell without spaces around; what cannot be shown is a fault."""
        try:
            # How long a cell may be is told by its own sentence.
            return sheets.clean_text(self.cells.get(column, ""), length_max=sys.maxsize)
        except sheets.FieldFault as fault:
            self.fault(column, fault.code, **fault.params)
            return ""

    def folded(self, column: str) -> str:
        return unicodedata.normalize("NFKC", self.plain(column))

    def name(self) -> str:
        text = self.plain("name")
        if not text:
            if not self.faults:
                self.fault("name", "required")
        elif len(text) > NAME_LENGTH_MAX:
            self.fault("name", "name.long", length=len(text), most=NAME_LENGTH_MAX)
        elif "@" in text and " " not in text:
            self.fault("name", "name.address")
        return text

    def mail(self) -> str:
        text = self.folded("mail")
        if not text:
            return ""
        try:
            return check_mail(text)
        except AddressUnfit:
            self.fault("mail", _mail_fault(text))
            return ""

    def phone(self) -> str:
        text = self.folded("phone")
        if not text:
            return ""
        try:
            number = check_phone(text)
        except AddressUnfit:
            is_short = re.fullmatch(r"[6789]0[\d-]{8,11}", text) is not None
            self.fault("phone", "phone.zero" if is_short else "phone.shape")
            return ""
        return number

    def word(self, column: str, known: Mapping[str, str], code: str, default: str) -> str:
        text = self.folded(column)
        if not text:
            return default
        value = known.get(text.casefold(), "")
        if not value:
            self.fault(column, code)
        return value

    def external_id(self) -> str:
        text = self.folded("external_id")
        if text and not _ID.fullmatch(text):
            self.fault("external_id", "external_id.shape", most=ID_LENGTH_MAX)
        return text[:ID_LENGTH_MAX]

    def note(self) -> str:
        text = self.plain("note")
        if len(text) > NOTE_LENGTH_MAX:
            self.fault("note", "note.long", length=len(text), most=NOTE_LENGTH_MAX)
        return text


def _mail_fault(text: str) -> str:
    if text.count("@") > 1 and re.search(r"[,;、\s]", text):
        return "mail.two"
    if " " in text:
        return "mail.space"
    before, at, after = text.partition("@")
    return "mail.shape" if at and before and after and "@" not in after else "mail.at"


def _check_printed(judge: _Judge, name: str) -> None:
    if len(name) > CARD_NAME_LENGTH_MAX:
        judge.fault("name", "name.card", length=len(name), most=CARD_NAME_LENGTH_MAX)
        return
    try:
        check_glyphs([name])
    except MissingGlyph as error:
        judge.fault("name", "name.glyph", character=error.params["character"])


def _postal(judge: _Judge) -> Postal:
    """Return where a letter goes, and note what keeps it from being printed or delivered."""
    postal, faults = judge_postal({field: judge.plain(field) for field in POSTAL_FIELDS})
    for field, code, params in faults:
        if not any(fault.column == field for fault in judge.faults):
            judge.fault(field, code, **params)
    try:
        check_glyphs([judge.plain("note")])
    except MissingGlyph as error:
        judge.fault("note", "note.glyph", character=error.params["character"])
    return postal


def _address(judge: _Judge, channel: str, mail: str, phone: str) -> str:
    """Return where a gift goes; a channel whose address is missing or unfit is a fault."""
    if channel == MAIL:
        if not mail and not any(fault.column == "mail" for fault in judge.faults):
            judge.fault("mail", "required")
        return mail
    if channel == SMS:
        if not phone and not any(fault.column == "phone" for fault in judge.faults):
            judge.fault("phone", "required")
        elif phone.startswith(_COUNTRY) and not _MOBILE.fullmatch(phone):
            judge.fault("phone", "phone.landline")
        return phone
    return ""


def judge_recipient(
    line: int, cells: Mapping[str, str], *, channel: str, locale: str, extra: bool = False
) -> Recipient:
    """Understand one recipient; ``channel`` and ``locale`` hold for whoever names none.

    ``extra`` says that the line had more cells than the heading.

    >>> r = judge_recipient(2, {"name": "山田 花子", "mail": "hana@exmaple"}, channel="mail",
    ...     locale="ja")
    >>> [(fault.column, fault.code) for fault in r.faults]
    [('mail', 'mail.shape')]
    """
    assert channel in NAMED
    assert locale in LOCALES
    judge = _Judge(cells)
    if extra:
        judge.fault("name", "columns")
    name = judge.name()
    mail, phone = judge.mail(), judge.phone()
    default = channel
    if channel == MAIL and not judge.plain("mail") and phone:
        default = SMS  # the only address there is says how
    chosen = judge.word("channel", CHANNEL_WORDS, "channel.unknown", default)
    if chosen in PRINTED and not judge.faults:
        _check_printed(judge, name)
    postal = _postal(judge) if chosen == LETTER else None
    address = _address(judge, chosen, mail, phone) if postal is None else postal.in_one_line()
    kept = {field: cells.get(field, "")[:CELL_LENGTH_MAX] for field in FIELDS if cells.get(field)}
    return Recipient(
        line=line,
        cells=kept,
        name=name,
        address=address,
        channel=chosen or default,
        external_id=judge.external_id(),
        note=judge.note(),
        locale=judge.word("locale", LOCALE_WORDS, "locale.unknown", locale) or locale,
        faults=tuple(judge.faults),
        postal=postal,
    )
