"""What a recipe for a page is: how it is opened or sent, and what a stranger gets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from giftpad.kernel.ids import new_id
from tests.isolation_people import Pages
from tests.isolation_world import Call

OK, SENT_ON, MISSING = HTTPStatus.OK, HTTPStatus.SEE_OTHER, HTTPStatus.NOT_FOUND
CONFLICT = HTTPStatus.CONFLICT
UNPROCESSABLE, FORBIDDEN = HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.FORBIDDEN
THEMSELVES = "themselves"


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """One way to open or send a page."""

    make: Callable[[Pages], Call]
    status: HTTPStatus = OK
    stranger: HTTPStatus | None = MISSING
    """None where the page is about whoever asks, and changes them."""
    role: str = ""
    """Who does it, where the first role that may does not do."""


def at(make: Callable[[Pages], Call], **more: Any) -> Recipe:
    """Return the recipe that makes a call so."""
    return Recipe(make=make, **more)


def plain(**data: object) -> Callable[[Pages], Call]:
    """Ask for nothing in particular, or send these fields."""
    return lambda _: Call(data=form(**data) if data else None)


def form(**fields: object) -> dict[str, object]:
    """Return the fields of a form that is drawn now."""
    return {"key": new_id().hex} | fields
