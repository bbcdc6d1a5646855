"""Connecting a tablet to a shop, on the phone of whoever keeps it: read the code, say yes or no.

Source: RFC 8628, section 3.3.
"""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from flask import Blueprint, Response, make_response, request

from giftpad import edge, guard, identity, shops, tills
from giftpad.edge import current_caller, current_scope, requires
from giftpad.kernel.errors import Conflict, TooMany
from giftpad.kernel.i18n import mark
from giftpad.kernel.work import Scope, unit_of_work
from giftpad.portals.account.places import first_page
from giftpad.portals.forms import Choice, Form, Words, refused
from giftpad.portals.http import page, see_other
from giftpad.portals.words import say_in_words

bp = Blueprint("tablet", __name__, url_prefix="/activate/tablet")

CODE_MOST, NAME_MOST, NUMBER_MOST = 40, 40, 40
WRONG_CODES_MAX = 10
SHOP_OWNER = "shop_owner"
DEFAULT_NAME = mark("Tablet {n}")
CONNECTED = mark("The tablet is connected. It goes on by itself in a few seconds.")
KEPT_OUT = mark("The tablet was told no. Nothing was connected.")
SHOP_UNKNOWN = mark("There is no shop with this number.")


class CodeForm(Form):
    """The code that the tablet shows."""

    user_code = Words(mark("Code on the tablet"), most=CODE_MOST)


class TabletForm(Form):
    """Which shop a tablet is of, and what it is called there."""

    shop = Choice(mark("Shop"), holds_names=True)
    number = Words(mark("Number of the shop"), most=NUMBER_MOST)
    name = Words(mark("Name of the tablet"), most=NAME_MOST)


def _person() -> edge.Person:
    person = current_caller().person
    assert person is not None, "a page knows persons only"
    return person


def _own_shops() -> list[tuple[str, str]]:
    """Return the shops whose owner this person is here; whoever is at a desk has none."""
    caller, person = current_caller(), _person()
    if person.role != SHOP_OWNER:
        return []
    ids = {
        each.shop_id
        for each in identity.list_memberships(person.id)
        if each.tenant_id == caller.tenant.id and each.role == SHOP_OWNER and each.shop_id
    }
    with unit_of_work(Scope(tenant_id=caller.tenant.id)) as work:
        names = shops.find_names(work, ids)
    mine = caller.claims.shop_id
    return sorted(
        ((str(shop_id), name) for shop_id, (_, name) in names.items()),
        key=lambda pair: (pair[0] != str(mine), pair[1]),
    )


def _form(own: list[tuple[str, str]], data: object = None) -> TabletForm:
    """Return the form with the field that this person chooses a shop by, and not the other."""
    form = TabletForm(data)
    form.shop.choices = own
    del form[("number" if own else "shop")]
    if own and not form.shop.data:
        form.shop.data = own[0][0]
    return form


def _counted() -> str:
    return f"activate:{_person().id}"


def _find(user_code: str) -> tills.PairingView:
    """Return the tablet that waits with a code; wrong ones are counted.

    Raises: PairingNotFound, TooManyFailures.
    """
    guard.check_failures(_counted())
    try:
        return tills.find_pairing(user_code)
    except tills.PairingNotFound:
        guard.count_failure(_counted(), most=WRONG_CODES_MAX)
        raise


@bp.get("")
@requires("tills:manage")
def index() -> Response:
    """Ask for the code; with one in the address, ask whether that tablet may come in."""
    user_code = request.args.get("user_code", "")[:CODE_MOST]
    form = CodeForm(user_code=user_code)
    if not user_code:
        return _ask_code(form)
    try:
        found = _find(user_code)
    except tills.PairingNotFound as error:
        form.refuse("user_code", error.sentence)
        return _ask_code(form, status=422)
    except TooMany as error:
        response = _ask_code(form, status=refused(form, error))
        response.headers["Retry-After"] = str(error.retry_after_s)
        return response
    own = _own_shops()
    answer = _form(own)
    answer.name.data = _next_name(UUID(own[0][0])) if own else say_in_words(DEFAULT_NAME, n=1)
    return _ask(answer, user_code, found, own)


def _next_name(shop_id: UUID) -> str:
    with unit_of_work(Scope(tenant_id=current_caller().tenant.id)) as work:
        taken = {each.name for each in tills.get_till(work, shop_id).terminals}
    names = (say_in_words(DEFAULT_NAME, n=n) for n in range(1, len(taken) + 2))
    return next(name for name in names if name not in taken)


def _ask_code(form: CodeForm, *, status: int = 200) -> Response:
    response = make_response(
        page("account/tablet.html", form=form, first_page=first_page(_person().role))
    )
    response.status_code = status
    return response


def _ask(
    form: TabletForm,
    user_code: str,
    found: tills.PairingView,
    own: list[tuple[str, str]],
    *,
    status: int = 200,
) -> Response:
    response = make_response(
        page(
            "account/tablet_answer.html",
            form=form,
            user_code=identity.show_user_code(user_code),
            found=found,
            own=own,
        )
    )
    response.status_code = status
    return response


@bp.post("")
@requires("tills:manage")
def decide() -> Response:
    """Make the tablet one of the shop, or tell it no."""
    user_code = request.form.get("user_code", "")[:CODE_MOST]
    try:
        found = _find(user_code)
        if request.form.get("answer") != "yes":
            tills.deny_pairing(current_scope(), user_code)
            return see_other(".index", say=KEPT_OUT, kind="info")
        return _connect(user_code, found)
    except tills.PairingNotFound as error:
        return see_other(".index", say=error.sentence, kind="warning")


def _connect(user_code: str, found: tills.PairingView) -> Response:
    own = _own_shops()
    form = _form(own, request.form)
    shop_id = _chosen(form, own) if form.is_right() else None
    if shop_id is None:
        return _ask(form, user_code, found, own, status=422)
    actor = identity.person_actor(_person().id, shop_id if own else None)
    try:
        tills.approve_pairing(
            replace(current_scope(), actor=actor), user_code, shop_id, form.name.data
        )
    except identity.NameUnfit as error:
        form.refuse("name", error.sentence, **error.params)
        return _ask(form, user_code, found, own, status=422)
    except Conflict as error:
        return _ask(form, user_code, found, own, status=refused(form, error))
    return see_other("tablets.one", shop_id=shop_id, say=CONNECTED)


def _chosen(form: TabletForm, own: list[tuple[str, str]]) -> UUID | None:
    """Return the shop of the form; None, with a fault in the form, if there is none."""
    if own:
        return UUID(form.shop.data)
    with unit_of_work(current_scope()) as work:
        shop_id = shops.find_shop_id(work, form.number.data)
    if shop_id is None:
        form.refuse("number", SHOP_UNKNOWN)
    return shop_id
