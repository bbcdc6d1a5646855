"""What tablets and PINs are refused."""

from __future__ import annotations

from giftpad.kernel.errors import Conflict, Invalid, NotFound, Rejected


class PairingNotFound(NotFound):
    """No tablet waits with such a code."""

    code = "pairing.not_found"
    sentence = "No tablet waits with this code. Look at the tablet: it may show another by now."


class TerminalNotFound(NotFound):
    """The shop has no tablet with this id."""

    code = "terminal.not_found"
    sentence = "There is no such tablet."


class TerminalsFull(Conflict):
    """A shop has as many tablets as it may."""

    code = "terminal.full"
    sentence = "A shop has {most} tablets at most. Remove one that is not used any more."


class TerminalOver(Rejected):
    """A tablet that was removed, or was not used for too long."""

    code = "terminal.over"
    sentence = "This tablet is not connected to a shop any more."


class TillLocked(Rejected):
    """A tablet on which somebody has to type a PIN first."""

    code = "till.locked"
    sentence = "This tablet is locked. Choose your name and type your PIN."


class ClerkNotFound(NotFound):
    """The shop has no clerk with this id."""

    code = "clerk.not_found"
    sentence = "There is no such clerk."


class ClerksFull(Conflict):
    """A shop has as many clerks as it may."""

    code = "clerk.full"
    sentence = "A shop has {most} clerks at most. Remove one who is not here any more."


class NoPinYet(Conflict):
    """Tablets cannot ask for a PIN when nobody has one."""

    code = "till.no_pin_yet"
    sentence = "Nobody has a PIN yet. Add a clerk first."


class PinUnfit(Invalid):
    """A text that cannot be a PIN."""

    code = "pin.unfit"
    sentence = "A PIN has {least} to {most} digits."


class PinTrivial(Invalid):
    """A PIN that whoever guesses tries first."""

    code = "pin.trivial"
    sentence = "This PIN is guessed too easily. Take no row, no repetition and no pattern of keys."


class PinWrong(Rejected):
    """The name and the PIN do not fit; ``left`` says how many tries there still are."""

    code = "pin.wrong"
    sentence = "The name and the PIN do not fit. Tries left: {left}."


class PinLocked(Rejected):
    """Too many wrong PINs were typed under this name."""

    code = "pin.locked"
    sentence = "Too many wrong PINs. The owner of the shop can unlock this name."
