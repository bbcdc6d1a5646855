"""Nothing at rest tells whom a message went to or which code was in it.

What is logged is read by ``tests/flows/test_logs.py``.
"""

from __future__ import annotations

import psycopg
import pytest

from giftpad import messaging
from giftpad.kernel.config import Settings
from giftpad.kernel.work import unit_of_work
from tests.messaging.conftest import (
    CODE,
    LINK,
    MAIL,
    PHONE,
    RESET_CODE,
    code_message,
    invitation,
    reset_message,
)

SECRETS = (RESET_CODE, MAIL, MAIL.partition("@")[0], PHONE, PHONE[-8:], LINK.rpartition("/")[2])
"""What is searched for; six digits alone would be found in some number sooner or later."""


def everything_kept(superuser_url):
    """Return every row of every table as text, bytes as they are."""
    found = []
    with psycopg.connect(superuser_url) as connection:
        tables = connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        ).fetchall()
        for (table,) in tables:
            rows = connection.execute(f"SELECT t.* FROM {table} t").fetchall()  # type: ignore[arg-type]
            for row in rows:
                found += [bytes(v) if isinstance(v, memoryview) else str(v).encode() for v in row]
    return b"\n".join(found)


def test_nothing_at_rest_tells_the_code_or_the_address(post, superuser_url):
    post.mail.replies["RCPT"] = [f"450 4.2.1 <{MAIL}> later", f"550 5.1.1 <{MAIL}> never"]
    for message in (reset_message(), code_message("sms"), invitation()):
        post.send(message)
    for _ in range(3):
        kept = everything_kept(superuser_url)
        assert [secret for secret in SECRETS if secret.encode() in kept] == []
        post.deliver()


def test_what_a_person_sees_is_masked(post):
    post.send(invitation())
    post.send(code_message("sms"))
    with unit_of_work(post.scope) as work:
        shown = messaging.list_messages(work)
    assert [each.recipient for each in shown] == ["***1937", "h***@aoba.example"]
    assert not any(secret in str(shown) for secret in (CODE, MAIL, PHONE))
    assert CODE not in repr(code_message())
    assert MAIL not in repr(code_message())


def test_without_a_provider_nothing_is_promised(post):
    messaging.bind_providers(Settings())
    assert not messaging.can_send("mail")
    with pytest.raises(messaging.ChannelMissing), unit_of_work(post.scope) as work:
        messaging.send(work, invitation())
    messaging.bind_providers(post.settings)
    assert messaging.can_send("mail")
    assert messaging.can_send("sms")
