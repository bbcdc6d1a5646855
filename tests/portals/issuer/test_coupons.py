"""Coupons at the desk, through HTTP: found, shown, stopped, freed, replaced."""

from __future__ import annotations

import re

import pytest

from giftpad.kernel.db import Busy
from giftpad.portals.issuer import coupon_acts
from tests.make_pages import make_site
from tests.portals.issuer.counter import Counter, send, words

LOST = {"why": "lost"}


@pytest.fixture
def desk(site) -> Counter:
    """A town with a few coupons released."""
    return Counter(site)


def test_nobody_is_sent_to_sign_in_and_wrong_roles_are_refused(desk):
    (serial,) = desk.coupons(1)
    nobody = desk.site.nobody()
    answer = nobody.get(f"/desk/coupons/{serial}")
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/sign-in?next=/desk/coupons/")

    clerk = desk.person("clerk")
    assert clerk.get("/desk/coupons").status_code == 403
    assert clerk.get(f"/desk/coupons/{serial}").status_code == 403

    viewer = desk.person("viewer")
    assert viewer.get(f"/desk/coupons/{serial}").status_code == 200
    assert viewer.get(f"/desk/coupons/{serial}/stop").status_code == 403
    assert viewer.post(f"/desk/coupons/{serial}/stop", LOST).status_code == 403
    assert "/stop" not in viewer.get(f"/desk/coupons/{serial}").text
    assert desk.coupon(serial).state == "active"


def test_a_coupon_is_found_by_number_and_by_either_code_and_no_code_is_in_an_address(desk):
    first, second = desk.coupons(2)
    officer = desk.person("support")
    number = second.partition("-")[2].lstrip("0")
    typed = f" {second.partition('-')[0].lower()} - {number} "
    for shown in (typed, *desk.codes[second]):
        officer.get("/desk/coupons")
        answer = officer.post("/desk/coupons/find", {"code": shown})
        assert answer.status_code == 303, words(answer)
        assert answer.headers["Location"] == f"/desk/coupons/{second}"
    assert first != second
    page = officer.follow(answer)
    assert "This coupon can be spent." in words(page)
    for code in desk.codes[second]:
        assert code not in page.text
        assert code.replace("-", "") not in page.text


@pytest.mark.parametrize("shown", ["KO-0099999", "7K3Q-9MXW-2D8F-RT5A", "x", "", "{0}"])
def test_what_is_no_coupon_is_said_at_the_field(desk, shown):
    officer = desk.person("support")
    officer.get("/desk/coupons")
    answer = officer.post("/desk/coupons/find", {"code": shown})
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.text
    assert "Error:" in answer.text.partition("</title>")[0]


def test_the_page_tells_all_that_happened_newest_first_and_who_did_it(desk):
    (serial,) = desk.coupons(1)
    desk.pay(serial, 300)
    support = desk.site.sign_in(desk.site.new_person("support", name="<b>佐藤</b> 直子"))
    support.headers["Accept-Language"] = "en"
    send(support, f"/desk/coupons/{serial}/stop", LOST | {"words": "<script>x</script>"})
    page = support.get(f"/desk/coupons/{serial}")
    said = words(page)
    order = [said.index(each) for each in ("Lost: <script>x", "Paid in the shop", "Ordered")]
    assert order == sorted(order)
    assert "<b>佐藤</b> 直子" in said
    assert "<script>x" not in page.text
    assert "青葉ベーカリー" in said
    assert "left: ¥700" in said

    counter = desk.person("counter")
    said = words(counter.get(f"/desk/coupons/{serial}"))
    assert "青葉ベーカリー" not in said
    assert "Payments are not shown" in said


def test_stopping_and_freeing_says_what_happens_first_and_is_done_once(desk):
    (serial,) = desk.coupons(1)
    officer = desk.person("approver")
    page = officer.get(f"/desk/coupons/{serial}/stop")
    assert "The remaining ¥1,000 is kept." in words(page)
    form = LOST | {"key": officer.key()}
    first = officer.post(f"/desk/coupons/{serial}/stop", form)
    again = officer.post(f"/desk/coupons/{serial}/stop", form)
    assert (first.status_code, again.status_code) == (303, 303)
    assert first.headers["Location"] == again.headers["Location"]
    page = officer.follow(again)
    assert desk.coupon(serial).state == "blocked"
    assert words(page).count("It was stopped by 見本 太郎 · Reason: Lost") == 1, words(page)

    assert send(officer, f"/desk/coupons/{serial}/free", {"why": "found"}).status_code == 303
    assert desk.coupon(serial).state == "active"


def test_a_reason_is_needed_and_what_was_typed_is_kept(desk):
    (serial,) = desk.coupons(1)
    officer = desk.person("approver")
    answer = send(officer, f"/desk/coupons/{serial}/stop", {"words": "at the <window>"})
    assert answer.status_code == 422
    assert "at the &lt;window&gt;" in answer.text
    answer = send(officer, f"/desk/coupons/{serial}/stop", {"why": "other"})
    assert answer.status_code == 422
    assert "Please write the reason in a few words." in words(answer)
    assert desk.coupon(serial).state == "active"


def test_a_replacement_is_made_once_and_followed_on_its_own_page(desk):
    (serial,) = desk.coupons(1)
    desk.pay(serial, 400)
    owner = desk.person("owner")
    page = owner.get(f"/desk/coupons/{serial}/replace")
    assert "The remaining ¥600 moves to a new coupon" in words(page)
    form = LOST | {"key": owner.key()}
    answers = [owner.post(f"/desk/coupons/{serial}/replace", form) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [303, 303]
    (address,) = {answer.headers["Location"] for answer in answers}
    new = address.rpartition("/")[2]
    assert new != serial
    page = owner.follow(answers[0])
    assert "Being printed and read back" in words(page)
    assert f'hx-get="/desk/coupons/{new}/paper"' in page.text
    assert desk.coupon(new).balance_minor == 600
    assert desk.coupon(serial).replaced_by == new

    desk.work_off()
    part = owner.get(f"/desk/coupons/{new}/paper", headers={"HX-Request": "true"})
    assert "<html" not in part.text
    assert "hx-get" not in part.text
    assert "Print it and hand it over now." in words(part)
    (address,) = re.findall(r'href="([^"]+\.pdf)"', part.text)
    taken = owner.get(address)
    assert taken.data.startswith(b"%PDF")

    old = words(owner.get(f"/desk/coupons/{serial}"))
    assert f"To its new coupon {new}" in old
    assert f"What was left is on {new} now." in old
    assert "Where it can be spent" not in old
    answer = send_without_key(owner, f"/desk/coupons/{serial}/replace")
    assert "was replaced by" in words(answer)


def test_a_replacement_says_who_can_release_and_print_it(desk):
    desk.site.person("approver", name="利用 開始")
    desk.site.person("issuer", name="印刷 する")
    (serial,) = desk.ordered(1)
    officer = desk.person("support")
    answer = send(officer, f"/desk/coupons/{serial}/replace", LOST)
    assert "They can do it" not in words(officer.follow(answer))
    desk.work_off()
    said = words(officer.get(answer.headers["Location"] + "/paper"))
    assert "Have it released, then hand it over. They can do it: 利用 開始" in said
    assert "out of its print run. They can do it: 印刷 する" in said


def send_without_key(browser, path):
    """Press a button that an old page still shows."""
    browser.get("/desk/coupons")
    return browser.post(path, LOST | {"key": "0" * 32})


def test_a_coupon_that_holds_nothing_is_not_replaced_and_says_why(desk):
    (serial,) = desk.coupons(1)
    desk.pay(serial, 1000)
    officer = desk.person("support")
    page = officer.get(f"/desk/coupons/{serial}")
    assert "It cannot be replaced: nothing is left on it." in words(page)
    assert f"/desk/coupons/{serial}/replace" not in page.text
    assert send_without_key(officer, f"/desk/coupons/{serial}/replace").status_code == 409
    assert desk.coupon(serial).replaced_by is None


def test_while_a_shop_is_paying_with_it_the_page_says_so(desk, monkeypatch):
    (serial,) = desk.coupons(1)
    officer = desk.person("approver")

    def busy(*_args, **_kwargs):
        raise Busy

    monkeypatch.setattr(coupon_acts.coupons, "block", busy)
    answer = send(officer, f"/desk/coupons/{serial}/stop", LOST)
    assert answer.status_code == 409
    assert "Nothing was changed. Perhaps the coupon is being used in a shop right now." in words(
        answer
    )


def test_a_run_is_named_then_confirmed_in_numbers_then_stopped_once(desk):
    serials = desk.coupons(3)
    officer = desk.person("approver")
    asked = f"/desk/coupons/range?act=stop&first={serials[0]}&last={serials[1]}"
    page = officer.get(asked)
    assert "2 coupons" in words(page)
    assert [desk.coupon(each).state for each in serials] == ["active"] * 3
    form = LOST | {"act": "stop", "first": serials[0], "last": serials[1], "key": officer.key()}
    for _ in range(2):
        answer = officer.post("/desk/coupons/range", form)
        assert "Stopped: 2 coupons." in words(officer.follow(answer))
    assert [desk.coupon(each).state for each in serials] == ["blocked", "blocked", "active"]

    backwards = f"/desk/coupons/range?act=stop&first={serials[1]}&last={serials[0]}"
    assert officer.get(backwards).status_code == 422
    assert officer.get("/desk/coupons/range?act=stop&first=nothing&last=x").status_code == 422


def test_another_town_sees_nothing_of_it(desk, settings, tmp_path_factory):
    (serial,) = desk.coupons(1)
    other = make_site(settings, tmp_path_factory.mktemp("elsewhere"), slug="hanamaru")
    officer = other.person("owner")
    for path in (f"/desk/coupons/{serial}", f"/desk/coupons/{serial}/stop"):
        assert officer.get(path).status_code == 404
    officer.get("/desk/coupons")
    for code in desk.codes[serial]:
        assert officer.post("/desk/coupons/find", {"code": code}).status_code == 422


def test_an_unreleased_coupon_says_that_it_is_worth_nothing(desk):
    (serial,) = desk.ordered(1)
    page = words(desk.person("viewer").get(f"/desk/coupons/{serial}"))
    assert "It is worth nothing if stolen." in page
