"""Connections from the command line, and what a provider may say of itself."""

from __future__ import annotations

import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest
from click.testing import CliRunner

from giftpad import identity, tenancy
from giftpad.cli import cli
from giftpad.identity.adapters import OutsideUnread, bind_inner_hosts, calls
from giftpad.identity.models import ConnectionRow
from giftpad.kernel.work import Scope, unit_of_work
from tests import make
from tests.make_idp import CLIENT_ID, SECRET, Way, connect, link
from tests.make_pages import PASSWORD

NAMES = ("database_url", "database_owner_url", "database_relay_url", "redis_url", "kek_file")


@pytest.fixture
def scope(house, settings) -> Scope:
    found = Scope(tenant_id=make.make_tenant().tenant_id)
    identity.bind_issuer(settings.issuer)
    return found


@pytest.fixture
def slug(scope) -> str:
    return tenancy.get_tenant(scope.tenant_id).slug


@pytest.fixture
def run(scope, settings, monkeypatch):
    """Run one command and return its result."""
    for name in NAMES:
        monkeypatch.setenv(f"GIFTPAD_{name.upper()}", str(getattr(settings, name)))

    def command(*words, typed=None):
        return CliRunner().invoke(cli, ["connection", *words], input=typed)

    return command


def _words(slug, idp, *more):
    given = ("--tenant", slug, "--name", "市役所", "--issuer", idp.address)
    return ("create", *given, "--client-id", CLIENT_ID, *more)


def test_a_connection_is_made_listed_checked_and_disabled(run, slug, idp):
    done = run(*_words(slug, idp, "--secret-stdin", "--json"), typed=f"{SECRET}\n")
    assert done.exit_code == 0, done.output
    made = json.loads(done.output)
    assert made["redirect_uri"].endswith("/sign-in/back")
    assert made["sign_in"].endswith(f"/sign-in?org={slug}")
    assert (made["secret_in"], made["algorithms"]) == ("header", ["RS256"])
    assert SECRET not in done.output
    listed = run("list", "--tenant", slug, "--json")
    assert [each["id"] for each in json.loads(listed.output)] == [made["id"]]
    assert run("check", "--tenant", slug, made["id"]).output.endswith("It fits.\n")
    assert run("disable", "--tenant", slug, made["id"]).exit_code == 0
    assert "disabled" in run("list", "--tenant", slug).output
    assert run("check", "--tenant", slug, made["id"]).exit_code != 0
    assert run("disable", "--tenant", slug, made["id"]).exit_code != 0


def test_the_same_client_of_a_provider_gets_no_second_button(run, slug, idp, scope):
    first = json.loads(run(*_words(slug, idp, "--json")).output)
    again = run(*_words(slug, idp, "--name", "もう一つ"))
    assert isinstance(again.exception, identity.ConnectionExists)
    assert "by the button 市役所" in str(again.exception)
    assert [each.id for each in identity.list_connections(scope)] == [UUID(first["id"])]
    assert run(*_words(slug, idp, "--client-id", "another")).exit_code == 0
    assert connect(Scope(tenant_id=make.make_tenant().tenant_id), idp).issuer == idp.address
    assert run("disable", "--tenant", slug, first["id"]).exit_code == 0
    assert run(*_words(slug, idp)).exit_code == 0


def test_two_at_once_make_one_connection(scope, idp):
    with ThreadPoolExecutor(4) as pool:
        tries = [pool.submit(connect, scope, idp) for _ in range(4)]
    faults = [each.exception() for each in tries]
    assert [type(fault) for fault in faults if fault] == [identity.ConnectionExists] * 3
    assert len(identity.list_connections(scope)) == 1


def test_the_secret_lies_sealed(scope, idp):
    made = connect(scope, idp)
    with unit_of_work(scope) as work:
        row = work.session.get(ConnectionRow, (work.tenant_id, made.id))
        assert SECRET.encode() not in row.secret_sealed
    assert SECRET not in repr(made)


def test_where_the_secret_goes_is_as_the_provider_reads_it(site, idp):
    idp.metadata = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    connection = connect(site.scope, idp)
    answered = link(site.sign_in(site.new_person("owner")), idp, connection.id, PASSWORD)
    assert answered.status_code == 303
    assert idp.forms[-1]["client_secret"] == SECRET
    assert idp.authorizations[-1] == ""
    identity.disable_connection(site.scope, connection.id)
    public = connect(site.scope, idp, secret=None)
    answered = link(site.sign_in(site.new_person("owner")), idp, public.id, PASSWORD)
    assert answered.status_code == 303
    assert idp.forms[-1]["client_id"] == CLIENT_ID
    assert "client_secret" not in idp.forms[-1]


def test_an_issuer_that_lies_about_its_name_is_not_connected(scope, idp):
    for named in (idp.address + "/", "https://other.example"):
        idp.named = named
        with pytest.raises(identity.ProviderUnfit, match="another name"):
            connect(scope, idp)
    assert identity.list_connections(scope) == []


@pytest.mark.parametrize("name", ["authorization_endpoint", "token_endpoint", "jwks_uri"])
@pytest.mark.parametrize(
    "address", ["https://elsewhere.example/x", "ftp://127.0.0.1/", "javascript:alert(1)", "", 7]
)
def test_a_provider_on_this_machine_names_endpoints_on_it_only(scope, idp, name, address):
    idp.metadata = {name: address}
    with pytest.raises(identity.ProviderUnfit):
        connect(scope, idp)


@pytest.mark.parametrize(
    "issuer",
    [
        "http://login.example",
        "https://login.example:22/",
        "https://user@login.example/",
        "https://login.example/?x=1",
        "https://login.example/#x",
        "login.example",
        "https://login.exa mple",
        "https://[::1",
    ],
)
def test_what_is_no_issuer_is_refused_before_anybody_is_asked(scope, idp, issuer):
    with pytest.raises(identity.ConnectionUnfit):
        connect(scope, idp, issuer=issuer)


@pytest.mark.parametrize(
    "changes",
    [
        {"algorithms": ("HS256", "RS256")},
        {"algorithms": ("HS256",), "secret": "too short"},
        {"algorithms": ("HS256",), "secret": None},
        {"algorithms": ("none",)},
        {"algorithms": ()},
        {"client_id": "a b"},
        {"secret": "two\nlines"},
        {"scopes": ("a b",)},
        {"secret_in": "address"},
    ],
)
def test_what_does_not_fit_together_is_refused(scope, idp, changes):
    with pytest.raises(identity.ConnectionUnfit):
        connect(scope, idp, **changes)
    assert idp.asked == []


def test_endpoints_are_those_remembered_until_somebody_renews_them(run, slug, site, idp):
    connection = connect(site.scope, idp)
    idp.metadata = {"token_endpoint": idp.address + "/elsewhere"}
    browser = site.sign_in(site.new_person("owner"))
    assert link(browser, idp, connection.id, PASSWORD).status_code == 303
    where = ("--tenant", site.slug, str(connection.id))
    done = run("check", *where)
    assert done.exit_code == 1
    assert "it has moved" in done.output
    assert run("check", *where, "--renew").exit_code == 0
    found = identity.find_connection(site.scope.tenant_id, connection.id)
    assert found.token_endpoint == idp.address + "/elsewhere"


def test_check_says_what_does_not_fit(run, slug, scope, idp):
    made = connect(scope, idp)
    idp.algorithm = "HS256"
    shown = json.loads(run("check", "--tenant", slug, str(made.id), "--json").output)
    assert shown["faults"] == ["it does not say that it signs by RS256"]
    assert shown["keys"] == ["first", "curve"]
    idp.close()
    assert run("check", "--tenant", slug, str(made.id)).exit_code == 1


def test_a_new_secret_keeps_the_links(run, slug, site, idp):
    idp.algorithm = "HS256"
    connection = connect(site.scope, idp, secret="an old secret of 32 bytes or more")
    where = ("--tenant", site.slug, str(connection.id))
    browser = site.sign_in(site.new_person("owner"))
    assert link(browser, idp, connection.id, PASSWORD).status_code == 400
    assert run("secret", *where, typed="short\n").exit_code != 0
    assert run("secret", *where, typed=f"{SECRET}\n").exit_code == 0
    assert link(browser, idp, connection.id, PASSWORD).status_code == 303
    way = Way(browser=site.nobody(), slug=site.slug, connection=connection)
    assert way.through(idp).status_code == 303


INSIDE = [
    "10.0.0.8",
    "192.168.1.1",
    "172.16.0.1",
    "100.64.0.1",
    "169.254.169.254",
    "127.0.0.1",
    "0.0.0.0",  # noqa: S104 - an address to be refused
    "::1",
    "fe80::1%1",
    "fd00::1",
    "::ffff:10.0.0.8",
    "64:ff9b::a00:8",
    "2002:a00:8::1",
    "224.0.0.1",
]


@pytest.mark.parametrize("address", INSIDE)
def test_a_public_name_that_leads_into_this_network_is_not_followed(monkeypatch, address):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    public = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("1.1.1.1", 443))
    found = [public, (family, socket.SOCK_STREAM, 6, "", (address, 443))]
    monkeypatch.setattr(calls.socket, "getaddrinfo", lambda *_, **__: found)
    connected = []
    monkeypatch.setattr(calls, "_connect", lambda *given: connected.append(given))
    with pytest.raises(OutsideUnread, match="private network"):
        calls.ask_json("https://login.example/", time.monotonic() + 1, may_be_inside=False)
    assert connected == []


def test_a_name_that_the_installation_lists_may_lie_inside(monkeypatch):
    inner = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.8", 443))]
    monkeypatch.setattr(calls.socket, "getaddrinfo", lambda *_, **__: inner)

    def refuse(*_):
        raise ConnectionRefusedError

    monkeypatch.setattr(calls, "_connect", refuse)
    bind_inner_hosts("sso.town.example, login.town.example")
    try:
        from giftpad.identity.adapters import read_provider

        with pytest.raises(OutsideUnread, match="ConnectionRefusedError"):
            read_provider("https://login.town.example")
        with pytest.raises(OutsideUnread, match="private network"):
            read_provider("https://other.town.example")
    finally:
        bind_inner_hosts("")
