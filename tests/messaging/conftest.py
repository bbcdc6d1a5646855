"""A tenant, providers of the tests' own, and a few words for what is sent and what became of it."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa

from giftpad import events, identity, messaging
from giftpad.app import build_app
from giftpad.events.models import OutboxEvent
from giftpad.guard import commands as guard_commands
from giftpad.kernel.config import Settings
from giftpad.kernel.work import Scope, unit_of_work
from tests import make
from tests.make_identity import shared_app
from tests.messaging import wire
from tests.pump import forget_others, pump

SECRET = "a secret of sixteen"
MAIL, PHONE, CODE = "hana.aoba@aoba.example", "+818055501937", "417593"
RESET_CODE, LINK = "7Q2KM9XA", "https://pay.example/join/kumquat-lantern"


def code_message(channel="mail", *, locale="ja", valid=timedelta(minutes=5), **changes):
    """Return a message with a code."""
    values = {"organisation": "みどり市", "code": CODE, "minutes": 5, "host": "pay.example"}
    return messaging.Message(
        template="sign_in_code",
        channel=channel,
        to=MAIL if channel == "mail" else PHONE,
        locale=locale,
        values=values | changes,
        send_before=datetime.now(UTC) + valid,
    )


def reset_message():
    """Return a message with a code that no number in a table or a log looks like."""
    return replace(code_message(code=RESET_CODE), template="password_reset")


def invitation(*, to=MAIL, locale="ja", **changes):
    """Return a message without a code."""
    values = {
        "organisation": "みどり市",
        "link": LINK,
        "until_day": date(2026, 12, 1),
    }
    return messaging.Message(template="invitation", to=to, locale=locale, values=values | changes)


@dataclass
class Post:
    """One tenant's messages, with real rails and a provider that a test commands."""

    scope: Scope
    settings: Settings
    mail: wire.MailProvider
    sms: wire.SmsProvider

    def send(self, message):
        with unit_of_work(self.scope) as work:
            return messaging.send(work, message)

    def deliver(self):
        """Let the rails deliver what is due; leases end at once, as time would end them."""
        self.settle()
        return pump(self.settings, self.scope)

    def settle(self):
        with unit_of_work(self.scope) as work:
            work.session.execute(
                sa.update(OutboxEvent)
                .where(OutboxEvent.tenant_id == self.scope.tenant_id)
                .values(leased_until=None)
            )

    def view(self, message_id):
        with unit_of_work(self.scope) as work:
            return messaging.get_message(work, message_id)

    def row(self, message_id):
        """Return everything that is kept of a message."""
        with unit_of_work(self.scope) as work:
            found = work.session.execute(
                sa.text("SELECT * FROM messaging_messages WHERE id = :id"), {"id": message_id}
            )
            return found.mappings().one()

    def change(self, message_id, **values):
        """Change a row past the door, as time or a dead worker would."""
        columns = ", ".join(f"{name} = :{name}" for name in values)
        with unit_of_work(self.scope) as work:
            work.session.execute(
                sa.text(f"UPDATE messaging_messages SET {columns} WHERE id = :id"),
                values | {"id": message_id},
            )

    def dead(self):
        with unit_of_work(self.scope) as work:
            return events.list_dead(work)


@pytest.fixture
def post(house, settings, superuser_url):
    guard_commands._breakers.clear()
    with wire.mail_provider() as mail, wire.sms_provider() as sms:
        own = replace(
            settings,
            smtp_url=mail.url,
            mail_from="みどり市 <no-reply@midori.example>",
            sms_url=sms.url,
            sms_token="a token",
            sms_from="Midori",
        )
        messaging.bind_providers(own)
        made = Post(make.make_tenant(), own, mail, sms)
        forget_others(superuser_url, made.scope)
        yield made
        with unit_of_work(made.scope) as work:  # or the next test's relay would find them
            work.session.execute(
                sa.update(OutboxEvent)
                .where(OutboxEvent.tenant_id == made.scope.tenant_id)
                .values(done_at=sa.func.now())
            )
    guard_commands._breakers.clear()
    messaging.bind_providers(settings)


@pytest.fixture
def hooks(post, settings):
    """The application that providers post to, and the secret they share."""
    post.settings = replace(post.settings, hooks_secret=SECRET)
    messaging.bind_providers(post.settings)
    identity.ensure_keys()
    client = shared_app(build_app, settings).test_client()

    def tell(*receipts, provider="mail", secret=SECRET, at=None, body=None):
        raw = json.dumps({"receipts": receipts}).encode() if body is None else body
        signature = messaging.sign_own(secret, raw, int(at or time.time()))
        return client.post(
            f"/api/hooks/messages/{provider}",
            data=raw,
            content_type="application/json",
            headers={"X-Giftpad-Signature": signature},
        )

    tell.client = client
    return tell


@pytest.fixture
def told(post):
    """Fates that somebody who asked for a message hears of."""
    kinds = (
        messaging.MessageSent,
        messaging.MessageDelivered,
        messaging.MessageBounced,
        messaging.MessageGivenUp,
        messaging.MessageUnknown,
    )
    found = []

    def note_fate(work, event):
        found.append(event)

    from giftpad.wiring import SUBSCRIPTIONS

    events.subscribe({**SUBSCRIPTIONS, **{kind: [note_fate] for kind in kinds}})
    yield found
    events.subscribe(SUBSCRIPTIONS)
