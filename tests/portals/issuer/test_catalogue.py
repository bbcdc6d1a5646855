"""The catalogue at the desk, through HTTP: looked at, taken in, changed."""

from __future__ import annotations

import csv
import io
import re

import pytest
import sqlalchemy as sa

from giftpad import catalog, tenancy
from giftpad.kernel.work import unit_of_work
from tests.make_catalog import Shelf, make_picture, make_shelf
from tests.portals.issuer.counter import Counter, send, words

START = "/desk/catalogue"
PICTURE = re.compile(r'src="(/pictures/[^"]+)"')


@pytest.fixture
def desk(site) -> Counter:
    return Counter(site)


@pytest.fixture
def shelf(desk) -> Shelf:
    """A catalogue with two products of a course; one has two variants."""
    shelf = make_shelf(desk.site.scope)
    shelf.put(
        "TEA,茶,,たべもの,茶舗,3000,7,C5000,9,4",
        "TOWEL,タオル,,くらし,織物店,2000,,C5000,0,",
        "CARD,札,digital,体験,,1000,,C5000,,",
    )
    return shelf


def upload(desk: Counter, data: bytes, name: str = "products.csv", role: str = "issuer"):
    """Send a file as the upload page does."""
    officer = desk.person(role)
    officer.get(f"{START}/imports/new")
    form = {"key": officer.key(), "file": (io.BytesIO(data), name)}
    return officer, officer.post(f"{START}/imports", form, content_type="multipart/form-data")


def test_who_may(desk, shelf):
    assert desk.site.nobody().get(START).status_code == 303
    viewer = desk.person("viewer")
    assert "茶" in words(viewer.get(START))
    assert "Take in a list" not in words(viewer.last)
    assert viewer.get(f"{START}/imports/new").status_code == 403
    assert desk.person("clerk").get(START).status_code == 403


def test_an_empty_catalogue_says_how_it_begins(desk):
    assert "Make a course, then take in a list" in words(desk.person("issuer").get(START))
    assert "There is no product yet." in words(desk.person("viewer").get(START))


def test_the_way_in_is_shown_to_tenants_that_have_gifts(desk, shelf):
    assert f'href="{START}"' not in desk.person("issuer").get("/desk/programmes").text
    with unit_of_work(desk.site.scope) as work:
        found = sa.text("""UPDATE tenants SET features = '["coupons", "gifts"]' WHERE id = :id""")
        work.session.execute(found, {"id": work.tenant_id})
    tenancy.forget_tenants()
    assert f'href="{START}"' in desk.person("viewer").get("/desk/programmes").text


def test_products_are_found_by_words_category_and_state(desk, shelf):
    officer = desk.person("issuer")
    found = words(officer.get(f"{START}?q=%E3%81%9F%E3%81%8A%E3%82%8B"))  # in the other kana
    assert "TOWEL" in found
    assert "TEA" not in found
    assert "none left" in found
    assert "TEA" in words(officer.get(f"{START}?category=たべもの&state=active"))
    assert "No product fits this filter." in words(officer.get(f"{START}?q=nothing"))


def test_a_file_is_checked_told_by_line_and_taken_after_a_press(desk, shelf):
    table = "code,name,price,courses\nCUP,湯のみ,900,C5000\nBAD,x,free,\n".encode()
    officer, answer = upload(desk, table)
    waiting = officer.follow(answer)
    assert "The file is being checked." in words(waiting)
    desk.work_off()
    checked = officer.get(answer.headers["Location"])
    assert "1 new products, 0 change" in words(checked)
    assert "free is no whole number." in words(checked)
    assert "Write a whole number from 0" in words(checked)
    assert "CUP" not in words(officer.get(START))
    officer.get(answer.headers["Location"])
    taken = officer.post(f"{answer.headers['Location']}/take", {"key": officer.key()})
    assert taken.status_code == 303
    desk.work_off()
    assert "The list is taken in" in words(officer.get(answer.headers["Location"]))
    assert "湯のみ" in words(officer.get(START))


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"%PDF-1.7", "This is no table."),
        (b"PK\x03\x04xxx", "The ZIP file must hold one table"),
        (b"", "There is no file, or nothing in it."),
    ],
)
def test_a_file_that_is_none_is_told_on_a_page(desk, shelf, data, told):
    officer, answer = upload(desk, data)
    if answer.status_code == 303:
        desk.work_off()
        answer = officer.get(answer.headers["Location"])
        assert "Nothing of this file can be taken in" in words(answer)
    assert told in words(answer)
    assert "#gp-summary" not in words(answer)


def test_what_is_taken_away_can_be_taken_in_again_and_changes_nothing(desk, shelf):
    officer = desk.person("issuer")
    file = officer.get(f"{START}/all.csv")
    rows = list(csv.DictReader(io.StringIO(file.text.removeprefix("\ufeff"))))
    assert [row["code"] for row in rows] == ["CARD", "TEA", "TOWEL"]
    officer, answer = upload(desk, file.data)
    desk.work_off()
    assert "Nothing to take in" in words(officer.get(answer.headers["Location"]))


def test_a_list_taken_away_and_in_again_brings_no_stock_back(desk, shelf):
    tea = shelf.variant("TEA").id
    with unit_of_work(shelf.scope) as work:
        catalog.set_stock(work, tea, stock=50, daily_limit=None)
    officer = desk.person("issuer")
    file = officer.get(f"{START}/all.csv").text
    with unit_of_work(shelf.scope) as work:  # meanwhile thirty are chosen
        catalog.set_stock(work, tea, stock=20, daily_limit=None)
    officer, answer = upload(desk, file.replace("タオル", "手ぬぐい").encode())
    desk.work_off()
    where = answer.headers["Location"]
    officer.get(where)
    officer.post(f"{where}/take", {"key": officer.key()})
    desk.work_off()
    assert shelf.product("TOWEL").names["ja"].startswith("手ぬぐい")
    assert shelf.variant("TEA").stock == 20


def test_stock_is_set_and_a_wrong_number_is_kept_and_told(desk, shelf):
    officer = desk.person("issuer")
    product = shelf.product("TEA")
    page = f"{START}/{product.id}"
    where = f"{page}/variants/{product.variants[0].id}/stock"
    officer.get(page)
    wrong = officer.post(where, {"key": officer.key(), "stock": "many", "daily_limit": ""})
    assert wrong.status_code == 422
    assert "Please type a whole number" in words(wrong)
    assert 'value="many"' in wrong.text
    officer.get(page)
    right = officer.post(where, {"key": officer.key(), "stock": "１２", "daily_limit": ""})
    assert "The stock is set." in words(officer.follow(right))
    assert (shelf.variant("TEA").stock, shelf.variant("TEA").daily_limit) == (12, None)
    officer.get(page)
    officer.post(f"{page}/state", {"key": officer.key(), "state": "hidden"})
    assert shelf.product("TEA").state == "hidden"
    log = words(desk.person("owner").get("/desk/audit"))
    assert "Set the stock of a product" in log
    assert "Hid a product" in log


def test_codes_of_a_digital_product_are_added_and_never_shown(desk, shelf):
    officer = desk.person("issuer")
    card = shelf.product("CARD")
    page = f"{START}/{card.id}"
    officer.get(page)
    sent = {"key": officer.key(), "file": (io.BytesIO(b"code\nHIDDEN-1\nHIDDEN-2\n"), "c.csv")}
    where = f"{page}/variants/{card.variants[0].id}/codes"
    answer = officer.post(where, sent, content_type="multipart/form-data")
    shown = officer.follow(answer)
    assert "2 codes were added, 0 were known already." in words(shown)
    assert "HIDDEN" not in shown.text
    assert shelf.variant("CARD").stock == 2


def test_a_course_is_made_changed_and_shows_what_can_be_chosen(desk, shelf):
    officer = desk.person("issuer")
    fields = {
        "code": "c3000",
        "name": "三千円",
        "price": "3,000円",
        "starts_on": "2026-01-01",
        "ends_on": "2025-01-01",
    }
    wrong = send(officer, f"{START}/courses/new", fields)
    assert wrong.status_code == 422
    assert "The last day must not lie before the first." in words(wrong)
    made = send(officer, f"{START}/courses/new", fields | {"ends_on": "2030-01-01"})
    assert "三千円" in words(officer.follow(made))
    again = send(officer, f"{START}/courses/new", fields | {"ends_on": "2030-01-01"})
    assert "Another course has the code C3000." in words(again)
    course = officer.get(f"{START}/courses/{shelf.course_id}")
    assert "1 product to choose" in words(course)
    assert "Not to be had now" in words(course)
    changed = send(
        officer,
        f"{START}/courses/{shelf.course_id}/change",
        fields | {"code": "C5000", "name": "改めて", "ends_on": "2030-01-01"},
    )
    assert "改めて" in words(officer.follow(changed))


def test_a_picture_is_served_for_ever_to_who_knows_its_address(desk, shelf):
    picture_id = catalog.add_picture(shelf.scope, "tea.png", make_picture())
    with unit_of_work(shelf.scope) as work:
        row = work.session.get(catalog.models.ProductRow, (work.tenant_id, shelf.product("TEA").id))
        row.picture_ids = [picture_id]
    officer = desk.person("issuer")
    (address,) = PICTURE.findall(officer.get(START).text)
    answer = desk.site.nobody().get(address)
    assert (answer.status_code, answer.mimetype) == (200, "image/webp")
    assert "immutable" in answer.headers["Cache-Control"]
    assert desk.site.nobody().get(address.replace("-360", "-361")).status_code == 404
    slug = tenancy.get_tenant(shelf.scope.tenant_id).slug
    assert desk.site.nobody().get(address.replace(slug, "platform")).status_code == 404
