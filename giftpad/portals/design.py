"""The page that shows every part in every state: what a new page is put together from."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from flask import Blueprint
from werkzeug.exceptions import NotFound

from giftpad import edge
from giftpad.kernel.i18n import mark
from giftpad.portals.assets import Assets
from giftpad.portals.forms import Choice, Day, Form, Upload, WholeNumber, Words
from giftpad.portals.http import page

STATIC = Path(__file__).parent / "static"

bp = Blueprint("design", __name__)

SECTIONS = (
    ("colours", mark("Colours"), "eye"),
    ("type", mark("Type and amounts"), "text-size"),
    ("buttons", mark("Buttons"), "check"),
    ("fields", mark("Fields"), "pencil"),
    ("telling", mark("Notices and states"), "info-circle"),
    ("lists", mark("Lists and tables"), "list"),
    ("progress", mark("Steps and progress"), "refresh"),
    ("charts", mark("Charts"), "chart-bar"),
    ("screens", mark("Whole screens"), "building-store"),
    ("icons", mark("Icons"), "ticket"),
)
ROLES = (
    *("paper", "card", "sand", "ink", "ink-2", "field", "line"),
    *("brand", "brand-hover", "brand-tint", "brand-line", "shu", "kin", "ok", "ng", "warn-fill"),
)
STATES = {
    "batch": ("ordered", "issuing", "printing", "verifying", "ready", "released", "failed"),
    "volume": ("due", "printing", "verifying", "ready", "failed"),
    "programme": ("planned", "open", "over"),
}
COUPON_STATES = ("issued", "active", "used_up", "blocked", "replaced", "expired")
PAYMENT_STATES = ("captured", "voided", "partly_refunded", "refunded")
DAYS = ((15, 902_000), (16, 1_041_500), (17, 984_000), (18, 1_541_200), (19, 1_230_000))
LATER_DAYS = ((20, 655_700), (21, 412_300))
SCREENS = ("accepted", "refused", "doubt", "pad", "purse", "stopped")


class SampleForm(Form):
    """One field of each kind, to be looked at."""

    name = Words(mark("Name of the shop"), most=40)
    quantity = WholeNumber(mark("How many coupons"), least=1, most=100_000)
    valid_until = Day(mark("Valid until"))
    reason = Choice(
        mark("Reason"),
        [
            ("lost", mark("Lost")),
            ("stolen", mark("Stolen")),
            ("other", mark("Another reason")),
        ],
    )
    note = Words(mark("Note"), required=False)
    list_of_shops = Upload(mark("List of shops"), accept=".csv")


def _samples() -> dict[str, Any]:
    right = SampleForm(data={"valid_until": "2027-03-31", "reason": "lost", "quantity": "500"})
    faulty = {"valid_until": "31", "quantity": "0", "reason": "lost"}
    wrong = SampleForm(prefix="wrong-", data=faulty)
    wrong.is_right()
    nav = [
        {"key": key, "label": label, "href": f"#{key}", "icon": icon}
        for key, label, icon in SECTIONS
    ]
    return {
        "nav": nav,
        "screens": SCREENS,
        "roles": ROLES,
        "states": STATES,
        "coupon_states": COUPON_STATES,
        "payment_states": PAYMENT_STATES,
        "right": right,
        "wrong": wrong,
        "days": [(date(2026, 11, number), value) for number, value in DAYS + LATER_DAYS],
        "quick": 500,
        "until": date(2027, 3, 31),
        "icon_names": Assets(STATIC).icon_names(),
    }


@bp.get("/design")
@edge.public("It shows parts and made-up figures, nothing of anybody.")
def show() -> str:
    """Show every part."""
    return page("design/parts.html", **_samples())


@bp.get("/design/<screen>")
@edge.public("It shows parts and made-up figures, nothing of anybody.")
def show_screen(screen: str) -> str:
    """Show one whole screen as it stands on a phone."""
    if screen not in SCREENS:
        raise NotFound
    return page("design/screen.html", screen=screen, **_samples())
