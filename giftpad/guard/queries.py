"""What is switched: the share that is let in, and the features that are off.

Hides: what this process holds of it.  Whoever asks gets what was read last, without a query; a
process that serves reads anew every ``REFRESH_S``, and keeps what it has while the database is
away.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from giftpad.guard.models import IdempotencyKey, Switch
from giftpad.guard.rules import FEATURES, GROUPS, Switches
from giftpad.kernel.errors import Unavailable
from giftpad.kernel.log import get_logger
from giftpad.kernel.work import Scope, Work, unit_of_work

log = get_logger("guard")

REFRESH_S = 1.0
ADMISSION = "admission"


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchView:
    """One switch as it was set last."""

    name: str
    value: int
    reason: str
    set_by: str
    set_at: datetime


class _Held:
    """The switches of this process, and when they were read."""

    switches = Switches()
    read_at = float("-inf")
    reading = threading.Lock()


def find_answer_ref(work: Work, key: str) -> UUID | None:
    """Return what the caller's request with an idempotency key made, once that has committed."""
    actor = work.scope.actor
    return work.session.execute(
        sa.select(IdempotencyKey.answer_ref).where(
            IdempotencyKey.tenant_id == work.tenant_id,
            IdempotencyKey.client_id == (actor.client_id or actor.id),
            IdempotencyKey.key == key,
        )
    ).scalar_one_or_none()


def list_switches(work: Work) -> list[SwitchView]:
    """Return every switch that was ever set, by name; ``work`` is of the platform."""
    rows = work.session.scalars(
        sa.select(Switch).where(Switch.tenant_id == work.tenant_id).order_by(Switch.name)
    )
    return [
        SwitchView(
            name=row.name, value=row.value, reason=row.reason, set_by=row.set_by, set_at=row.set_at
        )
        for row in rows
    ]


def read_switches(work: Work) -> Switches:
    """Return how everything is switched now; ``work`` is of the platform."""
    values = {view.name: view.value for view in list_switches(work)}
    off = frozenset(name for name in FEATURES if values.get(name) == 0)
    return Switches(share=values.get(ADMISSION) or GROUPS, off=off)


def refresh_switches(platform: Scope, *, older_than_s: float = 0.0) -> Switches:
    """Read the switches anew if this process read them so long ago; what it holds is returned.

    While the database is away the switches stay as they were read last.
    """
    if _Held.reading.acquire(blocking=False):
        try:
            if time.monotonic() - _Held.read_at >= older_than_s:
                with unit_of_work(platform) as work:
                    _Held.switches = read_switches(work)
                _Held.read_at = time.monotonic()
        except Unavailable as error:
            log.warning("switches could not be read", error=error.code)
        finally:
            _Held.reading.release()
    return _Held.switches


def switches() -> Switches:
    """Return the switches as this process read them last; costs no query."""
    return _Held.switches


def is_off(feature: str) -> bool:
    """Whether a feature was off when this process read the switches last; costs no query."""
    assert feature in FEATURES
    return feature in _Held.switches.off


def forget_switches() -> None:
    """Take everything for on and open until the switches are read the next time."""
    _Held.switches, _Held.read_at = Switches(), float("-inf")
