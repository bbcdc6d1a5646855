"""Facts about messages: one a queue, so that a code never waits behind letters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from giftpad.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeDue(Event):
    """A code waits to be sent, by mail or SMS; ``object_id`` is the message."""

    name: ClassVar[str] = "message.code_due_v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class MailDue(Event):
    """A mail without a code waits to be sent; ``object_id`` is the message."""

    name: ClassVar[str] = "message.mail_due_v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class SmsDue(Event):
    """An SMS without a code waits to be sent; ``object_id`` is the message."""

    name: ClassVar[str] = "message.sms_due_v1"
