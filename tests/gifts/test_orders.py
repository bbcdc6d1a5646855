"""From a draft to gifts on their way: who may do what, and where the money lies meanwhile."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest
import sqlalchemy as sa

from giftpad import gifts, messaging
from giftpad.gifts import jobs
from giftpad.gifts.commands import issuing
from giftpad.gifts.commands.contracts import lock_contract_row
from giftpad.kernel.work import unit_of_work
from tests.make_gifts import CONTRACT, FEES, VALUE, cells, make_company, person
from tests.waiting import wait_for_waiting

pytestmark = pytest.mark.usefixtures("house")
AT_ONCE = 8
LOUD = replace(CONTRACT, quiet_from=time(8), quiet_until=time(8))
"""Letters leave at any hour, whenever the test runs."""


@pytest.fixture
def company():
    return make_company()


def cost(count: int, channel: str = "link") -> int:
    return count * (VALUE + FEES[channel])


def test_what_an_order_costs_is_held_from_its_submission_to_its_issue(company):
    before = company.budget()
    order_id = company.draft()
    company.take(order_id, cells(5))
    assert company.budget() == before, "a draft costs nothing"
    assert company.submit(order_id) == "submitted"
    assert company.budget() == before - cost(5)
    assert company.order(order_id).total_minor == cost(5)
    company.approve(order_id)
    company.issue(order_id)
    assert company.order(order_id).state == "sent"
    assert company.budget() == before - cost(5)
    assert company.progress(order_id).outstanding_minor == 5 * VALUE
    assert company.differences() == []


def test_up_to_the_agreed_amount_nobody_else_is_asked(company):
    order_id = company.draft()
    company.take(order_id, cells(3))
    assert cost(3) <= CONTRACT.approve_above_minor < cost(4)
    assert company.submit(order_id) == "issuing"


def test_whoever_submits_does_not_approve(company):
    order_id = company.draft()
    company.take(order_id, cells(4))
    company.submit(order_id)
    with pytest.raises(gifts.OwnOrder), unit_of_work(company.as_("issuer")) as work:
        gifts.approve_order(work, order_id)
    company.approve(order_id)
    assert company.order(order_id).decided_by == person("approver").id


@pytest.mark.parametrize("back", ["withdrawn", "sent back"])
def test_an_order_that_goes_back_costs_nothing_and_can_be_changed(company, back):
    before = company.budget()
    order_id = company.draft()
    company.take(order_id, cells(4))
    company.submit(order_id)
    with unit_of_work(company.as_("approver")) as work:
        if back == "withdrawn":
            gifts.withdraw_order(work, order_id)
        else:
            gifts.send_back(work, order_id, reason="文面を直してください")
    order = company.order(order_id)
    assert (order.state, company.budget()) == ("draft", before)
    assert order.refusal == ("" if back == "withdrawn" else "文面を直してください")
    company.take(order_id, cells(2))
    assert company.submit(order_id) == "issuing"
    company.issue(order_id)
    assert len(company.gifts(order_id)) == 2
    assert company.differences() == []


def test_more_than_there_is_cannot_be_ordered_and_the_refusal_says_how_much(company):
    poor = make_company(deposit_minor=10_000)
    order_id = poor.draft()
    poor.take(order_id, cells(2))
    with pytest.raises(gifts.BudgetTooSmall) as refused:
        poor.submit(order_id)
    assert refused.value.params["missing_minor"] == cost(2) - 10_000
    assert (poor.order(order_id).state, poor.budget()) == ("draft", 10_000)


def test_of_orders_for_the_last_money_one_is_taken():
    company = make_company(deposit_minor=cost(2))
    orders = []
    for _ in range(AT_ONCE):
        order_id = company.draft()
        company.take(order_id, cells(2))
        orders.append(order_id)

    def try_it(order_id):
        try:
            return company.submit(order_id)
        except gifts.BudgetTooSmall:
            return "refused"

    with ThreadPoolExecutor(AT_ONCE) as crowd:
        answers = list(crowd.map(try_it, orders))
    assert sorted(answers) == ["issuing"] + ["refused"] * (AT_ONCE - 1)
    assert company.budget() == 0
    assert company.differences() == []


def test_submitted_from_two_tabs_it_is_submitted_once(company):
    before = company.budget()
    order_id = company.draft()
    company.take(order_id, cells(2))

    def try_it(_number):
        try:
            return company.submit(order_id)
        except gifts.OrderWrongState:
            return "refused"

    with ThreadPoolExecutor(AT_ONCE) as crowd:
        answers = list(crowd.map(try_it, range(AT_ONCE)))
    assert answers.count("issuing") == 1
    assert company.budget() == before - cost(2)


def lending(limit_minor):
    hours = {name: getattr(CONTRACT, name) for name in ("quiet_from", "quiet_until")}
    return gifts.Contract(**{**CONTRACT.as_json(), **hours, "credit_limit_minor": limit_minor})


def test_credit_is_lent_and_can_be_spent():
    company = make_company(deposit_minor=0, contract=lending(50_000))
    assert company.budget() == 50_000
    company.sent(3)
    assert company.budget() == 50_000 - cost(3)


def test_a_limit_falls_to_what_is_spent_of_it_and_no_lower():
    company = make_company(deposit_minor=0, contract=lending(50_000))
    company.sent(3)
    with pytest.raises(gifts.CreditSpent) as refused, unit_of_work(company.scope) as work:
        gifts.apply_section(work, lending(cost(3) - 1))
    assert refused.value.params == {"lowest_minor": cost(3), "unit": "JPY"}
    assert company.budget() == 50_000 - cost(3)
    with unit_of_work(company.scope) as work:
        gifts.apply_section(work, lending(cost(3)))
    assert company.budget() == 0


def test_a_payment_is_booked_once(company):
    before = company.budget()
    for _ in range(2):
        with unit_of_work(company.scope) as work:
            gifts.take_deposit(work, 700, reference="bank 1")
    assert company.budget() == before + 700
    with pytest.raises(gifts.DepositKnown), unit_of_work(company.scope) as work:
        gifts.take_deposit(work, 800, reference="bank 1")


@pytest.mark.parametrize("missing", ["title", "design", "sender_name", "message", "course_id"])
def test_what_is_missing_is_named(company, missing):
    order_id = company.draft(**{missing: None if missing == "course_id" else ""})
    company.take(order_id, cells(1))
    with pytest.raises(gifts.OrderIncomplete) as refused:
        company.submit(order_id)
    assert refused.value.params == {"missing": missing}


@pytest.mark.parametrize(
    "said",
    [
        "拝啓\u3000師走の候、\n\u3000ますますご清栄のこととお慶び申し上げます。",
        "いつも\tありがとう 👨\u200d👩\u200d👧",
        "あ" * 1500,
    ],
)
def test_what_people_write_leaves_as_a_letter(said):
    company = make_company(contract=LOUD)
    order_id = company.draft(message=said, channel="mail")
    noted = [replace(each, cells={**each.cells, "note": "い" * 200}) for each in cells(1, "mail")]
    company.take(order_id, noted)
    company.submit(order_id)
    company.issue(order_id)
    assert company.order(order_id).state == "sent"
    (gift,) = company.gifts(order_id)
    assert gift.delivery == "queued"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("title", "お歳暮\n二行目"),
        ("sender_name", "株式会社\nはなまる"),
        ("title", "あ" * 61),
        ("message", "あ" * 1501),
        ("message", "やみ\x07"),
        ("sender_name", "\u202eはなまる"),
    ],
)
def test_what_no_letter_could_carry_is_refused_before_money_is_held(company, name, said):
    with pytest.raises(gifts.OrderUnfit) as refused:
        company.draft(**{name: said})
    assert refused.value.params["field"] == name


@pytest.mark.parametrize("name", ["title", "sender_name", "message"])
def test_blanks_are_nothing(company, name):
    order_id = company.draft(**{name: " \u3000 "})
    company.take(order_id, cells(1))
    with pytest.raises(gifts.OrderIncomplete) as refused:
        company.submit(order_id)
    assert refused.value.params == {"missing": name}


def test_gifts_that_would_be_over_before_they_went_out_are_not_approved(company, fresh_clock):
    order_id = company.draft(claim_by=datetime.now(UTC).date() + timedelta(days=20))
    company.take(order_id, cells(10))
    before = company.budget()
    assert company.submit(order_id) == "submitted"
    fresh_clock(timedelta(days=22))
    with pytest.raises(gifts.OrderTooLate):
        company.approve(order_id)
    with unit_of_work(company.scope) as work:
        gifts.withdraw_order(work, order_id)
    assert company.budget() == before


def test_gifts_that_the_quiet_hours_would_outlast_are_not_handed_in(company, fresh_clock):
    tokyo_night = datetime.now(UTC).replace(hour=14, minute=0, second=0) + timedelta(days=2)
    order_id = company.draft(channel="mail", claim_by=tokyo_night.date())
    company.take(order_id, cells(1, "mail"))
    fresh_clock(tokyo_night - datetime.now(UTC))
    with pytest.raises(gifts.OrderUnfit) as refused:
        company.submit(order_id)
    assert refused.value.params["field"] == "claim_by"


def test_approved_gifts_whose_time_is_over_stay_where_they_are(company, fresh_clock):
    order_id = company.draft(
        send_at=datetime.now(UTC) + timedelta(days=3),
        claim_by=datetime.now(UTC).date() + timedelta(days=20),
    )
    company.take(order_id, cells(1))
    assert company.submit(order_id) == "approved"
    fresh_clock(timedelta(days=25))
    assert jobs.start_due_orders(company.scope) == 0
    assert company.order(order_id).state == "approved"


def test_a_message_that_no_letter_takes_any_more_does_not_hold_the_money_for_ever():
    company = make_company(contract=LOUD)
    before = company.budget()
    order_id = company.draft(channel="mail")
    company.take(order_id, cells(2, "mail"))
    company.submit(order_id)
    with unit_of_work(company.scope) as work:
        work.session.execute(
            sa.text("UPDATE gift_orders SET message = repeat('a', 5000) WHERE id = :id"),
            {"id": order_id},
        )
    with pytest.raises(messaging.ValuesUnfit):
        company.issue(order_id)
    with unit_of_work(company.as_("issuer")) as work:
        assert gifts.stop_issuing(work, order_id, reason="no letter") == 0
    assert company.order(order_id).state == "draft"
    assert company.budget() == before
    assert company.differences() == []


@pytest.mark.parametrize("knows_its_fees", [True, False])
def test_of_what_is_not_issued_the_fees_come_back_where_they_are_known(
    company, monkeypatch, knows_its_fees
):
    monkeypatch.setattr(issuing, "CHUNK", 2)
    before = company.budget()
    order_id = company.draft()
    company.take(order_id, cells(3))
    company.submit(order_id)
    with unit_of_work(company.scope) as work:
        assert issuing.issue_chunk(work, order_id)
        if not knows_its_fees:  # as one that was submitted before they were kept
            forgotten = sa.text("UPDATE gift_orders SET fee_terms = NULL WHERE id = :id")
            work.session.execute(forgotten, {"id": order_id})
    with unit_of_work(company.as_("issuer")) as work:
        assert gifts.stop_issuing(work, order_id, reason="enough") == 2
    kept = 0 if knows_its_fees else FEES["link"]
    assert before - company.budget() == cost(2) + kept
    assert company.order(order_id).total_minor == cost(2) + kept
    assert company.differences() == []


def test_an_order_is_stopped_while_somebody_pays_in(company, monkeypatch):
    """Both need the contract and the deposit: held the other way round, one of them would die."""
    monkeypatch.setattr(issuing, "CHUNK", 2)
    order_id = company.draft()
    company.take(order_id, cells(3))
    company.submit(order_id)
    with unit_of_work(company.scope) as work:
        assert issuing.issue_chunk(work, order_id)
    before = company.budget()

    def stop():
        with unit_of_work(company.as_("issuer")) as work:
            return gifts.stop_issuing(work, order_id, reason="enough")

    with ThreadPoolExecutor(1) as pool:
        with unit_of_work(company.scope) as work:
            lock_contract_row(work)
            stopping = pool.submit(stop)
            wait_for_waiting(work)
            gifts.take_deposit(work, 1000, reference="meanwhile")
        assert stopping.result() == 2
    assert company.budget() == before + 1000 + cost(1)
    assert company.differences() == []


def test_an_order_for_nobody_is_incomplete(company):
    with pytest.raises(gifts.OrderIncomplete) as refused:
        company.submit(company.draft())
    assert refused.value.params == {"missing": "recipients"}


def test_it_begins_at_the_time_it_names_and_not_before(company, fresh_clock):
    order_id = company.draft(send_at=datetime.now(UTC) + timedelta(days=3))
    company.take(order_id, cells(1))
    assert company.submit(order_id) == "approved"
    assert jobs.start_due_orders(company.scope) == 0
    fresh_clock(timedelta(days=3, minutes=1))
    assert jobs.start_due_orders(company.scope) == 1
    company.issue(order_id)
    assert company.order(order_id).state == "sent"


def test_letters_keep_quiet_hours_and_links_need_not(company, fresh_clock):
    tokyo_night = datetime.now(UTC).replace(hour=14, minute=0, second=0) + timedelta(days=1)
    fresh_clock(tokyo_night - datetime.now(UTC))
    for channel, state in (("mail", "approved"), ("link", "issuing")):
        order_id = company.draft(channel=channel)
        company.take(order_id, cells(1, channel))
        assert company.submit(order_id) == state
        if state == "approved":
            starts_at = company.order(order_id).starts_at
            assert (starts_at.hour, starts_at.minute) == (23, 0), "8 in the morning in Tokyo"


def test_a_worker_that_dies_between_chunks_leaves_nothing_double(company, monkeypatch):
    monkeypatch.setattr(issuing, "CHUNK", 2)
    order_id = company.draft()
    company.take(order_id, cells(7))
    company.submit(order_id)
    company.approve(order_id)
    deaths = itertools.count()

    def die_at_times(*given, **named):
        if next(deaths) % 3 == 1:
            message = "killed"
            raise RuntimeError(message)
        return real(*given, **named)

    real = issuing.events.publish
    monkeypatch.setattr(issuing.events, "publish", die_at_times)
    for _ in range(20):
        try:
            company.issue(order_id)
        except RuntimeError:
            assert company.differences() == []
        if company.order(order_id).state == "sent":
            break
    assert len(company.gifts(order_id)) == 7
    assert company.differences() == []


def test_a_damaged_gift_is_named(company, superuser_url):
    import psycopg

    order_id = company.sent(3)
    gift = company.gifts(order_id)[0]
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        connection.execute(
            "UPDATE gifts SET state = 'claimed', ended_at = now(), claimed_minor = value_minor"
            " WHERE id = %s",
            [gift.id],
        )
    found = company.differences()
    number = company.order(order_id).number
    assert any(f"gift order {number}, value claimed" in each for each in found), found
    assert any("than stands beside" in each for each in found), found


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        ("UPDATE gift_deposits SET amount_minor = amount_minor + 1", "value paid in"),
        ("UPDATE gift_contracts SET credit_minor = 7", "credit lent"),
    ],
)
def test_money_that_was_never_paid_in_is_named(company, superuser_url, damage, named):
    import psycopg

    assert company.differences() == []
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        connection.execute(f"{damage} WHERE tenant_id = %s", [company.scope.tenant_id])
    (found,) = company.differences()
    assert f"gift contract {named}" in found


@pytest.mark.parametrize(
    "wrong",
    [
        "state = 'claimed', ended_at = now()",
        "claimed_minor = value_minor + 1",
        "expired_minor = -1",
    ],
)
def test_the_database_itself_keeps_a_gift_whole(company, wrong):
    order_id = company.sent(1)
    spoil = f"UPDATE gifts SET {wrong} WHERE order_id = :id"
    with pytest.raises(sa.exc.IntegrityError), unit_of_work(company.scope) as work:
        work.session.execute(sa.text(spoil), {"id": order_id})


def test_the_database_itself_keeps_an_order_in_its_bounds(company):
    order_id = company.sent(2)
    with pytest.raises(sa.exc.IntegrityError), unit_of_work(company.scope) as work:
        work.session.execute(
            sa.text("UPDATE gift_orders SET issued_to = 3 WHERE id = :id"), {"id": order_id}
        )
