"""Forgetting: never too early, never what is still needed, in the end everybody."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

import psycopg
import pytest
import sqlalchemy as sa

from giftpad import gifts
from giftpad.gifts import jobs
from giftpad.gifts.commands.forgetting import forget_some
from giftpad.kernel.clock import local_date
from giftpad.kernel.work import unit_of_work
from giftpad.messaging import jobs as messaging_jobs
from tests.make_gifts import CONTRACT, cells, make_company

pytestmark = pytest.mark.usefixtures("house")
DEADLINE_S = 20
WAITING = (
    "SELECT pid FROM pg_stat_activity"
    " WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


@pytest.fixture
def company():
    return make_company()


def test_what_is_handed_in_just_now_is_not_forgotten(company, superuser_url):
    order_id = company.draft()
    company.take(order_id, cells(5))
    with unit_of_work(company.scope) as work:
        work.session.execute(sa.text("UPDATE gift_lines SET delete_after = clock_now()"))
    with ThreadPoolExecutor(1) as pool, psycopg.connect(superuser_url, autocommit=True) as seer:
        with unit_of_work(company.as_("issuer")) as work:
            gifts.submit_order(work, order_id)
            forgetting = pool.submit(jobs.forget_old, company.scope)
            deadline = time.monotonic() + DEADLINE_S
            while seer.execute(WAITING).fetchone() is None:
                assert not forgetting.done(), "it did not wait"
                assert time.monotonic() < deadline
        assert forgetting.result(DEADLINE_S) == 0
    company.approve(order_id)
    company.issue(order_id)
    assert len(company.gifts(order_id)) == 5


def test_who_got_more_time_is_forgotten_that_much_later(company, fresh_clock, monkeypatch):
    monkeypatch.setattr("giftpad.gifts.commands.deciding.next_loud", lambda at, *_: at)
    (gift,) = company.gifts(company.sent(1, "mail"))
    for day in (80, 250, 420, 590):
        fresh_clock(timedelta(days=day))
        with unit_of_work(company.as_("support")) as work:
            until = local_date(work.at, "Asia/Tokyo") + timedelta(days=CONTRACT.claim_days_max)
            gifts.extend_gift(work, gift.id, until, reason="入院")
    jobs.forget_old(company.scope)
    messaging_jobs.purge_old(company.scope)  # the run of its first letter is gone
    with unit_of_work(company.as_("support")) as work:
        assert gifts.get_gift(work, gift.id).name == gift.name
        gifts.resend(work, gift.id)
    company.claim(gift.id)


def test_whoever_chooses_again_is_not_forgotten_before_their_gift(company, fresh_clock):
    order_id = company.sent(1)
    (gift,) = company.gifts(order_id)
    claim_id = company.claim(gift.id)
    fresh_clock(timedelta(days=480))
    with unit_of_work(company.as_("support")) as work:
        gifts.choose_again(work, claim_id, reason="欠品")
    fresh_clock(timedelta(days=493))
    jobs.forget_old(company.scope)
    (again,) = company.gifts(order_id)
    assert (again.state, again.name) == ("outstanding", gift.name)


def test_with_their_people_gifts_lose_the_references(company, fresh_clock):
    def order() -> UUID:
        order_id = company.draft()
        people = ({"name": "見本", "external_id": f"E{line}"} for line in (2, 3))
        company.take(order_id, (gifts.Cells(line=n, cells=e) for n, e in enumerate(people, 2)))
        company.submit(order_id)
        company.issue(order_id)
        return order_id

    order_id = order()
    with pytest.raises(gifts.LinesFaulty):
        order()
    fresh_clock(timedelta(days=600))
    jobs.end_due(company.scope)
    jobs.forget_old(company.scope)
    assert [gift.external_id for gift in company.gifts(order_id)] == ["", ""]
    assert company.differences() == []


def test_an_order_nobody_approves_goes_back_and_is_forgotten(company, fresh_clock):
    before = company.budget()
    order_id = company.draft()
    company.take(order_id, cells(5))
    assert company.submit(order_id) == "submitted"
    fresh_clock(gifts.APPROVED_WITHIN - timedelta(hours=1))
    assert jobs.lapse_waiting(company.scope) == 0
    fresh_clock(gifts.APPROVED_WITHIN + timedelta(hours=1))
    assert jobs.lapse_waiting(company.scope) == 1
    order = company.order(order_id)
    assert (order.state, order.lapsed_at is not None) == ("draft", True)
    assert company.budget() == before
    with unit_of_work(company.scope) as work:
        assert gifts.count_lines(work, order_id).total == 5
    fresh_clock(timedelta(days=91))
    assert jobs.forget_old(company.scope) == 5
    assert company.differences() == []


def test_forgetting_reads_only_what_is_old(company, superuser_url):
    company.sent(300)
    company.take(company.draft(), cells(300))
    analyse(superuser_url)
    with unit_of_work(company.scope) as work:
        work.session.execute(sa.text("SET LOCAL enable_seqscan = off"))
        before = read_rows(work, "gifts", "gift_lines")
        assert forget_some(work) == 0
        assert read_rows(work, "gifts", "gift_lines") - before < 20


def test_mending_one_person_judges_no_other_reference(company, superuser_url):
    order_id = company.draft()
    # So many that the planner tells the index of references from others that begin alike.
    people = [{"name": "見本", "external_id": f"E{at}"} for at in range(1, 3001)]
    company.take(order_id, (gifts.Cells(line=n, cells=e) for n, e in enumerate(people, 1)))
    analyse(superuser_url)
    with unit_of_work(company.scope) as work:
        work.session.execute(sa.text("SET LOCAL enable_seqscan = off"))
        before = read_rows(work, "gift_lines")
        gifts.mend_lines(work, order_id, {5: {"external_id": "E7"}})
        assert read_rows(work, "gift_lines") - before < 50
        twice = gifts.list_lines(work, order_id, faulty_only=True).items
        assert [line.number for line in twice] == [7]
    with unit_of_work(company.scope) as work:
        gifts.leave_out(work, order_id, [5])
        assert gifts.count_lines(work, order_id).faulty == 0


def analyse(superuser_url) -> None:
    """Tell the planner what there is, as the database does by itself after a while."""
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        connection.execute("ANALYZE gifts, gift_lines, gift_claims, gift_thanks")


def read_rows(work, *tables: str) -> int:
    """Return how many rows of tables this connection has read and not told PostgreSQL yet.

    The view is named after the transaction, and counts those just before it too: take it twice.
    """
    counted = sa.text(
        "SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) FROM pg_stat_xact_user_tables"
        " WHERE relname = ANY(:tables)"
    )
    return int(work.session.execute(counted, {"tables": list(tables)}).scalar_one())
