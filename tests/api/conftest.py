"""An application with probes, on this worker's database."""

from __future__ import annotations

import pytest

from giftpad import identity
from tests import make
from tests.make_identity import make_machine, probing_app, shared_app


@pytest.fixture
def bound(house, settings):
    """This process bound to the worker's database and keys, with the platform's first key."""
    make.make_platform()
    identity.bind_issuer(settings.issuer)
    return settings


@pytest.fixture
def app(bound):
    """The application as it is served, and a few routes to look through."""
    return shared_app(probing_app, bound)


@pytest.fixture
def machine(app):
    """A client that may read coupons."""
    return make_machine(app)
