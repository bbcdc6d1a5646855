"""Passing a gift on: to whom, by which way, once and for good.

Hides: that the page that was opened is nobody's gift any more once this is done.
"""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, Response, request

from giftpad import edge, gifts, messaging
from giftpad.kernel.i18n import mark
from giftpad.kernel.work import unit_of_work
from giftpad.portals.forms import NEEDED, Choice, Form, Words, refused
from giftpad.portals.gift.letter import RECEIVE
from giftpad.portals.gift.opened import locator, read_letter
from giftpad.portals.gift.pages import as_gift_pages, draw_of, stand_at
from giftpad.portals.http import form_key, new_key, see_other

NAME_MOST, ADDRESS_MOST = 60, 300
BY_HAND = "link"
NOT_TO_BE_PASSED_ON = mark("This gift cannot be passed on.")

bp = Blueprint("gift_passing", __name__)
as_gift_pages(bp)


class PassOnForm(Form):
    """Who gets a gift now, and how they learn of it."""

    channel = Choice(
        mark("How do they get it?"),
        [
            ("mail", mark("By e-mail")),
            ("sms", mark("By SMS")),
            (BY_HAND, mark("I take a new link and hand it over myself")),
        ],
    )
    name = Words(mark("Their name"), most=NAME_MOST, required=False)
    address = Words(mark("Their mail address or mobile number"), most=ADDRESS_MOST, required=False)
    passed_by = Words(mark("Your name, for them to read"), most=NAME_MOST, required=False)

    def is_right(self) -> bool:
        """Whether everything typed can be accepted; a letter needs a name and an address."""
        super().is_right()
        if self.channel.data in ("mail", "sms"):
            for name in ("name", "address"):
                if not self[name].data:
                    self.refuse(name, NEEDED)
        return not self.faults


def _draw(letter: gifts.Letter, form: PassOnForm, key: str) -> str:
    goes_by_itself = form.channel.data != BY_HAND
    form.name.is_required = form.address.is_required = goes_by_itself
    return draw_of(letter, "gift/pass_on.html", form=form, key=key)


@bp.get("/g/pass-on")
@edge.requires(RECEIVE)
def ask() -> Response | str:
    """Ask to whom a gift is passed on, and say that it is for good."""
    with unit_of_work(edge.current_scope()) as work:
        letter = read_letter(work)
    if letter.state != "open" or not letter.can_be_passed_on:
        return see_other("gift.index", say=NOT_TO_BE_PASSED_ON, kind="info")
    return _draw(letter, PassOnForm(data={"channel": "mail"}), new_key())


@bp.post("/g/pass-on")
@edge.requires(RECEIVE)
def take() -> Response | str | tuple[str, int]:
    """Pass a gift on; the same form again shows what it showed before."""
    stand_at(".ask")
    form, key = PassOnForm(request.form), form_key()
    with unit_of_work(edge.current_scope()) as work:
        letter = gifts.get_letter(work, gifts.find_passed(work, locator(), key))
    if not form.is_right():
        return _draw(letter, form, key), HTTPStatus.UNPROCESSABLE_ENTITY
    wish = gifts.PassOn(
        gift_id=letter.gift_id,
        locator=locator(),
        key=key,
        name=form.name.data,
        channel=form.channel.data,
        address=form.address.data if form.channel.data != BY_HAND else "",
        passed_by=form.passed_by.data,
    )
    try:
        with unit_of_work(edge.current_scope()) as work:
            link = gifts.pass_on(work, wish)
    except gifts.OrderUnfit as fault:
        code = str(fault.params.get("code", "required"))
        field = "name" if fault.params["field"] == "name" else "address"
        form.refuse(field, gifts.RECIPIENT_SENTENCES[code], **fault.params)
        return _draw(letter, form, key), HTTPStatus.UNPROCESSABLE_ENTITY
    except messaging.ChannelMissing as missing:
        status = refused(form, missing)
        return _draw(letter, form, key), status
    except (gifts.GiftOver, gifts.NotPassedOn, gifts.PassedOn):
        return see_other("gift.index", say=NOT_TO_BE_PASSED_ON, kind="info")
    return draw_of(letter, "gift/passed_on.html", link=link)
