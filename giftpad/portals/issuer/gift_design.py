"""First step of a gift order: its name, its design, who sends it, what they say.

Hides: how page, mail and card are shown side by side while somebody types.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, g, request, url_for

from giftpad import gifts
from giftpad.edge import current_caller, current_locale, current_scope, requires
from giftpad.kernel.errors import Invalid
from giftpad.kernel.i18n import mark, translate
from giftpad.kernel.work import Work, unit_of_work
from giftpad.portals.forms import Choice, Form, LongWords, Words, refused
from giftpad.portals.http import see_other
from giftpad.portals.issuer.gift_shown import (
    LANGUAGES,
    DesignShown,
    draw,
    find_design,
    name_goods,
    show_designs,
)

bp = Blueprint("design", __name__)

SAMPLE_NAMES = {"ja": "見本 花子", "en": "Hanako Mihon"}
"""Whom the preview is for: nobody."""
NO_TITLE = mark("(The name of the gift)")
NO_SENDER = mark("(The sender's name)")
NO_MESSAGE = mark("(Your message stands here.)")


class DesignForm(Form):
    """What everybody who gets a gift of the order sees."""

    title = Words(mark("Name of the gift"), most=gifts.TITLE_LENGTH_MAX)
    design = Choice(mark("Design"), holds_names=True)
    sender_name = Words(mark("Sender's name"), most=gifts.SENDER_LENGTH_MAX)
    message = LongWords(mark("Message"), most=gifts.MESSAGE_LENGTH_MAX)
    locale = Choice(mark("Language of the letters"), LANGUAGES, holds_names=True)


def _form(
    typed: Any, draft: gifts.OrderDraft | None = None
) -> tuple[DesignForm, list[DesignShown]]:
    listed = show_designs()
    values = {} if draft is None else _values(draft, listed)
    form = DesignForm(typed, data=values)
    form.design.choices = [(one.design.name, one.design.name) for one in listed]
    return form, listed


def _values(draft: gifts.OrderDraft, listed: list[DesignShown]) -> dict[str, str]:
    return {
        "title": draft.title,
        "design": draft.design or listed[0].design.name,
        "sender_name": draft.sender_name or current_caller().tenant.name_in(draft.locale),
        "message": draft.message,
        "locale": draft.locale,
    }


def _preview(work: Work, order: gifts.OrderView, form: DesignForm) -> dict[str, Any]:
    """Return what page, mail and card are drawn from: what is typed, and what is settled."""
    return _preview_of(
        work,
        order,
        replace(
            order.draft,
            title=str(form.title.data or ""),
            design=str(form.design.data or ""),
            sender_name=str(form.sender_name.data or ""),
            message=str(form.message.data or ""),
            locale="en" if form.locale.data == "en" else "ja",
        ),
    )


def _preview_of(work: Work, order: gifts.OrderView, draft: gifts.OrderDraft) -> dict[str, Any]:
    last_day, here = gifts.find_last_day(work, order.id), current_locale()
    letter = replace(
        draft,
        title=draft.title or translate(NO_TITLE, here),
        sender_name=draft.sender_name or translate(NO_SENDER, here),
        message=draft.message or translate(NO_MESSAGE, here),
    )
    name = SAMPLE_NAMES[draft.locale]
    return {
        "letter": letter,
        "mail": _mail(work, order, letter, name=name, until_day=last_day),
        "look": find_design(draft.design) or show_designs()[0],
        "sample_name": name,
        "course_name": name_goods(work, order),
        "last_day": last_day,
        "has_names": draft.channel != gifts.CODE,
    }


def _mail(
    work: Work, order: gifts.OrderView, draft: gifts.OrderDraft, *, name: str, until_day: date
) -> tuple[str, str]:
    """Return subject and text of the mail; none while something is typed that cannot be sent."""
    try:
        written = gifts.write_sample(work, draft, unit=order.unit, name=name, until_day=until_day)
    except Invalid:
        return "", draft.message
    return written.subject, written.text


@bp.get("/<uuid:order_id>/design")
@requires("gifts:order")
def show(order_id: UUID) -> str:
    """Ask for name, design, sender and message."""
    with unit_of_work(current_scope()) as work:
        order = gifts.get_order(work, order_id)
        form, listed = _form(None, order.draft)
        preview = _preview(work, order, form)
    return _draw(order, form, listed, preview)


def _draw(
    order: gifts.OrderView, form: DesignForm, listed: list[DesignShown], preview: dict[str, Any]
) -> str:
    return draw(
        "design",
        order=order,
        step="design",
        form=form,
        designs=listed,
        **preview,
    )


@bp.post("/<uuid:order_id>/design")
@requires("gifts:order")
def save(order_id: UUID) -> Response | tuple[str, int]:
    """Save the step; go on, or stay to look at it."""
    g.page_path = url_for(".show", order_id=order_id)
    form, listed = _form(request.form)
    status = 422
    if form.is_right():
        try:
            _keep(order_id, form)
        except Invalid as refusal:
            status = refused(form, refusal)
    if form.faults or form.refusal:
        with unit_of_work(current_scope()) as work:
            order = gifts.get_order(work, order_id)
            preview = _preview(work, order, form)
        return _draw(order, form, listed, preview), status
    stays = request.form.get("go") == "look"
    return see_other(f"desk_gifts.{'design' if stays else 'goods'}.show", order_id=order_id)


def _keep(order_id: UUID, form: DesignForm) -> None:
    with unit_of_work(current_scope()) as work:
        draft = gifts.get_order(work, order_id).draft
        gifts.change_order(
            work,
            order_id,
            replace(
                draft,
                title=form.title.data,
                design=form.design.data,
                sender_name=form.sender_name.data,
                message=form.message.data,
                locale=form.locale.data,
            ),
        )


@bp.post("/<uuid:order_id>/preview")
@requires("gifts:order")
def preview(order_id: UUID) -> str:
    """Draw page, mail and card as they would be with what is typed now; nothing is saved."""
    form, _ = _form(request.form)
    with unit_of_work(current_scope()) as work:
        values = _preview(work, gifts.get_order(work, order_id), form)
    return draw("_preview", **values)


@bp.get("/<uuid:order_id>/preview")
@requires("gifts:read")
def specimen(order_id: UUID) -> str:
    """Show page, mail and card of an order as they are saved; the link of a sample leads here."""
    with unit_of_work(current_scope()) as work:
        order = gifts.get_order(work, order_id)
        values = _preview_of(work, order, order.draft)
    return draw("specimen", order=order, **values)
