"""The sinks take mail and SMS by the wires that lead outside, and show what has arrived."""

from __future__ import annotations

import base64
import http.client
import json
import smtplib
import stat
import threading
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest
import requests
from werkzeug.serving import make_server

from giftpad import identity, messaging
from giftpad.app import build_app as build_whole
from giftpad.kernel.config import Settings
from giftpad.kernel.work import unit_of_work
from giftpad.local import Home, sinks
from giftpad.local.sinks import store as store_room
from giftpad.local.sinks.pages import build_app
from giftpad.local.sinks.receipts import Teller
from giftpad.local.sinks.store import Store
from tests import make
from tests.local.conftest import wait_for
from tests.make_identity import shared_app
from tests.messaging.test_gift_letters import gift, png
from tests.pump import pump

MODULE = "giftpad.local.sinks"
SENT_BY = ("smtp_url", "mail_from", "sms_url", "sms_token")
TO, PHONE = "hana@aoba.example", "+819012345678"


class Running:
    """Sinks on a data folder of their own."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.program = sinks.open_sinks(home, Settings(home=home.path), MODULE)
        self.settings = self.program.sinks.apply(Settings(home=home.path), home)

    def ask(self, path="/messages.json", **headers):
        port = self.program.sinks.http_port
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20)) as connection:
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            return answer.status, dict(answer.headers), answer.read().decode()

    def arrived(self, to=""):
        return json.loads(self.ask(f"/messages.json?to={to.replace('+', '%2B')}")[2])["messages"]

    def post(self, key="k1", token=None, **body):
        return requests.post(
            self.settings.sms_url,
            json={"to": PHONE, "text": "hello", "from": "Giftpad"} | body,
            headers={
                "Authorization": f"Bearer {self.settings.sms_token if token is None else token}",
                "Idempotency-Key": key,
            },
            timeout=20,
        )


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    home = Home(tmp_path_factory.mktemp("sinks") / "home")
    home.prepare()
    running = Running(home)
    running.program.launch()
    yield running
    running.program.stop()
    for each in running.program.sockets:
        each.close()


@pytest.fixture
def scope(running, house, settings):
    """A tenant whose messages go to the sinks."""
    found = replace(
        settings, **{n: getattr(running.settings, n) for n in ("smtp_url", "mail_from")}
    )
    found = replace(found, **{n: getattr(running.settings, n) for n in ("sms_url", "sms_token")})
    messaging.bind_providers(found)
    yield make.make_tenant()
    messaging.bind_providers(settings)


def code_to(channel, to, code, locale):
    return messaging.Message(
        template="sign_in_code",
        channel=channel,
        to=to,
        locale=locale,
        values={"organisation": "みどり市", "code": code, "minutes": 5, "host": "pay.example"},
        send_before=datetime.now(UTC) + timedelta(minutes=5),
    )


@pytest.mark.parametrize("locale", ["ja", "en"])
@pytest.mark.parametrize(("channel", "to"), [("mail", f"{TO}"), ("sms", PHONE)])
def test_a_code_arrives_by_the_same_wire(running, scope, settings, channel, to, locale):
    code = {"ja": "417593", "en": "417594"}[locale]
    with unit_of_work(scope) as work:
        message_id = messaging.send(work, code_to(channel, to, code, locale))
    pump(settings, scope)
    with unit_of_work(scope) as work:
        view = messaging.get_message(work, message_id)
    newest = running.arrived(to)[0]
    assert (view.state, view.last_error) == ("sent", "")
    assert newest["id"] == view.provider_id
    assert newest["channel"] == channel
    assert newest["text"].strip().splitlines()[-1] == f"@pay.example #{code}"
    if channel == "mail":
        assert newest["subject"].startswith("みどり市" if locale == "ja" else "Your code")
        assert code in newest["html"]
        assert newest["headers"]["Auto-Submitted"] == "auto-generated"
    else:
        assert newest["key"] == str(message_id)


def test_the_page_shows_the_newest_first_in_both_languages(running):
    running.post(key="page-1", text="first text")
    running.post(key="page-2", text="second <b>text</b>\n\n@pay.example #123456")
    for lang, heading in (
        ("ja", "このコンピューターのメールとSMS"),
        ("en", "Mail and SMS of this machine"),
    ):
        status, headers, page = running.ask(f"/?lang={lang}")
        assert status == 200
        assert f'<html lang="{lang}">' in page
        assert heading in page
        assert page.index("second &lt;b&gt;text") < page.index("first text")
        assert "script" not in headers["Content-Security-Policy"]
        assert headers["Cache-Control"] == "no-store"
    assert '<html lang="en">' in running.ask("/", **{"Accept-Language": "en-GB"})[2]
    assert '<html lang="ja">' in running.ask("/")[2]


class Sheets(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        if tag == "link":
            self.found.append(dict(attrs)["href"])


def test_the_page_wears_the_design_of_the_house(running):
    sheets = Sheets()
    sheets.feed(running.ask("/")[2])
    assert sheets.found
    for href in sheets.found:
        status, headers, _ = running.ask(href)
        assert (status, headers["Content-Type"].partition(";")[0]) == (200, "text/css")


def test_an_empty_page_says_what_to_do(tmp_path):
    teller = Teller(address="http://127.0.0.1:9", secret="secret")
    app = build_app(Store(tmp_path / "sinks"), "secret", teller)
    page = app.test_client().get("/?lang=en").text
    assert "Nothing has arrived yet. Ask for a code or invite somebody, then look again." in page


def test_an_sms_with_the_same_key_is_kept_once(running):
    first, again = (
        running.post(key="once", to="+819000000001"),
        running.post(key="once", to="+819000000001"),
    )
    assert (first.status_code, again.status_code) == (202, 200)
    assert first.json() == again.json()
    assert len(running.arrived("+819000000001")) == 1


class Frames(HTMLParser):
    def __init__(self, page):
        super().__init__()
        self.found = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        if tag in ("iframe", "img"):
            self.found.append((tag, dict(attrs)))


def test_a_mail_is_shown_as_it_looks_and_can_do_nothing(running, scope, settings):
    messaging.bind_pictures(lambda _, __: png())
    with unit_of_work(scope) as work:
        messaging.send(work, gift(to=TO, picture="tsubaki"))
    pump(settings, scope)
    messaging.bind_pictures(lambda _, __: None)
    newest = running.arrived(TO)[0]
    frames = [each for tag, each in Frames(running.ask("/")[2]).found if tag == "iframe"]
    (frame,) = [each for each in frames if each["src"] == f"/mails/{newest['id']}"]
    assert frame["sandbox"] == ""
    status, headers, page = running.ask(frame["src"])
    policy = headers["Content-Security-Policy"]
    assert status == 200
    assert policy.startswith("sandbox; default-src 'none'")
    assert "script" not in policy
    (picture,) = [each for tag, each in Frames(page).found if tag == "img"]
    assert base64.b64decode(picture["src"].removeprefix("data:image/png;base64,")) == png()
    assert running.ask("/mails/none")[0] == 404


def test_an_sms_is_known_by_its_key(running):
    kept = running.post(key="asked-1").json()["id"]
    address, bearer = running.settings.sms_url, f"Bearer {running.settings.sms_token}"

    def ask(key, token=bearer):
        return requests.get(
            address, params={"key": key}, headers={"Authorization": token}, timeout=20
        )

    assert ask("asked-1").json() == {"id": kept}
    assert ask("asked-2").status_code == 404
    assert ask("asked-1", "Bearer x").status_code == 401


@pytest.mark.parametrize(("what", "state"), [("delivered", "delivered"), ("bounced", "bounced")])
@pytest.mark.parametrize(("channel", "to"), [("mail", TO), ("sms", PHONE)])
def test_whoever_looks_can_say_what_became_of_a_message(
    running, scope, settings, what, state, channel, to
):
    bind = replace(
        settings, **{n: getattr(running.settings, n) for n in (*SENT_BY, "hooks_secret")}
    )
    messaging.bind_providers(bind)
    with unit_of_work(scope) as work:
        message_id = messaging.send(work, code_to(channel, to, "417595", "ja"))
    pump(settings, scope)
    newest = running.arrived(to)[0]
    identity.ensure_keys()
    app = shared_app(build_whole, settings)
    with serving(app) as port:
        teller = Teller(address=f"http://127.0.0.1:{port}", secret=bind.hooks_secret)
        page = build_app(Store(running.home.sinks), "secret", teller).test_client()
        path, form = f"/receipts/{newest['id']}", {"what": what}
        assert page.post(path, data=form).status_code == 403, "a page of somebody else"
        own = {"Origin": "http://localhost"}
        assert page.post(path, data=form | {"what": "x"}, headers=own).status_code == 404
        assert page.post(path, data=form, headers=own).status_code == 303
    with unit_of_work(scope) as work:
        assert messaging.get_message(work, message_id).state == state
    assert page.post(path, data=form, headers=own).status_code == 502, "nobody is there to hear it"


@contextmanager
def serving(app):
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_strangers_leave_nothing(running):
    before = len(running.arrived())
    assert running.post(key="stranger", token="wrong").status_code == 401
    assert running.post(key="").status_code == 400
    assert running.post(key="bad", to=5).status_code == 422
    with smtplib.SMTP("127.0.0.1", running.program.sinks.mail_port, timeout=20) as line:
        with pytest.raises(smtplib.SMTPSenderRefused):
            line.sendmail("a@b.example", [TO], "Subject: x\r\n\r\nx")
        with pytest.raises(smtplib.SMTPAuthenticationError):
            line.login("giftpad", "wrong")
    assert len(running.arrived()) == before


def test_only_this_machine_by_its_own_name_may_look(running):
    for name in ("evil.example", "sinks.evil.example:80"):
        assert running.ask("/", Host=name)[0] == 400
        assert running.ask("/messages.json", Host=name)[0] == 400
    assert running.ask("/", Host="localhost")[0] == 200


def test_what_has_arrived_lies_closed_and_is_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(store_room, "KEPT_MAX", 3)
    kept = Store(tmp_path / "sinks")
    told = {"channel": "sms", "sender": "", "subject": "", "html": "", "headers": {}}
    for number in range(5):
        kept.keep(to=[PHONE], text=str(number), key=str(number), **told)
    assert [each.text for each in kept.newest()] == ["4", "3", "2"]
    assert stat.S_IMODE(kept.folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in kept.folder.iterdir()} == {0o600}


def test_the_ports_stay_and_nothing_is_lost_while_the_program_is_started_again(running):
    ports = running.program.sinks
    running.program.stop()
    with smtplib.SMTP(timeout=20) as line:
        sock = line._get_socket("127.0.0.1", ports.mail_port, 20)  # nobody answers, it waits
        running.program.launch()
        line.sock = sock
        assert line.getreply()[0] == 220
        line.sock = None
        sock.close()
    assert running.program.sinks == ports
    assert running.arrived() is not None


def test_two_data_folders_have_ports_of_their_own_and_find_them_again(tmp_path):
    homes = [Home(tmp_path / name) for name in ("one", "two")]
    found = []
    for home in homes:
        home.prepare()
        found.append(sinks.open_sinks(home, Settings(home=home.path), MODULE))
    assert (
        len({port for each in found for port in (each.sinks.mail_port, each.sinks.http_port)}) == 4
    )
    for each in found:
        for sock in each.sockets:
            sock.close()
    again = sinks.open_sinks(homes[0], Settings(home=homes[0].path), MODULE)
    assert again.sinks == found[0].sinks
    other = sinks.open_sinks(homes[0], Settings(home=homes[0].path), MODULE)
    assert other.sinks.mail_port != again.sinks.mail_port
    for each in (again, other):
        for sock in each.sockets:
            sock.close()


OUTSIDE = {
    "smtp_url": "smtps://mail.example",
    "mail_from": "a@b.example",
}


def test_there_are_no_sinks_where_anything_could_reach_a_real_person(fresh_settings, tmp_path):
    alone = Settings(home=Path(tmp_path))
    assert sinks.wants_sinks(alone)
    assert not sinks.wants_sinks(replace(alone, **OUTSIDE))
    sms = {"sms_url": "https://sms.example", "sms_token": "t"}
    assert not sinks.wants_sinks(replace(alone, **sms))
    assert not sinks.wants_sinks(replace(fresh_settings, smtp_url="", sms_url=""))


def test_a_part_that_is_made_anew_listens_at_the_same_place(running):
    fresh = running.program.make_anew()
    assert fresh.process is None
    assert fresh.pass_fds == running.program.pass_fds
    fresh.launch()
    wait_for(fresh.takes_over, "the fresh sinks")
    assert running.ask("/messages.json")[0] == 200
    fresh.stop()
