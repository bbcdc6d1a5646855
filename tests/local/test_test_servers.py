"""The servers of the test run itself: everybody else's tests stand on them."""

import psycopg
import pytest
import redis

from giftpad.kernel.migrate import upgrade


def answer(url, question):
    with psycopg.connect(url) as connection:
        return connection.execute(question).fetchone()


def test_each_worker_has_a_migrated_database_of_its_own(settings, worker_number, superuser_url):
    name, role = answer(settings.database_url, "SELECT current_database(), current_user")
    assert (name, role) == (f"worker_{worker_number}", "giftpad_app")
    assert answer(superuser_url, "SELECT count(*) FROM alembic_version") == (1,)
    assert answer(settings.database_owner_url, "SELECT current_user") == ("giftpad_migrate",)
    assert answer(settings.database_relay_url, "SELECT current_user") == ("giftpad_relay",)


def test_a_fresh_database_is_not_the_workers(settings, fresh_settings):
    names = [
        answer(each.database_url, "SELECT current_database()")
        for each in (settings, fresh_settings)
    ]
    assert names[0] != names[1]
    upgrade(fresh_settings)


def test_each_worker_has_a_redis_database_of_its_own(settings, fresh_settings):
    with (
        redis.Redis.from_url(settings.redis_url) as own,
        redis.Redis.from_url(fresh_settings.redis_url) as other,
    ):
        own.set("whose", "the worker's")
        assert other.get("whose") is None
        own.delete("whose")


def test_a_test_cannot_reach_another_machine():
    import socket

    with socket.socket() as outside, pytest.raises(PermissionError):
        outside.connect(("192.0.2.1", 80))
