"""Outbound wires of messaging: a mail server, an SMS provider, and which of them there are."""

from giftpad.messaging.adapters.providers import bind_providers, can_send, hand_over
from giftpad.messaging.adapters.sms_http import SmsProvider
from giftpad.messaging.adapters.smtp import MailServer

__all__ = ["MailServer", "SmsProvider", "bind_providers", "can_send", "hand_over"]
