"""The checker finds each kind of damage, and nothing where there is none."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import psycopg
import pytest

from giftpad import payments, wiring
from giftpad.kernel.ids import new_id
from tests import make
from tests.chaos.checker import Checker, Findings
from tests.chaos.journal import Entry, Journal
from tests.make_gifts import make_company

PAID = 3
GIFTS = 3


@pytest.fixture
def superuser(servers, fresh_settings):
    name = fresh_settings.database_url.rpartition("/")[2]
    return servers.urls.in_database(name).superuser


@pytest.fixture
def checker(fresh_settings, superuser, tmp_path):
    """A checker whose journal has each payment that the town has seen."""
    wiring.bootstrap(fresh_settings)
    town = make.make_town()
    make.issue(town, PAID)
    journal = Journal(tmp_path / "log")
    for place in range(PAID):
        paid = payments.pay(town.scope, make.pay_order(town, 7, code=town.coupons[place].qr))
        journal.acknowledge(
            Entry(0, "POST", "/", "", str(place), "pay", 201, b"{}", str(paid.id), 7)
        )
    yield Checker(superuser, journal, Findings(), first=0)
    journal.file.close()


def look(checker, superuser):
    """Check what needs no running product."""
    with psycopg.connect(superuser) as connection:
        checker._count(connection, "damage")
        checker._look_up(connection, checker.journal.since(0), "damage")
        checker._count_doubles(connection)
    return checker.found


def test_whole_books_are_found_whole(checker, superuser):
    found = look(checker, superuser)
    found.differences = [each for each in found.differences if not each.startswith("history")]
    assert found.is_clean, found.differences


@pytest.mark.parametrize(
    ("damage", "name", "number"),
    [
        ("DELETE FROM payment_payments WHERE balance_after_minor = 993", "lost", 2 * PAID),
        ("UPDATE payment_payments SET amount_minor = 6", "lost", PAID),
        ("UPDATE ledger_accounts SET balance_minor = balance_minor + 2", "drift_minor", 2 * PAID),
        ("UPDATE ledger_transfers SET debit_after_minor = 992", "broken_chains", PAID),
        ("UPDATE event_outbox SET done_at = now()", "unreceipted", PAID),
    ],
)
def test_damage_is_found(checker, superuser, damage, name, number):
    with psycopg.connect(superuser, autocommit=True) as connection:
        connection.execute(damage)
    found = look(checker, superuser)
    assert getattr(found, name) == number
    assert not found.is_clean


def test_a_payment_that_nobody_asked_for_is_found(checker, superuser):
    with psycopg.connect(superuser, autocommit=True) as connection:
        connection.execute("CREATE TEMP TABLE twin AS SELECT * FROM payment_payments LIMIT 1")
        connection.execute("UPDATE twin SET id = %s", [new_id()])
        connection.execute("INSERT INTO payment_payments SELECT * FROM twin")
    assert look(checker, superuser).doubled == 1


@dataclass
class Letterbox:
    """Whoever counts letters, with what a test puts into it."""

    got: Counter[str]

    def letters(self):
        return self.got


@pytest.fixture
def giving(fresh_settings, superuser, tmp_path):
    """A checker whose journal has an order of three gifts, all of them out."""
    wiring.bootstrap(fresh_settings)
    order_id = make_company().sent(GIFTS, "link")
    journal = Journal(tmp_path / "log")
    journal.acknowledge(Entry(0, "POST", "/", "", "1", "gift", 202, b"{}", str(order_id), 0))
    yield Checker(superuser, journal, Findings(), first=0, giver=Letterbox(Counter()))
    journal.file.close()


def look_at_gifts(checker, superuser):
    with psycopg.connect(superuser) as connection:
        entries = checker.journal.since(0)
        checker._look_at_gifts(connection, entries, "damage")
        checker._look_at_letters("damage")
        checker._count_doubles(connection)
    return checker.found


def test_gifts_that_are_all_there_are_found_whole(giving, superuser):
    giving.giver.got["hana@chaos.example"] = 1
    found = look_at_gifts(giving, superuser)
    found.differences = [each for each in found.differences if not each.startswith("history")]
    assert found.is_clean, found.differences


@pytest.mark.parametrize(
    ("damage", "name"),
    [
        ("UPDATE gift_orders SET issued_to = issued_to - 1", "uneven_orders"),
        ("UPDATE ledger_accounts SET balance_minor = 0 WHERE kind = 'gift'", "uneven_orders"),
        ("DELETE FROM gifts WHERE number = 2", "uneven_orders"),
        ("DELETE FROM gift_invoices; DELETE FROM gifts; DELETE FROM gift_orders", "lost"),
    ],
)
def test_a_gift_too_many_or_too_few_is_found(giving, superuser, damage, name):
    with psycopg.connect(superuser, autocommit=True) as connection:
        connection.execute(damage)
    found = look_at_gifts(giving, superuser)
    assert getattr(found, name) == 1
    assert not found.is_clean


def test_a_second_letter_is_found(giving, superuser):
    giving.giver.got["hana@chaos.example"] = 2
    found = look_at_gifts(giving, superuser)
    assert (found.two_letters, found.is_clean) == (1, False)


def test_an_order_that_nobody_asked_for_is_found(giving, superuser):
    make_company().sent(1, "link")
    assert look_at_gifts(giving, superuser).doubled == 1
