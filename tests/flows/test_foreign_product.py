"""A second Giftpad as the other issuer: its tokens are believed here, and only for a part."""

from __future__ import annotations

import json

import pytest

from giftpad import identity, tenancy
from tests import make
from tests.flows.conftest import TENANT
from tests.flows.http import Caller
from tests.make_foreign import trust
from tests.make_identity import make_machine, probing_app

FILE = """
[[issuers]]
issuer = "{address}/"
audience = "{address}/api/v1"
permissions = ["coupons:read"]
[[issuers.organizations]]
org_id = "{org_id}"
tenant = "{slug}"
"""


@pytest.fixture
def believing(product, house, settings, tmp_path):
    """The application of this process, which trusts the running product for one tenant."""
    found = [json.loads(line) for line in product.must("tenant", "list", "--json").splitlines()]
    (org_id,) = [tenant["org_id"] for tenant in found if tenant["slug"] == TENANT]
    here = tenancy.get_tenant(make.make_tenant().tenant_id)
    app = probing_app(settings)
    address = f"http://localhost:{product.port}"
    trust(tmp_path, FILE.format(address=address, org_id=org_id, slug=here.slug))
    yield app, here
    identity.bind_trusted_issuers("", ours="")


def ask(app, token):
    return app.test_client().get("/probe", headers={"Authorization": f"Bearer {token}"})


@pytest.mark.long
def test_a_token_of_another_giftpad_is_believed_for_what_the_file_allows(product, believing):
    app, here = believing
    caller = product.caller("coupons:read", "payments:read")
    seen = ask(app, caller.token)
    assert seen.status_code == 200, seen.text
    assert seen.json["tenant_id"] == str(here.id)
    assert seen.json["permissions"] == ["coupons:read"]
    assert seen.json["client_id"].startswith(f"http://localhost:{product.port}/|")


@pytest.mark.long
def test_its_tokens_for_other_tenants_and_other_rights_are_not(product, believing):
    app, _ = believing
    assert ask(app, product.caller("payments:read").token).status_code == 403
    elsewhere = product.caller("coupons:read", tenant="hanamaru").token
    assert ask(app, elsewhere).status_code == 401


@pytest.mark.long
def test_it_does_not_believe_ours(product, believing):
    app, _ = believing
    status, _ = product.caller("coupons:read").call("GET", "/api/v1/coupon-batches")
    assert status == 200
    stranger = Caller(product.port, make_machine(app, "coupons:read").token())
    status, _ = stranger.call("GET", "/api/v1/coupon-batches")
    assert status == 401
