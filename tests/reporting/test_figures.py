"""The figures of the overview: always the ledger's, however events come."""

from __future__ import annotations

import random
from datetime import timedelta

import psycopg
import pytest
import sqlalchemy as sa

from giftpad import events, ledger, payments, reporting
from giftpad.cli.prepare import catch_up_figures
from giftpad.coupons.jobs import expire_due
from giftpad.kernel.clock import local_date
from giftpad.kernel.work import Scope, unit_of_work
from tests import make
from tests import make_coupons as mk
from tests.pump import pump

ZONE = "Asia/Tokyo"


@pytest.fixture
def town(house):
    return mk.make_town()


def figures(town, programme_id=None):
    with unit_of_work(town.scope) as work:
        return reporting.get_figures(work, programme_id)


def differences(town):
    with unit_of_work(town.scope) as work:
        return reporting.check_figures(work)


def paper(town, settings, quantity=3):
    batch_id = mk.released(town, settings, quantity)
    return [qr for qr, _ in mk.read_paper(mk.take_pdf(town, batch_id))]


def pay(town, qr, amount_minor):
    return payments.pay(town.scope, make.pay_order(town, amount_minor, code=qr)).id


def agree_with_ledger(town):
    """Whether the figures of the town's programme are the ledger's sums by kind of account."""
    found = figures(town, town.programme_id)
    with unit_of_work(town.scope) as work:
        sums = ledger.sum_by_kind(work, town.programme_id)
    assert {"shop_payable": 0} | sums == {
        "funding": -found.issued_minor,
        "coupon": found.left_minor,
        "shop_payable": found.used_minor,
        "breakage": found.expired_minor,
    }
    assert found.issued_minor == found.left_minor + found.used_minor + found.expired_minor
    return found


def test_random_movements_come_to_what_the_ledger_says(town, settings, fresh_clock):
    chance = random.Random(7)
    codes = paper(town, settings, 4)
    paid = []
    for _ in range(25):
        deed = chance.choice(["pay", "pay", "pay", "void", "refund", "hear"])
        if deed == "pay":
            code = chance.choice(codes)
            try:
                paid.append(pay(town, code, chance.randint(1, 300)))
            except ledger.InsufficientBalance:
                continue
        elif deed == "hear":
            pump(settings)
        elif paid:
            payment_id = chance.choice(paid)
            with unit_of_work(town.scope) as work:
                before = payments.get_payment(work, payment_id)
                left = before.amount_minor - before.refunded_minor
                if before.state == "captured" and deed == "void":
                    payments.void(work, payment_id)
                elif before.state != "voided" and left:
                    payments.refund(work, payment_id, chance.randint(1, left))
        assert differences(town) == []
    pump(settings)
    found = agree_with_ledger(town)
    assert (found.issued_count, found.issued_minor, found.lag_s) == (4, 4000, 0)
    assert found.paid_minor - found.given_back_minor == found.used_minor > 0
    fresh_clock(timedelta(days=400))
    expire_due(Scope(tenant_id=town.tenant_id))
    assert differences(town) == []
    pump(settings)
    found = agree_with_ledger(town)
    assert (found.left_minor, found.used_minor + found.expired_minor) == (0, 4000)
    assert differences(town) == []


def test_days_are_those_of_the_tenants_zone_and_none_is_left_out(town, settings, fresh_clock):
    (qr,) = paper(town, settings, 1)
    pay(town, qr, 100)
    fresh_clock(timedelta(days=2))
    second = pay(town, qr, 50)
    with unit_of_work(town.scope) as work:
        payments.void(work, second)
        last = local_date(work.at, ZONE)
    pump(settings)
    with unit_of_work(town.scope) as work:
        days = reporting.list_days(work, town.programme_id, last - timedelta(days=3), last)
        assert reporting.list_days(work, town.funding_id, last, last)[0].paid_minor == 0
    assert [day.day for day in days] == [last - timedelta(days=n) for n in (3, 2, 1, 0)]
    assert [(d.issued_minor, d.paid_minor, d.voided_minor) for d in days] == [
        (0, 0, 0),
        (1000, 100, 0),
        (0, 0, 0),
        (0, 50, 50),
    ]
    assert [day.used_minor for day in days] == [0, 100, 0, 0]


def test_the_last_minute_of_a_day_counts_on_it(town, settings, fresh_clock):
    (qr,) = paper(town, settings, 1)
    with unit_of_work(town.scope) as work:
        today = local_date(work.at, ZONE)
        midnight = work.session.execute(
            sa.text("SELECT (CAST(:day AS timestamp) + interval '1 day') AT TIME ZONE :zone"),
            {"day": today.isoformat(), "zone": ZONE},
        ).scalar_one()
        to_midnight = midnight - work.at
    fresh_clock(to_midnight - timedelta(minutes=1))
    pay(town, qr, 10)
    fresh_clock(to_midnight + timedelta(minutes=1))
    pay(town, qr, 20)
    pump(settings)
    with unit_of_work(town.scope) as work:
        days = reporting.list_days(work, None, today, today + timedelta(days=1))
    assert [day.paid_minor for day in days] == [10, 20]
    assert differences(town) == []


def deliver_all_again(town, settings):
    """Let every handler be sent every event of the tenant once more, as after a lost answer."""
    with psycopg.connect(settings.database_relay_url) as connection:
        connection.execute("UPDATE event_outbox SET done_at = NULL, leased_until = NULL")
    pump(settings)


def test_what_is_told_twice_counts_once(town, settings):
    codes = paper(town, settings, 2)
    pay(town, codes[0], 100)
    pump(settings)
    before = agree_with_ledger(town)
    deliver_all_again(town, settings)
    assert figures(town, town.programme_id).paid_minor == before.paid_minor == 100
    with unit_of_work(town.scope) as work:
        rows = work.session.execute(
            sa.text("SELECT id FROM event_outbox WHERE name = 'payment.captured_v1'")
        ).scalars()
        event_ids = list(rows)
    assert event_ids
    taken = events.deliver(town.scope, ["reporting.note_paid"], "payment.captured_v1", event_ids)
    assert taken == 0
    assert agree_with_ledger(town).paid_minor == 100


def test_a_rebuild_gives_the_same_and_leaves_to_events_what_they_will_tell(town, settings):
    codes = paper(town, settings, 2)
    pay(town, codes[0], 100)
    pump(settings)
    first = figures(town)
    pay(town, codes[1], 70)
    with unit_of_work(town.scope) as work:
        assert reporting.rebuild(work) == 1
    second = figures(town)
    assert second.paid_minor == first.paid_minor == 100
    assert second.lag_s >= 0
    assert differences(town) == []
    pump(settings)
    assert agree_with_ledger(town).paid_minor == 170
    with unit_of_work(town.scope) as work:
        reporting.rebuild(work)
    assert agree_with_ledger(town).paid_minor == 170
    assert differences(town) == []


def test_a_figure_that_is_wrong_is_found_and_mended(town, settings):
    codes = paper(town, settings, 1)
    pay(town, codes[0], 100)
    pump(settings)
    with unit_of_work(town.scope) as work:
        work.session.execute(sa.text("UPDATE reporting_days SET paid_minor = paid_minor + 1"))
    (found,) = differences(town)
    assert found.kind == "figures"
    with unit_of_work(town.scope) as work:
        work.session.execute(sa.text("DELETE FROM reporting_days"))
    assert len(differences(town)) == 1
    with unit_of_work(town.scope) as work:
        reporting.rebuild(work)
    assert differences(town) == []


def catch_up(town):
    with unit_of_work(town.scope) as work:
        return reporting.catch_up(work)


def test_figures_that_begin_later_than_the_books_are_made_once(town, settings, fresh_clock):
    assert catch_up(town) is None
    codes = paper(town, settings, 1)
    pay(town, codes[0], 100)
    pump(settings)
    assert catch_up(town) is None
    fresh_clock(timedelta(days=2))
    pay(town, codes[0], 50)
    pump(settings)
    for lost in ("", " WHERE issued_minor > 0"):  # before any event came, and after the first
        with unit_of_work(town.scope) as work:
            work.session.execute(sa.text("DELETE FROM reporting_days" + lost))
        assert catch_up(town) == 2
        assert agree_with_ledger(town).paid_minor == 150
        assert catch_up(town) is None


def test_every_start_makes_missing_figures(town, settings, capsys):
    paper(town, settings, 1)
    pump(settings)
    with unit_of_work(town.scope) as work:
        work.session.execute(sa.text("DELETE FROM reporting_days"))
    catch_up_figures()
    assert "daily figures made from the books, 1 rows" in capsys.readouterr().out
    assert agree_with_ledger(town).issued_minor == 1000


def test_late_figures_say_how_late(town, settings, fresh_clock):
    codes = paper(town, settings, 1)
    pump(settings)
    assert figures(town).lag_s == 0
    pay(town, codes[0], 100)
    fresh_clock(timedelta(minutes=8))
    assert 470 <= figures(town).lag_s <= 600


def test_nobody_sees_another_tenants_figures(town, settings):
    paper(town, settings, 1)
    other = mk.make_town()
    assert figures(other, town.programme_id).issued_minor == 0
    with unit_of_work(other.scope) as work:
        rows = work.session.execute(sa.text("SELECT count(*) FROM reporting_days")).scalar_one()
    assert rows == 0
