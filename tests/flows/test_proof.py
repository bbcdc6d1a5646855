"""The operator's proofs, as commands on a running Giftpad."""

from __future__ import annotations

import psycopg
import pytest

from tests.flows.conftest import TENANT
from tests.flows.tills import wait_for

OF_PAYMENT = "(SELECT account_id FROM payment_payments WHERE id = %(payment)s)"
DAMAGES = {
    "balance": (
        f"UPDATE ledger_accounts SET balance_minor = balance_minor + 1 WHERE id = {OF_PAYMENT}",
        f"UPDATE ledger_accounts SET balance_minor = balance_minor - 1 WHERE id = {OF_PAYMENT}",
    ),
    "transfer": (
        "UPDATE ledger_transfers SET amount_minor = amount_minor + 1 WHERE entry_id = %(payment)s",
        "UPDATE ledger_transfers SET amount_minor = amount_minor - 1 WHERE entry_id = %(payment)s",
    ),
    "outbox": (
        "UPDATE event_outbox SET object_id = gen_random_uuid() WHERE object_id = %(payment)s",
        (
            "UPDATE event_outbox SET object_id = (payload ->> 'object_id')::uuid"
            " WHERE payload ->> 'object_id' = %(payment)s::text"
        ),
    ),
}


@pytest.fixture
def payment(product):
    code = product.codes(product.batch(8))[0]
    till = product.caller("payments:accept", shop_id=product.shops()[0])
    order = {"instrument": {"kind": "coupon", "code": code}, "amount_minor": 350}
    return till.ask("POST", "/api/v1/payments", order, key=True, wanted=201)["id"]


def test_one_changed_balance_transfer_and_event_are_each_named(product, payment):
    with psycopg.connect(product.superuser(), autocommit=True) as superuser:
        values = {"payment": payment}
        (account,) = superuser.execute(
            "SELECT account_id FROM payment_payments WHERE id = %(payment)s", values
        ).fetchone()
        (transfer,) = superuser.execute(
            "SELECT transfer_id FROM payment_payments WHERE id = %(payment)s", values
        ).fetchone()
        (event,) = superuser.execute(
            "SELECT id FROM event_outbox WHERE object_id = %(payment)s", values
        ).fetchone()
        named = {"balance": account, "transfer": transfer, "outbox": event}
        for kind, (damage, undo) in DAMAGES.items():
            assert superuser.execute(damage, values).rowcount == 1
            done = product.run("ledger", "verify", "--tenant", TENANT)
            assert superuser.execute(undo, values).rowcount == 1
            assert done.returncode == 1, kind
            lines = [line for line in done.stderr.splitlines() if f": {kind} " in line]
            assert any(str(named[kind]) in line for line in lines), done.stderr
    assert "the books agree" in product.must("ledger", "verify", "--tenant", TENANT)


def test_a_changed_audit_entry_is_named(product, payment):
    with psycopg.connect(product.superuser(), autocommit=True) as superuser:
        changed = superuser.execute(
            "UPDATE audit_entries SET action = action || '!' WHERE seq = 2 AND tenant_id ="
            " (SELECT id FROM tenants WHERE slug = %s)",
            [TENANT],
        )
        assert changed.rowcount == 1
        done = product.run("audit", "verify", "--tenant", TENANT)
        superuser.execute(
            "UPDATE audit_entries SET action = rtrim(action, '!') WHERE seq = 2 AND tenant_id ="
            " (SELECT id FROM tenants WHERE slug = %s)",
            [TENANT],
        )
    assert done.returncode == 1
    assert "audit entry 2: was changed" in done.stderr
    product.must("audit", "verify")


def test_a_dead_letter_is_listed_and_put_back(product, payment):
    del payment
    with psycopg.connect(product.superuser(), autocommit=True) as superuser:
        taken = (
            "SELECT event_id, handler FROM event_inbox i JOIN event_outbox o ON o.id = i.event_id"
            " WHERE o.name = 'payment.captured_v1' AND handler LIKE 'payments.%' LIMIT 1"
        )
        wait_for(lambda: superuser.execute(taken).fetchone())
        marked = superuser.execute(
            f"UPDATE event_inbox SET outcome = 'dead' WHERE (event_id, handler) = ({taken})"
            " RETURNING tenant_id, event_id, handler"
        ).fetchone()
        superuser.execute(
            "INSERT INTO event_failures VALUES (%s, %s, %s, 8, 'a made-up failure', now())", marked
        )
        superuser.execute("DELETE FROM payment_history WHERE id = (SELECT object_id FROM"
                          " event_outbox WHERE id = %s)", [marked[1]])  # fmt: skip
        shown = product.must("events", "dead", "--tenant", TENANT)
        assert f"{marked[1]}" in shown
        assert "a made-up failure" in shown
        done = product.run("events", "reconcile", "--tenant", TENANT)
        assert (done.returncode, "0 missing, 1 given up" in done.stdout) == (1, True), done.stdout
        product.must("events", "redrive", "--tenant", TENANT, "--event", str(marked[1]))
    product.must("events", "reconcile", "--tenant", TENANT)
    assert "0 dead letters" in product.must("events", "dead", "--tenant", TENANT)


@pytest.mark.long
def test_a_batch_can_be_printed_again_until_its_print_is_destroyed(product):
    batch = product.batch(8)
    codes = product.codes(batch)
    said = product.must("batch", "reprint", "--tenant", TENANT, batch["id"])
    assert "the batch stays released" in said
    path = f"/api/v1/coupon-batches/{batch['id']}"
    office = product.caller()
    wait_for(
        lambda: all(v["state"] == "ready" for v in office.ask("GET", path, wanted=200)["volumes"])
    )
    assert product.codes(batch) == codes
    refused = product.run("batch", "destroy-print", "--tenant", TENANT, batch["id"])
    assert refused.returncode == 2
    product.must("batch", "destroy-print", "--tenant", TENANT, "--yes", batch["id"])
    status, body = office.call("GET", f"{path}/pdf?volume=1")
    assert status >= 400, body
    assert product.run("batch", "reprint", "--tenant", TENANT, batch["id"]).returncode == 1
    till = product.caller("payments:accept", shop_id=product.shops()[0])
    order = {"instrument": {"kind": "coupon", "code": codes[0]}, "amount_minor": 1}
    till.ask("POST", "/api/v1/payments", order, key=True, wanted=201)
