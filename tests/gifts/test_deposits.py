"""Money paid in, and what was booked by mistake."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from click.testing import CliRunner

from giftpad import audit, gifts, tenancy
from giftpad.cli.gifts import gifts as gifts_group
from giftpad.kernel.work import unit_of_work
from tests.make_gifts import VALUE, make_company
from tests.tenancy.test_cli import NAMES

pytestmark = pytest.mark.usefixtures("house")
CROWD = 4
FEE = 100


@pytest.fixture
def company():
    return make_company(deposit_minor=0)


@pytest.fixture
def run(settings, company, monkeypatch):
    for name in NAMES:
        if value := getattr(settings, name):
            monkeypatch.setenv(f"GIFTPAD_{name.upper()}", str(value))
    slug = tenancy.get_tenant(company.scope.tenant_id).slug
    return lambda *words: CliRunner().invoke(gifts_group, ["deposit", "--tenant", slug, *words])


def pay_in(company, amount_minor, reference):
    with unit_of_work(company.scope) as work:
        gifts.take_deposit(work, amount_minor, reference=reference)


def reverse(company, reference):
    with unit_of_work(company.scope) as work:
        return gifts.reverse_deposit(work, reference)


def test_a_wrong_deposit_is_taken_back_once_however_many_try(company):
    pay_in(company, 50_000, "right")
    pay_in(company, 20_000, "wrong")
    with ThreadPoolExecutor(CROWD) as crowd:
        said = list(crowd.map(lambda _: reverse(company, "wrong"), range(CROWD)))
    assert said == [20_000] * CROWD
    assert company.budget() == 50_000
    assert company.differences() == []
    with unit_of_work(company.scope) as work:
        wanted = audit.EntryFilter(actions=("gift_deposit.reversed",), limit=10)
        assert len(audit.list_entries(work, wanted)) == 1


def test_what_was_taken_back_is_booked_right_under_another_reference(company):
    pay_in(company, 20_000, "BANK-1")
    reverse(company, "BANK-1")
    for amount_minor in (20_000, 2_000):
        with pytest.raises(gifts.DepositReversed):
            pay_in(company, amount_minor, "BANK-1")
    pay_in(company, 2_000, "BANK-1b")
    assert company.budget() == 2_000
    with pytest.raises(gifts.DepositNotFound):
        reverse(company, "BANK-2")


def test_what_is_spent_cannot_be_taken_back(company):
    pay_in(company, 3 * (VALUE + FEE), "BANK-1")
    company.sent(2)
    with pytest.raises(gifts.DepositSpent) as refused:
        reverse(company, "BANK-1")
    assert refused.value.params["missing_minor"] == 2 * (VALUE + FEE)
    assert company.budget() == VALUE + FEE
    assert company.differences() == []


def test_whoever_runs_giftpad_takes_it_back_by_command(run, company):
    assert run("--amount", "20000", "--reference", "BANK-1").exit_code == 0
    for _ in range(2):
        done = run("--reverse", "BANK-1")
        assert done.exit_code == 0, done.output
        assert "Taken back: 20,000, BANK-1." in done.output
    assert company.budget() == 0
    assert run("--reverse", "BANK-1", "--amount", "5").exit_code == 2
    assert run("--amount", "5").exit_code == 2
