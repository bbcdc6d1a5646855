"""A town with its pages, and the identity provider of its staff."""

from __future__ import annotations

import pytest

from giftpad import guard
from tests.make_idp import Idp, Way, connect, link
from tests.make_pages import PASSWORD
from tests.portals.conftest import site  # noqa: F401 - fixtures go by name


@pytest.fixture(autouse=True)
def _nobody_counted():
    """Let no test use up the ways of another: they all come from one address."""
    guard.commands._Memory.failures.clear()
    guard.commands._Memory.barred.clear()
    if guard.commands._Memory.redis is not None:
        guard.commands._Memory.redis.flushdb()


@pytest.fixture
def idp():
    found = Idp()
    yield found
    found.close()


@pytest.fixture
def way(site, idp) -> Way:  # noqa: F811 - asks for the fixture above
    """A browser that has never been here, before a connection of the town."""
    return Way(browser=site.nobody(), slug=site.slug, connection=connect(site.scope, idp))


@pytest.fixture
def linked(site, idp, way) -> str:  # noqa: F811 - as above
    """The address of a member who has linked the account that the provider signs in."""
    email = site.new_person("viewer", name="山田 花子")
    answered = link(site.sign_in(email), idp, way.connection.id, PASSWORD)
    assert answered.headers["Location"] == "/account", answered.text[:3000]
    return email


@pytest.fixture
def scope_of_another(site):  # noqa: F811 - as above
    """Another town, with nothing in it yet."""
    from giftpad.kernel.work import Scope
    from tests import make

    return Scope(tenant_id=make.make_tenant().tenant_id)
