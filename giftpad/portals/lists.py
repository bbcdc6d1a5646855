"""Long lists: which part of one an address asks for, and the addresses of its other parts.

Hides: that an address may carry anything; only the fields of a list's filter are ever taken on.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import request, url_for

from giftpad.portals.forms import Form

NUMBER_LENGTH_MAX = 9


def id_asked(name: str) -> UUID | None:
    """Return the id that the query gives under a name; what is no id is none."""
    try:
        return UUID(request.args.get(name, ""))
    except ValueError:
        return None


def number_asked(name: str) -> int:
    """Return the whole number that the query gives under a name; what is none is 0."""
    return read_number(request.args.get(name, "")) or 0


def read_number(text: str) -> int | None:
    """Return the whole number that somebody sent, or None for anything else, however long.

    >>> read_number("12"), read_number("-1"), read_number("9" * 5000)
    (12, None, None)
    """
    is_number = text.isascii() and text.isdigit() and len(text) <= NUMBER_LENGTH_MAX
    return int(text) if is_number else None


def filter_asked(form: Form) -> dict[str, str]:
    """Return what was sent in the fields of a form; all other names are left behind.

    They would else be taken for options of ``url_for`` such as ``_external``.
    """
    return {field.name: field.raw_data[0] for field in form if field.raw_data and field.raw_data[0]}


def list_href(endpoint: str, asked: Mapping[str, str], **more: object) -> str:
    """Return the address of a list with a filter, and with ``more`` such as where it goes on."""
    values: dict[str, Any] = {**asked, **more}
    return url_for(endpoint, **values)
