"""Signing: one key signs, and its id stands in the header.

Source: RFC 7515; RFC 9068.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from joserfc import jwt

from giftpad.identity.commands.keys import ensure_keys
from giftpad.identity.queries import find_signer, issuer
from giftpad.identity.rules import SESSION_TOKEN_LIFE_S, TOKEN_TYPE, Membership, session_claims
from giftpad.kernel.ids import new_id


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionToken:
    """A token of a session; ``over_at`` is in seconds of the epoch."""

    text: str = field(repr=False)
    over_at: int


def sign_session(membership: Membership, session_id: UUID, *, proved_at: int = 0) -> SessionToken:
    """Sign the token of a session: what its role may do, for a quarter of an hour.

    One of a visit does not outlive it.  ``proved_at`` is when its person last proved who they
    are, in seconds of the epoch; 0 says that nothing was proved.
    """
    at = int(time.time())
    over_at = at + SESSION_TOKEN_LIFE_S
    if membership.until is not None:
        over_at = min(over_at, int(membership.until.timestamp()))
    claims = session_claims(
        issuer(),
        membership,
        session_id=session_id,
        token_id=new_id().hex,
        proved_at=proved_at,
        at=at,
        over_at=over_at,
    )
    return SessionToken(text=sign_claims(claims), over_at=over_at)


def sign_claims(claims: dict[str, Any], *, type_: str = TOKEN_TYPE) -> str:
    """Return a token that says this, signed by the key that signs now."""
    if find_signer() is None:
        ensure_keys()
    signer = find_signer()
    assert signer is not None
    kid, key = signer
    return jwt.encode({"alg": "RS256", "typ": type_, "kid": kid}, claims, key, algorithms=["RS256"])
