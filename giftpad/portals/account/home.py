"""The first address, and the two things everybody may choose: language and size of the text."""

from __future__ import annotations

from flask import Blueprint, Response, request

from giftpad.edge import LOCALE_COOKIE, find_caller, public
from giftpad.kernel.i18n import LOCALES
from giftpad.portals.account.places import SIGN_IN, first_page, local_path
from giftpad.portals.http import READINGS_COOKIE, SIZE_COOKIE, SIZES, see_other

bp = Blueprint("home", __name__)

KEPT_S = 365 * 24 * 3600
CHOICES = {
    "lang": (LOCALE_COOKIE, LOCALES),
    "size": (SIZE_COOKIE, SIZES),
    "readings": (READINGS_COOKIE, ("0", "1")),
}


@bp.get("/")
@public("It only sends everybody to where they begin.")
def index() -> Response:
    """Go to where one begins."""
    caller = find_caller()
    if caller is None or caller.person is None:
        return see_other(SIGN_IN)
    return see_other(first_page(caller.person.role))


@bp.post("/preferences")
@public("Whoever reads a page chooses its language and the size of its text.")
def preferences() -> Response:
    """Remember what was chosen, in this browser."""
    response = see_other(local_path(request.form.get("next")) or "/")
    for field, (cookie, values) in CHOICES.items():
        chosen = request.form.get(field)
        if chosen in values:
            response.set_cookie(
                cookie,
                chosen,
                max_age=KEPT_S,
                path="/",
                secure=request.is_secure,
                httponly=True,
                samesite="Lax",
            )
    return response
