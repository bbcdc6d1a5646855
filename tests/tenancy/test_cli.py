"""Packs are checked, applied and listed by command; an empty installation gets its people."""

from __future__ import annotations

import json
import stat

import pytest
from click.testing import CliRunner

from giftpad import identity, programmes, reporting, shops, tenancy
from giftpad.cli.prepare import prepare
from giftpad.cli.tenant import tenant
from giftpad.kernel.seal import KeyUnreadable
from giftpad.kernel.work import Scope, unit_of_work
from tests.make_packs import HOUSE, change, copy_pack

NAMES = (
    "home",
    "database_url",
    "database_owner_url",
    "database_relay_url",
    "redis_url",
    "kek_file",
)


@pytest.fixture
def run(fresh_settings, database, monkeypatch):
    """Run a command against a database of its own; return its exit code and its output."""
    for name in NAMES:
        if value := getattr(fresh_settings, name):
            monkeypatch.setenv(f"GIFTPAD_{name.upper()}", str(value))

    def call(command, *arguments):
        result = CliRunner().invoke(command, arguments)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return call


def test_a_good_pack_is_good_and_a_broken_one_is_told_with_exit_code_1(run, tmp_path):
    assert "midori-city: good" in run(tenant, "check").output
    folder = copy_pack(tmp_path)
    change(folder, "tenant.toml", 'kind = "municipal"', 'kind = "town"')
    broken = run(tenant, "check", str(folder))
    assert broken.exit_code == 1
    assert 'midori-city/tenant.toml:4: "kind" is "town". Write one of:' in broken.stderr
    assert run(tenant, "apply", str(folder)).exit_code == 1


def test_apply_needs_names_or_all(run):
    assert run(tenant, "apply").exit_code == 2
    assert run(tenant, "apply", "hanamaru", "--all").exit_code == 2


def test_one_broken_pack_keeps_all_of_a_call_out(run, tmp_path):
    folder = copy_pack(tmp_path, slug="hanamaru")
    (folder / "shops.csv").unlink()
    (folder / "tenant.toml").write_text("x", encoding="utf-8")
    refused = run(tenant, "apply", "midori-city", str(folder))
    assert refused.exit_code == 1
    assert "Nothing was applied" in refused.stderr
    assert run(tenant, "list").output == ""


def test_a_key_that_opens_nothing_here_is_told_in_a_sentence(run, tmp_path, monkeypatch):
    assert run(prepare).exit_code == 0
    other = tmp_path / "other"
    other.write_bytes(b"o" * 32)
    monkeypatch.setenv("GIFTPAD_KEK_FILE", str(other))
    with pytest.raises(KeyUnreadable, match="does not open the keys that this database keeps"):
        run(prepare)


def test_packs_are_applied_and_listed(run):
    assert run(prepare).exit_code == 0
    again = run(tenant, "apply", "--all")
    assert again.output.splitlines() == ["hanamaru: unchanged", "midori-city: unchanged"]
    listed = [json.loads(line) for line in run(tenant, "list", "--json").output.splitlines()]
    assert [(t["slug"], t["kind"]) for t in listed] == [
        ("hanamaru", "corporate"),
        ("midori-city", "municipal"),
    ]


def test_an_empty_installation_gets_its_people_once(run, fresh_settings):
    first = run(prepare, "--demo")
    file = fresh_settings.home / "demo.json"
    demo = json.loads(file.read_text(encoding="utf-8"))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert demo["password"] in first.output
    assert all(person["email"] in first.output for person in demo["people"])
    again = run(prepare, "--demo")
    assert demo["password"] not in again.output
    assert json.loads(file.read_text(encoding="utf-8")) == demo
    town = tenancy.find_tenant_by_slug("midori-city")
    scope = Scope(tenant_id=town.id)
    members = {member.role: member for member in identity.list_members(scope)}
    assert len(members) == 7
    with unit_of_work(scope) as work:
        assert members["clerk"].shop_id == shops.find_shop_id(work, "1001")
        assert programmes.list_programmes(work).items[0].slug == "kurashi"


def test_a_crash_between_two_people_is_made_good_with_the_same_password(
    run, fresh_settings, monkeypatch
):
    create, made = identity.create_person, []

    def crash_at_the_third(scope, new):
        made.append(new)
        if len(made) == 3:
            raise ConnectionAbortedError
        return create(scope, new)

    monkeypatch.setattr(identity, "create_person", crash_at_the_third)
    with pytest.raises(ConnectionAbortedError):
        run(prepare, "--demo")
    monkeypatch.setattr(identity, "create_person", create)
    finished = run(prepare, "--demo")
    demo = json.loads((fresh_settings.home / "demo.json").read_text(encoding="utf-8"))
    assert demo["password"] in finished.output
    assert {new.password for new in made} == {demo["password"]}
    tenants = [tenancy.find_tenant_by_slug(slug) for slug in ("hanamaru", "midori-city")]
    assert [len(identity.list_members(Scope(tenant_id=t.id))) for t in tenants] == [7, 7]


def test_each_start_asks_every_tenant_whether_figures_are_missing(run, monkeypatch):
    run(prepare)
    asked = []

    def catch_up(work):
        asked.append(work.tenant_id)
        return 3

    monkeypatch.setattr(reporting, "catch_up", catch_up)
    assert "midori-city: daily figures made from the books, 3 rows" in run(prepare).output
    assert sorted(asked) == sorted(each.id for each in tenancy.list_tenants())


def test_an_installation_with_people_of_its_own_gets_no_others(run, fresh_settings):
    run(prepare)
    town = tenancy.find_tenant_by_slug("midori-city")
    own = identity.NewPerson(
        email="own@town.example", name="自分", role="owner", password="correct horse battery"
    )
    identity.create_person(Scope(tenant_id=town.id), own)
    assert run(prepare, "--demo").exit_code == 0
    assert not (fresh_settings.home / "demo.json").exists()
    assert len(identity.list_members(Scope(tenant_id=town.id))) == 1


def test_packs_hold_data_only():
    assert [path for path in HOUSE.rglob("*") if path.suffix in {".py", ".sh", ".js"}] == []
