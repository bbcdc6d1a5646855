"""A town on the web for the tests of pages."""

from __future__ import annotations

import pytest

from tests.make_pages import Site, make_site


@pytest.fixture
def site(house, settings, tmp_path) -> Site:
    """A town with its pack applied and its pages served."""
    return make_site(settings, tmp_path)
