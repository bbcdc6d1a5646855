"""What a token of a trusted issuer must say, and what it means here: values, no state.

Its claims are written anew as one of our tokens would say them, and then judged as ours are.  Who
bears it is issuer and subject together, so it is never taken for a client or a person of ours, nor
for one of another issuer: limits, idempotency keys and the audit log go by that name.

Source: RFC 9068; RFC 8725; RFC 7515, section 4.1.11; the access token profiles of Auth0.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from giftpad.identity.adapters import TrustedIssuer
from giftpad.identity.errors import TokenRefused
from giftpad.identity.rules import SHOP_CLAIM, Claims, Issuer, judge_claims

TYPES = frozenset({"jwt", "at+jwt"})
OF_ID_TOKENS = frozenset({"nonce", "at_hash", "c_hash"})
MACHINE_SUFFIX = "@clients"
BETWEEN = "|"
"""Between issuer and subject: no issuer has it in its address, and no id of ours."""
_NAME = re.compile(r"[!-~]{1,255}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignClaims(Claims):
    """What a verified access token of another issuer says, in our words.

    Its ``client_id`` names issuer and subject.  ``token_id`` is empty where the issuer gives none,
    and then no single token of its can be revoked here.
    """

    issuer: str


def judge_foreign_header(header: Mapping[str, Any], trusted: TrustedIssuer) -> tuple[str, str]:
    """Return the key id and the algorithm of a header; keys that it offers are not looked at.

    Raises: TokenRefused.
    """
    algorithm, kid = header.get("alg"), header.get("kid")
    if not isinstance(algorithm, str) or algorithm not in trusted.algorithms:
        reason = "algorithm"
    elif str(header.get("typ", "")).lower() not in TYPES:
        reason = "type"
    elif "crit" in header:
        reason = "critical header"
    elif not isinstance(kid, str):
        reason = "no key id"
    else:
        return kid, algorithm
    raise TokenRefused(reason)


def tenant_of(payload: Mapping[str, Any], trusted: TrustedIssuer) -> str:
    """Return the slug of the tenant that an issuer may speak for in this token.

    Raises: TokenRefused.
    """
    org_id = payload.get("org_id")
    if not isinstance(org_id, str) or org_id not in trusted.tenants:
        reason = "organisation"
        raise TokenRefused(reason)
    return trusted.tenants[org_id]


def judge_foreign_claims(
    payload: Mapping[str, Any], trusted: TrustedIssuer, *, org_id: str, key_id: str, at: float
) -> ForeignClaims:
    """Return what a token means here, if it is for us and of this hour; ``org_id`` is ours.

    The signature is not its matter: believe the answer only when that has been checked.
    Raises: TokenRefused.
    """
    _check_purpose(payload, trusted)
    subject = _name(payload, "sub")
    _check_client(payload, subject)
    issuer = Issuer(address=trusted.address)
    in_our_words: dict[str, Any] = {
        "iss": issuer.address,
        "aud": issuer.audience,
        "sub": subject,
        "client_id": f"{trusted.address}{BETWEEN}{subject}",
        "jti": "none",
        "org_id": org_id,
        "permissions": _permissions(payload, trusted),
    }
    in_our_words |= {
        name: payload[name] for name in ("iat", "exp", "nbf", SHOP_CLAIM) if name in payload
    }
    judged = judge_claims(in_our_words, issuer, key_id=key_id, at=at)
    known = {field.name: getattr(judged, field.name) for field in fields(Claims)}
    token_id = f"{trusted.address}{BETWEEN}{_name(payload, 'jti')}" if "jti" in payload else ""
    return ForeignClaims(**(known | {"token_id": token_id}), issuer=trusted.address)


def _check_purpose(payload: Mapping[str, Any], trusted: TrustedIssuer) -> None:
    """Refuse what another API was meant by, and ID tokens, which say who somebody is and no more.

    Raises: TokenRefused.
    """
    if payload.get("iss") != trusted.address:
        reason = "issuer"
        raise TokenRefused(reason)
    audience = payload.get("aud")
    if audience != trusted.audience and not (
        isinstance(audience, list) and trusted.audience in audience
    ):
        reason = "audience"
        raise TokenRefused(reason)
    if OF_ID_TOKENS & payload.keys():
        reason = "an ID token"
        raise TokenRefused(reason)


def _check_client(payload: Mapping[str, Any], subject: str) -> None:
    """Refuse a token that no client was given, or a machine's under the name of another.

    Auth0's profile calls the client azp, RFC 9068 client_id.
    Raises: TokenRefused.
    """
    client_id = _name(payload, "azp" if "azp" in payload else "client_id")
    if subject.endswith(MACHINE_SUFFIX) and subject != client_id + MACHINE_SUFFIX:
        reason = "client"
        raise TokenRefused(reason)


def _permissions(payload: Mapping[str, Any], trusted: TrustedIssuer) -> list[str]:
    """Return the permissions of a token that are ours and allowed; others are left out.

    An issuer that manages permissions lists them; another one grants scopes.
    Raises: TokenRefused.
    """
    given = payload.get("permissions")
    if given is None:
        scope = payload.get("scope", "")
        given = scope.split() if isinstance(scope, str) else scope
    if not isinstance(given, list) or not all(isinstance(name, str) for name in given):
        reason = "permissions"
        raise TokenRefused(reason)
    return sorted({trusted.names.get(name, name) for name in given} & trusted.permissions)


def _name(payload: Mapping[str, Any], claim: str) -> str:
    """Return a claim that names somebody, of printable ASCII without blanks.

    Raises: TokenRefused.
    """
    value = payload.get(claim)
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise TokenRefused(claim)
    return value
