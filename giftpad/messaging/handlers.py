"""Reactions: send what is due, with no transaction open while the provider is asked."""

from __future__ import annotations

from giftpad.events import detached
from giftpad.kernel.log import get_logger
from giftpad.kernel.work import Scope, unit_of_work
from giftpad.messaging.adapters import hand_over
from giftpad.messaging.commands import finish_sending, start_sending
from giftpad.messaging.errors import PutOff
from giftpad.messaging.events import CodeDue, MailDue, SmsDue
from giftpad.messaging.rules.sending import QUEUED, QUICK_TRIES_MAX, SENT

log = get_logger("messaging")


@detached
def send_due(scope: Scope, event: CodeDue | MailDue | SmsDue) -> None:
    """Send one message, if it is still to be sent.

    What was put off is tried again by the rails, with their back-off, until a few attempts in a
    row have failed; after that ``jobs.put_back_due`` brings it back after longer pauses.
    Raises: PutOff.
    """
    with unit_of_work(scope) as work:
        parcel = start_sending(work, event.object_id)
    if parcel is None:
        return
    outcome = hand_over(parcel)
    with unit_of_work(scope) as work:
        state = finish_sending(work, parcel, outcome)
    facts = {
        "message_id": str(parcel.id),
        "channel": parcel.channel,
        "template": parcel.template,
        "attempt": parcel.attempt,
    }
    if state == SENT:
        log.info("message sent", **facts)
        return
    log.warning("message not sent", state=state, reason=outcome.reason, **facts)
    if state == QUEUED and parcel.attempt < QUICK_TRIES_MAX:
        raise PutOff(outcome.reason)
