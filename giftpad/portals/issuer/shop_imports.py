"""Files of shops at the desk: checked first, mended cell by cell, then taken in.

Hides: what of a form is a mend, which fault can be mended in place, when a page asks again.
Nothing is taken before the whole file was checked, and every version of it is kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, g, request, url_for

from giftpad import programmes, sheets, shops
from giftpad.edge import body_limit, current_locale, current_scope, requires, write_line
from giftpad.guard import KeyReused
from giftpad.kernel.errors import Invalid
from giftpad.kernel.i18n import mark
from giftpad.kernel.work import Work, unit_of_work
from giftpad.portals.downloads import UTF8_MARK, attachment
from giftpad.portals.forms import Form, Upload, refused
from giftpad.portals.http import do_once, new_key, page, see_other
from giftpad.portals.issuer.shop_forms import COLUMN_WORDS
from giftpad.portals.polling import pause_s
from giftpad.portals.words import say_in_words

bp = Blueprint("desk_shop_imports", __name__, url_prefix="/desk/shops/imports")

BODY_MAX = shops.IMPORT_SIZE_MAX + 64 * 1024
"""A file and the frame that a form puts around it."""

LINES_SHOWN = 50
AREAS_SHOWN = 20
WHOLE_FAULTS_SHOWN = 20
WORKING = frozenset({"ordered", "checking", "taking"})
MEND_LENGTH_MAX = 500
_MEND = re.compile(r"mend-(\d{1,7})-([a-z0-9_]{1,20})")
_NOT_IN_PLACE = frozenset(
    {"cells", "too_many", "quotes", "encoding", "empty_file"}
    | {"header_unknown", "header_missing", "header_twice"}
)
SAMPLE_JA = ("1001", "見本商店", "ミホンショウテン", "中央", "商店街", "はい", "見本市中央1-2-3")
SAMPLE_EN = ("1001", "Sample Store", "", "Central", "High Street", "yes", "1-2-3 Central")
SAMPLE_REST = ("00-0000-0000", "120", "", "", "", "", "")

NO_CSV = mark("This is no CSV file. Save it as CSV in your spreadsheet, then choose that file.")
NO_FILE = mark("Please choose a file.")

Answer = Response | tuple[str, int]


class UploadForm(Form):
    """A file of shops to check."""

    file = Upload(mark("File (CSV)"), accept=".csv,text/csv")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One cell that is wrong: what it holds, why that cannot be, and where a mend is typed.

    ``shop`` is the number and the name that its row gives, as far as it does.
    """

    line: int
    shop: str
    column: str
    label: str
    value: str
    what: str
    remedy: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A shop that a file would change: its name now and then, and what else changes."""

    number: str
    name: str
    next_name: str
    fields: tuple[str, ...]


@bp.get("/new")
@requires("shops:write")
def upload_page() -> str:
    """Ask for a file of shops."""
    return _draw_upload(UploadForm(None), key=new_key())


def _draw_upload(form: UploadForm, *, key: str) -> str:
    return page("issuer/shops/upload.html", nav_here="shops", form=form, key=key)


@bp.get("/sample.csv")
@requires("shops:write")
def sample() -> Response:
    """Give a file to begin with, with its columns in the reader's language."""
    header = shops.column_names(current_locale()).values()
    line = (SAMPLE_JA if current_locale() == "ja" else SAMPLE_EN) + SAMPLE_REST
    return attachment(UTF8_MARK + write_line(header) + write_line(line), "shops-sample.csv")


@bp.post("")
@requires("shops:write")
@body_limit(BODY_MAX)
def upload() -> Answer:
    """Keep a file of shops and have it checked; nothing of it is taken yet."""
    g.page_path = url_for(".upload_page")
    form, key = UploadForm(request.files), request.form.get("key", "")
    sent = request.files.get("file")
    data = sent.stream.read() if sent is not None else b""
    if not sheets.is_text(data):
        form.refuse("file", NO_CSV)
    elif sent is None or not sent.filename:
        form.refuse("file", NO_FILE)
    if form.faults:
        return _draw_upload(form, key=key), 422
    try:
        import_id = _order(data, is_dry=True)
    except KeyReused as error:
        status = refused(form, error)
        return _draw_upload(form, key=new_key()), status
    except Invalid as error:
        status = refused(form, error)
        return _draw_upload(form, key=key), status
    return see_other("desk_shop_imports.one", import_id=import_id)


def _order(data: bytes, *, is_dry: bool, is_partial: bool = False) -> UUID:
    """Have a file checked, and taken if it is not a trial; once for the form's key."""
    scope = current_scope()
    with shops.kept_file(scope, data) as kept, unit_of_work(scope) as work:
        done = do_once(
            work,
            lambda: shops.order_import(work, kept, is_partial=is_partial, is_dry=is_dry),
            more=data,
        )
    return UUID(done)


@bp.get("/<uuid:import_id>")
@requires("shops:write")
def one(import_id: UUID) -> str:
    """Show how far a file is, and what is wrong with it."""
    return page("issuer/shops/import.html", nav_here="shops", **_state(import_id, {}))


@bp.get("/<uuid:import_id>/progress")
@requires("shops:write")
def progress(import_id: UUID) -> str:
    """Draw the part of the page that changes while a file is read."""
    return page("issuer/shops/_import.html", **_state(import_id, {}))


def _state(import_id: UUID, typed: Mapping[tuple[int, str], str]) -> dict[str, Any]:
    with unit_of_work(current_scope()) as work:
        found, at = shops.get_import(work, import_id), work.at
    lines = (
        []
        if found.state in WORKING
        else shops.faulty_lines(current_scope(), import_id, limit=LINES_SHOWN)
    )
    preview = _preview(found)
    with unit_of_work(current_scope()) as work:
        lost = _unserved(work, preview.areas)
    cells = list(_cells(lines, typed))
    return {
        "found": found,
        "cells": [cell for cell in cells if cell.name],
        "whole": [cell for cell in cells if not cell.name][:WHOLE_FAULTS_SHOWN],
        "lines_shown": len({cell.line for cell in cells}),
        "poll_s": pause_s(found.created_at, at) if found.state in WORKING else None,
        "key": new_key(),
        "changes": [_change(change) for change in preview.changes],
        "lost_areas": lost[:AREAS_SHOWN],
    }


def _preview(found: shops.ImportView) -> shops.ImportPreview:
    """Tell what a checked file would do; nothing of one that is taken or kept no more."""
    if not found.is_dry or found.state in WORKING:
        return shops.ImportPreview()
    try:
        return shops.preview_import(current_scope(), found.id)
    except shops.ImportFileGone:
        return shops.ImportPreview()


def _change(change: shops.ShopChange) -> Change:
    others = [field for field in change.fields if field != "name"]
    return Change(
        number=change.number,
        name=change.name,
        next_name=change.next_name,
        fields=tuple(say_in_words(COLUMN_WORDS[field]) for field in others),
    )


def _unserved(work: Work, areas: Mapping[str, int]) -> list[tuple[int, str]]:
    """Return the areas that no programme accepts, with the first line of each."""
    found = programmes.list_programmes(work, limit=programmes.PAGE_MAX).items
    if not found or not all(programme.areas for programme in found):
        return []
    served = {area for programme in found for area in programme.areas}
    return [(line, area) for area, line in areas.items() if area not in served]


def _cells(lines: list[shops.FaultyLine], typed: Mapping[tuple[int, str], str]) -> Iterator[Cell]:
    for line in lines:
        for fault in line.faults:
            what, remedy = shops.SENTENCES[fault.code]
            params = _params(fault)
            in_place = fault.column in shops.COLUMNS and fault.code not in _NOT_IN_PLACE
            yield Cell(
                line=fault.line,
                shop=" ".join(filter(None, (line.cells.get("number"), line.cells.get("name")))),
                column=fault.column,
                label=say_in_words(COLUMN_WORDS.get(fault.column, "")),
                value=typed.get((fault.line, fault.column), line.cells.get(fault.column, "")),
                what=say_in_words(what, **params),
                remedy=say_in_words(remedy, **params),
                name=f"mend-{fault.line}-{fault.column}" if in_place else "",
            )


def _params(fault: shops.LineFault) -> dict[str, object]:
    params = dict(fault.params)
    if "known" in params:
        params["known"] = ", ".join(shops.column_names(current_locale()).values())
    return params


@bp.get("/<uuid:import_id>/corrected.csv")
@requires("shops:write")
def corrected(import_id: UUID) -> Response:
    """Take the file away as it is now, with all that was mended in it."""
    data = shops.corrected_file(current_scope(), import_id, {})
    return attachment(data, "shops-corrected.csv")


@bp.get("/<uuid:import_id>/left-out.csv")
@requires("shops:write")
def left_out(import_id: UUID) -> Response:
    """Take away the rows that were left out, to be mended and sent again."""
    data = shops.corrected_file(current_scope(), import_id, {}, only_faulty=True)
    return attachment(data, "shops-left-out.csv")


@bp.post("/<uuid:import_id>/mend")
@requires("shops:write")
def mend(import_id: UUID) -> Answer:
    """Write what was typed into the wrong cells and check again, without the wrong rows or not."""
    data = shops.corrected_file(current_scope(), import_id, _mends(), is_guarded=False)
    ordered = _order(data, is_dry=True, is_partial=request.form.get("go") == "leave-out")
    return see_other("desk_shop_imports.one", import_id=ordered)


@bp.post("/<uuid:import_id>/take")
@requires("shops:write")
def take(import_id: UUID) -> Answer:
    """Take in a file that was checked and shown, as it was shown: whole, or its right rows."""
    with unit_of_work(current_scope()) as work:
        found = shops.get_import(work, import_id)
    data = shops.corrected_file(current_scope(), import_id, {}, is_guarded=False)
    if not found.is_dry or found.state != "done":
        return see_other("desk_shop_imports.one", import_id=import_id)  # Nothing was shown yet.
    ordered = _order(data, is_dry=False, is_partial=found.is_partial)
    return see_other("desk_shop_imports.one", import_id=ordered)


def _mends() -> dict[tuple[int, str], str]:
    """Return what was typed into wrong cells, by line and column."""
    mends = {}
    for name, text in request.form.items():
        place = _MEND.fullmatch(name)
        if place is not None and place[2] in shops.COLUMNS:
            mends[int(place[1]), place[2]] = text[:MEND_LENGTH_MAX]
    return mends
