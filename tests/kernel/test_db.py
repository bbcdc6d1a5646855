"""What belongs to a closed database ends, also what was in use when it was closed."""

from __future__ import annotations

import sqlalchemy as sa

from giftpad.kernel.db import Database


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
