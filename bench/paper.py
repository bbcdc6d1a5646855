"""B3 and B4, and the batch of a million: coupons drawn, read back, issued and printed.

B3 draws A4 pages of eight coupons beside reportlab's own QR widget and reads every code back.
B4 issues a batch through the product's own path, and copies the rows that came out into tables
without keys in the same server.  Both read what the product answers, and past it what it wrote.
"""

from __future__ import annotations

import contextlib
import csv
import json
import multiprocessing
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pypdfium2 as pdfium  # type: ignore[import-untyped]  # it ships no types
import zxingcpp

from bench.ending import end_silently
from bench.machine import MB, Meter
from bench.product import ROOT, Product
from bench.rows import Row
from bench.run import Run

TEMPLATE = "coupon_a4_8up"
DRAWN, DRAWN_SHORT = 8_000, 800
PEER_DRAWN, PEER_DRAWN_SHORT = 400, 80
ROUNDS, ROUNDS_SHORT = 3, 1
READ_DPI = 110
POINTS_AN_INCH = 72
PEER_S = 300
B3_GATE, B3_STRETCH = 40, 140

ISSUED, ISSUED_SHORT = 1_000_000, 100_000
FACE_VALUE = 1_000
ROWS_OF_A_BATCH = {
    "ledger_accounts": """id IN (SELECT i.account_id FROM payment_instruments i
        JOIN coupon_batches b ON b.terms_id = i.terms_id WHERE b.id = '{id}')""",
    "ledger_transfers": "entry_id IN (SELECT id FROM coupon_chunks WHERE batch_id = '{id}')",
    "payment_instruments": "terms_id = (SELECT terms_id FROM coupon_batches WHERE id = '{id}')",
}
COUNTED = {
    "payment_instruments": "count(*), count(DISTINCT code_hash), count(DISTINCT account_id),"
    " min(length(code_hash))",
    "ledger_accounts": "count(*), sum(balance_minor)",
    "ledger_transfers": "count(*), sum(amount_minor)",
}
B4_GATE, B4_STRETCH = 0.12, 0.20
ISSUE_S = 900
PRINT_S = 4 * 3600
POLL_S = 0.02
LOOK_S = 1.0
BLOCK = 1 << 20
CODE_HASH_BYTES = 16
FLAT = 1.25


def b3(run: Run) -> Row:
    """Draw pages of coupons and read every code back, beside reportlab's widget."""
    quantity, peer_quantity, rounds = (
        (DRAWN_SHORT, PEER_DRAWN_SHORT, ROUNDS_SHORT)
        if run.is_short
        else (DRAWN, PEER_DRAWN, ROUNDS)
    )
    ours, peers, read = [], [], 0
    with tempfile.TemporaryDirectory(prefix="giftpad-bench-paper-") as scratch:
        pdf, listed = Path(scratch, "sample.pdf"), Path(scratch, "sample.csv")
        peer_pdf = Path(scratch, "peer.pdf")
        for _ in range(rounds):
            ours.append(_draw(run.product, quantity, pdf, listed))
            peers.append(_peer(listed, peer_quantity, peer_pdf))
            read += _require_all_read(pdf, listed, quantity)
        _require_all_read(peer_pdf, listed, peer_quantity)
        other = _peer(listed, peer_quantity, peer_pdf, widget="QrCode")
        size = pdf.stat().st_size / quantity
    value = statistics.median(figures["quantity"] / figures["seconds"] for figures in ours)
    reference = statistics.median(figures["quantity"] / figures["seconds"] for figures in peers)
    cpu_us = statistics.median(figures["cpu_s"] / figures["quantity"] for figures in ours) * 1e6
    ratio, other_rate = value / reference, other["quantity"] / other["seconds"]
    return Row(
        name="B3",
        work=f"A4 coupons, eight to a page, {quantity:,} drawn",
        value=value,
        unit="/s",
        reference=reference,
        reference_what="reportlab QrCodeWidget",
        ratio=ratio,
        p50_ms=None,
        p99_ms=None,
        cpu_us=cpu_us,
        memory_mb=max(figures["memory_mb"] for figures in ours),
        gate=f"≥ {B3_GATE} x, every code read",
        gate_met=ratio >= B3_GATE,
        stretch=f"≥ {B3_STRETCH} x",
        stretch_met=ratio >= B3_STRETCH,
        notes=(
            f"{read:,} of {read:,} codes were read from the drawn pages ({READ_DPI} dpi, zxing)",
            f"{size:.0f} bytes a coupon; one process on both sides",
            (
                f"beside reportlab's QrCode, which joins modules ({other_rate:,.0f}/s): "
                f"{value / other_rate:.0f} x"
            ),
        ),
    )


def _draw(product: Product, quantity: int, pdf: Path, listed: Path) -> dict[str, float]:
    words = ["batch", "sample", "--template", TEMPLATE, "--quantity", str(quantity), "--json"]
    told = product.run(*words, "--out", str(pdf), "--list", str(listed))
    figures: dict[str, float] = json.loads(told)
    return figures


def _peer(listed: Path, count: int, out: Path, *, widget: str = "QrCodeWidget") -> dict[str, float]:
    words = ["--list", str(listed), "--count", str(count), "--template", TEMPLATE]
    done = subprocess.run(  # noqa: S603 - our own command line
        [sys.executable, "-m", "bench.paper_peer", *words, "--widget", widget, "--out", str(out)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PEER_S,
        check=True,
    )
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def _require_all_read(pdf: Path, listed: Path, quantity: int) -> int:
    """Read every page as it is drawn; each listed code must be there once, and no other.

    Raises: RuntimeError.
    """
    with listed.open(encoding="utf-8", newline="") as file:
        wanted = [line["qr"] for line in csv.DictReader(file)][:quantity]
    document = pdfium.PdfDocument(pdf)
    pages = len(document)
    document.close()
    shares = os.cpu_count() or 1
    tasks = [(pdf, first, pages, shares) for first in range(shares)]
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(shares, mp_context=spawn, initializer=end_silently) as pool:
        found = [text for share in pool.map(_read_pages, tasks) for text in share]
    if sorted(found) != sorted(wanted):
        message = f"{pdf.name}: {len(set(found) & set(wanted))} of {len(wanted)} codes were read"
        raise RuntimeError(message)
    return len(found)


def _read_pages(task: tuple[Path, int, int, int]) -> list[str]:
    pdf, first, count, step = task
    document = pdfium.PdfDocument(pdf)
    only = zxingcpp.BarcodeFormats([zxingcpp.BarcodeFormat.QRCodeModel2])
    texts: list[str] = []
    for index in range(first, count, step):
        page = document[index]
        picture = page.render(scale=READ_DPI / POINTS_AN_INCH, grayscale=True).to_pil()
        texts += [code.text for code in zxingcpp.read_barcodes(picture, formats=only)]
        page.close()
    document.close()
    return texts


@dataclass
class Batch:
    """A batch that was ordered over HTTP, watched in the rows it leaves."""

    product: Product
    id: str
    ordered_at: float
    """When the order was sent, by ``time.perf_counter``."""

    def count_open(self, database: psycopg.Connection[Any], table: str, done: str) -> int:
        """Return how many of its parts are not done yet, as others see it."""
        row = database.execute(
            f"SELECT count(*) FROM {table} WHERE batch_id = %s AND state <> %s",  # noqa: S608 - ours
            (self.id, done),
        ).fetchone()
        assert row is not None
        return int(row[0])

    def state(self, database: psycopg.Connection[Any]) -> str:
        """Return the state that the product says it is in."""
        row = database.execute("SELECT state FROM coupon_batches WHERE id = %s", (self.id,))
        found = row.fetchone()
        assert found is not None
        return str(found[0])

    def wait_issued(self, meter: Meter) -> float:
        """Wait until the last chunk has committed; return the seconds since the order was sent.

        Raises: TimeoutError.
        """
        looked = time.perf_counter()
        with self.product.connect() as database:
            while self.count_open(database, "coupon_chunks", "done"):
                now = time.perf_counter()
                if now - self.ordered_at > ISSUE_S:
                    message = f"not issued after {ISSUE_S} s"
                    raise TimeoutError(message)
                if now - looked > LOOK_S:
                    meter.read()
                    looked = now
                time.sleep(POLL_S)
        seconds = time.perf_counter() - self.ordered_at
        meter.read()
        return seconds


def order(product: Product, quantity: int) -> Batch:
    """Order a batch over HTTP."""
    token = product.token("coupons:issue", "coupons:read", "programmes:read")
    found = product.call("GET", "/api/v1/programmes", token=token, wanted=200)["items"]
    programme = max(found, key=lambda one: int(one["quantity_max"]))
    body = {
        "programme_id": programme["id"],
        "quantity": quantity,
        "face_value_minor": FACE_VALUE,
        "template": TEMPLATE,
    }
    began = time.perf_counter()
    answer = product.call("POST", "/api/v1/coupon-batches", body, token=token, wanted=202)
    return Batch(product=product, id=answer["id"], ordered_at=began)


@contextlib.contextmanager
def _printing_held(product: Product) -> Iterator[None]:
    """Hold the workers that print, while something else is measured; nothing is lost by it."""
    parts = [part for part in product.status()["parts"] if part["name"].startswith("jobs-")]
    for part in parts:
        os.kill(part["pid"], signal.SIGSTOP)
    try:
        yield
    finally:
        for part in parts:
            with contextlib.suppress(ProcessLookupError):
                os.kill(part["pid"], signal.SIGCONT)


def b4(run: Run) -> Row:
    """Issue a batch, and copy the same rows into the same tables without keys."""
    quantity = ISSUED_SHORT if run.is_short else ISSUED
    with run.product.connect() as database:
        database.execute("CHECKPOINT")  # as before the copies: what was written earlier is paid for
    meter = Meter(run.product.supervisor_pid(), run.product.parts())
    batch = order(run.product, quantity)
    seconds = batch.wait_issued(meter)
    with _printing_held(run.product):
        _require_issued(batch, quantity)
        rounds = ROUNDS_SHORT if run.is_short else ROUNDS
        chosen = {table: where.format(id=batch.id) for table, where in ROWS_OF_A_BATCH.items()}
        copies = [copy_rows(run.product, chosen) for _ in range(rounds)]
    value, reference = quantity / seconds, quantity / statistics.median(copies)
    ratio = value / reference
    return Row(
        name="B4",
        work=f"issue {quantity:,} coupons",
        value=value,
        unit="/s",
        reference=reference,
        reference_what="COPY of the three tables without keys",
        ratio=ratio,
        p50_ms=None,
        p99_ms=None,
        cpu_us=meter.cpu_us(quantity),
        memory_mb=meter.memory_mb,
        gate=f"≥ {B4_GATE} x",
        gate_met=ratio >= B4_GATE,
        stretch=f"≥ {B4_STRETCH:.2f} x",
        stretch_met=ratio >= B4_STRETCH,
        notes=(
            (
                f"{seconds:.1f} s from the order over HTTP until the last chunk had committed; "
                f"COPY {statistics.median(copies):.2f} s of {len(copies)}"
            ),
            f"CPU of a coupon: {meter.said(quantity)}",
            "two workers issued, a chunk each at a time; COPY is one stream",
            "a batch prints only when it is issued, so no printing ran beside it",
            (
                f"{quantity:,} accounts, issue transfers and instruments were counted; "
                "`giftpad ledger verify` found nothing"
            ),
        ),
    )


def _require_issued(batch: Batch, quantity: int) -> None:
    """Count what the batch left in the books, past the product; then let it prove its books.

    Raises: RuntimeError.
    """
    worth = quantity * FACE_VALUE
    wanted = {
        "payment_instruments": (quantity, quantity, quantity, CODE_HASH_BYTES),
        "ledger_accounts": (quantity, worth),
        "ledger_transfers": (quantity, worth),
    }
    with batch.product.connect() as database:
        # Tables just filled have no statistics, and a million look-ups one by one take minutes.
        database.execute("SET enable_nestloop = off")
        for table, counted in COUNTED.items():
            chosen = ROWS_OF_A_BATCH[table].format(id=batch.id)
            question = f"SELECT {counted} FROM {table} WHERE {chosen}"  # noqa: S608 - ours
            row = database.execute(question).fetchone()
            if row != wanted[table]:
                message = f"the batch left {row} in {table} and not {wanted[table]}"
                raise RuntimeError(message)
    batch.product.run("ledger", "verify")


def copy_rows(product: Product, chosen: Mapping[str, str]) -> float:
    """Fill logged tables without keys with rows of our own tables by COPY; return the seconds.

    ``chosen`` says by SQL which rows of each table.  They are in memory before the clock starts,
    in the binary form, in blocks of 1 MiB; one transaction a table.
    """
    seconds = 0.0
    with product.connect() as database:
        database.execute("SET enable_nestloop = off")
        database.execute("CHECKPOINT")
        for table, where in chosen.items():
            rows = _copied_out(database, table, where)
            database.execute(f"CREATE TABLE bench_copy (LIKE {table})")
            began = time.perf_counter()
            with database.cursor().copy("COPY bench_copy FROM STDIN (FORMAT BINARY)") as copy:
                for block in rows:
                    copy.write(block)
            seconds += time.perf_counter() - began
            database.execute("DROP TABLE bench_copy")
    return seconds


def _copied_out(database: psycopg.Connection[Any], table: str, where: str) -> list[bytes]:
    question = f"COPY (SELECT * FROM {table} WHERE {where}) TO STDOUT (FORMAT BINARY)"  # noqa: S608 - ours
    with database.cursor().copy(question) as copy:
        data = b"".join(bytes(part) for part in copy)
    return [data[at : at + BLOCK] for at in range(0, len(data), BLOCK)]


@dataclass
class Watch:
    """What a batch takes while it is printed: the memory of its workers, over the time."""

    product: Product
    pids: list[int] = field(default_factory=list)
    seen: list[tuple[float, float]] = field(default_factory=list)
    """When, in seconds since the order, and how many MB the largest worker held then."""

    def look(self, seconds: float) -> None:
        """Take the memory of the largest worker."""
        held = [mb for pid in self.pids if (mb := _resident_mb(pid))]
        if len(held) < len(self.pids) or not held:
            parts = self.product.status()["parts"]
            self.pids = [part["pid"] for part in parts if part["name"].startswith("jobs-")]
            held = [mb for pid in self.pids if (mb := _resident_mb(pid))]
        if held:
            self.seen.append((seconds, max(held)))

    def median_between(self, first: float, last: float) -> float:
        """Return the median memory between two instants, in seconds since the order."""
        return statistics.median(mb for at, mb in self.seen if first <= at <= last)


def _resident_mb(pid: int) -> float:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024 / MB
    return 0.0


@dataclass(frozen=True, slots=True)
class Disk:
    """What lies on the disk, in MB: the database with its log, and the print files."""

    database: float
    files: float

    @classmethod
    def of(cls, product: Product) -> Disk:
        """Add up what lies there now."""
        with product.connect() as database:
            row = database.execute(
                "SELECT pg_database_size(current_database())"
                " + (SELECT sum(size) FROM pg_ls_waldir())"
            ).fetchone()
        assert row is not None
        files = sum(
            path.stat().st_size for path in (product.home / "files").rglob("*") if path.is_file()
        )
        return cls(float(row[0]) / MB, files / MB)


def million(run: Run) -> Row:
    """Issue and print a batch of 1,000,000: time, the memory of the worker over it, the disk."""
    return print_batch(run.product, ISSUED_SHORT if run.is_short else ISSUED)


def print_batch(product: Product, quantity: int) -> Row:
    """Order a batch and wait until it is ready, every code read back by the product.

    Raises: TimeoutError, RuntimeError when the batch fails.
    """
    before, meter, watch = Disk.of(product), Meter(product.supervisor_pid()), Watch(product)
    batch = order(product, quantity)
    issued_s = batch.wait_issued(meter)
    with product.connect() as database:
        while batch.count_open(database, "coupon_volumes", "ready"):
            seconds = time.perf_counter() - batch.ordered_at
            if seconds > PRINT_S:
                message = f"not printed after {PRINT_S} s"
                raise TimeoutError(message)
            if batch.state(database) == "failed":
                message = f"batch {batch.id} failed"
                raise RuntimeError(message)
            watch.look(seconds)
            time.sleep(LOOK_S)
    seconds = time.perf_counter() - batch.ordered_at
    meter.read()
    return _printed_row(
        quantity, issued_s, seconds, meter=meter, watch=watch, disk=(before, Disk.of(product))
    )


def _printed_row(
    quantity: int,
    issued_s: float,
    seconds: float,
    *,
    meter: Meter,
    watch: Watch,
    disk: tuple[Disk, Disk],
) -> Row:
    printing_s = seconds - issued_s
    early = watch.median_between(issued_s + 0.1 * printing_s, issued_s + 0.3 * printing_s)
    late = watch.median_between(issued_s + 0.8 * printing_s, seconds)
    grown = late / early
    return Row(
        name="million",
        work=f"issue and print {quantity:,} coupons",
        value=quantity / seconds,
        unit="/s",
        reference=quantity / issued_s,
        reference_what="issuing alone",
        ratio=issued_s / seconds,
        p50_ms=None,
        p99_ms=None,
        cpu_us=meter.cpu_us(quantity),
        memory_mb=meter.memory_mb,
        gate=f"the largest worker late ≤ {FLAT} x early",
        gate_met=grown <= FLAT,
        stretch="none",
        stretch_met=True,
        notes=(
            (
                f"issued after {issued_s:.1f} s, printed and every code read back after "
                f"{seconds:,.0f} s"
            ),
            (
                f"the largest worker held {early:.0f} MB early, {late:.0f} MB late, "
                f"{max(mb for _, mb in watch.seen):.0f} MB at most"
            ),
            (
                f"the database with its log grew by {disk[1].database - disk[0].database:,.0f} MB, "
                f"print files take {disk[1].files - disk[0].files:,.0f} MB"
            ),
        ),
    )
