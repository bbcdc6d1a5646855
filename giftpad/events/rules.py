"""What an event is, and who listens to which.

Hides: the registry that ``wiring`` fills once a process.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar
from uuid import UUID

TRIES_MAX = 8
DEFAULT_QUEUE = "events"
LEASE = timedelta(seconds=30)
BACK_OFF_FIRST_S = 2
BACK_OFF_MAX_S = 600

Handler = Callable[..., None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A fact in the past tense; subclasses add what happened, and set ``name``.

    Events of one ``object_id`` reach a handler in the order in which they were published.
    """

    name: ClassVar[str]
    object_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """One handler of one event, and the queue its hints travel on.

    ``in_transaction``: called as handler(work, event) together with its receipt; otherwise as
    handler(scope, event) with no transaction open.  ``takes_many``: handler(work, events).
    """

    name: str
    event: type[Event]
    handler: Handler
    queue: str = DEFAULT_QUEUE
    in_transaction: bool = True
    takes_many: bool = False


def detached(handler: Handler) -> Handler:
    """Mark a handler that must run with no transaction open and is safe to repeat."""
    handler.detached = True  # type: ignore[attr-defined]  # a mark read back in subscribe()
    return handler


def batched(handler: Handler) -> Handler:
    """Mark a handler that takes a list of events at once."""
    handler.batched = True  # type: ignore[attr-defined]  # a mark read back in subscribe()
    return handler


@dataclass(frozen=True, slots=True)
class OnQueue:
    """A handler that is wired to a queue other than the default one."""

    queue: str
    handler: Handler


def on_queue(queue: str, handler: Handler) -> OnQueue:
    """Wire ``handler`` to ``queue``."""
    return OnQueue(queue, handler)


Subscriptions = Mapping[type[Event], Sequence[Handler | OnQueue]]


class _Registry:
    """What ``wiring`` has subscribed."""

    by_event: ClassVar[dict[str, list[Subscription]]] = {}
    by_name: ClassVar[dict[str, Subscription]] = {}


def subscribe(table: Subscriptions) -> None:
    """Take over the wiring table; the last call of a process is the one that holds."""
    _Registry.by_event = {}
    _Registry.by_name = {}
    for event, entries in table.items():
        for entry in entries:
            queue, handler = (
                (entry.queue, entry.handler)
                if isinstance(entry, OnQueue)
                else (DEFAULT_QUEUE, entry)
            )
            subscription = Subscription(
                name=_handler_name(handler),
                event=event,
                handler=handler,
                queue=queue,
                in_transaction=not getattr(handler, "detached", False),
                takes_many=getattr(handler, "batched", False),
            )
            key = f"{subscription.name}:{event.name}"
            assert key not in _Registry.by_name
            _Registry.by_event.setdefault(event.name, []).append(subscription)
            _Registry.by_name[key] = subscription


def _handler_name(handler: Any) -> str:
    parts = handler.__module__.split(".")
    package = parts[1] if parts[0] == "giftpad" else parts[-1]
    return f"{package}.{handler.__name__}"


def list_subscriptions(event_name: str) -> list[Subscription]:
    """Return who listens to events of this name."""
    return _Registry.by_event.get(event_name, [])


def get_subscription(handler_name: str, event_name: str) -> Subscription:
    """Return one subscription; KeyError if the wiring no longer has it."""
    return _Registry.by_name[f"{handler_name}:{event_name}"]


def back_off_s(tries: int) -> int:
    """Return how long to wait after the given number of failed tries.

    >>> [back_off_s(n) for n in (1, 2, 3, 9)]
    [2, 4, 8, 512]
    """
    wait: int = min(BACK_OFF_FIRST_S * 2 ** (tries - 1), BACK_OFF_MAX_S)
    return wait
