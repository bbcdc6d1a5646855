"""The token of whoever opens the link of a gift."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from giftpad.identity.commands.signing import sign_claims
from giftpad.identity.queries import issuer
from giftpad.identity.rules import gift_claims
from giftpad.kernel.ids import new_id


@dataclass(frozen=True, slots=True, kw_only=True)
class GiftToken:
    """A token that can receive one gift, until ``over_at`` in seconds of the epoch."""

    token: str = field(repr=False)
    over_at: int


def sign_gift_token(org_id: str, locator: int) -> GiftToken:
    """Sign a token for the gift that a genuine link of this organisation names; costs no query.

    That the link is genuine is the caller's matter, and so is whether there is such a gift.
    """
    at = int(time.time())
    claims = gift_claims(issuer(), org_id, locator, token_id=new_id().hex, at=at)
    return GiftToken(token=sign_claims(claims), over_at=claims["exp"])
