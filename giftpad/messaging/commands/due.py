"""Tell the queues that messages are due."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from giftpad import events
from giftpad.kernel.ids import new_id
from giftpad.kernel.work import Work
from giftpad.messaging.events import BulkMailDue, BulkSmsDue, CodeDue, MailDue, SmsDue
from giftpad.messaging.rules.sending import BULK, HELD_MAX, LINES_MAX

EVENTS: Mapping[str, type[CodeDue | MailDue | SmsDue | BulkMailDue | BulkSmsDue]] = {
    "otp": CodeDue,
    "tx-mail": MailDue,
    "tx-sms": SmsDue,
    "bulk-mail": BulkMailDue,
    "bulk-sms": BulkSmsDue,
}


def publish_due(work: Work, queue: str, message_ids: Sequence[UUID]) -> None:
    """Tell that messages of one queue are due: of bulk, as many workers as are worth it."""
    if queue in BULK:
        wake_bulk(work, queue, len(message_ids))
        return
    events.publish_many(work, [EVENTS[queue](object_id=each) for each in message_ids])


def wake_bulk(work: Work, queue: str, count: int) -> None:
    """Have bulk messages taken, by no more workers than ``count`` of them are worth."""
    lines = min(-(-count // HELD_MAX), LINES_MAX)
    # An object of its own each: events of one object would be taken one after the other.
    events.publish_many(work, [EVENTS[queue](object_id=new_id()) for _ in range(lines)])
