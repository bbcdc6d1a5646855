"""Replace running programs by fresh ones of themselves, so that somebody answers all the time.

Hides: how ``giftpad restart`` tells the supervisor what to do, when a fresh program takes over,
how long the old one may finish what it has begun.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from giftpad.local.home import Home, write_private
from giftpad.local.parts import SERVERS, Program, end_session
from giftpad.local.watched import Watched

READY_TIMEOUT_S = 60.0
RETIRE_S = 120.0
"""How long an old program may go on with what it has begun, a print file for example."""


@dataclass(slots=True, kw_only=True)
class Renewals:
    """The restarts that were asked for: one part after the other, none before its successor works.

    ``step`` never waits, so a part that dies meanwhile is started again as always.
    """

    home: Home
    say: Callable[[str], None]
    request_id: str = ""
    failed: str = ""
    """The part whose fresh program did not come up; what came after it was left alone."""
    waiting: deque[Watched] = field(default_factory=deque)
    renewed: Watched | None = None
    fresh: Program | None = None
    deadline: float = 0.0
    retiring: list[tuple[Program, float]] = field(default_factory=list)

    @property
    def is_busy(self) -> bool:
        """Whether a fresh program is on its way, or an old one on its way out."""
        return bool(self.waiting or self.fresh or self.retiring)

    @property
    def state(self) -> dict[str, Any]:
        """What ``giftpad restart`` waits for; done when nothing waits or comes up any more."""
        is_done = not self.waiting and self.fresh is None
        return {"id": self.request_id, "is_done": is_done, "failed": self.failed}

    def pids(self) -> Iterator[int]:
        """Return the processes that are no part's own: the coming one and the leaving ones."""
        programs = [program for program, _ in self.retiring]
        for program in (*programs, *([self.fresh] if self.fresh else [])):
            if program.process is not None:
                yield program.process.pid

    def step(self, watched: Sequence[Watched]) -> bool:
        """Go on with what was asked for; tells whether something is to be published."""
        self._let_go()
        changed = self._take_request(watched)
        if self.fresh is None and self.waiting:
            return self._begin() or changed
        return self._take_over() or changed

    def _take_request(self, watched: Sequence[Watched]) -> bool:
        if self.waiting or self.fresh is not None or not self.home.restart_file.exists():
            return False
        request = read_request(self.home)
        self.home.restart_file.unlink(missing_ok=True)
        self.request_id, self.failed = str(request.get("id", "")), ""
        wanted = request.get("parts", [])
        self.waiting.extend(each for each in watched if each.part.name in wanted)
        return True

    def _begin(self) -> bool:
        renewed = self.waiting.popleft()
        if renewed.start_again_at is not None or not isinstance(renewed.part, Program):
            return True  # it is about to be started again anyway
        fresh = renewed.part.make_anew()
        try:
            fresh.launch()
        except OSError:
            return self._give_up(fresh)
        self.renewed, self.fresh = renewed, fresh
        self.deadline = time.monotonic() + READY_TIMEOUT_S
        return False

    def _give_up(self, fresh: Program) -> bool:
        self.say(f"A fresh {fresh.name} did not come up; the old one goes on. See {fresh.log}.")
        self.failed, self.fresh, self.renewed = fresh.name, None, None
        self.waiting.clear()
        return True

    def _take_over(self) -> bool:
        fresh, renewed = self.fresh, self.renewed
        if fresh is None or renewed is None:
            return False
        assert fresh.process is not None
        if fresh.process.poll() is not None or time.monotonic() >= self.deadline:
            end_session(fresh.process.pid)
            fresh.process.wait()
            return self._give_up(fresh)
        if not fresh.takes_over():
            return False
        old = renewed.part
        assert isinstance(old, Program)
        renewed.part = fresh
        renewed.note_start(is_up=True)
        old.ask_to_stop()
        self.retiring.append((old, time.monotonic() + RETIRE_S))
        self.say(f"{fresh.name} was restarted.")
        self.fresh, self.renewed = None, None
        return True

    def _let_go(self) -> None:
        kept = []
        for program, deadline in self.retiring:
            assert program.process is not None
            if program.process.poll() is None and time.monotonic() < deadline:
                kept.append((program, deadline))
            else:
                end_session(program.process.pid)
                program.process.wait()
        self.retiring = kept

    def stop(self) -> None:
        """End what is on its way in or out."""
        for program in [program for program, _ in self.retiring] + [self.fresh] * bool(self.fresh):
            if program is not None:
                program.stop()


def read_request(home: Home) -> dict[str, Any]:
    """Return what was asked for; nothing where the file cannot be read."""
    with contextlib.suppress(OSError, ValueError):
        return dict(json.loads(home.restart_file.read_text(encoding="utf-8")))
    return {}


def write_request(home: Home, request_id: str, parts: Sequence[str]) -> None:
    """Ask the supervisor of a data folder to renew parts."""
    write_private(home.restart_file, json.dumps({"id": request_id, "parts": list(parts)}))


def parts_named(published: Sequence[str], words: Sequence[str]) -> list[str]:
    """Return the programs that are meant: a part's name, or what stands before its number.

    Without words all are; servers are never among them.

    >>> parts_named(["postgres", "web", "web-lan", "jobs-1", "jobs-2"], ["jobs"])
    ['jobs-1', 'jobs-2']
    """
    programs = [name for name in published if name not in SERVERS]
    if not words:
        return programs
    return [name for name in programs if name in words or name.partition("-")[0] in words]
