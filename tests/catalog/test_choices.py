"""What somebody may choose from: only what is left, in the course's order, found by its sound."""

from __future__ import annotations

from datetime import date

import pytest

from giftpad import catalog
from giftpad.kernel.ids import new_id
from giftpad.kernel.work import unit_of_work
from tests.make import make_tenant
from tests.make_catalog import make_course, make_shelf

HEADER = "code,name,name_en,category,category_en,description,courses,stock,daily_limit,variant_code"


def codes(shelf, **wanted):
    with unit_of_work(shelf.scope) as work:
        page = catalog.list_choices(work, shelf.course_id, **wanted)
    return [choice.code for choice in page.items]


@pytest.fixture
def filled(shelf):
    shelf.put(
        "BEEF,近江牛 すき焼き,Ohmi beef,たべもの,Food,タレつき,C5000,9,,",
        "GONE,幻の茶,Tea,たべもの,Food,,C5000,0,,",
        "TODAY,日替わり,Daily,たべもの,Food,,C5000,,0,",
        "TOWEL,タオル,Towel,くらし,Home,ふわふわ,C5000,0,,TOWEL-W",
        "TOWEL,,,,,,,5,,TOWEL-B",
        "ONSEN,温泉 ペアチケット,Spa,体験,Leisure,,C5000,,,",
        "OTHER,別のコース,Other,体験,Leisure,,,,,",
        header=HEADER,
    )
    return shelf


def test_only_what_can_be_had_now_is_offered_in_the_order_of_the_file(filled):
    assert codes(filled) == ["BEEF", "TOWEL", "ONSEN"]
    with unit_of_work(filled.scope) as work:
        assert catalog.get_course(work, filled.course_id).choice_count == 3
        keys = [
            (each.key, each.choice_count)
            for each in catalog.list_categories(work, filled.course_id)
        ]
    assert keys == [("たべもの", 1), ("くらし", 1), ("体験", 1)]
    assert codes(filled, category="体験") == ["ONSEN"]
    with unit_of_work(filled.scope) as work:
        catalog.set_state(work, filled.product("BEEF").id, is_active=False)
    assert codes(filled) == ["TOWEL", "ONSEN"]


@pytest.mark.parametrize(
    "text",
    [
        "たおる",
        "タオル",
        "ﾀｵﾙ",
        "タ オ ル",
        "towel",
        "ＴＯＷＥＬ",
        "フワフワ",
        "くらし タオル",
        "home",
    ],
)
def test_a_product_is_found_by_any_spelling_of_its_sound(filled, text):
    assert codes(filled, text=text) == ["TOWEL"]


def test_a_product_keeps_its_place_unless_another_is_given(filled):
    filled.put("ONSEN,温泉,C5000,", "NEW,新,C5000,", header="code,name,courses,position")
    assert codes(filled) == ["BEEF", "TOWEL", "ONSEN", "NEW"]
    filled.put("NEW,新,C5000,1", "BEEF,牛,C5000,2", header="code,name,courses,position")
    assert codes(filled)[:2] == ["NEW", "BEEF"]


def test_all_words_must_be_found(filled):
    assert codes(filled, text="タオル 温泉") == []
    assert codes(filled, text="　") == ["BEEF", "TOWEL", "ONSEN"]
    assert codes(filled, text="%") == []
    assert codes(filled, text="江牛すき") == ["BEEF"]
    assert codes(filled, text="焼きohmi") == []  # one text does not go on in the next


def test_a_list_goes_on_where_it_ended_also_when_that_one_is_gone_by_now(shelf):
    shelf.put(*(f"P{n},品{n},,,,,C5000,1,," for n in range(5)), header=HEADER)
    seen, after = [], None
    while True:
        with unit_of_work(shelf.scope) as work:
            page = catalog.list_choices(work, shelf.course_id, after=after, limit=2)
        seen += [choice.code for choice in page.items]
        after = page.next_after
        if after is None:
            break
        shelf.take(new_id(), seen[-1])
    assert seen == [f"P{n}" for n in range(5)]


def test_a_product_tells_what_is_left_of_each_variant(filled):
    product = filled.product("TOWEL")
    assert [(each.code, each.is_available) for each in product.variants] == [
        ("TOWEL-W", False),
        ("TOWEL-B", True),
    ]
    assert product.is_available
    assert (product.name_in("en"), product.category_in("en")) == ("Towel", "Home")
    assert not filled.product("TODAY").is_available


def test_courses_are_listed_by_price_on_their_days(shelf):
    make_course(shelf.scope, "C3000", 3000)
    with unit_of_work(shelf.scope) as work:
        later = catalog.CourseFacts(
            code="LATER",
            names={"ja": "来年"},
            price_minor=1,
            unit="JPY",
            starts_on=date(2098, 1, 1),
            ends_on=date(2098, 1, 1),
        )
        catalog.add_course(work, later)
        on = [course.code for course in catalog.list_courses(work, on=date(2026, 12, 1))]
        assert on == ["C3000", "C5000"]
        last_day = [course.code for course in catalog.list_courses(work, on=date(2098, 1, 1))]
        assert last_day == ["LATER", "C3000", "C5000"]
        assert len(catalog.list_courses(work)) == 3


def test_a_course_is_changed_as_a_whole_and_its_code_stays_its_own(shelf):
    other = make_course(shelf.scope, "C3000", 3000)
    facts = catalog.CourseFacts(
        code="C3000",
        names={"ja": "三千円"},
        price_minor=3300,
        unit="JPY",
        starts_on=date(2026, 1, 1),
        ends_on=date(2026, 12, 31),
    )
    with unit_of_work(shelf.scope) as work:
        assert catalog.change_course(work, other, facts)
        assert not catalog.change_course(work, other, facts)
        assert catalog.get_course(work, other).price_minor == 3300
    with unit_of_work(shelf.scope) as work, pytest.raises(catalog.CodeTaken):
        catalog.change_course(work, shelf.course_id, facts)
    with unit_of_work(shelf.scope) as work, pytest.raises(catalog.CourseNotFound):
        catalog.change_course(work, new_id(), facts)


def test_a_course_is_filled_in_the_order_that_is_given(filled):
    ids = [filled.product(code).id for code in ("ONSEN", "OTHER", "BEEF")]
    with unit_of_work(filled.scope) as work:
        catalog.fill_course(work, filled.course_id, ids)
    assert codes(filled) == ["ONSEN", "OTHER", "BEEF"]
    with unit_of_work(filled.scope) as work, pytest.raises(catalog.ProductNotFound):
        catalog.fill_course(work, filled.course_id, [new_id()])


def test_products_are_listed_by_code_with_their_filters(filled):
    def listed(**wanted):
        with unit_of_work(filled.scope) as work:
            found = catalog.list_products(work, catalog.ProductFilter(**wanted), limit=3)
        return [product.code for product in found.items], found.next_after

    assert listed() == (["BEEF", "GONE", "ONSEN"], "ONSEN")
    assert listed(text="おんせん") == ([], None)  # kanji are not read out
    assert listed(text="ペア") == (["ONSEN"], None)
    assert listed(category="体験") == (["ONSEN", "OTHER"], None)
    assert listed(category="体験", course_id=filled.course_id) == (["ONSEN"], None)
    assert listed(state="hidden") == ([], None)
    with unit_of_work(filled.scope) as work:
        assert [each.key for each in catalog.list_product_categories(work)] == [
            "くらし",
            "たべもの",
            "体験",
        ]


def test_another_tenant_sees_and_takes_nothing(filled):
    stranger = make_shelf(make_tenant())
    product = filled.product("ONSEN")
    taking = catalog.Taking(
        for_id=new_id(), course_id=filled.course_id, variant_id=product.variants[0].id
    )
    with unit_of_work(stranger.scope) as work:
        assert catalog.list_choices(work, filled.course_id).items == ()
        with pytest.raises(catalog.CourseNotFound):
            catalog.get_course(work, filled.course_id)
        with pytest.raises(catalog.ProductNotFound):
            catalog.get_product(work, product.id)
        with pytest.raises(catalog.ChoiceNotFound):
            catalog.take(work, taking)
