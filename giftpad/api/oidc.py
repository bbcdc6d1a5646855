"""The provider over HTTP, for programs: tokens, who somebody is, discovery and the public keys.

Hides: from where a parameter may come, who is slowed down, which origins' scripts may call.

Source: RFC 6749; RFC 7009; RFC 8414; RFC 8628; OpenID Connect Core and Discovery 1.0.
"""

from __future__ import annotations

import json
import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextlib import suppress
from http import HTTPStatus
from urllib.parse import urlencode

from flask import Blueprint, Flask, Response, redirect, request

from giftpad import guard, identity
from giftpad.api.http import answer
from giftpad.api.origins import allow_origins
from giftpad.edge import body_limit, limit_headers, public, read_json, source_address
from giftpad.kernel.i18n import LOCALES

BODY_MAX = 16 * 1024
KEYS_KEPT_S = 600
ADDRESS_RATE = guard.Rate(100, 500)
CLIENT_RATE = guard.Rate(10, 50)
PERSON_RATE = guard.Rate(10, 50)
DEVICE_RATE = guard.Rate(1, 60)
PROVEN_MAX = 10_000
FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
_CALLER_NAME = re.compile(r"[A-Za-z0-9]{1,64}")

Answerer = Callable[[Mapping[str, str], Mapping[str, str]], identity.OAuthAnswer]


class _Unreadable(ValueError):
    """A body that is no table of parameters; the text says why."""


def _read_parameters() -> dict[str, str]:
    """Return the parameters of a request's body, each of which stands there once.

    Raises: _Unreadable.
    """
    if request.query_string:
        message = "Parameters belong into the body."
        raise _Unreadable(message)
    if request.mimetype == JSON:
        return _read_object()
    if request.mimetype != FORM:
        message = f"The body must be {FORM} or {JSON}."
        raise _Unreadable(message)
    parameters: dict[str, str] = {}
    for name, values in request.form.lists():
        if len(values) > 1:
            message = "A parameter is repeated."
            raise _Unreadable(message)
        parameters[name] = values[0]
    return parameters


def _no_repeats(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        message = "a name is repeated"
        raise ValueError(message)
    return found


def _read_object() -> dict[str, str]:
    try:
        found = read_json(request.get_data())
        json.loads(request.get_data(), object_pairs_hook=_no_repeats)
    except (ValueError, RecursionError) as error:
        message = "The body is not valid JSON, or a parameter is repeated."
        raise _Unreadable(message) from error
    if not isinstance(found, dict):
        message = "The body must be an object."
        raise _Unreadable(message)
    said = {name: value for name, value in found.items() if value is not None}  # as if not said
    if not all(isinstance(value, str) for value in said.values()):
        message = "Every parameter must be a string."
        raise _Unreadable(message)
    return said


def _caller_name() -> str:
    """Return the id a client gives, before it is believed, for counting what it asks."""
    try:
        basic = request.authorization
    except ValueError:  # what is no ASCII, Werkzeug does not expect
        return ""
    given = "" if basic is None else basic.username or ""
    if not given and request.mimetype == FORM:
        given = request.form.get("client_id", "")
    elif not given and request.mimetype == JSON:
        body = request.get_json(silent=True)
        given = body.get("client_id", "") if isinstance(body, dict) else ""
    return given if _CALLER_NAME.fullmatch(str(given)) else ""


def _refusal_for(error: guard.RateExceeded, rate: guard.Rate) -> Response:
    body = {"error": "too_many_requests", "error_description": "Too many requests."}
    made = answer(body, status=429)
    made.headers["Retry-After"] = str(error.retry_after_s)
    made.headers.update(limit_headers(rate, error))
    return made


class _Proven:
    """Clients that have proved themselves in this process, the longest unseen forgotten first."""

    lock = threading.Lock()
    clients: OrderedDict[str, None] = OrderedDict()  # noqa: RUF012 - one per process, by design


def _remember(client_id: str) -> None:
    with _Proven.lock:
        _Proven.clients[client_id] = None
        _Proven.clients.move_to_end(client_id)
        if len(_Proven.clients) > PROVEN_MAX:
            _Proven.clients.popitem(last=False)


def _answer_slowly(answerer: Answerer) -> Response:
    """Answer a request in which a client proves itself.

    An address is slowed by what fails from it only: many clients may share one, and nobody who
    guesses there may keep from their tokens the others that this process knows.  It is asked
    before any work, and nothing is remembered of a client that nobody has proved to be.
    """
    address, client_id = f"token-address:{source_address()}", _caller_name()
    by_address = client_id not in _Proven.clients
    try:
        if by_address:
            guard.check_rate(address, ADDRESS_RATE)
        else:
            guard.admit(f"token-client:{client_id}:{address}", CLIENT_RATE)
    except guard.RateExceeded as error:
        return _refusal_for(error, ADDRESS_RATE if by_address else CLIENT_RATE)
    try:
        made = _answer(answerer)
    except guard.RateExceeded as error:  # a client that has proved itself asks for too much
        return _refusal_for(error, identity.REVOCATION_RATE)
    if made.status_code == HTTPStatus.OK:
        _remember(client_id)
    elif made.status_code in (HTTPStatus.UNAUTHORIZED, HTTPStatus.BAD_REQUEST):
        with suppress(guard.RateExceeded):
            guard.admit(address, ADDRESS_RATE)
    return made


def _answer(answerer: Answerer) -> Response:
    try:
        parameters = _read_parameters()
    except _Unreadable as error:
        body = {"error": "invalid_request", "error_description": str(error)}
        made = answer(body, status=400)
        made.headers["Cache-Control"] = "no-store"
        return made
    shown = request.headers.get("Authorization")
    found = answerer(parameters, {"Authorization": shown} if shown is not None else {})
    made = answer(found.body, status=found.status) if found.body else Response(status=found.status)
    made.headers.update(found.headers)
    return made


def _answer_device() -> Response:
    """Let a device wait; each that does is a row, so an address may not have many."""
    try:
        guard.admit(f"device-code:{source_address()}", DEVICE_RATE)
    except guard.RateExceeded as error:
        return _refusal_for(error, DEVICE_RATE)
    return _answer_slowly(identity.answer_device)


def _discovery() -> dict[str, object]:
    address = identity.issuer().address
    return {
        "issuer": address,
        "authorization_endpoint": address + "authorize",
        "token_endpoint": address + "oauth/token",
        "userinfo_endpoint": address + "userinfo",
        "revocation_endpoint": address + "oauth/revoke",
        "end_session_endpoint": address + "oidc/logout",
        "device_authorization_endpoint": address + "oauth/device/code",
        "jwks_uri": address + ".well-known/jwks.json",
        "grant_types_supported": list(identity.GRANT_TYPES),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "scopes_supported": [*identity.PERSONAL_SCOPES, *identity.PERMISSIONS],
        "claims_supported": list(CLAIMS),
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": list(identity.AUTH_METHODS),
        "revocation_endpoint_auth_methods_supported": list(identity.AUTH_METHODS),
        "access_token_signing_alg_values_supported": ["RS256"],
        "prompt_values_supported": sorted(identity.PROMPTS),
        "ui_locales_supported": list(LOCALES),
        "authorization_response_iss_parameter_supported": True,
        "claims_parameter_supported": False,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
    }


CLAIMS = (
    "iss",
    "sub",
    "aud",
    "exp",
    "iat",
    "auth_time",
    "nonce",
    "sid",
    "amr",
    "at_hash",
    "org_id",
    "name",
    "updated_at",
    "email",
    "email_verified",
)


def _kept(body: object) -> Response:
    made = answer(body)
    made.headers["Cache-Control"] = f"public, max-age={KEYS_KEPT_S}"
    return made


def _bearer() -> str:
    """Return the access token of a request, from its header or from its form."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return token.strip()
    is_form = request.method == "POST" and request.mimetype == FORM
    return request.form.get("access_token", "") if is_form else ""


def _answer_userinfo() -> Response:
    """Say who the bearer of a token stands for, as far as the token may know it.

    Source: OpenID Connect Core 1.0, section 5.3; RFC 6750.
    """
    try:
        claims, names = identity.verify_reader(_bearer())
    except identity.TokenRefused:
        made = answer({"error": "invalid_token", "error_description": "Unauthorized"}, status=401)
        made.headers["WWW-Authenticate"] = 'Bearer error="invalid_token"'
        return made
    person_id = claims.person_id
    assert person_id is not None
    try:
        guard.admit(f"userinfo:{person_id}", PERSON_RATE)
    except guard.RateExceeded as error:
        return _refusal_for(error, PERSON_RATE)
    return answer({"sub": claims.subject, **identity.personal_claims(person_id, names)})


def init_oidc(app: Flask) -> None:
    """Serve the provider's endpoints for programs."""
    blp = Blueprint("oidc", __name__)
    blp.after_request(allow_origins)

    @blp.post("/oauth/token")
    @public("A client proves itself here by its secret, its code or its refresh token.")
    @body_limit(BODY_MAX)
    def token() -> Response:
        return _answer_slowly(identity.answer_token)

    @blp.post("/oauth/revoke")
    @public("A client proves itself here as it does for a token.")
    @body_limit(BODY_MAX)
    def revoke() -> Response:
        return _answer_slowly(identity.answer_revocation)

    @blp.post("/oauth/device/code")
    @public("A device has no token yet; it says which client it is.")
    @body_limit(BODY_MAX)
    def device_code() -> Response:
        return _answer_device()

    @blp.get("/userinfo")
    @public("It judges its tokens itself: they may know who somebody is, and nothing else.")
    def userinfo() -> Response:
        return _answer_userinfo()

    @blp.post("/userinfo")
    @public("As by GET; OpenID Connect wants both.")
    @body_limit(BODY_MAX)
    def userinfo_by_form() -> Response:
        return _answer_userinfo()

    @blp.post("/authorize")
    @public("A client sends people here by a form of its own; it is asked again by GET.")
    @body_limit(BODY_MAX)
    def authorize_by_form() -> Response:
        return _ask_again("/authorize")

    @blp.post("/oidc/logout")
    @public("As for /authorize.")
    @body_limit(BODY_MAX)
    def logout_by_form() -> Response:
        return _ask_again("/oidc/logout")

    @blp.get("/.well-known/openid-configuration")
    @blp.get("/.well-known/oauth-authorization-server")
    @public("Discovery is for those who know nothing yet.")
    def discovery() -> Response:
        return _kept(_discovery())

    @blp.get("/.well-known/jwks.json")
    @public("Whoever verifies our tokens needs the public keys.")
    def keys() -> Response:
        return _kept({"keys": identity.list_public_keys()})

    app.register_blueprint(blp)


def _ask_again(path: str) -> Response:
    """Send a browser to the page that answers the same by GET.

    Nothing is done here, so a form of another site may come; and the browser shows its session to
    the page only, because a cookie does not come along with such a form.
    """
    pairs = [(name, value) for name, values in request.form.lists() for value in values]
    made = redirect(f"{path}?{urlencode(pairs)}", HTTPStatus.SEE_OTHER)
    assert isinstance(made, Response)
    return made
