"""Forgetting: never too early, never what is still needed, in the end everybody."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
import sqlalchemy as sa

from giftpad import gifts
from giftpad.gifts import jobs
from giftpad.kernel.work import unit_of_work
from tests.make_gifts import cells, make_company

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
