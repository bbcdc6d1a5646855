"""A code leaves through the running product, and is shown where it arrives on this machine."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
from contextlib import closing
from urllib.parse import quote

import pytest

from tests.flows.conftest import ROOT
from tests.local.conftest import wait_for

ASK = """
import sys
from datetime import UTC, datetime, timedelta
from giftpad import messaging, tenancy
from giftpad.cli import connect
from giftpad.kernel.work import Scope, unit_of_work
connect()
channel, to, code = sys.argv[1:]
tenant = tenancy.find_tenant_by_slug("midori-city")
with unit_of_work(Scope(tenant_id=tenant.id)) as work:
    print(messaging.send(work, messaging.Message(
        template="sign_in_code", channel=channel, to=to,
        values={"organisation": tenant.name, "code": code, "minutes": 5, "host": "localhost"},
        send_before=datetime.now(UTC) + timedelta(minutes=5),
    )))
"""


def ask_for_code(product, *words):
    done = subprocess.run(
        [sys.executable, "-c", ASK, *words],
        cwd=ROOT,
        env=product.environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def arrived(product, to):
    host = product.status().messages.removeprefix("http://")
    with closing(http.client.HTTPConnection(host, timeout=20)) as connection:
        connection.request("GET", f"/messages.json?to={quote(to, safe='')}")
        return json.loads(connection.getresponse().read())["messages"]


@pytest.mark.parametrize(
    ("channel", "to"),
    [("mail", "hana@aoba.example"), pytest.param("sms", "+819012345678", marks=pytest.mark.long)],
)
def test_a_code_arrives(product, channel, to):
    message_id = ask_for_code(product, channel, to, "417593")
    (message,) = wait_for(lambda: arrived(product, to), "the code")
    assert message["channel"] == channel
    assert message["text"].strip().splitlines()[-1] == "@localhost #417593"
    assert message_id in message["key"]
    wait_for(
        lambda: f"{message_id} " in (shown := product.must("mail", "list")) and ": sent," in shown,
        "its state",
    )
    logs = "".join(path.read_text("utf-8") for path in (product.home / "logs").glob("*.log"))
    assert "message sent" in logs
    assert [secret for secret in ("#417593", to) if secret in logs] == []


def test_status_says_where_messages_are_shown(product):
    status = product.status()
    (part,) = [each for each in status.parts if each.name == "sinks"]
    assert (part.state, part.address) == ("up", status.messages)
    assert f"messages   {status.messages}" in product.must("status")
