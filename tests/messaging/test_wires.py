"""The wires themselves: encryption, signing in, and headers that cannot be broken out of."""

from __future__ import annotations

import asyncio
import re
import ssl
import threading
from contextlib import contextmanager
from datetime import UTC, datetime
from email import message_from_bytes
from email.header import decode_header, make_header
from email.headerregistry import Address
from email.utils import parseaddr
from uuid import uuid4

import pytest
from aiosmtpd.smtp import SMTP, AuthResult

from giftpad.kernel.config import SettingsError, read_settings
from giftpad.local import certificates
from giftpad.messaging.adapters import MailServer, mails, smtp
from giftpad.messaging.rules.letters import Written
from giftpad.messaging.rules.sending import Ending

TO = "hana@aoba.example"
SENDER = "Giftpad <no-reply@giftpad.example>"


def parcel(**changes):
    given = {
        "id": uuid4(),
        "channel": "mail",
        "queue": "tx-mail",
        "template": "invitation",
        "attempt": 1,
        "repeats": False,
        "at": datetime.now(UTC),
        "to": TO,
        "written": Written(locale="ja", subject="招待", text="本文\n", html="<p>本文</p>"),
    }
    return mails.Parcel(**given | changes)


class Box:
    def __init__(self):
        self.mails = []

    async def handle_DATA(self, server, session, envelope):  # noqa: N802 - its name in the library
        is_encrypted = server.transport.get_extra_info("cipher") is not None
        self.mails.append((is_encrypted, session.authenticated, envelope.content))
        return "250 2.0.0 OK: queued as ABCD1234"


@pytest.fixture
def trusted(tmp_path, monkeypatch):
    """A certificate of this machine, and clients that trust its authority."""
    folder = certificates.CertificateFolder(tmp_path / "tls")
    folder.prepare(["127.0.0.1"])
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(folder.server, folder.server_key)
    monkeypatch.setattr(
        smtp.ssl, "create_default_context", lambda: ssl_client(tmp_path / "tls" / "ca.crt")
    )
    return serving


def ssl_client(authority):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(authority)
    return context


@contextmanager
def listening(context, *, implicit):
    """Run a mail server that offers STARTTLS, or speaks TLS from the first byte, or neither."""
    box, loop = Box(), asyncio.new_event_loop()

    def protocol():
        return SMTP(
            box,
            hostname="localhost",
            tls_context=None if implicit else context,
            auth_require_tls=context is not None and not implicit,
            authenticator=lambda *asked: AuthResult(
                success=asked[-1].password == b"p@ss", handled=False
            ),
            loop=loop,
        )

    # In a thread from the first step on: a test of pages may have a loop in this one.
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    making = loop.create_server(protocol, "127.0.0.1", 0, ssl=context if implicit else None)
    server = asyncio.run_coroutine_threadsafe(making, loop).result(20)
    try:
        yield box, server.sockets[0].getsockname()[1]
    finally:
        asyncio.run_coroutine_threadsafe(end(server), loop).result(20)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def end(server):
    server.close()
    await server.wait_closed()
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


@pytest.mark.parametrize(
    ("scheme", "implicit"), [("smtps", True), ("smtp+starttls", False)], ids=["smtps", "starttls"]
)
def test_mail_travels_encrypted_and_signed_in(trusted, scheme, implicit):
    with listening(trusted, implicit=implicit) as (box, port):
        url = f"{scheme}://hana:p%40ss@127.0.0.1:{port}"
        server = MailServer.at(url, SENDER)
        outcome = server.send(mails.build_mail(parcel(), server.sender), to=TO)
        assert (outcome.ending, outcome.reason) == (Ending.TAKEN, "")
        assert outcome.provider_id == "ABCD1234"
        ((is_encrypted, is_signed_in, content),) = box.mails
        assert is_encrypted
        assert is_signed_in
        assert content.isascii()
        wrong = MailServer.at(url.replace("p%40ss", "wrong"), SENDER)
        outcome = wrong.send(mails.build_mail(parcel(), server.sender), to=TO)
        assert (outcome.ending, outcome.is_away) == (Ending.PUT_OFF, True)
        assert len(box.mails) == 1


@pytest.mark.parametrize("scheme", ["smtps", "smtp+starttls"])
def test_a_server_that_cannot_prove_who_it_is_gets_no_mail(trusted, monkeypatch, scheme):
    monkeypatch.setattr(
        smtp.ssl, "create_default_context", lambda: ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    )
    with listening(trusted, implicit=scheme == "smtps") as (box, port):
        server = MailServer.at(f"{scheme}://127.0.0.1:{port}", SENDER)
        outcome = server.send(mails.build_mail(parcel(), server.sender), to=TO)
        assert (outcome.ending, outcome.is_away) == (Ending.PUT_OFF, True)
        assert "SSLCertVerificationError" in outcome.reason
        assert box.mails == []


def test_a_server_without_encryption_gets_no_mail_that_is_to_be_encrypted():
    with listening(None, implicit=False) as (box, port):
        server = MailServer.at(f"smtp+starttls://127.0.0.1:{port}", SENDER)
        outcome = server.send(mails.build_mail(parcel(), server.sender), to=TO)
        assert outcome.reason == "mail server: SMTPNotSupportedError"
        assert box.mails == []


@pytest.mark.parametrize("place", ["subject", "sender", "to"])
def test_no_header_can_be_added(place):
    evil = "x\r\nBcc: all@example.org"
    sender = Address(display_name="Giftpad", username="no-reply", domain="giftpad.example")
    made = parcel()
    with pytest.raises((ValueError, IndexError)):
        if place == "subject":
            written = Written(locale="ja", subject=evil, text="", html="")
            made = parcel(written=written)
        elif place == "sender":
            sender = Address(display_name=evil, username="a", domain="b.example")
        else:
            made = parcel(to=f"a@b.example{evil[1:]}")
        mails.build_mail(made, sender)


@pytest.mark.parametrize(
    "words",
    ["みどり市商工会議所青葉", "Midori みどり市 商工会議所", "Midori Town, Chamber of Commerce"],
)
@pytest.mark.parametrize("length", [1, 5, 15, 16, 24, 40, 70, 100])
def test_headers_come_out_as_they_went_in(words, length):
    text = " ".join([words] * 10)[:length].strip()
    sender = Address(display_name=text, username="a", domain="b.example")
    written = Written(locale="ja", subject=text, text="。\n" * 200, html="<p>")
    raw = mails.build_mail(parcel(written=written), sender)
    assert max(map(len, raw.splitlines())) <= 78
    read = message_from_bytes(raw)
    unfolded = {name: re.sub(r"\s*\n\s*", " ", read[name]).strip() for name in ("Subject", "From")}
    assert str(make_header(decode_header(unfolded["Subject"]))) == text
    name, address = parseaddr(unfolded["From"])
    assert (str(make_header(decode_header(name))), address) == (text, "a@b.example")


def test_a_dot_alone_does_not_end_a_mail():
    with listening(None, implicit=False) as (box, port):
        server = MailServer.at(f"smtp://127.0.0.1:{port}", SENDER)
        written = Written(locale="en", subject="Dots", text="one\n.\n..two\n", html="<p>.</p>")
        outcome = server.send(mails.build_mail(parcel(written=written), server.sender), to=TO)
        assert outcome.ending is Ending.TAKEN
        assert b"one\r\n.\r\n..two\r\n" in box.mails[0][2]


MAIL_SET = {"GIFTPAD_SMTP_URL": "smtps://u:p@mail.example", "GIFTPAD_MAIL_FROM": SENDER}
SMS_SET = {"GIFTPAD_SMS_URL": "https://sms.example/send", "GIFTPAD_SMS_TOKEN": "t"}


@pytest.mark.parametrize(
    ("environment", "word"),
    [
        (MAIL_SET | {"GIFTPAD_SMTP_URL": "mail.example"}, "smtps://"),
        (MAIL_SET | {"GIFTPAD_SMTP_URL": "https://mail.example"}, "smtps://"),
        (MAIL_SET | {"GIFTPAD_SMTP_URL": "smtp://u:p@mail.example"}, "unencrypted"),
        (MAIL_SET | {"GIFTPAD_SMTP_URL": "smtps://mail.example:x"}, "no address"),
        (MAIL_SET | {"GIFTPAD_MAIL_FROM": ""}, "GIFTPAD_MAIL_FROM is not set"),
        (MAIL_SET | {"GIFTPAD_MAIL_FROM": "Giftpad"}, "GIFTPAD_MAIL_FROM is no address"),
        (MAIL_SET | {"GIFTPAD_MAIL_FROM": "A\nB <a@b.example>"}, "GIFTPAD_MAIL_FROM is no address"),
        (SMS_SET | {"GIFTPAD_SMS_URL": "http://sms.example/send"}, "https://"),
        (SMS_SET | {"GIFTPAD_SMS_URL": "https:///send"}, "https://"),
        (SMS_SET | {"GIFTPAD_SMS_TOKEN": ""}, "GIFTPAD_SMS_TOKEN is not set"),
    ],
)
def test_a_provider_that_cannot_be_used_is_named_at_the_start(environment, word):
    with pytest.raises(SettingsError, match=word):
        read_settings(environment)


def test_providers_that_can_be_used_are_taken():
    settings = read_settings(MAIL_SET | SMS_SET)
    server = MailServer.at(settings.smtp_url, settings.mail_from)
    assert (server.host, server.port, server.user) == ("mail.example", 465, "u")
    assert "password" not in repr(server)
    assert "sms_token" not in repr(settings)
    for url, port in (("smtp://127.0.0.1", 25), ("smtp+starttls://mail.example", 587)):
        assert MailServer.at(url, SENDER).port == port
    assert read_settings(MAIL_SET | {"GIFTPAD_SMTP_URL": "smtp://u:p@127.0.0.1:2525"}).smtp_url
