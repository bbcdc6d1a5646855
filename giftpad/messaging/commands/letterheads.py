"""The part of a pack that is about letters: ``mail.toml`` and ``texts/<language>/letters.toml``."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import PurePosixPath
from typing import cast

from sqlalchemy.dialects.postgresql import insert

from giftpad.kernel.i18n import LOCALES
from giftpad.kernel.work import Work
from giftpad.messaging.errors import AddressUnfit
from giftpad.messaging.models import LetterheadRow
from giftpad.messaging.rules.addresses import check_mail
from giftpad.messaging.rules.gifts import GIFT_LETTERS
from giftpad.messaging.rules.letterheads import Letterhead
from giftpad.messaging.rules.values import KINDS, TEXT_LENGTH_MAX
from giftpad.messaging.rules.wording import (
    LINK_LINE,
    Letter,
    Wording,
    has_stray_brace,
    names_in,
)
from giftpad.tenancy import PackFolder, Problems, Table, read_toml

SECTION_FILES = re.compile(rf"mail\.toml|texts/(?:{'|'.join(LOCALES)})/letters\.toml")
LINES_MAX = 30
LINE_LENGTH_MAX = 1_000


def read_section(folder: PackFolder, paths: tuple[str, ...], problems: Problems) -> Letterhead:
    """Read who sends a tenant's letters, and its own words for them."""
    head = Letterhead()
    wordings: dict[tuple[str, str], Wording] = {}
    for path in paths:
        shown, data = folder.shown(path), folder.files[path]
        if path == "mail.toml":
            head = read_toml(shown, data, problems, read=_read_sender) or head
            continue
        locale = PurePosixPath(path).parent.name
        found = read_toml(shown, data, problems, read=_read_wordings)
        wordings |= {(locale, template): each for template, each in (found or {}).items()}
    return Letterhead(
        sender=head.sender,
        sender_names=head.sender_names,
        reply_to=head.reply_to,
        return_path=head.return_path,
        wordings=wordings,
    )


def _read_sender(table: Table) -> Letterhead:
    return Letterhead(
        sender=_address(table, "sender"),
        sender_names=_names(table),
        reply_to=_address(table, "reply_to"),
        return_path=_address(table, "return_path"),
    )


def _address(table: Table, key: str) -> str:
    text = table.text(key, required=False)
    try:
        return check_mail(text) if text else ""
    except AddressUnfit:
        remedy = "Write a mail address such as gifts@town.example."
        table.fault(key, f'"{key}" is "{text}".', remedy)
        return ""


def _names(table: Table) -> dict[str, str]:
    names = table.by_locale("sender_name", required=False, length_max=TEXT_LENGTH_MAX)
    for locale, name in names.items():
        if name and KINDS["text"](name) is None:
            fault = f'"sender_name" for {locale} holds what no mail program shows.'
            table.fault("sender_name", fault, "Write it on one line, in plain signs.")
    return names


def _read_wordings(table: Table) -> dict[str, Wording]:
    found: dict[str, Wording] = {}
    for template, letter in GIFT_LETTERS.items():
        own = table.table(template, required=False)
        if own is not None:
            found[template] = _read_wording(own, letter)
            own.close()
    return found


def _read_wording(table: Table, letter: Letter) -> Wording:
    subject = table.text("subject", length_max=TEXT_LENGTH_MAX)
    lines = table.texts("lines", required=True, length_max=LINE_LENGTH_MAX)
    sms: tuple[str, ...] = ()
    if letter.sms:
        sms = table.texts("sms", length_max=LINE_LENGTH_MAX)
    _check_lines(table, "subject", [subject], letter)
    if "\n" in subject:
        table.fault("subject", '"subject" has several lines.', "Write it on one line.")
    for name in sorted(names_in(subject) & letter.optional):
        fault = f'"subject" names {{{name}}}, which a letter may do without.'
        table.fault("subject", fault, "Leave it out of the subject.")
    if names_in(subject) & _of_many_lines(letter):
        fault = '"subject" names a value of many lines.'
        table.fault("subject", fault, "Leave it out of the subject.")
    for key, told, needs in (("lines", lines, letter.needs), ("sms", sms, ("link",))):
        if told:
            _check_lines(table, key, told, letter)
            _check_needs(table, key, told, needs)
    return Wording(subject=subject, lines=lines, sms=sms)


def _of_many_lines(letter: Letter) -> set[str]:
    return {name for name, kind in letter.values.items() if kind in ("long", "colour")}


def _check_lines(table: Table, key: str, lines: Sequence[str], letter: Letter) -> None:
    known = ", ".join(f"{{{name}}}" for name in letter.values)
    if len(lines) > LINES_MAX:
        table.fault(key, f'"{key}" has {len(lines)} lines.', f"Shorten it to {LINES_MAX}.")
    checks: tuple[tuple[Callable[[str], bool], str, str], ...] = (
        (
            lambda line: KINDS["long"](line) is None,
            "holds a sign that no mail program shows.",
            "Write it in plain signs.",
        ),
        (has_stray_brace, "holds a brace that belongs to no value.", f"Known are {known}."),
        (
            lambda line: LINK_LINE in line and line != LINK_LINE,
            "has words beside {link}.",
            'Write "{link}" as a line of its own; it becomes a button.',
        ),
    )
    for line in lines:
        for name in sorted(names_in(line) - set(letter.values)):
            table.fault(key, f'"{key}" names {{{name}}}.', f"Known are {known}.")
        for is_wrong, fault, remedy in checks:
            if is_wrong(line):
                table.fault(key, f'"{key}" {fault}', remedy)


def _check_needs(table: Table, key: str, lines: Sequence[str], needs: Sequence[str]) -> None:
    named = {name for line in lines for name in names_in(line)}
    for name in needs:
        if name not in named:
            fault = f'"{key}" does not name {{{name}}}.'
            table.fault(key, fault, "Whoever gets the letter needs it: put it into a line.")


def apply_section(work: Work, section: object) -> list[str]:
    """Make a tenant's letterhead what its pack says."""
    wanted = cast("Letterhead", section).as_row()
    row = work.session.get(LetterheadRow, work.tenant_id)
    changed = [
        name
        for name, value in wanted.items()
        if value != (getattr(row, name) if row is not None else type(value)())
    ]
    if changed:
        letterhead = insert(LetterheadRow).values(tenant_id=work.tenant_id, **wanted)
        work.session.execute(
            letterhead.on_conflict_do_update(index_elements=["tenant_id"], set_=wanted)
        )
    return [f"{name} changed" for name in changed]
