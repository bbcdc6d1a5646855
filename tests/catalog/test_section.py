"""The catalogue of a pack: what the demonstration shows, and what a wrong pack is told."""

from __future__ import annotations

from datetime import date

import pytest

from giftpad import catalog, tenancy
from giftpad.kernel.ids import new_id
from giftpad.kernel.work import Scope, unit_of_work
from tests.make_packs import apply, change, copy_pack, load

CATALOGUE = "catalog/products.csv"


@pytest.fixture
def folder(house, tmp_path):
    from tests.make import make_platform

    make_platform()
    slug = f"hanamaru-{tmp_path.name.replace('_', '-').lower()}"
    return copy_pack(tmp_path, slug="hanamaru", as_slug=slug)


def test_the_demonstration_has_something_to_choose_for_everybody(folder):
    scope = Scope(tenant_id=apply(folder).tenant_id)
    with unit_of_work(scope) as work:
        courses = catalog.list_courses(work, on=date(2026, 12, 1))
        found = catalog.list_products(work, catalog.ProductFilter()).items
        categories = [each.key for each in catalog.list_product_categories(work)]
    assert [(each.price_minor, each.choice_count) for each in courses] == [
        (3000, 5),
        (5000, 8),
        (10000, 5),
    ]
    assert len(found) == 12
    assert set(categories) == {"たべもの", "くらし", "体験", "寄付"}
    assert all(product.is_available for product in found)
    assert {product.kind for product in found} == {"goods", "digital", "donation"}
    assert max(len(product.variants) for product in found) == 2
    assert any(product.variants[0].daily_limit for product in found)
    for product in found:
        for width in catalog.WIDTHS:
            picture = catalog.picture(scope.tenant_id, product.picture_ids[0], width=width)
            assert picture.data.startswith(b"RIFF")
        assert product.description_in("en")


def test_a_pack_that_changes_leaves_the_stock_as_it_is(folder):
    scope = Scope(tenant_id=apply(folder).tenant_id)
    assert apply(folder).changes == ()
    with unit_of_work(scope) as work:
        course = catalog.list_courses(work)[1]
        product = catalog.find_product_ids(work, ["HM-POT", "HM-CUP"])
        variant = catalog.get_product(work, product["HM-CUP"]).variants[0]
        catalog.take(
            work, catalog.Taking(for_id=new_id(), course_id=course.id, variant_id=variant.id)
        )
    change(folder, CATALOGUE, "二人の湯のみ", "夫婦湯のみ")
    assert apply(folder).changes == ("catalog: 0 products added, 1 changed",)
    with unit_of_work(scope) as work:
        cup = catalog.get_product(work, product["HM-CUP"])
    assert (cup.name_in("ja"), cup.variants[0].stock) == ("夫婦湯のみ", 89)


@pytest.mark.parametrize(
    ("file", "old", "new", "told"),
    [
        (CATALOGUE, "HM-BEEF", "HM BEEF", f"{CATALOGUE}:2: code:"),
        (CATALOGUE, "C3000;C5000,rice.svg", "C9,rice.svg", "no course with the code C9"),
        (CATALOGUE, "rice.svg", "lice.svg", "no picture called lice.svg"),
        ("catalog/courses.toml", 'code = "C3000"', 'code = "c3000"', '"code" is "c3000"'),
        ("catalog/courses.toml", "ends_on = 2036-03-31", "ends_on = 2025-03-31", "lies before"),
        ("catalog/pictures/cup.svg", "<title>", "<script/><title>", "<script> is not allowed"),
        ("catalog/pictures/cup.svg", "<title>", '<image href="x"/><title>', "<image> is not"),
        ("catalog/codes/HM-CINEMA.csv", "code", 'code,"', "quotation marks"),
    ],
)
def test_what_is_wrong_with_a_catalogue_is_told_with_its_file(folder, file, old, new, told):
    change(folder, file, old, new)
    with pytest.raises(tenancy.PackBroken) as refusal:
        load(folder)
    assert told in str(refusal.value)
