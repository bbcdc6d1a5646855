"""Shops: dated facts, contacts, branches, and what a payment would read of them."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from giftpad import shops
from giftpad.kernel.clock import local_date, start_of
from giftpad.kernel.ids import new_id
from giftpad.kernel.work import Actor, Scope, unit_of_work
from tests.make import make_tenant

ZONE = "Asia/Tokyo"
FACTS = shops.Facts(name="青葉", area="東", groups=("一般",), phone="00-0000-1001")


@pytest.fixture
def scope(house):
    return make_tenant()


def enrol(scope, number="1001", **changes):
    with unit_of_work(scope) as work:
        return shops.enrol(work, shops.NewShop(number=number, facts=FACTS, **changes))


def view(scope, shop_id):
    with unit_of_work(scope) as work:
        return shops.get_shop(work, shop_id)


def test_an_enrolled_shop_is_found_by_id_and_number(scope):
    shop_id = enrol(scope)
    with unit_of_work(scope) as work:
        assert shops.find_shop_id(work, "1001") == shop_id
        assert shops.find_shop_id(work, "1002") is None
    found = view(scope, shop_id)
    assert (found.number, found.facts, found.has_started) == ("1001", FACTS, True)


def test_a_number_belongs_to_one_shop_of_a_tenant(scope):
    enrol(scope)
    with pytest.raises(shops.NumberTaken):
        enrol(scope)
    assert enrol(make_tenant())


def test_a_change_of_today_holds_at_once_and_the_old_facts_stay_in_the_past(scope):
    shop_id = enrol(scope)
    with unit_of_work(scope) as work:
        enrolled_at = work.at
    with unit_of_work(scope) as work:
        shops.change_facts(work, shop_id, {"area": "西"})
    with unit_of_work(scope) as work:
        assert shops.get_shop(work, shop_id).facts.area == "西"
        assert shops.find_facts(work, shop_id, enrolled_at).area == "東"
        assert shops.find_facts(work, shop_id, enrolled_at - timedelta(days=1)) is None


def test_a_planned_change_holds_from_midnight_of_its_day(scope, fresh_clock):
    shop_id = enrol(scope)
    with unit_of_work(scope) as work:
        tomorrow = local_date(work.at, ZONE) + timedelta(days=1)
        shops.change_facts(work, shop_id, {"area": "西"}, starts_on=tomorrow)
        now = work.at
    before = view(scope, shop_id)
    assert before.facts.area == "東"
    assert [(p.starts_at, p.facts.area) for p in before.planned] == [
        (start_of(tomorrow, ZONE), "西")
    ]
    fresh_clock(start_of(tomorrow, ZONE) - now - timedelta(seconds=30))
    assert view(scope, shop_id).facts.area == "東"
    fresh_clock(start_of(tomorrow, ZONE) - now + timedelta(seconds=1))
    after = view(scope, shop_id)
    assert (after.facts.area, after.planned) == ("西", ())


def test_the_later_of_two_plans_for_one_day_holds(scope, fresh_clock):
    shop_id = enrol(scope)
    for area in ("西", "南"):
        with unit_of_work(scope) as work:
            tomorrow = local_date(work.at, ZONE) + timedelta(days=1)
            shops.change_facts(work, shop_id, {"area": area}, starts_on=tomorrow)
    fresh_clock(timedelta(days=2))
    assert view(scope, shop_id).facts.area == "南"


def test_facts_cannot_begin_in_the_past(scope):
    shop_id = enrol(scope)
    with unit_of_work(scope) as work:
        yesterday = local_date(work.at, ZONE) - timedelta(days=1)
        with pytest.raises(shops.PastDate):
            shops.change_facts(work, shop_id, {"area": "西"}, starts_on=yesterday)


def test_a_shop_enrolled_for_a_later_day_has_not_started(scope, fresh_clock):
    with unit_of_work(scope) as work:
        tomorrow = local_date(work.at, ZONE) + timedelta(days=1)
    shop_id = enrol(scope, starts_on=tomorrow)
    early = view(scope, shop_id)
    assert (early.has_started, early.facts) == (False, FACTS)
    fresh_clock(timedelta(days=1))
    assert view(scope, shop_id).has_started


def test_a_stopped_shop_stays_stopped_through_planned_changes(scope, fresh_clock):
    shop_id = enrol(scope)
    with unit_of_work(scope) as work:
        tomorrow = local_date(work.at, ZONE) + timedelta(days=1)
        shops.change_facts(work, shop_id, {"name": "新青葉"}, starts_on=tomorrow)
    with unit_of_work(scope) as work:
        shops.set_accepting(work, shop_id, accepting=False)
    assert not view(scope, shop_id).facts.accepting
    fresh_clock(timedelta(days=1, minutes=1))
    later = view(scope, shop_id).facts
    assert (later.name, later.accepting) == ("新青葉", False)
    with unit_of_work(scope) as work:
        shops.set_accepting(work, shop_id, accepting=True)
    assert view(scope, shop_id).facts.accepting


def test_a_contact_is_sealed_and_comes_back_open(scope, superuser_url):
    import psycopg

    contact = shops.Contact(name="青葉 花子", phone="090-0000-0001", email="hana@aoba.example")
    shop_id = enrol(scope, contact=contact)
    with unit_of_work(scope) as work:
        assert shops.get_contact(work, shop_id) == contact
    with psycopg.connect(superuser_url) as connection:
        row = connection.execute(
            "SELECT shop_contacts::text FROM shop_contacts WHERE shop_id = %s", [shop_id]
        ).fetchone()[0]
    for secret in ("青葉", "090-0000", "hana"):
        assert secret not in row
        assert secret.encode().hex() not in row
    with unit_of_work(scope) as work:
        shops.set_contact(work, shop_id, shops.Contact(name="森"))
    with unit_of_work(scope) as work:
        assert shops.get_contact(work, shop_id) == shops.Contact(name="森")


def test_a_shop_without_a_contact_has_an_empty_one(scope):
    shop_id = enrol(scope)
    with unit_of_work(scope) as work:
        assert shops.get_contact(work, shop_id) == shops.Contact()


def test_branches_come_and_go(scope):
    shop_id = enrol(scope)
    with unit_of_work(scope) as work:
        branch_id = shops.add_branch(work, shop_id, name="駅前店", address="駅前1")
    assert [b.name for b in view(scope, shop_id).branches] == ["駅前店"]
    with unit_of_work(scope) as work:
        shops.close_branch(work, shop_id, branch_id)
    assert view(scope, shop_id).branches == ()
    with unit_of_work(scope) as work, pytest.raises(shops.BranchNotFound):
        shops.close_branch(work, shop_id, branch_id)


def test_lists_are_filtered_by_what_holds_now_and_paged(scope):
    ids = [enrol(scope, number=str(n)) for n in range(1, 6)]
    with unit_of_work(scope) as work:
        shops.change_facts(work, ids[1], {"area": "西", "name": "みどり鮮魚", "groups": ("魚",)})

    def numbers(**wanted):
        with unit_of_work(scope) as work:
            page = shops.list_shops(work, shops.ShopFilter(**wanted))
            return [shop.number for shop in page.items]

    assert numbers(area="西") == numbers(group="魚") == numbers(text="鮮魚") == ["2"]
    assert numbers(area="東") == ["1", "3", "4", "5"]
    assert numbers(text="3") == ["3"]
    seen, after = [], None
    with unit_of_work(scope) as work:
        while True:
            page = shops.list_shops(work, shops.ShopFilter(), after=after, limit=2)
            seen += [shop.number for shop in page.items]
            if (after := page.next_after) is None:
                break
    assert seen == ["1", "2", "3", "4", "5"]


def test_a_caller_bound_to_a_shop_knows_only_that_one(scope):
    mine, other = enrol(scope, "1"), enrol(scope, "2")
    bound = Scope(tenant_id=scope.tenant_id, actor=Actor(kind="client", id="till", shop_id=mine))
    with unit_of_work(bound) as work:
        assert [s.id for s in shops.list_shops(work, shops.ShopFilter()).items] == [mine]
        assert shops.get_shop(work, mine).id == mine
        for forbidden in (
            lambda: shops.get_shop(work, other),
            lambda: shops.get_contact(work, other),
            lambda: shops.change_facts(work, other, {"area": "西"}),
            lambda: shops.set_accepting(work, other, accepting=False),
        ):
            with pytest.raises(shops.ShopNotFound):
                forbidden()
        with pytest.raises(shops.BoundToShop):
            shops.enrol(work, shops.NewShop(number="9", facts=FACTS))
        with shops.kept_file(bound, b"x") as kept, pytest.raises(shops.BoundToShop):
            shops.order_import(work, kept)


def test_a_caller_bound_to_a_shop_does_not_decide_what_holds_for_it(scope):
    mine = enrol(scope)
    bound = Scope(tenant_id=scope.tenant_id, actor=Actor(kind="client", id="till", shop_id=mine))
    with unit_of_work(scope) as work:
        shops.set_accepting(work, mine, accepting=False)
    before = view(scope, mine)
    with unit_of_work(bound) as work:
        for forbidden in (
            lambda: shops.change_facts(work, mine, {"area": "西", "groups": ("魚",)}),
            lambda: shops.set_accepting(work, mine, accepting=True),
        ):
            with pytest.raises(shops.BoundToShop):
                forbidden()
    assert view(scope, mine) == before


def test_the_shop_of_another_tenant_is_not_found(scope):
    shop_id = enrol(scope)
    with unit_of_work(make_tenant()) as work:
        for strange in (shop_id, new_id()):
            with pytest.raises(shops.ShopNotFound):
                shops.get_shop(work, strange)
            with pytest.raises(shops.ShopNotFound):
                shops.change_facts(work, strange, {"area": "西"})


def test_two_plans_at_once_both_stand(scope):
    """Writers of one shop wait for each other, so neither finds its instant taken."""
    from concurrent.futures import ThreadPoolExecutor

    shop_id = enrol(scope)
    with unit_of_work(scope) as work:
        tomorrow = local_date(work.at, ZONE) + timedelta(days=1)

    def plan(number):
        with unit_of_work(scope) as work:
            shops.change_facts(work, shop_id, {"name": f"店{number}"}, starts_on=tomorrow)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(plan, range(6)))
    with unit_of_work(scope) as work:
        count = work.session.execute(sa.text("SELECT count(*) FROM shop_facts")).scalar_one()
    assert count == 7
