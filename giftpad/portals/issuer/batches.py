"""Print runs on the desk: how far each is, its pages, its files, its release.

Hides: which part of a page asks for itself again, and how often.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, abort, request
from werkzeug.wrappers import Response as AnyResponse

from giftpad import audit, coupons, edge, programmes
from giftpad.kernel.errors import Conflict
from giftpad.kernel.i18n import mark
from giftpad.kernel.work import Scope, Work, unit_of_work
from giftpad.portals.downloads import attachment, csv_head
from giftpad.portals.hands import find_hands
from giftpad.portals.http import do_once, new_key, page, see_other
from giftpad.portals.issuer import batch_orders, deeds, print_runs
from giftpad.portals.issuer.naming import read_actors
from giftpad.portals.lists import id_asked
from giftpad.portals.polling import pause_s
from giftpad.portals.programme_names import programme_name, programme_names
from giftpad.portals.words import say_in_words

bp = Blueprint("desk_batches", __name__, url_prefix="/desk/batches")
bp.register_blueprint(batch_orders.bp)

ROWS = 50
MANIFEST_PAGE = 10_000
DEEDS_SHOWN = 50

STEP_OF = {"ordered": 2, "issuing": 2, "printing": 3, "verifying": 4, "ready": 5, "released": 6}
FAILED_STEP = 4

RELEASED = mark("These coupons can be spent now.")
PRINTING_AGAIN = mark("The files are being printed again, with the same codes.")
MANIFEST_HEAD = (
    mark("Number"),
    mark("Value"),
    mark("Unit"),
    mark("Issued on"),
    mark("Valid until"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A print run and what its page says about it beyond its own facts."""

    batch: coupons.BatchView
    programme: str
    poll_s: int | None

    @property
    def total_minor(self) -> int:
        """What all its coupons are worth together."""
        return self.batch.quantity * self.batch.face_value_minor

    @property
    def step(self) -> int:
        """The step it stands at, from 1; one more than there are once all is done."""
        return STEP_OF.get(self.batch.state, FAILED_STEP)

    @property
    def done(self) -> int:
        """How many coupons have passed the step it stands at."""
        counts = self.batch.counts
        by_state = {"printing": counts.printed, "verifying": counts.verified}
        return by_state.get(self.batch.state, counts.issued)

    @property
    def percent(self) -> int:
        """How far it has come."""
        return int(self.batch.progress * 100)

    @property
    def is_printing_again(self) -> bool:
        """Whether files of a released run are made anew; its coupons are spent meanwhile."""
        return print_runs.is_printing_again(self.batch)

    @property
    def has_files(self) -> bool:
        """Whether a print file may be taken out."""
        is_checked = self.batch.state in ("ready", "released")
        return is_checked and self.batch.print_destroyed_at is None


def _shown(work: Work, batch: coupons.BatchView, programme: str) -> Shown:
    poll_s = pause_s(batch.created_at, work.at) if print_runs.is_moving(batch) else None
    return Shown(batch=batch, programme=programme, poll_s=poll_s)


def _read(work: Work, batch_id: UUID) -> Shown:
    batch = coupons.get_batch(work, batch_id)
    return _shown(work, batch, programme_name(programmes.get_programme(work, batch.programme_id)))


@bp.get("")
@edge.requires("coupons:read")
def index() -> str:
    """List print runs, newest first."""
    programme_id = id_asked("programme")
    with unit_of_work(edge.current_scope()) as work:
        names = programme_names(programmes.list_programmes(work, limit=programmes.PAGE_MAX))
        found = coupons.list_batches(
            work, before=id_asked("before"), programme_id=programme_id, limit=ROWS + 1
        )
        rows = [_shown(work, batch, names.get(batch.programme_id, "")) for batch in found[:ROWS]]
    return page(
        "issuer/batches/index.html",
        nav_here="batches",
        rows=rows,
        programmes=names,
        programme_id=programme_id,
        is_first_page="before" not in request.args,
        next_before=rows[-1].batch.id if len(found) > ROWS else None,
    )


@bp.get("/<uuid:batch_id>/row")
@edge.requires("coupons:read")
def row(batch_id: UUID) -> str:
    """Draw the row of one print run anew."""
    with unit_of_work(edge.current_scope()) as work:
        shown = _read(work, batch_id)
    return page("issuer/batches/_row.html", shown=shown)


@bp.get("/<uuid:batch_id>")
@edge.requires("coupons:read")
def show(batch_id: UUID) -> str:
    """Show a print run: how far it is, its files, what was done with it."""
    scope = edge.current_scope()
    with unit_of_work(scope) as work:
        shown = _read(work, batch_id)
    return page(
        "issuer/batches/show.html",
        nav_here="batches",
        shown=shown,
        hands=_releasers(scope, shown),
        deeds=_deeds(scope, batch_id),
    )


def _releasers(scope: Scope, shown: Shown) -> list[str]:
    """Return who can release a print run that waits for it, if the reader cannot."""
    if shown.batch.state != "ready" or "coupons:release" in scope.permissions:
        return []
    return find_hands("coupons:release")


def _deeds(scope: Scope, batch_id: UUID) -> list[deeds.Deed]:
    with unit_of_work(scope) as work:
        entries = audit.list_entries(
            work, audit.EntryFilter(subjects=(f"coupon_batch:{batch_id}",), limit=DEEDS_SHOWN)
        )
        named = programme_names(programmes.list_programmes(work, limit=programmes.PAGE_MAX))
    actors = read_actors(scope, [entry.actor.get("id") for entry in entries])
    return deeds.describe(entries, actors, {str(key): name for key, name in named.items()})


@bp.get("/<uuid:batch_id>/progress")
@edge.requires("coupons:read")
def progress(batch_id: UUID) -> str:
    """Draw the part of the page that changes while a print run is made."""
    scope = edge.current_scope()
    with unit_of_work(scope) as work:
        shown = _read(work, batch_id)
    return page("issuer/batches/_live.html", shown=shown, hands=_releasers(scope, shown))


@bp.get("/<uuid:batch_id>/release")
@edge.requires("coupons:release")
def ask_release(batch_id: UUID) -> str | tuple[str, int]:
    """Say in numbers what a release does."""
    with unit_of_work(edge.current_scope()) as work:
        shown = _read(work, batch_id)
    return _draw_release(shown, key=new_key())


def _draw_release(shown: Shown, **values: Any) -> str:
    return page("issuer/batches/release.html", nav_here="batches", shown=shown, **values)


@bp.post("/<uuid:batch_id>/release")
@edge.requires("coupons:release", fresh=True)
def release(batch_id: UUID) -> AnyResponse | tuple[str, int]:
    """Make the coupons of a print run spendable; pressed twice, it is done once."""

    def do() -> UUID:
        coupons.release(work, batch_id)
        return batch_id

    try:
        with unit_of_work(edge.current_scope()) as work:
            do_once(work, do)
    except Conflict as refusal:
        with unit_of_work(edge.current_scope()) as work:
            shown = _read(work, batch_id)
        if shown.batch.state == "ready":
            raise
        said = say_in_words(refusal.sentence, **refusal.params)
        return _draw_release(shown, key=new_key(), refusal=said), edge.status_of(refusal)
    return see_other("desk_batches.show", say=RELEASED, batch_id=batch_id)


@bp.get("/<uuid:batch_id>/print-again")
@edge.requires("coupons:print")
def ask_reprint(batch_id: UUID) -> str:
    """Say what printing again does."""
    with unit_of_work(edge.current_scope()) as work:
        shown = _read(work, batch_id)
    return page("issuer/batches/reprint.html", nav_here="batches", shown=shown, key=new_key())


@bp.post("/<uuid:batch_id>/print-again")
@edge.requires("coupons:print")
def reprint(batch_id: UUID) -> AnyResponse:
    """Have the files of a print run drawn and checked again."""

    def do() -> UUID:
        coupons.reprint(work, batch_id)
        return batch_id

    with unit_of_work(edge.current_scope()) as work:
        do_once(work, do)
    return see_other("desk_batches.show", say=PRINTING_AGAIN, batch_id=batch_id)


@bp.get("/<uuid:batch_id>/volumes/<int:volume>.pdf")
@edge.requires("coupons:print")
def volume_pdf(batch_id: UUID, volume: int) -> Response:
    """Take a print file out; it is on record before a byte of it leaves."""
    with unit_of_work(edge.current_scope()) as work:
        ticket = coupons.open_pdf(work, batch_id, volume=volume)
    return attachment(coupons.read_pdf(ticket), ticket.file_name, "application/pdf")


@bp.get("/<uuid:batch_id>/numbers.csv")
@edge.requires("coupons:print")
def manifest(batch_id: UUID) -> Response:
    """List the coupons of a print run; nothing in it spends."""
    scope = edge.current_scope()
    first = _read_manifest(scope, batch_id, 0)
    lines = _manifest(scope, batch_id, csv_head(MANIFEST_HEAD), first)
    return attachment(lines, f"{first[0].serial}.csv")


def _read_manifest(scope: Scope, batch_id: UUID, offset: int) -> list[coupons.ManifestLine]:
    with unit_of_work(scope) as work:
        return coupons.list_manifest(work, batch_id, offset=offset, limit=MANIFEST_PAGE)


def _manifest(
    scope: Scope, batch_id: UUID, head: str, lines: list[coupons.ManifestLine]
) -> Iterator[str]:
    """Write the list page by page, each read in a short transaction of its own."""
    offset = 0
    yield head
    while lines:
        yield "".join(
            edge.write_line((n.serial, n.face_value_minor, n.unit, n.issued_on, n.ends_on))
            for n in lines
        )
        offset += len(lines)
        lines = _read_manifest(scope, batch_id, offset) if len(lines) == MANIFEST_PAGE else []


@bp.get("/<uuid:batch_id>/pages/<int:volume>/<int:number>")
@edge.requires("coupons:print")
def look_at_page(batch_id: UUID, volume: int, number: int) -> str:
    """Show one page of the print, its codes covered."""
    with unit_of_work(edge.current_scope()) as work:
        shown = _read(work, batch_id)
    volumes = shown.batch.volumes
    found = next((one for one in volumes if one.number == volume), None)
    if found is None or not 1 <= number <= (found.page_count or 0):
        abort(404)
    return page(
        "issuer/batches/page.html",
        nav_here="batches",
        shown=shown,
        volume=found,
        number=number,
        before=_neighbour(volumes, found, number - 1),
        after=_neighbour(volumes, found, number + 1),
    )


def _neighbour(
    volumes: tuple[coupons.VolumeView, ...], volume: coupons.VolumeView, number: int
) -> tuple[int, int] | None:
    """Return volume and page that come before or after, over the ends of volumes as well."""
    if 1 <= number <= (volume.page_count or 0):
        return volume.number, number
    step = -1 if number < 1 else 1
    other = next((one for one in volumes if one.number == volume.number + step), None)
    if other is None or not other.page_count:
        return None
    return other.number, other.page_count if step < 0 else 1


@bp.get("/<uuid:batch_id>/pages/<int:volume>/<int:number>.png")
@edge.requires("coupons:print")
def page_picture(batch_id: UUID, volume: int, number: int) -> Response:
    """Draw one page of the print, its codes covered."""
    with unit_of_work(edge.current_scope()) as work:
        ticket = coupons.open_preview(work, batch_id, volume=volume, page=number)
    return Response(coupons.preview_page(ticket), content_type="image/png")
