"""Gift orders over HTTP: one call for everybody, faults by their place, taking back."""

from __future__ import annotations

from dataclasses import replace
from datetime import time

import pytest
import sqlalchemy as sa

from giftpad import audit
from giftpad.api.http import encode_cursor
from giftpad.gifts import handlers as gift_handlers
from giftpad.kernel.ids import new_id
from giftpad.kernel.work import unit_of_work
from tests import make_gifts
from tests.make_callers import Caller

ORDERS = "/api/v1/gift-orders"


@pytest.fixture
def company(house):
    return make_gifts.make_company()


@pytest.fixture
def machine(app, company):
    return Caller(app, company.scope, "gifts:read", "gifts:order", "gifts:support")


def wanted(company, people=None, **more):
    return {
        "title": "お歳暮",
        "design": "musubi",
        "sender_name": "見本商事",
        "message": "一年間ありがとうございました。",
        "course_id": str(company.course_id),
        "channel": "link",
        "recipients": people or [{"name": "山田 花子", "external_id": "A-1"}],
    } | more


def people(count):
    return [{"name": f"見本 {n}", "external_id": f"B-{n}"} for n in range(count)]


def test_an_order_is_made_by_one_call_and_leads_to_its_progress(company, machine):
    made = machine.post(ORDERS, wanted(company), key="k1")
    assert made.status_code == 202, made.text
    assert made.json["total_minor"] == 5100
    again = machine.post(ORDERS, wanted(company), key="k1")
    assert again.json == made.json
    assert len(machine.get(ORDERS).json["items"]) == 1
    company.issue(made.json["id"])
    shown = machine.get(made.headers["Location"]).json
    assert (shown["state"], shown["progress"]["issued"]) == ("sent", 1)
    (gift,) = machine.get(f"{ORDERS}/{made.json['id']}/gifts").json["items"]
    assert (gift["external_id"], gift["name"], gift["state"]) == ("A-1", "山田 花子", "outstanding")


def test_a_large_order_waits_for_a_person(company, machine):
    made = machine.post(ORDERS, wanted(company, people(20)), key="k1")
    assert made.json["state"] == "submitted"
    assert company.budget() == 10_000_000 - 20 * 5100


def test_each_fault_is_told_at_its_place_and_nothing_is_kept(company, machine):
    body = wanted(
        company,
        [
            {"name": "山田", "channel": "mail", "mail": "hana@exmaple"},
            {"name": "鈴木", "external_id": "A-1"},
            {"name": "佐藤", "external_id": "A-1"},
        ],
    )
    refused = machine.post(ORDERS, body, key="k1")
    assert (refused.status_code, refused.json["code"]) == (422, "request.invalid")
    assert refused.json["money_moved"] is False
    pointers = [fault["pointer"] for fault in refused.json["errors"]]
    assert pointers == ["/recipients/0/mail", "/recipients/2/external_id"]
    assert machine.get(ORDERS).json["items"] == []
    assert company.budget() == 10_000_000


def test_a_reference_gets_one_gift_in_all_orders(company, machine):
    first = machine.post(ORDERS, wanted(company), key="k1")
    company.issue(first.json["id"])
    second = machine.post(ORDERS, wanted(company), key="k2")
    assert second.status_code == 422
    (fault,) = second.json["errors"]
    assert fault["pointer"] == "/recipients/0/external_id"
    assert "was ordered before" in fault["detail"]


REFUSED = (
    ({"design": "none"}, 404, "design.not_found"),
    ({"course_id": "01930000-0000-7000-8000-000000000000"}, 404, "catalog.course_not_found"),
    ({"claim_by": "2020-01-01"}, 422, "gift_order.unfit"),
    ({"channel": "pigeon"}, 422, "request.invalid"),
    ({"recipients": []}, 422, "request.invalid"),
)


def test_what_no_order_may_say_is_a_problem_and_moves_nothing(company, machine):
    for changes, status, code in REFUSED:
        refused = machine.post(ORDERS, wanted(company, **changes), key=new_id().hex)
        assert (refused.status_code, refused.json["code"]) == (status, code), changes
        assert refused.mimetype == "application/problem+json"
    assert company.budget() == 10_000_000


def test_who_cannot_pay_is_told_how_much_is_missing(app):
    company = make_gifts.make_company(deposit_minor=1000)
    machine = Caller(app, company.scope, "gifts:read", "gifts:order")
    refused = machine.post(ORDERS, wanted(company), key="k1")
    assert (refused.status_code, refused.json["code"]) == (422, "gift_order.over_budget")
    assert refused.json["missing_minor"] == 4100


def test_gifts_are_paged_and_filtered(company, machine):
    order_id = company.sent(5)
    path = f"{ORDERS}/{order_id}/gifts"
    first = machine.get(f"{path}?limit=3").json
    second = machine.get(f"{path}?limit=3&cursor={first['next_cursor']}").json
    assert [g["number"] for g in first["items"] + second["items"]] == [2, 3, 4, 5, 6]
    assert second["next_cursor"] is None
    assert machine.get(f"{path}?show=claimed").json["items"] == []
    assert machine.get(f"{path}?show=other").status_code == 422


def test_links_are_for_whoever_orders_and_open_a_gift_each(app, company, machine):
    order_id = company.sent(3)
    found = machine.get(f"{ORDERS}/{order_id}/links").json["items"]
    assert len({link["link"] for link in found}) == 3
    reader = Caller(app, company.scope, "gifts:read")
    assert reader.get(f"{ORDERS}/{order_id}/links").status_code == 403


def test_links_are_paged_and_each_page_is_on_record_for_itself(company, machine):
    order_id = company.sent(3)
    links = f"{ORDERS}/{order_id}/links?limit=2"
    first = machine.get(links).json
    last = machine.get(f"{links}&cursor={first['next_cursor']}").json
    assert [len(page["items"]) for page in (first, last)] == [2, 1]
    assert last["next_cursor"] is None
    with unit_of_work(company.scope) as work:
        about = audit.EntryFilter(subjects=(f"gift_order:{order_id}",))
        taken = [e for e in audit.list_entries(work, about) if e.action.endswith("links_taken")]
    numbers = [tuple(entry.details[key] for key in ("first", "last", "count")) for entry in taken]
    assert sorted(numbers) == [(2, 3, 2), (4, 4, 1)]


@pytest.mark.parametrize("of", ["gifts", "links"])
@pytest.mark.parametrize("number", ["9" * 24, "-" + "9" * 24])
def test_a_cursor_that_nobody_gave_out_is_refused(company, machine, of, number):
    order_id = company.sent(1)
    answer = machine.get(f"{ORDERS}/{order_id}/{of}?cursor={encode_cursor(number)}")
    assert (answer.status_code, answer.json["code"]) == (422, "request.cursor_unknown")


def test_a_gift_and_the_rest_are_taken_back(company, machine):
    order_id = company.sent(3)
    before = company.budget()
    gift_id = machine.get(f"{ORDERS}/{order_id}/gifts").json["items"][0]["id"]
    for _ in range(2):
        done = machine.post(f"/api/v1/gifts/{gift_id}/cancel", {"reason": "x"}, key="c1")
        assert (done.status_code, done.json["state"]) == (200, "cancelled")
    assert company.budget() - before == 5000
    late = machine.post(f"/api/v1/gifts/{gift_id}/cancel", {"reason": "x"}, key="c2")
    assert (late.status_code, late.json["code"]) == (409, "gift.wrong_state")
    for _ in range(2):
        rest = machine.post(f"{ORDERS}/{order_id}/cancel", {"reason": "x"}, key="c3")
        assert rest.status_code == 202
    assert company.budget() - before == 15_000
    assert company.differences() == []


def test_a_letter_is_not_sent_again_at_will(app, house):
    loud = replace(make_gifts.CONTRACT, quiet_from=time(8), quiet_until=time(8))
    company = make_gifts.make_company(contract=loud)
    machine = Caller(app, company.scope, "gifts:read", "gifts:support")
    order_id = company.sent(1, "mail")
    gift_id = machine.get(f"{ORDERS}/{order_id}/gifts").json["items"][0]["id"]
    refused = machine.post(f"/api/v1/gifts/{gift_id}/resend", {}, key="r1")
    assert (refused.status_code, refused.json["code"]) == (422, "gift.resent_too_often")


def test_designs_are_listed_in_the_readers_language(machine):
    found = machine.get("/api/v1/gift-designs").json["items"]
    assert "musubi" in [design["name"] for design in found]
    assert all(design["title"] and design["occasion"] for design in found)


@pytest.mark.parametrize("act", ["cancel", "resend"])
def test_an_answer_that_is_kept_for_repeats_names_nobody(company, machine, act, monkeypatch):
    monkeypatch.setattr("giftpad.gifts.commands.deciding.next_loud", lambda at, *_: at)
    order_id = company.sent(1, "mail")
    (gift,) = company.gifts(order_id)
    with unit_of_work(company.scope) as work:
        gift_handlers.note_delivery(work, gift.id, gift.message_id, "bounced")
    body = {"reason": "退職"} if act == "cancel" else {}
    done = machine.post(f"/api/v1/gifts/{gift.id}/{act}", body, key="k1")
    assert done.json["id"] == str(gift.id), done.text
    again = machine.post(f"/api/v1/gifts/{gift.id}/{act}", body, key="k1")
    assert again.json == done.json
    with unit_of_work(company.scope) as work:
        kept = work.session.execute(sa.text("SELECT answer::text FROM guard_keys")).scalars().all()
    assert any(str(gift.id) in answer for answer in kept)
    assert not any(gift.name in answer for answer in kept)


def of_codes(company, count, **more):
    body = wanted(company, **more) | {"codes": {"count": count}}
    del body["recipients"]
    return body


def test_codes_are_ordered_by_one_call_and_taken_page_by_page(company, machine):
    made = machine.post(ORDERS, of_codes(company, 5), key="k1")
    assert made.status_code == 202, made.text
    assert (made.json["codes"], made.json["channel"]) == (5, "code")
    assert machine.post(ORDERS, of_codes(company, 5), key="k1").json == made.json
    assert len(machine.get(ORDERS).json["items"]) == 1
    links = f"{ORDERS}/{made.json['id']}/links"
    early = machine.get(links)
    assert (early.status_code, early.json["code"]) == (409, "gift_order.codes_not_ready")
    company.approve(made.json["id"])
    company.issue(made.json["id"])
    shown = machine.get(made.headers["Location"]).json
    assert (shown["state"], shown["issued"], shown["quantity"]) == ("sent", 5, 5)
    found, cursor = [], None
    for _ in range(3):
        asked = f"{links}?limit=2" + (f"&cursor={cursor}" if cursor else "")
        page = machine.get(asked).json
        found += page["items"]
        cursor = page["next_cursor"]
    assert cursor is None
    assert [each["number"] for each in found] == [1, 2, 3, 4, 5]
    assert machine.get(links).json["items"] == found, "the same codes whenever they are asked for"
    with unit_of_work(company.scope) as work:
        wanted = audit.EntryFilter(actions=("gift_order.codes_taken",))
        taken = [entry.details for entry in audit.list_entries(work, wanted)]
    assert {"first": 3, "last": 4, "count": 2} in taken
    (first, *_) = machine.get(f"{ORDERS}/{made.json['id']}/gifts").json["items"]
    assert (first["name"], first["channel"], first["external_id"]) == ("", "code", "")


@pytest.mark.parametrize("count", [0, -1, 1_000_001, "abc", 1.5, None, True])
def test_a_number_of_codes_that_cannot_be_is_named(company, machine, count):
    refused = machine.post(ORDERS, of_codes(company, count))
    assert refused.status_code == 422
    assert [each["pointer"] for each in refused.json["errors"]] == ["/codes/count"]
    assert machine.get(ORDERS).json["items"] == []


def test_a_million_codes_are_ordered_by_one_call(company, machine):
    refused = machine.post(ORDERS, of_codes(company, 1_000_000), key=new_id().hex)
    assert (refused.status_code, refused.json["code"]) == (422, "gift_order.over_budget")
    make_gifts.pay_in(company.scope, 1_000_000 * (make_gifts.VALUE + 100))
    made = machine.post(ORDERS, of_codes(company, 1_000_000), key=new_id().hex)
    assert made.json["quantity"] == 1_000_000
    assert made.json["total_minor"] == 1_000_000 * (make_gifts.VALUE + 100)


@pytest.mark.parametrize("both", [True, False])
def test_an_order_is_for_recipients_or_for_codes(company, machine, both):
    body = of_codes(company, 5) | {"recipients": [{"name": "山田 花子"}]}
    if not both:
        del body["recipients"], body["codes"]
    refused = machine.post(ORDERS, body)
    assert refused.status_code == 422
    assert [each["pointer"] for each in refused.json["errors"]] == ["/recipients"]


def test_codes_are_taken_by_whoever_may_order_and_by_no_other_tenant(app, company, machine):
    order_id = company.sent_codes(2)
    links = f"{ORDERS}/{order_id}/links"
    assert len(machine.get(links).json["items"]) == 2
    assert Caller(app, company.scope, "gifts:read").get(links).status_code == 403
    other = make_gifts.make_company()
    assert Caller(app, other.scope, "gifts:order").get(links).status_code == 404
