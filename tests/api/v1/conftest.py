"""The application as it is served, a town with three coupons, and a till in its shop."""

from __future__ import annotations

import pytest

from giftpad import identity
from giftpad.app import build_app
from tests import make
from tests.make_callers import TILL_MAY, Caller
from tests.make_identity import shared_app


@pytest.fixture
def app(house, settings):
    """The application as it is served."""
    identity.ensure_keys()
    return shared_app(build_app, settings)


@pytest.fixture
def town(house):
    """A town whose shop takes at most 900 at once."""
    town = make.make_town(ceiling_minor=900)
    make.issue(town, 3)
    return town


@pytest.fixture
def till(app, town):
    """A till of the shop."""
    return Caller(app, town.scope, *TILL_MAY, shop_id=town.shop_id)
