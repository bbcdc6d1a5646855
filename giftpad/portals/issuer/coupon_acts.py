"""Stopping, freeing and replacing at the desk: each on its own page, with numbers and a reason.

Hides: what is said while a shop is paying with the coupon, what a second press is answered with.
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, g, request

from giftpad import coupons
from giftpad.edge import current_scope, requires
from giftpad.kernel.db import Busy
from giftpad.kernel.errors import Conflict, Invalid, NotFound
from giftpad.kernel.i18n import mark
from giftpad.kernel.work import Work, unit_of_work
from giftpad.portals.forms import Choice, Form, Words, refused
from giftpad.portals.http import do_once, new_key, page, see_other
from giftpad.portals.issuer.coupon_shown import Shown, read_shown
from giftpad.portals.issuer.reasons import ReasonForm
from giftpad.portals.issuer.refusals import PageRefused
from giftpad.portals.lists import filter_asked, list_href
from giftpad.portals.reasons import FREE_REASONS, REPLACE_REASONS, STOP_REASONS
from giftpad.portals.words import say_in_words

bp = Blueprint("acts", __name__)

SERIAL_LENGTH_MAX = 64
RANGE_PATIENCE_S = 300
"""A million coupons are stopped in one transaction: all of them or none."""

STOPPED = mark("Coupon {serial} is stopped. Nothing can be paid with it. Its balance is kept.")
FREED = mark("Coupon {serial} can be spent again.")
REPLACED = mark("{old} will never work again. This is the coupon that takes its place.")
RANGE_STOPPED = mark("Stopped: {count} coupons. Their balances are kept.")
RANGE_FREED = mark("Can be spent again: {count} coupons.")
IN_USE = mark(
    "Nothing was changed. Perhaps the coupon is being used in a shop right now."
    " Please look again in 30 seconds."
)
NOTHING_LEFT = mark("It cannot be replaced: nothing is left on it.")
NOT_ON_LIST = mark("There is no coupon with this number.")
BACKWARDS = mark("The last number comes before the first.")
TWO_PROGRAMMES = mark("The two numbers belong to different programmes.")

Answer = Response | tuple[str, int]


class RangeForm(Form):
    """Which run of coupons is stopped or freed."""

    act = Choice(
        mark("What is to be done?"),
        (("stop", mark("Stop them")), ("free", mark("Let them be spent again"))),
    )
    first = Words(mark("First number"), most=SERIAL_LENGTH_MAX)
    last = Words(mark("Last number"), most=SERIAL_LENGTH_MAX)


def _read(serial: str) -> Shown:
    with unit_of_work(current_scope()) as work:
        return read_shown(work, serial)


def _draw(template: str, shown: Shown, form: ReasonForm, *, key: str) -> str:
    return page(
        f"issuer/coupons/{template}.html",
        nav_here="coupons",
        shown=shown,
        coupon=shown.coupon,
        form=form,
        key=key,
    )


def _act(
    serial: str,
    template: str,
    form: ReasonForm,
    *,
    effect: Callable[[Work, Shown], object],
) -> str | tuple[str, int]:
    """Do what a page asks once for its key; return what it came to, or the page with its faults."""
    shown = _read(serial)
    key = request.form.get("key", "")
    if not form.is_right():
        return _draw(template, shown, form, key=key), 422
    try:
        with unit_of_work(current_scope()) as work:
            return do_once(work, lambda: effect(work, shown))
    except (Conflict, Invalid) as error:
        status = int(refused(form, error))
    except PageRefused as error:
        form.refusal, status = say_in_words(error.sentence), error.status
    except Busy:
        form.refusal, status = say_in_words(IN_USE), HTTPStatus.CONFLICT
    return _draw(template, _read(serial), form, key=key), status


@bp.get("/<serial>/stop")
@requires("coupons:block")
def stop_page(serial: str) -> str:
    """Say what stopping a coupon does, and ask why."""
    return _draw("stop", _read(serial), ReasonForm(None, STOP_REASONS), key=new_key())


@bp.post("/<serial>/stop")
@requires("coupons:block")
def stop(serial: str) -> Answer:
    """Stop a coupon: it pays nothing from now on, and its value is kept."""
    form = ReasonForm(request.form, STOP_REASONS)
    done = _act(
        serial,
        "stop",
        form,
        effect=lambda work, shown: coupons.block(work, shown.coupon.serial, reason=form.reason),
    )
    if isinstance(done, tuple):
        return done
    return see_other("desk_coupons.one", serial=serial, say=STOPPED, params={"serial": serial})


@bp.get("/<serial>/free")
@requires("coupons:block")
def free_page(serial: str) -> str:
    """Say what freeing a stopped coupon does, and ask why."""
    return _draw("free", _read(serial), ReasonForm(None, FREE_REASONS), key=new_key())


@bp.post("/<serial>/free")
@requires("coupons:block")
def free(serial: str) -> Answer:
    """Let a stopped coupon be spent again."""
    form = ReasonForm(request.form, FREE_REASONS)
    done = _act(
        serial,
        "free",
        form,
        effect=lambda work, shown: coupons.unblock(work, shown.coupon.serial, reason=form.reason),
    )
    if isinstance(done, tuple):
        return done
    return see_other("desk_coupons.one", serial=serial, say=FREED, params={"serial": serial})


@bp.get("/<serial>/replace")
@requires("coupons:block")
def replace_page(serial: str) -> str:
    """Say what replacing a coupon does, and ask why."""
    return _draw("replace", _read(serial), ReasonForm(None, REPLACE_REASONS), key=new_key())


@bp.post("/<serial>/replace")
@requires("coupons:block", fresh=True)
def replace(serial: str) -> Answer:
    """Replace a lost coupon once for each form, and go to the one that takes its place."""

    def effect(work: Work, shown: Shown) -> str:
        if shown.is_empty:
            raise PageRefused(NOTHING_LEFT, HTTPStatus.CONFLICT)
        batch_id = coupons.replace(work, shown.coupon.serial, reason=form.reason)
        return coupons.get_batch(work, batch_id).serial_first

    form = ReasonForm(request.form, REPLACE_REASONS)
    done = _act(serial, "replace", form, effect=effect)
    if isinstance(done, tuple):
        return done
    return see_other("desk_coupons.one", serial=done, say=REPLACED, params={"old": serial})


@bp.get("/range")
@requires("coupons:block")
def range_page() -> str | tuple[str, int]:
    """Ask for a run of coupons; once it is named, say what will happen to it, and ask why."""
    form = RangeForm(request.args or None)
    if not request.args:
        return _draw_range(form)
    ends = _find_ends(form)
    if ends is None:
        return _draw_range(form), 422
    return _draw_sure(form, ends, _reasons(form, None), key=new_key())


@bp.post("/range")
@requires("coupons:block")
def turn_range() -> Answer:
    """Stop or free a run of coupons: all of them or none, once for each form."""
    form = RangeForm(request.form)
    g.page_path = list_href(".range_page", filter_asked(form))
    ends = _find_ends(form)
    if ends is None:
        return _draw_range(form), 422
    why = _reasons(form, request.form)
    key = request.form.get("key", "")
    if not why.is_right():
        return _draw_sure(form, ends, why, key=key), 422
    turn = coupons.block if form.act.data == "stop" else coupons.unblock
    first, last = ends
    try:
        with unit_of_work(current_scope(), patience_s=RANGE_PATIENCE_S) as work:
            count = do_once(work, lambda: turn(work, first, last=last, reason=why.reason))
    except (Conflict, Invalid) as error:
        status = refused(why, error)
        return _draw_sure(form, ends, why, key=key), status
    said = RANGE_STOPPED if form.act.data == "stop" else RANGE_FREED
    return see_other("desk_coupons.index", say=said, params={"count": int(count)})


def _reasons(form: RangeForm, formdata: Any) -> ReasonForm:
    return ReasonForm(formdata, STOP_REASONS if form.act.data == "stop" else FREE_REASONS)


def _find_ends(form: RangeForm) -> tuple[str, str] | None:
    """Return the serials that a run begins and ends with; faults are said at their fields."""
    if not form.is_right():
        return None
    found = []
    with unit_of_work(current_scope()) as work:
        for name in ("first", "last"):
            try:
                found.append(coupons.get_coupon(work, form[name].data, with_payments=False))
            except NotFound:
                form.refuse(name, NOT_ON_LIST)
    if form.faults:
        return None
    first, last = found
    if first.programme_id != last.programme_id:
        form.refuse("last", TWO_PROGRAMMES)
        return None
    if _number(last.serial) < _number(first.serial):
        form.refuse("last", BACKWARDS)
        return None
    return first.serial, last.serial


def _number(serial: str) -> int:
    return int(serial.rpartition("-")[2])


def _draw_range(form: RangeForm) -> str:
    return page("issuer/coupons/range.html", nav_here="coupons", form=form)


def _draw_sure(form: RangeForm, ends: tuple[str, str], why: ReasonForm, *, key: str) -> str:
    first, last = ends
    return page(
        "issuer/coupons/range_sure.html",
        nav_here="coupons",
        act=form.act.data,
        first=first,
        last=last,
        count=_number(last) - _number(first) + 1,
        form=why,
        key=key,
    )
