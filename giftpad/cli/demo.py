"""Play a town's day against a running Giftpad, as its partners would: HTTP and this command line.

Nothing of the product is imported but its settings; codes are read by an independent decoder
from the rendered pages, and what is shown is what the answers said.
"""

from __future__ import annotations

import io
import json
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import click
import pypdfium2  # type: ignore[import-untyped]  # it ships no types
import zxingcpp
from rich.console import Console

from giftpad.cli.demo_gifts import play
from giftpad.cli.demo_steps import DemoFailed, check, run_command
from giftpad.kernel.config import read_settings

TENANT = "midori-city"
QUANTITY, FACE_VALUE, TEMPLATE = 200, 1000, "coupon_a4_8up"
PAID, REFUNDED = 350, 100
WAIT_S, LOOK_S, TIMEOUT_S = 180.0, 0.4, 30
QR_ONLY = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCodeModel2)
DOTS_PER_INCH = 200
POINTS_PER_INCH = 72
ISSUER_MAY = (
    "programmes:read",
    "coupons:read",
    "coupons:issue",
    "coupons:print",
    "coupons:release",
    "shops:read",
    "payments:read",
    "reports:read",
)
TILL_MAY = ("payments:accept", "payments:refund", "payments:read")


@dataclass
class Caller:
    """A machine client over HTTP, with its token."""

    address: str
    token: str = ""
    shop_id: str | None = None
    headers: dict[str, str] = field(default_factory=lambda: {"Accept-Language": "en"})

    def call(
        self, method: str, path: str, content: Any = None, *, key: str | None = None
    ) -> tuple[int, bytes]:
        """Ask, and return status and body, whatever the status."""
        headers = dict(self.headers)
        data = None
        if content is not None:
            data, headers["Content-Type"] = json.dumps(content).encode(), "application/json"
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if key is not None:
            headers["Idempotency-Key"] = key
        asked = urllib.request.Request(  # noqa: S310 - the address is the settings'
            self.address + path, data=data, headers=headers, method=method
        )
        try:
            with urllib.request.urlopen(asked, timeout=TIMEOUT_S) as answer:  # noqa: S310 - as above
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()
        except OSError as error:
            message = f"{self.address} does not answer ({error}). Start it with: giftpad up"
            raise DemoFailed(message) from error

    def ask(
        self, method: str, path: str, content: Any = None, *, key: str | None = None, wanted: int
    ) -> Any:
        """Ask for JSON; any status but ``wanted`` ends the demonstration."""
        status, body = self.call(method, path, content, key=key)
        if status != wanted:
            message = f"{method} {path} answered {status} instead of {wanted}: {body[:500]!r}"
            raise DemoFailed(message)
        return json.loads(body)


def _sign_in(address: str, name: str, may: tuple[str, ...], shop_id: str | None = None) -> Caller:
    """Make a machine client by the command line and fetch its token."""
    words = ["client", "create", "--tenant", TENANT, "--name", name, "--json"]
    for permission in may:
        words += ["--permission", permission]
    if shop_id is not None:
        words += ["--shop", shop_id]
    client = json.loads(run_command(*words))
    form = urlencode({"grant_type": "client_credentials"} | client).encode()
    asked = urllib.request.Request(address + "/oauth/token", data=form)  # noqa: S310 - ours
    try:
        with urllib.request.urlopen(asked, timeout=TIMEOUT_S) as answer:  # noqa: S310 - ours
            token = json.loads(answer.read())["access_token"]
    except OSError as error:
        message = f"{address} gives no token ({error})"
        raise DemoFailed(message) from error
    return Caller(address, token, shop_id)


def read_codes(pdf: bytes) -> list[str]:
    """Return the text of every QR of a PDF, read from its rendered pages."""
    texts: list[str] = []
    document = pypdfium2.PdfDocument(io.BytesIO(pdf))
    try:
        for number in range(len(document)):
            page = document[number]
            picture = page.render(scale=DOTS_PER_INCH / POINTS_PER_INCH).to_pil()
            found = zxingcpp.read_barcodes(picture, formats=QR_ONLY)
            texts += [code.text for code in found]
            page.close()
    finally:
        document.close()
    return texts


@click.group(invoke_without_command=True)
@click.option("--address", help="Where Giftpad answers; default: this machine, GIFTPAD_PORT.")
@click.pass_context
def demo(context: click.Context, address: str | None) -> None:
    """Order 200 coupons, print them, read them, pay, void, refund; then check the books.

    With `gifts`: send gifts, from a spreadsheet to a thank-you.
    """
    if context.invoked_subcommand is None:
        _play(address)


@demo.command()
@click.option("--address", help="Where Giftpad answers; default: this machine, GIFTPAD_PORT.")
def gifts(address: str | None) -> None:
    """Upload, mend, approve, deliver, open, claim, ship, thank, by the pages people use."""
    play(address)


def _play(address: str | None) -> None:
    address = (address or f"http://127.0.0.1:{read_settings().port}").rstrip("/")
    console = Console(highlight=False)
    began = time.monotonic()

    def say(text: str) -> None:
        console.print(f"[dim]{time.monotonic() - began:6.1f} s[/dim]  {text}")

    Caller(address).ask("GET", "/healthz", wanted=200)
    issuer = _sign_in(address, "demo issuer", ISSUER_MAY)
    say(f"a machine client of {TENANT} has its token")
    programme = issuer.ask("GET", "/api/v1/programmes", wanted=200)["items"][0]
    shops = issuer.ask("GET", "/api/v1/shops?limit=100", wanted=200)["items"]
    inside, outside = _pick_shops(programme, shops)
    serial_codes = _print_batch(issuer, programme["id"], say)
    till = _sign_in(address, "demo till", TILL_MAY, inside["id"])
    far_till = _sign_in(address, "demo till outside", TILL_MAY, outside["id"])
    _pay(till, far_till, serial_codes[0], say)
    say(run_command("ledger", "verify", "--tenant", TENANT).strip())
    console.print("[bold]The town's day went as promised.[/bold]")


def _pick_shops(
    programme: dict[str, Any], shops: list[dict[str, Any]]
) -> tuple[dict[str, Any], dict[str, Any]]:
    areas = programme["areas"]
    inside = [shop for shop in shops if not areas or shop["area"] in areas]
    outside = [shop for shop in shops if areas and shop["area"] not in areas]
    check(bool(inside and outside), "the programme needs a shop inside its area and one outside")
    return inside[0], outside[0]


def _print_batch(issuer: Caller, programme_id: str, say: Callable[[str], None]) -> list[str]:
    order = {
        "programme_id": programme_id,
        "quantity": QUANTITY,
        "face_value_minor": FACE_VALUE,
        "template": TEMPLATE,
    }
    key = uuid.uuid4().hex
    batch = issuer.ask("POST", "/api/v1/coupon-batches", order, key=key, wanted=202)
    again = issuer.ask("POST", "/api/v1/coupon-batches", order, key=key, wanted=202)
    check(again["id"] == batch["id"], "a repeated order must be the same batch")
    path = f"/api/v1/coupon-batches/{batch['id']}"
    say(f"{QUANTITY} coupons of ¥{FACE_VALUE:,} ordered, and the repeat was the same order")
    deadline = time.monotonic() + WAIT_S
    while (batch := issuer.ask("GET", path, wanted=200))["state"] != "ready":
        check(batch["state"] != "failed", f"the batch failed: {batch}")
        check(time.monotonic() < deadline, f"the batch is not ready in {WAIT_S:.0f} s: {batch}")
        time.sleep(LOOK_S)
    say("issued, printed, and every QR read back by Giftpad before release")
    status, pdf = issuer.call("GET", f"{path}/pdf?volume=1")
    check(status == 200, f"the PDF answered {status}")  # noqa: PLR2004 - HTTP's own number
    texts = read_codes(pdf)
    check(len(set(texts)) == QUANTITY, f"{len(set(texts))} different codes on the pages")
    say(f"the PDF ({len(pdf):,} bytes) shows {len(texts)} different, readable QR codes")
    issuer.ask("POST", f"{path}/release", {}, key=uuid.uuid4().hex, wanted=200)
    say("released")
    return texts


def _pay(till: Caller, far_till: Caller, code: str, say: Callable[[str], None]) -> None:
    instrument = {"kind": "coupon", "code": code}
    asked = {"instrument": instrument, "shop_id": till.shop_id}
    looked = till.ask("POST", "/api/v1/instruments/lookup", asked, wanted=200)
    check(looked["usable"] and looked["balance_minor"] == FACE_VALUE, f"looked up: {looked}")
    say(f"a shop looks the first one up: ¥{looked['balance_minor']:,}, usable")
    order = asked | {"amount_minor": PAID}
    key = uuid.uuid4().hex
    paid = till.ask("POST", "/api/v1/payments", order, key=key, wanted=201)
    again = till.ask("POST", "/api/v1/payments", order, key=key, wanted=201)
    check(paid == again, "a repeated payment must be the same payment")
    check(paid["balance_minor"] == FACE_VALUE - PAID, f"paid: {paid}")
    say(f"takes ¥{PAID}: ¥{paid['balance_minor']:,} left, and the repeat took nothing")
    path = f"/api/v1/payments/{paid['id']}"
    void = till.ask("POST", f"{path}/void", {}, key=uuid.uuid4().hex, wanted=201)
    check(void["balance_minor"] == FACE_VALUE, f"voided: {void}")
    say(f"voids it: ¥{void['balance_minor']:,} again")
    paid = till.ask("POST", "/api/v1/payments", order, key=uuid.uuid4().hex, wanted=201)
    path = f"/api/v1/payments/{paid['id']}/refund"
    part = {"amount_minor": REFUNDED}
    refund = till.ask("POST", path, part, key=uuid.uuid4().hex, wanted=201)
    left = FACE_VALUE - PAID + REFUNDED
    check(refund["balance_minor"] == left, f"refunded: {refund}")
    say(f"takes ¥{PAID} again and refunds ¥{REFUNDED}: ¥{refund['balance_minor']:,}")
    order = {"instrument": instrument, "shop_id": far_till.shop_id, "amount_minor": 1}
    refusal = far_till.ask("POST", "/api/v1/payments", order, key=uuid.uuid4().hex, wanted=422)
    check(refusal["code"] == "payment.not_accepted_here", f"refused with: {refusal}")
    say(f"a shop outside the area is refused: {refusal['detail']}")
