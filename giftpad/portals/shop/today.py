"""Today in a shop: what was taken, the total, another day; cancelling a payment of today."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

from flask import Blueprint, make_response, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from giftpad import coupons, guard, payments
from giftpad.edge import current_scope, requires
from giftpad.kernel.clock import local_date
from giftpad.kernel.errors import Conflict, Rejected
from giftpad.kernel.i18n import mark
from giftpad.kernel.work import Work, unit_of_work
from giftpad.portals.forms import Choice, Form, refused
from giftpad.portals.http import do_once, new_key, page, see_other
from giftpad.portals.reasons import REFUND_REASONS
from giftpad.portals.shop.scene import Scene, set_scene

FIRST_DAY = date(2020, 1, 1)

bp = Blueprint("shop_today", __name__)


class CancelForm(Form):
    """Why a payment is cancelled."""

    reason = Choice(mark("Reason"), REFUND_REASONS)


@bp.get("/shop/today")
@requires("payments:read")
def index() -> str:
    """List the payments of a day of this shop, today unless another is asked for."""
    with unit_of_work(current_scope()) as work:
        scene = set_scene(work)
        today = local_date(work.at, scene.zone)
        day = _asked_day(today)
        listed = payments.list_payments(work, scene.on(day))
        totals = payments.sum_payments(work, scene.on(day))
        serials = coupons.find_serials(work, {each.locator for each in listed})
    return page(
        "shop/today.html",
        scene=scene,
        day=day,
        today=today,
        before=day - timedelta(days=1),
        after=day + timedelta(days=1) if day < today else None,
        listed=listed,
        totals=totals,
        serials=serials,
        receipt=payments.receipt_number,
        at=work.at,
    )


def _asked_day(today: date) -> date:
    try:
        asked = date.fromisoformat(request.args.get("day", ""))
    except ValueError:
        return today
    return max(FIRST_DAY, min(asked, today))


@bp.get("/shop/payments/<uuid:payment_id>/cancel")
@requires("payments:accept")
def ask_cancel(payment_id: UUID) -> AnyResponse:
    """Show what would be cancelled, or why it cannot be, or that it is."""
    return _draw(payment_id, CancelForm(), new_key())


@bp.post("/shop/payments/<uuid:payment_id>/cancel")
@requires("payments:accept")
def cancel(payment_id: UUID) -> AnyResponse:
    """Put a payment of today back on its coupon, whole."""
    form = CancelForm(request.form)
    if not form.is_right():
        return _draw(payment_id, form, request.form.get("key", ""), status=422)
    try:
        with unit_of_work(current_scope()) as work:
            do_once(work, lambda: payments.void(work, payment_id, reason=form.reason.data).id)
    except guard.StillRunning:
        raise
    except guard.KeyReused:
        pass  # pressed again with another reason: what the first one did is shown
    except (Conflict, Rejected) as error:
        return _draw(payment_id, form, new_key(), status=refused(form, error))
    return see_other(url_for("shop_today.ask_cancel", payment_id=payment_id))


def _draw(payment_id: UUID, form: CancelForm, key: str, *, status: int = 200) -> AnyResponse:
    with unit_of_work(current_scope()) as work:
        payment = payments.get_payment(work, payment_id)
        scene = set_scene(work, programme_id=payment.programme_id, locator=payment.locator)
        stands = _stand(work, scene, payment)
    text = page(
        "shop/cancel.html",
        scene=scene,
        payment=payment,
        receipt=payments.receipt_number(payment.id),
        stands=stands,
        form=form,
        key=key,
    )
    response = make_response(text)
    response.status_code = status
    return response


def _stand(work: Work, scene: Scene, payment: payments.PaymentView) -> str:
    """Return how a payment stands: "today", "late", or its state when it was given back."""
    if payment.state != "captured":
        return payment.state
    is_today = local_date(payment.at, scene.zone) == local_date(work.at, scene.zone)
    return "today" if is_today else "late"
