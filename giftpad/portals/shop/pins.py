"""The door of a tablet: whoever is at the till types a PIN, and locks it again when they go.

A tablet whose shop asks for no PIN opens by itself.
"""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response, make_response, request

from giftpad import edge, tenancy, tills
from giftpad.edge import HeldTerminal, public, requires
from giftpad.kernel.errors import DomainError, TooMany
from giftpad.kernel.i18n import mark
from giftpad.portals.forms import Choice, Form, Password, refused
from giftpad.portals.http import page, see_other

bp = Blueprint("shop_pins", __name__)

WHY = "The sealed cookie says which shop's tablet it is; a PIN opens it, wrong ones are counted."
REMOVED = mark("This tablet was removed from the shop, or was not used for a long time.")
LOCKED = mark("The tablet is locked.")


class PinForm(Form):
    """Who is at the till, and their PIN."""

    clerk = Choice(mark("Your name"), holds_names=True)
    pin = Password(mark("PIN"))


def _held() -> HeldTerminal:
    """Return which tablet this is.

    Raises: TerminalOver, TenantClosed.
    """
    held = edge.held_terminal()
    if held is None:
        raise tills.TerminalOver
    tenant = tenancy.find_tenant(held.tenant_id)
    if tenant is not None and tenant.is_suspended:
        raise edge.TenantClosed
    return held


@bp.get("/shop/till")
@public(WHY)
def index() -> Response:
    """Ask for name and PIN; where none is asked for, open the till."""
    if edge.find_caller() is not None:
        return see_other("shop.index")
    try:
        held = _held()
        found = tills.meet_terminal(held.tenant_id, held.terminal_id, held.secret)
        if found.asks_pin:
            return _draw(PinForm(), found)
        opened = tills.open_till(held.tenant_id, held.terminal_id, held.secret)
    except tills.TerminalOver:
        return _removed()
    return _open(opened)


@bp.post("/shop/till")
@public(WHY)
def enter() -> Response:
    """Judge name and PIN."""
    try:
        held = _held()
        found = tills.meet_terminal(held.tenant_id, held.terminal_id, held.secret)
        form = PinForm(request.form)
        form.clerk.choices = _choices(found)
        if not form.is_right():
            return _draw(form, found, status=422)
        try:
            opened = tills.enter_pin(
                held.tenant_id,
                held.terminal_id,
                held.secret,
                clerk_id=UUID(form.clerk.data),
                pin=form.pin.data or "",
            )
        except (tills.PinWrong, tills.PinLocked, TooMany) as error:
            return _refuse(form, found, error)
    except tills.TerminalOver:
        return _removed()
    return _open(opened)


def _choices(found: tills.Terminal) -> list[tuple[str, str]]:
    return [(str(clerk.id), clerk.name) for clerk in found.clerks]


def _draw(form: PinForm, found: tills.Terminal, *, status: int = 200) -> Response:
    form.clerk.choices = choices = _choices(found)
    if len(choices) == 1 and not form.clerk.data:
        form.clerk.data = choices[0][0]
    response = make_response(
        page("shop/pin.html", form=form, terminal_name=found.name, tenant=found.tenant)
    )
    response.status_code = status
    return response


def _refuse(form: PinForm, found: tills.Terminal, error: DomainError) -> Response:
    response = _draw(form, found, status=refused(form, error))
    if isinstance(error, TooMany):
        response.headers["Retry-After"] = str(error.retry_after_s)
    return response


def _open(opened: tills.OpenedTill) -> Response:
    response = see_other("shop.index")
    edge.seat_at_terminal(response, opened)
    return response


def _removed() -> Response:
    response = see_other("shop_pairing.index", say=REMOVED, kind="warning")
    edge.forget_terminal(response)
    return response


@bp.post("/shop/lock")
@requires()
def lock() -> Response:
    """Let whoever is at the tablet go; the next one types a PIN."""
    held = edge.held_terminal()
    if held is None:
        return see_other("shop.index")
    try:
        tills.lock_till(held.tenant_id, held.terminal_id, held.secret)
    except tills.TerminalOver:
        return _removed()
    response = see_other("shop_pins.index", say=LOCKED, kind="info")
    edge.keep_terminal(response, held)
    return response
