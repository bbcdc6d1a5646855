"""What a page of the record shows: by subject, action, actor and time, and over runs."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from giftpad import audit
from giftpad.kernel.work import Actor, unit_of_work
from tests import make

BLOCKED = "coupon.blocked"


@pytest.fixture
def scope(house):
    return make.make_tenant()


def write(scope, action, subject, **details):
    with unit_of_work(scope) as work:
        audit.record(work, action=action, subject=subject, details=details)


def found(scope, **wanted):
    with unit_of_work(scope) as work:
        entries = audit.list_entries(work, audit.EntryFilter(**wanted))
    return [(entry.action, entry.subject) for entry in entries]


def test_each_condition_narrows_the_list(scope):
    write(scope, "shop.added", "shop:1")
    write(scope, "shop.suspended", "shop:1")
    write(scope, "shopping.added", "shop:2")
    person = replace(scope, actor=Actor(kind="person", id="p-1", client_id="person:p-1"))
    write(person, "shop.added", "shop:3")
    assert found(scope, action_prefix="shop.") == [
        ("shop.added", "shop:3"),
        ("shop.suspended", "shop:1"),
        ("shop.added", "shop:1"),
    ]
    assert found(scope, action_prefix="%") == []
    assert found(scope, actor_id="p-1") == [("shop.added", "shop:3")]
    assert found(scope, subjects=("shop:1", "shop:2"), actions=("shop.added",)) == [
        ("shop.added", "shop:1")
    ]
    assert found(scope, before=3, limit=1) == [("shop.suspended", "shop:1")]
    with unit_of_work(scope) as work:
        now = work.at
    assert found(scope, since=now + timedelta(minutes=1)) == []
    assert len(found(scope, since=now - timedelta(minutes=1), until=now)) == 4


@pytest.mark.parametrize(
    ("first", "last", "own", "is_over"),
    [
        ("MC-0000002", "MC-0000005", "MC-0000002", True),
        ("MC-0000002", "MC-0000005", "MC-0000005", True),
        ("MC-0000002", "MC-0000005", "MC-0000004", True),
        ("MC-0000002", "MC-0000005", "MC-0000001", False),
        ("MC-0000002", "MC-0000005", "MC-0000006", False),
        ("MC-0000002", "MC-0000005", "MD-0000004", False),
        ("MC-9999998", "MC-10000003", "MC-9999999", True),
        ("MC-9999998", "MC-10000003", "MC-10000002", True),
        ("MC-9999998", "MC-10000003", "MC-10000004", False),
        ("MC-9999998", "MC-10000003", "MC-9999997", False),
    ],
)
def test_an_entry_of_a_run_is_found_by_each_in_it(scope, first, last, own, is_over):
    write(scope, BLOCKED, f"coupon:{first}", to=last)
    write(scope, BLOCKED, f"coupon:{own}")
    wanted = found(scope, actions=(BLOCKED,), run_over=f"coupon:{own}")
    assert wanted == ([(BLOCKED, f"coupon:{first}")] if is_over else [])
