"""Letters of gifts that shall not leave any more: there is no reason for them, or a newer one."""

from __future__ import annotations

from collections.abc import Sequence

from giftpad import messaging
from giftpad.gifts.models import GiftRow
from giftpad.kernel.work import Work


def withdraw_letters(work: Work, gifts: Sequence[GiftRow]) -> list[GiftRow]:
    """See that the newest letters of gifts, which are locked, leave no more.

    Return the gifts of which certainly nobody has got that letter; a reminder that never left
    counts as if it had not been.
    Locks: the letters, then their runs.
    """
    letters = {gift.message_id: gift for gift in gifts if gift.message_id}
    unseen = [letters[each] for each in messaging.withdraw_many(work, list(letters))]
    for gift in unseen:
        if gift.is_reminded_last:
            _forget_reminder(gift)
    work.session.flush()  # whoever writes a letter next does so by a statement of their own
    return unseen


def withdraw_reminders(work: Work, gifts: Sequence[GiftRow]) -> list[GiftRow]:
    """See that reminders of gifts, which are locked, leave no more; nothing is asked if none is.

    Return the gifts of which certainly nobody has got that reminder.
    Locks: the reminders, then their runs.
    """
    reminded = _reminded(gifts)
    return withdraw_letters(work, reminded) if reminded else []


def hold_reminders(work: Work, gifts: Sequence[GiftRow]) -> None:
    """Hold reminders of gifts, which are locked, that are withdrawn bit by bit.

    Their runs come last: whoever has one of these locked waits for no reminder any more.
    Locks: the reminders.
    """
    if reminded := _reminded(gifts):
        messaging.lock_letters(work, [gift.message_id for gift in reminded if gift.message_id])


def _reminded(gifts: Sequence[GiftRow]) -> list[GiftRow]:
    return [gift for gift in gifts if gift.message_id and gift.is_reminded_last]


def _forget_reminder(gift: GiftRow) -> None:
    gift.hand_reminded_at = [at for at in gift.hand_reminded_at if at != gift.queued_at]
    if gift.reminded_at == gift.queued_at:
        gift.reminded_at = None
    # The letter before it.  One that was sent again has no instant of its own, but is a pause older
    # than any reminder by hand, so that another one of these may follow.
    before = (gift.sent_at, gift.reminded_at, *gift.hand_reminded_at)
    gift.message_id = None
    gift.queued_at = max((at for at in before if at is not None), default=gift.created_at)
