"""Where a gift goes: the address, what is asked once more, the choice itself, a change of mind."""

from __future__ import annotations

from http import HTTPStatus
from uuid import UUID

from flask import Blueprint, Response, request

from giftpad import catalog, edge, gifts
from giftpad.kernel.errors import DomainError
from giftpad.kernel.i18n import mark
from giftpad.kernel.work import Work, unit_of_work
from giftpad.portals.forms import refused
from giftpad.portals.gift.addresses import (
    FIND,
    TAKE,
    TIME_SLOTS,
    AddressForm,
    Found,
    form_of,
    form_sent,
    known_of,
    look_up,
    read_address,
    write_phone,
    write_postcode,
)
from giftpad.portals.gift.letter import RECEIVE
from giftpad.portals.gift.opened import (
    Draft,
    is_mine,
    keep_draft,
    keep_mine,
    locator,
    read_draft,
    read_letter,
)
from giftpad.portals.gift.pages import as_gift_pages, draw_of
from giftpad.portals.http import see_other

CHOOSE_FIRST = mark("Choose something first. Then we ask where it goes.")
LOOK_AGAIN = mark("Something was changed in another window. Please look at it once more.")
CHANGED = mark("It goes to the new address.")
TOO_LATE = mark("It is on its way already. The address can no longer be changed.")

bp = Blueprint("gift_delivery", __name__)
as_gift_pages(bp)

Chosen = tuple[catalog.ProductView, catalog.VariantView]


def _find_chosen(work: Work, draft: Draft) -> Chosen | None:
    """Return what was chosen, as long as it can be had."""
    if not draft.has_choice:
        return None
    try:
        product = catalog.get_product(work, UUID(draft.product_id))
    except catalog.ProductNotFound:
        return None
    for variant in product.variants:
        if str(variant.id) == draft.variant_id and variant.is_available:
            return product, variant
    return None


def _choose_first(draft: Draft) -> Response:
    """Send whoever has chosen nothing, or something that is gone, back; the address stays."""
    if not draft.has_choice:
        return see_other("gift_choice.index", say=CHOOSE_FIRST, kind="info")
    return _choose_again(draft, catalog.SoldOut())


def _choose_again(draft: Draft, why: DomainError) -> Response:
    response = see_other("gift_choice.index", say=why.sentence, kind="warning", params=why.params)
    keep_draft(response, draft.unchoose())
    return response


@bp.get("/g/address")
@edge.requires(RECEIVE)
def ask() -> Response | str:
    """Ask where the gift goes."""
    draft = read_draft()
    with unit_of_work(edge.current_scope()) as work:
        letter = read_letter(work)
        if letter.state != "open":
            return see_other("gift.index")
        chosen = _find_chosen(work, draft)
    if chosen is None:
        return _choose_first(draft)
    form = form_of(draft.kind, draft.address or {"name": letter.recipient_name})
    return _draw_address(letter, form, product=chosen[0])


def _draw_address(letter: gifts.Letter, form: AddressForm, **values: object) -> str:
    return draw_of(letter, "gift/address.html", **{"found": Found(), "form": form} | values)


@bp.post("/g/address")
@edge.requires(RECEIVE)
def take() -> Response | str | tuple[str, int]:
    """Look a postcode up, or take the address and go on."""
    draft = read_draft()
    with unit_of_work(edge.current_scope()) as work:
        letter = read_letter(work)
        if letter.state != "open":
            return see_other("gift.index")
        chosen = _find_chosen(work, draft)
    if chosen is None:
        return _choose_first(draft.send_to(form_sent(draft.kind, request.form).typed()))
    form = form_sent(draft.kind, request.form)
    if request.form.get("act") in (FIND, TAKE):
        found = look_up(form, request.form)
        return _draw_address(letter, form, product=chosen[0], found=found)
    if read_address(form) is None:
        return _draw_address(letter, form, product=chosen[0]), HTTPStatus.UNPROCESSABLE_ENTITY
    response = see_other(".review")
    keep_draft(response, draft.send_to(form.typed()))
    return response


@bp.get("/g/review")
@edge.requires(RECEIVE)
def review() -> Response | str:
    """Show once more what was chosen and where it goes."""
    draft = read_draft()
    with unit_of_work(edge.current_scope()) as work:
        letter = read_letter(work)
        if letter.state != "open":
            return see_other("gift.index")
        chosen = _find_chosen(work, draft)
    if chosen is None:
        return _choose_first(draft)
    address = read_address(form_of(draft.kind, draft.address))
    if address is None:
        return see_other(".ask")
    return _draw_review(letter, chosen, address, draft)


def _draw_review(
    letter: gifts.Letter,
    chosen: Chosen,
    address: gifts.Address,
    draft: Draft,
    *,
    lacks: str = "",
) -> str:
    product, variant = chosen
    return draw_of(
        letter,
        "gift/review.html",
        product=product,
        variant=variant,
        address=address,
        postcode=write_postcode(address),
        phone=write_phone(address),
        time_slots=TIME_SLOTS,
        shown=draft.mark,
        lacks=lacks,
    )


def _find_lacking(product: catalog.ProductView) -> str:
    """Return what a person has not ticked that they must before this is claimed, or nothing.

    What goes to no door asks for nothing that a program could not send: it sends every form it
    sees as it finds it, so that one tick tells it from a person.
    """
    if product.age_min and request.form.get("of_age") != "1":
        return "age"
    if product.kind != "goods" and request.form.get("sure") != "1":
        return "sure"
    return ""


@bp.post("/g/review")
@edge.requires(RECEIVE)
def claim() -> Response | tuple[str, int]:
    """Take the choice, once however often it is sent; what is gone meanwhile is chosen anew."""
    draft = read_draft()
    address = read_address(form_of(draft.kind, draft.address))
    if not draft.has_choice or address is None:
        return see_other(".review")
    if request.form.get("shown") != draft.mark:
        return see_other(".review", say=LOOK_AGAIN, kind="warning")
    try:
        with unit_of_work(edge.current_scope()) as work:
            letter = read_letter(work)
            chosen = _find_chosen(work, draft) if letter.state == "open" else None
            if chosen is not None and (lacks := _find_lacking(chosen[0])):
                html = _draw_review(letter, chosen, address, draft, lacks=lacks)
                return html, HTTPStatus.UNPROCESSABLE_ENTITY
            order = gifts.ClaimOrder(
                gift_id=letter.gift_id,
                key=draft.key,
                variant_id=UUID(draft.variant_id),
                address=address,
                locator=locator(),
            )
            gifts.claim(work, order)
    except (catalog.SoldOut, catalog.ChoiceNotFound, catalog.NotDelivered) as error:
        return _choose_again(draft, error)
    except gifts.GiftOver:
        return see_other("gift.index")
    response = see_other("gift.index")
    keep_mine(response)
    return response


@bp.get("/g/change")
@edge.requires(RECEIVE)
def ask_change() -> Response | str:
    """Ask for another address, as long as nothing is on its way."""
    with unit_of_work(edge.current_scope()) as work:
        letter = read_letter(work)
    if not _can_change(letter):
        return see_other("gift.index", say=TOO_LATE, kind="info")
    assert letter.claim is not None
    return _draw_change(letter, form_of(letter.claim.kind, known_of(letter.claim.address)))


def _can_change(letter: gifts.Letter) -> bool:
    return letter.claim is not None and letter.claim.can_change_address and is_mine()


def _draw_change(letter: gifts.Letter, form: AddressForm, found: Found | None = None) -> str:
    return draw_of(letter, "gift/change.html", form=form, found=found or Found())


@bp.post("/g/change")
@edge.requires(RECEIVE)
def change() -> Response | str | tuple[str, int]:
    """Send what was chosen to another address."""
    with unit_of_work(edge.current_scope()) as work:
        letter = read_letter(work)
        if not _can_change(letter) or letter.claim is None:
            return see_other("gift.index", say=TOO_LATE, kind="info")
        form = form_sent(letter.claim.kind, request.form)
        if request.form.get("act") in (FIND, TAKE):
            return _draw_change(letter, form, look_up(form, request.form))
        address = read_address(form)
        if address is None:
            return _draw_change(letter, form), HTTPStatus.UNPROCESSABLE_ENTITY
        try:
            gifts.change_address(work, letter.gift_id, address)
        except catalog.NotDelivered as error:
            status = refused(form, error)
            return _draw_change(letter, form), status
        except (gifts.ClaimSent, gifts.GiftWrongState):
            return see_other("gift.index", say=TOO_LATE, kind="info")
    return see_other("gift.index", say=CHANGED)
