"""Which providers this process sends by, each behind a breaker."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import ClassVar, Protocol
from uuid import UUID

from giftpad import guard
from giftpad.kernel.config import TWILIO, Settings
from giftpad.kernel.log import get_logger
from giftpad.messaging.adapters.mails import Parcel, build_mail
from giftpad.messaging.adapters.sms_http import SmsProvider
from giftpad.messaging.adapters.sms_twilio import TwilioProvider
from giftpad.messaging.adapters.smtp import MailLine, MailServer
from giftpad.messaging.rules.sending import (
    CANNOT_TELL,
    CLASSES,
    Found,
    Outcome,
    away,
    class_of,
    refused,
)

log = get_logger("messaging")

HOOKS_PATH = "/api/hooks/messages"
STOP_PATH, STOP_HOOK_PATH = "/letters/stop", "/api/hooks/stop"
TURN_PATIENCE_S = {"codes": 20.0, "letters": 60.0, "bulk": 5.0}
PNG = b"\x89PNG\r\n\x1a\n"
PICTURE_BYTES_MAX = 400_000
PICTURES_KEPT_MAX = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Providers:
    """Who takes mail and SMS; None where nobody is set."""

    mail: MailServer | None = None
    sms: SmsProvider | TwilioProvider | None = None
    per_s: Mapping[str, int] = field(default_factory=dict)
    """What each channel's provider takes a second; 0 for any."""
    processes: int = 1
    """How many processes send, when they cannot ask each other."""
    public_address: str = ""
    hooks_secret: str = field(default="", repr=False)


PictureSource = Callable[[UUID, str], bytes | None]
"""Returns the PNG that a tenant's mails name so."""


class _Bound:
    """The providers of this process, and who draws pictures."""

    providers = Providers()
    pictures: PictureSource = staticmethod(lambda _, __: None)
    drawn: ClassVar[OrderedDict[tuple[UUID, str], bytes | None]] = OrderedDict()


class _Away(Exception):
    """A provider takes nothing now: what the breaker counts."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.reason)
        self.outcome = outcome


def bind_providers(settings: Settings) -> None:
    """Give this process the providers that its settings name."""
    _Bound.providers = Providers(
        mail=MailServer.at(settings.smtp_url, settings.mail_from) if settings.smtp_url else None,
        sms=_sms_of(settings),
        per_s={"mail": settings.mail_rate_per_s, "sms": settings.sms_rate_per_s},
        processes=settings.job_workers + 1,
        public_address=settings.public_address,
        hooks_secret=settings.hooks_secret,
    )


def _sms_of(settings: Settings) -> SmsProvider | TwilioProvider | None:
    if not settings.sms_url:
        return None
    url = settings.sms_url.removeprefix(TWILIO)
    if url != settings.sms_url:
        return TwilioProvider(
            url=url,
            token=settings.sms_token,
            sender=settings.sms_from,
            hook=f"{settings.public_address}{HOOKS_PATH}/twilio",
        )
    return SmsProvider(url=url, token=settings.sms_token, sender=settings.sms_from)


def bound() -> Providers:
    """Return the providers of this process."""
    return _Bound.providers


def knows_keys(channel: str) -> bool:
    """Whether the provider of a channel takes the same message twice only once."""
    provider = _Bound.providers.sms if channel == "sms" else None
    return provider is not None and provider.knows_keys


def stop_page(token: str) -> str:
    """Return where somebody says that they want no more letters."""
    return f"{_Bound.providers.public_address}{STOP_PATH}/{token}"


def stop_hook(token: str) -> str:
    """Return where a mail program says so for them."""
    return f"{_Bound.providers.public_address}{STOP_HOOK_PATH}/{token}"


def wait_for_turn(channel: str, traffic: str) -> bool:
    """Wait until a channel's provider takes one more of a class; False if that takes too long.

    Codes go before letters, letters before bulk.  No transaction may be open.
    """
    per_s = _Bound.providers.per_s.get(channel, 0)
    if not per_s:
        return True
    allowance = guard.Allowance(per_s)
    ends_at = time.monotonic() + TURN_PATIENCE_S[traffic]
    while wait_s := guard.take_turn(
        channel,
        allowance,
        rank=CLASSES.index(traffic),
        processes=_Bound.providers.processes,
    ):
        if time.monotonic() + wait_s > ends_at:
            return False
        time.sleep(wait_s)
    return True


def ask(parcel: Parcel) -> Found:
    """Ask the provider whether it took a message; no transaction may be open."""
    sms = _Bound.providers.sms
    if parcel.channel != "sms" or sms is None:
        return CANNOT_TELL
    return sms.ask(parcel)


def bind_pictures(source: PictureSource) -> None:
    """Have the pictures of mails drawn by ``source``; it is asked once for each in a while."""
    _Bound.pictures = staticmethod(source)
    _Bound.drawn.clear()


def find_picture(parcel: Parcel) -> bytes | None:
    """Return the picture that a mail carries; without it the mail leaves all the same."""
    if not parcel.picture:
        return None
    key = (parcel.tenant_id, parcel.picture)
    if key not in _Bound.drawn:
        picture = _Bound.pictures(*key)
        if picture is None or not picture.startswith(PNG) or len(picture) > PICTURE_BYTES_MAX:
            log.warning("no picture for a mail", picture=parcel.picture)
            picture = None
        _Bound.drawn[key] = picture
        if len(_Bound.drawn) > PICTURES_KEPT_MAX:
            _Bound.drawn.popitem(last=False)
    return _Bound.drawn[key]


def can_send(channel: str) -> bool:
    """Whether a provider is set for ``mail`` or ``sms``."""
    return getattr(_Bound.providers, channel) is not None


class Line(Protocol):
    """A way by which messages of one queue leave, one after the other."""

    channel: str

    def hand_over(self, parcel: Parcel) -> Outcome:
        """Send one message now, with no transaction open, and tell how it ended."""


class _MailLine:
    """Mails by one connection while it lasts."""

    channel = "mail"

    def __init__(self, server: MailServer) -> None:
        self.line = MailLine(server)

    def hand_over(self, parcel: Parcel) -> Outcome:
        mail = build_mail(parcel, self.line.server.sender, find_picture(parcel))
        back = parcel.return_path or parcel.sender
        return _guarded(parcel, lambda: self.line.send(mail, to=parcel.to, back=back))


class _SmsLine:
    """SMS, one request each."""

    channel = "sms"

    def __init__(self, provider: SmsProvider | TwilioProvider) -> None:
        self.provider = provider

    def hand_over(self, parcel: Parcel) -> Outcome:
        return _guarded(parcel, lambda: self.provider.send(parcel))


class _NoLine:
    """Nobody is set."""

    def __init__(self, channel: str) -> None:
        self.channel = channel

    def hand_over(self, parcel: Parcel) -> Outcome:
        del parcel
        return refused("no provider is set")


@contextmanager
def open_line(queue: str) -> Iterator[Line]:
    """Open the way by which messages of a queue leave; nothing is connected before the first."""
    mail, sms = _Bound.providers.mail, _Bound.providers.sms
    if queue.endswith("sms"):
        yield _NoLine("sms") if sms is None else _SmsLine(sms)
        return
    if mail is None:
        yield _NoLine("mail")
        return
    line = _MailLine(mail)
    try:
        yield line
    finally:
        line.line.close()


def hand_over(parcel: Parcel) -> Outcome:
    """Send one message now, with no transaction open, and tell how it ended."""
    with open_line(f"tx-{parcel.channel}") as line:
        return line.hand_over(parcel)


def _guarded(parcel: Parcel, attempt: Callable[[], Outcome]) -> Outcome:
    """Ask the provider through the breaker of its class: what bulk fails at stops no code."""

    def call() -> Outcome:
        outcome = attempt()
        if outcome.is_away:
            raise _Away(outcome)
        return outcome

    try:
        return guard.outside_call(f"{parcel.channel}-{class_of(parcel.queue)}", call)
    except _Away as error:
        return error.outcome
    except guard.OutsideAway:
        return away("provider does not answer at present")
