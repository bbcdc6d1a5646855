"""Signing out from a client's side: which browser is meant, and where it may go afterwards.

Hides: Authlib's endpoint, which would take any token that we signed for a hint.

Source: OpenID Connect RP-Initiated Logout 1.0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from authlib.oauth2.rfc6749 import (  # type: ignore[import-untyped] # the library has no types
    InvalidRequestError,
    OAuth2Error,
)
from authlib.oidc.rpinitiated import (  # type: ignore[import-untyped] # as above
    EndSessionEndpoint,
)

from giftpad.identity.commands.provider import ProvidedClient, ProviderRequest, check_parameters
from giftpad.identity.commands.serving import AuthorisationRefused, provider
from giftpad.identity.errors import TokenRefused
from giftpad.identity.queries import find_client, verify_hint
from giftpad.identity.rules import Granted

ENDPOINT = "end_session"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogoutAsked:
    """A wish to sign out: of which sign-in, if it was proved, and where to go then, or ""."""

    client: Granted | None
    location: str
    session_id: UUID | None


class EndSession(EndSessionEndpoint):  # type: ignore[misc] # the library has no types
    """The endpoint that takes nothing but our own ID tokens for a hint."""

    def create_endpoint_request(self, request: ProviderRequest) -> ProviderRequest:
        """Return the request, which was read already."""
        return request

    def _validate_id_token_hint(self, id_token_hint: str) -> dict[str, Any]:
        """Return what an ID token of ours says.

        Raises: InvalidRequestError.
        """
        try:
            return verify_hint(id_token_hint)
        except TokenRefused as error:
            message = "The id_token_hint is no ID token of ours."
            raise InvalidRequestError(message) from error


def ask_logout(parameters: Mapping[str, str]) -> LogoutAsked:
    """Judge a request to ``/oidc/logout``; what is wrong in it sends nobody anywhere.

    Raises: AuthorisationRefused.
    """
    try:
        check_parameters(parameters)
        found = EndSession(provider()).validate_request(
            ProviderRequest("oidc/logout", parameters, {})
        )
        wanted = parameters.get("post_logout_redirect_uri")
        if wanted and not found.redirect_uri and found.id_token_claims is not None:
            message = "The address to return to is not one of this client."
            raise InvalidRequestError(message)
    except OAuth2Error as error:
        raise AuthorisationRefused(error.error, error.description or "") from error
    client: ProvidedClient | None = found.client
    claims = found.id_token_claims
    return LogoutAsked(
        client=client.granted if client is not None else None,
        location=found.redirect_uri or "",
        session_id=UUID(claims["sid"]) if claims is not None else None,
    )


def ask_short_logout(parameters: Mapping[str, str]) -> LogoutAsked:
    """Judge a request to ``/v2/logout``, which names a client and an address, and proves nothing.

    Raises: AuthorisationRefused.
    """
    client = find_client(parameters.get("client_id", ""))
    wanted = parameters.get("returnTo", "")
    if wanted and (client is None or wanted not in client.logout_uris):
        message = "The address to return to is not one of this client."
        error = "invalid_request"
        raise AuthorisationRefused(error, message)
    return LogoutAsked(client=client, location=wanted, session_id=None)
