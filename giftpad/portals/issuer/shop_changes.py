"""What changes a shop at the desk: enrolment, dated facts, stopping, places, the contact.

Hides: what was changed while a form was being filled in, what a second press is answered with.
"""

from __future__ import annotations

from http import HTTPStatus
from uuid import UUID

from flask import Blueprint, Response, request

from giftpad import audit, payments, shops
from giftpad.edge import current_caller, current_scope, requires
from giftpad.kernel.clock import local_date, start_of
from giftpad.kernel.errors import Conflict, Invalid, Rejected
from giftpad.kernel.i18n import mark
from giftpad.kernel.work import unit_of_work
from giftpad.portals.forms import refused
from giftpad.portals.http import do_once, new_key, page, see_other
from giftpad.portals.issuer.reasons import ReasonForm
from giftpad.portals.issuer.refusals import PageRefused
from giftpad.portals.issuer.shop_forms import (
    CONTACT_FIELDS,
    FACT_FIELDS,
    BranchForm,
    ContactForm,
    EnrolForm,
    FactsForm,
    as_contact,
    as_typed,
    changed,
)
from giftpad.portals.issuer.shop_shown import draw_one
from giftpad.portals.reasons import RESUME_REASONS, SUSPEND_REASONS
from giftpad.portals.words import say_in_words

bp = Blueprint("changes", __name__)

ENROLLED = mark("The shop is enrolled.")
CHANGED = mark("The change is noted.")
SUSPENDED = mark("The shop is stopped. It takes no coupons from now on.")
RESUMED = mark("The shop takes coupons again.")
BRANCH_ADDED = mark("The place is added.")
BRANCH_CLOSED = mark("The place is closed.")
CONTACT_CHANGED = mark("The contact is changed.")
NOTHING_CHANGED = mark("Nothing differs from what holds now. Change at least one field.")
CHANGED_MEANWHILE = mark(
    "Somebody changed this shop while you were typing. Nothing was saved."
    " Compare with the newest state, then send again."
)

Answer = Response | tuple[str, int]


@bp.get("/new")
@requires("shops:write")
def enrol_page() -> str:
    """Ask for the facts of a shop to enrol."""
    return _draw_enrol(EnrolForm(None), key=new_key())


def _draw_enrol(form: EnrolForm, *, key: str) -> str:
    return page("issuer/shops/enrol.html", nav_here="shops", form=form, key=key)


@bp.post("/new")
@requires("shops:write")
def enrol() -> Answer:
    """Enrol a shop, once for each form."""
    form, key = EnrolForm(request.form), request.form.get("key", "")
    values = form.clean(("number", *FACT_FIELDS, *CONTACT_FIELDS))
    if values is None:
        return _draw_enrol(form, key=key), 422
    contact = as_contact(values)
    new = shops.NewShop(
        number=values["number"],
        facts=shops.Facts(**{name: values[name] for name in FACT_FIELDS}),
        contact=contact if contact != shops.Contact() else None,
        starts_on=form.starts_on.day,
    )
    try:
        with unit_of_work(current_scope()) as work:
            shop_id = do_once(work, lambda: shops.enrol(work, new))
    except (Conflict, Invalid, Rejected) as error:
        status = refused(form, error)
        return _draw_enrol(form, key=key), status
    return see_other("desk_shops.one", shop_id=shop_id, say=ENROLLED)


def _get(shop_id: UUID) -> shops.ShopView:
    with unit_of_work(current_scope()) as work:
        return shops.get_shop(work, shop_id)


@bp.get("/<uuid:shop_id>/change")
@requires("shops:write")
def change_page(shop_id: UUID) -> str:
    """Ask what is to hold for a shop, and from which day."""
    shop = _get(shop_id)
    return _draw_change(shop, FactsForm(None, **as_typed(shop.facts)), key=new_key())


def _draw_change(shop: shops.ShopView, form: FactsForm, *, key: str) -> str:
    return page(
        "issuer/shops/change.html",
        nav_here="shops",
        shop=shop,
        form=form,
        key=key,
        seen=shop.starts_at.isoformat(),
    )


@bp.post("/<uuid:shop_id>/change")
@requires("shops:write")
def change(shop_id: UUID) -> Answer:
    """Let other facts hold for a shop from a day on, or from now, once for each form."""
    form, key = FactsForm(request.form), request.form.get("key", "")
    values = form.clean(FACT_FIELDS)
    if values is None:
        return _draw_change(_get(shop_id), form, key=key), 422

    def effect() -> UUID:
        shop = shops.get_shop(work, shop_id)
        changes = changed(shop.facts, values)
        if request.form.get("seen") != shop.starts_at.isoformat():
            raise PageRefused(CHANGED_MEANWHILE, HTTPStatus.CONFLICT)
        if not changes:
            raise PageRefused(NOTHING_CHANGED, HTTPStatus.UNPROCESSABLE_ENTITY)
        shops.change_facts(work, shop_id, changes, starts_on=form.starts_on.day)
        return shop_id

    try:
        with unit_of_work(current_scope()) as work:
            do_once(work, effect)
    except PageRefused as error:
        form.refusal, status = say_in_words(error.sentence), error.status
    except (Conflict, Invalid, Rejected) as error:
        status = refused(form, error)
    else:
        return see_other("desk_shops.one", shop_id=shop_id, say=CHANGED)
    return _draw_change(_get(shop_id), form, key=key), status


@bp.get("/<uuid:shop_id>/stop")
@requires("shops:write")
def suspend_page(shop_id: UUID) -> str:
    """Say what stopping a shop does, in numbers, and ask why."""
    return _draw_turn("suspend", shop_id, ReasonForm(None, SUSPEND_REASONS), key=new_key())


@bp.post("/<uuid:shop_id>/stop")
@requires("shops:write")
def suspend(shop_id: UUID) -> Answer:
    """Let a shop accept nothing from now on."""
    form = ReasonForm(request.form, SUSPEND_REASONS)
    return _turn("suspend", shop_id, form, accepting=False)


@bp.get("/<uuid:shop_id>/resume")
@requires("shops:write")
def resume_page(shop_id: UUID) -> str:
    """Say what letting a shop go on does, and ask why."""
    return _draw_turn("resume", shop_id, ReasonForm(None, RESUME_REASONS), key=new_key())


@bp.post("/<uuid:shop_id>/resume")
@requires("shops:write")
def resume(shop_id: UUID) -> Answer:
    """Let a stopped shop accept again."""
    form = ReasonForm(request.form, RESUME_REASONS)
    return _turn("resume", shop_id, form, accepting=True)


def _draw_turn(template: str, shop_id: UUID, form: ReasonForm, *, key: str) -> str:
    zone = current_caller().tenant.zone
    with unit_of_work(current_scope()) as work:
        shop = shops.get_shop(work, shop_id)
        today = start_of(local_date(work.at, zone), zone)
        wanted = payments.PaymentFilter(shop_id=shop_id, since=today)
        totals = payments.sum_payments(work, wanted)
    return page(
        f"issuer/shops/{template}.html",
        nav_here="shops",
        shop=shop,
        totals=totals,
        form=form,
        key=key,
    )


def _turn(template: str, shop_id: UUID, form: ReasonForm, *, accepting: bool) -> Answer:
    key = request.form.get("key", "")
    if not form.is_right():
        return _draw_turn(template, shop_id, form, key=key), 422

    def effect() -> UUID:
        shops.set_accepting(work, shop_id, accepting=accepting, reason=form.reason)
        return shop_id

    with unit_of_work(current_scope()) as work:
        do_once(work, effect)
    said = RESUMED if accepting else SUSPENDED
    return see_other("desk_shops.one", shop_id=shop_id, say=said)


@bp.post("/<uuid:shop_id>/places")
@requires("shops:write")
def add_branch(shop_id: UUID) -> Answer:
    """Add one place to a shop, once for each form."""
    form = BranchForm(request.form)
    values = form.clean(("name", "address"))
    if values is None:
        return draw_one(shop_id, form, key=request.form.get("key", "")), 422
    with unit_of_work(current_scope()) as work:
        do_once(work, lambda: shops.add_branch(work, shop_id, **values))
    return see_other("desk_shops.one", shop_id=shop_id, say=BRANCH_ADDED)


@bp.get("/<uuid:shop_id>/places/<uuid:branch_id>/close")
@requires("shops:write")
def close_page(shop_id: UUID, branch_id: UUID) -> str:
    """Ask whether a place is really to be closed."""
    shop = _get(shop_id)
    branch = next((each for each in shop.branches if each.id == branch_id), None)
    if branch is None:
        raise shops.BranchNotFound
    return page(
        "issuer/shops/close.html", nav_here="shops", shop=shop, branch=branch, key=new_key()
    )


@bp.post("/<uuid:shop_id>/places/<uuid:branch_id>/close")
@requires("shops:write")
def close_branch(shop_id: UUID, branch_id: UUID) -> Answer:
    """Close one place of a shop, once for each form."""

    def effect() -> UUID:
        shops.close_branch(work, shop_id, branch_id)
        return branch_id

    with unit_of_work(current_scope()) as work:
        do_once(work, effect)
    return see_other("desk_shops.one", shop_id=shop_id, say=BRANCH_CLOSED)


@bp.post("/<uuid:shop_id>/contact")
@requires("shops:write")
def see_contact(shop_id: UUID) -> str:
    """Show the person a shop is reached by; that it was looked at is recorded."""
    with unit_of_work(current_scope()) as work:
        shop = shops.get_shop(work, shop_id)
        contact = shops.get_contact(work, shop_id)
        audit.record(work, action="shop.contact_seen", subject=f"shop:{shop_id}")
    values = {name: getattr(contact, name.removeprefix("contact_")) for name in CONTACT_FIELDS}
    return _draw_contact(shop, ContactForm(None, **values))


def _draw_contact(shop: shops.ShopView, form: ContactForm) -> str:
    return page("issuer/shops/contact.html", nav_here="shops", shop=shop, form=form)


@bp.post("/<uuid:shop_id>/contact/change")
@requires("shops:write")
def change_contact(shop_id: UUID) -> Answer:
    """Set the person a shop is reached by."""
    form = ContactForm(request.form)
    contact = form.contact()
    if contact is None:
        return _draw_contact(_get(shop_id), form), 422
    with unit_of_work(current_scope()) as work:
        shops.set_contact(work, shop_id, contact)
    return see_other("desk_shops.one", shop_id=shop_id, say=CONTACT_CHANGED)
