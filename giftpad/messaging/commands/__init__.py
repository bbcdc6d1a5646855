"""Record what is to be sent, hold it while it is sent, write down what became of it."""

from giftpad.messaging.commands.bulk import (
    Held,
    hold_bulk,
    leave_line,
    let_go,
    take_line,
    wake_due_bulk,
)
from giftpad.messaging.commands.intents import Message, preview, retry, send, send_many
from giftpad.messaging.commands.letterheads import SECTION_FILES, apply_section, read_section
from giftpad.messaging.commands.runs import open_run, pause_run, resume_run
from giftpad.messaging.commands.sending import finish_sending, purge, put_back, start_sending

__all__ = [
    "SECTION_FILES",
    "Held",
    "Message",
    "apply_section",
    "finish_sending",
    "hold_bulk",
    "leave_line",
    "let_go",
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
    "take_line",
    "wake_due_bulk",
]
