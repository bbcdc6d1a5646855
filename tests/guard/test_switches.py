"""Whose turn it is, what is switched off: the same everywhere, fair, known without asking."""

from __future__ import annotations

import math
from collections import Counter

import pytest

from giftpad import guard, tenancy
from giftpad.guard import queries
from giftpad.guard.rules import SPREAD_S
from giftpad.kernel.db import DatabaseAway
from giftpad.kernel.work import Scope, unit_of_work
from tests import make

PLATFORM = Scope(tenant_id=tenancy.PLATFORM_TENANT_ID, actor=make.TILL)
SHARES = (1, 2, 3, 7, 16, 20, 32, 63, 64)
SOME_WINDOW = 14_700_000


@pytest.fixture
def platform(house):
    make.make_tenant()
    yield PLATFORM
    with unit_of_work(PLATFORM) as work:
        guard.open_share(work, guard.GROUPS, reason="the test is over")
        for name in guard.FEATURES:
            guard.switch_feature(work, name, on=True, reason="the test is over")
    guard.forget_switches()


@pytest.mark.parametrize("share", SHARES)
def test_so_many_groups_are_open_as_the_share_says(share):
    for window in range(SOME_WINDOW, SOME_WINDOW + 130):
        assert sum(guard.is_open(group, window, share) for group in range(guard.GROUPS)) == share


@pytest.mark.parametrize("share", SHARES)
def test_every_group_has_had_its_turn_before_any_waits_longer(share):
    lap = math.ceil(guard.GROUPS / share)
    for first in range(SOME_WINDOW, SOME_WINDOW + guard.GROUPS):
        for group in range(guard.GROUPS):
            turns = [guard.is_open(group, w, share) for w in range(first, first + lap)]
            assert any(turns), (group, first)


@pytest.mark.parametrize("share", SHARES)
def test_the_turn_that_is_told_is_the_next_one(share):
    for window in range(SOME_WINDOW, SOME_WINDOW + guard.GROUPS):
        for group in range(guard.GROUPS):
            away = guard.windows_until_open(group, window, share)
            opens = [guard.is_open(group, w, share) for w in range(window, window + away + 1)]
            assert opens == [False] * away + [True]


def test_devices_fall_into_groups_evenly_and_nobody_without_the_secret_knows_which():
    devices = [f"203.0.113.{number}" for number in range(6400)]
    places = [guard.place_of(b"secret", device) for device in devices]
    counts = Counter(place.group for place in places)
    assert len(counts) == guard.GROUPS
    assert min(counts.values()) > 50
    assert max(counts.values()) < 160
    assert {place.spread_s for place in places} == set(range(SPREAD_S))
    others = [guard.place_of(b"another", device).group for device in devices]
    same = sum(a.group == b for a, b in zip(places, others, strict=True))
    assert same < len(devices) / 20


def test_everything_is_open_and_on_before_anybody_switches(platform):
    guard.forget_switches()
    assert guard.switches() == guard.Switches(share=guard.GROUPS, off=frozenset())
    assert not any(guard.is_off(name) for name in guard.FEATURES)


def test_another_process_knows_what_was_switched(platform):
    with unit_of_work(platform) as work:
        guard.open_share(work, 16, reason="the sale begins")
        guard.switch_feature(work, "exports", on=False, reason="the sale begins")
    assert guard.switches().share == guard.GROUPS  # until it is read, nothing is known of it
    guard.refresh_switches(platform)
    assert guard.switches() == guard.Switches(share=16, off=frozenset({"exports"}))
    assert guard.is_off("exports")
    with unit_of_work(platform) as work:
        guard.switch_feature(work, "exports", on=True, reason="it is over")
        views = {view.name: view for view in guard.list_switches(work)}
    assert (views["exports"].reason, views["exports"].set_by) == ("it is over", "till")
    guard.refresh_switches(platform)
    assert not guard.is_off("exports")


def test_what_is_known_is_not_read_again_so_soon(platform, monkeypatch):
    guard.refresh_switches(platform)

    def fail(work):
        raise AssertionError

    monkeypatch.setattr(queries, "read_switches", fail)
    assert guard.refresh_switches(platform, older_than_s=60).share == guard.GROUPS


def test_while_the_database_is_away_the_last_that_is_known_holds(platform, monkeypatch):
    with unit_of_work(platform) as work:
        guard.open_share(work, 8, reason="a test")
    guard.refresh_switches(platform)

    def away(work):
        raise DatabaseAway

    monkeypatch.setattr(queries, "read_switches", away)
    assert guard.refresh_switches(platform).share == 8
    assert guard.switches().share == 8


@pytest.mark.parametrize("share", [0, -1, 65])
def test_a_share_that_cannot_be_is_refused(platform, share):
    with pytest.raises(guard.ShareInvalid), unit_of_work(platform) as work:
        guard.open_share(work, share, reason="a test")


def test_only_what_is_named_can_be_switched(platform):
    with pytest.raises(guard.FeatureUnknown) as refused, unit_of_work(platform) as work:
        guard.switch_feature(work, "payments", on=False, reason="a slip")
    assert "exports" in str(refused.value)


def test_background_work_gives_way_while_the_web_says_so_and_never_for_long(house, monkeypatch):
    from giftpad.guard import commands

    monkeypatch.setattr(commands, "GIVE_WAY_MAX_S", 0.3)
    monkeypatch.setattr(commands, "GIVE_WAY_LOOK_S", 0.01)
    commands._Memory.redis.delete(commands.OVERLOADED)
    assert guard.give_way() < 0.3
    guard.tell_overload()
    assert guard.is_overloaded()
    assert 0.3 <= guard.give_way() < 5
    commands._Memory.redis.delete(commands.OVERLOADED)
    assert not guard.is_overloaded()


def test_without_redis_background_work_goes_on(house):
    guard.bind_redis("redis://127.0.0.1:1/0")
    guard.tell_overload()
    assert guard.give_way() < 2
