"""Chromium and a running product for the tests that look at pages as people do."""

from __future__ import annotations

import atexit
import os

import pytest
from playwright.sync_api import Playwright, sync_playwright

from tests.browser.scenes import prepare
from tests.browser.visitor import find_chromium, launch, visit
from tests.flows.conftest import product  # noqa: F401 - the fixture is used by name

REQUIRED = "BROWSER_TESTS"
_playing: list[Playwright] = []


@pytest.fixture(scope="session")
def playwright():
    """What drives the browser; without a Chromium the tests are skipped, and say so."""
    if find_chromium() is None:
        message = "no Chromium on this machine: install the package chromium to run this test"
        if os.environ.get(REQUIRED) == "required":
            pytest.fail(message)
        pytest.skip(message)
    if not _playing:  # a process has one, whichever tests ask first
        _playing.append(sync_playwright().start())
        atexit.register(_playing[0].stop)
    return _playing[0]


@pytest.fixture(scope="session")
def chromium(playwright):
    """The system's Chromium, for all tests of this worker."""
    browser = launch(playwright)
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def scenes(chromium, product):  # noqa: F811 - as below
    """What there is to see, made once for all tests of this worker."""
    return prepare(product, chromium)


@pytest.fixture
def visitor(chromium, product):  # noqa: F811 - pytest's way to ask for a fixture
    """Make windows on the product; each is checked for strangers and faults at the end."""
    open_windows, seen = [], []

    def make(**options):
        window = visit(
            chromium, product.address.replace("127.0.0.1", "localhost"), product.home, **options
        )
        open_windows.append(window)
        seen.append(window.__enter__())
        return seen[-1]

    yield make
    for window in open_windows:
        window.__exit__(None, None, None)
    for each in seen:
        each.check()
