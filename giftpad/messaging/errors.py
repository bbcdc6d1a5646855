"""What messaging refuses, and why a message is put off."""

from __future__ import annotations

from giftpad.kernel.errors import Conflict, Invalid, NotFound, Unavailable


class MessageNotFound(NotFound):
    """The tenant has no message with this id."""

    code = "message.not_found"
    sentence = "There is no such message."


class MessageWrongState(Conflict):
    """A message that is not sent again: it is under way, has arrived, or its content is gone."""

    code = "message.wrong_state"
    sentence = (
        "This message is under way, has arrived, or its content is gone; it cannot be sent again."
    )


class TemplateUnknown(Invalid):
    """A template that there is not, or not for this channel."""

    code = "message.template_unknown"
    sentence = "There is no message called {template} for {channel}."


class ValuesUnfit(Invalid):
    """Values without which, or with which, a template cannot be written."""

    code = "message.values_unfit"
    sentence = "The message {template} cannot be written: {names} is missing, too much or unfit."


class AddressUnfit(Invalid):
    """A text that is no address mail or SMS can be sent to from here."""

    code = "message.address_unfit"
    sentence = (
        "Nothing can be sent to this address. A mail address has letters from a to z, digits and"
        " signs such as . _ + - before and after the @; a telephone number has digits, and begins"
        " with 0 or with + and its country."
    )


class ChannelMissing(Unavailable):
    """No provider is set for what a message was to travel by."""

    code = "message.channel_missing"
    sentence = "This Giftpad cannot send by {channel}: no provider is set."


class RunNotFound(NotFound):
    """The tenant has no run with this id."""

    code = "message_run.not_found"
    sentence = "There is no such run of messages."


class SuppressionNotFound(NotFound):
    """Nothing keeps the tenant from sending there."""

    code = "message_suppression.not_found"
    sentence = "Nothing keeps messages from this address."


class HookForged(NotFound):
    """A receipt that no provider of ours has signed, or for a provider that there is not."""

    code = "message_hook.not_found"
    sentence = "There is no such address for receipts, or they are not signed as agreed."


class HookUnreadable(Invalid):
    """Receipts that are signed, and are none all the same."""

    code = "message_hook.unreadable"
    sentence = "These receipts cannot be read; each needs an id and a known status."


class PutOff(Exception):
    """A message was not sent now and is to be tried again soon; the text names no person."""
