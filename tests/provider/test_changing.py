"""Changing a client: what is new counts from the next request on, and what was does not."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from click.testing import CliRunner

from giftpad import audit, identity
from giftpad.cli import cli
from giftpad.kernel.ids import new_id
from giftpad.kernel.work import Scope, unit_of_work
from tests import make
from tests.make_provider import AWAY, HOME, make_client, sign_in_for

NAMES = ("database_url", "database_owner_url", "database_relay_url", "redis_url", "kek_file")
NEW_HOME = "https://walk.example.jp/back"


@pytest.fixture
def change(site, settings, monkeypatch):
    """Change a client of the town by the command line, and return the result."""
    for name in NAMES:
        monkeypatch.setenv(f"GIFTPAD_{name.upper()}", str(getattr(settings, name)))

    def command(relying, *words):
        given = ("client", "change", relying.client_id, "--tenant", site.slug, *words)
        return CliRunner().invoke(cli, given)

    return command


def done(result):
    """Assert that a change was made, and return what it said."""
    assert result.exit_code == 0, (result.output, result.exception)
    return result.output


def ask_secretly(relying):
    """Return the status with which a machine's secret is answered."""
    return relying.ask(grant_type="client_credentials").status_code


def registered(site, relying):
    return identity.list_registrations(site.scope.tenant_id)[relying.client_id]


def test_people_come_back_to_the_new_address_and_to_the_old_one_no_more(site, spa, change):
    browser = site.person("owner")
    code = spa.code(browser)
    assert done(change(spa, "--redirect-uri", NEW_HOME)) == f"{spa.client_id} is changed.\n"
    old = browser.get(spa.address())
    assert (old.status_code, "Location" in old.headers) == (400, False)
    moved = replace(spa, redirect_uri=NEW_HOME)
    tokens = moved.tokens(browser)
    assert spa.userinfo(tokens["access_token"]).status_code == 200
    assert spa.exchange(code).status_code == 200  # who was on the way arrives
    assert registered(site, spa).logout_uris == (AWAY,)


def test_scripts_call_from_the_new_address_and_from_what_was_named_itself(site, change):
    asked = ("https://a.example.jp", "https://b.example.jp")
    relying = make_client(site, origins=asked[:1])
    done(change(relying, "--redirect-uri", NEW_HOME))
    assert registered(site, relying).origins == (asked[0], "https://walk.example.jp")
    done(change(relying, "--origin", asked[1]))
    assert registered(site, relying).origins == (asked[1], "https://walk.example.jp")
    done(change(relying, "--origin", ""))
    assert registered(site, relying).origins == ("https://walk.example.jp",)


def test_the_new_name_is_what_people_read(site, spa, change):
    done(change(spa, "--name", " みどり散歩 "))
    page = sign_in_for(spa, site.new_person("owner"), site.nobody())
    assert page.status_code == 303
    listed = {each.client_id: each.name for each in clients_of(site.scope)}
    assert listed[spa.client_id] == "みどり散歩"
    assert "みどり散歩" in site.nobody().get(spa.address(), follow_redirects=True).text


def clients_of(scope):
    with unit_of_work(scope) as work:
        return identity.list_clients(work)


@pytest.mark.parametrize("kind", ["web", "machine"])
def test_a_new_secret_is_shown_once_and_the_old_one_is_over(site, change, kind):
    relying = make_client(site, kind)
    said = done(change(relying, "--new-secret"))
    assert "The old one is refused already." in said
    fresh = said.partition("client_secret: ")[2].split("\n")[0]
    assert fresh not in ("", relying.client_secret)
    renewed = replace(relying, client_secret=fresh)
    if kind == "machine":
        assert (ask_secretly(relying), ask_secretly(renewed)) == (401, 200)
    else:
        browser = site.person("owner")
        assert relying.exchange(relying.code(browser)).status_code == 401
        assert renewed.exchange(renewed.code(browser)).status_code == 200
    shown = json.loads(done(change(relying, "--new-secret", "--json")))
    assert set(shown) == {"client_id", "client_secret"}
    last = replace(relying, client_secret=shown["client_secret"])
    with pytest.raises(identity.ClientRefused):
        identity.authenticate_client(relying.client_id, fresh)
    assert identity.authenticate_client(last.client_id, last.client_secret)
    assert json.loads(done(change(relying, "--name", "x", "--json"))) == {
        "client_id": relying.client_id
    }


def test_who_is_signed_in_stays_so(site, web, change):
    tokens = web.tokens(site.person("owner"))
    shown = json.loads(done(change(web, "--new-secret", "--redirect-uri", NEW_HOME, "--json")))
    renewed = replace(web, client_secret=shown["client_secret"])
    assert web.refresh(tokens["refresh_token"]).status_code == 401
    assert renewed.refresh(tokens["refresh_token"]).status_code == 200


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("machine", ("--redirect-uri", HOME)),
        ("device", ("--redirect-uri", HOME)),
        ("machine", ("--logout-uri", AWAY)),
        ("device", ("--logout-uri", AWAY)),
        ("machine", ("--origin", "https://app.example.jp")),
        ("spa", ("--new-secret",)),
        ("device", ("--new-secret",)),
        ("web", ("--redirect-uri", "")),
        ("spa", ("--redirect-uri", "http://walk.example.jp/back")),
        ("web", ("--logout-uri", "https://walk.example.jp/#x")),
        ("spa", ("--origin", "https://walk.example.jp/path")),
        ("spa", ("--name", " ")),
    ],
)
def test_what_does_not_fit_the_type_is_refused_and_nothing_changes(site, change, kind, words):
    relying = make_client(site, kind)
    before = registered(site, relying)
    refused = change(relying, *words, "--name", *(words[1:] if words[0] == "--name" else ("x",)))
    assert refused.exit_code == 1
    fitting = (identity.ClientUnfit, identity.AddressUnfit, identity.NameUnfit)
    assert isinstance(refused.exception, fitting)
    assert registered(site, relying) == before
    (view,) = [each for each in clients_of(site.scope) if each.client_id == relying.client_id]
    assert view.name == "まち歩きアプリ"


def test_a_client_of_nobody_of_another_town_or_disabled_is_not_changed(site, spa, change):
    unknown = replace(spa, client_id=new_id().hex)
    assert isinstance(change(unknown, "--name", "x").exception, identity.ClientNotFound)
    elsewhere = Scope(tenant_id=make.make_tenant().tenant_id)
    theirs = identity.create_client(elsewhere, identity.NewClient(name="till"))
    stranger = replace(spa, client_id=theirs.client_id)
    assert isinstance(change(stranger, "--new-secret").exception, identity.ClientNotFound)
    assert identity.authenticate_client(theirs.client_id, theirs.client_secret)
    nothing = change(spa)
    assert nothing.exit_code == 2
    assert "Say what is to change" in nothing.output
    identity.disable_client(site.scope, spa.client_id)
    assert isinstance(change(spa, "--name", "x").exception, identity.ClientDisabled)


def test_a_change_is_on_record_without_the_secret(site, web, change):
    said = done(change(web, "--new-secret", "--origin", "https://a.example.jp"))
    secret = said.partition("client_secret: ")[2].split("\n")[0]
    with unit_of_work(site.scope) as work:
        asked = audit.EntryFilter(actions=("client.changed",))
        (entry,) = audit.list_entries(work, asked)
    assert entry.subject == f"client:{web.client_id}"
    assert entry.details == {"fields": ["origins", "secret"]}
    assert entry.actor["id"] == "cli"
    assert secret not in repr(entry)
    assert secret not in repr(identity.Credentials(client_id="x", client_secret=secret))
