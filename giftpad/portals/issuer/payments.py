"""Payments at the desk: the list with its filter, one in full, giving back later.

Hides: how a list goes on, what a second press of a refund is answered with.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request, stream_with_context

from giftpad import coupons, payments, programmes
from giftpad.edge import current_caller, current_scope, requires
from giftpad.guard import KeyReused, StillRunning
from giftpad.kernel.clock import local_date
from giftpad.kernel.errors import Conflict, Invalid, Rejected
from giftpad.kernel.i18n import mark
from giftpad.kernel.work import Scope, Work, unit_of_work
from giftpad.portals.downloads import attachment
from giftpad.portals.forms import WholeNumber, refused
from giftpad.portals.http import do_once, new_key, page, see_other
from giftpad.portals.issuer.naming import name_actors
from giftpad.portals.issuer.payment_lists import FilterForm, Row, name_rows, understand, write_rows
from giftpad.portals.issuer.reasons import ReasonForm
from giftpad.portals.lists import filter_asked, id_asked, list_href
from giftpad.portals.programme_names import programme_names
from giftpad.portals.reasons import REFUND_REASONS, reason_in_words

bp = Blueprint("desk_payments", __name__, url_prefix="/desk/payments")

# Reading coupons too keeps the people of a shop out: they have their own pages.
READING = ("payments:read", "coupons:read")
REFUNDING = ("payments:refund", "coupons:read")
PAGE = 50
PROGRAMMES_OFFERED = 200
MOVEMENTS_READ = 200
REFUNDABLE = ("captured", "partly_refunded")

GIVEN_BACK = mark("{amount_minor} were given back. They are on coupon {serial} again.")
GIVEN_BACK_STOPPED = mark(
    "{amount_minor} were given back. They are on coupon {serial}, which cannot be spent now."
)
AMOUNT_FAULT = mark("Please type an amount from 1 to {most}.")


class RefundForm(ReasonForm):
    """How much is given back, and why."""

    amount = WholeNumber(mark("Amount to give back"), least=1, most=1, sentence=AMOUNT_FAULT)

    def __init__(self, formdata: Any, left_minor: int) -> None:
        super().__init__(formdata, REFUND_REASONS, amount=str(left_minor))
        self.amount.most = left_minor


@bp.get("")
@requires(*READING)
def index() -> tuple[str, int]:
    """List payments, newest first."""
    form = FilterForm(request.args)
    asked, before = filter_asked(form), id_asked("before")
    with unit_of_work(current_scope()) as work:
        names = _names(work)
        form.offer(names)
        found = understand(work, form)
        rows: list[Row] = []
        totals = None
        is_more = False
        if found.wanted is not None:
            wanted = replace(found.wanted, before=before, limit=PAGE + 1)
            listed = payments.list_payments(work, wanted)
            is_more = len(listed) > PAGE
            rows = name_rows(work, listed[:PAGE], names)
            if wanted.since is not None or wanted.shop_id or wanted.account_id:
                totals = payments.sum_payments(work, wanted)
        today = local_date(work.at, current_caller().tenant.zone)
    drawn = page(
        "issuer/payments/index.html",
        nav_here="payments",
        form=form,
        rows=rows,
        totals=totals,
        offered=found.offered,
        months=_months(today, asked),
        is_filtered=bool(asked),
        first_href=list_href(".index", asked) if before else None,
        next_href=list_href(".index", asked, before=rows[-1].payment.id) if is_more else None,
        csv_href=list_href(".all_rows", asked),
    )
    return drawn, 422 if form.faults else 200


@bp.get("/all.csv")
@requires(*READING)
def all_rows() -> Response | tuple[str, int]:
    """Take away every payment that is wanted, as CSV."""
    form = FilterForm(request.args)
    with unit_of_work(current_scope()) as work:
        names = _names(work)
        form.offer(names)
        found = understand(work, form)
    if found.wanted is None:
        return index()
    return attachment(stream_with_context(write_rows(found.wanted, names)), "payments.csv")


@bp.get("/<uuid:payment_id>")
@requires(*READING)
def one(payment_id: UUID) -> str:
    """Show one payment: what it took, what was given back, by whom."""
    scope = current_scope()
    with unit_of_work(scope) as work:
        row = _row(work, payment_id)
        moved = payments.list_movements(work, row.payment.account_id, MOVEMENTS_READ)
    return page(
        "issuer/payments/one.html",
        nav_here="payments",
        row=row,
        payment=row.payment,
        movements=[movement for movement in moved if movement.payment_id == payment_id],
        reason_in_words=reason_in_words,
        taken_by=_taker(scope, row.payment.client_id),
        left_minor=_left(row.payment),
    )


@bp.get("/<uuid:payment_id>/refund")
@requires(*REFUNDING)
def refund_page(payment_id: UUID) -> str:
    """Ask how much of a payment is to be given back, and why."""
    with unit_of_work(current_scope()) as work:
        row = _row(work, payment_id)
    return _draw_refund(row, RefundForm(None, _left(row.payment)), key=new_key())


@bp.post("/<uuid:payment_id>/refund")
@requires(*REFUNDING, fresh=True)
def refund(payment_id: UUID) -> Response | tuple[str, int]:
    """Give back a part of a payment, or all of it, once for each form."""
    with unit_of_work(current_scope()) as work:
        row = _row(work, payment_id)
    # A second press comes after the first has taken what was left, and is not to be refused.
    form = RefundForm(request.form, row.payment.amount_minor)
    key = request.form.get("key", "")
    if not form.is_right():
        return _draw_refund(row, form, key=key), 422
    amount = form.amount.known
    try:
        with unit_of_work(current_scope()) as work:
            do_once(
                work,
                lambda: payments.refund(work, payment_id, amount, reason=form.reason).id,
            )
    except (StillRunning, KeyReused):
        raise  # money may have moved by the first press: that is said on a page of its own
    except (Conflict, Invalid, Rejected) as error:
        status = refused(form, error)
        return _draw_refund(row, form, key=key), status
    with unit_of_work(current_scope()) as work:
        holder = coupons.get_live_coupon(work, row.payment.locator)
    said = GIVEN_BACK if holder.state == "active" else GIVEN_BACK_STOPPED
    params = {"amount_minor": amount, "unit": row.payment.unit, "serial": holder.serial}
    return see_other("desk_payments.one", payment_id=payment_id, say=said, params=params)


def _draw_refund(row: Row, form: RefundForm, *, key: str) -> str:
    with unit_of_work(current_scope()) as work:
        holder = coupons.get_live_coupon(work, row.payment.locator)
    return page(
        "issuer/payments/refund.html",
        nav_here="payments",
        row=row,
        payment=row.payment,
        form=form,
        key=key,
        left_minor=_left(row.payment),
        holder=holder,
        is_possible=row.payment.state in REFUNDABLE,
    )


def _row(work: Work, payment_id: UUID) -> Row:
    payment = payments.get_payment(work, payment_id)
    (row,) = name_rows(work, [payment], _names(work))
    return row


def _left(payment: payments.PaymentView) -> int:
    """Return how much of a payment can still be given back."""
    if payment.state not in REFUNDABLE:
        return 0
    return payment.amount_minor - payment.refunded_minor


def _names(work: Work) -> dict[UUID, str]:
    return programme_names(programmes.list_programmes(work, limit=PROGRAMMES_OFFERED))


def _taker(scope: Scope, client_id: str) -> str:
    """Return the name of the person or the machine that took a payment."""
    kind, is_person, person_id = client_id.partition(":")
    actor = {"kind": kind, "id": person_id} if is_person else {"kind": "client", "id": client_id}
    return name_actors(scope, [actor])(actor)


def _months(today: date, asked: dict[str, str]) -> list[tuple[str, str]]:
    """Return the filters that are wanted most: this month and the last."""
    this_first = today.replace(day=1)
    last_day = this_first - timedelta(days=1)
    spans = [
        (mark("This month"), this_first, today),
        (mark("Last month"), last_day.replace(day=1), last_day),
    ]
    return [
        (label, list_href(".index", asked, first=first.isoformat(), last=last.isoformat()))
        for label, first, last in spans
    ]
