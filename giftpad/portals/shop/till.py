"""Taking money in a shop: read a coupon, type an amount, show it, take it, tell how it ended.

Nothing is at rest between the steps: the address of the pad is the sealed reading.  Whoever sends
the last step twice, however late and from however many tabs, pays once.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from flask import Blueprint, Response, make_response, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from giftpad import coupons, edge, guard, payments
from giftpad.edge import current_scope, requires
from giftpad.kernel import codes
from giftpad.kernel.clock import local_date
from giftpad.kernel.errors import DomainError, TooMany, Unavailable
from giftpad.kernel.work import unit_of_work
from giftpad.portals.http import page, see_other, wants_fragment
from giftpad.portals.shop import refusals
from giftpad.portals.shop.paying import AMOUNT_DIGITS_MAX, NotTaken, read_amount, take_once
from giftpad.portals.shop.readings import Reading, make_reading, open_reading, this_shop
from giftpad.portals.shop.refusals import Refusal, refusal_of
from giftpad.portals.shop.scene import Scene, set_scene, show

CODE_LENGTH_MAX = 200
JUST_NOW = timedelta(minutes=10)
GREEN_FOR = timedelta(minutes=2)
OUTCOME_HEADER, ADDRESS_HEADER = "X-Giftpad-Outcome", "X-Giftpad-Address"

bp = Blueprint("shop", __name__)


@bp.get("/shop")
@requires()
def index() -> AnyResponse | tuple[str, int]:
    """Show the camera and the field for a number; to those of no shop, who may come in."""
    if edge.current_caller().claims.shop_id is None:
        return page("shop/no_shop.html"), 403
    edge.allow_wasm()
    with unit_of_work(current_scope()) as work:
        scene = set_scene(work)
        today = local_date(work.at, scene.zone)
        totals = payments.sum_payments(work, scene.on(today))
    return show("scan", scene, totals=totals)


@bp.post("/shop/read")
@requires("payments:accept")
def read() -> AnyResponse:
    """Look up what was scanned, typed, or sent by a reader at the till."""
    scope, code = current_scope(), request.form.get("code", "").strip()
    if len(code) > CODE_LENGTH_MAX or (codes.parse_qr(code) is None and "://" in code):
        return _refuse(refusal_of(refusals.CODE_FOREIGN, {}))
    if codes.parse_qr(code) is None and codes.parse_typed(code) is None:
        return _refuse(refusal_of(_slip_of(code), {}), typed=code)
    try:
        looked = payments.look_up(scope, code, this_shop())
    except (payments.InstrumentNotFound, guard.TooManyFailures) as error:
        return _refuse(refusals.refusal_by(error))
    if looked.reason is not None:
        return _refuse(_refusal_in(looked))
    return see_other("shop.pad", reading=make_reading(looked.locator))


def _slip_of(code: str) -> str:
    """Tell what somebody typed that can be no payment number; none of it counts as a guess."""
    if not code:
        return refusals.CODE_EMPTY
    return refusals.CODE_SERIAL if coupons.parse_serial(code) else refusals.CODE_SLIP


@bp.get("/shop/pay/<reading>")
@requires("payments:accept")
def pad(reading: str) -> AnyResponse:
    """Show the keys for an amount; with an amount, what the customer is to agree to."""
    held = open_reading(reading)
    if held is None:
        return _refuse(refusal_of(refusals.READING_FOREIGN, {}))
    done = payments.find_paid(held.scope, held.key)
    if done is not None:
        return see_other("shop.paid", payment_id=done.id, told="done")
    if not held.is_fresh:
        return _refuse(refusal_of(refusals.READING_OLD, {}))
    try:
        looked = payments.look_up_again(current_scope(), held.locator, this_shop())
    except payments.InstrumentNotFound as error:
        return _refuse(refusals.refusal_by(error))
    return _ask_amount(reading, looked)


def _ask_amount(reading: str, looked: payments.Looked) -> AnyResponse:
    if looked.reason is not None:
        return _refuse(_refusal_in(looked))
    typed = request.args.get("amount", "")
    amount = read_amount(typed)
    with unit_of_work(current_scope()) as work:
        scene = set_scene(work, programme_id=looked.programme_id, locator=looked.locator)
        just_paid = payments.last_payment(work, this_shop(), looked.account_id, work.at - JUST_NOW)
    if amount is None or "change" in request.args:
        return show(
            "pad",
            scene,
            reading=reading,
            looked=looked,
            typed=amount or "",
            is_wrong="amount" in request.args and amount is None,
            just_paid=just_paid,
            digits_max=AMOUNT_DIGITS_MAX,
        )
    over = refusals.refusal_over(looked, amount)
    if over is not None:
        return _refuse(over, scene=scene, reading=reading, asked_minor=amount)
    return show("confirm", scene, reading=reading, looked=looked, asked_minor=amount)


@bp.post("/shop/pay/<reading>")
@requires("payments:accept")
def pay(reading: str) -> AnyResponse:
    """Take the amount, once for this reading; asked again, tell what came of it."""
    held, typed = open_reading(reading), request.form.get("amount", "")
    if held is None:
        return _refuse(refusal_of(refusals.READING_FOREIGN, {}), is_last_word=False)
    amount = read_amount(typed)
    if amount is None or request.form.get("confirm") != "1":
        return see_other("shop.pad", reading=reading, amount=typed)
    try:
        done, told = take_once(held, amount, is_again="again" in request.form)
    except TooMany:
        raise
    except (Unavailable, guard.StillRunning) as error:
        return _doubt(reading, amount, error)
    except NotTaken as error:
        # With another key, for the old one pays no more.
        reading = make_reading(held.locator) if error.is_closed else reading
        return _refuse(error.refusal, held=held, reading=reading, asked_minor=amount)
    return _told(done, told)


@bp.get("/shop/paid/<uuid:payment_id>")
@requires("payments:accept")
def paid(payment_id: UUID) -> AnyResponse:
    """Show a payment: the green screen while it is new, afterwards what is on record."""
    return _result(payment_id, request.args.get("told", ""))


def _told(payment_id: UUID, told: str) -> AnyResponse:
    """Tell how a payment ended: in place to a script, else at an address that can be reloaded."""
    address = url_for("shop.paid", payment_id=payment_id, told=told or None)
    if not wants_fragment():
        return see_other(address)
    response = _result(payment_id, told)
    response.headers[OUTCOME_HEADER] = "accepted"
    response.headers[ADDRESS_HEADER] = address
    return response


def _result(payment_id: UUID, told: str) -> Response:
    with unit_of_work(current_scope()) as work:
        payment = payments.get_payment(work, payment_id)
        scene = set_scene(work, programme_id=payment.programme_id, locator=payment.locator)
        is_new = payment.state == "captured" and work.at - payment.at < GREEN_FOR
        can_cancel = payment.state == "captured" and (
            local_date(payment.at, scene.zone) == local_date(work.at, scene.zone)
        )
    return show(
        "accepted" if is_new else "record",
        scene,
        payment=payment,
        receipt=payments.receipt_number(payment.id),
        can_cancel=can_cancel,
        told=told,
    )


def _refusal_in(looked: payments.Looked) -> Refusal:
    with unit_of_work(current_scope()) as work:
        zone = set_scene(work).zone
        first_day = local_date(looked.starts_at, zone) if looked.starts_at > work.at else None
    return refusals.refusal_in(
        looked,
        last_day=payments.last_day(looked.ends_at, zone),
        first_day=first_day.isoformat() if first_day is not None else None,
    )


def _refuse(
    refusal: Refusal,
    *,
    scene: Scene | None = None,
    held: Reading | None = None,
    reading: str = "",
    asked_minor: int | None = None,
    typed: str = "",
    is_last_word: bool = True,
) -> Response:
    """Draw a refusal; unless it is the last word on a payment, a script must not take it for it."""
    if scene is None:
        with unit_of_work(current_scope()) as work:
            scene = set_scene(work, locator=held.locator if held is not None else None)
    response = show(
        "refused",
        scene,
        refusal=refusal,
        reading=reading,
        asked_minor=asked_minor,
        typed=typed,
    )
    response.status_code = refusal.status
    if is_last_word:
        response.headers[OUTCOME_HEADER] = "refused"
    return response


def _doubt(reading: str, amount_minor: int, error: DomainError) -> Response:
    """Ask to ask again: whether money moved is not known, and nothing else may be tried.

    It is drawn without a query, because the database may be what does not answer.
    """
    response = make_response(page("shop/doubt.html", reading=reading, amount_minor=amount_minor))
    response.status_code = edge.status_of(error)
    response.headers["Retry-After"] = "1"
    return response
