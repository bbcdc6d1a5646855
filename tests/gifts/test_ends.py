"""Gifts that nobody claims: taken back, out of time, reminded of, forgotten."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import sqlalchemy as sa

from giftpad import gifts, ledger
from giftpad.gifts import handlers, jobs
from giftpad.gifts.commands.ending import close_some
from giftpad.gifts.errors import RestBusy
from giftpad.kernel.clock import local_date
from giftpad.kernel.work import unit_of_work
from tests.make_gifts import CONTRACT, VALUE, cells, make_company, set_contract

pytestmark = pytest.mark.usefixtures("house")
REOPENED = 12
LIFE = timedelta(days=CONTRACT.claim_days + 1)


@pytest.fixture
def company():
    return make_company()


def test_a_cancelled_gift_gives_its_value_back_but_not_its_fee(company):
    order_id = company.sent(2)
    before = company.budget()
    first, _ = company.gifts(order_id)
    with unit_of_work(company.as_("support")) as work:
        gifts.cancel_gift(work, first.id, reason="退職")
    assert company.budget() == before + VALUE
    assert company.differences() == []
    with pytest.raises(gifts.GiftWrongState), unit_of_work(company.as_("support")) as work:
        gifts.cancel_gift(work, first.id, reason="退職")
    with pytest.raises(gifts.GiftOver):
        company.claim(first.id)


def test_a_gift_that_somebody_is_at_follows_when_the_rest_is_taken_back(company):
    order_id = company.sent(3)
    first, *_ = company.gifts(order_id)
    with unit_of_work(company.scope) as held:
        held.session.execute(
            sa.text("SELECT 1 FROM gifts WHERE id = :id FOR UPDATE"), {"id": first.id}
        )
        with unit_of_work(company.as_("issuer")) as work:
            assert gifts.begin_cancelling(work, order_id, reason="退職") == 2
        due = gifts.RestDue(object_id=order_id, reason="退職")
        with pytest.raises(RestBusy):
            handlers.cancel_due_rest(company.scope, due)
    handlers.cancel_due_rest(company.scope, due)
    assert company.progress(order_id).cancelled == 3


def test_cancelling_the_rest_leaves_what_is_claimed(company):
    order_id = company.sent(3)
    company.claim(company.gifts(order_id)[0].id)
    with unit_of_work(company.as_("approver")) as work:
        assert gifts.cancel_rest(work, order_id, reason="中止") == 2
    progress = company.progress(order_id)
    assert (progress.claimed, progress.cancelled) == (1, 2)
    assert company.differences() == []


@pytest.mark.parametrize("unclaimed", ["returned", "kept"])
def test_what_nobody_claims_goes_where_the_contract_says(company, fresh_clock, unclaimed):
    kept = {name: getattr(CONTRACT, name) for name in CONTRACT.__slots__}
    set_contract(company.scope, gifts.Contract(**{**kept, "unclaimed": unclaimed}))
    order_id = company.sent(3)
    company.claim(company.gifts(order_id)[0].id)
    before = company.budget()
    assert jobs.end_due(company.scope) == 0
    fresh_clock(LIFE)
    assert jobs.end_due(company.scope) == 2
    assert jobs.end_due(company.scope) == 0
    assert company.budget() == before + (2 * VALUE if unclaimed == "returned" else 0)
    assert (company.progress(order_id).expired, company.order(order_id).state) == (2, "closed")
    assert company.differences() == []


def test_after_its_last_day_a_gift_is_over_before_the_job_has_come(company, fresh_clock):
    (gift,) = company.gifts(company.sent(1))
    fresh_clock(LIFE)
    with pytest.raises(gifts.GiftOver) as refused:
        company.claim(gift.id)
    assert refused.value.params == {"state": "expired"}


def test_more_time_is_given_within_the_contract(company, fresh_clock):
    (gift,) = company.gifts(company.sent(1))
    with unit_of_work(company.scope) as work:
        today = local_date(work.at, "Asia/Tokyo")
    too_late = today + timedelta(days=CONTRACT.claim_days_max + 1)
    with pytest.raises(gifts.OrderUnfit), unit_of_work(company.as_("support")) as work:
        gifts.extend_gift(work, gift.id, too_late, reason="入院")
    with unit_of_work(company.as_("support")) as work:
        gifts.extend_gift(work, gift.id, gift.claim_by + timedelta(days=30), reason="入院")
    fresh_clock(LIFE)
    company.claim(gift.id)


def test_old_names_are_forgotten_and_the_books_stay(company, fresh_clock):
    order_id = company.sent(2)
    first, _ = company.gifts(order_id)
    company.claim(first.id)
    draft = company.draft()
    company.take(draft, [gifts.Cells(line=2, cells={"name": "下書き"})])
    fresh_clock(timedelta(days=600))
    jobs.end_due(company.scope)
    assert jobs.forget_old(company.scope) == 4, "two gifts, a claim, a line of a draft"
    assert jobs.forget_old(company.scope) == 0
    assert {gift.name for gift in company.gifts(order_id)} == {""}
    assert company.differences() == []
    with unit_of_work(company.scope) as work:
        left = work.session.execute(sa.text("SELECT count(*) FROM gift_lines")).scalar_one()
    assert left == 0


def test_the_worked_example_of_the_docs(fresh_clock, monkeypatch):
    """The table in docs/concepts/gifts.md, line by line."""
    monkeypatch.setattr("giftpad.gifts.commands.deciding.next_loud", lambda at, *_: at)
    company = make_company(deposit_minor=1_000_000)
    order_id = company.draft(channel="mail")
    company.take(order_id, cells(3, "mail"))

    def books() -> dict[str, int]:
        with unit_of_work(company.scope) as work:
            sums = ledger.sum_by_kind(work, company.scope.tenant_id)
        kinds = ("deposit", "held", "claimed", "cancelled", "expired", "fees")
        found = {kind: sums.get(f"gift_{kind}", 0) for kind in kinds}
        return {kind: amount for kind, amount in found.items() if amount} | {
            "gifts": sums.get("gift", 0)
        }

    company.submit(order_id)
    assert books() == {"deposit": 984_550, "held": 15_450, "gifts": 0}
    company.issue(order_id)
    assert books() == {"deposit": 984_550, "gifts": 15_000, "fees": 450}
    first, second, _ = company.gifts(order_id)
    company.claim(first.id)
    assert books() == {"deposit": 984_550, "gifts": 10_000, "claimed": 5_000, "fees": 450}
    with unit_of_work(company.as_("support")) as work:
        gifts.cancel_gift(work, second.id, reason="退職")
    ended = {"claimed": 5_000, "cancelled": 5_000, "fees": 450}
    assert books() == ended | {"deposit": 989_550, "gifts": 5_000}
    fresh_clock(LIFE)
    jobs.end_due(company.scope)
    assert books() == ended | {"deposit": 994_550, "gifts": 0, "expired": 5_000}


def test_an_order_that_was_closed_meanwhile_has_no_rest_to_take_back(company):
    order_id = company.sent(1)
    (gift,) = company.gifts(order_id)
    company.claim(gift.id)
    jobs.end_due(company.scope)
    assert company.order(order_id).state == "closed"
    handlers.cancel_due_rest(company.scope, gifts.RestDue(object_id=order_id, reason="x"))
    assert company.progress(order_id).claimed == 1


def test_no_order_is_closed_over_a_gift_that_is_given_back(company):
    """While one closes what is through, others give choices back: either sees the other's step."""
    claims = {}
    for _ in range(REOPENED):
        (gift,) = company.gifts(company.sent(1))
        claims[gift.order_id] = company.claim(gift.id)
    is_over = threading.Event()

    def close():
        while not is_over.is_set():
            with unit_of_work(company.scope) as work:
                close_some(work)

    def give_back(claim_id):
        with unit_of_work(company.as_("support")) as work:
            gifts.choose_again(work, claim_id, reason="x")

    with ThreadPoolExecutor(4) as crowd:
        closing = crowd.submit(close)
        list(crowd.map(give_back, claims.values()))
        is_over.set()
        closing.result()
    assert {company.order(order_id).state for order_id in claims} == {"sent"}
