"""The reasons that people choose from when they stop, replace, cancel or give back.

Hides: that they are kept as codes, with a few words behind where somebody wrote some.
"""

from __future__ import annotations

from giftpad.kernel.i18n import mark
from giftpad.portals.words import say_in_words

OTHER = "other"
STOP_REASONS: tuple[tuple[str, str], ...] = (
    ("lost", mark("Lost")),
    ("stolen", mark("Stolen")),
    ("wrongly given", mark("Given to the wrong person")),
    (OTHER, mark("Another reason")),
)
FREE_REASONS: tuple[tuple[str, str], ...] = (
    ("found", mark("Found again")),
    ("stopped by mistake", mark("Stopped by mistake")),
    (OTHER, mark("Another reason")),
)
REPLACE_REASONS: tuple[tuple[str, str], ...] = (
    ("lost", mark("Lost")),
    ("stolen", mark("Stolen")),
    ("damaged", mark("Damaged or not readable")),
    (OTHER, mark("Another reason")),
)
REFUND_REASONS: tuple[tuple[str, str], ...] = (
    ("wrong amount", mark("Wrong amount")),
    ("goods returned", mark("Goods came back")),
    ("paid twice", mark("Paid twice")),
    (OTHER, mark("Another reason")),
)
SUSPEND_REASONS: tuple[tuple[str, str], ...] = (
    ("shop asked", mark("The shop asked for it")),
    ("rules broken", mark("The rules were broken")),
    ("shop closed", mark("The shop has closed")),
    (OTHER, mark("Another reason")),
)
RESUME_REASONS: tuple[tuple[str, str], ...] = (
    ("shop asked", mark("The shop asked for it")),
    ("settled", mark("The matter is settled")),
    ("stopped by mistake", mark("Stopped by mistake")),
    (OTHER, mark("Another reason")),
)
CANCEL_REASONS: tuple[tuple[str, str], ...] = (
    ("sent by mistake", mark("Sent by mistake")),
    ("left us", mark("The person has left")),
    ("declined", mark("The person does not want it")),
    (OTHER, mark("Another reason")),
)
PARCEL_REASONS: tuple[tuple[str, str], ...] = (
    ("nobody home", mark("Nobody was at home")),
    ("address unknown", mark("The address is not known")),
    ("refused", mark("It was refused")),
    ("not to be had", mark("It is not to be had any more")),
    (OTHER, mark("Another reason")),
)
_KNOWN = dict(
    STOP_REASONS
    + FREE_REASONS
    + REPLACE_REASONS
    + REFUND_REASONS
    + SUSPEND_REASONS
    + RESUME_REASONS
    + CANCEL_REASONS
    + PARCEL_REASONS
)


def reason_in_words(reason: str) -> str:
    """Return a kept reason as people read it; what is none of our choices stays as it is."""
    choice, _, words = reason.partition(": ")
    if choice not in _KNOWN:
        return reason
    known = say_in_words(_KNOWN[choice])
    return f"{known}: {words}" if words else known
