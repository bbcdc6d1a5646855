"""Outbound wires of messaging: a mail server, an SMS provider, and which of them there are."""

from giftpad.messaging.adapters.providers import (
    Line,
    bind_pictures,
    bind_providers,
    can_send,
    hand_over,
    open_line,
)
from giftpad.messaging.adapters.sms_http import SmsProvider
from giftpad.messaging.adapters.smtp import MailServer

__all__ = [
    "Line",
    "MailServer",
    "SmsProvider",
    "bind_pictures",
    "bind_providers",
    "can_send",
    "hand_over",
    "open_line",
]
