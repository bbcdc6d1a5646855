"""Where a gift goes: the address, what is asked once more, the choice itself, a change of mind."""

from __future__ import annotations

from http import HTTPStatus
from uuid import UUID

from flask import Blueprint, Response, make_response, request

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
from giftpad.portals.gift.basket import Pair, find_pair, read_basket
from giftpad.portals.gift.letter import RECEIVE, claim_asked
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
from giftpad.portals.lists import read_number

CHOOSE_FIRST = mark("Choose something first. Then we ask where it goes.")
TAKEN_OUT = mark("One of these is gone and was taken out. Nothing has been sent yet.")
LOOK_AGAIN = mark("Something was changed in another window. Please look at it once more.")
CHANGED = mark("It goes to the new address.")
TOO_LATE = mark("It is on its way already. The address can no longer be changed.")

NOT_TO_BE_HAD = (
    catalog.SoldOut,
    catalog.ChoiceNotFound,
    catalog.NotDelivered,
    gifts.ItemGone,
    gifts.ItemNotDelivered,
    gifts.PricesChanged,
    gifts.BalanceTooSmall,
)
"""What comes between a choice and its claim: something else is chosen, and nothing is lost."""

bp = Blueprint("gift_delivery", __name__)
as_gift_pages(bp)


def _find_chosen(work: Work, letter: gifts.Letter, draft: Draft) -> tuple[Pair, ...] | None:
    """Return all that was chosen, as long as all of it can be had and paid for."""
    if letter.kind == gifts.BALANCE:
        basket = read_basket(work, letter)
        is_right = basket.pairs and not basket.gone and basket.rest_minor >= 0
        return basket.pairs if is_right else None
    if not draft.variant_id:
        return None
    found = find_pair(work, draft.product_id, draft.variant_id)
    return None if found is None else (found,)


def _choose_first(letter: gifts.Letter, draft: Draft) -> Response:
    """Send whoever has chosen nothing, or something that is gone, back; the address stays."""
    if not draft.has_choice:
        return see_other("gift_choice.index", say=CHOOSE_FIRST, kind="info")
    if letter.kind == gifts.BALANCE:
        response = see_other("gift_balance.show_basket")
        keep_draft(response, draft)
        return response
    return _choose_again(draft, catalog.SoldOut())


def _choose_again(draft: Draft, why: DomainError) -> Response:
    response = see_other("gift_choice.index", say=why.sentence, kind="warning", params=why.params)
    keep_draft(response, draft.unchoose())
    return response


def _look_again(draft: Draft, why: DomainError) -> Response:
    """Show a basket without what cannot be had; everything else is still in it."""
    if isinstance(why, gifts.PricesChanged):
        return see_other(".review", say=LOOK_AGAIN, kind="warning")
    gone = str(why.params.get("variant_id", ""))
    say, params = why.sentence, dict(why.params)
    if isinstance(why, gifts.ItemGone):
        say, params = TAKEN_OUT, {}
    response = see_other("gift_balance.show_basket", say=say, kind="warning", params=params)
    keep_draft(response, draft.drop(gone))
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
        chosen = _find_chosen(work, letter, draft)
    if chosen is None:
        return _choose_first(letter, draft)
    form = form_of(draft.goes_as, draft.address or {"name": letter.recipient_name})
    return _draw_address(letter, form, chosen=chosen)


def _draw_address(letter: gifts.Letter, form: AddressForm, **values: object) -> str:
    return draw_of(letter, "gift/address.html", **{"found": Found(), "form": form} | values)


@bp.post("/g/address")
@edge.requires(RECEIVE)
def take() -> Response:
    """Look a postcode up, or take the address and go on."""
    draft = read_draft()
    with unit_of_work(edge.current_scope()) as work:
        letter = read_letter(work)
        if letter.state != "open":
            return see_other("gift.index")
        chosen = _find_chosen(work, letter, draft)
    if chosen is None:
        typed = form_sent(draft.goes_as, request.form).typed()
        return _choose_first(letter, draft.send_to(typed))
    form = form_sent(draft.goes_as, request.form)
    if request.form.get("act") in (FIND, TAKE):
        found = look_up(form, request.form)
        return _keep_typed(_draw_address(letter, form, chosen=chosen, found=found), draft, form)
    if read_address(form) is None:
        response = _keep_typed(_draw_address(letter, form, chosen=chosen), draft, form)
        response.status_code = HTTPStatus.UNPROCESSABLE_ENTITY
        return response
    response = see_other(".review")
    keep_draft(response, draft.send_to(form.typed()))
    return response


def _keep_typed(html: str, draft: Draft, form: AddressForm) -> Response:
    """Answer with the form again; Back, and a window that was closed, find what was typed."""
    response = make_response(html)
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
        chosen = _find_chosen(work, letter, draft)
    if chosen is None:
        return _choose_first(letter, draft)
    address = read_address(form_of(draft.goes_as, draft.address))
    if address is None:
        return see_other(".ask")
    return _draw_review(letter, chosen, address, draft)


def _draw_review(
    letter: gifts.Letter,
    chosen: tuple[Pair, ...],
    address: gifts.Address,
    draft: Draft,
    *,
    lacks: str = "",
) -> str:
    total_minor = sum(product.price_minor for product, _ in chosen)
    return draw_of(
        letter,
        "gift/review.html",
        chosen=chosen,
        age_min=_age_of(chosen),
        total_minor=total_minor,
        rest_minor=letter.left_minor - total_minor,
        address=address,
        postcode=write_postcode(address),
        phone=write_phone(address),
        time_slots=TIME_SLOTS,
        shown=draft.mark,
        lacks=lacks,
        wants_tick=_wants_tick(chosen),
    )


def _find_lacking(chosen: tuple[Pair, ...]) -> str:
    """Return what a person has not ticked that they must before this is claimed, or nothing.

    What goes to no door asks for nothing that a program could not send: it sends every form it
    sees as it finds it, so that one tick tells it from a person.
    """
    if _age_of(chosen) and request.form.get("of_age") != "1":
        return "age"
    if _wants_tick(chosen) and request.form.get("sure") != "1":
        return "sure"
    return ""


def _wants_tick(chosen: tuple[Pair, ...]) -> bool:
    return all(product.kind != "goods" for product, _ in chosen)


def _age_of(chosen: tuple[Pair, ...]) -> int:
    """Return how old somebody must be for all of it; 0 where it does not matter."""
    return max((product.age_min for product, _ in chosen), default=0)


@bp.post("/g/review")
@edge.requires(RECEIVE)
def claim() -> Response | tuple[str, int]:
    """Take the choice, once however often it is sent; what is gone meanwhile is chosen anew."""
    draft = read_draft()
    address = read_address(form_of(draft.goes_as, draft.address))
    if not draft.has_choice or address is None:
        return see_other(".review")
    if request.form.get("shown") != draft.mark:
        return see_other(".review", say=LOOK_AGAIN, kind="warning")
    try:
        with unit_of_work(edge.current_scope()) as work:
            letter = read_letter(work)
            chosen = _find_chosen(work, letter, draft) if letter.state == "open" else None
            if chosen is not None and (lacks := _find_lacking(chosen)):
                html = _draw_review(letter, chosen, address, draft, lacks=lacks)
                return html, HTTPStatus.UNPROCESSABLE_ENTITY
            _claim(work, letter, draft, address)
    except NOT_TO_BE_HAD as error:
        return _look_again(draft, error) if draft.basket else _choose_again(draft, error)
    except gifts.GiftOver:
        return see_other("gift.index")
    response = see_other("gift.index")
    keep_mine(response)
    return response


def _claim(work: Work, letter: gifts.Letter, draft: Draft, address: gifts.Address) -> None:
    """Claim the one thing of a course, or all that is in the basket of a balance."""
    if letter.kind != gifts.BALANCE:
        order = gifts.ClaimOrder(
            gift_id=letter.gift_id,
            key=draft.key,
            variant_id=UUID(draft.variant_id),
            address=address,
            locator=locator(),
        )
        gifts.claim(work, order)
        return
    basket = gifts.BasketOrder(
        gift_id=letter.gift_id,
        key=draft.key,
        variant_ids=tuple(UUID(variant_id) for _, variant_id, _ in draft.basket),
        total_minor=read_number(request.form.get("total", "")) or 0,
        address=address,
        locator=locator(),
    )
    gifts.claim_items(work, basket)


@bp.get("/g/change")
@edge.requires(RECEIVE)
def ask_change() -> Response | str:
    """Ask for another address, as long as nothing is on its way."""
    with unit_of_work(edge.current_scope()) as work:
        letter = read_letter(work)
    claimed = _find_changeable(letter)
    if claimed is None:
        return see_other("gift.index", say=TOO_LATE, kind="info")
    return _draw_change(letter, form_of(claimed.kind, known_of(claimed.address)))


def _find_changeable(letter: gifts.Letter) -> gifts.ClaimView | None:
    """Return the claim that is asked for, if it is of this browser and can go elsewhere."""
    claimed = claim_asked(letter)
    can_change = claimed is not None and claimed.can_change_address and is_mine()
    return claimed if can_change else None


def _draw_change(letter: gifts.Letter, form: AddressForm, found: Found | None = None) -> str:
    return draw_of(letter, "gift/change.html", form=form, found=found or Found())


@bp.post("/g/change")
@edge.requires(RECEIVE)
def change() -> Response | str | tuple[str, int]:
    """Send what was chosen to another address."""
    with unit_of_work(edge.current_scope()) as work:
        letter = read_letter(work)
        claimed = _find_changeable(letter)
        if claimed is None:
            return see_other("gift.index", say=TOO_LATE, kind="info")
        form = form_sent(claimed.kind, request.form)
        if request.form.get("act") in (FIND, TAKE):
            return _draw_change(letter, form, look_up(form, request.form))
        address = read_address(form)
        if address is None:
            return _draw_change(letter, form), HTTPStatus.UNPROCESSABLE_ENTITY
        try:
            gifts.change_address(work, letter.gift_id, address, claim_id=claimed.id)
        except catalog.NotDelivered as error:
            status = refused(form, error)
            return _draw_change(letter, form), status
        except (gifts.ClaimSent, gifts.GiftWrongState):
            return see_other("gift.index", say=TOO_LATE, kind="info")
    return see_other("gift.index", say=CHANGED)
