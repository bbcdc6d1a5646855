"""The letter of a gift, how the gift stands, and thank you."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, Response, request

from giftpad import catalog, edge, gifts
from giftpad.kernel.i18n import mark
from giftpad.kernel.work import unit_of_work
from giftpad.portals.forms import Choice, Form, Words
from giftpad.portals.gift.addresses import write_phone, write_postcode
from giftpad.portals.gift.opened import is_mine, read_draft, read_letter
from giftpad.portals.gift.pages import as_gift_pages, draw_of, nothing, stand_at
from giftpad.portals.http import see_other

RECEIVE = "gifts:receive"
STAMP_SIGNS = {
    "thanks": "heart",
    "delighted": "mood-happy",
    "delicious": "bowl-chopsticks",
    "surprised": "sparkles",
    "see_you": "heart-handshake",
}
STAMPS = {name: (words, STAMP_SIGNS[name]) for name, words in gifts.STAMP_WORDS.items()}
"""What each stamp says, and the drawing beside it."""
GESTURES = ("pointerdown", "touchstart", "wheel", "keydown")
"""What only somebody with a screen before them does; a script adds which it was."""
THANKED = mark("Your thanks have been sent.")
SAY_SOMETHING = mark("Choose one of these, or write something.")

bp = Blueprint("gift", __name__)
as_gift_pages(bp)


class ThanksForm(Form):
    """A word of thanks: one of a few, or one's own."""

    stamp = Choice(
        mark("In one word"),
        [(name, words) for name, words in gifts.STAMP_WORDS.items()],
        required=False,
    )
    words = Words(mark("In your own words"), most=gifts.WORDS_LENGTH_MAX, required=False)


@bp.get("/g")
@edge.requires(RECEIVE)
def index() -> str:
    """Show the letter, or how the gift stands that was chosen here."""
    with unit_of_work(edge.current_scope()) as work:
        letter = read_letter(work)
    return _draw(letter, _form_of(letter))


def _form_of(letter: gifts.Letter) -> ThanksForm:
    if letter.thanks is None:
        return ThanksForm()
    return ThanksForm(data={"stamp": letter.thanks.stamp, "words": letter.thanks.words})


def _draw(letter: gifts.Letter, form: ThanksForm) -> str:
    if letter.kind == gifts.BALANCE:
        return _draw_balance(letter, form)
    if letter.claim is not None and is_mine():
        return draw_of(
            letter,
            "gift/status.html",
            form=form,
            stamps=STAMPS,
            postcode=write_postcode(letter.claim.address),
            phone=write_phone(letter.claim.address),
        )
    if letter.state in ("open", "waiting"):
        return draw_of(letter, f"gift/{letter.state}.html", host=request.host, draft=read_draft())
    return draw_of(letter, "gift/over.html")


def _draw_balance(letter: gifts.Letter, form: ThanksForm) -> str:
    """Draw how a balance stands: what it has bought is shown where it was chosen only."""
    if (letter.items or letter.kept) and is_mine():
        return draw_of(
            letter,
            "gift/held.html",
            form=form,
            stamps=STAMPS,
            postcode_of=write_postcode,
            phone_of=write_phone,
        )
    if letter.state in ("open", "waiting"):
        return draw_of(letter, f"gift/{letter.state}.html", host=request.host, draft=read_draft())
    return draw_of(letter, "gift/over.html")


def claim_asked(letter: gifts.Letter) -> gifts.ClaimView | None:
    """Return the claim that is asked for: the one of a course, or one thing of a balance."""
    wanted = request.values.get("item", "")
    return next((each for each in letter.items if str(each.id) == wanted), letter.claim)


@bp.post("/g/opened")
@edge.requires(RECEIVE)
def note_opened() -> Response:
    """Note that a person has the letter before them: a script says so once they do something.

    The form by itself says nothing: programs that read people's mail send the forms they find.
    """
    if request.form.get("by") not in GESTURES:
        return nothing()
    with unit_of_work(edge.current_scope()) as work:
        gifts.note_opened(work, read_letter(work).gift_id)
    return nothing()


@bp.post("/g/thanks")
@edge.requires(RECEIVE)
def thank() -> Response | tuple[str, int]:
    """Say thank you to whoever sent the gift."""
    stand_at("gift.index")
    form = ThanksForm(request.form)
    with unit_of_work(edge.current_scope()) as work:
        letter = read_letter(work)
        is_said = letter.thanks is not None and not letter.thanks.can_be_mended
        has_claimed = letter.claim is not None or letter.items or letter.kept
        if not has_claimed or is_said or not is_mine():
            return see_other("gift.index")
        if form.is_right() and not (form.stamp.data or form.words.data):
            form.refuse("stamp", SAY_SOMETHING)
        if form.faults:
            return _draw(letter, form), HTTPStatus.UNPROCESSABLE_ENTITY
        gifts.thank(work, letter.gift_id, stamp=form.stamp.data or "", words=form.words.data)
    return see_other("gift.index", say=THANKED)


@bp.post("/g/code")
@edge.requires(RECEIVE)
def show_code() -> Response | str:
    """Show the code of what is no parcel; from now on it counts as handed over."""
    stand_at("gift.index")
    with unit_of_work(edge.current_scope()) as work:
        letter = read_letter(work)
        claim = claim_asked(letter)
        if claim is None or claim.kind != "digital" or not is_mine():
            return see_other("gift.index")
        code = catalog.find_digital_code(work, claim.id)
    return draw_of(letter, "gift/code.html", code=code)
