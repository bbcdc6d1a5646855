"""Tokens that we did not sign: of issuers that the installation is told to trust.

Hides: which issuers there are.  A token's own word for its issuer chooses by whose keys it is
checked, and nothing else; it is believed when it says everything that our own would have to say
and one of those keys has signed it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError

from giftpad import tenancy
from giftpad.identity.adapters import TrustedIssuer, read_trusted_issuers
from giftpad.identity.errors import TokenRefused
from giftpad.identity.queries.foreign_claims import (
    ForeignClaims,
    judge_foreign_claims,
    judge_foreign_header,
    tenant_of,
)
from giftpad.identity.queries.foreign_keys import ForeignKeys


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreign:
    """An issuer that is trusted, with its keys."""

    trusted: TrustedIssuer
    keys: ForeignKeys


class _Known:
    """The trusted issuers of this process, by their address."""

    issuers: Mapping[str, Foreign] = {}


def bind_trusted_issuers(file: str, *, ours: str) -> None:
    """Trust the issuers of a file from now on, and no others; without a file, none.

    Raises: SettingsError.
    """
    found = read_trusted_issuers(Path(file), ours=ours) if file else ()
    _Known.issuers = {
        each.address: Foreign(trusted=each, keys=ForeignKeys(each.address)) for each in found
    }


def find_foreign(name: object) -> Foreign | None:
    """Return the trusted issuer that a token names as its own."""
    return _Known.issuers.get(name) if isinstance(name, str) else None


def verify_foreign(
    foreign: Foreign, signature: jws.CompactSignature, payload: Mapping[str, Any]
) -> ForeignClaims:
    """Return what a token says if a trusted issuer signed it; its keys are looked at last.

    Raises: TokenRefused, IssuerAway.
    """
    header = signature.headers()
    key_id, algorithm = judge_foreign_header(header, foreign.trusted)
    tenant = tenancy.find_tenant_by_slug(tenant_of(payload, foreign.trusted))
    if tenant is None:
        reason = "unknown organisation"
        raise TokenRefused(reason)
    claims = judge_foreign_claims(
        payload, foreign.trusted, org_id=tenant.org_id, key_id=key_id, at=time.time()
    )
    public = foreign.keys.find(key_id)
    if public is None or public.algorithm not in (None, algorithm):
        reason = "key"
        raise TokenRefused(reason)
    try:
        is_signed = jws.validate_compact(signature, public.key, algorithms=[algorithm])
    except (JoseError, ValueError, TypeError) as error:
        raise TokenRefused(type(error).__name__) from error
    if not is_signed:
        reason = "signature"
        raise TokenRefused(reason)
    return claims


def is_withdrawn(claims: ForeignClaims) -> bool:
    """Whether the key that signed a token is published no more, as far as this process knows."""
    foreign = find_foreign(claims.issuer)
    return foreign is None or not foreign.keys.knows(claims.key_id)
