"""All of an order's cards for a print house, as one archive that is written while it is sent.

Hides: that it is on record before a byte leaves, that one file at a time is open.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from uuid import UUID

from flask import Blueprint, Response

from giftpad import gifts, sheets
from giftpad.edge import current_locale, current_scope, requires
from giftpad.kernel.i18n import LOCALES, mark
from giftpad.kernel.work import unit_of_work
from giftpad.kernel.zips import stream_zip
from giftpad.portals.downloads import attachment, csv_head

bp = Blueprint("kits", __name__)

ZIP = "application/zip"
SUMS = "SHA256SUMS"
HEAD = (mark("Piece"), mark("Its number"), mark("File"), mark("Sheet"), mark("Place"))
UTF8_MARK = "\ufeff"


@bp.get("/<uuid:order_id>/cards/print-house.zip")
@requires("gifts:order")
def archive(order_id: UUID) -> Response:
    """Take all cards of an order out for a print house; whoever holds a card can claim its gift."""
    locale = current_locale()
    with unit_of_work(current_scope()) as work:
        kit = gifts.open_kit(work, order_id)
    files = _files(kit, locale=locale, head=csv_head(HEAD))
    name = f"print-house-{kit.order_number}.zip"
    return attachment(stream_zip(files, sums_name=SUMS), name, ZIP)


def _files(kit: gifts.Kit, *, locale: str, head: str) -> Iterator[tuple[str, Iterable[bytes]]]:
    for each in LOCALES:
        yield f"README.{each}.txt", [(UTF8_MARK + gifts.write_readme(kit, each)).encode()]
    yield "control-sheet.pdf", [gifts.draw_control(kit, locale)]
    yield "serials.csv", _serials(kit, head)
    for file in kit.files:
        yield f"{file.kind}s/{file.file_name}", _pdf(file)


def _pdf(file: gifts.CardTicket) -> Iterator[bytes]:
    data = gifts.read_cards(file.tenant_id, file.print_id, file.file_id, sha256=file.sha256)
    if data is None:
        raise gifts.PrintGone
    yield data


def _serials(kit: gifts.Kit, head: str) -> Iterator[bytes]:
    """List every card with its place; nothing in it opens a gift."""
    yield head.encode()
    before = 0
    for file in kit.files:
        per_page = kit.per_page[file.kind]
        yield "".join(
            sheets.write_line(
                (
                    before + at + 1,
                    serial,
                    file.file_name,
                    at // per_page + 1,
                    at % per_page + 1,
                )
            )
            for at, serial in enumerate(file.serials)
        ).encode()
        before += file.quantity
