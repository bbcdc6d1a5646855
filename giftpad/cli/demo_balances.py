"""The second half of a company's morning: amounts as gifts, by mail and on a printed card.

One buys something and keeps the rest for the canteen; the card is decoded from its file.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from urllib.parse import urlsplit

import pypdfium2  # type: ignore[import-untyped]  # it ships no types
import zxingcpp

from giftpad.cli.demo_browser import OK, Browser, chosen, letters, sign_in, wait, words
from giftpad.cli.demo_desk import begin_order, hand_in, upload_people
from giftpad.cli.demo_steps import DemoFailed, check

AMOUNT_MINOR, PAID_MINOR = 5000, 800
DOTS_PER_INCH, POINTS_PER_INCH = 200, 72
QR_ONLY = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCodeModel2)
Say = Callable[[str], None]


def play_balances(
    address: str, tenant: str, *, sinks: str, run: str, home: dict[str, str], say: Say
) -> None:
    """Give two people an amount each; any surprise ends it."""
    issuer = sign_in(address, tenant, "issuer")
    to = f"purse-{run}@example.com"
    path = _order(issuer, run, to)
    say(f"an order of two amounts of ¥{AMOUNT_MINOR:,}, a mail and a card, goes out at once")
    found = wait("the mail with an amount", lambda: letters(sinks, to))
    holder = Browser(address)
    holder.get(_path(found[0]["text"]))
    price_minor = _buy(holder, home)
    left_minor = AMOUNT_MINOR - price_minor
    say(f"its recipient buys something for ¥{price_minor:,} of it")
    code = _keep(holder, left_minor)
    say(f"and keeps ¥{left_minor:,} for the shops")
    clerk = sign_in(address, tenant, "clerk")
    _pay(clerk, code)
    page = words(holder.get("/g/balance").encode())
    check(f"{left_minor - PAID_MINOR:,}" in page, f"the balance is otherwise: {page[:400]}")
    say(f"the canteen takes ¥{PAID_MINOR:,}; ¥{left_minor - PAID_MINOR:,} is left")
    qr = wait("the file of the card", lambda: _decode(issuer, path))
    say("the card's file is printed; another decoder reads its code")
    bearer = Browser(address)
    bearer.get(qr)
    check(f"{AMOUNT_MINOR:,}" in words(bearer.page.encode()), "the card does not show its amount")
    _keep(bearer, AMOUNT_MINOR)
    say(f"whoever holds the card opens it and keeps all ¥{AMOUNT_MINOR:,}")
    page = words(issuer.get(path).encode())
    check("Used in a shop 1" in page, f"the board does not say what was used: {page[:600]}")
    say("the sender sees both claimed, one of them used in a shop")


def _order(issuer: Browser, run: str, to: str) -> str:
    path = begin_order(issuer, f"永年勤続のお祝い {run}", "おつかれさまです。")
    given = {"kind": "balance", "amount": str(AMOUNT_MINOR)}
    issuer.send(f"{path}/goods", given | _first(issuer, "programme") | _first(issuer, "buys"))
    rows = f"氏名,メール,送り方\n見本 花子,{to},メール\n見本 次郎,,カード\n".encode()
    shown = upload_people(issuer, path, rows)
    check("2 ready" in shown, f"not both are ready: {shown[:400]}")
    hand_in(issuer, path)
    return path


def _first(issuer: Browser, name: str) -> dict[str, str]:
    """Return the first thing that a list of a page offers."""
    field = re.search(rf'<select[^>]*name="{name}".*?</select>', issuer.page, re.DOTALL)
    found = re.findall(r'value="([^"]+)"', field[0]) if field is not None else []
    check(bool(found), f"nothing is offered for {name}")
    return {name: found[0]}


def _path(text: str) -> str:
    link = re.search(r"https?://\S+(/g/[0-9A-Z]+)", text)
    if link is None:
        message = "the mail has no link"
        raise DemoFailed(message)
    return link[1]


def _buy(holder: Browser, home: dict[str, str]) -> int:
    """Buy the first thing that can be had for less than all of it; return what it costs."""
    page = holder.get("/g/choose")
    for product in dict.fromkeys(re.findall(r'href="(/g/products/[0-9a-f-]+)', page)):
        page = holder.get(product)
        price = re.search(r'<p class="gp-lead">¥([0-9,]+)</p>', page)
        if price is None or "Nothing is sent by post" in page or "of_age" in page:
            continue
        price_minor = int(price[1].replace(",", ""))
        if price_minor >= AMOUNT_MINOR or "variant" not in page:
            continue
        holder.send(product, chosen(page, "variant"))
        if holder.where.startswith("/g/basket"):
            break
    else:
        message = "nothing costs less than the whole amount"
        raise DemoFailed(message)
    holder.get("/g/address")
    holder.send("/g/address", home)
    page = words(holder.send("/g/review", {}).encode())
    check("We have your request" in page, f"it was not bought: {page[:400]}")
    return price_minor


def _keep(holder: Browser, left_minor: int) -> str:
    """Keep what is left and return the code that a shop types."""
    page = words(holder.get("/g/keep").encode())
    check(f"¥{left_minor:,}" in page, f"something else is left: {page[:400]}")
    page = holder.send("/g/keep", {"sure": "1"})
    code = re.search(r'<span class="gp-serial gp-nowrap"[^>]*>([0-9A-Z -]+)</span>', page)
    if code is None:
        message = f"no code for the shops: {words(page.encode())[:400]}"
        raise DemoFailed(message)
    return code[1]


def _pay(clerk: Browser, code: str) -> None:
    """Take an amount in the shop app, as its pages do."""
    clerk.get("/shop")
    clerk.send("/shop/read", {"code": code})
    pad = clerk.where.partition("?")[0]
    clerk.get(f"{pad}?amount={PAID_MINOR}")
    page = words(clerk.send(pad, {}).encode())
    check("/shop/paid/" in clerk.where, f"the shop did not get its money: {page[:400]}")


def _decode(issuer: Browser, order: str) -> str:
    """Return the path that the code on an order's card leads to; empty until it is printed."""
    status, _, pdf = issuer.ask(f"{order}/cards/1.pdf")
    if status != OK or not pdf.startswith(b"%PDF"):
        return ""
    picture = pypdfium2.PdfDocument(io.BytesIO(pdf))[0].render(
        scale=DOTS_PER_INCH / POINTS_PER_INCH
    )
    found = zxingcpp.read_barcodes(picture.to_pil(), formats=QR_ONLY)
    check(len(found) == 1, f"{len(found)} codes on the card's page")
    return urlsplit(found[0].text).path
