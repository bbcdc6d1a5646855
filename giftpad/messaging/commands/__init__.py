"""Record what is to be sent, hold it while it is sent, write down what became of it."""

from giftpad.messaging.commands.asking import (
    list_doubtful,
    note_found,
)
from giftpad.messaging.commands.bulk import (
    Held,
    hold_bulk,
    leave_line,
    let_go,
    take_line,
    wake_due_bulk,
)
from giftpad.messaging.commands.chunks import (
    Taken,
    begin_next,
    finish_taken,
    make_ready,
)
from giftpad.messaging.commands.intents import (
    Message,
    preview,
    retry,
    send,
    send_many,
)
from giftpad.messaging.commands.letterheads import (
    SECTION_FILES,
    apply_section,
    read_section,
)
from giftpad.messaging.commands.receipts import (
    note_receipt,
    tenant_of_receipt,
)
from giftpad.messaging.commands.runs import (
    lock_run,
    open_run,
    pause_run,
    resume_run,
    wake_run,
)
from giftpad.messaging.commands.sending import (
    find_way,
    finish_sending,
    purge,
    put_back,
    start_sending,
)
from giftpad.messaging.commands.suppressions import (
    Stopped,
    find_stop,
    lift_suppressions,
    list_stopped,
    stop_token,
    suppress,
)
from giftpad.messaging.commands.withdrawing import (
    lock_letters,
    withdraw_many,
)

__all__ = [
    "SECTION_FILES",
    "Held",
    "Message",
    "Stopped",
    "Taken",
    "apply_section",
    "begin_next",
    "find_stop",
    "find_way",
    "finish_sending",
    "finish_taken",
    "hold_bulk",
    "leave_line",
    "let_go",
    "lift_suppressions",
    "list_doubtful",
    "list_stopped",
    "lock_letters",
    "lock_run",
    "make_ready",
    "note_found",
    "note_receipt",
    "open_run",
    "pause_run",
    "preview",
    "purge",
    "put_back",
    "read_section",
    "resume_run",
    "retry",
    "send",
    "send_many",
    "start_sending",
    "stop_token",
    "suppress",
    "take_line",
    "tenant_of_receipt",
    "wake_due_bulk",
    "wake_run",
    "withdraw_many",
]
