"""Somebody with a browser, for demonstrations: they send the forms of the pages they see.

Hides: cookies, hidden fields, where a form leads, how a letter is read where it arrives.
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

from giftpad.cli.demo_steps import DemoFailed, check

WAIT_S, LOOK_S, TIMEOUT_S = 180.0, 0.5, 30
SEE_OTHER, OK = 303, 200


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
        check(status == SEE_OTHER, f"POST {action} answered {status}: {words(body)[:400]}")
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


def words(body: bytes) -> str:
    """Return what a page says, as it is read."""
    text = re.sub(r"<(script|style|template|svg)\b.*?</\1>", " ", body.decode(), flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", text).split())


def sign_in(address: str, tenant: str, role: str) -> Browser:
    """Return somebody of a tenant of the demonstration who has signed in."""
    browser = Browser(address)
    browser.get("/sign-in")
    browser.send("/sign-in/demonstration", {"email": f"{role}@{tenant}.example"})
    return browser


def chosen(page: str, name: str) -> dict[str, str]:
    """Return what stands in a field of a page."""
    found = re.search(rf'name="{name}"[^>]*value="([^"]*)"', page) or re.search(
        rf'value="([^"]*)"[^>]*name="{name}"', page
    )
    return {name: unescape(found[1])} if found else {}


def wait(what: str, look: Callable[[], Any]) -> Any:
    """Look until there is something, and return it."""
    deadline = time.monotonic() + WAIT_S
    while not (found := look()):
        check(time.monotonic() < deadline, f"{what}: not in {WAIT_S:.0f} s")
        time.sleep(LOOK_S)
    return found


def letters(sinks: str, to: str) -> list[dict[str, Any]]:
    """Return what has arrived for somebody."""
    path = f"{sinks.rstrip('/')}/messages.json?to={quote(to, safe='')}"
    try:
        with urllib.request.urlopen(path, timeout=TIMEOUT_S) as answer:  # noqa: S310 - our own
            found: list[dict[str, Any]] = json.loads(answer.read())["messages"]
    except OSError as error:
        message = f"the sinks at {sinks} do not answer ({error})"
        raise DemoFailed(message) from error
    return found
