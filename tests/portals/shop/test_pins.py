"""A clerk types a PIN on the shop's tablet, and what is done there is theirs."""

from __future__ import annotations

import re
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from giftpad import audit, edge, identity, tills
from giftpad.kernel.work import unit_of_work
from tests.make_pages import FAR_SHOP
from tests.portals.shop.tablets import PIN, Counter, copy_of, till_of
from tests.portals.shop.till import AS_SCRIPT, outcome

WRONG = "5900"
NAME = "青葉 花"


@pytest.fixture
def staffed(counter) -> Counter:
    """A tablet that asks for a PIN, and one clerk without an account."""
    assert counter.add().status_code == 303
    answered = counter.pair()
    assert answered.status_code == 200
    assert NAME in answered.text
    return counter


def test_a_clerk_without_an_account_takes_payments_under_their_own_name(till, staffed):
    assert staffed.tablet.get("/shop").headers["Location"] == "/shop/till"
    opened = staffed.type_pin(PIN)
    assert opened.headers["Location"] == "/shop"
    assert NAME in staffed.tablet.follow(opened).text
    address = till.read(till.coupons[0][0], browser=staffed.tablet)
    assert outcome(till.pay(address, 300, browser=staffed.tablet)) == "accepted"
    (payment,) = till.payments()
    assert payment.shop_id == staffed.shop_id
    owner = till.site.person("owner")
    assert NAME in owner.get(f"/desk/payments/{payment.id}").text
    assert NAME in owner.get("/desk/audit").text


def test_a_member_with_a_pin_acts_as_themselves(site, staffed):
    email = site.new_person("clerk", name="山田 一郎")
    (member,) = [each for each in identity.list_members(site.scope) if each.email == email]
    assert staffed.add("", "4826", member=str(member.membership_id)).status_code == 303
    assert staffed.type_pin("4826", "山田 一郎").status_code == 303
    with unit_of_work(site.scope) as work:
        newest = audit.list_entries(work)[0]
    assert newest.action == "till.opened"
    assert newest.actor["id"] == str(member.person_id)


def test_tries_are_counted_aloud_and_the_sixth_is_none(staffed):
    texts = [staffed.type_pin(WRONG).text for _ in range(4)]
    assert [_left(text) for text in texts] == ["4", "3", "2", "1"]
    locked = staffed.type_pin(WRONG)
    assert locked.status_code == 422
    assert "まちがった暗証番号" in locked.text
    assert staffed.type_pin(PIN).status_code == 422, "the right PIN is no way around"
    assert staffed.clerk().is_locked
    page = staffed.phone.get(staffed.page)
    assert f"/clerks/{staffed.clerk().id}/unlock" in page.text
    staffed.phone.post(f"{staffed.page}/clerks/{staffed.clerk().id}/unlock")
    assert staffed.type_pin(PIN).status_code == 303


def _left(text: str) -> str:
    found = re.search(r"あと\W*(?:<wbr>)?\W*([0-9])", text)
    assert found is not None, text[text.find("gp-summary") :][:2000]
    return found[1]


def test_a_right_pin_begins_the_count_anew(staffed):
    for _ in range(4):
        staffed.type_pin(WRONG)
    staffed.type_pin(PIN)
    staffed.tablet.get("/shop")
    staffed.tablet.post("/shop/lock")
    assert _left(staffed.type_pin(WRONG).text) == "4"


def test_fifty_at_once_from_two_tablets_find_no_way_in(site, staffed):
    second = Counter(site=site, tablet=site.nobody(), phone=staffed.phone)
    second.pair()
    clerk = str(staffed.clerk().id)
    for browser in (staffed.tablet, second.tablet):
        browser.get("/shop/till")

    def attempt(number: int) -> int:
        copy = copy_of(site, (staffed.tablet, second.tablet)[number % 2])
        form = {"clerk": clerk, "pin": f"{5000 + number}"}
        return copy.post("/shop/till", form).status_code

    with ThreadPoolExecutor(10) as pool:
        statuses = list(pool.map(attempt, range(50)))
    assert set(statuses) <= {422, 429}
    assert staffed.clerk().is_locked
    assert staffed.type_pin(PIN).status_code in (422, 429)


def test_locked_is_locked(till, staffed):
    staffed.type_pin(PIN)
    address = till.read(till.coupons[0][0], browser=staffed.tablet)
    kept = copy_of(till.site, staffed.tablet)
    staffed.tablet.get("/shop")
    assert staffed.tablet.post("/shop/lock").headers["Location"] == "/shop/till"
    for browser in (staffed.tablet, kept):
        assert till.pay(address, 300, browser=browser).status_code == 401
    assert till.payments() == []
    assert staffed.type_pin(PIN).status_code == 303


def test_a_tablet_that_nobody_touches_locks_itself(till, staffed, monkeypatch):
    staffed.type_pin(PIN)
    assert staffed.tablet.get("/shop").status_code == 200
    at = time.time()
    monkeypatch.setattr(edge.tills.time, "time", lambda: at + 500)
    assert staffed.tablet.get("/shop").status_code == 200, "touched in time"
    monkeypatch.setattr(edge.tills.time, "time", lambda: at + 1000)
    assert staffed.tablet.get("/shop").status_code == 200, "the last touch counts"
    monkeypatch.setattr(edge.tills.time, "time", lambda: at + 1700)
    assert staffed.tablet.get("/shop").headers["Location"] == "/shop/till"
    form = staffed.tablet.post("/shop/read", {"code": till.coupons[0][0]})
    assert form.headers["Location"] == "/shop/till"
    script = staffed.tablet.post("/shop/read", {"code": till.coupons[0][0]}, headers=AS_SCRIPT)
    assert script.status_code == 401


def test_a_clerk_who_is_removed_is_out_at_once(staffed):
    staffed.type_pin(PIN)
    assert staffed.tablet.get("/shop").status_code == 200
    staffed.phone.get(staffed.page)
    staffed.phone.post(f"{staffed.page}/clerks/{staffed.clerk().id}/remove")
    assert staffed.tablet.get("/shop").headers["Location"] == "/shop/till"
    assert NAME not in staffed.tablet.get("/shop/till").text


def test_a_new_pin_ends_the_old_one(staffed):
    staffed.type_pin(PIN)
    address = f"{staffed.page}/clerks/{staffed.clerk().id}/pin"
    staffed.phone.get(address)
    assert staffed.phone.post(address, {"pin": "1234"}).status_code == 422
    assert staffed.phone.post(address, {"pin": "4826"}).status_code == 303
    assert staffed.tablet.get("/shop").headers["Location"] == "/shop/till"
    assert staffed.type_pin(PIN).status_code == 422
    assert staffed.type_pin("4826").status_code == 303


def test_the_setting_decides_whether_a_pin_is_asked_for(staffed):
    staffed.phone.get(staffed.page)
    staffed.phone.post(f"{staffed.page}/ask", {"asks": "0"})
    assert staffed.tablet.get("/shop/till").headers["Location"] == "/shop"
    assert staffed.tablet.get("/shop").status_code == 200
    staffed.phone.get(staffed.page)
    staffed.phone.post(f"{staffed.page}/ask", {"asks": "1"})
    assert staffed.tablet.get("/shop").headers["Location"] == "/shop/till", "at once"


def test_a_pin_is_not_asked_for_when_nobody_has_one(counter):
    counter.phone.get(counter.page)
    counter.phone.post(f"{counter.page}/ask", {"asks": "1"})
    assert not till_of(counter.site).asks_pin


def test_a_clerk_of_another_shop_is_nobody_here(site, staffed):
    far = site.shop_id(FAR_SHOP)
    other = tills.add_clerk(site.scope, far, "遠山 桜", PIN)
    staffed.tablet.get("/shop/till")
    assert "遠山 桜" not in staffed.tablet.last.text
    answer = staffed.tablet.post("/shop/till", {"clerk": str(other), "pin": PIN})
    assert answer.status_code == 422
    assert staffed.phone.post(f"{staffed.page}/clerks/{other}/remove").status_code == 404
    assert staffed.phone.post(f"/tablets/{far}/clerks/{other}/remove").status_code == 404
    assert [each.name for each in till_of(site, FAR_SHOP).clerks] == ["遠山 桜"]


@pytest.mark.parametrize(("name", "pin"), [(NAME, "1111"), (NAME, "12"), ("", PIN), (NAME, "")])
def test_a_clerk_needs_a_name_and_a_pin_that_is_one(counter, name, pin):
    assert counter.add(name, pin).status_code == 422
    assert till_of(counter.site).clerks == ()


def test_no_pin_is_written_anywhere(staffed, capfd):
    staffed.type_pin(PIN)
    answer = staffed.type_pin(WRONG)
    assert WRONG not in answer.text
    said = capfd.readouterr()
    assert f"pin={PIN}" not in said.out + said.err
