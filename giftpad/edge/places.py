"""Places in one process: so many requests at work, so many that wait, nobody else.

Hides: locks, who is let through next.  Taking and leaving a place costs a microsecond or two.
"""

from __future__ import annotations

import threading
from collections import deque
from enum import Enum

from giftpad.edge.kinds import RANKS, Kind

STREAMS_MAX = 2
"""Answers of the last rank that are sent bit by bit at once, while work on them may go on."""
SLOW_PART = 4
"""Slow requests are at work in one place of so many."""
SLOW_WAITING_MAX = 4
_LAST = RANKS - 1


class Entry(Enum):
    """How a request fared at the door."""

    IN = "in"
    FULL = "full"
    TOO_LATE = "too late"


class Places:
    """Who is at work in this process and who waits; what matters more goes first.

    With ``at_once`` places at work and ``waiting`` beside them, a request is turned away when its
    kind's share of all places is taken.  Slow kinds have a quarter of the places at work, since
    each is worked on for as long as a dozen payments, with the interpreter's lock in its hand.
    Few of them wait, and those who do count for other slow ones only: quick places may be free.
    """

    def __init__(self, *, at_once: int, waiting: int) -> None:
        self.at_once = at_once
        self.most = at_once + waiting
        self._slow_most = max(1, at_once // SLOW_PART)
        self._lock = threading.Lock()
        self._inside = self._working = self._slow = self._slow_waiting = self._streams = 0
        self._queues: tuple[deque[tuple[threading.Lock, bool]], ...] = tuple(
            deque() for _ in range(RANKS)
        )

    @property
    def inside(self) -> int:
        """How many are at work, wait, or are being sent bit by bit."""
        return self._inside

    def enter(self, kind: Kind, patience_s: float) -> Entry:
        """Take a place at work, waiting ``patience_s`` for it at most.

        Who is told ``IN`` must ``leave``; the others hold nothing.
        """
        with self._lock:
            if self._is_full_for(kind):
                return Entry.FULL
            self._inside += 1
            if self._working < self.at_once and not (kind.is_slow and self._is_slow_full()):
                self._working += 1
                self._slow += kind.is_slow
                return Entry.IN
            self._slow_waiting += kind.is_slow
            turn = threading.Lock()
            turn.acquire()
            waits = (turn, kind.is_slow)
            self._queues[kind.rank].append(waits)
        if turn.acquire(timeout=patience_s):
            return Entry.IN
        with self._lock:
            if not turn.locked():  # it was let through between the two lines above
                return Entry.IN
            self._queues[kind.rank].remove(waits)
            self._slow_waiting -= kind.is_slow
            self._inside -= 1
        return Entry.TOO_LATE

    def _is_full_for(self, kind: Kind) -> bool:
        most = max(1, kind.share * self.most)
        if not kind.is_slow:
            return self._inside - self._slow_waiting >= most
        return (
            self._inside >= most
            or self._slow_waiting >= SLOW_WAITING_MAX
            or (kind.rank == _LAST and self._streams >= STREAMS_MAX)
        )

    def _is_slow_full(self) -> bool:
        return self._slow >= self._slow_most

    def leave(self, kind: Kind, *, streams: bool = False) -> None:
        """Give the place at work to whoever waits and matters most, if anybody may have it.

        A request whose answer ``streams`` keeps its place inside until ``end_stream``.
        """
        with self._lock:
            self._inside -= not streams
            self._streams += streams and kind.rank == _LAST
            self._slow -= kind.is_slow
            for queue in self._queues:
                if queue and not (queue[0][1] and self._is_slow_full()):
                    turn, is_slow = queue.popleft()
                    self._slow += is_slow
                    self._slow_waiting -= is_slow
                    turn.release()
                    return
            self._working -= 1

    def end_stream(self, kind: Kind) -> None:
        """Leave after an answer that was sent bit by bit."""
        with self._lock:
            self._inside -= 1
            self._streams -= kind.rank == _LAST
