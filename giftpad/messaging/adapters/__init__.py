"""Outbound wires of messaging: a mail server, an SMS provider, and which of them there are.

And what providers tell of messages afterwards.
"""

from giftpad.messaging.adapters.hooks import HOOKS, SIGNATURES, Posted, read_receipts, sign_own
from giftpad.messaging.adapters.providers import (
    Line,
    ask,
    bind_pictures,
    bind_providers,
    can_send,
    hand_over,
    knows_keys,
    open_line,
    stop_hook,
    stop_page,
    wait_for_turn,
)
from giftpad.messaging.adapters.sms_http import SmsProvider
from giftpad.messaging.adapters.sms_twilio import TwilioProvider
from giftpad.messaging.adapters.smtp import MailServer

__all__ = [
    "HOOKS",
    "SIGNATURES",
    "Line",
    "MailServer",
    "Posted",
    "SmsProvider",
    "TwilioProvider",
    "ask",
    "bind_pictures",
    "bind_providers",
    "can_send",
    "hand_over",
    "knows_keys",
    "open_line",
    "read_receipts",
    "sign_own",
    "stop_hook",
    "stop_page",
    "wait_for_turn",
]
