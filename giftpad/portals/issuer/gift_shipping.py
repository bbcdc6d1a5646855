"""Parcels at the desk: what each supplier has to send, what carriers tell back, what came back.

Hides: that columns of lists are called as each supplier and carrier calls them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, g, request, url_for

from giftpad import audit, gifts, sheets
from giftpad.edge import body_limit, current_locale, current_scope, requires
from giftpad.guard import KeyReused, StillRunning
from giftpad.kernel.errors import Conflict, Invalid
from giftpad.kernel.i18n import mark, translate
from giftpad.kernel.work import Scope, Work, unit_of_work
from giftpad.portals.downloads import UTF8_MARK, attachment
from giftpad.portals.forms import Form, Upload, Words, refused
from giftpad.portals.http import do_once, new_key, see_other
from giftpad.portals.issuer.gift_shown import draw
from giftpad.portals.issuer.gift_words import CLAIM_STATES
from giftpad.portals.issuer.reasons import ReasonForm
from giftpad.portals.lists import id_asked
from giftpad.portals.reasons import PARCEL_REASONS
from giftpad.portals.words import say_in_words

bp = Blueprint("shipping", __name__)

ROWS = 50
BODY_MAX = sheets.SIZE_MAX + 64 * 1024
NAME_LENGTH_MAX = 60
FAULTS_SHOWN = 200
STATES = ("received", "preparing", "shipped", "returned", "arrived")
LISTED_STATE = "preparing"
FIELD_WORDS: Mapping[str, str] = {
    "number": mark("Number of the claim"),
    "code": mark("Code of the product"),
    "product": mark("Product"),
    "name": mark("Name"),
    "kana": mark("Reading in kana"),
    "postcode": mark("Postcode"),
    "prefecture": mark("Prefecture"),
    "city": mark("City"),
    "street": mark("Street"),
    "building": mark("Building"),
    "phone": mark("Telephone"),
    "time_slot": mark("Time of day"),
    "wish": mark("Wish"),
    "sender": mark("Sender"),
    "tracking": mark("Carrier's number"),
    "carrier": mark("Carrier"),
}
TIME_WORDS: Mapping[str, str] = {
    "any": "",
    "morning": mark("in the morning"),
    "afternoon": mark("in the afternoon"),
    "evening": mark("in the evening"),
}
LISTED = mark("The list is taken out, with {n} on it. Fetch its file and give it to the supplier.")
NOTHING_LEFT = mark("Nothing is left for this list: somebody has taken it out already.")
NAMED = mark("The names of the columns are kept for the next list.")
TURNED = mark("Noted.")
ASKED_AGAIN = mark("The recipient is asked to choose once more.")
NO_FILE = mark("Please choose a file.")
NO_COLUMN = mark("The file has no column for: {field}. Its columns are: {columns}.")

Answer = Response | tuple[str, int]


class TrackingForm(Form):
    """A carrier's file, and how its columns are called."""

    file = Upload(mark("File (.csv or .xlsx)"), accept=".csv,.tsv,.txt,.xlsx")
    carrier = Words(mark("Carrier, where the file names none"), most=40, required=False)
    number = Words(
        mark("Column with the number of the claim"), most=NAME_LENGTH_MAX, required=False
    )
    tracking = Words(mark("Column with the carrier's number"), most=NAME_LENGTH_MAX, required=False)


def _supplier() -> str:
    return request.values.get("supplier", "")[:100]


@bp.get("/shipping")
@requires("gifts:support")
def index() -> str:
    """List the suppliers with what each has to send."""
    with unit_of_work(current_scope()) as work:
        suppliers = gifts.list_suppliers(work)
    return draw("suppliers", suppliers=suppliers)


@bp.get("/shipping/list")
@requires("gifts:support")
def parcels() -> str:
    """List what one supplier has to send, or has sent."""
    supplier, state = _supplier(), request.args.get("state", "")
    state = state if state in STATES else STATES[0]
    with unit_of_work(current_scope()) as work:
        found = gifts.list_parcels(work, supplier, state=state, after=id_asked("after"), limit=ROWS)
        lists = gifts.list_lists(work, supplier) if state == LISTED_STATE else []
    return draw(
        "parcels",
        supplier=supplier,
        parcels=found.items,
        lists=lists,
        state=state,
        states=[(name, CLAIM_STATES[name][1]) for name in STATES],
        claim_states=CLAIM_STATES,
        name_product=name_product,
        key=new_key(),
        first_href=_list_href(supplier, state) if "after" in request.args else None,
        next_href=_list_href(supplier, state, found.next_after) if found.next_after else None,
    )


def _list_href(supplier: str, state: str, after: UUID | None = None) -> str:
    return url_for("desk_gifts.shipping.parcels", supplier=supplier, state=state, after=after)


def name_product(names: Mapping[str, str]) -> str:
    """Return what a product is called in the reader's language."""
    return names.get(current_locale()) or next(iter(names.values()), "")


@bp.get("/shipping/lists/<uuid:list_id>.csv")
@requires("gifts:support")
def list_csv(list_id: UUID) -> Response:
    """Fetch a list that was taken out, its columns called as its supplier calls them.

    What is on its way already is left out, so that a file fetched twice sends nothing twice.
    """
    scope = current_scope()
    with unit_of_work(scope) as work:
        supplier = gifts.get_list(work, list_id).supplier
        names = gifts.list_columns(work, supplier)
        audit.record(
            work,
            action="gift_claims.list_taken",
            subject=f"tenant:{work.tenant_id}",
            details={"supplier": supplier, "list": str(list_id)},
        )
    names = {field: names[field] for field in gifts.LIST_FIELDS if names[field]}
    return attachment(_rows(scope, list_id, names), "shipping.csv")


def _rows(scope: Scope, list_id: UUID, names: Mapping[str, str]) -> Iterator[str]:
    """Write the parcels of a list page by page, each read in a short transaction of its own."""
    yield UTF8_MARK + sheets.write_line(names.values())
    after: UUID | None = None
    while True:
        with unit_of_work(scope) as work:
            found = gifts.list_listed(work, list_id, after=after, limit=500)
        yield "".join(
            sheets.write_line(cells[field] for field in names) for cells in map(_cells, found.items)
        )
        after = found.next_after
        if after is None:
            return


def _cells(parcel: gifts.ParcelView) -> Mapping[str, str]:
    claim, to = parcel.claim, parcel.claim.address
    return {
        "number": claim.number,
        "code": parcel.code,
        "product": claim.product_names.get("ja") or next(iter(claim.product_names.values()), ""),
        "name": to.name,
        "kana": to.kana,
        "postcode": f"{to.postcode[:3]}-{to.postcode[3:]}" if to.postcode else "",
        "prefecture": to.prefecture,
        "city": to.city,
        "street": to.street,
        "building": to.building,
        "phone": "0" + to.phone.removeprefix("+81") if to.phone.startswith("+81") else to.phone,
        # As suppliers in Japan read it, whoever takes the list out.
        "time_slot": translate(TIME_WORDS[to.time_slot], "ja") if to.time_slot != "any" else "",
        "wish": to.wish,
        "sender": parcel.sender,
    }


@bp.post("/shipping/listed")
@requires("gifts:support")
def take_list() -> Response:
    """Put all that a supplier has to send onto a list; its file can be fetched again and again."""
    supplier = _supplier()

    def effect(work: Work) -> int:
        _, count = gifts.take_list(work, supplier)
        return count

    with unit_of_work(current_scope()) as work:
        count = int(do_once(work, lambda: effect(work)))
    if not count:
        return see_other(_list_href(supplier, STATES[0]), say=NOTHING_LEFT, kind="info")
    return see_other(_list_href(supplier, LISTED_STATE), say=LISTED, params={"n": count})


@bp.get("/shipping/columns")
@requires("gifts:support")
def columns() -> str:
    """Ask how a supplier calls the columns of its list."""
    supplier = _supplier()
    with unit_of_work(current_scope()) as work:
        names = gifts.list_columns(work, supplier)
    return draw("list_columns", supplier=supplier, names=names, field_words=FIELD_WORDS)


@bp.post("/shipping/columns")
@requires("gifts:support")
def name_columns() -> Response:
    """Keep how a supplier calls the columns of its list."""
    supplier = _supplier()
    names = {
        field: " ".join(request.form.get(field, "").split())[:NAME_LENGTH_MAX]
        for field in gifts.LIST_FIELDS
    }
    names["number"] = names["number"] or gifts.LIST_FIELDS["number"]
    with unit_of_work(current_scope()) as work:
        gifts.name_columns(work, supplier, names)
    return see_other(_list_href(supplier, "received"), say=NAMED)


@bp.get("/shipping/tracking")
@requires("gifts:support")
def ask_tracking() -> str:
    """Ask for a carrier's file."""
    supplier = _supplier()
    with unit_of_work(current_scope()) as work:
        known = gifts.find_columns(work, gifts.tracking_purpose(supplier))
    by_field = {field: name for name, field in known.items()}
    return _draw_tracking(supplier, TrackingForm(None, data=by_field))


def _draw_tracking(supplier: str, form: TrackingForm, **more: Any) -> str:
    return draw("tracking", supplier=supplier, form=form, **{"faults": (), "taken": None} | more)


@bp.post("/shipping/tracking")
@requires("gifts:support")
@body_limit(BODY_MAX)
def take_tracking() -> Answer:
    """Take a carrier's file line by line; what is wrong with the others is said."""
    supplier = _supplier()
    g.page_path = url_for(".ask_tracking", supplier=supplier)
    form = TrackingForm(request.form)
    sent = request.files.get("file")
    if sent is None or not sent.filename:
        form.file.errors = [say_in_words(NO_FILE)]
        return _draw_tracking(supplier, form), 422
    try:
        taken, faults = _take(supplier, form, sheets.read_sheet(sent.stream.read()))
    except Invalid as refusal:
        status = refused(form, refusal)
        return _draw_tracking(supplier, form), status
    if form.faults:
        return _draw_tracking(supplier, form), 422
    shown = [(fault.line, _fault_words(fault)) for fault in faults[:FAULTS_SHOWN]]
    drawn = _draw_tracking(supplier, form, taken=taken, faults=shown, fault_count=len(faults))
    return drawn, 422 if faults else 200


def _fault_words(fault: gifts.ShippingFault) -> str:
    params = dict(fault.params)
    if "state" in params:
        params["state"] = say_in_words(CLAIM_STATES[params["state"]][1])
    return say_in_words(gifts.SHIPPING_SENTENCES[fault.code], **params)


def _take(
    supplier: str, form: TrackingForm, sheet: sheets.Sheet
) -> tuple[int, list[gifts.ShippingFault]]:
    purpose = gifts.tracking_purpose(supplier)
    typed = {form[name].data: name for name in ("number", "tracking") if form[name].data}
    with unit_of_work(current_scope()) as work:
        known = {**gifts.find_columns(work, purpose), **typed}
    matched = sheets.match_columns(sheet.header, gifts.TRACKING_FIELDS, known)
    for name in ("number", "tracking"):
        if name not in matched.places:
            words = say_in_words(FIELD_WORDS[name])
            form.refuse(name, NO_COLUMN, field=words, columns=", ".join(sheet.header))
    if form.faults:
        return 0, []
    with unit_of_work(current_scope()) as work:
        named = {sheet.header[place]: field for field, place in matched.places.items()}
        gifts.remember_columns(work, purpose, named)
    taken, faults, pending = 0, [], []
    for line, cells in sheet.rows():
        each = gifts.clean_shipped(line, matched.take(cells), carrier=str(form.carrier.data or ""))
        if isinstance(each, gifts.ShippingFault):
            faults.append(each)
        else:
            pending.append(each)
        if len(pending) == gifts.SHIPPED_AT_ONCE_MAX:
            taken += _note(pending, faults)
    taken += _note(pending, faults)
    return taken, sorted(faults, key=lambda fault: fault.line)


def _note(pending: list[gifts.Shipped], faults: list[gifts.ShippingFault]) -> int:
    """Note some lines in a transaction of their own, and empty the list of them."""
    with unit_of_work(current_scope()) as work:
        count, found = gifts.note_shipped(work, pending)
    faults.extend(found)
    pending.clear()
    return count


@bp.get("/shipping/claims/<uuid:claim_id>")
@requires("gifts:support")
def claim(claim_id: UUID) -> str:
    """Show one parcel and what can be done about it."""
    return _draw_claim(claim_id, ReasonForm(None, PARCEL_REASONS), key=new_key())


def _draw_claim(claim_id: UUID, form: ReasonForm, *, key: str) -> str:
    with unit_of_work(current_scope()) as work:
        parcel = gifts.get_parcel(work, claim_id)
    return draw(
        "claim",
        parcel=parcel,
        claim=parcel.claim,
        cells=_cells(parcel),
        claim_states=CLAIM_STATES,
        field_words=FIELD_WORDS,
        name_product=name_product,
        form=form,
        key=key,
        can_choose_again=parcel.claim.state in ("received", "preparing"),
    )


def _turn(claim_id: UUID, form: ReasonForm, effect: Any, said: str) -> Answer:
    key = request.form.get("key", "")
    g.page_path = url_for(".claim", claim_id=claim_id)
    status = 422
    if form.is_right():
        try:
            with unit_of_work(current_scope()) as work:
                do_once(work, lambda: effect(work))
        except (StillRunning, KeyReused):
            raise
        except Conflict as refusal:
            status = refused(form, refusal)
        else:
            return see_other("desk_gifts.shipping.claim", say=said, claim_id=claim_id)
    return _draw_claim(claim_id, form, key=key), status


@bp.post("/shipping/claims/<uuid:claim_id>")
@requires("gifts:support")
def turn(claim_id: UUID) -> Answer:
    """Note that a parcel arrived, came back, or goes out once more."""
    act = request.form.get("act", "")
    form = ReasonForm(request.form, PARCEL_REASONS)
    if act == "arrived":
        form.why.data, form.why.choices = "arrived", [("arrived", "arrived")]

    def effect(work: Work) -> None:
        if act == "arrived":
            gifts.note_arrived(work, claim_id)
        elif act == "returned":
            gifts.note_returned(work, claim_id, reason=form.reason)
        else:
            gifts.send_once_more(work, claim_id, reason=form.reason)

    return _turn(claim_id, form, effect, TURNED)


@bp.post("/shipping/claims/<uuid:claim_id>/choose-again")
@requires("gifts:support", fresh=True)
def choose_again(claim_id: UUID) -> Answer:
    """Withdraw a claim that cannot be fulfilled; its recipient chooses once more."""
    form = ReasonForm(request.form, PARCEL_REASONS)
    return _turn(
        claim_id,
        form,
        lambda work: gifts.choose_again(work, claim_id, reason=form.reason),
        ASKED_AGAIN,
    )
