"""Play a company's morning against a running Giftpad: a spreadsheet in, thank-yous back.

Everything goes by HTTP, through the pages that people use; letters are read where they arrive on
this machine.  Nothing of the product is imported but its settings and what `giftpad demo` uses.
"""

from __future__ import annotations

import http.cookiejar
import json
import re
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from html import unescape
from typing import Any
from urllib.parse import quote, urlencode, urljoin

from rich.console import Console

from giftpad import local
from giftpad.cli.demo_steps import DemoFailed, check, run_command
from giftpad.kernel.config import read_settings

TENANT = "hanamaru"
COURSE = "5,000"
PEOPLE, FAULTY = 40, 3
WAIT_S, LOOK_S, TIMEOUT_S = 180.0, 0.5, 30
SEE_OTHER, OK = 303, 200
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


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None


class Browser:
    """Somebody with a browser, who sends the forms of the pages they see."""

    def __init__(self, address: str) -> None:
        self.address = address
        kept = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self._opener = urllib.request.build_opener(kept, _Stay)
        self.page, self.where = "", "/"
        self.number = ""
        """Of what was claimed."""

    def ask(
        self, path: str, data: bytes | None = None, *, kind: str = ""
    ) -> tuple[int, str, bytes]:
        """Ask, and return the status, where it leads, and the body."""
        headers = {"Accept": "text/html", "Accept-Language": "en", "Origin": self.address}
        if kind:
            headers["Content-Type"] = kind
        whole = urljoin(self.address, path)
        asked = urllib.request.Request(whole, data, headers)  # noqa: S310 - the settings' own
        try:
            with self._opener.open(asked, timeout=TIMEOUT_S) as answer:
                found: tuple[int, str, bytes] = (answer.status, "", answer.read())
        except urllib.error.HTTPError as answer:
            found = (answer.code, answer.headers.get("Location", ""), answer.read())
        except OSError as error:
            message = f"{self.address} does not answer ({error}). Start it with: giftpad up"
            raise DemoFailed(message) from error
        return found

    def get(self, path: str) -> str:
        """Go to a page and on to where it leads."""
        for _ in range(8):
            status, location, body = self.ask(path)
            if status not in (302, SEE_OTHER):
                break
            path = location
        check(status == OK, f"GET {path} answered {status}")
        self.page, self.where = body.decode(), path
        return self.page

    def send(self, action: str, fields: dict[str, str], *, file: bytes | None = None) -> str:
        """Send the form of the page seen last that leads to ``action``, and follow the answer."""
        held = [(name, value) for name, value in self._held(action) if name not in fields]
        values = [*held, *fields.items()]
        if file is None:
            status, location, body = self.ask(action, urlencode(values).encode())
        else:
            data, kind = _with_file(values, file)
            status, location, body = self.ask(action, data, kind=kind)
        if status == OK:  # the answer is the page
            self.page, self.where = body.decode(), action
            return self.page
        check(status == SEE_OTHER, f"POST {action} answered {status}: {_words(body)[:400]}")
        return self.get(location)

    def _held(self, action: str) -> list[tuple[str, str]]:
        """Return what a form holds before anybody types: hidden, selected and checked values."""
        path = action.partition("?")[0]
        for form in re.findall(r"<form\b.*?</form>", self.page, flags=re.DOTALL):
            said = re.search(r'<form[^>]*\baction="([^"]*)"', form)
            if unescape(said[1] if said else self.where).partition("?")[0] == path:
                return list(_fields(form))
        message = f"no form of {self.where} leads to {action}"
        raise DemoFailed(message)


def _fields(form: str) -> Iterator[tuple[str, str]]:
    for tag in re.findall(r"<input\b[^>]*>|<select\b.*?</select>", form, flags=re.DOTALL):
        name = re.search(r'\bname="([^"]*)"', tag)
        if tag.startswith("<select"):
            value = re.search(r'value="([^"]*)"\s+selected', tag)
        elif 'type="hidden"' in tag or " checked" in tag:
            value = re.search(r'\bvalue="([^"]*)"', tag)
        else:
            continue
        if name is not None:
            yield unescape(name[1]), unescape(value[1]) if value is not None else ""


def _with_file(values: list[tuple[str, str]], file: bytes) -> tuple[bytes, str]:
    mark = uuid.uuid4().hex
    parts = [
        f'--{mark}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in values
    ]
    head = f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="people.csv"'
    parts.append(f"{head}\r\nContent-Type: text/csv\r\n\r\n".encode() + file + b"\r\n")
    return b"".join([*parts, f"--{mark}--\r\n".encode()]), f"multipart/form-data; boundary={mark}"


def _words(body: bytes) -> str:
    text = re.sub(r"<(script|style|template|svg)\b.*?</\1>", " ", body.decode(), flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", text).split())


def _sign_in(address: str, role: str) -> Browser:
    browser = Browser(address)
    browser.get("/sign-in")
    browser.send("/sign-in/demonstration", {"email": f"{role}@{TENANT}.example"})
    return browser


def _spreadsheet(run: str) -> bytes:
    """Return a file as spreadsheets of offices write it: Shift_JIS, a few rows of it wrong."""
    rows = ["氏名,メール,携帯電話,送り方"]
    for number in range(PEOPLE):
        way = ("メール", "SMS", "リンク")[number % 3]
        rows.append(f"見本 {number:02d},p{number}-{run}@example.com,0900000{number:04d},{way}")
    rows += ["見本 甲,ko@exmaple,,メール", ",otsu@example.com,,メール", "見本 丙,,03-1234-5678,SMS"]
    return "\r\n".join([*rows, ""]).encode("cp932")


def _order(issuer: Browser, run: str, say: Callable[[str], None]) -> str:
    issuer.get("/desk/gifts")
    issuer.send("/desk/gifts", {})
    path = issuer.where.rpartition("/")[0]
    letter = {
        "title": f"年末のごあいさつ {run}",
        "design": "musubi",
        "sender_name": "株式会社はなまる",
        "message": MESSAGE,
        "locale": "ja",
    }
    issuer.send(f"{path}/design", letter)
    choice = rf'name="course"[^>]*value="([^"]+)"(?:(?!</label>).)*?{COURSE}'
    found = re.search(choice, issuer.page, re.DOTALL)
    if found is None:
        message = f"no course of {COURSE} to choose"
        raise DemoFailed(message)
    issuer.send(f"{path}/goods", {"course": found[1]})
    say("a design, a letter and a course are chosen")
    fields = {"channel": "mail", "replaces": "no", "by": "file"}
    page = issuer.send(f"{path}/recipients", fields, file=_spreadsheet(run))
    while issuer.where.partition("?")[0].endswith("/columns"):
        page = issuer.send(f"{path}/recipients/columns", {})
    check(
        f"{PEOPLE} ready" in _words(page.encode())
        and f"{FAULTY} need you" in _words(page.encode()),
        f"the file is read otherwise: {_words(page.encode())[:600]}",
    )
    say(f"{PEOPLE + FAULTY} rows read: {PEOPLE} ready, {FAULTY} named with row and remedy")
    mended = dict.fromkeys(re.findall(r'name="(mend-\d+-\w+)"', page), "")
    right = {"mail": f"ko-{run}@example.com", "name": "見本 乙", "phone": "09000009999"}
    for name in mended:
        mended[name] = right[name.rpartition("-")[2]]
    page = issuer.send(f"{path}/recipients/mend", mended)
    check(f"{PEOPLE + FAULTY} ready" in _words(page.encode()), "not all rows are mended")
    say("all of them mended on the page")
    issuer.get(f"{path}/when")
    issuer.send(f"{path}/when", {"start": "now"} | _chosen(issuer.page, "claim_by"))
    issuer.get(f"{path}/check")
    issuer.send(f"{path}/submit", {})
    say("submitted; what it costs is held")
    return path


def _chosen(page: str, name: str) -> dict[str, str]:
    """Return what stands in a field of a page."""
    found = re.search(rf'name="{name}"[^>]*value="([^"]*)"', page) or re.search(
        rf'value="([^"]*)"[^>]*name="{name}"', page
    )
    return {name: unescape(found[1])} if found else {}


def _wait(what: str, look: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + WAIT_S
    while not (found := look()):
        check(time.monotonic() < deadline, f"{what}: not in {WAIT_S:.0f} s")
        time.sleep(LOOK_S)
    return found


def _letters(sinks: str, to: str) -> list[dict[str, Any]]:
    path = f"{sinks.rstrip('/')}/messages.json?to={quote(to, safe='')}"
    try:
        with urllib.request.urlopen(path, timeout=TIMEOUT_S) as answer:  # noqa: S310 - our own
            found: list[dict[str, Any]] = json.loads(answer.read())["messages"]
    except OSError as error:
        message = f"the sinks at {sinks} do not answer ({error})"
        raise DemoFailed(message) from error
    return found


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
        variant = _chosen(page, "variant")
        holder.send(product, variant)
        if holder.where.startswith("/g/address"):
            break
    holder.send("/g/address", HOME)
    say("chooses, types an address")
    page = holder.send("/g/review", {})
    number = re.search(r"G-[0-9A-Z]{5,}", page)
    if number is None:
        message = f"no number after claiming: {_words(page.encode())[:400]}"
        raise DemoFailed(message)
    say(f"confirms: {number[0]}")
    holder.number = number[0]
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
        check("1 claim is on its way" in _words(page.encode()), "the carrier's file was not taken")
        say("the supplier's list is taken out, the carrier's number comes back")
        return
    message = f"{number} is on no list of a supplier"
    raise DemoFailed(message)


def play(address: str | None) -> None:
    """Upload, mend, approve, deliver, open, claim, ship, thank; any surprise ends it."""
    settings = read_settings()
    address = (address or f"http://127.0.0.1:{settings.port}").rstrip("/")
    console, began, run = Console(highlight=False), time.monotonic(), uuid.uuid4().hex[:6]

    def say(text: str) -> None:
        console.print(f"[dim]{time.monotonic() - began:6.1f} s[/dim]  {text}")

    path = _order(_sign_in(address, "issuer"), run, say)
    approver = _sign_in(address, "approver")
    approver.get(path)
    approver.send(f"{path}/approve", {})
    say("a colleague approves")
    sinks = local.status(settings).messages
    (letter,) = _wait("the first mail", lambda: _letters(sinks, f"p0-{run}@example.com"))
    sms = _wait("an SMS", lambda: _letters(sinks, "+819000000001"))
    check(bool(letter["html"]) and "/g/" in letter["text"], "the mail has no link")
    check("/g/" in sms[0]["text"], "the SMS has no link")
    say("mails and SMS have arrived at the sinks")
    link = re.search(r"https?://\S+(/g/[0-9A-Z]+)", letter["text"])
    if link is None:
        message = "the mail has no link"
        raise DemoFailed(message)
    holder = _receive(address, link[1], say)
    _ship(_sign_in(address, "support"), holder.number, say)
    page = holder.get("/g")
    check("1111-2222-3333" in page, "the recipient does not see the carrier's number")
    holder.send("/g/thanks", {"stamp": "delighted", "words": "ありがとうございました。"})
    say("the recipient follows the parcel and says thank you")
    check("ありがとうございました。" in approver.get(path), "the sender does not see the thanks")
    say("the sender reads it")
    say(run_command("ledger", "verify", "--tenant", TENANT).strip())
    console.print("[bold]The company's morning went as promised.[/bold]")
