"""The tablets of a shop and its clerks, for whoever keeps the shop: its owner, or the desk.

A lost tablet is shut out by one tap; a clerk needs a name and a PIN, and no account.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, make_response, request

from giftpad import identity, shops, tills
from giftpad.edge import current_caller, current_scope, requires
from giftpad.kernel.errors import Conflict
from giftpad.kernel.i18n import mark
from giftpad.kernel.work import Scope, unit_of_work
from giftpad.portals.forms import Choice, Form, Password, Words, refused
from giftpad.portals.http import page, see_other
from giftpad.portals.words import say_in_words

bp = Blueprint("tablets", __name__, url_prefix="/tablets")

NAME_MOST = 40
ENDED = mark("The tablet is shut out. Nobody can pay with it any more.")
RENAMED = mark("The tablet has its new name.")
ADDED = mark("The clerk can type the PIN on every tablet of the shop now.")
PIN_SET = mark("The new PIN holds from now on.")
UNLOCKED = mark("The name is unlocked. Five tries are free again.")
REMOVED = mark("The clerk can type no PIN here any more.")
ASKED = mark("The tablets of this shop ask for a PIN from now on.")
NOT_ASKED = mark("The tablets of this shop open without a PIN from now on.")
NO_ACCOUNT = mark("Nobody with an account: only the name")
NAME_OR_MEMBER = mark("Type a name, or choose somebody with an account.")


class ClerkForm(Form):
    """Who gets a PIN: somebody with an account, or a name; and the PIN."""

    member = Choice(mark("Somebody with an account"), required=False, holds_names=True)
    name = Words(mark("Name"), most=NAME_MOST, required=False)
    pin = Password(mark("PIN"))


class PinForm(Form):
    """Another PIN."""

    pin = Password(mark("New PIN"))


class NameForm(Form):
    """What a tablet is called."""

    name = Words(mark("Name of the tablet"), most=NAME_MOST)


def _shop(shop_id: UUID) -> shops.ShopView:
    """Return the shop, if it is one that the caller may see.

    Raises: ShopNotFound.
    """
    with unit_of_work(current_scope()) as work:
        return shops.get_shop(work, shop_id)


def _till(shop_id: UUID) -> tills.TillView:
    with unit_of_work(Scope(tenant_id=current_caller().tenant.id)) as work:
        return tills.get_till(work, shop_id)


def _members(shop_id: UUID, till: tills.TillView) -> list[tuple[str, str]]:
    """Return the people of a shop who have an account and no PIN here yet."""
    nobody = ("", say_in_words(NO_ACCOUNT))
    have = {clerk.name for clerk in till.clerks if clerk.is_member}
    found = [
        (str(each.membership_id), each.name)
        for each in identity.list_members(Scope(tenant_id=current_caller().tenant.id))
        if each.shop_id == shop_id and each.name not in have
    ]
    return [nobody, *found] if found else []


def _draw(shop_id: UUID, form: ClerkForm | None = None, *, status: int = 200) -> Response:
    shop, till = _shop(shop_id), _till(shop_id)
    form = form or ClerkForm()
    form.member.choices = _members(shop_id, till)
    form.member.data = form.member.data or ""
    response = make_response(
        page(
            "shop/tablets.html",
            nav_here="shops",
            shop=shop,
            till=till,
            form=form,
            pairers=_pairers(till),
            clerks={clerk.id: clerk.name for clerk in till.clerks},
            least=tills.PIN_LENGTH_MIN,
            most=tills.PIN_LENGTH_MAX,
            pairing=f"{identity.issuer().address}shop/pair",
        )
    )
    response.status_code = status
    return response


def _pairers(till: tills.TillView) -> dict[str, str]:
    """Return the names of the people who have connected these tablets."""
    wanted = set()
    for terminal in till.terminals:
        with suppress(ValueError):  # a machine or Giftpad itself
            wanted.add(UUID(terminal.paired_by))
    found = identity.find_people(Scope(tenant_id=current_caller().tenant.id), wanted)
    return {str(person_id): name for person_id, name in found.items()}


def _back(shop_id: UUID, say: str, **more: Any) -> Response:
    return see_other(".one", shop_id=shop_id, say=say, **more)


@bp.get("")
@requires("tills:manage")
def index() -> Response:
    """Go to the tablets of one's own shop; at a desk, to the list of shops."""
    shop_id = current_caller().claims.shop_id
    return see_other("desk_shops.index") if shop_id is None else see_other(".one", shop_id=shop_id)


@bp.get("/<uuid:shop_id>")
@requires("tills:manage")
def one(shop_id: UUID) -> Response:
    """List the tablets and the clerks of a shop."""
    return _draw(shop_id)


@bp.post("/<uuid:shop_id>/ask")
@requires("tills:manage")
def ask(shop_id: UUID) -> Response:
    """Say whether the tablets ask for a PIN."""
    asks = request.form.get("asks") == "1"
    _shop(shop_id)
    try:
        tills.ask_for_pin(current_scope(), shop_id, asks=asks)
    except tills.NoPinYet as error:
        return _back(shop_id, error.sentence, kind="warning")
    return _back(shop_id, ASKED if asks else NOT_ASKED)


@bp.post("/<uuid:shop_id>/clerks")
@requires("tills:manage")
def add(shop_id: UUID) -> Response:
    """Add a clerk by name and PIN."""
    _shop(shop_id)
    form = ClerkForm(request.form)
    form.member.choices = _members(shop_id, _till(shop_id))
    if form.is_right() and not (form.member.data or form.name.data):
        form.refuse("name", NAME_OR_MEMBER)
    if form.faults:
        return _draw(shop_id, form, status=422)
    member = UUID(form.member.data) if form.member.data else None
    try:
        tills.add_clerk(
            current_scope(), shop_id, form.name.data, form.pin.data, membership_id=member
        )
    except (tills.PinUnfit, tills.PinTrivial) as error:
        form.refuse("pin", error.sentence, **error.params)
        return _draw(shop_id, form, status=422)
    except identity.NameUnfit as error:
        form.refuse("name", error.sentence, **error.params)
        return _draw(shop_id, form, status=422)
    except Conflict as error:
        return _draw(shop_id, form, status=refused(form, error))
    return _back(shop_id, ADDED)


def _clerk(shop_id: UUID, clerk_id: UUID) -> tills.ClerkView:
    for clerk in _till(shop_id).clerks:
        if clerk.id == clerk_id:
            return clerk
    raise tills.ClerkNotFound


def _terminal(shop_id: UUID, terminal_id: UUID) -> tills.TerminalView:
    for terminal in _till(shop_id).terminals:
        if terminal.id == terminal_id:
            return terminal
    raise tills.TerminalNotFound


@bp.get("/<uuid:shop_id>/clerks/<uuid:clerk_id>/pin")
@requires("tills:manage")
def pin_page(shop_id: UUID, clerk_id: UUID) -> Response:
    """Ask for a clerk's new PIN."""
    return _draw_pin(shop_id, clerk_id, PinForm())


def _draw_pin(shop_id: UUID, clerk_id: UUID, form: PinForm, *, status: int = 200) -> Response:
    shop = _shop(shop_id)
    response = make_response(
        page(
            "shop/new_pin.html",
            nav_here="shops",
            shop=shop,
            clerk=_clerk(shop_id, clerk_id),
            form=form,
            least=tills.PIN_LENGTH_MIN,
            most=tills.PIN_LENGTH_MAX,
        )
    )
    response.status_code = status
    return response


@bp.post("/<uuid:shop_id>/clerks/<uuid:clerk_id>/pin")
@requires("tills:manage")
def set_pin(shop_id: UUID, clerk_id: UUID) -> Response:
    """Give a clerk another PIN."""
    _shop(shop_id)
    form = PinForm(request.form)
    if not form.is_right():
        return _draw_pin(shop_id, clerk_id, form, status=422)
    try:
        tills.set_pin(current_scope(), shop_id, clerk_id, form.pin.data)
    except (tills.PinUnfit, tills.PinTrivial) as error:
        form.refuse("pin", error.sentence, **error.params)
        return _draw_pin(shop_id, clerk_id, form, status=422)
    return _back(shop_id, PIN_SET)


@bp.post("/<uuid:shop_id>/clerks/<uuid:clerk_id>/unlock")
@requires("tills:manage")
def unlock(shop_id: UUID, clerk_id: UUID) -> Response:
    """Let a clerk try again."""
    _shop(shop_id)
    tills.unlock_clerk(current_scope(), shop_id, clerk_id)
    return _back(shop_id, UNLOCKED)


@bp.post("/<uuid:shop_id>/clerks/<uuid:clerk_id>/remove")
@requires("tills:manage")
def remove(shop_id: UUID, clerk_id: UUID) -> Response:
    """Let a clerk type no PIN any more."""
    _shop(shop_id)
    tills.remove_clerk(current_scope(), shop_id, clerk_id)
    return _back(shop_id, REMOVED)


@bp.get("/<uuid:shop_id>/<uuid:terminal_id>/name")
@requires("tills:manage")
def name_page(shop_id: UUID, terminal_id: UUID) -> Response:
    """Ask for a tablet's new name."""
    name = _terminal(shop_id, terminal_id).name
    return _draw_name(shop_id, terminal_id, NameForm(name=name))


def _draw_name(shop_id: UUID, terminal_id: UUID, form: NameForm, *, status: int = 200) -> Response:
    shop = _shop(shop_id)
    terminal = _terminal(shop_id, terminal_id)
    response = make_response(
        page("shop/tablet_name.html", nav_here="shops", shop=shop, terminal=terminal, form=form)
    )
    response.status_code = status
    return response


@bp.post("/<uuid:shop_id>/<uuid:terminal_id>/name")
@requires("tills:manage")
def rename(shop_id: UUID, terminal_id: UUID) -> Response:
    """Call a tablet otherwise."""
    _shop(shop_id)
    form = NameForm(request.form)
    if not form.is_right():
        return _draw_name(shop_id, terminal_id, form, status=422)
    tills.rename_terminal(current_scope(), shop_id, terminal_id, form.name.data)
    return _back(shop_id, RENAMED)


@bp.post("/<uuid:shop_id>/<uuid:terminal_id>/end")
@requires("tills:manage")
def end(shop_id: UUID, terminal_id: UUID) -> Response:
    """Shut a tablet out."""
    _shop(shop_id)
    tills.end_terminal(current_scope(), shop_id, terminal_id)
    return _back(shop_id, ENDED)
