"""Granting tokens: the four grants, with Authlib's defaults made strict.

Hides: Authlib's grants.  Only the scopes that were granted, a quarter of an hour for people and one
hour for machines, a refresh token only for offline access, a new one at each use, an ID token with
every answer that has a person's sign-in.

Source: RFC 6749; RFC 7636; RFC 8628; RFC 9068; RFC 9700; OpenID Connect Core 1.0.
"""

from __future__ import annotations

import time
from typing import Any

from authlib.common.urls import (  # type: ignore[import-untyped] # the library has no types
    add_params_to_uri,
)
from authlib.oauth2.rfc6749 import (  # type: ignore[import-untyped] # as above
    InvalidGrantError,
    InvalidRequestError,
    InvalidScopeError,
    OAuth2Error,
    UnauthorizedClientError,
)
from authlib.oauth2.rfc6749.errors import (  # type: ignore[import-untyped] # as above
    AccessDeniedError,
)
from authlib.oauth2.rfc6749.grants import (  # type: ignore[import-untyped] # as above
    AuthorizationCodeGrant,
    ClientCredentialsGrant,
    RefreshTokenGrant,
)
from authlib.oauth2.rfc7636 import CodeChallenge  # type: ignore[import-untyped] # as above
from authlib.oauth2.rfc8628 import DeviceCodeGrant  # type: ignore[import-untyped] # as above

from giftpad.identity.commands.authorisations import (
    Approval,
    Asked,
    Authorised,
    CodeView,
    ScopeNotGranted,
    begin_authorisation,
    find_code,
    take_code,
    take_refresh,
)
from giftpad.identity.commands.devices import Waiting, poll_device
from giftpad.identity.commands.provider import DEVICE_GRANT, ProviderRequest
from giftpad.identity.commands.signing import sign_claims
from giftpad.identity.queries import issuer, personal_claims
from giftpad.identity.rules import (
    ID_TOKEN_LIFE_S,
    ID_TOKEN_TYPE,
    MACHINE_TOKEN_LIFE_S,
    OUR_PROFILE,
    SESSION_TOKEN_LIFE_S,
    Delegated,
    Granted,
    access_claims,
    fits_challenge,
    half_hash,
    is_challenge,
    person_claims,
    split_scope,
    subject_of,
    type_of,
)
from giftpad.kernel.ids import new_id

FORBIDDEN = 403
WRONG_REFRESH_TOKEN = "Unknown or invalid refresh token."  # noqa: S105 - clients look for these words
WRONG_CODE = "Invalid authorization code"
NO_SUCH_API = "This client gets no tokens for such an API. The audience of ours is {ours}"


class _Waits(OAuth2Error):  # type: ignore[misc] # the library has no types
    """A device has no token yet."""

    def __init__(self, why: Waiting) -> None:
        super().__init__(_WAITS[why], error=why.value)


_WAITS = {
    Waiting.PENDING: "Nobody has answered yet.",
    Waiting.TOO_FAST: "Ask less often.",
    Waiting.OVER: "The code is over. Begin again.",
    Waiting.DENIED: "Somebody said no.",
    Waiting.UNKNOWN: "Invalid or unknown device code.",
}


def find_audience(client: Granted, wanted: str | None, *, by_default: bool) -> tuple[str, str]:
    """Return the API a token shall be for, and how its tokens are written.

    ``by_default`` gives a client its own API where it names none; else it is "", which is none.
    Raises: AccessDeniedError.
    """
    ours = issuer().audience
    asked = wanted or ((client.audience or ours) if by_default else "")
    if asked and asked == client.audience:
        return asked, client.token_profile
    if asked not in ("", ours):
        raise AccessDeniedError(NO_SUCH_API.format(ours=ours), status_code=FORBIDDEN)
    return asked, OUR_PROFILE


def grant_token(granted: Granted, scope: str | None = None, audience: str = "") -> dict[str, Any]:
    """Sign an access token for a machine that has proved itself; ``scope`` may narrow it."""
    wanted = granted.permissions if scope is None else granted.permissions & set(scope.split())
    profile = granted.token_profile if audience == granted.audience != "" else OUR_PROFILE
    claims = access_claims(
        issuer(),
        granted,
        wanted,
        token_id=new_id().hex,
        at=int(time.time()),
        audience=audience,
        profile=profile,
    )
    return {
        "access_token": sign_claims(claims, type_=type_of(profile)),
        "token_type": "Bearer",
        "expires_in": MACHINE_TOKEN_LIFE_S,
        "scope": claims["scope"],
    }


def _tokens_of(
    client: Granted, found: Authorised, names: tuple[str, ...], *, is_narrowed: bool = False
) -> dict[str, Any]:
    """Sign what a client gets for a person: an access token, and an ID token where asked for.

    One that asks for less than it was granted gets no permission that it does not name.
    """
    profile = client.token_profile if found.audience == client.audience != "" else OUR_PROFILE
    at = int(time.time())
    given = Delegated(
        membership=found.membership,
        client_id=client.client_id,
        allowed=client.permissions & set(names) if is_narrowed else client.permissions,
        names=names,
        audience=found.audience,
        profile=profile,
        session_id=found.session_id,
        authorisation_id=found.id,
    )
    claims = person_claims(issuer(), given, token_id=new_id().hex, at=at)
    access_token = sign_claims(claims, type_=type_of(profile))
    answer: dict[str, Any] = {
        "access_token": access_token,
        "token_type": "Bearer",
        "expires_in": SESSION_TOKEN_LIFE_S,
        "scope": claims["scope"],
    }
    if found.refresh_token:
        answer["refresh_token"] = found.refresh_token
    if "openid" in names:
        answer["id_token"] = _id_token(client, found, names, access_token=access_token, at=at)
    return answer


def _id_token(
    client: Granted, found: Authorised, names: tuple[str, ...], *, access_token: str, at: int
) -> str:
    person_id = found.membership.person_id
    claims: dict[str, Any] = {
        "iss": issuer().address,
        "aud": client.client_id,
        "sub": subject_of(person_id),
        "iat": at,
        "exp": at + ID_TOKEN_LIFE_S,
        "auth_time": int(found.proved_at.timestamp()),
        "amr": list(found.amr),
        "sid": str(found.session_id),
        "at_hash": half_hash(access_token),
        "org_id": found.membership.org_id,
        **personal_claims(person_id, names),
    }
    if found.nonce:
        claims["nonce"] = found.nonce
    return sign_claims(claims, type_=ID_TOKEN_TYPE)


class S256Challenge(CodeChallenge):  # type: ignore[misc] # the library has no types
    """The challenge of PKCE, of one method and from every client that need not do without."""

    SUPPORTED_CODE_CHALLENGE_METHOD = ("S256",)

    def validate_code_challenge(self, grant: CodeGrant, redirect_uri: str) -> None:
        """Refuse a request without a challenge.

        Raises: InvalidRequestError.
        """
        del redirect_uri
        data = grant.request.payload.data
        challenge, method = data.get("code_challenge"), data.get("code_challenge_method")
        if challenge is None and method is None and not grant.client.granted.needs_challenge:
            return
        if not challenge:
            message = "Parameter code_challenge is required: use PKCE with S256."
            raise InvalidRequestError(message)
        if method not in self.SUPPORTED_CODE_CHALLENGE_METHOD:
            message = "Parameter code_challenge_method must be S256."
            raise InvalidRequestError(message)
        if not is_challenge(challenge):
            message = "Parameter code_challenge is not a SHA-256 in base64url."
            raise InvalidRequestError(message)

    def validate_code_verifier(self, grant: CodeGrant, result: object) -> None:
        """Refuse a verifier that is not the challenge's, or that answers to none.

        Raises: InvalidGrantError.
        """
        del result
        code: CodeView = grant.request.authorization_code
        verifier = grant.request.form.get("code_verifier")
        if not code.code_challenge and verifier is None:
            return
        if not code.code_challenge or not fits_challenge(verifier or "", code.code_challenge):
            message = "Failed to verify code verifier"
            raise InvalidGrantError(message)


class CodeGrant(AuthorizationCodeGrant):  # type: ignore[misc] # the library has no types
    """The authorization code: 256 bits, a minute, taken by one."""

    @staticmethod
    def validate_authorization_redirect_uri(request: ProviderRequest, client: Any) -> str:
        """Return where the person is sent back to; nobody is sent where no client has said.

        Raises: InvalidRequestError.
        """
        redirect_uri: str | None = request.payload.redirect_uri
        if not redirect_uri or not client.check_redirect_uri(redirect_uri):
            message = "The address to return to is not one of this client."
            raise InvalidRequestError(message)
        return redirect_uri

    def validate_requested_scope(self) -> None:
        """Refuse an API the client has not; scopes nobody knows are left out later.

        Raises: AccessDeniedError.
        """
        data = self.request.payload.data
        found = find_audience(self.request.client.granted, data.get("audience"), by_default=False)
        self.audience, _ = found

    def create_authorization_response(
        self, redirect_uri: str, grant_user: Approval
    ) -> tuple[int, str, list[tuple[str, str]]]:
        """Send the person back with a code."""
        data = self.request.payload.data
        asked = Asked(
            client=self.request.client.granted,
            redirect_uri=redirect_uri,
            state=data.get("state", ""),
            names=tuple(split_scope(self.request.scope)),
            audience=self.audience,
            nonce=data.get("nonce", ""),
            code_challenge=data.get("code_challenge", ""),
        )
        code = begin_authorisation(asked, grant_user)
        added = [("code", code), ("iss", issuer().address)]
        if asked.state:
            added.append(("state", asked.state))
        return 302, "", [("Location", add_params_to_uri(redirect_uri, added))]

    def query_authorization_code(self, code: str, client: Any) -> CodeView:
        """Return a code of the client that can be taken.

        Raises: InvalidGrantError.
        """
        found = find_code(client.granted, code)
        if found is None:
            raise InvalidGrantError(WRONG_CODE)
        return found

    def create_token_response(self) -> tuple[int, dict[str, Any], list[tuple[str, str]]]:
        """Take the code and answer with tokens.

        Raises: InvalidGrantError.
        """
        client: Granted = self.request.client.granted
        found = take_code(self.request.authorization_code)
        if found is None:
            raise InvalidGrantError(WRONG_CODE)
        return 200, _tokens_of(client, found, found.names), self.TOKEN_RESPONSE_HEADER


class RefreshGrant(RefreshTokenGrant):  # type: ignore[misc] # the library has no types
    """The refresh token: good once, followed by another, with an ID token."""

    INCLUDE_NEW_REFRESH_TOKEN = True

    def validate_token_request(self) -> None:
        """Refuse who is no client, or shows no token.

        Raises: OAuth2Error.
        """
        self.request.client = self._validate_request_client()
        if not self.request.form.get("refresh_token"):
            message = "Missing required parameter: refresh_token"
            raise InvalidRequestError(message)

    def create_token_response(self) -> tuple[int, dict[str, Any], list[tuple[str, str]]]:
        """Exchange the token and answer with new ones, for what was granted or for less.

        Raises: InvalidGrantError, InvalidScopeError.
        """
        client: Granted = self.request.client.granted
        wanted = split_scope(self.request.payload.scope)
        try:
            found = take_refresh(client, self.request.form["refresh_token"], wanted)
        except ScopeNotGranted as error:
            raise InvalidScopeError from error
        if found is None:
            raise InvalidGrantError(WRONG_REFRESH_TOKEN)
        names = tuple(name for name in found.names if not wanted or name in wanted)
        tokens = _tokens_of(client, found, names, is_narrowed=bool(wanted))
        return 200, tokens, self.TOKEN_RESPONSE_HEADER


class DeviceGrant(DeviceCodeGrant):  # type: ignore[misc] # the library has no types
    """The device code: asked for until somebody answers."""

    def validate_token_request(self) -> None:
        """Refuse who is no client with devices, or shows no code.

        Raises: OAuth2Error.
        """
        client = self.authenticate_token_endpoint_client()
        if not client.check_grant_type(DEVICE_GRANT):
            raise UnauthorizedClientError
        if not self.request.form.get("device_code"):
            message = "Missing required parameter: device_code"
            raise InvalidRequestError(message)
        self.request.client = client

    def create_token_response(self) -> tuple[int, dict[str, Any], list[tuple[str, str]]]:
        """Answer with tokens, or with why there are none yet.

        Raises: OAuth2Error.
        """
        client: Granted = self.request.client.granted
        found = poll_device(client, self.request.form["device_code"])
        if isinstance(found, Waiting):
            raise _Waits(found)
        return 200, _tokens_of(client, found, found.names), self.TOKEN_RESPONSE_HEADER


class MachineGrant(ClientCredentialsGrant):  # type: ignore[misc] # the library has no types
    """The client-credentials grant."""

    def validate_requested_scope(self) -> None:
        """Refuse another API, another organisation, or scopes of which none is granted.

        Raises: AccessDeniedError, InvalidScopeError.
        """
        granted: Granted = self.request.client.granted
        data = self.request.payload.data
        self.audience, _ = find_audience(granted, data.get("audience"), by_default=True)
        if data.get("organization", granted.org_id) != granted.org_id:
            message = "The client does not belong to this organization."
            raise AccessDeniedError(message, status_code=FORBIDDEN)
        scope = data.get("scope")
        if scope is not None and not granted.permissions & set(scope.split()):
            raise InvalidScopeError

    def create_token_response(self) -> tuple[int, dict[str, Any], list[tuple[str, str]]]:
        """Answer with a token and nothing else."""
        scope = self.request.payload.data.get("scope")
        token = grant_token(self.request.client.granted, scope, self.audience)
        return 200, token, self.TOKEN_RESPONSE_HEADER
