"""A town with its pages, and clients that its people sign in to."""

from __future__ import annotations

import pytest

from tests.make_provider import Relying, make_client
from tests.portals.conftest import site  # noqa: F401 - the fixture is used by name


@pytest.fixture
def spa(site) -> Relying:  # noqa: F811 - asks for the fixture above
    """A client that keeps no secret."""
    return make_client(site)


@pytest.fixture
def web(site) -> Relying:  # noqa: F811 - as above
    """A client with a server that keeps its secret."""
    return make_client(site, "web")
