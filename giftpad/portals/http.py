"""The ground every page stands on.

Hides: Jinja's set-up, the common context, one-time notices, how a form is done once only, where a
page drawn from a form can be opened again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from flask import (
    Response,
    after_this_request,
    current_app,
    g,
    redirect,
    render_template,
    request,
    url_for,
)

from giftpad import edge, guard, tenancy
from giftpad.edge import Malformed
from giftpad.kernel.i18n import LOCALES
from giftpad.kernel.ids import new_id
from giftpad.kernel.work import Work
from giftpad.portals.account.places import first_page as home_of
from giftpad.portals.nav import ways_in
from giftpad.portals.theme import logo_href, theme_href
from giftpad.portals.visiting import present_visit
from giftpad.portals.words import say_in_words, show_readings

NOTICE_COOKIE = "gp_say"
NOTICE_LIFE_S = 60
SIZES = ("m", "l", "xl")
SIZE_COOKIE = "gp_size"
READINGS_COOKIE = "gp_readings"
PREFERENCES, GIFT_PREFERENCES = "/preferences", "/g/preferences"
"""Where language and size are chosen; a form of a gift is judged on the pages of gifts."""
GIFT_HOME = "/g"
_KEY = re.compile(r"[0-9a-f]{32}")
_UNSIGNED = frozenset({"csrf"})


class FormUnreadable(Malformed):
    """A form that none of our pages sends."""

    code = "form.unreadable"
    sentence = "This form cannot be read. Open the page again and fill it in once more."


def page(template: str, **values: Any) -> str:
    """Draw a page; what every page needs is added by ``common``."""
    tenant = values.get("tenant")
    if isinstance(tenant, tenancy.Tenant):
        g.page_zone = tenant.zone
    return render_template(template, **values)


def wants_fragment() -> bool:
    """Whether a script of ours asked, and takes a part of a page."""
    return request.headers.get("HX-Request") == "true"


def common() -> dict[str, Any]:
    """Return what every template may use."""
    caller = edge.find_caller()
    tenant = caller.tenant if caller is not None else None
    at_desk = caller is not None and caller.claims.shop_id is None
    features = tenant.features if tenant is not None else frozenset()
    held = caller.claims.permissions if caller is not None else frozenset()
    return {
        "locale": edge.current_locale(),
        "locales": LOCALES,
        "size": _size(),
        "person": caller.person if caller is not None else None,
        "terminal": edge.seated_terminal(),
        "permissions": held,
        "may": held.__contains__,
        "tenant": tenant,
        "csrf": edge.csrf_token,
        "nav": ways_in(held, features) if at_desk else [],
        "home_href": _home(caller),
        "preferences_path": GIFT_PREFERENCES if _has_gift(caller) else PREFERENCES,
        "theme_href": theme_href(tenant),
        "logo_href": logo_href(tenant),
        "request_path": _own_path(),
        "request_id": edge.request_id(),
        "notice": _take_notice(),
        "visit": present_visit(caller),
        "now": g.get("page_now") or datetime.now().astimezone(),
    }


def _has_gift(caller: edge.Caller | None) -> bool:
    """Whether this is a page of a gift, with one open."""
    return caller is not None and caller.claims.gift_locator is not None


def _home(caller: edge.Caller | None) -> str:
    if _has_gift(caller):
        return GIFT_HOME
    return home_of(caller.person.role) if caller and caller.person else "/"


def _own_path() -> str:
    """Return where this page can be opened: the place to come back to from a choice of language.

    A page drawn from a form has the address that its view has put into ``g.page_path``; else the
    form's own where that shows a page as well, else the nearest place above it.
    """
    if "page_path" in g:
        return str(g.page_path)
    if request.method in ("GET", "HEAD"):
        return request.full_path.rstrip("?")
    rule = request.url_rule
    if rule is not None and any(
        "GET" in (other.methods or ()) and other.rule == rule.rule
        for other in current_app.url_map.iter_rules()
    ):
        return request.path
    above = request.path
    while (above := above.rstrip("/").rpartition("/")[0]) and not _shows(above):
        pass
    return above or "/"


def _shows(path: str) -> bool:
    adapter = current_app.create_url_adapter(request)
    return adapter is not None and adapter.test(path, "GET")


def _size() -> str:
    size = request.cookies.get(SIZE_COOKIE, "")
    return size if size in SIZES else SIZES[0]


def new_key() -> str:
    """Make the idempotency key of a form that is drawn now."""
    return new_id().hex


def form_key() -> str:
    """Return the idempotency key that the posted form carries.

    Raises: FormUnreadable.
    """
    key = request.form.get("key", "")
    if not _KEY.fullmatch(key):
        raise FormUnreadable
    return key


def request_hash(more: bytes = b"") -> bytes:
    """Return what tells this form from another with the same key: its address and its fields.

    ``more`` is what it carries beside them, such as a file.
    """
    fields = sorted((n, v) for n, v in request.form.items(multi=True) if n not in _UNSIGNED)
    body = urlencode(fields).encode() + b"\0" + more
    return guard.request_hash(request.method, request.path, body)


def do_once(work: Work, effect: Callable[[], object], *, more: bytes = b"") -> str:
    """Do what a form asks once for its key; a second press gets the first result's id.

    ``more`` is what the form carries beside its fields, such as a file.
    Locks: the key's row.
    Raises: FormUnreadable, KeyReused, StillRunning.
    """
    key = form_key()
    first = guard.once(work, key, request_hash(more))
    if first is not None:
        return str(first.body["result"])
    result = str(effect())
    guard.remember(work, key, guard.Answer(200, {"result": result}))
    return result


def see_other(
    endpoint: str,
    *,
    say: str | None = None,
    kind: str = "success",
    params: Mapping[str, object] | None = None,
    **values: Any,
) -> Response:
    """Send the browser on after a form; ``say`` is a source sentence shown there once."""
    address = endpoint if endpoint.startswith("/") else url_for(endpoint, **values)
    response = redirect(address, 303)
    assert isinstance(response, Response)
    if say is not None:
        notice = {"kind": kind, "text": say_in_words(say, **(params or {}))}
        edge.set_sealed_cookie(response, NOTICE_COOKIE, notice, NOTICE_LIFE_S)
    return response


def keep_notice() -> None:
    """Leave what was left to be said for another page: this one shows that something broke."""
    g.keeps_notice = True


def _take_notice() -> dict[str, Any] | None:
    if wants_fragment() or "keeps_notice" in g:
        return None
    notice = edge.read_sealed_cookie(NOTICE_COOKIE)
    if notice is not None:

        @after_this_request
        def forget(response: Response) -> Response:
            if "keeps_notice" not in g:
                edge.clear_cookie(response, NOTICE_COOKIE)
            return response

    return notice


def offer_readings() -> None:
    """Show how words are read, where the reader has switched that on."""
    if edge.current_locale() == "ja" and request.cookies.get(READINGS_COOKIE) == "1":
        show_readings()
