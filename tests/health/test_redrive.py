"""Putting back what was given up: so many, with a reason, on record, and followed to its end."""

from __future__ import annotations

import pytest

from giftpad import audit, events, health, tenancy
from giftpad.kernel.ids import new_id
from giftpad.kernel.work import Actor, Scope, unit_of_work
from tests import make
from tests.dead_letters import Letters

OPERATOR = Scope(tenant_id=tenancy.PLATFORM_TENANT_ID, actor=Actor(kind="person", id=str(new_id())))


@pytest.fixture
def letters(house, settings):
    found = Letters(settings)
    found.wire()
    return found


@pytest.fixture
def tenant(house):
    return tenancy.get_tenant(make.make_tenant().tenant_id)


def scope_of(tenant):
    return Scope(tenant_id=tenant.id)


def follow(redrive_id):
    with unit_of_work(OPERATOR) as work:
        return health.find_redrive(work, redrive_id)


def test_so_many_of_the_oldest_are_put_back_and_arrive(letters, tenant):
    letters.give_up(scope_of(tenant), "first", "second", "third")
    done = health.redrive(OPERATOR, tenant=tenant, count=2, reason="disk mended")
    assert done.count == 2
    run = follow(done.id)
    assert (run.through, run.dead_again, run.is_over) == (0, 0, False)
    letters.is_broken = False
    letters.deliver()
    assert sorted(letters.taken) == ["first", "second"]
    run = follow(done.id)
    assert (run.through, run.dead_again, run.is_over) == (2, 0, True)
    with unit_of_work(scope_of(tenant)) as work:
        assert len(events.list_dead(work)) == 1


def test_what_fails_again_is_given_up_again_and_said_so(letters, tenant):
    letters.give_up(scope_of(tenant), "first")
    done = health.redrive(OPERATOR, tenant=tenant, count=9, reason="hope")
    letters.give_up(scope_of(tenant))
    run = follow(done.id)
    assert (run.count, run.through, run.dead_again, run.is_over) == (1, 0, 1, True)


def test_tenant_and_platform_both_have_it_on_record_with_name_and_reason(letters, tenant):
    letters.give_up(scope_of(tenant), "first", "second")
    done = health.redrive(OPERATOR, tenant=tenant, count=2, reason="disk mended")
    for scope in (scope_of(tenant), OPERATOR):
        with unit_of_work(scope) as work:
            wanted = audit.EntryFilter(subjects=(f"redrive:{done.id}",))
            (entry,) = audit.list_entries(work, wanted)
        assert entry.action == "event.redriven"
        assert entry.actor["id"] == OPERATOR.actor.id
        assert (entry.details["count"], entry.details["reason"]) == (2, "disk mended")


def test_where_nothing_is_given_up_there_is_nothing_to_put_back(letters, tenant):
    with pytest.raises(health.NothingDead):
        health.redrive(OPERATOR, tenant=tenant, count=1, reason="why not")


def test_a_redrive_that_never_was_is_not_found(house):
    with pytest.raises(health.RedriveNotFound):
        follow(new_id())
