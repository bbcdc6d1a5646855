"""Member shops at the desk, through HTTP: found, enrolled, changed from a day on, stopped."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import pytest

from giftpad import audit, shops
from giftpad.kernel.clock import local_date
from giftpad.kernel.work import unit_of_work
from tests.make_pages import FIRST_SHOP, make_site
from tests.portals.issuer.counter import Counter, send, words

NEW = {"number": "9901", "name": "<b>新しい店</b>", "area": "中央地区", "groups": "市内加盟店"}


@pytest.fixture
def desk(site) -> Counter:
    """A town with the shops of its pack."""
    return Counter(site)


def get_shop(desk: Counter, number: str = FIRST_SHOP) -> shops.ShopView:
    with unit_of_work(desk.site.scope) as work:
        return shops.get_shop(work, desk.site.shop_id(number))


def facts_form(desk: Counter, **changes: str) -> dict[str, str]:
    shop = get_shop(desk)
    typed = {
        "name": shop.facts.name,
        "kana": shop.facts.kana,
        "area": shop.facts.area,
        "groups": ";".join(shop.facts.groups),
        "address": shop.facts.address,
        "phone": shop.facts.phone,
        "floor_area_m2": str(shop.facts.floor_area_m2 or ""),
        "hq_prefecture": shop.facts.hq_prefecture,
        "seen": shop.starts_at.isoformat(),
    }
    return typed | changes


def test_who_may_see_and_who_may_change(desk):
    shop = get_shop(desk)
    address = f"/desk/shops/{shop.id}"
    assert desk.site.nobody().get(address).status_code == 303
    assert desk.person("clerk").get(address).status_code == 403
    viewer = desk.person("viewer")
    page = viewer.get(address)
    assert page.status_code == 200
    assert "/stop" not in page.text
    for path in ("/desk/shops/new", f"{address}/change", f"{address}/stop"):
        assert viewer.get(path).status_code == 403, path
    viewer.get("/desk/shops")
    for path in ("/desk/shops/new", f"{address}/stop", f"{address}/contact", f"{address}/places"):
        assert viewer.post(path, {}).status_code == 403, path
    assert get_shop(desk) == shop


def test_the_list_is_found_by_name_area_and_group_and_goes_on(desk, monkeypatch):
    viewer = desk.person("viewer")
    said = words(viewer.get("/desk/shops?q=ベーカリー"))
    assert "青葉ベーカリー" in said
    assert "中央書店" not in said
    assert "青葉ベーカリー" in words(viewer.get(f"/desk/shops?q={FIRST_SHOP}"))
    assert "青葉ベーカリー" not in words(viewer.get("/desk/shops?group=子育て応援店"))
    assert "No shop fits this filter." in words(viewer.get("/desk/shops?area=どこか"))
    assert viewer.get(f"/desk/shops?q={'x' * 101}").status_code == 422

    monkeypatch.setattr("giftpad.portals.issuer.shops.PAGE", 1)
    page = viewer.get("/desk/shops")
    assert "中央書店" not in words(page)
    address = next(part for part in page.text.split('href="') if "after=" in part.split('"')[0])
    assert "中央書店" in words(viewer.get(address.partition('"')[0]))


def test_the_csv_holds_every_shop_and_no_formula(desk, monkeypatch):
    monkeypatch.setattr("giftpad.shops.PAGE_MAX", 2)
    with unit_of_work(desk.site.scope) as work:
        shops.change_facts(work, desk.site.shop_id(), {"name": "＝1+1", "address": "@SUM(1)"})
    answer = desk.person("viewer").get("/desk/shops/all.csv")
    rows = list(csv.reader(io.StringIO(answer.text.lstrip("\ufeff"))))
    with unit_of_work(desk.site.scope) as work:
        most = shops.list_shops(work, shops.ShopFilter(), limit=200)
    assert [row[0] for row in rows[1:]] == [shop.number for shop in most.items]
    mine = next(row for row in rows if row[0] == FIRST_SHOP)
    assert mine[1] == "'＝1+1"
    assert "'@SUM(1)" in mine


def test_a_shop_is_enrolled_once_and_its_name_is_text(desk):
    officer = desk.person("issuer")
    officer.get("/desk/shops/new")
    form = NEW | {"key": officer.key(), "contact_name": "見本 花子", "floor_area_m2": "１２０"}
    answers = [officer.post("/desk/shops/new", form) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [303, 303]
    assert answers[0].headers["Location"] == answers[1].headers["Location"]
    page = officer.follow(answers[0])
    assert "The shop is enrolled." in words(page)
    assert "<b>新しい店</b>" not in page.text
    assert "&lt;b&gt;新しい店&lt;/b&gt;" in page.text
    assert get_shop(desk, "9901").facts.floor_area_m2 == 120
    assert "見本 花子" not in page.text

    taken = send(officer, "/desk/shops/new", NEW)
    assert taken.status_code == 409
    assert "Another shop has the number 9901." in words(taken)


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("number", "###", "is no shop number"),
        ("name", "", "Please fill this in."),
        ("kana", "漢字", "is not in kana"),
        ("phone", "123", "is no telephone number"),
        ("floor_area_m2", "many", "is no floor area"),
        ("hq_prefecture", "東京", "is no prefecture"),
        ("starts_on", "tomorrow", "Please give the day"),
        ("contact_email", "x@y", "is no e-mail address"),
    ],
)
def test_what_cannot_be_is_said_at_its_field_and_kept(desk, field, typed, said):
    officer = desk.person("issuer")
    answer = send(officer, "/desk/shops/new", NEW | {field: typed})
    assert answer.status_code == 422
    assert said in words(answer)
    assert f'href="#{field}"' in answer.text
    assert f'value="{typed}"' in answer.text
    assert 'value="市内加盟店"' in answer.text


def test_facts_change_from_a_day_on_and_the_page_shows_what_will_differ(desk):
    officer = desk.person("issuer")
    shop = get_shop(desk)
    with unit_of_work(desk.site.scope) as work:
        today = local_date(work.at, "Asia/Tokyo")
    day = (today + timedelta(days=40)).isoformat()
    address = f"/desk/shops/{shop.id}/change"
    form = facts_form(desk, name="あおばベーカリー", starts_on=day)
    assert send(officer, address, form).status_code == 303
    after = get_shop(desk)
    assert after.facts == shop.facts
    assert [later.facts.name for later in after.planned] == ["あおばベーカリー"]
    said = words(officer.get(f"/desk/shops/{shop.id}"))
    assert "青葉ベーカリー → あおばベーカリー" in said

    past = facts_form(desk, name="x", starts_on="2020-01-01")
    assert send(officer, address, past).status_code == 422
    same = facts_form(desk)
    answer = send(officer, address, same)
    assert answer.status_code == 422
    assert "Nothing differs" in words(answer)


def test_a_change_of_what_somebody_else_changed_meanwhile_is_not_saved(desk):
    officer = desk.person("issuer")
    shop = get_shop(desk)
    form = facts_form(desk, address="新住所")
    with unit_of_work(desk.site.scope) as work:
        shops.change_facts(work, shop.id, {"phone": "00-0000-9999"})
    answer = send(officer, f"/desk/shops/{shop.id}/change", form)
    assert answer.status_code == 409
    assert "Nothing was saved." in words(answer)
    assert 'value="新住所"' in answer.text
    assert get_shop(desk).facts.phone == "00-0000-9999"


def test_stopping_tells_the_numbers_asks_why_and_is_done_once(desk):
    (serial,) = desk.coupons(1)
    desk.pay(serial, 300)
    officer = desk.person("issuer")
    address = f"/desk/shops/{desk.site.shop_id()}"
    page = officer.get(f"{address}/stop")
    assert "Its 1 payment of today stays as it is: ¥300." in words(page)
    assert send(officer, f"{address}/stop", {}).status_code == 422
    assert get_shop(desk).facts.accepting
    officer.get(f"{address}/stop")
    form = {"why": "shop closed", "words": "見本", "key": officer.key()}
    for _ in range(2):
        assert officer.post(f"{address}/stop", form).status_code == 303
    assert not get_shop(desk).facts.accepting
    with unit_of_work(desk.site.scope) as work:
        entries = audit.list_entries(
            work, audit.EntryFilter(subjects=(f"shop:{desk.site.shop_id()}",))
        )
    noted = [entry for entry in entries if entry.action == "shop.suspended"]
    assert [entry.details["reason"] for entry in noted] == ["shop closed: 見本"]
    assert send(officer, f"{address}/resume", {"why": "settled"}).status_code == 303
    assert get_shop(desk).facts.accepting


def test_places_are_added_once_and_closed_after_a_question(desk):
    officer = desk.person("issuer")
    address = f"/desk/shops/{desk.site.shop_id()}"
    officer.get(address)
    form = {"name": "<u>駅前</u>", "address": "駅前1", "key": officer.key()}
    for _ in range(2):
        assert officer.post(f"{address}/places", form).status_code == 303
    (branch,) = get_shop(desk).branches
    page = officer.get(address)
    assert "<u>駅前" not in page.text
    assert send(officer, f"{address}/places/{branch.id}/close").status_code == 303
    assert get_shop(desk).branches == ()
    assert officer.get(f"{address}/places/{branch.id}/close").status_code == 404
    officer.get(address)
    bad = officer.post(f"{address}/places", {"name": "", "key": officer.key()})
    assert bad.status_code == 422


def test_a_contact_is_shown_behind_a_press_that_is_recorded(desk):
    officer = desk.person("issuer")
    shop_id = desk.site.shop_id()
    with unit_of_work(desk.site.scope) as work:
        shops.set_contact(work, shop_id, shops.Contact(name="見本 花子", phone="00-0000-0009"))
    page = officer.get(f"/desk/shops/{shop_id}")
    assert "見本 花子" not in page.text
    seen = officer.post(f"/desk/shops/{shop_id}/contact")
    assert "見本 花子" in seen.text
    with unit_of_work(desk.site.scope) as work:
        entries = audit.list_entries(work, audit.EntryFilter(subjects=(f"shop:{shop_id}",)))
    assert entries[0].action == "shop.contact_seen"
    assert entries[0].actor["kind"] == "person"

    bad = {"contact_name": "見本 太郎", "contact_email": "nowhere"}
    answer = officer.post(f"/desk/shops/{shop_id}/contact/change", bad)
    assert answer.status_code == 422
    assert 'value="nowhere"' in answer.text
    good = bad | {"contact_email": "taro@shop.example"}
    assert officer.post(f"/desk/shops/{shop_id}/contact/change", good).status_code == 303
    with unit_of_work(desk.site.scope) as work:
        assert shops.get_contact(work, shop_id).email == "taro@shop.example"


def test_another_town_sees_no_shop(desk, settings, tmp_path_factory):
    shop_id = desk.site.shop_id()
    other = make_site(settings, tmp_path_factory.mktemp("elsewhere"), slug="hanamaru")
    owner = other.person("owner")
    for path in ("", "/change", "/stop", "/resume"):
        assert owner.get(f"/desk/shops/{shop_id}{path}").status_code == 404, path
    assert owner.post(f"/desk/shops/{shop_id}/contact").status_code == 404
