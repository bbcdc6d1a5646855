"""Refusals and accidents as pages: what happened, whether money moved, what to do now.

``draw_problem`` is what the edge calls for every page that could not be answered.
"""

from __future__ import annotations

from http import HTTPStatus

from flask import render_template, request

from giftpad import edge, guard, identity
from giftpad.kernel.db import Busy, DatabaseAway
from giftpad.kernel.i18n import mark
from giftpad.portals.account.prove import draw_proof, hold_form
from giftpad.portals.hands import find_hands
from giftpad.portals.http import keep_notice, wants_fragment
from giftpad.portals.refusals import detail_in_words

HEADINGS: dict[int, str] = {
    HTTPStatus.BAD_REQUEST: mark("This could not be read"),
    HTTPStatus.UNAUTHORIZED: mark("Please sign in again"),
    HTTPStatus.FORBIDDEN: mark("You may not do this"),
    HTTPStatus.NOT_FOUND: mark("There is no such page"),
    HTTPStatus.METHOD_NOT_ALLOWED: mark("There is no such page"),
    HTTPStatus.CONFLICT: mark("Something has changed in the meantime"),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: mark("This is too large"),
    HTTPStatus.UNPROCESSABLE_ENTITY: mark("This cannot be done"),
    HTTPStatus.TOO_MANY_REQUESTS: mark("Please wait a while"),
    HTTPStatus.INTERNAL_SERVER_ERROR: mark("Something went wrong on our side"),
    HTTPStatus.SERVICE_UNAVAILABLE: mark("Giftpad cannot answer right now"),
}
HEADINGS_OF: dict[str, str] = {
    guard.NotYourTurn.code: mark("Please wait for your turn"),
    guard.FeatureOff.code: mark("This page is resting for a while"),
    identity.VisitTooNarrow.code: mark("You may not do this"),
}
"""Headings of single refusals."""

NEXT_STEPS: dict[int, str] = {
    HTTPStatus.BAD_REQUEST: mark("Go back, open the page again and send it once more."),
    HTTPStatus.UNAUTHORIZED: mark("Your sign-in is over. Sign in, then do it once more."),
    HTTPStatus.FORBIDDEN: mark("Go back, or begin again from the first page."),
    HTTPStatus.NOT_FOUND: mark("Check the address, or begin again from the first page."),
    HTTPStatus.METHOD_NOT_ALLOWED: mark("Check the address, or begin again from the first page."),
    HTTPStatus.CONFLICT: mark("Look at the newest state, then decide again."),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: mark("Send less at once."),
    HTTPStatus.UNPROCESSABLE_ENTITY: mark("Go back and change what is named above."),
    HTTPStatus.TOO_MANY_REQUESTS: mark("You can try again in {seconds} seconds."),
    HTTPStatus.INTERNAL_SERVER_ERROR: "",
    HTTPStatus.SERVICE_UNAVAILABLE: mark("Try again in {seconds} seconds."),
}
RETRY_S = 30
NEXT_STEPS_OF: dict[str, str] = {
    edge.FormForeign.code: "",
    edge.ConnectionOpen.code: "",
    edge.PermissionMissing.code: mark("Ask somebody who may, or an owner of your organisation."),
    guard.NotYourTurn.code: mark(
        "Open this page again at the time above; this device is let in from then on."
    ),
    guard.FeatureOff.code: "",
    identity.VisitTooNarrow.code: mark("Leave the visit, or ask somebody who belongs here."),
}
"""Next steps of single refusals; an empty one where their sentence says it already."""

WAITS = frozenset(
    {guard.NotYourTurn.code, guard.FeatureOff.code, guard.Overloaded.code, guard.TooLate.code}
)
"""Refusals that are no error of anybody: there is something to wait for."""

SHOPS_GO_ON: dict[str, str] = {
    guard.NotYourTurn.code: mark("Shops go on taking coupons. To pay, nobody has to wait here."),
    guard.FeatureOff.code: mark("Shops go on taking coupons."),
}
"""What a holder needs to know most while pages are closed."""

AWAY = frozenset({DatabaseAway.code, Busy.code})
"""Accidents in which a look wants to know of the money that was paid before."""

PUBLIC_SIDES = frozenset({"Q", "balance", "t"})
"""First parts of the addresses of holders, who have no other first page."""

TURNED_AWAY = frozenset(
    {
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.TOO_MANY_REQUESTS,
    }
)
"""Refusals at the door: they tell of this sending, and not of an earlier one of the same form."""

ONCE_FIELDS = ("key", "confirm")
"""Fields of forms that may have been sent before: those that are done once, and a payment."""

LOOKS = ("GET", "HEAD")


def draw_problem(
    status: int,
    *,
    code: str,
    detail: str,
    money_moved: bool | None = False,
    retry_after_s: int | None = None,
    permission: str = "",
) -> str:
    """Draw the page of a refusal; ``detail`` is already in the reader's language.

    ``money_moved`` None says that only a look at the records can tell; ``permission`` is the one
    that is missing, if that is why.  A look says nothing of money: it may follow a form that has
    moved some.  What a form has left to be said is kept for the page that can be shown.
    """
    if code == edge.ProofOld.code:
        held = hold_form()
        return draw_proof(held=held, is_lost=not held and request.method not in LOOKS)
    keep_notice()
    is_look, side = request.method in LOOKS, request.path.split("/", 2)[1]
    known = status if status in HEADINGS else HTTPStatus.INTERNAL_SERVER_ERROR
    template = "errors/fragment.html" if wants_fragment() else "errors/page.html"
    return render_template(
        template,
        status=status,
        heading=HEADINGS_OF.get(code, HEADINGS[known]),
        detail="" if status == HTTPStatus.NOT_FOUND else detail_in_words(code, detail),
        next_step=NEXT_STEPS_OF.get(code, NEXT_STEPS[known]),
        seconds=retry_after_s or RETRY_S,
        is_wait=code in WAITS,
        shops_go_on=SHOPS_GO_ON.get(code, ""),
        is_away=is_look and code in AWAY,
        can_find=code == guard.FeatureOff.code and side == "desk",
        can_reload=is_look and status == HTTPStatus.SERVICE_UNAVAILABLE,
        is_public=side in PUBLIC_SIDES,
        tells_of_money=not is_look,
        money_moved=_moved(status, by_this=money_moved),
        hands=find_hands(permission) if code == edge.PermissionMissing.code else [],
        nav_here="",
    )


def _moved(status: int, *, by_this: bool | None) -> bool | None:
    """Tell whether money has moved by this form, its earlier sendings included; None if open."""
    if by_this is not False or request.method in LOOKS or status not in TURNED_AWAY:
        return by_this
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return False  # its fields cannot be read; sent before, it was too large as well
    return None if any(name in request.form for name in ONCE_FIELDS) else False
