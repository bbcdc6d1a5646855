"""Play a company's morning against a running Giftpad: a spreadsheet in, thank-yous back.

Everything goes by HTTP, through the pages that people use; letters are read where they arrive on
this machine.  Nothing of the product is imported but its settings and what `giftpad demo` uses.
"""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable

from rich.console import Console

from giftpad import local
from giftpad.cli.demo_balances import play_balances
from giftpad.cli.demo_browser import Browser, chosen, letters, sign_in, wait, words
from giftpad.cli.demo_desk import begin_order, hand_in, upload_people
from giftpad.cli.demo_steps import DemoFailed, check, run_command
from giftpad.kernel.config import read_settings

TENANT = "hanamaru"
COURSE = "5,000"
PEOPLE, FAULTY = 40, 3
MESSAGE = "今年もたいへんお世話になりました。\n心ばかりの品をお贈りします。"
HOME = {
    "name": "見本 花子",
    "kana": "ミホン ハナコ",
    "postcode": "100-0001",
    "prefecture": "東京都",
    "city": "千代田区",
    "street": "千代田1-1",
    "phone": "090-0000-0000",
    "time_slot": "any",
}


def _spreadsheet(run: str) -> bytes:
    """Return a file as spreadsheets of offices write it: Shift_JIS, a few rows of it wrong."""
    rows = ["氏名,メール,携帯電話,送り方"]
    for number in range(PEOPLE):
        way = ("メール", "SMS", "リンク")[number % 3]
        rows.append(f"見本 {number:02d},p{number}-{run}@example.com,0900000{number:04d},{way}")
    rows += ["見本 甲,ko@exmaple,,メール", ",otsu@example.com,,メール", "見本 丙,,03-1234-5678,SMS"]
    return "\r\n".join([*rows, ""]).encode("cp932")


def _order(issuer: Browser, run: str, say: Callable[[str], None]) -> str:
    path = begin_order(issuer, f"年末のごあいさつ {run}", MESSAGE)
    choice = rf'name="course"[^>]*value="([^"]+)"(?:(?!</label>).)*?{COURSE}'
    found = re.search(choice, issuer.page, re.DOTALL)
    if found is None:
        message = f"no course of {COURSE} to choose"
        raise DemoFailed(message)
    issuer.send(f"{path}/goods", {"course": found[1]})
    say("a design, a letter and a course are chosen")
    shown = upload_people(issuer, path, _spreadsheet(run))
    check(
        f"{PEOPLE} ready" in shown and f"{FAULTY} need you" in shown,
        f"the file is read otherwise: {shown[:600]}",
    )
    say(f"{PEOPLE + FAULTY} rows read: {PEOPLE} ready, {FAULTY} named with row and remedy")
    mended = dict.fromkeys(re.findall(r'name="(mend-\d+-\w+)"', issuer.page), "")
    right = {"mail": f"ko-{run}@example.com", "name": "見本 乙", "phone": "09000009999"}
    for name in mended:
        mended[name] = right[name.rpartition("-")[2]]
    page = issuer.send(f"{path}/recipients/mend", mended)
    check(f"{PEOPLE + FAULTY} ready" in words(page.encode()), "not all rows are mended")
    say("all of them mended on the page")
    hand_in(issuer, path)
    say("submitted; what it costs is held")
    return path


def _receive(address: str, link: str, say: Callable[[str], None]) -> Browser:
    holder = Browser(address)
    page = holder.get(link)
    check("年末のごあいさつ" in page or "株式会社はなまる" in page, "the link shows no letter")
    say("a recipient opens the link: the letter")
    page = holder.get("/g/choose")
    products = list(dict.fromkeys(re.findall(r'href="(/g/products/[0-9a-f-]+)', page)))
    check(len(products) > 1, "there is nothing to choose from")
    for product in products:
        page = holder.get(product)
        if "Nothing is sent by post" in page or 'name="of_age"' in page:
            continue
        variant = chosen(page, "variant")
        holder.send(product, variant)
        if holder.where.startswith("/g/address"):
            break
    holder.send("/g/address", HOME)
    say("chooses, types an address")
    page = holder.send("/g/review", {})
    number = re.search(r'<span class="gp-number">(G-[0-9A-Z]+)</span>', page)
    if number is None:
        message = f"no number after claiming: {words(page.encode())[:400]}"
        raise DemoFailed(message)
    say(f"confirms: {number[1]}")
    holder.number = number[1]
    return holder


def _ship(support: Browser, number: str, say: Callable[[str], None]) -> None:
    page = support.get("/desk/gifts/shipping")
    to_list = r'/desk/gifts/shipping/list\?supplier=([^"&]+)'
    suppliers = list(dict.fromkeys(re.findall(to_list, page)))
    for supplier in suppliers:
        place = f"?supplier={supplier}"
        page = support.get(f"/desk/gifts/shipping/list{place}")
        if number not in page:
            continue
        support.send("/desk/gifts/shipping/listed", {})
        support.get(f"/desk/gifts/shipping/tracking{place}")
        lines = f"お届け番号,伝票番号,運送会社\n{number},1111-2222-3333,架空便\n".encode()
        page = support.send("/desk/gifts/shipping/tracking", {}, file=lines)
        check("1 claim is on its way" in words(page.encode()), "the carrier's file was not taken")
        say("the supplier's list is taken out, the carrier's number comes back")
        return
    message = f"{number} is on no list of a supplier"
    raise DemoFailed(message)


def play(address: str | None) -> None:
    """Upload, mend, approve, deliver, open, claim, ship, thank; then amounts to keep and pay."""
    settings = read_settings()
    address = (address or f"http://127.0.0.1:{settings.port}").rstrip("/")
    console, began, run = Console(highlight=False), time.monotonic(), uuid.uuid4().hex[:6]

    def say(text: str) -> None:
        console.print(f"[dim]{time.monotonic() - began:6.1f} s[/dim]  {text}")

    path = _order(sign_in(address, TENANT, "issuer"), run, say)
    approver = sign_in(address, TENANT, "approver")
    approver.get(path)
    approver.send(f"{path}/approve", {})
    say("a colleague approves")
    sinks = local.status(settings).messages
    (letter,) = wait("the first mail", lambda: letters(sinks, f"p0-{run}@example.com"))
    sms = wait("an SMS", lambda: letters(sinks, "+819000000001"))
    check(bool(letter["html"]) and "/g/" in letter["text"], "the mail has no link")
    check("/g/" in sms[0]["text"], "the SMS has no link")
    say("mails and SMS have arrived at the sinks")
    link = re.search(r"https?://\S+(/g/[0-9A-Z]+)", letter["text"])
    if link is None:
        message = "the mail has no link"
        raise DemoFailed(message)
    holder = _receive(address, link[1], say)
    _ship(sign_in(address, TENANT, "support"), holder.number, say)
    page = holder.get("/g")
    check("1111-2222-3333" in page, "the recipient does not see the carrier's number")
    holder.send("/g/thanks", {"stamp": "delighted", "words": "ありがとうございました。"})
    say("the recipient follows the parcel and says thank you")
    check("ありがとうございました。" in approver.get(path), "the sender does not see the thanks")
    say("the sender reads it")
    play_balances(address, TENANT, sinks=sinks, run=run, home=HOME, say=say)
    say(run_command("ledger", "verify", "--tenant", TENANT).strip())
    console.print("[bold]The company's morning went as promised.[/bold]")
