"""A tenant whose packages are joined together as they are served."""

from __future__ import annotations

import pytest

from tests import make
from tests.api.conftest import app, bound  # noqa: F401 - the fixtures are used by name


@pytest.fixture
def scope(app):  # noqa: F811 - asks for the fixture above
    """A tenant."""
    return make.make_tenant()
