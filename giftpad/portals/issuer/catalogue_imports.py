"""Files of products at the desk: checked first, told line by line, then taken in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from uuid import UUID

from flask import Blueprint, Response, g, request, url_for

from giftpad import catalog, sheets
from giftpad.edge import body_limit, current_locale, current_scope, requires
from giftpad.guard import KeyReused
from giftpad.kernel.errors import DomainError, Invalid
from giftpad.kernel.i18n import mark
from giftpad.kernel.work import unit_of_work
from giftpad.portals.downloads import UTF8_MARK, attachment
from giftpad.portals.forms import Form, Upload, refused
from giftpad.portals.http import do_once, new_key, page, see_other
from giftpad.portals.polling import pause_s
from giftpad.portals.words import say_in_words

bp = Blueprint("desk_catalogue_imports", __name__, url_prefix="/desk/catalogue/imports")

BODY_MAX = catalog.IMPORT_SIZE_MAX + 64 * 1024
"""A file and the frame that a form puts around it."""

FAULTS_SHOWN = 100
WORKING = frozenset({"ordered", "taking"})
NO_FILE = mark("Please choose a file.")
SAMPLE_JA = {
    "code": "TEA-01",
    "name": "見本の茶",
    "kind": "品物",
    "category": "たべもの",
    "description": "新茶 100g を2袋。",
    "supplier": "見本茶舗",
    "price": "2800",
    "lead_days": "7",
    "state": "公開",
    "stock": "50",
}
SAMPLE_EN = {
    "code": "TEA-01",
    "name": "Sample tea",
    "kind": "goods",
    "category": "Food",
    "description": "Two bags of new tea, 100 g each.",
    "supplier": "Sample tea house",
    "price": "2800",
    "lead_days": "7",
    "state": "active",
    "stock": "50",
}

Answer = Response | tuple[str, int]


class UploadForm(Form):
    """A file of products to check."""

    file = Upload(mark("File (CSV, XLSX, or ZIP with pictures)"), accept=".csv,.xlsx,.zip,.tsv")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing wrong with a line, in words; ``column`` is as the file's header may call it."""

    line: int
    column: str
    what: str
    remedy: str


@bp.get("/new")
@requires("catalog:write")
def upload_page() -> str:
    """Ask for a file of products."""
    return _draw_upload(UploadForm(None), key=new_key())


def _draw_upload(form: UploadForm, *, key: str) -> str:
    with unit_of_work(current_scope()) as work:
        imports = catalog.list_imports(work, limit=5)
    return page(
        "issuer/catalogue/upload.html", nav_here="catalogue", form=form, key=key, imports=imports
    )


@bp.get("/sample.csv")
@requires("catalog:write")
def sample() -> Response:
    """Give a file to begin with, with its columns in the reader's language."""
    columns = catalog.column_names(current_locale())
    cells = SAMPLE_JA if current_locale() == "ja" else SAMPLE_EN
    line = [cells.get(name, "") for name in columns]
    text = UTF8_MARK + sheets.write_line(columns.values()) + sheets.write_line(line)
    return attachment(text, "catalogue-sample.csv")


@bp.post("")
@requires("catalog:write")
@body_limit(BODY_MAX)
def upload() -> Answer:
    """Keep a file of products and have it checked; nothing of it is taken yet."""
    g.page_path = url_for(".upload_page")
    form, key = UploadForm(request.files), request.form.get("key", "")
    sent = request.files.get("file")
    if sent is None or not sent.filename:
        form.refuse("file", NO_FILE)
        return _draw_upload(form, key=key), 422
    data, scope = sent.stream.read(), current_scope()
    try:
        with (
            catalog.kept_file(scope, sent.filename, data) as kept,
            unit_of_work(scope) as work,
        ):
            done = do_once(work, lambda: catalog.order_import(work, kept), more=data)
    except KeyReused as error:
        status = refused(form, error)
        return _draw_upload(form, key=new_key()), status
    except Invalid as error:
        status = refused(form, error)
        return _draw_upload(form, key=key), status
    return see_other("desk_catalogue_imports.one", import_id=UUID(done))


@bp.get("/<uuid:import_id>")
@requires("catalog:write")
def one(import_id: UUID) -> str:
    """Show how far a file is, what it would do, and what is wrong with it."""
    return page("issuer/catalogue/import.html", nav_here="catalogue", **_state(import_id))


@bp.get("/<uuid:import_id>/progress")
@requires("catalog:write")
def progress(import_id: UUID) -> str:
    """Draw the part of the page that changes while a file is read."""
    return page("issuer/catalogue/_import.html", **_state(import_id))


def _state(import_id: UUID) -> dict[str, object]:
    with unit_of_work(current_scope()) as work:
        found, at = catalog.get_import(work, import_id), work.at
        faults = catalog.list_faults(work, import_id, limit=FAULTS_SHOWN)
    return {
        "found": found,
        "faults": list(_in_words(faults)),
        "poll_s": pause_s(found.created_at, at) if found.state in WORKING else None,
        "key": new_key(),
    }


def _in_words(faults: Iterable[sheets.LineFault]) -> Iterator[Fault]:
    columns = catalog.column_names(current_locale())
    whole = {each.code: each.sentence for each in _refusals()}
    for fault in faults:
        what, remedy = catalog.SENTENCES.get(fault.code, (whole.get(fault.code, fault.code), ""))
        yield Fault(
            line=fault.line,
            column=columns.get(fault.column, fault.column),
            what=say_in_words(what, **fault.params),
            remedy=say_in_words(remedy, **fault.params),
        )


def _refusals() -> tuple[type[DomainError], ...]:
    """Return what can be wrong with a file as a whole."""
    return (*sheets.SheetUnreadable.__subclasses__(), catalog.ArchiveUnfit, catalog.ImportFileGone)


@bp.post("/<uuid:import_id>/take")
@requires("catalog:write")
def take(import_id: UUID) -> Response:
    """Have what is right in a checked file taken in."""
    with unit_of_work(current_scope()) as work:
        catalog.take_import(work, import_id)
    return see_other(".one", import_id=import_id)
