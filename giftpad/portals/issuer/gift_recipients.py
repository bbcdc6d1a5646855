"""Third step of a gift order: its recipients, by a file, by pasting, one by one; mended in place.

Hides: when a file must be looked at before it is taken, which part of a form is a mend.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, g, request, url_for

from giftpad import gifts, sheets
from giftpad.edge import body_limit, current_locale, current_scope, requires
from giftpad.guard import KeyReused, StillRunning
from giftpad.kernel.errors import Conflict, Invalid
from giftpad.kernel.i18n import mark
from giftpad.kernel.work import Scope, Work, unit_of_work
from giftpad.portals.downloads import XLSX, attachment
from giftpad.portals.forms import Choice, Form, LongWords, Upload, WholeNumber, Words, refused
from giftpad.portals.http import do_once, new_key, see_other
from giftpad.portals.issuer import gift_columns
from giftpad.portals.issuer.gift_columns import COLUMN_WORDS, FILE_PATIENCE_S
from giftpad.portals.issuer.gift_reports import record_taking
from giftpad.portals.issuer.gift_shown import (
    CHANNEL_WORDS,
    can_send,
    draw,
)
from giftpad.portals.lists import number_asked
from giftpad.portals.words import say_in_words

bp = Blueprint("recipients", __name__)
bp.register_blueprint(gift_columns.bp)

BODY_MAX = sheets.SIZE_MAX + 64 * 1024
"""A file and the frame that a form puts around it."""
PASTED_LENGTH_MAX = 1_000_000
FAULTY_SHOWN, GOOD_SHOWN = 50, 50
LINES_READ = 200
MEND_LENGTH_MAX = 500
_LINE = re.compile(r"[0-9]{1,7}")
_MEND = re.compile(r"mend-([0-9]{1,7})-([a-z_]{1,20})")

KEPT, TAKEN_IN = "kept", "taken"

TAKEN = mark("{all} rows read: {good} ready, {bad} need you.")
ADDED = mark("Added. {good} recipients are ready.")
LEFT_OUT = mark("Left out: {n} rows.")
MENDED = mark("All rows are ready: {good}.")
MEANT = mark("Noted: each of them gets a gift of their own.")
DROPPED = mark("Taken out: {n} rows. The first of each stays.")
CODED = mark("Codes wanted: {n}. Nobody needs to be named. Nothing is ordered yet.")
NOT_CODED = mark("The order is for recipients again.")
NOTHING_PASTED = mark("Paste the rows here first.")
NO_FILE = mark("Please choose a file.")

Answer = Response | tuple[str, int]


class HandInForm(Form):
    """People as a file or pasted, and how a gift goes to whoever has no way of their own."""

    channel = Choice(
        mark("How gifts go to those who have no way of their own in the list"),
        [(name, CHANNEL_WORDS[name]) for name in gifts.NAMED],
    )
    replaces = Choice(
        mark("The recipients that are there already"),
        (("no", mark("Keep them and add these")), ("yes", mark("Replace them by these"))),
    )
    file = Upload(mark("File (.csv or .xlsx)"), accept=".csv,.tsv,.txt,.xlsx")
    pasted = LongWords(mark("Rows from a spreadsheet"), most=PASTED_LENGTH_MAX, required=False)


class OneForm(Form):
    """One person."""

    name = Words(mark("Name"), most=200)
    mail = Words(mark("Mail address"), most=300, required=False)
    phone = Words(mark("Mobile number"), most=60, required=False)
    external_id = Words(mark("Reference"), most=100, required=False)
    note = Words(mark("A word for this person"), most=300, required=False)
    postcode = Words(COLUMN_WORDS["postcode"], most=20, required=False)
    street = Words(COLUMN_WORDS["street"], most=200, required=False)
    building = Words(COLUMN_WORDS["building"], most=100, required=False)


class CodesForm(Form):
    """How many gifts for whoever gets their code."""

    count = WholeNumber(mark("How many codes"), least=1, most=gifts.CODES_MAX)


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultyCell:
    """A cell that is wrong: what it holds, what to do, and the name of the field that mends it."""

    line: int
    person: str
    column: str
    label: str
    value: str
    what: str
    name: str


def _forms(order: gifts.OrderView, typed: Any = None) -> HandInForm:
    return HandInForm(typed, data={"channel": order.draft.channel, "replaces": "no"})


def _state(
    order_id: UUID,
    *,
    hand_in: HandInForm | None = None,
    one: OneForm | None = None,
    codes: CodesForm | None = None,
) -> dict[str, Any]:
    with unit_of_work(current_scope()) as work:
        order = gifts.get_order(work, order_id)
        counts = gifts.count_lines(work, order_id)
        faulty = gifts.list_lines(work, order_id, faulty_only=True, limit=FAULTY_SHOWN).items
        after = number_asked("after")
        listed = gifts.list_lines(work, order_id, after=after, limit=GOOD_SHOWN)
        repeats = gifts.list_repeats(work, order_id) if counts.repeated else []
        waits = gifts.has_file(work, order_id)
    return {
        "order": order,
        "counts": counts,
        "form": hand_in or _forms(order),
        "one": one or OneForm(None),
        "codes_form": codes or CodesForm(None, data={"count": order.codes or ""}),
        "cells": list(_cells(faulty)),
        "faulty_shown": len(faulty),
        "listed": listed,
        "after": after,
        "repeats": repeats,
        "unsendable": [name for name in counts.by_channel if not can_send(name)],
        "file_waits": waits,
        "key": new_key(),
        "one_key": new_key(),
        "codes_key": new_key(),
    }


def _cells(lines: Iterable[gifts.LineView]) -> Iterator[FaultyCell]:
    for line in lines:
        for fault in line.faults:
            yield FaultyCell(
                line=line.number,
                person=line.cells.get("name", ""),
                column=fault.column,
                label=say_in_words(COLUMN_WORDS[fault.column]),
                value=line.cells.get(fault.column, ""),
                what=say_in_words(gifts.RECIPIENT_SENTENCES[fault.code], **fault.params),
                name=f"mend-{line.number}-{fault.column}",
            )


def _draw(values: dict[str, Any]) -> str:
    return draw("recipients", step="recipients", **values)


@bp.get("/<uuid:order_id>/recipients")
@requires("gifts:order")
def show(order_id: UUID) -> str:
    """Show who is to get a gift, what must be mended, and the ways to add people."""
    return _draw(_state(order_id))


@bp.post("/<uuid:order_id>/recipients")
@requires("gifts:order")
@body_limit(BODY_MAX)
def hand_in(order_id: UUID) -> Answer:
    """Take a file or pasted rows, or show first what had to be guessed about them."""
    g.page_path = url_for(".show", order_id=order_id)
    with unit_of_work(current_scope()) as work:
        order = gifts.get_order(work, order_id)
    form = _forms(order, request.form)
    data = _data(form)
    form.is_right()
    if data is None or form.faults:
        return _draw(_state(order_id, hand_in=form)), 422
    try:
        with unit_of_work(current_scope(), patience_s=FILE_PATIENCE_S) as work:
            done = do_once(work, lambda: _take_or_keep(work, order_id, form, data), more=data)
    except (StillRunning, KeyReused):
        raise
    except (Invalid, Conflict) as refusal:
        status = refused(form, refusal)
        return _draw(_state(order_id, hand_in=form)), status
    if done == KEPT:
        where = "desk_gifts.recipients.columns.show"
        return see_other(where, order_id=order_id, replaces=form.replaces.data)
    return _told(order_id, TAKEN)


def _data(form: HandInForm) -> bytes | None:
    """Return what was handed in, or None with the fault at its field."""
    if request.form.get("by") == "paste":
        text = str(form.pasted.data or "")
        if not text:
            form.pasted.errors = [say_in_words(NOTHING_PASTED)]
            return None
        return text.encode()
    sent = request.files.get("file")
    if sent is None or not sent.filename:
        form.file.errors = [say_in_words(NO_FILE)]
        return None
    return sent.stream.read()


def _take_or_keep(work: Work, order_id: UUID, form: HandInForm, data: bytes) -> str:
    """Take what is clear; keep what must be looked at first.

    Raises: SheetUnreadable, TooManyLines, OrderWrongState.
    """
    channel = str(form.channel.data)
    _set_channel(work, order_id, channel)
    look = gifts.look_at_recipients(work, data, channel=channel)
    if not look.is_sure:
        gifts.keep_file(work, order_id, data)
        return KEPT
    replaces = form.replaces.data == "yes"
    gifts.take_file(work, order_id, data, fields=look.fields, replaces=replaces)
    return TAKEN_IN


def _set_channel(work: Work, order_id: UUID, channel: str) -> None:
    draft = gifts.get_order(work, order_id).draft
    if draft.channel != channel:
        gifts.change_order(work, order_id, replace(draft, channel=channel))


def _told(order_id: UUID, sentence: str, **params: object) -> Response:
    """Go back to the step and say how its recipients stand now."""
    with unit_of_work(current_scope()) as work:
        counts = gifts.count_lines(work, order_id)
    if sentence == TAKEN and not counts.faulty:
        sentence = MENDED
    said = {"all": counts.total, "good": counts.good, "bad": counts.faulty} | params
    return see_other(
        "desk_gifts.recipients.show",
        say=sentence,
        kind="warning" if counts.faulty else "success",
        params=said,
        order_id=order_id,
    )


@bp.post("/<uuid:order_id>/recipients/one")
@requires("gifts:order")
def add_one(order_id: UUID) -> Answer:
    """Add one person; what is wrong with them stands below to be mended."""
    g.page_path = url_for(".show", order_id=order_id)
    form = OneForm(request.form)
    if not form.is_right():
        return _draw(_state(order_id, one=form)), 422
    cells = {field.name: field.data for field in form if field.data}
    one = [gifts.Cells(line=1, cells=cells)]
    with unit_of_work(current_scope()) as work:
        do_once(work, lambda: gifts.take_recipients(work, order_id, one, replaces=False))
    return _told(order_id, ADDED)


@bp.post("/<uuid:order_id>/recipients/codes")
@requires("gifts:order")
def codes(order_id: UUID) -> Answer:
    """Let the order be for codes without names, for as many as are asked for, or for none."""
    g.page_path = url_for(".show", order_id=order_id)
    form = CodesForm(request.form)
    takes_out = request.form.get("go") == "none"
    if not takes_out and not form.is_right():
        return _draw(_state(order_id, codes=form)), 422
    count = 0 if takes_out else form.count.known
    try:
        with unit_of_work(current_scope()) as work:
            do_once(work, lambda: gifts.order_codes(work, order_id, count))
    except (StillRunning, KeyReused):
        raise
    except (Invalid, Conflict) as refusal:
        status = refused(form, refusal)
        return _draw(_state(order_id, codes=form)), status
    if takes_out:
        return see_other("desk_gifts.recipients.show", say=NOT_CODED, order_id=order_id)
    return see_other("desk_gifts.when.show", say=CODED, params={"n": count}, order_id=order_id)


@bp.post("/<uuid:order_id>/recipients/mend")
@requires("gifts:order")
def mend(order_id: UUID) -> Answer:
    """Write what was typed into the wrong cells, then leave out what is still wrong if asked."""
    out = 0
    with unit_of_work(current_scope()) as work:
        gifts.mend_lines(work, order_id, _mends())
        if request.form.get("go") == "leave-out":
            out = gifts.leave_out(work, order_id)
    if out:
        return _told(order_id, LEFT_OUT, n=out)
    return _told(order_id, TAKEN)


def _mends() -> Mapping[int, Mapping[str, str]]:
    mends: dict[int, dict[str, str]] = defaultdict(dict)
    for name, text in request.form.items():
        place = _MEND.fullmatch(name)
        if place is not None and place[2] in gifts.FIELDS:
            mends[int(place[1])][place[2]] = text[:MEND_LENGTH_MAX]
    return mends


@bp.post("/<uuid:order_id>/recipients/leave-out")
@requires("gifts:order")
def leave_out(order_id: UUID) -> Answer:
    """Take single people out again."""
    numbers = [int(text) for text in request.form.getlist("line") if _LINE.fullmatch(text)]
    with unit_of_work(current_scope()) as work:
        count = gifts.leave_out(work, order_id, numbers)
    return _told(order_id, LEFT_OUT, n=count)


@bp.post("/<uuid:order_id>/recipients/repeats")
@requires("gifts:order")
def answer_repeats(order_id: UUID) -> Answer:
    """Say whether people who stand there twice shall get two gifts."""
    if request.form.get("go") == "drop":
        with unit_of_work(current_scope()) as work:
            count = gifts.drop_repeats(work, order_id)
        return _told(order_id, DROPPED, n=count)
    with unit_of_work(current_scope()) as work:
        gifts.mean_repeats(work, order_id)
    return _told(order_id, MEANT)


@bp.get("/<uuid:order_id>/recipients/corrected.csv")
@requires("gifts:order")
def corrected(order_id: UUID) -> Response:
    """Take the recipients away as they are now, with all that was mended, on record."""
    order = record_taking(order_id, "recipients")
    scope = current_scope()
    return attachment(_rows(scope, order_id), f"recipients-{order.number}.csv")


def _rows(scope: Scope, order_id: UUID) -> Iterator[str]:
    """Write the recipients page by page, each read in a short transaction of its own."""
    yield "\ufeff" + sheets.write_line(gifts.HEADERS[field][0] for field in gifts.FIELDS)
    after: int | None = 0
    while after is not None:
        with unit_of_work(scope) as work:
            listed = gifts.list_lines(work, order_id, after=after, limit=LINES_READ)
        yield "".join(
            sheets.write_line(line.cells.get(field, "") for field in gifts.FIELDS)
            for line in listed.items
        )
        after = listed.next_after


NO_POST = ("", "", "", "", "")
POST = ("000-0000", "東京都", "見本区", "見本町1-2-3", "見本ビル101")
THANKS = "いつもありがとう"
SAMPLES: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "ja": (
        ("見本 花子", "hanako@example.com", "", "", "A-001", THANKS, "日本語", *NO_POST),
        ("見本 太郎", "", "09000000000", "SMS", "A-002", "", "", *NO_POST),
        ("見本 三郎", "", "", "封書", "A-003", "", "", *POST),
    ),
    "en": (
        ("Hanako Mihon", "hanako@example.com", "", "", "A-001", "Thank you", "en", *NO_POST),
        ("Taro Mihon", "", "09000000000", "sms", "A-002", "", "", *NO_POST),
        ("Saburo Mihon", "", "", "letter", "A-003", "", "", *POST),
    ),
}


def _sample() -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    header = tuple(gifts.HEADERS[field][0] for field in gifts.FIELDS)
    return header, SAMPLES[current_locale()]


@bp.get("/recipients-sample.csv")
@requires("gifts:order")
def sample_csv() -> Response:
    """Give a file to begin with."""
    return attachment(sheets.write_csv(*_sample()), "recipients-sample.csv")


@bp.get("/recipients-sample.xlsx")
@requires("gifts:order")
def sample_xlsx() -> Response:
    """Give a workbook to begin with."""
    return attachment(sheets.write_xlsx(*_sample()), "recipients-sample.xlsx", XLSX)
