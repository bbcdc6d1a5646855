"""Callers that come while another is on its way travel together next: one round trip for them all.

Who comes while nobody travels goes at once and alone; nobody waits for company.  Under load a
transaction, its flush to the disk and the turns of threads are shared by those who wait anyway.

Hides: who leads, who waits, how answers find their callers.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Sequence
from typing import Generic, TypeVar

Q = TypeVar("Q")
A = TypeVar("A")


class NotTogetherError(Exception):
    """The convoy did not arrive: nobody in it has an answer, and each may go alone."""


class _Traveller(Generic[Q, A]):
    """One caller: what is asked, and the gate at which its thread waits."""

    __slots__ = ("answer", "gate", "group", "has_answer", "is_lost", "request")

    def __init__(self, request: Q, group: Hashable) -> None:
        self.request, self.group = request, group
        self.answer: A | None = None
        self.has_answer = self.is_lost = False
        self.gate = threading.Lock()
        self.gate.acquire()


class Convoy(Generic[Q, A]):
    """Sends requests of one ``group`` together, at most ``most`` of them, one journey at a time."""

    def __init__(self, travel: Callable[[Sequence[Q]], Sequence[A]], *, most: int) -> None:
        self._travel, self._most = travel, most
        self._lock = threading.Lock()
        self._waiting: list[_Traveller[Q, A]] = []
        self._is_under_way = False

    @property
    def is_under_way(self) -> bool:
        """Whether somebody travels."""
        return self._is_under_way

    @property
    def waiting(self) -> int:
        """How many wait for the journey that is under way to end."""
        return len(self._waiting)

    def call(self, request: Q, *, group: Hashable) -> A:
        """Return the answer to ``request``, in the order in which callers came.

        Raises: NotTogetherError if the journey failed in company; alone, what it failed with.
        """
        one: _Traveller[Q, A] = _Traveller(request, group)
        with self._lock:
            self._waiting.append(one)
            is_first = not self._is_under_way
            self._is_under_way = True
        if not is_first:
            one.gate.acquire()  # until there is an answer, or the lead is handed over
        if not one.has_answer and not one.is_lost:
            self._lead(one)
        if one.is_lost:
            raise NotTogetherError
        return one.answer  # type: ignore[return-value] # an answer may be None by its own type

    def _lead(self, leader: _Traveller[Q, A]) -> None:
        with self._lock:
            together = [each for each in self._waiting if each.group == leader.group][: self._most]
            self._waiting = [each for each in self._waiting if each not in together]
        try:
            answers = self._travel([each.request for each in together])
            for each, answer in zip(together, answers, strict=True):
                each.answer, each.has_answer = answer, True
        except BaseException:
            if len(together) == 1:
                raise
            for each in together:
                each.is_lost = True
        finally:
            self._hand_over()
            for each in together:
                if each is not leader:
                    each.gate.release()

    def _hand_over(self) -> None:
        with self._lock:
            if self._waiting:
                self._waiting[0].gate.release()
            else:
                self._is_under_way = False
