"""The switches from the command line: what they say, what they refuse, what the record keeps."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import pytest
from click.testing import CliRunner

from giftpad import audit, guard, tenancy
from giftpad.cli import cli
from giftpad.kernel.errors import DomainError
from giftpad.kernel.work import Scope, unit_of_work
from tests import make

NAMES = ("database_url", "database_owner_url", "database_relay_url", "redis_url", "kek_file")
PLATFORM = Scope(tenant_id=tenancy.PLATFORM_TENANT_ID, actor=make.TILL)


@pytest.fixture
def run(house, settings, monkeypatch):
    """Run one command and return its result; afterwards everything is open and on."""
    make.make_tenant()
    for name in NAMES:
        monkeypatch.setenv(f"GIFTPAD_{name.upper()}", getattr(settings, name))
    yield lambda *words: CliRunner().invoke(cli, words)
    with unit_of_work(PLATFORM) as work:
        guard.open_share(work, guard.GROUPS, reason="the test is over")
        for name in guard.FEATURES:
            guard.switch_feature(work, name, on=True, reason="the test is over")
    guard.forget_switches()


def newest_entry():
    with unit_of_work(PLATFORM) as work:
        return audit.list_entries(work, audit.EntryFilter(limit=1))[0]


def test_the_share_is_set_and_shown_and_recorded(run):
    done = run("admission", "set", "--share", "16/64", "--reason", "the sale begins")
    assert (done.exit_code, done.output) == (
        0,
        "16/64 groups are let in; it was 64/64\n",
    )
    shown = run("admission", "show").output
    assert shown.startswith("16/64 groups are let in  since ")
    assert shown.endswith("by cli: the sale begins\n")
    told = json.loads(run("admission", "show", "--json").output)
    assert datetime.fromisoformat(told.pop("since")).utcoffset() == timedelta(0)
    assert told == {"share": 16, "groups": 64, "by": "cli", "reason": "the sale begins"}
    entry = newest_entry()
    assert (entry.action, entry.subject) == ("admission.set", "switch:admission")
    assert entry.details == {"share": 16, "before": 64, "reason": "the sale begins"}
    assert run("admission", "set", "--share", "64", "--reason", "over").exit_code == 0


def test_a_feature_is_switched_and_listed_and_recorded(run):
    assert run("feature", "off", "exports", "--reason", "the sale").output == "exports is off\n"
    listed = run("feature", "list").output.splitlines()
    assert len(listed) == len(guard.FEATURES)
    assert next(line for line in listed if line.startswith("exports")).split()[1] == "off"
    told = [json.loads(line) for line in run("feature", "list", "--json").output.splitlines()]
    exports = next(each for each in told if each["name"] == "exports")
    assert (exports["state"], exports["by"], exports["reason"]) == ("off", "cli", "the sale")
    assert datetime.fromisoformat(exports["since"]).utcoffset() == timedelta(0)
    assert newest_entry().action == "feature.off"
    assert run("feature", "on", "exports", "--reason", "over").output == "exports is on\n"
    states = [json.loads(line) for line in run("feature", "list", "--json").output.splitlines()]
    assert {each["state"] for each in states} == {"on"}
    assert newest_entry().action == "feature.on"


@pytest.mark.parametrize(
    "words",
    [
        ("admission", "set", "--share", "65/64", "--reason", "a slip"),
        ("admission", "set", "--share", "0", "--reason", "a slip"),
        ("admission", "set", "--share", "16/32", "--reason", "a slip"),
        ("admission", "set", "--share", "many", "--reason", "a slip"),
        ("admission", "set", "--share", "16/64", "--reason", " "),
        ("admission", "set", "--share", "16/64", "--reason", "x" * 501),
        ("admission", "set", "--share", "16/64"),
        ("feature", "off", "payments", "--reason", "a slip"),
        ("feature", "off", "exports"),
        ("feature", "on", "exports", "--reason", ""),
    ],
)
def test_a_slip_of_the_hand_switches_nothing(run, words):
    done = run(*words)
    assert done.exit_code == 2 or isinstance(done.exception, DomainError)
    with unit_of_work(PLATFORM) as work:
        assert guard.read_switches(work) == guard.Switches()
