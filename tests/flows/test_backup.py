"""A backup taken while people pay comes up elsewhere, and its books agree."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from tests.flows.conftest import start_product
from tests.flows.tills import Tills, wait_for


@pytest.mark.long
def test_a_backup_under_load_comes_up_elsewhere(product, tmp_path, tmp_path_factory):
    codes = product.codes(product.batch(16))
    inside, _ = product.shops()
    caller = product.caller("payments:accept", shop_id=inside)
    folder, keys = tmp_path / "backup", tmp_path / "elsewhere" / "kek"
    keys.parent.mkdir()
    with (tmp_path / "log").open("w") as log, ThreadPoolExecutor(3) as pool:
        tills = Tills(caller, codes, log)
        jobs = [pool.submit(tills.serve, n) for n in range(3)]
        try:
            wait_for(lambda: tills.acknowledged > 30)
            before = tills.acknowledged
            product.must("backup", str(folder), "--keys", str(keys))
            wait_for(lambda: tills.acknowledged > before + 10)
        finally:
            tills.stop.set()
            for job in jobs:
                job.result()
    assert keys.stat().st_mode & 0o77 == 0
    assert not any(path.read_bytes() == keys.read_bytes() for path in folder.rglob("*.*"))
    home = tmp_path_factory.mktemp("restored") / "home"
    restored = start_product(home, before=("restore", str(folder), "--keys", str(keys)))
    try:
        for command in (("ledger", "verify"), ("audit", "verify"), ("events", "reconcile")):
            restored.must(*command)
        with psycopg.connect(restored.superuser()) as connection:
            (kept,) = connection.execute("SELECT count(*) FROM payment_payments").fetchone()
        assert kept >= before
        token = restored.caller("payments:accept", shop_id=inside)
        order = {"instrument": {"kind": "coupon", "code": codes[0]}, "amount_minor": 1}
        assert token.ask("POST", "/api/v1/payments", order, key=True, wanted=201)
        again = restored.run("restore", str(folder), "--keys", str(keys))
        assert again.returncode != 0
        assert "already" in again.stderr
        programmes = restored.caller().ask("GET", "/api/v1/programmes", wanted=200)["items"]
        assert programmes == product.caller().ask("GET", "/api/v1/programmes", wanted=200)["items"]
    finally:
        restored.run("down")
        restored.run("reset", "--yes")


def test_a_damaged_backup_is_refused(product, tmp_path):
    folder, keys = tmp_path / "backup", tmp_path / "kek"
    product.must("backup", str(folder), "--keys", str(keys))
    dump = folder / "database.dump"
    dump.write_bytes(dump.read_bytes()[:-1])
    environment = product.environment
    product.environment = environment | {"GIFTPAD_HOME": str(tmp_path / "home")}
    try:
        done = product.run("restore", str(folder), "--keys", str(keys))
    finally:
        product.environment = environment
    assert done.returncode == 1
    assert "not a whole backup" in done.stderr
