"""Tenants, keys and addresses: found without a query once they are known."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from giftpad import tenancy
from giftpad.kernel.db import database
from giftpad.kernel.ids import new_id
from giftpad.kernel.seal import SealBroken, column_place
from giftpad.kernel.work import Scope, unit_of_work
from tests.make import make_tenant

PLATFORM = Scope(tenant_id=tenancy.PLATFORM_TENANT_ID)


@pytest.fixture
def queries(house):
    """The statements that reach the database while the test runs."""
    seen: list[str] = []

    def note(_connection, _cursor, statement, *_):
        seen.append(statement)

    engine = database().engine
    sa.event.listen(engine, "before_cursor_execute", note)
    yield seen
    sa.event.remove(engine, "before_cursor_execute", note)


def test_a_tenant_is_found_by_each_of_its_names(house):
    tenant = tenancy.get_tenant(make_tenant("named-town").tenant_id)
    assert tenancy.find_tenant_by_slug("named-town") == tenant
    assert tenancy.find_tenant_by_org(tenant.org_id) == tenant
    assert tenancy.find_tenant_by_tag(tenant.tag) == tenant
    assert tenant in tenancy.list_tenants()
    assert (tenant.name, tenant.name_in("en")) == ("見本町", "named-town")
    assert tenant.org_id.startswith("org_")
    assert len(tenant.org_id) >= 20


def test_an_unknown_tenant_is_none_or_refused(house):
    assert tenancy.find_tenant_by_slug("nobody") is None
    with pytest.raises(tenancy.TenantNotFound):
        tenancy.get_tenant(new_id())


def test_what_is_known_costs_no_query(queries):
    scope = make_tenant()
    tenant = tenancy.get_tenant(scope.tenant_id)
    kid = tenancy.current_ring_key(tenant.id).kid
    tenancy.printed_addresses()
    assert queries
    queries.clear()
    for _ in range(50):
        tenancy.find_tenant_by_tag(tenant.tag)
        tenancy.find_tenant_by_org(tenant.org_id)
        tenancy.find_ring_key(tenant.id, kid)
        tenancy.current_ring_key(tenant.id)
        tenancy.printed_addresses()
    assert queries == []


def test_a_flood_of_forged_numbers_is_no_flood_of_queries(queries):
    scope = make_tenant()
    tenant = tenancy.get_tenant(scope.tenant_id)
    taken = {known.tag for known in tenancy.list_tenants()}
    free = next(tag for tag in range(2**20) if tag not in taken)
    queries.clear()
    for _ in range(500):
        assert tenancy.find_tenant_by_tag(free) is None
        assert tenancy.find_ring_key(tenant.id, 31) is None
    assert len(queries) < 50


def test_a_new_key_makes_what_is_new_and_the_old_one_still_opens(house):
    scope = make_tenant()
    old = tenancy.current_ring_key(scope.tenant_id)
    sealed = tenancy.seal_text(scope.tenant_id, "here", "佐藤")
    found_by = tenancy.index_text(scope.tenant_id, "佐藤")
    with unit_of_work(scope) as work:
        tenancy.add_ring_key(work)
    tenancy.forget_ring(scope.tenant_id)
    new = tenancy.current_ring_key(scope.tenant_id)
    assert new.kid != old.kid
    assert tenancy.find_ring_key(scope.tenant_id, old.kid) == old
    assert [key.kid for key in tenancy.list_ring_keys(scope.tenant_id)] == [new.kid, old.kid]
    assert tenancy.open_text(scope.tenant_id, "here", sealed) == "佐藤"
    assert tenancy.index_text(scope.tenant_id, "佐藤") == found_by


def test_a_ring_holds_32_keys_and_no_more(house):
    scope = make_tenant()
    with unit_of_work(scope) as work:
        for _ in range(31):
            tenancy.add_ring_key(work)
    with unit_of_work(scope) as work, pytest.raises(tenancy.RingFull):
        tenancy.add_ring_key(work)


def test_a_sealed_text_opens_only_in_its_place_and_tenant(house):
    scope, other = make_tenant(), make_tenant()
    row_id = new_id()
    place = column_place(scope.tenant_id, "shop_contacts", "name_sealed", row_id)
    sealed = tenancy.seal_text(scope.tenant_id, place, "佐藤 直子")
    assert "佐藤".encode() not in sealed
    elsewhere = column_place(scope.tenant_id, "shop_contacts", "name_sealed", new_id())
    for tenant_id, where in ((scope.tenant_id, elsewhere), (other.tenant_id, place)):
        with pytest.raises(SealBroken):
            tenancy.open_text(tenant_id, where, sealed)


def test_a_ring_key_lies_wrapped_in_the_database(house):
    scope = make_tenant()
    key = tenancy.current_ring_key(scope.tenant_id)
    with unit_of_work(scope) as work:
        wrapped = work.session.execute(
            sa.text("SELECT wrapped FROM tenancy_ring_keys")
        ).scalar_one()
    assert key.key not in wrapped
    assert key.key.hex() not in repr(key)


def test_only_an_address_that_was_printed_with_is_known_letter_by_letter(house):
    tenancy.remember_address("https://coupons.midori.example/")
    tenancy.remember_address("https://coupons.midori.example")
    assert tenancy.is_printed_address("HTTPS://COUPONS.MIDORI.EXAMPLE")
    assert "HTTPS://COUPONS.MIDORI.EXAMPLE" in tenancy.printed_addresses()
    assert not tenancy.is_printed_address("https://coupons.midori.example")
    assert not tenancy.is_printed_address("HTTPS://EVIL.EXAMPLE")


def test_a_suspended_tenant_says_so(house):
    scope = make_tenant()
    with unit_of_work(scope) as work:
        assert tenancy.suspend_tenant(work)
        assert not tenancy.suspend_tenant(work)
    tenancy.forget_tenants()
    assert tenancy.get_tenant(scope.tenant_id).is_suspended
    with unit_of_work(scope) as work:
        assert tenancy.resume_tenant(work)
    tenancy.forget_tenants()
    assert not tenancy.get_tenant(scope.tenant_id).is_suspended


def test_the_platform_gets_its_key_once(house):
    with unit_of_work(PLATFORM) as work:
        tenancy.ensure_platform(work)
    with unit_of_work(PLATFORM) as work:
        assert not tenancy.ensure_platform(work)
    assert tenancy.get_tenant(tenancy.PLATFORM_TENANT_ID).kind == "platform"
