"""Facts about people that others act on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from giftpad.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class ResetAsked(Event):
    """Somebody says that they have forgotten a password; ``object_id`` is what they asked."""

    name: ClassVar[str] = "person.reset_asked_v1"
