"""What every route declares: who may come in.  A route that declares nothing lets nobody in.

Hides: where the declaration is kept.  It is looked up and enforced before a view sees
anything of a request, and ``check_access`` stops a start with a route that declares nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import TypeVar

from flask import Flask
from werkzeug.routing import Rule

V = TypeVar("V", bound=Callable[..., object])

BODY_MAX = 1024 * 1024
PAGES = "giftpad_pages"
"""Where an application keeps the endpoints that are pages."""

_ACCESS, _BODY, _CLOSED = "giftpad_access", "giftpad_body_max", "giftpad_closed"
_UNASKED = frozenset({"HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Who may come in: whoever has all ``permissions``, or everybody, for the reason ``why``.

    At a ``fresh`` one somebody must have proved who they are within the last quarter of an hour.
    """

    permissions: tuple[str, ...] = ()
    why: str = ""
    is_fresh: bool = False

    @property
    def is_public(self) -> bool:
        """Whether no token is asked for."""
        return bool(self.why)


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """One method of one route as the edge enforces it."""

    access: Access
    body_max: int
    is_page: bool = False


class AccessUndeclared(RuntimeError):
    """A route declares no access; it must not be served."""


def requires(*permissions: str, fresh: bool = False) -> Callable[[V], V]:
    """Let in only who has all these permissions: by a token, or on a page by having signed in.

    A page's act that moves money, or decides who may, is for a ``fresh`` proof only.
    """
    return _declare(_ACCESS, Access(permissions=permissions, is_fresh=fresh))


def public(why: str) -> Callable[[V], V]:
    """Let everybody in, for the reason given."""
    assert why, "say why nobody is asked for a token"
    return _declare(_ACCESS, Access(why=why))


def body_limit(body_max: int) -> Callable[[V], V]:
    """Take a body of up to ``body_max`` bytes instead of the usual ``BODY_MAX``."""
    return _declare(_BODY, body_max)


def _declare(name: str, value: object) -> Callable[[V], V]:
    def mark(view: V) -> V:
        setattr(view, name, value)
        return view

    return mark


def declared(app: Flask, endpoint: str, method: str, name: str) -> object:
    """Return what the function behind a route declares; a decorator that wraps it carries it on."""
    view: object = app.view_functions.get(endpoint)
    view_class = getattr(view, "view_class", None)
    if view_class is not None:
        handler = getattr(view_class, method.lower(), None)
        if handler is None and method == "HEAD":
            handler = getattr(view_class, "get", None)
        view = handler
    return getattr(view, name, None)


def find_door(app: Flask, endpoint: str, method: str) -> Door:
    """Return the door of one method of one route.

    AccessUndeclared if it declares nothing.
    """
    doors: dict[tuple[str, str], Door] = app.extensions.setdefault("giftpad_doors", {})
    door = doors.get((endpoint, method))
    if door is None:
        access = declared(app, endpoint, method, _ACCESS)
        if not isinstance(access, Access):
            message = f"{method} of {endpoint} declares no access: add @requires or @public"
            raise AccessUndeclared(message)
        body_max = declared(app, endpoint, method, _BODY)
        door = Door(
            access=access,
            body_max=body_max if isinstance(body_max, int) else BODY_MAX,
            is_page=endpoint in app.extensions.get(PAGES, ()),
        )
        doors[endpoint, method] = door
    return door


def list_doors(app: Flask) -> Iterator[tuple[Rule, str, Door]]:
    """Return every method of every route with its door.

    AccessUndeclared at the first that declares nothing.
    """
    for rule in app.url_map.iter_rules():
        for method in sorted((rule.methods or set()) - _UNASKED):
            yield rule, method, find_door(app, rule.endpoint, method)


def close_part(app: Flask, endpoints: Collection[str]) -> None:
    """Serve some routes no more; whoever asks for one is told that it is closed here."""
    app.extensions[_CLOSED] = frozenset(endpoints)


def is_closed(app: Flask, endpoint: str) -> bool:
    """Whether a route belongs to a part that this process does not serve."""
    return endpoint in app.extensions.get(_CLOSED, ())


def check_access(app: Flask) -> None:
    """Refuse to start with a route that declares nothing.

    AccessUndeclared if there is one.
    """
    for _ in list_doors(app):
        pass
