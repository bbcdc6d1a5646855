"""The contract against the running product: schemathesis with all of its checks finds nothing.

It asks for the second tenant of the demonstration, because it changes whatever it finds.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from urllib.parse import urlencode
from uuid import uuid4

import pytest

from giftpad.kernel.migrate import ROOT
from tests.flows.conftest import EVERYTHING
from tests.flows.http import Caller

pytestmark = pytest.mark.slow

CONFIGURATION = ROOT / "tests" / "hostile" / "schemathesis.toml"
TENANT = "hanamaru"
SEED = "20261121"
MOST = "100000"
SHOPS = 3
TIMEOUT_S = 1500


@pytest.fixture(scope="module")
def office(product):
    """A client that may do everything, as fast as it likes."""
    words = ["client", "create", "--tenant", TENANT, "--name", "contract", "--json"]
    for permission in EVERYTHING:
        words += ["--permission", permission]
    words += ["--rate", MOST, "--burst", MOST, "--failed-codes", MOST]
    form = urlencode({"grant_type": "client_credentials"} | json.loads(product.must(*words)))
    caller = Caller(product.port)
    kind = "application/x-www-form-urlencoded"
    answer = caller.ask("POST", "/oauth/token", form, wanted=200, content_type=kind)
    caller.token = answer["access_token"]
    yield caller
    for shop in caller.ask("GET", "/api/v1/shops?limit=100", wanted=200)["items"]:
        if not shop["accepting"]:  # whoever comes next pays there
            caller.ask("POST", f"/api/v1/shops/{shop['id']}/resume", wanted=200)


def list_known(office):
    """Return objects that exist, so that requests come further than to a 404.

    Shops are made for it: those of the demonstration are somebody else's in this session.
    """

    def items(path):
        return office.ask("GET", path, wanted=200)["items"]

    known = {"programme_id": [each["id"] for each in items("/api/v1/programmes")]}
    known["shop_id"] = [add_shop(office) for _ in range(SHOPS)]
    batches, payments = items("/api/v1/coupon-batches"), items("/api/v1/payments")
    known["batch_id"] = [each["id"] for each in batches]
    known["serial"] = [each["serial_first"] for each in batches]
    known["payment_id"] = [each["id"] for each in payments]
    return {name: values for name, values in known.items() if values}


def add_shop(office):
    (some,) = office.ask("GET", "/api/v1/shops?limit=1", wanted=200)["items"]
    shop = {"name": "見本の店", "area": some["area"], "number": f"contract-{uuid4().hex[:10]}"}
    return office.ask("POST", "/api/v1/shops", shop, wanted=201, key=True)["id"]


def fuzz(product, office, folder, *words):
    """Run schemathesis over the committed contract and return how it ended."""
    text = CONFIGURATION.read_text()
    for name, values in list_known(office).items():
        text += f"\n[dictionaries.{name}s]\nvalues = {json.dumps(values)}\n"
        text += f'\n[parameters."path.{name}"]\ndictionary = "{name}s"\nprobability = 0.5\n'
    own = folder / "schemathesis.toml"
    own.write_text(text)
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(own), "run"]
    command += ["docs/reference/openapi.json", "--url", product.address, "--checks", "all"]
    command += ["-H", f"Authorization: Bearer {office.token}", "-H", "Accept-Language: en"]
    command += ["--seed", SEED, "--no-color", *words]
    return subprocess.run(
        command,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT_S,
    )


def test_a_short_look_finds_nothing_against_the_contract(product, office, tmp_path):
    done = fuzz(product, office, tmp_path, "--phases", "fuzzing", "-n", "3", "--max-time", "20")
    assert done.returncode == 0, done.stdout[-6000:]
    assert "No issues found" in done.stdout


@pytest.mark.long
def test_all_phases_find_nothing_against_the_contract(product, office, tmp_path):
    done = fuzz(product, office, tmp_path, "-n", "60", "--max-time", "240")
    assert done.returncode == 0, done.stdout[-6000:]
    assert "No issues found" in done.stdout
    assert "Stateful" in done.stdout
    product.must("ledger", "verify", "--tenant", TENANT)


@pytest.mark.long
def test_an_answer_that_is_not_in_the_contract_is_found(product, office, tmp_path, monkeypatch):
    contract = json.loads((ROOT / "docs/reference/openapi.json").read_text())
    operations = contract["paths"]["/api/v1/shops/{shop_id}"]
    for operation in (each for each in operations.values() if isinstance(each, dict)):
        operation.get("responses", {}).pop("404", None)
    spoilt = tmp_path / "openapi.json"
    spoilt.write_text(json.dumps(contract))
    monkeypatch.chdir(tmp_path)
    done = fuzz(product, office, tmp_path, "--include-path", "/api/v1/shops/{shop_id}", "-n", "20")
    assert done.returncode == 0
    text = (tmp_path / "schemathesis.toml").read_text()
    assert "contract_checks" in text
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file"]
    command += [str(tmp_path / "schemathesis.toml"), "run", str(spoilt), "--url", product.address]
    command += ["-H", f"Authorization: Bearer {office.token}", "-n", "20", "--no-color"]
    command += ["--include-path", "/api/v1/shops/{shop_id}"]
    found = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=TIMEOUT_S
    )
    assert found.returncode == 1
    assert "Undocumented status code" in found.stdout
