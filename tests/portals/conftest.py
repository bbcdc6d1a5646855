"""A town on the web for the tests of pages."""

from __future__ import annotations

from functools import partial

import pytest
from argon2 import PasswordHasher

from giftpad.identity.queries import people
from tests.make_pages import Site, make_site


@pytest.fixture
def site(house, settings, tmp_path) -> Site:
    """A town with its pack applied and its pages served."""
    return make_site(settings, tmp_path)


@pytest.fixture(autouse=True)
def _light_passwords(monkeypatch):
    """Hash passwords with little work: these tests sign in hundreds of times."""
    monkeypatch.setattr(
        people, "PasswordHasher", partial(PasswordHasher, time_cost=1, memory_cost=64)
    )
    people.hasher.cache_clear()
    people._nobodys_hash.cache_clear()
    yield
    people.hasher.cache_clear()
    people._nobodys_hash.cache_clear()
