"""A chain shows who did what, and that nobody changed it since."""

from __future__ import annotations

import psycopg
import pytest

from giftpad import audit
from giftpad.audit import queries as audit_queries
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
        one = audit.list_entries(work, audit.EntryFilter(subjects=("coupon:1",)))
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


def test_an_entry_behind_the_head_breaks_the_chain(scope, superuser_url):
    with psycopg.connect(superuser_url, autocommit=True) as superuser:
        superuser.execute(
            "UPDATE audit_heads SET (seq, hash) = (SELECT seq, hash FROM audit_entries e"
            " WHERE e.tenant_id = %s AND e.seq = audit_heads.seq - 1) WHERE tenant_id = %s",
            [scope.tenant_id, scope.tenant_id],
        )
    found = verify(scope)
    assert found is not None
    assert "end is missing or was changed" in found.reason


def test_what_is_recorded_while_the_chain_is_read_is_no_break(scope, monkeypatch):
    read = audit_queries._follow

    def read_slowly(rows, head_seq):
        with unit_of_work(scope) as work:
            audit.record(work, action="coupon.blocked", subject="coupon:9", details={})
        return read(rows, head_seq)

    monkeypatch.setattr(audit_queries, "_follow", read_slowly)
    assert verify(scope) is None
    monkeypatch.undo()
    assert verify(scope) is None
