"""What belongs to a closed database ends, also what was in use when it was closed."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import sqlalchemy as sa

from giftpad.kernel.db import Busy, Database, bind_database
from giftpad.kernel.work import Scope, unit_of_work
from giftpad.tenancy import PLATFORM_TENANT_ID

PLATFORM = Scope(tenant_id=PLATFORM_TENANT_ID)


def test_a_connection_in_use_at_the_end_is_closed_when_it_is_given_back(settings):
    database = Database(settings)
    with database.engine.connect() as cold, database.hot_connection() as hot:
        raw = cold.connection.driver_connection
        database.close()
        assert not raw.closed
        assert not hot.closed
        assert cold.execute(sa.text("SELECT 1")).scalar() == 1
    assert raw.closed
    assert hot.closed


def test_a_server_that_is_gone_without_a_word_is_given_up_on_either_way_to_it(settings):
    database = Database(settings)
    with database.engine.connect() as cold, database.hot_connection() as hot:
        for connection in (cold.connection.driver_connection, hot):
            with_what = connection.info.get_parameters()
            assert with_what["tcp_user_timeout"] == "5000"
            assert int(with_what["keepalives_idle"]) <= 5
    database.close()


def test_binding_again_keeps_the_connections_to_the_same_database_only(settings):
    bind_database(settings).close()  # tests before this one may have left several connections
    first = bind_database(settings)
    with first.hot_connection() as hot, first.engine.connect() as cold:
        raw = cold.connection.driver_connection
    again = bind_database(settings)
    assert again is not first, "what is kept of the content is kept for the one bound"
    with again.hot_connection() as same, again.engine.connect() as cold:
        assert same is hot
        assert cold.connection.driver_connection is raw
    bind_database(replace(settings, database_pool_max=settings.database_pool_max + 1))
    assert hot.closed
    assert raw.closed


def test_what_was_closed_is_opened_anew(settings):
    bind_database(settings).close()
    with bind_database(settings).hot_connection() as hot:
        assert not hot.closed


def test_of_two_who_wait_for_each_other_one_is_told_that_too_much_goes_on(house):
    both_hold = threading.Barrier(2)
    hold = sa.text("SELECT pg_advisory_xact_lock(:key)")

    def cross(first, second):
        try:
            with unit_of_work(PLATFORM) as work:
                work.session.execute(hold, {"key": first})
                both_hold.wait()
                work.session.execute(hold, {"key": second})
        except Busy:
            return "busy"
        return "done"

    with ThreadPoolExecutor(2) as pool:
        came = list(pool.map(cross, (71, 72), (72, 71)))
    assert sorted(came) == ["busy", "done"]
