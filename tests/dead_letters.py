"""Events that a handler gives up: for what operators see of them, and do about them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import sqlalchemy as sa

from giftpad import events, wiring
from giftpad.events.rules import TRIES_MAX
from giftpad.kernel.config import Settings
from giftpad.kernel.ids import new_id
from giftpad.kernel.work import Scope, unit_of_work
from tests.pump import pump

_DUE = sa.text("UPDATE event_outbox SET leased_until = NULL WHERE tenant_id = :t")


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted(events.Event):
    """Something that happened, for a handler that cannot take it."""

    name: ClassVar[str] = "test.posted_v1"
    text: str


@dataclass
class Letters:
    """A handler that fails as long as ``is_broken``, and what it has taken."""

    settings: Settings
    is_broken: bool = True
    taken: list[str] = field(default_factory=list)

    def wire(self) -> None:
        """Let the handler listen, beside all that does."""

        def take(work, event):
            if self.is_broken:
                message = "the disk is full"
                raise OSError(message)
            self.taken.append(event.text)

        events.subscribe({**wiring.SUBSCRIPTIONS, Posted: [take]})

    def give_up(self, scope: Scope, *texts: str) -> None:
        """Publish events and let the handler fail on each until it gives up."""
        with unit_of_work(scope) as work:
            for text in texts:
                events.publish(work, Posted(object_id=new_id(), text=text))
        for _ in range(TRIES_MAX):
            with unit_of_work(scope) as work:
                work.session.execute(_DUE, {"t": scope.tenant_id})
            pump(self.settings)
        with unit_of_work(scope) as work:
            assert len(events.list_dead(work)) >= len(texts)

    def deliver(self) -> None:
        """Let everything that is due be taken."""
        pump(self.settings)
