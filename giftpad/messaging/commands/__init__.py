"""Record what is to be sent, hold it while it is sent, write down what became of it."""

from giftpad.messaging.commands.intents import Message, retry, send
from giftpad.messaging.commands.sending import finish_sending, purge, put_back, start_sending

__all__ = [
    "Message",
    "finish_sending",
    "purge",
    "put_back",
    "retry",
    "send",
    "start_sending",
]
