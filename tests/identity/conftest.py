"""The application with probes that the API's tests ask, a tenant and its owner."""

from __future__ import annotations

import pytest

from tests import make
from tests.api.conftest import app, bound, machine  # noqa: F401 - the fixtures are used by name
from tests.make_sessions import make_somebody


@pytest.fixture
def scope(bound):  # noqa: F811 - asks for the fixture above
    """A tenant."""
    return make.make_tenant()


@pytest.fixture
def owner(scope):
    """Its owner."""
    return make_somebody(scope)
