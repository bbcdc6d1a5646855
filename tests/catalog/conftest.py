"""A tenant with a catalogue of one course."""

from __future__ import annotations

import pytest

from tests.make import make_tenant
from tests.make_catalog import make_shelf


@pytest.fixture
def shelf(house):
    return make_shelf(make_tenant())
