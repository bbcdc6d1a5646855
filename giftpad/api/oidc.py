"""Tokens over HTTP: the token endpoint, discovery and the public keys.

Hides: Authlib's server for Flask.  What it would take as a parameter, where it would take it from
and how it would tell an unknown client from a wrong secret is decided here and in identity.

Source: RFC 6749; RFC 8414; OpenID Connect Discovery 1.0.
"""

from __future__ import annotations

import json
import re
import threading
from collections import OrderedDict
from collections.abc import Mapping
from contextlib import suppress
from http import HTTPStatus
from typing import Any

from authlib.integrations.flask_oauth2 import (  # type: ignore[import-untyped] # no types
    AuthorizationServer,
)
from authlib.oauth2.rfc6749 import (  # type: ignore[import-untyped] # no types
    InvalidRequestError,
    OAuth2Error,
    OAuth2Request,
)
from authlib.oauth2.rfc6749.requests import (  # type: ignore[import-untyped] # no types
    BasicOAuth2Payload,
)
from flask import Blueprint, Flask, Response, request

from giftpad import guard, identity
from giftpad.api.http import answer
from giftpad.edge import body_limit, limit_headers, public, read_json, source_address

BODY_MAX = 16 * 1024
KEYS_KEPT_S = 600
ADDRESS_RATE = guard.Rate(100, 500)
CLIENT_RATE = guard.Rate(10, 50)
PROVEN_MAX = 10_000
FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
_CALLER_NAME = re.compile(r"[A-Za-z0-9]{1,64}")


class TokenServer(AuthorizationServer):  # type: ignore[misc] # the library has no types
    """Authlib's server with a body read once, in one of two forms, each parameter once."""

    def create_oauth2_request(self, _request: object) -> OAuth2Request:
        """Read the request.

        Raises: OAuth2Error.
        """
        made = OAuth2Request(
            "POST", identity.issuer().address + "oauth/token", headers=request.headers
        )
        parameters = _read_parameters()
        if not parameters.get("grant_type"):
            message = "The parameter grant_type is missing: say client_credentials."
            raise InvalidRequestError(message)
        made.payload = BasicOAuth2Payload(parameters)
        return made

    def save_token(self, token: Mapping[str, Any], made: OAuth2Request) -> None:
        """Keep nothing: an access token proves itself until it is over."""

    def handle_response(
        self, status: int, body: Mapping[str, Any], headers: list[tuple[str, str]]
    ) -> Response:
        """Answer in JSON that nobody keeps."""
        made = answer(body, status=status)
        for name, value in headers:
            made.headers[name] = value
        made.headers["Cache-Control"] = "no-store"
        return made


def _read_parameters() -> dict[str, str]:
    """Return the parameters of a token request.

    Raises: InvalidRequestError.
    """
    if request.query_string:
        message = "Parameters belong into the body."
        raise InvalidRequestError(message)
    if request.mimetype == JSON:
        return _read_object()
    if request.mimetype != FORM:
        message = f"The body must be {FORM} or {JSON}."
        raise InvalidRequestError(message)
    parameters: dict[str, str] = {}
    for name, values in request.form.lists():
        if len(values) > 1:
            message = "A parameter is repeated."
            raise InvalidRequestError(message)
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
        raise InvalidRequestError(message) from error
    if not isinstance(found, dict) or not all(isinstance(v, str) for v in found.values()):
        message = "Every parameter must be a string."
        raise InvalidRequestError(message)
    return found


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


def _answer_token(server: TokenServer) -> Response:
    """Answer a token request.

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
        made: Response = server.create_token_response()
    except OAuth2Error as error:
        made = server.handle_response(*error())
    if made.status_code == HTTPStatus.OK:
        _remember(client_id)
    elif made.status_code == HTTPStatus.UNAUTHORIZED:
        with suppress(guard.RateExceeded):
            guard.admit(address, ADDRESS_RATE)
    return made


def _discovery() -> dict[str, object]:
    address = identity.issuer().address
    return {
        "issuer": address,
        "token_endpoint": address + "oauth/token",
        "jwks_uri": address + ".well-known/jwks.json",
        "grant_types_supported": ["client_credentials"],
        "response_types_supported": [],
        "scopes_supported": list(identity.PERMISSIONS),
        "token_endpoint_auth_methods_supported": list(identity.AUTH_METHODS),
        "access_token_signing_alg_values_supported": ["RS256"],
    }


def _kept(body: object) -> Response:
    made = answer(body)
    made.headers["Cache-Control"] = f"public, max-age={KEYS_KEPT_S}"
    return made


def init_oidc(app: Flask) -> None:
    """Serve tokens, discovery and keys."""
    server = TokenServer(app)
    server.register_token_generator("default", _no_other_token)
    server.register_grant(identity.MachineGrant)
    blp = Blueprint("oidc", __name__)

    @blp.post("/oauth/token")
    @public("A client proves itself here by its secret.")
    @body_limit(BODY_MAX)
    def token() -> Response:
        return _answer_token(server)

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


def _no_other_token(**_: object) -> dict[str, object]:
    message = "every grant makes its own token"
    raise AssertionError(message)
