"""A provider of mail that is the test's own, for letters of gifts that shall really leave."""

from __future__ import annotations

import email
from collections.abc import Iterator
from dataclasses import dataclass, replace
from email.utils import parseaddr
from typing import Any

import pytest

from giftpad import messaging
from giftpad.guard import commands as guard_commands
from giftpad.kernel.config import Settings
from giftpad.kernel.work import unit_of_work
from tests.make_gifts import Company
from tests.messaging import wire
from tests.pump import forget_others, pump


@dataclass(frozen=True, kw_only=True)
class Postman:
    """Lets letters leave, and knows who got one; ``mail`` is the provider."""

    company: Company
    settings: Settings
    mail: Any

    def __call__(self, template: str = "gift_invitation") -> list[str]:
        """Let what is due leave, and return who has got letters of a template by now."""
        pump(self.settings, self.company.scope)
        with unit_of_work(self.company.scope) as work:
            sent = messaging.list_messages(work, states=("sent",))
        ids = [str(each.id) for each in sent if each.template == template]
        mails = [email.message_from_bytes(raw) for raw in list(self.mail.mails)]
        return sorted(
            parseaddr(each["To"])[1]
            for each in mails
            if any(one in each["Message-ID"] for one in ids)
        )


@pytest.fixture
def postman(company, settings, superuser_url) -> Iterator[Postman]:
    """Carry the letters of the test's company."""
    guard_commands._breakers.clear()
    with wire.mail_provider() as mail:
        own = replace(settings, smtp_url=mail.url, mail_from="Giftpad <no-reply@giftpad.example>")
        messaging.bind_providers(own)
        forget_others(superuser_url, company.scope)
        yield Postman(company=company, settings=own, mail=mail)
    messaging.bind_providers(settings)
