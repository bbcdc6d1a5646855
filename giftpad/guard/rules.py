"""Keys, rates, buckets, turns and switches as plain values."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

KEPT_FOR_MONEY = timedelta(days=30)
KEPT_FOR_OTHERS = timedelta(hours=72)
KEY_LENGTH_MAX = 255

GROUPS = 64
"""Groups that devices fall into; so many are let in at once as the open share says."""
WINDOW_S = 120
"""For so long the same groups are open."""
SPREAD_S = 90
"""The devices of a group that is to come back are spread over so much of its window."""
FEATURES: Mapping[str, str] = {
    "exports": "Downloads: tables as CSV, print files, pictures of pages",
    "imports": "Reading in files of shops",
    "printing": "Ordering batches and printing them, the work on ordered ones too",
    "dashboards": "Overview and lists of the issuer's desk, lists of the API",
    "public-pages": "Pages of holders: balance, shops that accept, a tenant's page",
    "lookups": "Look-ups of instruments, coupons and payments through the API",
}
"""What can be switched off by name while the product runs; taking payments is not among it."""


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
        wait_s = self.wait(at)
        if not wait_s:
            self.tokens -= 1
        return wait_s

    def wait(self, at: float) -> float:
        """Return the seconds until there is a token, 0.0 if there is one, and take none."""
        self.tokens = min(self.rate.burst, self.tokens + (at - self.filled_at) * self.rate.per_s)
        self.filled_at = at
        return 0.0 if self.tokens >= 1 else (1 - self.tokens) / self.rate.per_s


@dataclass(frozen=True, slots=True)
class Allowance:
    """What somebody outside takes from us a second, from all processes together.

    Of it a fifth may come at once, and the rest is spread, so that in no second there is more.
    ``per_s`` is at least 1.
    """

    per_s: int

    @property
    def burst(self) -> float:
        """How much may come at once."""
        return max(1.0, self.per_s / 5)

    @property
    def refill_per_s(self) -> float:
        """How fast what was taken comes back."""
        return max(1.0, self.per_s - self.burst)

    def reserve(self, rank: int) -> float:
        """Return how much those of a rank leave to those before them; the first leave nothing."""
        return (self.burst - 1) * min(rank, RANKS_MAX) / (RANKS_MAX + 1)


RANKS_MAX = 2


@dataclass(frozen=True, slots=True)
class Switches:
    """How many of the ``GROUPS`` are let in, and which of the ``FEATURES`` are off."""

    share: int = GROUPS
    off: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Place:
    """Where a device stands among the others: its group, and its second within a window."""

    group: int
    spread_s: int


def place_of(secret: bytes, device: str) -> Place:
    """Return the place of a device; nobody without the secret can choose theirs."""
    digest = hmac.digest(secret, device.encode("utf-8", "surrogatepass"), "sha256")
    return Place(digest[0] % GROUPS, int.from_bytes(digest[1:3]) % SPREAD_S)


def window_at(at_s: float) -> int:
    """Return the number of the window that an instant, in seconds of the epoch, lies in."""
    return int(at_s // WINDOW_S)


def is_open(group: int, window: int, share: int) -> bool:
    """Whether a group is let in during a window when ``share`` of the groups are.

    The open groups move on by ``share`` from one window to the next, so each has had its turn
    after ``GROUPS / share`` windows, rounded up.
    """
    return (group + window * share) % GROUPS < share


def windows_until_open(group: int, window: int, share: int) -> int:
    """Return in how many windows a group is let in; 0 if it is now.

    >>> [windows_until_open(group, 0, 16) for group in (0, 15, 16, 48, 63)]
    [0, 0, 3, 1, 1]
    """
    assert 1 <= share <= GROUPS
    standing = (group + window * share) % GROUPS
    return 0 if standing < share else -((standing - GROUPS) // share)
