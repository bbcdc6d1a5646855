"""Mail and SMS: what is to be said to somebody is recorded here, and sent from a queue.

Knows: templates, addresses, states of a message, when sending again is safe, runs of many.
Hides: SMTP, the provider's HTTP, leases, sealed recipients and values, who sends bulk.
Does not know: people, sign-in, gifts, why something is said, pages.
"""

from giftpad.messaging.adapters import bind_pictures, bind_providers, can_send
from giftpad.messaging.commands import (
    SECTION_FILES,
    Message,
    apply_section,
    open_run,
    pause_run,
    preview,
    read_section,
    resume_run,
    retry,
    send,
    send_many,
)
from giftpad.messaging.errors import (
    AddressUnfit,
    ChannelMissing,
    MessageNotFound,
    MessageWrongState,
    RunNotFound,
    TemplateUnknown,
    ValuesUnfit,
)
from giftpad.messaging.events import (
    BulkMailDue,
    BulkSmsDue,
    CodeDue,
    MailDue,
    MessageBounced,
    MessageDelivered,
    MessageGivenUp,
    MessageSent,
    MessageUnknown,
    SmsDue,
)
from giftpad.messaging.queries import (
    PAGE_MAX,
    MessageView,
    RunView,
    get_message,
    get_run,
    list_messages,
    list_runs,
)
from giftpad.messaging.rules.addresses import check_mail, check_phone
from giftpad.messaging.rules.gifts import GIFT_LETTERS
from giftpad.messaging.rules.letters import LETTERS, Written
from giftpad.messaging.rules.sending import CHANNELS, STATES
from giftpad.messaging.rules.values import NOTICES

__all__ = [
    "CHANNELS",
    "GIFT_LETTERS",
    "LETTERS",
    "NOTICES",
    "PAGE_MAX",
    "SECTION_FILES",
    "STATES",
    "AddressUnfit",
    "BulkMailDue",
    "BulkSmsDue",
    "ChannelMissing",
    "CodeDue",
    "MailDue",
    "Message",
    "MessageBounced",
    "MessageDelivered",
    "MessageGivenUp",
    "MessageNotFound",
    "MessageSent",
    "MessageUnknown",
    "MessageView",
    "MessageWrongState",
    "RunNotFound",
    "RunView",
    "SmsDue",
    "TemplateUnknown",
    "ValuesUnfit",
    "Written",
    "apply_section",
    "bind_pictures",
    "bind_providers",
    "can_send",
    "check_mail",
    "check_phone",
    "get_message",
    "get_run",
    "list_messages",
    "list_runs",
    "open_run",
    "pause_run",
    "preview",
    "read_section",
    "resume_run",
    "retry",
    "send",
    "send_many",
]
