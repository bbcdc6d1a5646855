"""One is kept for one: the last of a stock, the last of a day, a code; or another in its place."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from giftpad import catalog
from giftpad.kernel.ids import new_id
from giftpad.kernel.work import unit_of_work

THREADS = 8


def together(shelf, takings):
    """Let each of these be taken at the same moment; return what each was told."""
    start = threading.Barrier(len(takings))

    def one(taking):
        with unit_of_work(shelf.scope) as work:
            start.wait()
            return catalog.take(work, taking)

    def told(taking):
        try:
            return one(taking).variant.code
        except catalog.SoldOut:
            return "sold out"

    with ThreadPoolExecutor(len(takings)) as pool:
        return sorted(pool.map(told, takings))


def test_the_last_ones_go_to_as_many_as_there_are(shelf):
    shelf.put("TEA,茶,,,,,,C5000,3,")
    takings = [shelf.taking(new_id(), "TEA") for _ in range(THREADS)]
    told = together(shelf, takings)
    assert told == ["TEA"] * 3 + ["sold out"] * (THREADS - 3)
    assert shelf.variant("TEA").stock == 0


def test_no_more_go_on_a_day_than_its_limit(shelf, fresh_clock):
    shelf.put("EEL,うなぎ,,,,,,C5000,,2")
    told = together(shelf, [shelf.taking(new_id(), "EEL") for _ in range(THREADS)])
    assert told == ["EEL"] * 2 + ["sold out"] * (THREADS - 2)
    assert not shelf.product("EEL").is_available
    fresh_clock(timedelta(days=1))
    shelf.take(new_id(), "EEL")
    assert shelf.variant("EEL").taken_today == 1


def test_each_code_goes_to_one_only(shelf):
    shelf.put("CARD,カード,digital,,,,,C5000,,")
    with unit_of_work(shelf.scope) as work:
        catalog.add_codes(work, shelf.variant("CARD").id, ["A-1", "A-2", "A-3"])
    takings = [shelf.taking(new_id(), "CARD") for _ in range(THREADS)]
    told = together(shelf, takings)
    assert told == ["CARD"] * 3 + ["sold out"] * (THREADS - 3)
    with unit_of_work(shelf.scope) as work:
        codes = [catalog.find_digital_code(work, each.for_id) for each in takings]
    assert sorted(code for code in codes if code) == ["A-1", "A-2", "A-3"]


def test_many_who_change_their_minds_the_opposite_way_do_not_wait_for_ever(shelf):
    shelf.put("A,甲,,,,,,C5000,9,9", "B,乙,,,,,,C5000,9,9")
    people = [new_id() for _ in range(4)]
    ways = [
        [shelf.taking(each, code) for code in "ABABABABAB"[n % 2 :]]
        for n, each in enumerate(people)
    ]
    start = threading.Barrier(len(people))

    def change_often(way):
        start.wait()
        for taking in way * 3:
            with unit_of_work(shelf.scope) as work:
                catalog.take(work, taking)

    with ThreadPoolExecutor(len(people)) as pool:
        list(pool.map(change_often, ways))
    with unit_of_work(shelf.scope) as work:
        held = [catalog.get_taken(work, for_id).variant.code for for_id in people]
    assert [shelf.variant(code).stock for code in "AB"] == [9 - held.count(code) for code in "AB"]
    assert [shelf.variant(code).taken_today for code in "AB"] == [held.count(c) for c in "AB"]


def test_two_who_want_what_the_other_has_are_both_told_so(shelf):
    shelf.put("A,甲,,,,,,C5000,1,9", "B,乙,,,,,,C5000,1,9")
    first, second = new_id(), new_id()
    shelf.take(first, "A")
    shelf.take(second, "B")
    told = together(shelf, [shelf.taking(first, "B"), shelf.taking(second, "A")])
    assert told == ["sold out"] * 2
    assert [shelf.variant(code).stock for code in "AB"] == [0, 0]


def test_the_same_twice_at_once_is_once(shelf):
    shelf.put("TEA,茶,,,,,,C5000,9,9")
    taking = shelf.taking(new_id(), "TEA")
    assert together(shelf, [taking] * THREADS) == ["TEA"] * THREADS
    assert (shelf.variant("TEA").stock, shelf.variant("TEA").taken_today) == (8, 1)


def test_what_is_taken_tells_who_sends_it_and_when(shelf):
    shelf.put("TEA,茶,,たべもの,茶舗,3000,7,C5000,9,")
    taken = shelf.take(new_id(), "TEA")
    assert (taken.supplier, taken.lead_days, taken.kind) == ("茶舗", 7, "goods")
    assert taken.product.name_in("en") == "茶"


def test_another_choice_takes_the_place_of_the_one_before(shelf):
    shelf.put("A,甲,,,,,,C5000,1,", "B,乙,,,,,,C5000,1,")
    for_id = new_id()
    shelf.take(for_id, "A")
    assert shelf.take(for_id, "B").variant.code == "B"
    assert (shelf.variant("A").stock, shelf.variant("B").stock) == (1, 0)


def test_who_changes_to_what_is_gone_keeps_what_they_had(shelf):
    shelf.put("A,甲,,,,,,C5000,1,", "B,乙,,,,,,C5000,0,")
    for_id = new_id()
    shelf.take(for_id, "A")
    taking = shelf.taking(for_id, "B")
    with unit_of_work(shelf.scope) as work:
        with pytest.raises(catalog.SoldOut):
            catalog.take(work, taking)
        assert catalog.get_taken(work, for_id).variant.code == "A"
    assert shelf.variant("A").stock == 0


def test_what_comes_back_after_its_stock_was_made_endless_adds_none(shelf):
    shelf.put("A,甲,,,,,,C5000,1,", "B,乙,,,,,,C5000,1,")
    for_id = new_id()
    shelf.take(for_id, "A")
    with unit_of_work(shelf.scope) as work:
        catalog.set_stock(work, shelf.variant("A").id, stock=None, daily_limit=None)
    shelf.take(for_id, "B")
    assert shelf.variant("A").stock is None


def test_a_code_that_nobody_saw_comes_back_and_one_that_was_seen_does_not(shelf):
    shelf.put("CARD,カード,digital,,,,,C5000,,", "TEA,茶,,,,,,C5000,9,")
    with unit_of_work(shelf.scope) as work:
        variant_id = shelf.variant("CARD").id
        assert catalog.add_codes(work, variant_id, ["A-1", "A-2", "A-1"]) == 2
        assert catalog.add_codes(work, variant_id, ["A-2"]) == 0
    seen, unseen = new_id(), new_id()
    shelf.take(seen, "CARD")
    shelf.take(unseen, "CARD")
    with unit_of_work(shelf.scope) as work:
        assert catalog.find_digital_code(work, seen) == "A-1"
        for each in (seen, unseen):
            catalog.take(work, shelf.taking(each, "TEA"))
        assert catalog.find_digital_code(work, seen) is None
    assert shelf.variant("CARD").stock == 1
    shelf.take(seen, "CARD")
    with unit_of_work(shelf.scope) as work:
        assert catalog.find_digital_code(work, seen) == "A-2"
    assert not shelf.product("CARD").is_available


def test_where_it_is_not_delivered_nothing_is_taken(shelf):
    header = "code,name,courses,stock,excluded_prefectures"
    shelf.put("A,甲,C5000,1,沖縄県;北海道", header=header)
    with pytest.raises(catalog.NotDelivered) as refusal:
        shelf.take(new_id(), "A", prefecture="沖縄県")
    assert refusal.value.params == {"prefecture": "沖縄県"}
    assert shelf.variant("A").stock == 1
    shelf.take(new_id(), "A", prefecture="東京都")


def test_only_what_the_course_offers_can_be_taken(shelf):
    shelf.put("A,甲,,,,,,,1,", "B,乙,,,,,,C5000,1,")
    with pytest.raises(catalog.ChoiceNotFound):
        shelf.take(new_id(), "A")
    for_id = new_id()
    shelf.take(for_id, "B")
    with unit_of_work(shelf.scope) as work:
        catalog.set_state(work, shelf.product("B").id, is_active=False)
    with pytest.raises(catalog.ChoiceNotFound):
        shelf.take(new_id(), "B")
    assert shelf.take(for_id, "B").variant.code == "B"  # what somebody has stays theirs
    unknown = catalog.Taking(for_id=new_id(), course_id=shelf.course_id, variant_id=new_id())
    with unit_of_work(shelf.scope) as work, pytest.raises(catalog.ChoiceNotFound):
        catalog.take(work, unknown)
