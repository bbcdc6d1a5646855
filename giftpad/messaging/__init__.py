"""Mail and SMS: what is to be said to somebody is recorded here, and sent from a queue.

Knows: templates, addresses, states of a message, when sending again is safe.
Hides: SMTP, the provider's HTTP, leases, sealed recipients and values.
Does not know: people, sign-in, gifts, why something is said, pages.
"""

from giftpad.messaging.adapters import bind_providers, can_send
from giftpad.messaging.commands import Message, retry, send
from giftpad.messaging.errors import (
    AddressUnfit,
    ChannelMissing,
    MessageNotFound,
    MessageWrongState,
    TemplateUnknown,
    ValuesUnfit,
)
from giftpad.messaging.events import CodeDue, MailDue, SmsDue
from giftpad.messaging.queries import PAGE_MAX, MessageView, get_message, list_messages
from giftpad.messaging.rules.addresses import check_mail, check_phone
from giftpad.messaging.rules.letters import LETTERS, NOTICES
from giftpad.messaging.rules.sending import CHANNELS, STATES

__all__ = [
    "CHANNELS",
    "LETTERS",
    "NOTICES",
    "PAGE_MAX",
    "STATES",
    "AddressUnfit",
    "ChannelMissing",
    "CodeDue",
    "MailDue",
    "Message",
    "MessageNotFound",
    "MessageView",
    "MessageWrongState",
    "SmsDue",
    "TemplateUnknown",
    "ValuesUnfit",
    "bind_providers",
    "can_send",
    "check_mail",
    "check_phone",
    "get_message",
    "list_messages",
    "retry",
    "send",
]
