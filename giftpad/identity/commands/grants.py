"""Granting tokens: the client-credentials grant, with Authlib's defaults made strict.

Hides: Authlib's grant.  One way of authenticating a request, one answer for an unknown client and
a wrong secret, only the scopes that were granted, one hour, one key with its id in the header.

Source: RFC 6749, section 4.4; RFC 9068; RFC 9700.
"""

from __future__ import annotations

import time
from typing import Any

from authlib.oauth2.rfc6749 import (  # type: ignore[import-untyped] # the library has no types
    ClientMixin,
    InvalidClientError,
    InvalidRequestError,
    InvalidScopeError,
)
from authlib.oauth2.rfc6749.errors import (  # type: ignore[import-untyped] # as above
    AccessDeniedError,
)
from authlib.oauth2.rfc6749.grants import (  # type: ignore[import-untyped] # as above
    ClientCredentialsGrant,
)
from authlib.oauth2.rfc6749.util import (  # type: ignore[import-untyped] # as above
    extract_basic_authorization,
)
from joserfc import jwt

from giftpad.identity.commands.keys import ensure_keys
from giftpad.identity.errors import ClientRefused
from giftpad.identity.queries import authenticate_client, find_signer, issuer
from giftpad.identity.rules import (
    MACHINE_TOKEN_LIFE_S,
    TOKEN_TYPE,
    Granted,
    access_claims,
)
from giftpad.kernel.ids import new_id

UNAUTHORISED = 401
FORBIDDEN = 403
AUTH_METHODS = ["client_secret_basic", "client_secret_post"]


def sign_claims(claims: dict[str, Any]) -> str:
    """Return an access token that says this, signed by the key that signs now."""
    if find_signer() is None:
        ensure_keys()
    signer = find_signer()
    assert signer is not None
    kid, key = signer
    header = {"alg": "RS256", "typ": TOKEN_TYPE, "kid": kid}
    return jwt.encode(header, claims, key, algorithms=["RS256"])


def grant_token(granted: Granted, scope: str | None = None) -> dict[str, Any]:
    """Sign an access token for a client that has proved itself; ``scope`` may narrow it."""
    wanted = granted.permissions if scope is None else granted.permissions & set(scope.split())
    claims = access_claims(issuer(), granted, wanted, token_id=new_id().hex, at=int(time.time()))
    return {
        "access_token": sign_claims(claims),
        "token_type": "Bearer",
        "expires_in": MACHINE_TOKEN_LIFE_S,
        "scope": claims["scope"],
    }


class MachineClient(ClientMixin):  # type: ignore[misc] # the library has no types
    """A client that has proved itself, as Authlib asks about it."""

    def __init__(self, granted: Granted) -> None:
        self.granted = granted

    def get_client_id(self) -> str:
        """Return the client's id."""
        return self.granted.client_id

    def check_grant_type(self, grant_type: str) -> bool:
        """Whether the client may use a grant; machines have one."""
        return grant_type == "client_credentials"


class MachineGrant(ClientCredentialsGrant):  # type: ignore[misc] # the library has no types
    """The client-credentials grant for our one API."""

    TOKEN_ENDPOINT_AUTH_METHODS = AUTH_METHODS

    def authenticate_token_endpoint_client(self) -> MachineClient:
        """Return the client whose id and secret the request carries, in one way only.

        Raises: InvalidRequestError, InvalidClientError.
        """
        client_id, secret = self._credentials()
        try:
            return MachineClient(authenticate_client(client_id, secret))
        except ClientRefused as error:
            raise InvalidClientError(error.sentence, status_code=UNAUTHORISED) from error

    def _credentials(self) -> tuple[str, str]:
        data = self.request.payload.data
        posted_id, posted_secret = data.get("client_id"), data.get("client_secret")
        if self.request.headers.get("Authorization"):
            try:
                client_id, secret = extract_basic_authorization(self.request.headers)
            except ValueError as error:  # what is no ASCII, the library does not expect
                raise InvalidClientError(
                    ClientRefused.sentence, status_code=UNAUTHORISED
                ) from error
            if posted_secret is not None or posted_id not in (None, client_id):
                message = "The client must authenticate in one way."
                raise InvalidRequestError(message)
        else:
            client_id, secret = posted_id, posted_secret
        return client_id or "", secret or ""

    def validate_requested_scope(self) -> None:
        """Refuse another API, another organisation, or scopes of which none is granted.

        Raises: AccessDeniedError, InvalidScopeError.
        """
        granted: Granted = self.request.client.granted
        data = self.request.payload.data
        if data.get("audience", issuer().audience) != issuer().audience:
            message = "There is no such API."
            raise AccessDeniedError(message, status_code=FORBIDDEN)
        if data.get("organization", granted.org_id) != granted.org_id:
            message = "The client does not belong to this organization."
            raise AccessDeniedError(message, status_code=FORBIDDEN)
        scope = data.get("scope")
        if scope is not None and not granted.permissions & set(scope.split()):
            raise InvalidScopeError

    def create_token_response(self) -> tuple[int, dict[str, Any], list[tuple[str, str]]]:
        """Answer with a token and nothing else."""
        token = grant_token(self.request.client.granted, self.request.payload.data.get("scope"))
        return 200, token, self.TOKEN_RESPONSE_HEADER
