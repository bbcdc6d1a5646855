"""The audit log on the desk: who did what and when, found again, and taken away as a list.

Hides: how a long log is read in short transactions.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date

from flask import Blueprint, Response, request, stream_with_context

from giftpad import audit, coupons, edge, programmes, shops
from giftpad.kernel.clock import end_of, start_of
from giftpad.kernel.i18n import mark
from giftpad.kernel.work import Scope, unit_of_work
from giftpad.portals.downloads import attachment, csv_head
from giftpad.portals.forms import Choice, Day, Form
from giftpad.portals.http import page
from giftpad.portals.issuer import deeds
from giftpad.portals.issuer.naming import Actors, read_everybody
from giftpad.portals.lists import filter_asked, list_href
from giftpad.portals.programme_names import programme_names
from giftpad.portals.words import say_in_words, sheet_when

bp = Blueprint("desk_audit", __name__, url_prefix="/desk/audit")

EVERYTHING, EVERYBODY = mark("Everything"), mark("Everybody")
ROWS = 50
CSV_ROWS = 200
SEQ_MAX = 2**63 - 1
HEAD = (
    mark("Number"),
    mark("Date and time"),
    mark("Who"),
    mark("Action"),
    mark("In words"),
    mark("What it was done to"),
    mark("Details"),
)


class LogFilter(Form):
    """Which entries are wanted."""

    family = Choice(mark("About"), required=False)
    actor = Choice(mark("Who"), required=False, holds_names=True)
    first = Day(mark("From"), required=False)
    last = Day(mark("Until"), required=False)


def _read_filter(actors: Actors) -> LogFilter:
    form = LogFilter(request.args)
    form.family.choices = [("", EVERYTHING), *deeds.FAMILIES.items()]
    form.actor.choices = [("", say_in_words(EVERYBODY)), *actors.choices]
    return form


def _wanted(form: LogFilter, zone: str) -> audit.EntryFilter:
    first: date | None = form.first.day
    last: date | None = form.last.day
    return audit.EntryFilter(
        action_prefix=f"{form.family.data}." if form.family.data else "",
        actor_id=form.actor.data or "",
        since=start_of(first, zone) if first else None,
        until=end_of(last, zone) if last else None,
        before=_before(),
        limit=ROWS + 1,
    )


def _before() -> int | None:
    """Return where the log goes on; what is no number of an entry begins it."""
    before = request.args.get("before", type=int)
    return before if before is not None and 0 < before <= SEQ_MAX else None


def _names(scope: Scope, entries: Sequence[audit.Entry]) -> dict[str, str]:
    """Return what the programmes, shops and print runs of entries are called, by their ids."""
    shop_ids = [str(entry.details.get("shop_id")) for entry in entries]
    shop_ids += [entry.subject.removeprefix("shop:") for entry in entries]
    with unit_of_work(scope) as work:
        named = programme_names(programmes.list_programmes(work, limit=programmes.PAGE_MAX))
        found = shops.find_names(work, deeds.ids_in(shop_ids))
        runs = {entry.subject.removeprefix("coupon_batch:") for entry in entries}
        serials = coupons.find_first_serials(work, deeds.ids_in(runs))
    return {
        **{str(programme_id): name for programme_id, name in named.items()},
        **{str(shop_id): name for shop_id, (_, name) in found.items()},
        **{str(batch_id): serial for batch_id, serial in serials.items()},
    }


@bp.get("")
@edge.requires("audit:read")
def index() -> str | tuple[str, int]:
    """Show the log, newest first, as the filter asks."""
    scope = edge.current_scope()
    actors = read_everybody(scope)
    form = _read_filter(actors)
    is_right, asked = form.is_right(), filter_asked(form)
    found: Sequence[audit.Entry] = ()
    if is_right:
        with unit_of_work(scope) as work:
            wanted = _wanted(form, edge.current_caller().tenant.zone)
            found = audit.list_entries(work, wanted)
    rows = found[:ROWS]
    drawn = page(
        "issuer/audit/index.html",
        nav_here="audit",
        form=form,
        rows=deeds.describe(rows, actors, _names(scope, rows)),
        is_filtered=bool(asked),
        first_href=list_href(".index", asked) if "before" in request.args else None,
        next_href=list_href(".index", asked, before=rows[-1].seq) if len(found) > ROWS else None,
        csv_href=list_href(".log_csv", asked),
    )
    return drawn if is_right else (drawn, 422)


@bp.get("/log.csv")
@edge.requires("audit:read")
def log_csv() -> Response | tuple[str, int]:
    """Take all entries that the filter asks for away as a list."""
    scope = edge.current_scope()
    actors = read_everybody(scope)
    form = _read_filter(actors)
    if not form.is_right():
        return index()  # type: ignore[return-value] # the page that says what is wrong
    zone = edge.current_caller().tenant.zone
    wanted = replace(_wanted(form, zone), before=None, limit=CSV_ROWS)
    lines = stream_with_context(_lines(scope, actors, wanted))
    return attachment(lines, "audit-log.csv")


def _lines(scope: Scope, actors: Actors, wanted: audit.EntryFilter) -> Iterator[str]:
    yield csv_head(HEAD)
    while True:
        with unit_of_work(scope) as work:
            found = audit.list_entries(work, wanted)
        for deed in deeds.describe(found, actors, _names(scope, found)):
            yield edge.write_line(_cells(deed))
        if len(found) < CSV_ROWS:
            return
        wanted = replace(wanted, before=found[-1].seq)


def _cells(deed: deeds.Deed) -> tuple[object, ...]:
    at = sheet_when(deed.at)
    return deed.seq, at, deed.who, deed.action, deed.what, deed.subject, deed.details
