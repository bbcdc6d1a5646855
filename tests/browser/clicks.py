"""What people do on pages by clicking: sign in, go somewhere, send a form, take a file away."""

from __future__ import annotations

from playwright.sync_api import Page

from tests.browser.visitor import Visitor

TOWN_NAME = "みどり市"


def enter(visitor: Visitor, email: str) -> Page:
    """Open the first address of the product and sign in, for the town if there is a choice."""
    page = visitor.open("/")
    page.wait_for_url("**/sign-in*")
    visitor.press_for(email)
    page.wait_for_url(lambda url: url.endswith(("/desk", "/shop", "/choose")))
    if page.url.endswith("/choose"):
        page.locator("button[name=membership]", has_text=TOWN_NAME).click()
        page.wait_for_url("**/desk")
    return page


def main_menu(page: Page, path: str) -> None:
    page.locator(f".gp-nav a[href='{path}']:visible").first.click()
    page.wait_for_url(f"**{path}")


def follow(page: Page, ending: str) -> None:
    """Press the link of the page whose address ends so."""
    page.locator(f"main a[href$='{ending}']").first.click()
    page.wait_for_url(f"**{ending}*")


def send(page: Page) -> None:
    """Press the button of the page's form, and wait for the page that comes."""
    with page.expect_navigation():
        page.locator("main form[method=post] button[type=submit]").first.click()


def choose(page: Page, name: str, value: str) -> None:
    page.locator(f"main input[name={name}][value='{value}']").check(force=True)


def download(page: Page, ending: str) -> bytes:
    with page.expect_download() as taken:
        page.locator(f"main a[href$='{ending}']").first.click()
    return taken.value.path().read_bytes()
