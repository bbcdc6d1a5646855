"""Which providers this process sends by, each behind a breaker."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from giftpad import guard
from giftpad.kernel.config import Settings
from giftpad.messaging.adapters.mails import Parcel, build_mail
from giftpad.messaging.adapters.sms_http import SmsProvider
from giftpad.messaging.adapters.smtp import MailServer
from giftpad.messaging.rules.sending import Outcome, away, refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Providers:
    """Who takes mail and SMS; None where nobody is set."""

    mail: MailServer | None = None
    sms: SmsProvider | None = None


class _Bound:
    """The providers of this process."""

    providers = Providers()


class _Away(Exception):
    """A provider takes nothing now: what the breaker counts."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.reason)
        self.outcome = outcome


def bind_providers(settings: Settings) -> None:
    """Give this process the providers that its settings name."""
    _Bound.providers = Providers(
        mail=MailServer.at(settings.smtp_url, settings.mail_from) if settings.smtp_url else None,
        sms=SmsProvider(url=settings.sms_url, token=settings.sms_token, sender=settings.sms_from)
        if settings.sms_url
        else None,
    )


def can_send(channel: str) -> bool:
    """Whether a provider is set for ``mail`` or ``sms``."""
    return getattr(_Bound.providers, channel) is not None


def hand_over(parcel: Parcel) -> Outcome:
    """Send one message now, with no transaction open, and tell how it ended."""
    attempt = _attempt_at(parcel)
    if attempt is None:
        return refused("no provider is set")

    def call() -> Outcome:
        outcome = attempt()
        if outcome.is_away:
            raise _Away(outcome)
        return outcome

    try:
        return guard.outside_call(parcel.channel, call)
    except _Away as error:
        return error.outcome
    except guard.OutsideAway:
        return away("provider does not answer at present")


def _attempt_at(parcel: Parcel) -> Callable[[], Outcome] | None:
    mail, sms = _Bound.providers.mail, _Bound.providers.sms
    if parcel.channel == "mail":
        return (
            None
            if mail is None
            else lambda: mail.send(build_mail(parcel, mail.sender), to=parcel.to)
        )
    return None if sms is None else lambda: sms.send(parcel)
