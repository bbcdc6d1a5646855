"""Phones of the local network: https on the machine's own address, and http here as before."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

import pytest
import zxingcpp
from alembic import command
from PIL import Image

from giftpad.kernel.config import Settings, SettingsError
from giftpad.kernel.migrate import configuration
from giftpad.local import LocalError, embedded_settings, lan, with_lan
from giftpad.local.postgres import free_port

pytestmark = pytest.mark.slow

ADDRESS = next(iter(lan.lan_addresses()), "127.0.0.1")
ASK = """
import ssl, sys, urllib.request
trust = ssl.create_default_context(cafile=sys.argv[1])
answer = urllib.request.urlopen(sys.argv[2], context=trust, timeout=5)
print(answer.headers[sys.argv[3]] if sys.argv[3:] else answer.read().decode())
"""
BLOCKS = {"\xa0": (0, 0), "▀": (1, 0), "▄": (0, 1), "█": (1, 1)}


def ask_like_a_phone(machine, path, *header):
    """Ask for a page or one header, from a process of its own: this one is kept at home."""
    url = machine.status()["lan"] + path
    words = [sys.executable, "-c", ASK, str(machine.home.keys / "lan" / "ca.crt"), url, *header]
    done = subprocess.run(words, capture_output=True, check=False, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def ask_here(machine, path):
    with closing(HTTPConnection("127.0.0.1", machine.port, timeout=5)) as connection:
        connection.request("GET", path)
        return connection.getresponse().read().decode()


def read_picture(text):
    """Return what a camera reads from the blocks that were printed."""
    rows = [line for line in text.splitlines() if line and set(line) <= BLOCKS.keys()]
    width, scale = max(map(len, rows)), 4
    image = Image.new("L", (width, 2 * len(rows)))
    for y, row in enumerate(rows):
        for x, block in enumerate(row):
            for half, light in enumerate(BLOCKS[block]):
                image.putpixel((x, 2 * y + half), 255 * light)
    large = image.resize((width * scale, 2 * len(rows) * scale), Image.Resampling.NEAREST)
    return [each.text for each in zxingcpp.read_barcodes(large)]


@pytest.fixture
def lan_machine(make_machine):
    port = str(free_port())
    return make_machine(GIFTPAD_LAN_ADDRESS=ADDRESS, GIFTPAD_LAN_PORT=port)


def lan_url(machine):
    return f"https://{ADDRESS}:{machine.variables['GIFTPAD_LAN_PORT']}"


def test_phones_get_https_and_this_machine_keeps_http(lan_machine):
    machine = lan_machine
    shown = machine.up("prepare").stdout
    now = machine.status()
    assert (now["state"], now["address"], now["lan"]) == ("up", *[lan_url(machine)] * 2)
    assert [each["name"] for each in now["parts"]][2:4] == ["web", "web-lan"]
    assert ask_like_a_phone(machine, "/readyz").isdigit()
    assert ask_like_a_phone(machine, "/scheme") == "https"
    assert machine.answers()
    assert ask_here(machine, "/scheme") == "http"
    assert f"Giftpad is up at {lan_url(machine)}" in shown
    assert f"On this machine: http://localhost:{machine.port}" in shown
    assert read_picture(shown) == [lan_url(machine) + "/lan"]
    assert embedded_settings(Settings(home=machine.home.path)).public_address == lan_url(machine)
    assert f"phones     {lan_url(machine)}/lan" in machine.run("status").stdout
    for name in ("web", "web-lan", "relay", "scheduler", "jobs-1"):
        environment = Path(f"/proc/{machine.pid_of(name)}/environ").read_bytes().decode()
        told = dict(each.partition("=")[::2] for each in environment.split("\0") if each)
        assert f"https://{told['GIFTPAD_LAN_ADDRESS']}:{told['GIFTPAD_LAN_PORT']}" == lan_url(
            machine
        )


@pytest.mark.long
def test_down_ends_both_and_the_next_start_shows_the_same_certificate(lan_machine):
    lan_machine.up()
    folder = lan_machine.home.keys / "lan"
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    processes = lan_machine.processes()
    assert lan_machine.run("down").returncode == 0
    assert not any(each.is_alive for each in processes)
    lan_machine.up()
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    lan_machine.run("down")
    del lan_machine.variables["GIFTPAD_LAN_ADDRESS"]
    lan_machine.up()
    now = lan_machine.status()
    assert (now["address"], now["lan"]) == (f"http://localhost:{lan_machine.port}", "")
    assert "web-lan" not in [each["name"] for each in now["parts"]]


@pytest.mark.long
def test_a_killed_https_server_comes_back_while_the_other_goes_on(lan_machine):
    lan_machine.up()
    web = lan_machine.pid_of("web")
    os.kill(lan_machine.pid_of("web-lan"), signal.SIGKILL)
    lan_machine.wait_until_up(restarted=["web-lan"])
    assert ask_like_a_phone(lan_machine, "/readyz").isdigit()
    assert lan_machine.pid_of("web") == web


@pytest.mark.long
def test_an_https_server_that_hangs_makes_it_degraded(lan_machine):
    lan_machine.up()
    leader = lan_machine.pid_of("web-lan")
    os.killpg(leader, signal.SIGSTOP)
    try:
        assert lan_machine.status()["state"] == "degraded"
    finally:
        os.killpg(leader, signal.SIGCONT)
    lan_machine.wait_until_up()


def test_a_taken_port_for_phones_is_told_before_anything_starts(lan_machine):
    port = int(lan_machine.variables["GIFTPAD_LAN_PORT"])
    with socket.socket() as other:
        other.bind(("0.0.0.0", port))  # noqa: S104 - that is the case
        other.listen()
        refused = lan_machine.run("up", "--detach")
    assert refused.returncode == 12
    assert f"Port {port} is taken" in refused.stderr
    assert "--lan-port" in refused.stderr
    assert not lan_machine.home.state_file.exists()


def test_an_address_that_is_not_ours_is_refused_with_those_that_are(lan_machine):
    lan_machine.variables["GIFTPAD_LAN_ADDRESS"] = "10.98.76.54"
    refused = lan_machine.run("up", "--detach")
    if ADDRESS == "127.0.0.1":
        assert refused.returncode == 23
    else:
        assert refused.returncode == 24
        assert f"It has: {', '.join(lan.lan_addresses())}." in refused.stderr
    assert not lan_machine.home.state_file.exists()


def test_an_address_of_the_internet_is_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(lan, "_interfaces", lambda: [("eth0", "8.8.4.4"), ("eth1", "10.0.0.2")])
    with pytest.raises(LocalError) as refused:
        lan.prepare_lan(Settings(home=tmp_path, lan_address="8.8.4.4"))
    assert refused.value.exit_code == 24
    assert "It has: 10.0.0.2." in refused.value.message


def test_a_machine_in_no_network_is_told_so(monkeypatch):
    monkeypatch.setattr(lan, "_interfaces", lambda: [("lo", "127.0.0.1"), ("eth0", "8.8.4.4")])
    with pytest.raises(LocalError) as refused:
        with_lan(Settings())
    assert refused.value.exit_code == 23


def test_the_network_that_leads_out_comes_first(monkeypatch, tmp_path):
    found = [("lo", "127.0.0.1"), ("docker0", "172.17.0.1"), ("eth0", "10.0.0.2")]
    monkeypatch.setattr(lan, "_interfaces", lambda: [*found, ("wlan0", "192.168.1.5")])
    routes = tmp_path / "route"
    head = "Iface Destination Gateway Flags RefCnt Use Metric Mask\n"
    rows = ("eth0 00000000 0100000A 3 0 0 600 0", "wlan0 00000000 0101A8C0 3 0 0 100 0")
    routes.write_text(head + "\n".join((*rows, "docker0 000011AC 0 1 0 0 0 0")))
    monkeypatch.setattr(lan, "ROUTES", routes)
    assert lan.lan_addresses() == ["192.168.1.5", "10.0.0.2", "172.17.0.1"]
    assert with_lan(Settings()).public_address == "https://192.168.1.5:8443"
    assert with_lan(Settings(), address="10.0.0.2", port=9443).lan_url == "https://10.0.0.2:9443"
    monkeypatch.setattr(lan, "ROUTES", tmp_path / "none")
    assert lan.lan_addresses() == ["172.17.0.1", "10.0.0.2", "192.168.1.5"]


def test_the_kernel_is_asked_and_nobody_else():
    assert ("lo", "127.0.0.1") in list(lan._interfaces())


def test_a_public_url_that_is_set_wins_and_is_told(make_machine):
    settings = Settings(public_url="https://gift.example", lan_address="10.0.0.2")
    assert settings.public_address == "https://gift.example"
    assert "GIFTPAD_PUBLIC_URL" in lan._what_is_printed(settings)
    assert lan._what_is_printed(Settings(lan_address="10.0.0.2")).endswith("https://10.0.0.2:8443.")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"lan_address": "my-host"}, "GIFTPAD_LAN_ADDRESS is 'my-host'"),
        ({"lan_address": "10.0.0.2", "lan_port": 8000}, "and so is GIFTPAD_PORT"),
        ({"lan_port": 70000}, "GIFTPAD_LAN_PORT is 70000"),
    ],
)
def test_settings_that_cannot_be_are_refused_by_name(given, said):
    with pytest.raises(SettingsError, match=re.escape(said)):
        Settings(**given)


@pytest.mark.long
def test_the_whole_giftpad_serves_phones(make_machine, fresh_settings):
    command.downgrade(configuration(fresh_settings.database_owner_url), "base")
    machine = make_machine(GIFTPAD_KEK_FILE=fresh_settings.kek_file)
    machine.program = "giftpad.cli"
    machine.use(fresh_settings)
    words = ("--lan-address", ADDRESS) if ADDRESS == "127.0.0.1" else ("--lan",)
    port = str(free_port())
    machine.up(*words, "--lan-port", port)
    url = f"https://{ADDRESS}:{port}"
    assert machine.status()["lan"] == url
    ready = {"status": "ready", "database": "ready", "redis": "ready"}
    assert json.loads(ask_like_a_phone(machine, "/readyz")) == ready
    for ask in (ask_like_a_phone, ask_here):
        told = json.loads(ask(machine, "/.well-known/openid-configuration"))
        assert told["issuer"] == f"{url}/"
    cookie = ask_like_a_phone(machine, "/sign-in", "Set-Cookie")
    assert cookie.startswith("__Host-")
    assert "; Secure;" in cookie
