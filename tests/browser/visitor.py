"""Somebody with a browser: where they went, what their pages loaded, what went wrong in them."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Page, Playwright, Request

PHONE = {"width": 390, "height": 844}
SMALL_PHONE = {"width": 360, "height": 640}
DESK = {"width": 1440, "height": 1000}
OWN_HOSTS = {"localhost", "127.0.0.1"}
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
)
WAIT_MS = 20_000
KNOWN_WITHIN_S = 40
"""What one process was told, for instance that a session has ended, another knows so soon."""


def find_chromium() -> str | None:
    """Return the path of the system's Chromium, if there is one."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((path for name in names if (path := shutil.which(name))), None)


def launch(play: Playwright, *more: str) -> Browser:
    """Start the system's Chromium; it can reach this machine only."""
    path = find_chromium()
    assert path is not None
    return play.chromium.launch(executable_path=path, args=[*ARGUMENTS, *more])


@dataclass
class Visitor:
    """One person's browser on the product: a context of its own, with one page."""

    address: str
    home: Path
    context: BrowserContext
    page: Page
    hosts: set[str] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)

    def open(self, path: str) -> Page:
        """Open an address of the product and return when the page has settled."""
        self.page.goto(self.address + path, wait_until="load")
        return self.page

    def open_until(self, path: str, led_to: Callable[[str], bool]) -> None:
        """Open an address until another process than the one that was told leads elsewhere."""
        deadline = time.monotonic() + KNOWN_WITHIN_S
        while not led_to(self.open(path).url):
            assert time.monotonic() < deadline, self.page.url
            self.page.wait_for_timeout(1000)

    def sign_in(self, email: str) -> Page:
        """Sign in as one of the demonstration people."""
        self.open("/sign-in")
        self.press_for(email)
        self.page.wait_for_url(lambda address: "/sign-in" not in address)
        return self.page

    def press_for(self, email: str) -> None:
        """Press the button beside one of the people of the demonstration."""
        self.page.locator(f"form:has(input[name=email][value='{email}']) button").click()

    def password(self) -> str:
        """Return the password of the demonstration people."""
        kept: dict[str, Any] = json.loads((self.home / "demo.json").read_text())
        return str(kept["password"])

    def speak(self, locale: str) -> None:
        """Read pages in ``locale`` from now on."""
        self.context.add_cookies([{"name": "gp_lang", "value": locale, "url": self.address}])

    def note(self, request: Request) -> None:
        """Remember which host a page asked for something."""
        parts = urlsplit(request.url)
        if parts.scheme in ("http", "https", "ws", "wss"):
            self.hosts.add(parts.hostname or "")

    def check(self) -> None:
        """Fail if a page loaded from another host, or a script of ours failed."""
        assert self.hosts <= OWN_HOSTS, self.hosts - OWN_HOSTS
        assert self.faults == []


@contextmanager
def visit(
    browser: Browser,
    address: str,
    home: Path,
    *,
    locale: str = "ja",
    size: dict[str, int] = DESK,
    **options: Any,
) -> Iterator[Visitor]:
    """Give somebody a fresh browser window of one size, in one language."""
    tag = {"ja": "ja-JP", "en": "en-GB"}[locale]
    context = browser.new_context(
        viewport=size, locale=tag, timezone_id="Asia/Tokyo", reduced_motion="reduce", **options
    )
    context.set_default_timeout(WAIT_MS)
    page = context.new_page()
    visitor = Visitor(address, home, context, page)
    context.on("request", visitor.note)
    page.on("pageerror", lambda error: visitor.faults.append(str(error)))
    page.on("console", lambda said: _hear(visitor, said.type, said.text))
    visitor.speak(locale)
    try:
        yield visitor
    finally:
        context.close()


def _hear(visitor: Visitor, kind: str, text: str) -> None:
    # The browser reports an answer of 4xx as an error of its own; those are asked for here.
    if kind == "error" and not text.startswith("Failed to load resource"):
        visitor.faults.append(text)
