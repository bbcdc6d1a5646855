"""Clients, people and keys from the command line."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from giftpad import audit, identity, tenancy
from giftpad.cli import cli
from giftpad.kernel.errors import DomainError
from giftpad.kernel.ids import new_id
from giftpad.kernel.work import Scope, unit_of_work
from tests import make
from tests.make_clients import authorise
from tests.make_identity import work_of
from tests.make_sessions import TWO_STEPS, make_somebody, open_session

NAMES = ("database_url", "database_owner_url", "database_relay_url", "redis_url", "kek_file")


@pytest.fixture
def slug(scope):
    return tenancy.get_tenant(scope.tenant_id).slug


@pytest.fixture
def run(bound, monkeypatch):
    """Run one command and return its result."""
    for name in NAMES:
        monkeypatch.setenv(f"GIFTPAD_{name.upper()}", getattr(bound, name))

    def command(*words, typed=None):
        return CliRunner().invoke(cli, words, input=typed)

    return command


def test_a_client_is_made_once_and_can_ask_for_a_token(run, slug):
    words = ("client", "create", "--tenant", slug, "--name", "till")
    done = run(*words, "--permission", "payments:accept", "--json")
    assert done.exit_code == 0, done.output
    made = json.loads(done.output)
    assert set(made) == {"client_id", "client_secret"}
    granted = identity.authenticate_client(made["client_id"], made["client_secret"])
    assert granted.permissions == {"payments:accept"}
    listed = run("client", "list", "--tenant", slug)
    assert made["client_id"] in listed.output
    assert made["client_secret"] not in listed.output


def test_a_client_for_people_is_told_and_listed_with_what_a_library_asks_for(run, slug, scope):
    back = "http://localhost:3000/callback"
    words = ("client", "create", "--tenant", slug, "--type", "spa", "--name", "Town walk")
    refused = run(*words)
    assert isinstance(refused.exception, identity.ClientUnfit)
    assert "redirect URI" in refused.exception.params["reason"]
    done = run(*words, "--redirect-uri", back)
    assert done.exit_code == 0, done.output
    issuer, organization = identity.issuer(), tenancy.get_tenant(scope.tenant_id).org_id
    assert f"audience: {issuer.audience}\norganization: {organization}\n" in done.output
    assert "  spa  " in run("client", "list", "--tenant", slug).output
    (listed,) = json.loads(run("client", "list", "--tenant", slug, "--json").output)
    assert (listed["type"], listed["redirect_uris"], listed["api"]) == ("spa", [back], None)


@pytest.mark.parametrize("kind", ["web", "spa", "device"])
def test_an_app_is_asked_for_the_name_that_people_read(run, slug, kind):
    words = ("client", "create", "--tenant", slug, "--type", kind)
    back = () if kind == "device" else ("--redirect-uri", "https://app.example.jp/back")
    nameless = run(*words, *back)
    assert nameless.exit_code == 2
    assert "--name: people read it when they sign in" in nameless.output
    assert run("client", "list", "--tenant", slug).output == ""
    assert run(*words, *back, "--name", "Town walk").exit_code == 0
    machine = run("client", "create", "--tenant", slug)
    assert machine.exit_code == 0, machine.output


@pytest.mark.parametrize("name", ["", "  ", "\u3000", "n" * 201, "a\nb"])
def test_a_name_that_shows_nothing_or_too_much_is_refused(run, slug, name):
    words = ("create", "--tenant", slug, "--name", name)
    for done in (
        run("client", *words, "--permission", "payments:accept"),
        run("person", *words, "--email", "nobody@example.jp", "--role", "viewer"),
    ):
        assert done.exit_code != 0
        assert isinstance(done.exception, identity.NameUnfit) or "1 to 200" in done.output
    assert "nobody@" not in run("person", "list", "--tenant", slug).output


def test_a_client_is_bound_to_a_shop_by_number_or_id(run, scope, slug):
    from giftpad import shops

    shop_id = make.add_shop(scope)
    with unit_of_work(scope) as work:
        number = shops.get_shop(work, shop_id).number
    for given in (str(shop_id), number):
        done = run(
            *("client", "create", "--tenant", slug, "--name", "till", "--shop", given),
            *("--permission", "payments:accept", "--json"),
        )
        assert done.exit_code == 0, done.output
        made = json.loads(done.output)
        granted = identity.authenticate_client(made["client_id"], made["client_secret"])
        assert granted.shop_id == shop_id
    missing = run(
        *("client", "create", "--tenant", slug, "--name", "till", "--shop", str(new_id())),
        *("--permission", "payments:accept", "--json"),
    )
    assert missing.exit_code == 2
    assert "has no shop" in missing.output


def test_a_disabled_client_is_refused(run, slug):
    words = ("client", "create", "--tenant", slug, "--name", "till")
    made = json.loads(run(*words, "--permission", "payments:accept", "--json").output)
    assert run("client", "disable", "--tenant", slug, made["client_id"]).exit_code == 0
    with pytest.raises(identity.ClientRefused):
        identity.authenticate_client(made["client_id"], made["client_secret"])
    states = json.loads(run("client", "list", "--tenant", slug, "--json").output)
    assert [client["state"] for client in states] == ["disabled"]


def test_a_person_gets_a_password_that_works(run, slug):
    email = f"{new_id().hex}@midori.example"
    words = ("person", "create", "--tenant", slug, "--email", email, "--name", "花子")
    done = run(*words, "--role", "owner")
    assert done.exit_code == 0, done.output
    password = done.output.rpartition("Password: ")[2].strip()
    assert identity.verify_password(email, password)
    listed = run("person", "list", "--tenant", slug).output
    assert email in listed
    assert "owner" in listed


def test_a_known_address_is_given_a_role_only_when_that_was_meant(run, slug):
    email = f"{new_id().hex}@midori.example"
    stranger = make.make_tenant()
    other = tenancy.get_tenant(stranger.tenant_id).slug
    words = ("person", "create", "--email", email, "--name", "花子", "--role", "owner")
    assert run(*words, "--tenant", other).exit_code == 0
    refused = run(*words, "--tenant", slug)
    assert refused.exit_code == 1
    assert "--existing" in refused.output
    assert email not in run("person", "list", "--tenant", slug).output
    meant = run(*words, "--tenant", slug, "--existing")
    assert meant.exit_code == 0, meant.output
    assert "Password:" not in meant.output
    assert email in run("person", "list", "--tenant", slug).output


def test_a_password_can_be_typed_in(run, slug):
    email = f"{new_id().hex}@midori.example"
    words = ("person", "create", "--tenant", slug, "--email", email, "--name", "花子")
    done = run(*words, "--role", "viewer", "--password-stdin", typed="a long password\n")
    assert done.exit_code == 0, done.output
    assert "long password" not in done.output
    assert identity.verify_password(email, "a long password")


@pytest.mark.parametrize(
    "words",
    [
        ("client", "list", "--tenant", "nowhere"),
        ("client", "create", "--tenant", "nowhere", "--name", "x", "--permission", "shops:read"),
        ("client", "create", "--tenant", "platform", "--name", "x", "--permission", "shops:read"),
        ("client", "create", "--tenant", "x", "--name", "x", "--permission", "all:do"),
        ("person", "list", "--tenant", "nowhere"),
    ],
)
def test_wrong_usage_says_so(run, words):
    done = run(*words)
    assert done.exit_code == 2
    assert "Error" in done.output


def test_an_event_that_was_never_given_up_is_not_said_to_be_on_its_way(run):
    done = run("events", "redrive", "--event", str(new_id()))
    assert done.exit_code == 1
    assert "Nothing was given up" in done.output
    assert run("events", "redrive").exit_code == 0


def test_keys_are_listed_rotated_and_revoked(run, bound):
    identity.ensure_keys()
    assert run("keys", "rotate", "--now").exit_code == 0
    lines = [line.split() for line in run("keys", "list").output.splitlines()]
    current = next(line[0] for line in lines if line[1] == "current")
    assert run("keys", "revoke", current).exit_code == 0
    assert f"{current}  revoked" in run("keys", "list").output
    with work_of(tenancy_scope()) as work:
        assert [key.state for key in identity.list_keys(work)].count("current") == 1


def tenancy_scope():
    from giftpad.kernel.work import Scope

    return Scope(tenant_id=tenancy.PLATFORM_TENANT_ID)


def test_a_forgotten_password_is_replaced_and_old_sessions_are_over(run, slug, scope):
    email = f"{new_id().hex}@example.jp"
    words = ("person", "create", "--tenant", slug, "--name", "森", "--role", "owner")
    run(*words, "--email", email, "--password-stdin", typed="the first long word\n")
    signed = identity.sign_in(email, "the first long word", source="192.0.2.1")
    (membership,) = signed.memberships
    opened = identity.open_session(
        signed.person_id, scope.tenant_id, membership.id, methods=TWO_STEPS
    )
    done = run(
        "person", "set-password", "--email", email, "--password-stdin", typed="the second one\n"
    )
    assert done.exit_code == 0, done.output
    with pytest.raises(identity.SessionOver):
        identity.renew_session(opened.session_id, opened.secret)
    with pytest.raises(identity.SignInRefused):
        identity.sign_in(email, "the first long word", source="192.0.2.1")
    assert identity.sign_in(email, "the second one", source="192.0.2.1").person_id


def test_a_role_is_taken_away_and_the_others_stay(run, slug, scope):
    email, word = f"{new_id().hex}@example.jp", "a long word of theirs"
    words = ("person", "create", "--tenant", slug, "--email", email, "--name", "森", "--role")
    assert run(*words, "viewer", "--password-stdin", typed=f"{word}\n").exit_code == 0
    assert run(*words, "support", "--existing").exit_code == 0
    signed = identity.sign_in(email, word, source="192.0.2.2")
    (viewer,) = [found for found in signed.memberships if found.role == "viewer"]
    opened = identity.open_session(signed.person_id, scope.tenant_id, viewer.id)
    remove = ("person", "remove", "--tenant", slug, "--email", f" {email.upper()}", "--role")
    assert run(*remove, "viewer").exit_code == 0
    with pytest.raises(identity.SessionOver):
        identity.renew_session(opened.session_id, opened.secret)
    assert [found.role for found in identity.list_memberships(signed.person_id)] == ["support"]
    again = run(*remove, "viewer")
    assert again.exit_code == 2
    assert "is not viewer of" in again.output


def test_nobody_gets_a_password_by_an_unknown_address(run):
    done = run("person", "set-password", "--email", f"{new_id().hex}@example.jp")
    assert done.exit_code != 0
    assert "Password" not in done.output


@pytest.fixture
def somebody(scope):
    """Somebody with two browsers and an app."""
    found = make_somebody(scope, "viewer")
    open_session(found)
    opened = open_session(found)
    session = identity.find_session(found.person_id, opened.session_id)
    authorise(scope, found.person_id, session)
    return found


def test_where_somebody_is_signed_in_is_told_with_ids(run, slug, somebody):
    told = json.loads(run("person", "sessions", somebody.email, "--json").output)
    assert [(each["kind"], each["tenant"]) for each in told] == [
        ("browser", slug),
        ("browser", slug),
        ("app", slug),
    ]
    shown = run("person", "sessions", somebody.email.upper()).output
    assert all(each["id"] in shown for each in told)
    assert somebody.email in run("person", "list", "--tenant", slug, "--json").output


def test_one_browser_or_one_app_is_signed_out_and_the_others_stay(run, somebody):
    def told():
        return json.loads(run("person", "sessions", somebody.email, "--json").output)

    first, second, app = told()
    done = run("person", "sign-out", somebody.email, "--session", app["id"])
    assert (done.exit_code, "1 signed out" in done.output) == (0, True), done.output
    assert {each["id"] for each in told()} == {first["id"], second["id"]}
    assert run("person", "sign-out", somebody.email, "--session", first["id"]).exit_code == 0
    assert [each["id"] for each in told()] == [second["id"]]


def test_a_lost_tablet_is_answered_by_signing_out_everywhere(run, somebody):
    opened = open_session(somebody)
    done = run("person", "sign-out", somebody.email)
    assert (done.exit_code, "4 signed out" in done.output) == (0, True), done.output
    with pytest.raises(identity.SessionOver):
        identity.renew_session(opened.session_id, opened.secret)
    assert run("person", "sessions", somebody.email).output.endswith("signed in nowhere.\n")
    (entry,) = [
        each
        for each in platform_entries("session.revoked")
        if each.subject == f"person:{somebody.person_id}"
    ]
    assert entry.actor["id"] == "cli"


def test_nobody_and_what_is_not_theirs_are_refused_in_a_sentence(run, scope, somebody):
    other = open_session(make_somebody(scope, "viewer"))
    for words in (
        ("sessions", "nobody@example.jp"),
        ("sign-out", "nobody@example.jp"),
        ("sign-out", "no address"),
        ("sign-out", somebody.email, "--session", str(other.session_id)),
    ):
        done = run("person", *words)
        assert (done.exit_code, isinstance(done.exception, DomainError)) == (1, True), words
    assert run("person", "sign-out", somebody.email, "--session", "x").exit_code == 2
    assert identity.renew_session(other.session_id, other.secret)


def platform_entries(action):
    with unit_of_work(Scope(tenant_id=tenancy.PLATFORM_TENANT_ID)) as work:
        return audit.list_entries(work, audit.EntryFilter(actions=(action,)))
