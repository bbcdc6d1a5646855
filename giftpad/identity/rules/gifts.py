"""What the token of whoever holds the link of one gift says: values, no state.

It is for the pages of gifts and for nothing else: its audience is not that of the API, and it names
one gift.  It is nobody's session, whoever may be signed in beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from giftpad.identity.errors import TokenRefused
from giftpad.identity.rules.roles import RECIPIENT_PERMISSIONS
from giftpad.identity.rules.tokens import WEB_CLIENT_ID, Claims, Issuer, judge_claims

GIFT_TOKEN_LIFE_S = 30 * 60
GIFT_CLAIM = "urn:giftpad:gift"
GIFT_PREFIX = "gift|"


def gift_claims(
    issuer: Issuer, org_id: str, locator: int, *, token_id: str, at: int
) -> dict[str, Any]:
    """Write the claims of the token of one gift, whose number in its link is ``locator``."""
    return {
        "iss": issuer.address,
        "aud": issuer.gifts,
        "sub": f"{GIFT_PREFIX}{locator}",
        "client_id": WEB_CLIENT_ID,
        "jti": token_id,
        "iat": at,
        "exp": at + GIFT_TOKEN_LIFE_S,
        "permissions": list(RECIPIENT_PERMISSIONS),
        "org_id": org_id,
        GIFT_CLAIM: locator,
    }


def judge_gift(payload: Mapping[str, Any], issuer: Issuer, *, key_id: str, at: float) -> Claims:
    """Return what a token with a good signature says, if it is of one gift and of this hour.

    Raises: TokenRefused.
    """
    claims = judge_claims(payload, issuer, key_id=key_id, at=at, audience=issuer.gifts)
    locator = payload.get(GIFT_CLAIM)
    if isinstance(locator, bool) or not isinstance(locator, int):
        reason = "gift"
        raise TokenRefused(reason)
    if claims.subject != f"{GIFT_PREFIX}{locator}" or claims.session_id is not None:
        reason = "subject"
        raise TokenRefused(reason)
    if claims.permissions != frozenset(RECIPIENT_PERMISSIONS):
        reason = "permissions"
        raise TokenRefused(reason)
    return replace(claims, gift_locator=locator)
