"""Keys, rates and buckets as plain values."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

KEPT_FOR_MONEY = timedelta(days=30)
KEPT_FOR_OTHERS = timedelta(hours=72)
KEY_LENGTH_MAX = 255


@dataclass(frozen=True, slots=True)
class Answer:
    """The first answer to a request, kept to be given again; never holds a secret."""

    status: int
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Rate:
    """So many requests a second, and so many at once after a quiet while."""

    per_s: float = 50
    burst: int = 100


def request_hash(method: str, path: str, body: bytes) -> bytes:
    """Return what tells one request from another: route and body."""
    digest = hashlib.sha256()
    for part in (method.encode(), path.encode(), body):
        digest.update(len(part).to_bytes(8))
        digest.update(part)
    return digest.digest()


class Bucket:
    """A token bucket of one client in one process; ``take`` answers the wait in seconds."""

    __slots__ = ("filled_at", "rate", "tokens")

    def __init__(self, rate: Rate, at: float) -> None:
        self.rate = rate
        self.tokens = float(rate.burst)
        self.filled_at = at

    def take(self, at: float) -> float:
        """Take one token; 0.0 if there was one, else the seconds until there is."""
        self.tokens = min(self.rate.burst, self.tokens + (at - self.filled_at) * self.rate.per_s)
        self.filled_at = at
        if self.tokens >= 1:
            self.tokens -= 1
            return 0.0
        return (1 - self.tokens) / self.rate.per_s
