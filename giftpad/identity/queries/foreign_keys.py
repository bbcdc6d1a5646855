"""The keys of trusted issuers, as this process holds them.

Hides: when they are read again.  A thread of its own reads them, never the one of a request.  What
is held is believed while it is read anew: after ``FRESH_S`` each use begins a reading, a key id
that is not among them does so once in ``MISS_INTERVAL_S``.  An issuer that does not answer is
believed by what it said last, for ``STALE_MAX_S``.  Only a request whose key is not held waits,
no longer than ``WAIT_S``, and ``WAITING_MAX`` of them in a process; all others go on.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from giftpad import guard
from giftpad.identity.adapters import OutsideUnread, PublicKey, read_key_set
from giftpad.identity.errors import IssuerAway
from giftpad.kernel.log import get_logger

log = get_logger("identity")

FRESH_S = 600.0
STALE_MAX_S = 24 * 3600.0
MISS_INTERVAL_S = 60.0
RETRY_S = 10.0
"""How soon an issuer is asked again of which nothing is held."""
WAIT_S = 2.0
WAITING_MAX = 2

_waiting = threading.BoundedSemaphore(WAITING_MAX)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Held:
    keys: Mapping[str, PublicKey]
    read_at: float


def now_s() -> float:
    """Return the clock by which keys grow old."""
    return time.monotonic()


class ForeignKeys:
    """The keys of one issuer."""

    def __init__(self, issuer: str) -> None:
        self.issuer = issuer
        self._held: _Held | None = None
        self._tried_at = -math.inf
        self._is_away = False
        self._reading: threading.Event | None = None
        self._lock = threading.Lock()

    def knows(self, kid: str) -> bool:
        """Whether a key is held now; asks nobody."""
        held = self._usable()
        return held is not None and kid in held.keys

    def find(self, kid: str) -> PublicKey | None:
        """Return a key, or None if its issuer does not publish it.

        Raises: IssuerAway if that cannot be told.
        """
        held = self._usable()
        if held is not None and kid in held.keys:
            if now_s() - held.read_at >= FRESH_S:
                self._begin_reading(MISS_INTERVAL_S)
            return held.keys[kid]
        over = self._begin_reading(RETRY_S if held is None else MISS_INTERVAL_S)
        if over is not None:
            _wait(over)
            held = self._usable()
        key = None if held is None else held.keys.get(kid)
        if key is None and (held is None or self._is_away):
            raise IssuerAway
        return key

    def _usable(self) -> _Held | None:
        held = self._held
        return held if held is not None and now_s() - held.read_at < STALE_MAX_S else None

    def _begin_reading(self, interval_s: float) -> threading.Event | None:
        """Return what tells when the reading under way is over; None if it is too soon for one."""
        with self._lock:
            if self._reading is not None:
                return self._reading
            if now_s() - self._tried_at < interval_s:
                return None
            self._tried_at = now_s()
            self._reading = over = threading.Event()
        threading.Thread(target=self._read, args=(over,), name="issuer-keys", daemon=True).start()
        return over

    def _read(self, over: threading.Event) -> None:
        read_at = now_s()  # before the reading: what is revoked during it counts as unread
        try:
            read = partial(read_key_set, self.issuer)
            keys = guard.outside_call(f"keys of {self.issuer}", read)
        except (OutsideUnread, guard.OutsideAway) as error:
            self._is_away = True
            log.warning("keys of an issuer could not be read", issuer=self.issuer, why=str(error))
        else:
            self._held, self._is_away = _Held(keys=keys, read_at=read_at), False
        finally:
            with self._lock:
                self._reading = None
            over.set()


def _wait(over: threading.Event) -> None:
    """Wait until a reading is over, if not too many wait already.

    Raises: IssuerAway.
    """
    if not _waiting.acquire(blocking=False):
        raise IssuerAway
    try:
        if not over.wait(WAIT_S):
            raise IssuerAway
    finally:
        _waiting.release()
