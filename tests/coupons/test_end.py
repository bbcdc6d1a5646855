"""Expiry, and the end of print files: afterwards nothing at rest spends."""

from __future__ import annotations

from datetime import timedelta

import psycopg
import pytest

from giftpad import audit, coupons, ledger, payments
from giftpad.coupons import errors, jobs
from giftpad.coupons.adapters import press
from giftpad.kernel.errors import DomainError
from giftpad.kernel.work import unit_of_work
from tests import make
from tests import make_coupons as mk
from tests.pump import pump

AFTER_THE_END = timedelta(days=1000)


@pytest.fixture
def town(house):
    return mk.make_town()


def sums(town):
    with unit_of_work(town.scope) as work:
        return ledger.sum_by_kind(work, town.programme_id)


def test_what_is_left_at_the_end_goes_to_breakage_once(town, settings, fresh_clock):
    batch_id = mk.released(town, settings)
    paper = mk.read_paper(mk.take_pdf(town, batch_id))
    payments.pay(town.scope, make.pay_order(town, 350, code=paper[0][0]))
    payments.pay(town.scope, make.pay_order(town, 1000, code=paper[1][0]))
    assert jobs.expire_due(town.scope) == 0
    fresh_clock(AFTER_THE_END)
    jobs.expire_due(town.scope)
    assert sums(town) == {"funding": -3000, "coupon": 0, "shop_payable": 1350, "breakage": 1650}
    assert mk.get_batch(town, batch_id).expired_at is not None
    assert mk.get_coupon(town, "MC-1").state == "expired"
    assert jobs.expire_due(town.scope) == 0
    assert sums(town)["breakage"] == 1650
    assert make.differences(town.scope) == []
    with pytest.raises(DomainError) as refusal:
        payments.pay(town.scope, make.pay_order(town, 1, code=paper[2][0]))
    assert refusal.value.code == "instrument.expired"


def test_expiry_goes_on_where_it_was_cut_short(town, settings, fresh_clock, monkeypatch):
    monkeypatch.setattr("giftpad.coupons.commands.expire.CHUNK_COUNT_MAX", 2)
    mk.released(town, settings, 5)
    fresh_clock(AFTER_THE_END)
    monkeypatch.setattr(jobs, "STEPS_MAX", 1)
    jobs.expire_due(town.scope)
    assert sums(town)["breakage"] == 2000
    monkeypatch.setattr(jobs, "STEPS_MAX", 100)
    jobs.expire_due(town.scope)
    assert sums(town)["breakage"] == 5000
    assert make.differences(town.scope) == []


def test_replacement_and_replaced_expire_as_one(town, settings, fresh_clock):
    mk.released(town, settings)
    with unit_of_work(town.scope) as work:
        coupons.replace(work, "MC-1", reason="lost")
    pump(settings)
    fresh_clock(AFTER_THE_END)
    jobs.expire_due(town.scope)
    assert sums(town) == {"funding": -3000, "coupon": 0, "breakage": 3000}
    for verb in (coupons.block, coupons.replace):
        with pytest.raises(errors.CouponWrongState), unit_of_work(town.scope) as work:
            verb(work, "MC-4", reason="too late")


def files_of(town):
    files = press.print_shop().files
    folder = f"{files._root}/{town.tenant_id}"
    return files._system.find(folder) if files._system.exists(folder) else []


def dump(superuser_url):
    """Everything in every table, as text."""
    with psycopg.connect(superuser_url) as connection:
        tables = connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        ).fetchall()
        return "\n".join(
            "\n".join(
                row[0]
                for row in connection.execute(
                    f'SELECT t::text FROM "{name}" t'  # type: ignore[arg-type]
                ).fetchall()
            )
            for (name,) in tables
        )


def test_after_its_time_a_print_is_gone_with_its_key(town, settings, fresh_clock, superuser_url):
    batch_id = mk.released(town, settings, 9)
    paper = mk.read_paper(mk.take_pdf(town, batch_id))
    assert jobs.destroy_due_prints(town.scope) == 0
    fresh_clock(timedelta(days=settings.print_retention_days, minutes=1))
    assert jobs.destroy_due_prints(town.scope) == 1
    pump(settings)
    assert files_of(town) == []
    text = dump(superuser_url)
    for qr, typed in paper:
        assert typed not in text
        assert typed.replace("-", "") not in text
        assert qr[-23:] not in text
    with psycopg.connect(superuser_url) as connection:
        (kept,) = connection.execute(
            "SELECT count(*) FROM coupon_batches WHERE id = %s AND batch_key IS NOT NULL",
            [batch_id],
        ).fetchone()
    assert kept == 0
    for attempt in (
        lambda: mk.take_pdf(town, batch_id),
        lambda: coupons.reprint(work, batch_id),
        lambda: coupons.destroy_print(work, batch_id),
    ):
        with pytest.raises(errors.PrintDestroyed), unit_of_work(town.scope) as work:
            attempt()
    assert payments.pay(town.scope, make.pay_order(town, 1, code=paper[0][1])).balance_minor == 999


def test_a_dump_taken_while_the_key_lives_holds_no_code_either(town, settings, superuser_url):
    batch_id = mk.order(town, 9)
    pump(settings)
    paper = mk.read_paper(mk.take_pdf(town, batch_id))
    text = dump(superuser_url)
    assert str(batch_id) in text
    for qr, typed in paper:
        assert typed not in text
        assert typed.replace("-", "") not in text
        assert qr[-23:] not in text


def test_a_print_can_be_destroyed_by_hand_and_still_be_released(town, settings):
    batch_id = mk.order(town)
    pump(settings)
    pdf = mk.take_pdf(town, batch_id)
    with unit_of_work(town.scope) as work:
        coupons.destroy_print(work, batch_id)
    pump(settings)
    assert files_of(town) == []
    mk.release(town, batch_id)
    code = mk.read_paper(pdf)[0][0]
    assert payments.pay(town.scope, make.pay_order(town, 1, code=code)).balance_minor == 999
    with unit_of_work(town.scope) as work:
        actions = [entry.action for entry in audit.list_entries(work)]
    assert actions.count("coupon_batch.print_destroyed") == 1


def test_a_print_is_not_destroyed_while_it_is_made(town):
    batch_id = mk.order(town)
    with pytest.raises(errors.BatchWrongState), unit_of_work(town.scope) as work:
        coupons.destroy_print(work, batch_id)
