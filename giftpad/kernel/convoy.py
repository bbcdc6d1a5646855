"""Callers that come while another is on its way travel together next: one round trip for them all.

Who comes while nobody of its group travels goes at once and alone; nobody waits for company.
Under load a transaction, its flush to the disk and the turns of threads are shared by those who
would wait anyway.  Groups know nothing of each other.

Hides: who leads, who waits, how answers find their callers.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from typing import Generic, TypeVar

from giftpad.kernel.db import Busy

Q = TypeVar("Q")
A = TypeVar("A")


TOGETHER_MAX = 16
PATIENCE_S = 2.0
"""So long one waits for the journey before.  A call of the database takes a second at most; one
that finds it away may take longer, and then who waits is told busy."""


class _Traveller(Generic[Q, A]):
    """One caller: what is asked, and the gate at which its thread waits."""

    __slots__ = ("answers", "error", "gate", "leads", "request")

    def __init__(self, request: Q) -> None:
        self.request = request
        self.answers: list[A] = []
        self.error: BaseException | None = None
        self.leads = False
        self.gate = threading.Lock()
        self.gate.acquire()


class Convoy(Generic[Q, A]):
    """Sends requests of a group together, at most ``most``, one journey at a time for each group.

    ``travel`` is given requests in the order in which they came, and answers in that order.  What
    it raises, each of its travellers is told.
    """

    def __init__(
        self,
        travel: Callable[[Sequence[Q]], Sequence[A]],
        *,
        most: int = TOGETHER_MAX,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._travel, self._most, self._patience_s = travel, most, patience_s
        self._lock = threading.Lock()
        self._waiting: dict[Hashable, deque[_Traveller[Q, A]]] = {}
        """Who waits, by the groups of which somebody travels."""

    def count_waiting(self, group: Hashable) -> int | None:
        """Return how many of a group wait for a journey to end; None if nobody travels."""
        with self._lock:
            waiting = self._waiting.get(group)
            return None if waiting is None else len(waiting)

    def call(self, request: Q, *, group: Hashable) -> A:
        """Return the answer to ``request``.

        Raises: what ``travel`` raises; Busy if the journey before did not end in time.
        """
        one: _Traveller[Q, A] = _Traveller(request)
        with self._lock:
            waiting = self._waiting.get(group)
            if waiting is None:
                self._waiting[group] = deque()
                one.leads = True
            else:
                waiting.append(one)
        if not one.leads:
            self._wait(one, group)
        if one.leads:
            self._lead(one, group)
        if one.error is not None:
            raise one.error
        (answer,) = one.answers
        return answer

    def _wait(self, one: _Traveller[Q, A], group: Hashable) -> None:
        """Wait until there is an answer, or the lead is handed over."""
        try:
            if one.gate.acquire(timeout=self._patience_s):
                return
        except BaseException:
            if not self._forget(one, group) and one.leads:
                self._hand_over(group)
            raise
        if self._forget(one, group):
            raise Busy
        one.gate.acquire()  # on its way by now, which has an end of its own

    def _forget(self, one: _Traveller[Q, A], group: Hashable) -> bool:
        """Take a traveller out of those who wait; False if it waits no longer."""
        with self._lock:
            waiting = self._waiting.get(group, deque())
            if one not in waiting:
                return False
            waiting.remove(one)
            return True

    def _lead(self, leader: _Traveller[Q, A], group: Hashable) -> None:
        together = [leader]
        try:
            with self._lock:
                waiting = self._waiting[group]
                while waiting and len(together) < self._most:
                    together.append(waiting.popleft())
            answers = self._travel([each.request for each in together])
            for each, answer in zip(together, answers, strict=True):
                each.answers = [answer]
        except BaseException as error:
            for each in together:
                each.error = error
            if not isinstance(error, Exception):
                raise
        finally:
            self._hand_over(group)
            for each in together[1:]:
                each.gate.release()

    def _hand_over(self, group: Hashable) -> None:
        with self._lock:
            waiting = self._waiting[group]
            if waiting:
                first = waiting.popleft()
                first.leads = True
                first.gate.release()
            else:
                del self._waiting[group]
