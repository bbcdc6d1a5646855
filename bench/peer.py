"""The peer of payments and look-ups: pgbench, in a database of its own of the product's server.

TPC-B (``tpcb-like``) is one transaction of five statements over accounts, tellers, branches and a
history; ``-S`` reads one account by its key.  Both are what this machine's PostgreSQL can do
without any product around it.
"""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass

from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from bench.product import Product, postgres_program

DATABASE = "bench"
SCALE, SCALE_SHORT = 50, 20
CLIENTS, THREADS = 16, 2
TPC_B, SELECT_ONLY = "tpcb-like", "select-only"
SPEED = re.compile(r"^tps = ([0-9.]+) ", re.MULTILINE)
FILL_S = 300
PATIENCE_S = 30


@dataclass(frozen=True, slots=True)
class Peer:
    """A filled database of pgbench."""

    url: str
    scale: int

    @classmethod
    def fill(cls, product: Product, *, is_short: bool = False) -> Peer:
        """Make and fill the peer's database."""
        with product.connect("postgres") as connection:
            name = sql.Identifier(DATABASE)
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(name))
            connection.execute(sql.SQL("CREATE DATABASE {}").format(name))
        scale = SCALE_SHORT if is_short else SCALE
        peer = cls(product.database_url(DATABASE), scale)
        peer._pgbench("-i", "-q", "-s", str(scale), timeout_s=FILL_S)
        return peer

    def run(self, script: str, seconds: float) -> float:
        """Return the transactions a second that one of pgbench's own scripts reaches."""
        words = ["-b", script, "-M", "prepared", "-n", "-c", str(CLIENTS), "-j", str(THREADS)]
        said = self._pgbench(*words, "-T", f"{seconds:.0f}", timeout_s=seconds + PATIENCE_S)
        found = SPEED.search(said)
        assert found is not None, said
        return float(found[1])

    def _pgbench(self, *words: str, timeout_s: float) -> str:
        login = conninfo_to_dict(self.url)
        done = subprocess.run(  # noqa: S603 - PostgreSQL's own program
            [
                postgres_program("pgbench"),
                *("-h", str(login["host"]), "-p", str(login["port"]), "-U", str(login["user"])),
                *words,
                str(login["dbname"]),
            ],
            env=os.environ | {"PGPASSWORD": str(login["password"])},
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=True,
        )
        return done.stdout
