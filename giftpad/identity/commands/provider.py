"""The OpenID provider: Authlib's server and grants, with what they leave open decided.

Hides: Authlib.  A request is a table of parameters and of headers, an answer a status, a body and
headers; where both come from is the edge's.  One way of proving a client, one answer for an
unknown one and a wrong secret, S256 for all who must, codes and tokens taken once, one key with
its id in the header.

Source: RFC 6749; RFC 7636; RFC 7009; RFC 8628; RFC 9207; RFC 9700; OpenID Connect Core 1.0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from authlib.oauth2.rfc6749 import (  # type: ignore[import-untyped] # the library has no types
    AuthorizationServer,
    ClientMixin,
    InvalidClientError,
    InvalidRequestError,
    OAuth2Error,
    OAuth2Request,
)
from authlib.oauth2.rfc6749.requests import (  # type: ignore[import-untyped] # as above
    BasicOAuth2Payload,
)
from authlib.oauth2.rfc6749.util import (  # type: ignore[import-untyped] # as above
    extract_basic_authorization,
)

from giftpad.identity.errors import ClientRefused
from giftpad.identity.queries import authenticate_client, find_client, issuer
from giftpad.identity.rules import (
    PERSONAL_SCOPES,
    Granted,
    is_plain_text,
    split_scope,
)

UNAUTHORISED = 401
AUTH_METHODS = ("client_secret_basic", "client_secret_post", "none")
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
GRANT_TYPES = ("authorization_code", "refresh_token", "client_credentials", DEVICE_GRANT)
GRANTS_OF: Mapping[str, frozenset[str]] = {
    "machine": frozenset({"client_credentials"}),
    "web": frozenset({"authorization_code", "refresh_token"}),
    "spa": frozenset({"authorization_code", "refresh_token"}),
    "device": frozenset({DEVICE_GRANT, "refresh_token"}),
}
PARAMETER_LENGTH_MAX = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuthAnswer:
    """What the provider answers; a ``body`` of "" is none."""

    status: int
    body: Mapping[str, Any] | str
    headers: Mapping[str, str]


class ProvidedClient(ClientMixin):  # type: ignore[misc] # the library has no types
    """A client as Authlib asks about it."""

    def __init__(self, granted: Granted) -> None:
        self.granted = granted
        self.client_metadata = {"post_logout_redirect_uris": list(granted.logout_uris)}

    def get_client_id(self) -> str:
        """Return the client's id."""
        return self.granted.client_id

    def get_default_redirect_uri(self) -> str | None:
        """Return none: where people are sent back to is always said."""
        return None

    def get_allowed_scope(self, scope: str | None) -> str:
        """Return what of a scope we know and the client may have; the rest is left out."""
        known = {*PERSONAL_SCOPES, *self.granted.permissions}
        return " ".join(name for name in split_scope(scope) if name in known)

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        """Whether an address is, to the letter, one of the client's."""
        return redirect_uri in self.granted.redirect_uris

    def check_response_type(self, response_type: str) -> bool:
        """Whether the client may be answered so."""
        return response_type == "code" and self.check_grant_type("authorization_code")

    def check_grant_type(self, grant_type: str) -> bool:
        """Whether the client may use a grant: its kind says which."""
        return grant_type in GRANTS_OF[self.granted.kind]


class ProviderRequest(OAuth2Request):  # type: ignore[misc] # the library has no types
    """A request of which each parameter was read once, from one place."""

    def __init__(
        self, path: str, parameters: Mapping[str, str], headers: Mapping[str, str]
    ) -> None:
        method = "GET" if path == "authorize" else "POST"
        super().__init__(method, issuer().address + path, headers=headers)
        self.payload = BasicOAuth2Payload(dict(parameters))

    @property
    def args(self) -> Mapping[str, str]:
        """The parameters; Authlib asks for them by where they might have stood."""
        found: Mapping[str, str] = self.payload.data
        return found

    @property
    def form(self) -> Mapping[str, str]:
        """The parameters, as above."""
        return self.args


def prove_client(request: ProviderRequest) -> Granted:
    """Return the client whose id and secret a request carries, in one way only.

    Raises: InvalidRequestError, InvalidClientError.
    """
    client_id, secret = _credentials(request)
    try:
        return authenticate_client(client_id, secret)
    except ClientRefused as error:
        raise InvalidClientError(error.sentence, status_code=UNAUTHORISED) from error


def _credentials(request: ProviderRequest) -> tuple[str, str]:
    data = request.payload.data
    posted_id, posted_secret = data.get("client_id"), data.get("client_secret")
    if not request.headers.get("Authorization"):
        return posted_id or "", posted_secret or ""
    try:
        client_id, secret = extract_basic_authorization(request.headers)
    except ValueError as error:  # what is no ASCII, the library does not expect
        raise InvalidClientError(ClientRefused.sentence, status_code=UNAUTHORISED) from error
    if posted_secret is not None or posted_id not in (None, client_id):
        message = "The client must authenticate in one way."
        raise InvalidRequestError(message)
    return client_id or "", secret or ""


class Provider(AuthorizationServer):  # type: ignore[misc] # the library has no types
    """Authlib's server without a web framework."""

    def query_client(self, client_id: str) -> ProvidedClient | None:
        """Return a client by its id, without proof."""
        found = find_client(client_id)
        return ProvidedClient(found) if found is not None else None

    def authenticate_client(
        self, request: ProviderRequest, methods: object, endpoint: str = "token"
    ) -> ProvidedClient:
        """Return the client that has proved itself.

        Raises: OAuth2Error.
        """
        del methods, endpoint  # a client's kind says how it proves itself, everywhere the same
        return ProvidedClient(prove_client(request))

    def create_oauth2_request(self, request: ProviderRequest) -> ProviderRequest:
        """Return the request, which was read already."""
        return request

    def save_token(self, token: Mapping[str, Any], request: object) -> None:
        """Keep nothing: what must be kept was kept when it was taken."""

    def send_signal(self, name: str, *args: object, **kwargs: object) -> None:
        """Tell nobody."""

    def handle_response(
        self, status: int, body: Any, headers: list[tuple[str, str]]
    ) -> OAuthAnswer:
        """Return an answer that nobody keeps."""
        return OAuthAnswer(
            status=status, body=body, headers=dict(headers) | {"Cache-Control": "no-store"}
        )


def check_parameters(parameters: Mapping[str, str]) -> None:
    """Refuse what no parameter can be, before it is put into an answer.

    A client's id never is; one that cannot be is answered as an unknown one.

    Raises: InvalidRequestError.
    """
    for name in ("grant_type", "response_type", "code", "refresh_token"):
        if not is_plain_text(parameters.get(name, "")):
            message = f"The parameter {name} cannot be read."
            raise InvalidRequestError(message)
    rest = [value for name, value in parameters.items() if name != "client_id"]
    if any("\0" in value or len(value) > PARAMETER_LENGTH_MAX for value in rest):
        message = "A parameter is too long, or holds what is no text."
        raise InvalidRequestError(message)


def refusal(error: OAuth2Error) -> OAuthAnswer:
    """Return the answer that says why not."""
    status, body, headers = error()
    return OAuthAnswer(
        status=status, body=dict(body), headers=dict(headers) | {"Cache-Control": "no-store"}
    )
