"""A whole Giftpad on a data folder and a port of its own, as a person starts it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from giftpad import local
from giftpad.kernel.config import read_settings
from giftpad.local.postgres import free_port
from tests.flows.commands import command_line
from tests.flows.http import Caller

ROOT = Path(__file__).resolve().parents[2]
TENANT = "midori-city"
EVERYTHING = (
    "programmes:read",
    "coupons:read",
    "coupons:issue",
    "coupons:print",
    "coupons:release",
    "coupons:block",
    "shops:read",
    "shops:write",
    "payments:accept",
    "payments:refund",
    "payments:read",
    "members:manage",
    "reports:read",
)
READY_WITHIN_S = 180
STARTED_BY_A_PERSON = frozenset({"up", "down", "restart", "reset", "restore"})
"""Commands that start or end processes: they get one that has loaded nothing before."""


@dataclass
class Product:
    """A running Giftpad, known by its address and its command line only."""

    home: Path
    port: int
    environment: dict[str, str]
    callers: dict[str, Caller] = field(default_factory=dict)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def run(self, *words: str, timeout_s: int = 180) -> subprocess.CompletedProcess[str]:
        """Run one command of the command line on this Giftpad."""
        if words[0] not in STARTED_BY_A_PERSON:
            return command_line().run(list(words), self.environment, timeout_s=timeout_s)
        return subprocess.run(
            [sys.executable, "-m", "giftpad.cli", *words],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )

    def must(self, *words: str, timeout_s: int = 180) -> str:
        """Run a command that has to succeed, and return what it printed."""
        done = self.run(*words, timeout_s=timeout_s)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def caller(
        self,
        *permissions: str,
        tenant: str = TENANT,
        shop_id: str | None = None,
        rate: int = 50,
    ) -> Caller:
        """Return a machine client with these permissions; without any, with all of them."""
        key = f"{tenant} {permissions} {shop_id} {rate}"
        if key not in self.callers:
            words = ["client", "create", "--tenant", tenant, "--name", "flow", "--json"]
            for permission in permissions or EVERYTHING:
                words += ["--permission", permission]
            if shop_id:
                words += ["--shop", shop_id]
            words += ["--rate", str(rate), "--burst", str(2 * rate)]
            client = json.loads(self.must(*words))
            form = urlencode({"grant_type": "client_credentials"} | client)
            caller = Caller(self.port)
            answer = caller.ask(
                "POST",
                "/oauth/token",
                form,
                wanted=200,
                content_type="application/x-www-form-urlencoded",
            )
            caller.token = answer["access_token"]
            self.callers[key] = caller
        return self.callers[key]

    def programme(self) -> dict[str, Any]:
        """Return the tenant's first programme."""
        return self.caller().ask("GET", "/api/v1/programmes", wanted=200)["items"][0]

    def shops(self) -> tuple[str, str]:
        """Return the id of a shop that accepts the first programme, and of one outside its area."""
        areas = self.programme()["areas"]
        shops = self.caller().ask("GET", "/api/v1/shops?limit=100", wanted=200)["items"]
        inside = [shop["id"] for shop in shops if shop["area"] in areas]
        outside = [shop["id"] for shop in shops if shop["area"] not in areas]
        return inside[0], outside[0]

    def batch(self, quantity: int = 16, *, release: bool = True, face_value_minor: int = 1000):
        """Order a batch, wait until it is printed, release it, and return it."""
        office = self.caller()
        order = {
            "programme_id": self.programme()["id"],
            "quantity": quantity,
            "face_value_minor": face_value_minor,
            "template": "coupon_a4_8up",
        }
        batch = office.ask("POST", "/api/v1/coupon-batches", order, key=True, wanted=202)
        path = f"/api/v1/coupon-batches/{batch['id']}"
        deadline = time.monotonic() + READY_WITHIN_S
        while (batch := office.ask("GET", path, wanted=200))["state"] != "ready":
            assert batch["state"] != "failed", batch
            assert time.monotonic() < deadline, batch
            time.sleep(0.2)  # a person would look again, too
        if release:
            office.ask("POST", f"{path}/release", {}, key=True, wanted=200)
        return batch

    def codes(self, batch: dict[str, Any]) -> list[str]:
        """Return the QR texts of a batch in the order of its serials.

        They are read from the rendered pages by another decoder; locators grow with serials.
        """
        from giftpad.cli.demo import read_codes

        status, pdf = self.caller().call(
            "GET", f"/api/v1/coupon-batches/{batch['id']}/pdf?volume=1"
        )
        assert status == 200
        return sorted(read_codes(pdf), key=lambda text: text[-31:-23])

    def status(self) -> local.Status:
        """Return what runs."""
        return local.status(read_settings(self.environment))

    def pids(self) -> dict[str, int]:
        """Return the process ids of the running parts."""
        return {part.name: part.pid for part in self.status().parts if part.pid}

    def superuser(self) -> str:
        """Return the administrator's address of the database, to look past the product."""
        return local.EmbeddedPostgres(local.Home(self.home)).urls.superuser


def prepare_product(home: Path, **settings: object) -> Product:
    """Return a Giftpad with a port of its own, which is not started yet."""
    port = free_port()
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GIFTPAD_")}
    environment |= {"GIFTPAD_HOME": str(home), "GIFTPAD_PORT": str(port)}
    environment |= {f"GIFTPAD_{name.upper()}": str(value) for name, value in settings.items()}
    return Product(home, port, environment)


def start_product(home: Path, *, before: tuple[str, ...] = (), **settings: object) -> Product:
    """Start a Giftpad in the background and return when it is ready.

    ``before`` is a command that is run on the data folder first.
    """
    product = prepare_product(home, **settings)
    if before:
        product.must(*before)
    product.must("up", "--detach")
    return product


@pytest.fixture(scope="session")
def product(tmp_path_factory):
    """One Giftpad with the demonstration tenants, for all flows of this worker."""
    running = start_product(tmp_path_factory.mktemp("product") / "home")
    yield running
    running.run("down")
    running.run("reset", "--yes")
