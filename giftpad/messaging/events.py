"""Facts about messages: one a queue, so that a code never waits behind letters.

A bulk queue has one event for many messages: a million of them would stand before everything
else that the tenant has to tell.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

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


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkMailDue(Event):
    """Mails that nobody waits for are to be sent; ``object_id`` names nothing."""

    name: ClassVar[str] = "message.bulk_mail_due_v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkSmsDue(Event):
    """SMS that nobody waits for are to be sent; ``object_id`` names nothing."""

    name: ClassVar[str] = "message.bulk_sms_due_v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageSent(Event):
    """A provider has taken a message; ``reference`` is what it was sent for."""

    name: ClassVar[str] = "message.sent_v1"
    reference: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageDelivered(Event):
    """The provider says that a message has arrived."""

    name: ClassVar[str] = "message.delivered_v1"
    reference: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageBounced(Event):
    """A message that a provider had taken did not arrive; never will, if ``is_permanent``."""

    name: ClassVar[str] = "message.bounced_v1"
    reference: UUID
    is_permanent: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageGivenUp(Event):
    """A message is not sent: ``state`` is "failed", "expired" or "suppressed"."""

    name: ClassVar[str] = "message.given_up_v1"
    reference: UUID
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageUnknown(Event):
    """A message was handed over and no answer came: it has been taken or not."""

    name: ClassVar[str] = "message.unknown_v1"
    reference: UUID
