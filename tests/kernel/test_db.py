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
