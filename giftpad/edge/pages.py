"""Pages: what differs between a browser with a person before it and a machine.

Hides: which requests are for pages, their headers, who draws what cannot be answered.  A page
knows its caller by the session cookie only, the API by the Authorization header only.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Protocol, cast
from urllib.parse import quote

from flask import Blueprint, Flask, Response, current_app, g, redirect, request
from werkzeug.exceptions import HTTPException

from giftpad.edge import problems
from giftpad.edge.access import PAGES
from giftpad.edge.csrf import SAFE_METHODS, check_form, keep_visit
from giftpad.edge.errors import ProofOld, SessionMissing
from giftpad.edge.sessions import is_navigation, keep_session
from giftpad.edge.tills import is_locked_tablet
from giftpad.kernel.errors import DomainError
from giftpad.kernel.log import get_logger

log = get_logger("edge")

SIGN_IN_PATH, PROVE_PATH = "/sign-in", "/account/prove"
TILL_PATH = "/shop/till"
"""Where a PIN is typed on a tablet."""
MACHINE_PREFIXES = ("/api/", "/oauth/", "/.well-known/", "/userinfo/")
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'{wasm}; style-src 'self'; img-src 'self' data:;"
    " font-src 'self'; connect-src 'self'; manifest-src 'self'; worker-src 'self';"
    " form-action 'self'{forms}; base-uri 'none'; frame-ancestors 'none'"
)
RENDERER = "giftpad_page_renderer"


class Renderer(Protocol):
    """Draws what cannot be answered; ``detail`` is in the reader's language.

    ``permission`` is the one that is missing, if that is why.
    """

    def __call__(
        self,
        status: int,
        *,
        code: str,
        detail: str,
        money_moved: bool | None,
        retry_after_s: int | None,
        permission: str,
    ) -> str:
        """Return the page as HTML."""


def register_pages(app: Flask, blueprint: Blueprint) -> None:
    """Serve a blueprint whose every route is a page."""
    known = set(app.view_functions)
    app.register_blueprint(blueprint)
    pages: set[str] = app.extensions.setdefault(PAGES, set())
    pages |= set(app.view_functions) - known


def answer_pages_with(app: Flask, renderer: Renderer) -> None:
    """Let ``renderer`` draw the refusals and accidents of pages."""
    app.extensions[RENDERER] = renderer


def wants_page() -> bool:
    """Whether whoever asked for an address that does not exist looks for a page there."""
    is_machine = f"{request.path}/".startswith(MACHINE_PREFIXES)
    return not is_machine and "text/html" in request.headers.get("Accept", "")


def check_page_form() -> None:
    """Refuse a form that is not ours, before a page acts on it.

    Raises: ConnectionOpen, FormForeign, BodyMalformed.
    """
    if request.method not in SAFE_METHODS:
        check_form()


def allow_wasm() -> None:
    """Let this page compile WebAssembly: for the scanner, and for nothing else."""
    g.allows_wasm = True


def send_forms_to(origin: str) -> None:
    """Let what follows the forms of this page lead to another origin, which a client has named.

    A browser judges every step of a form's way by the page that the form stood on.
    """
    g.forms_go_to = origin


def finish_page(response: Response) -> None:
    """Write the headers and cookies of a page."""
    wasm = " 'wasm-unsafe-eval'" if g.get("allows_wasm", False) else ""
    forms = f" {g.forms_go_to}" if "forms_go_to" in g else ""
    response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY.format(
        wasm=wasm, forms=forms
    )
    if not response.cache_control.public:  # what anybody may keep must carry nobody's cookie
        keep_session(response)
        keep_visit(response)


def _draw(problem: Response, body: Mapping[str, Any]) -> Response:
    """Say in a page what a problem says to machines."""
    renderer: Renderer = current_app.extensions[RENDERER]
    retry_after = problem.headers.get("Retry-After")
    html = renderer(
        problem.status_code,
        code=body["code"],
        detail=body["detail"],
        money_moved=body.get("money_moved", False),
        retry_after_s=int(retry_after) if retry_after else None,
        permission=body.get("permission", ""),
    )
    response = Response(html, status=problem.status_code, mimetype="text/html")
    for name in ("Retry-After", "Allow", "Content-Language"):
        if name in problem.headers:
            response.headers[name] = problem.headers[name]
    return response


def _as_page(problem: Response) -> Response:
    """Turn a problem into a page if a page was asked for."""
    if not g.get("is_page", False) or RENDERER not in current_app.extensions:
        return problem
    if problem.mimetype != problems.MEDIA_TYPE:
        return problem
    body = problem.get_json(force=True)
    try:
        return _draw(problem, body)
    except Exception as error:
        log.exception("the page of a refusal could not be drawn", exc_info=error)
        return problem


def _answer_refusal(error: DomainError) -> Response:
    if isinstance(error, SessionMissing) and is_locked_tablet():
        return cast("Response", redirect(TILL_PATH, HTTPStatus.SEE_OTHER))
    if isinstance(error, SessionMissing | ProofOld) and is_navigation():
        asked = quote(request.full_path.rstrip("?"), safe="/")
        path = SIGN_IN_PATH if isinstance(error, SessionMissing) else PROVE_PATH
        return cast("Response", redirect(f"{path}?next={asked}", HTTPStatus.SEE_OTHER))
    return _as_page(problems.answer_refusal(error))


def _answer_http(error: HTTPException) -> Response:
    return _as_page(problems.answer_http(error))


def _answer_unexpected(error: Exception) -> Response:
    return _as_page(problems.answer_unexpected(error))


def init_pages(app: Flask) -> None:
    """Answer refusals and accidents of pages as pages, all others as problems."""
    app.register_error_handler(DomainError, _answer_refusal)
    app.register_error_handler(HTTPException, _answer_http)
    app.register_error_handler(Exception, _answer_unexpected)
