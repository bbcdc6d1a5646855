"""The books balance, and nobody can make them not to without being named."""

from __future__ import annotations

import psycopg
import pytest

from giftpad import ledger, payments, wiring
from giftpad.kernel.arrays import UuidArray
from giftpad.kernel.db import DatabaseAway, database
from giftpad.kernel.ids import new_id, new_ids_packed
from giftpad.kernel.work import unit_of_work
from tests import make

WRITABLE = "-c default_transaction_read_only=off"
REFUSED_TO_THE_APP = (
    "UPDATE ledger_transfers SET amount_minor = 1",
    "DELETE FROM ledger_transfers",
    "TRUNCATE ledger_transfers",
    "INSERT INTO ledger_transfers SELECT * FROM ledger_transfers",
    "UPDATE ledger_accounts SET balance_minor = 1",
    "INSERT INTO ledger_accounts SELECT * FROM ledger_accounts",
    "DELETE FROM ledger_accounts",
    "ALTER TABLE ledger_accounts DISABLE ROW LEVEL SECURITY",
    "DROP TABLE ledger_transfers",
    "SET ROLE giftpad_owner",
    "SET ROLE giftpad_ledger",
    "DELETE FROM audit_entries",
    "UPDATE audit_entries SET action = ''",
    "UPDATE payment_reversals SET amount_minor = 1",
    "CREATE TABLE mine (id int)",
)


@pytest.fixture
def town(house):
    town = make.make_town()
    make.issue(town, 2)
    payments.pay(town.scope, make.pay_order(town, 350))
    return town


@pytest.mark.parametrize("statement", REFUSED_TO_THE_APP)
def test_the_database_refuses_the_app(town, settings, statement):
    with psycopg.connect(settings.database_url, autocommit=True) as app:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            app.execute(statement)


@pytest.mark.parametrize("table", ["ledger_accounts", "ledger_transfers", "payment_payments"])
def test_without_a_tenant_nothing_is_seen_and_another_tenant_sees_nothing(town, settings, table):
    other = make.make_tenant()
    count = f"SELECT count(*) FROM {table}"
    with psycopg.connect(settings.database_url) as app:
        assert app.execute(count).fetchone() == (0,)
        app.execute(f"SET LOCAL app.tenant_id = '{other.tenant_id}'")
        assert app.execute(count).fetchone() == (0,)
        app.execute(f"SET LOCAL app.tenant_id = '{town.tenant_id}'")
        assert app.execute(count).fetchone()[0] > 0


def test_a_ledger_function_cannot_reach_another_tenant(town, settings):
    other = make.make_tenant()
    with psycopg.connect(settings.database_url) as app:
        app.execute(f"SET LOCAL app.tenant_id = '{other.tenant_id}'")
        with pytest.raises(psycopg.errors.NoDataFound):
            app.execute(
                "SELECT ledger_transfer(%s, %s, %s, 'pay', %s, %s, 1, NULL, now())",
                [town.tenant_id, new_id(), new_id(), town.coupons[0].account_id, town.funding_id],
            )


def test_value_cannot_cross_books(town):
    other_book = new_id()
    with pytest.raises(Exception, match="not of one book"), unit_of_work(town.scope) as work:
        stranger = ledger.open_account(
            work,
            ledger.Account(
                id=new_id(), book_id=other_book, kind="funding", unit="JPY", guarded=False
            ),
        )
        ledger.transfer(work, transfer(town.coupons[0].account_id, stranger, 10))


def transfer(debit, credit, amount):
    return ledger.Transfer(
        id=new_id(), entry_id=new_id(), kind="move", debit_id=debit, credit_id=credit,
        amount_minor=amount,
    )  # fmt: skip


def test_value_moves_between_two_guarded_accounts_and_never_below_zero(town):
    one, two = (coupon.account_id for coupon in town.coupons)
    with unit_of_work(town.scope) as work:
        moved = ledger.transfer(work, transfer(one, two, 650))
    assert (moved.debit_after_minor, moved.credit_after_minor) == (0, 1650)
    with pytest.raises(ledger.InsufficientBalance), unit_of_work(town.scope) as work:
        ledger.transfer(work, transfer(one, two, 1))


@pytest.fixture
def damaged(town, superuser_url):
    """Change one thing as nobody of ours can, and put it back afterwards."""
    undo = []

    def damage(statement, undo_statement, values):
        with psycopg.connect(superuser_url, autocommit=True) as superuser:
            assert superuser.execute(statement, values).rowcount == 1
        undo.append((undo_statement, values))

    yield damage
    with psycopg.connect(superuser_url, autocommit=True) as superuser:
        for statement, values in undo:
            superuser.execute(statement, values)


def test_sound_books_have_no_differences(town):
    assert make.differences(town.scope) == []


def test_a_changed_balance_is_named(town, damaged):
    account = town.coupons[1].account_id
    damaged(
        "UPDATE ledger_accounts SET balance_minor = balance_minor + 5 WHERE id = %(id)s",
        "UPDATE ledger_accounts SET balance_minor = balance_minor - 5 WHERE id = %(id)s",
        {"id": account},
    )
    found = [str(difference) for difference in make.differences(town.scope)]
    assert len(found) == 1
    assert f"balance account {account}: expected 1000" in found[0]
    assert "found 1005" in found[0]


def test_a_changed_transfer_is_named(town, damaged):
    with unit_of_work(town.scope) as work:
        (payment,) = payments.list_payments(work, payments.PaymentFilter())
    damaged(
        "UPDATE ledger_transfers SET amount_minor = 340 WHERE entry_id = %(id)s",
        "UPDATE ledger_transfers SET amount_minor = 350 WHERE entry_id = %(id)s",
        {"id": payment.id},
    )
    kinds = {difference.kind for difference in make.differences(town.scope)}
    assert kinds == {"balance", "transfer", "payment"}


def test_a_changed_and_a_missing_event_are_named(town, damaged):
    with unit_of_work(town.scope) as work:
        (payment,) = payments.list_payments(work, payments.PaymentFilter())
    damaged(
        "UPDATE event_outbox SET payload = payload || '{\"amount_minor\": 999}'"
        " WHERE object_id = %(id)s",
        "UPDATE event_outbox SET payload = payload || '{\"amount_minor\": 350}'"
        " WHERE object_id = %(id)s",
        {"id": payment.id},
    )
    (found,) = make.differences(town.scope)
    assert found.kind == "outbox"
    assert f"payment {payment.id} over 350" in str(found)
    damaged(
        "UPDATE event_outbox SET tenant_id = gen_random_uuid() WHERE object_id = %(id)s",
        "UPDATE event_outbox SET tenant_id = %(tenant)s WHERE object_id = %(id)s",
        {"id": payment.id, "tenant": town.tenant_id},
    )
    (found,) = make.differences(town.scope)
    assert (found.kind, found.found) == ("outbox", "no event")


def test_an_account_named_twice_is_not_emptied_twice(town):
    account = town.coupons[1].account_id
    bulk = ledger.Bulk(
        entry_id=new_id(),
        kind="expire",
        other_id=town.breakage_id,
        account_ids=UuidArray.of([account.bytes, account.bytes]),
        transfer_ids=UuidArray.of(new_ids_packed(2)),
    )
    with pytest.raises(Exception, match="named twice"), unit_of_work(town.scope) as work:
        ledger.drain_many(work, bulk)
    assert make.balance_minor(town, town.coupons[1]) == 1000


def test_the_ledgers_functions_read_no_table_of_their_caller(superuser_url):
    """A caller's table can carry code, in an index or statistics, that would run as the owner."""
    with psycopg.connect(superuser_url) as superuser:
        rows = superuser.execute(
            "SELECT proname, prosrc FROM pg_proc WHERE prosecdef AND proowner ="
            " 'giftpad_ledger'::regrole"
        ).fetchall()
        may_create = superuser.execute(
            "SELECT has_schema_privilege('giftpad_ledger', 'public', 'CREATE')"
        ).fetchone()
    assert len(rows) == 5
    assert [name for name, source in rows if "pg_temp" in source] == []
    assert may_create == (False,)


def test_value_moved_to_another_shop_is_named(town, damaged):
    make.issue(town)
    payments.pay(town.scope, make.pay_order(town, 10, code=town.coupons[1].qr))
    other = make.add_shop(town.scope)
    payments.pay(town.scope, make.pay_order(town, 5, code=town.coupons[2].qr, shop_id=other))
    with unit_of_work(town.scope) as work:
        wrong = ledger.find_account(work, town.programme_id, "shop_payable", other)
        right = ledger.find_account(work, town.programme_id, "shop_payable", town.shop_id)
        (payment, *_) = payments.list_payments(
            work, payments.PaymentFilter(account_id=town.coupons[1].account_id)
        )
    damaged(
        "UPDATE ledger_transfers SET credit_id = %(wrong)s WHERE entry_id = %(id)s",
        "UPDATE ledger_transfers SET credit_id = %(right)s WHERE entry_id = %(id)s",
        {"id": payment.id, "wrong": wrong, "right": right},
    )
    (found,) = make.differences(town.scope)
    assert (found.kind, found.subject) == ("payment", str(payment.id))


def test_a_database_that_takes_no_writes_is_told_as_away(town, settings, superuser_url):
    name = settings.database_url.rpartition("/")[2]
    with psycopg.connect(superuser_url, autocommit=True) as superuser:
        superuser.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    try:
        database().close()  # only connections that are opened from now on are told
        wiring.bootstrap(settings)
        with pytest.raises(DatabaseAway):
            payments.pay(town.scope, make.pay_order(town, 1))
        with pytest.raises(DatabaseAway), unit_of_work(town.scope) as work:
            payments.take_locators(work, 1)
    finally:
        with psycopg.connect(superuser_url, autocommit=True, options=WRITABLE) as superuser:
            superuser.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")
        database().close()
        wiring.bootstrap(settings)
    assert payments.pay(town.scope, make.pay_order(town, 1)).balance_minor == 649
