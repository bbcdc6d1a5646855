"""The provider's answers: to who asks for a token, takes one back, waits on a device, signs in.

Hides: which grants there are, and how Authlib is asked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any
from uuid import UUID

from authlib.common.urls import (  # type: ignore[import-untyped] # the library has no types
    add_params_to_uri,
)
from authlib.oauth2.rfc6749 import (  # type: ignore[import-untyped] # as above
    InvalidRequestError,
    OAuth2Error,
    UnauthorizedClientError,
)

from giftpad import guard, tenancy
from giftpad.identity.commands.authorisations import Approval, end_family, revoke_refresh
from giftpad.identity.commands.devices import start_device
from giftpad.identity.commands.grants import (
    CodeGrant,
    DeviceGrant,
    MachineGrant,
    RefreshGrant,
    S256Challenge,
    find_audience,
)
from giftpad.identity.commands.provider import (
    DEVICE_GRANT,
    OAuthAnswer,
    ProvidedClient,
    Provider,
    ProviderRequest,
    check_parameters,
    prove_client,
    refusal,
)
from giftpad.identity.commands.revocations import revoke_token
from giftpad.identity.errors import IssuerAway, TokenRefused
from giftpad.identity.queries import (
    issuer,
    refresh_trust,
    verify_hint,
    verify_reader,
    verify_token,
)
from giftpad.identity.rules import (
    DEVICE_INTERVAL_S,
    DEVICE_LIFE_S,
    ORG_PREFIX,
    Granted,
    find_person_id,
    split_scope,
)
from giftpad.kernel.work import Actor

PROMPTS = frozenset({"none", "login", "consent", "select_account"})
REVOCATION_RATE = guard.Rate(0.25, 500)
"""Access tokens a client may take back: each is held by every process for up to an hour."""
_SECONDS = re.compile(r"[0-9]{1,9}")
_ONCE_ONLY = ("request", "request_uri")


@cache
def provider() -> Provider:
    """Return the provider of this process."""
    made = Provider()
    made.register_grant(MachineGrant)
    made.register_grant(CodeGrant, [S256Challenge()])
    made.register_grant(RefreshGrant)
    made.register_grant(DeviceGrant)
    return made


def answer_token(parameters: Mapping[str, str], headers: Mapping[str, str]) -> OAuthAnswer:
    """Answer a token request."""
    try:
        check_parameters(parameters)
        if not parameters.get("grant_type"):
            message = "The parameter grant_type is missing: say client_credentials."
            raise InvalidRequestError(message)
        request = ProviderRequest("oauth/token", parameters, headers)
        made: OAuthAnswer = provider().create_token_response(request)
    except OAuth2Error as error:
        return refusal(error)
    return made


def answer_revocation(parameters: Mapping[str, str], headers: Mapping[str, str]) -> OAuthAnswer:
    """Take back a refresh token with its family, or an access token; an unknown one is no error.

    Source: RFC 7009.
    Raises: RateExceeded.
    """
    try:
        check_parameters(parameters)
        client = prove_client(ProviderRequest("oauth/revoke", parameters, headers))
        token = parameters.get("token", "")
        if not token:
            message = "Missing required parameter: token"
            raise InvalidRequestError(message)
    except OAuth2Error as error:
        return refusal(error)
    if not revoke_refresh(client, token):
        _revoke_access(client, token)
    return OAuthAnswer(status=200, body="", headers={"Cache-Control": "no-store"})


def _revoke_access(client: Granted, token: str) -> None:
    """Take back an access token of the client; of one without an id the whole family ends.

    Raises: RateExceeded.
    """
    try:
        claims = verify_token(token)
    except (IssuerAway, TokenRefused):
        try:
            claims, _ = verify_reader(token)
        except TokenRefused:
            return
    if claims.client_id != client.client_id:
        return
    if claims.token_id:
        guard.admit(f"revocations:{client.client_id}", REVOCATION_RATE)
        actor = Actor(kind="client", id=client.client_id, client_id=client.client_id)
        revoke_token(actor, claims)
        refresh_trust()
    else:
        end_family(UUID(claims.authorisation_id), "the client gave it back")


def answer_device(parameters: Mapping[str, str], headers: Mapping[str, str]) -> OAuthAnswer:
    """Let a device wait, and tell it the code that it shows.

    Source: RFC 8628, section 3.2.
    """
    try:
        check_parameters(parameters)
        client = prove_client(ProviderRequest("oauth/device/code", parameters, headers))
        provided = ProvidedClient(client)
        if not provided.check_grant_type(DEVICE_GRANT):
            raise UnauthorizedClientError
        audience, _ = find_audience(client, parameters.get("audience"), by_default=True)
    except OAuth2Error as error:
        return refusal(error)
    names = tuple(split_scope(provided.get_allowed_scope(parameters.get("scope"))))
    device = start_device(client, names, audience)
    activate = issuer().address + "activate"
    body = {
        "device_code": device.device_code,
        "user_code": device.user_code,
        "verification_uri": activate,
        "verification_uri_complete": f"{activate}?user_code={device.user_code}",
        "expires_in": DEVICE_LIFE_S,
        "interval": DEVICE_INTERVAL_S,
    }
    return OAuthAnswer(status=200, body=body, headers={"Cache-Control": "no-store"})


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInAsked:
    """A client that wants to know who somebody is, once the request has been judged."""

    client: Granted
    redirect_uri: str
    state: str
    names: tuple[str, ...]
    prompts: frozenset[str]
    max_age_s: int | None
    login_hint: str
    ui_locales: tuple[str, ...]
    invitation: str
    """The code of an invitation that the person has, as the client says; "" if none."""
    wants_to_join: bool
    hinted: UUID | None
    """Who is meant, by an ID token that the client has of them."""
    grant: Any
    """Authlib's, for ``allow_sign_in`` alone."""


class AuthorisationRefused(Exception):
    """A request that is answered with an error.

    ``location`` is where the person goes with it; "" means that they must stay here, because
    nobody has proved where they came from.
    """

    def __init__(self, error: str, description: str, *, location: str = "") -> None:
        super().__init__(error)
        self.error, self.description, self.location = error, description, location


def ask_sign_in(parameters: Mapping[str, str]) -> SignInAsked:
    """Judge a request to ``/authorize`` of which each parameter stands there once.

    Raises: AuthorisationRefused.
    """
    request = ProviderRequest("authorize", parameters, {})
    try:
        check_parameters(parameters)
        grant = provider().get_consent_grant(request)
    except OAuth2Error as error:
        raise _refused(error) from error
    asked = SignInAsked(
        client=grant.client.granted,
        redirect_uri=grant.redirect_uri,
        state=parameters.get("state", ""),
        names=tuple(split_scope(request.scope)),
        prompts=frozenset(split_scope(parameters.get("prompt"))),
        max_age_s=None,
        login_hint=parameters.get("login_hint", ""),
        ui_locales=tuple(split_scope(parameters.get("ui_locales"))),
        invitation=parameters.get("invitation", ""),
        wants_to_join=parameters.get("screen_hint") == "signup",
        hinted=None,
        grant=grant,
    )
    return _judge(asked, parameters)


def _judge(asked: SignInAsked, parameters: Mapping[str, str]) -> SignInAsked:
    for name in _ONCE_ONLY:
        if name in parameters:
            raise refuse_sign_in(asked, f"{name}_not_supported", "Say the parameters themselves.")
    if parameters.get("response_mode", "query") != "query":
        raise refuse_sign_in(asked, "invalid_request", "The response_mode is query.")
    prompts = asked.prompts
    if prompts - PROMPTS or ("none" in prompts and len(prompts) > 1):
        raise refuse_sign_in(asked, "invalid_request", "The prompt is not one that can be asked.")
    max_age = parameters.get("max_age")
    if max_age is not None and not _SECONDS.fullmatch(max_age):
        raise refuse_sign_in(asked, "invalid_request", "The max_age is not a number of seconds.")
    wanted = parameters.get("organization")
    if wanted is not None and not _is_organisation(asked.client, wanted):
        message = "The client does not belong to this organization."
        raise refuse_sign_in(asked, "access_denied", message)
    hinted = _hinted(asked, parameters["id_token_hint"]) if "id_token_hint" in parameters else None
    max_age_s = int(max_age) if max_age is not None else None
    return replace(asked, max_age_s=max_age_s, hinted=hinted)


def _hinted(asked: SignInAsked, hint: str) -> UUID | None:
    """Return whom a client's ID token is of.

    Raises: AuthorisationRefused.
    """
    try:
        claims = verify_hint(hint)
    except TokenRefused:
        claims = {}
    if claims.get("aud") != asked.client.client_id:
        message = "The id_token_hint is no ID token of this client."
        raise refuse_sign_in(asked, "invalid_request", message)
    return find_person_id(claims["sub"])


def _is_organisation(client: Granted, wanted: str) -> bool:
    """Whether a client's organisation is meant; what begins with org_ is an id, else a name."""
    if wanted.startswith(ORG_PREFIX):
        return wanted == client.org_id
    return wanted.lower() == tenancy.get_tenant(client.tenant_id).slug


def refuse_sign_in(asked: SignInAsked, error: str, description: str) -> AuthorisationRefused:
    """Return the refusal that a client is told, to be raised."""
    added = [("error", error), ("error_description", description), ("iss", issuer().address)]
    if asked.state:
        added.append(("state", asked.state))
    location = add_params_to_uri(asked.redirect_uri, added)
    return AuthorisationRefused(error, description, location=location)


def _refused(error: OAuth2Error) -> AuthorisationRefused:
    description = error.description or ""
    if not error.redirect_uri:
        return AuthorisationRefused(error.error, description)
    _, _, headers = error()
    location = add_params_to_uri(dict(headers)["Location"], [("iss", issuer().address)])
    return AuthorisationRefused(error.error, description, location=location)


def allow_sign_in(asked: SignInAsked, approval: Approval) -> str:
    """Return where a person goes who has signed in, with the code for the client.

    Raises: SessionOver.
    """
    _, _, headers = asked.grant.create_authorization_response(asked.redirect_uri, approval)
    return str(dict(headers)["Location"])
