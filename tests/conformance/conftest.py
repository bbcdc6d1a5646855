"""One town for all modules of a worker, as the suite has one provider; each has its own person."""

from __future__ import annotations

import pytest

from giftpad import tenancy
from tests.make_pages import Site, make_site

pytest.register_assert_rewrite(
    "tests.conformance.parties",
    "tests.conformance.basic_flow",
    "tests.conformance.basic_claims",
    "tests.conformance.basic_requests",
    "tests.conformance.basic_sessions",
    "tests.conformance.discovery",
    "tests.conformance.logout",
)

from tests.conformance.parties import Client, Provider, make_clients  # noqa: E402 - after the above

_towns: dict[str, tuple[Site, tuple[Client, Client, Client]]] = {}


@pytest.fixture
def provider(house, settings, tmp_path) -> Provider:
    """The provider, and somebody who is not signed in."""
    known = _towns.get(settings.database_url)
    # The database of a worker is made anew now and then, and the town is gone with it.
    if known is None or tenancy.find_tenant(known[0].scope.tenant_id) is None:
        site = make_site(settings, tmp_path)
        _towns[settings.database_url] = known = site, make_clients(site)
    site, (client, other, posting) = known
    return Provider(
        site=site, client=client, other=other, posting=posting, email=site.new_person("viewer")
    )
