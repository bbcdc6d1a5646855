"""A chain shows who did what, and that nobody changed it since."""

from __future__ import annotations

import psycopg
import pytest

from giftpad import audit
from giftpad.kernel.work import unit_of_work
from tests import make


@pytest.fixture
def scope(house):
    scope = make.make_tenant()
    for number in range(3):
        with unit_of_work(scope) as work:
            audit.record(
                work, action="coupon.blocked", subject=f"coupon:{number}", details={"n": number}
            )
    return scope


def verify(scope):
    with unit_of_work(scope) as work:
        return audit.verify(work)


def test_entries_say_who_and_what_newest_first(scope):
    with unit_of_work(scope) as work:
        entries = audit.list_entries(work)
        one = audit.list_entries(work, subject="coupon:1")
    assert [entry.subject for entry in entries[:3]] == ["coupon:2", "coupon:1", "coupon:0"]
    assert one[0].actor["id"] == "till"
    assert verify(scope) is None


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        ("UPDATE audit_entries SET details = '{\"n\": 7}'", "was changed"),
        ("DELETE FROM audit_entries", "is missing"),
    ],
)
def test_a_changed_or_missing_entry_breaks_the_chain(scope, superuser_url, damage, reason):
    where = " WHERE tenant_id = %s AND subject = 'coupon:1'"
    with psycopg.connect(superuser_url, autocommit=True) as superuser:
        assert superuser.execute(damage + where, [scope.tenant_id]).rowcount == 1
    found = verify(scope)
    assert found is not None
    assert found.reason == reason


def test_a_cut_end_breaks_the_chain(scope, superuser_url):
    with psycopg.connect(superuser_url, autocommit=True) as superuser:
        superuser.execute(
            "DELETE FROM audit_entries WHERE tenant_id = %s AND subject = 'coupon:2'",
            [scope.tenant_id],
        )
    assert verify(scope) is not None
