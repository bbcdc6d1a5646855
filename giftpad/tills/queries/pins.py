"""Whether a PIN is a clerk's: Argon2id over what a key of the tenant's ring makes of it.

A PIN has so few digits that the hash alone would be no secret to whoever has the database; the
key is not in there.
"""

from __future__ import annotations

import hmac
from functools import lru_cache
from uuid import UUID

from giftpad import identity, tenancy
from giftpad.kernel.seal import derive
from giftpad.tills.rules import normalise_pin

LABEL = "giftpad-pins-v1"


@lru_cache(maxsize=64)
def _key(ring_key: bytes) -> bytes:
    return derive(ring_key, LABEL)


def _peppered(ring_key: bytes, clerk_id: UUID, pin: str) -> bytes:
    return hmac.digest(_key(ring_key), clerk_id.bytes + normalise_pin(pin).encode(), "sha256")


def hash_pin(tenant_id: UUID, clerk_id: UUID, pin: str) -> tuple[str, int]:
    """Return what is kept of a PIN, and the number of the key that it was made with."""
    ring = tenancy.current_ring_key(tenant_id)
    return identity.hash_slowly(_peppered(ring.key, clerk_id, pin)), ring.kid


def is_pin(tenant_id: UUID, clerk_id: UUID, pin: str, kept: tuple[str, int]) -> bool:
    """Whether a PIN is the one that was hashed; it takes long, so no transaction is open."""
    pin_hash, kid = kept
    ring = tenancy.find_ring_key(tenant_id, kid)
    return ring is not None and identity.fits_slowly(pin_hash, _peppered(ring.key, clerk_id, pin))
