"""Single coupons at the desk: found by number or code, shown with all that happened to them.

Hides: whether a number or a code was typed.  A code is posted, so it stays in no address.
Stopping and replacing are in ``coupon_acts``.
"""

from __future__ import annotations

from flask import Blueprint, Response, request

from giftpad import coupons, guard
from giftpad.edge import current_scope, requires
from giftpad.kernel.errors import NotFound
from giftpad.kernel.i18n import mark
from giftpad.kernel.work import Scope, Work, unit_of_work
from giftpad.portals.forms import Form, Words
from giftpad.portals.hands import find_hands
from giftpad.portals.http import page, see_other
from giftpad.portals.issuer import coupon_acts
from giftpad.portals.issuer.coupon_history import tell_history
from giftpad.portals.issuer.coupon_shown import Shown, read_shown
from giftpad.portals.reasons import reason_in_words

bp = Blueprint("desk_coupons", __name__, url_prefix="/desk/coupons")
bp.register_blueprint(coupon_acts.bp)

CODE_LENGTH_MAX = 200

NOT_FOUND = mark("There is no coupon with this number or code. Check it and try again.")


class FindForm(Form):
    """What somebody reads from a coupon: its number, its code, or what a reader makes of its QR."""

    code = Words(mark("Number or code of the coupon"), most=CODE_LENGTH_MAX)


@bp.get("")
@requires("coupons:read")
def index() -> str:
    """Ask for a coupon."""
    return _draw_index(FindForm(None))


def _draw_index(form: FindForm) -> str:
    return page("issuer/coupons/index.html", nav_here="coupons", form=form)


@bp.post("/find")
@requires("coupons:read")
def find() -> Response | tuple[str, int]:
    """Find a coupon by its number or its code, and go to its page."""
    form = FindForm(request.form)
    if not form.is_right():
        return _draw_index(form), 422
    serial = _find_serial(current_scope(), form.code.data)
    if serial is None:
        form.refuse("code", NOT_FOUND)
        return _draw_index(form), 422
    return see_other("desk_coupons.one", serial=serial)


def _find_serial(scope: Scope, text: str) -> str | None:
    """Return the serial of what was typed; wrong codes count as guesses, wrong numbers too."""
    guesser = scope.actor.client_id
    guard.check_failures(guesser)
    with unit_of_work(scope) as work:
        for find_one in (_by_serial, coupons.find_coupon_by_code):
            try:
                return find_one(work, text)
            except NotFound:
                continue
    guard.count_failure(guesser)
    return None


def _by_serial(work: Work, text: str) -> str:
    return coupons.get_coupon(work, text, with_payments=False).serial


@bp.get("/<serial>")
@requires("coupons:read")
def one(serial: str) -> str | Response:
    """Show one coupon and all that happened to it, newest first."""
    scope = current_scope()
    with unit_of_work(scope) as work:
        shown = read_shown(work, serial)
        history = coupons.list_history(work, serial)
    if shown.coupon.serial != serial:
        return see_other("desk_coupons.one", serial=shown.coupon.serial)
    return page(
        "issuer/coupons/one.html",
        nav_here="coupons",
        shown=shown,
        coupon=shown.coupon,
        happenings=tell_history(scope, history),
        reason_in_words=reason_in_words,
        **_paper_hands(scope, shown),
    )


def _paper_hands(scope: Scope, shown: Shown) -> dict[str, list[str]]:
    """Return who can release and print a replacement, where the reader cannot."""
    if shown.coupon.replaces is None or shown.poll_s is not None:
        return {"releasers": [], "printers": []}
    held, is_ready = scope.permissions, shown.batch.state == "ready"
    asks_release = is_ready and "coupons:release" not in held
    asks_print = shown.batch.print_destroyed_at is None and "coupons:print" not in held
    return {
        "releasers": find_hands("coupons:release") if asks_release else [],
        "printers": find_hands("coupons:print") if asks_print else [],
    }


@bp.get("/<serial>/paper")
@requires("coupons:read")
def paper(serial: str) -> str:
    """Draw the part of the page that follows the printing of a replacement."""
    scope = current_scope()
    with unit_of_work(scope) as work:
        shown = read_shown(work, serial)
    return page(
        "issuer/coupons/_paper.html",
        shown=shown,
        coupon=shown.coupon,
        **_paper_hands(scope, shown),
    )
