"""The shops that take payments now: judged in one statement, as a payment judges them."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from giftpad import shops
from giftpad.kernel.clock import local_date
from giftpad.kernel.db import database
from giftpad.kernel.work import unit_of_work
from tests.make import make_tenant

ZONE = "Asia/Tokyo"


@pytest.fixture
def scope(house):
    return make_tenant()


def enrol(scope, number, *, starts_on=None, **facts):
    given = {"name": f"店{number}", "area": "東"} | facts
    with unit_of_work(scope) as work:
        new = shops.NewShop(number=number, facts=shops.Facts(**given), starts_on=starts_on)
        return shops.enrol(work, new)


def numbers(scope, *terms, **wanted):
    with unit_of_work(scope) as work:
        return [shop.number for shop in shops.list_accepting(work, terms, **wanted).items]


def test_only_shops_that_have_started_and_accept_now_are_listed(scope, fresh_clock):
    enrol(scope, "1")
    stopped, stops_tomorrow = enrol(scope, "2"), enrol(scope, "3")
    with unit_of_work(scope) as work:
        tomorrow = local_date(work.at, ZONE) + timedelta(days=1)
        shops.set_accepting(work, stopped, accepting=False)
        shops.change_facts(work, stops_tomorrow, {"accepting": False}, starts_on=tomorrow)
    enrol(scope, "4", starts_on=tomorrow)
    assert numbers(scope) == ["1", "3"]
    fresh_clock(timedelta(days=1, minutes=1))
    assert numbers(scope) == ["1", "4"]
    assert numbers(make_tenant()) == []


@pytest.mark.parametrize(
    ("terms", "found"),
    [
        ([shops.Acceptance()], ["1", "2", "3"]),
        ([shops.Acceptance(groups=("小",))], ["1"]),
        ([shops.Acceptance(groups=("小", "大"))], ["1", "2"]),
        ([shops.Acceptance(areas=("西",))], ["2", "3"]),
        ([shops.Acceptance(groups=("小",), areas=("西",))], []),
        ([shops.Acceptance(groups=("小",)), shops.Acceptance(areas=("西",))], ["1", "2", "3"]),
        ([shops.Acceptance(groups=("無",)), shops.Acceptance(groups=("大",))], ["2"]),
    ],
)
def test_a_shop_fits_one_of_several_terms_whole(scope, terms, found):
    enrol(scope, "1", area="東", groups=("小", "市内"))
    enrol(scope, "2", area="西", groups=("大",))
    enrol(scope, "3", area="西")
    assert numbers(scope, *terms) == found


def test_shops_are_found_by_name_reading_number_and_area(scope):
    enrol(scope, "A1", name="Aoba 青葉", kana="アオバ")
    enrol(scope, "B2", name="中央書店", kana="チュウオウ", area="西")
    for wanted in ({"text": "aoba"}, {"text": "オバ"}, {"text": "a1"}, {"area": "東"}):
        assert numbers(scope, **wanted) == ["A1"]
    assert numbers(scope, text="書店", area="東") == []


def test_a_long_list_goes_on_where_the_page_ended(scope):
    for number in range(5):
        enrol(scope, str(number), accepting=number != 1)
    with unit_of_work(scope) as work:
        first = shops.list_accepting(work, limit=2)
        rest = shops.list_accepting(work, limit=2, after=first.next_after)
    assert [shop.number for shop in first.items + rest.items] == ["0", "2", "3", "4"]
    assert rest.next_after is None


def test_a_search_that_finds_nobody_is_one_statement_and_sends_no_row(scope):
    for number in range(30):
        enrol(scope, str(number))
    asked = []

    def note(_connection, _cursor, statement, *_more):
        asked.append(statement)

    with unit_of_work(scope) as work:
        assert work.at
        sa.event.listen(database().engine, "before_cursor_execute", note)
        page = shops.list_accepting(work, [shops.Acceptance(areas=("無",))], limit=1)
        sa.event.remove(database().engine, "before_cursor_execute", note)
    assert (page.items, len(asked)) == ((), 1)
