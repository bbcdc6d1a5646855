"""What is held while something else is waited for: a letter comes before its run, the run before
the audit chain, and of several runs the lower one before the higher one."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import sqlalchemy as sa

from giftpad import audit, gifts, messaging
from giftpad.gifts import jobs
from giftpad.gifts.commands import issuing
from giftpad.gifts.commands.contracts import lock_contract_row
from giftpad.kernel.work import unit_of_work
from tests.make_gift_rows import ALL_HOURS
from tests.make_gifts import CONTRACT, cells, let_leave, make_company
from tests.make_reminders import arrived, set_gifts
from tests.waiting import wait_for_waiting

pytestmark = pytest.mark.usefixtures("house")


@pytest.fixture
def company():
    return make_company(contract=ALL_HOURS)


def waits(company, deed, *, held, free):
    """Do something while somebody holds what it needs; it must not hold what others need."""
    with ThreadPoolExecutor(1) as pool:
        with unit_of_work(company.scope) as work:
            held(work)
            doing = pool.submit(deed)
            wait_for_waiting(work)
            with unit_of_work(company.scope, patience_s=2) as beside:
                beside.session.execute(sa.text("SET LOCAL lock_timeout = 2000"))
                free(beside)
        return doing.result()


def run_of(company, order_id):
    run_id = company.order(order_id).run_id
    assert run_id is not None
    return run_id


@pytest.fixture
def last(company, monkeypatch):
    """An order of which the last gifts are to be issued."""
    monkeypatch.setattr(issuing, "CHUNK", 2)
    order_id = company.draft(channel="mail")
    company.take(order_id, cells(3, "mail"))
    if company.submit(order_id) == "submitted":
        company.approve(order_id)
    with unit_of_work(company.scope) as work:
        assert issuing.issue_chunk(work, order_id), "one is left"
    return order_id


def issue(company, order_id):
    with unit_of_work(company.scope) as work:
        return issuing.issue_chunk(work, order_id)


def test_the_last_gifts_wait_for_their_run_without_the_audit_chain(company, last):
    run_id = run_of(company, last)

    def note(work):
        audit.record(work, action="gift.resent", subject=f"gift_order:{last}", details={})

    goes_on = waits(
        company,
        lambda: issue(company, last),
        held=lambda work: messaging.lock_run(work, run_id),
        free=note,
    )
    assert goes_on is False
    assert company.order(last).state == "sent"
    assert company.differences() == []


def test_the_last_gifts_wait_for_the_contract_without_their_run(company, last):
    run_id = run_of(company, last)
    goes_on = waits(
        company,
        lambda: issue(company, last),
        held=lock_contract_row,
        free=lambda work: messaging.lock_run(work, run_id),
    )
    assert goes_on is False


def test_starting_again_waits_for_a_letter_without_the_run(company):
    order_id = company.sent(3, "mail")
    set_gifts(company, order_id, "delivery = 'failed'")
    with unit_of_work(company.scope) as work:
        work.session.execute(
            sa.text(
                "UPDATE messaging_messages SET state = 'failed', due_at = NULL WHERE run_id = :run"
            ),
            {"run": run_of(company, order_id)},
        )
        work.session.execute(
            sa.text("UPDATE messaging_runs SET failed = 3 WHERE id = :run"),
            {"run": run_of(company, order_id)},
        )
    last = max(gift.message_id for gift in company.gifts(order_id))
    run_id = run_of(company, order_id)

    def redrive():
        with unit_of_work(company.scope) as work:
            return gifts.redrive_order(work, order_id, reason="mended")

    done = waits(
        company,
        redrive,
        held=lambda work: messaging.lock_letters(work, [last]),
        free=lambda work: messaging.lock_run(work, run_id),
    )
    assert done == {"letters_failed": 3}


def test_reminders_of_several_orders_take_their_runs_in_one_order(company, fresh_clock):
    orders = [arrived(company, 1), arrived(company, 1)]
    for order_id in orders:
        let_leave(company.scope, order_id)
    fresh_clock(timedelta(days=CONTRACT.claim_days - 10))
    low, high = sorted(run_of(company, order_id) for order_id in orders)
    first = next(each for each in orders if run_of(company, each) == high)
    set_gifts(company, first, "ends_at = ends_at - interval '1 hour'")  # found before the other
    count = waits(
        company,
        lambda: jobs.remind_due(company.scope),
        held=lambda work: messaging.lock_run(work, low),
        free=lambda work: messaging.lock_run(work, high),
    )
    assert count == 2


def test_two_who_write_when_the_first_run_is_deleted_begin_one(company):
    order_id = company.sent(2, "card")
    pair = [gift.id for gift in company.gifts(order_id)]
    with unit_of_work(company.scope) as work:
        work.session.execute(
            sa.text("DELETE FROM messaging_runs WHERE id = :run"),
            {"run": run_of(company, order_id)},
        )

    def replace(gift_id):
        with unit_of_work(company.scope) as work:
            gifts.replace_card(
                work, gift_id, reason="lost", channel="mail", address=f"{gift_id}@example.com"
            )

    with ThreadPoolExecutor(1) as pool:
        with unit_of_work(company.scope) as work:
            gifts.replace_card(
                work, pair[0], reason="lost", channel="mail", address="first@example.com"
            )
            replacing = pool.submit(replace, pair[1])
            wait_for_waiting(work)
        replacing.result()
    with unit_of_work(company.scope) as work:
        assert messaging.get_run(work, run_of(company, order_id)).waiting == 2
