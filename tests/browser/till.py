"""A clerk's phone whose camera sees a film: Chromium reads it anew whenever the camera starts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, Playwright, Response

from tests.browser.film import STEADY, Hand, camera_arguments, shoot
from tests.browser.visitor import launch

PATIENCE_MS = 90_000
"""A machine that tests at once decodes slowly; nobody waits that long on a phone."""


class Lens:
    """What stands before the camera of a browser."""

    def __init__(self, film: Path) -> None:
        self.film = film
        self.see(None)

    def see(self, paper: Image.Image | None, hand: Hand = STEADY) -> None:
        """Hold something before the camera; it is seen when the camera is opened next."""
        shoot(self.film, paper, hand)


@contextmanager
def open_phone(play: Playwright, folder: Path) -> Iterator[tuple[Browser, Lens]]:
    """Start a Chromium with a camera that sees what is held before it."""
    lens = Lens(folder / "camera.y4m")
    browser = launch(play, *camera_arguments(lens.film))
    try:
        yield browser, lens
    finally:
        browser.close()


def open_shop(page: Page) -> None:
    """Press what switches camera, sound and screen on."""
    page.locator("[data-when=shut] [data-act=open]").click()


def list_loaded(page: Page) -> list[str]:
    """Return the addresses that the page's workers have loaded."""
    return [
        name
        for worker in page.workers
        for name in worker.evaluate("performance.getEntriesByType('resource').map((e) => e.name)")
    ]


def watch_readings(page: Page) -> list[Response]:
    """Collect the answers to codes that the page sends, from now on."""
    sent: list[Response] = []
    page.on(
        "response",
        lambda got: sent.append(got) if got.request.method == "POST" else None,
    )
    return sent
