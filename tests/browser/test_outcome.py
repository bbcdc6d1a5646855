"""The whole outcome, by clicking: order, release, scan, payment, a look, and the desk after.

What the story finds out by other means than a person's is asked of the API: balances, payments.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest
import zxingcpp
from playwright.sync_api import Locator, Page, Route, expect

from giftpad import payments
from tests.browser.clicks import choose, download, enter, follow, main_menu, send
from tests.browser.film import Hand, picture_coupon
from tests.browser.scenes import CLERK, ISSUER, SUPPORT, TWO_ROLES
from tests.browser.till import PATIENCE_MS, Lens, open_phone, open_shop
from tests.browser.visitor import DESK, PHONE, Visitor, visit
from tests.flows.conftest import READY_WITHIN_S, Product
from tests.make_coupons import read_paper

FACE_VALUE, QUANTITY = 1000, 16
IN_A_HAND = Hand(turn=8, slant=0.06, blur=0.8, light=0.8)
ACCEPTED_BEEPS = 2

# Counts what sounds; the app's own code is as it is served.
COUNT_TONES = """(() => {
  window.tones = [];
  const { start } = AudioScheduledSourceNode.prototype;
  AudioScheduledSourceNode.prototype.start = function (...at) {
    window.tones.push(`${this.constructor.name} ${this.context.state}`);
    return start.apply(this, at);
  };
})()"""


@dataclass
class Coupon:
    """A coupon of the print run, as its holder has it."""

    serial: str
    qr: str
    typed: str


@dataclass
class Story:
    """Everybody in it, and what they have in hand."""

    product: Product
    issuer: Visitor
    approver: Visitor
    support: Visitor
    clerk: Visitor
    holder: Visitor
    lens: Lens
    batch: str = ""
    pdf: bytes = b""
    coupons: list[Coupon] = field(default_factory=list)

    def balance(self, coupon: Coupon) -> int:
        """Return what a coupon holds, by the API."""
        path = f"/api/v1/coupons/{coupon.serial}"
        return int(self.product.caller().ask("GET", path, wanted=200)["balance_minor"])

    def payments(self, coupon: Coupon) -> list[dict[str, Any]]:
        """Return the payments with a coupon, by the API."""
        path = f"/api/v1/payments?serial={coupon.serial}"
        found: list[dict[str, Any]] = self.product.caller().ask("GET", path, wanted=200)["items"]
        return found


@pytest.fixture
def story(playwright, chromium, product, tmp_path):
    """Four people at their screens and one with a phone of their own."""
    address, seen = product.address.replace("127.0.0.1", "localhost"), []

    def make(browser, size):
        window = visit(browser, address, product.home, size=size)
        seen.append((window, window.__enter__()))
        seen[-1][1].context.set_default_timeout(PATIENCE_MS)
        return seen[-1][1]

    with open_phone(playwright, tmp_path) as (phone, lens):
        people = [make(chromium, DESK) for _ in range(3)]
        clerk = make(phone, PHONE)
        clerk.context.add_init_script(COUNT_TONES)
        yield Story(product, *people, clerk, make(chromium, PHONE), lens)
        for window, visitor in seen:
            visitor.check()
            window.__exit__(None, None, None)


def test_from_the_order_to_the_audit_log(story):
    order_coupons(story)
    watch_until_ready(story)
    look_at_a_page(story)
    take_the_print_file_out(story)
    release(story)
    pay_by_camera(story)
    look_as_the_holder(story)
    lose_an_answer(story)
    press_twice_and_go_back(story)
    stop_a_coupon(story)
    replace_it(story)
    give_money_back(story)
    read_the_audit_log(story)


def order_coupons(story: Story) -> None:
    page = enter(story.issuer, ISSUER)
    main_menu(page, "/desk/batches")
    follow(page, "/desk/batches/new")
    choose(page, "programme", story.product.programme()["id"])
    page.fill("[name=quantity]", str(QUANTITY))
    page.fill("[name=face_value]", "1,000")
    page.locator("main form.gp-card button[type=submit]").click()
    page.wait_for_url("**/desk/batches/new/check*")
    expect(page.locator("main")).to_contain_text("16,000円")
    send(page)
    story.batch = page.url.rpartition("/")[2]


def watch_until_ready(story: Story) -> None:
    """The page follows by itself; nobody presses anything."""
    page, asked = story.issuer.page, []
    expect(page.locator("#live progress, #live .gp-progress").first).to_be_visible()
    page.on("request", lambda sent: asked.append(sent.url))
    ready = page.locator("#live a[href$='/volumes/1.pdf']")
    expect(ready).to_be_visible(timeout=READY_WITHIN_S * 1000)
    assert {url.rpartition("/")[2] for url in asked if story.batch in url} == {"progress"}
    expect(page.locator("main a[href$='/release']")).to_have_count(0)  # that is another's part


def look_at_a_page(story: Story) -> None:
    page = story.issuer.page
    follow(page, "/pages/1/1")
    picture = page.locator("img.gp-sheet")
    picture.evaluate("(image) => image.decode()")
    assert picture.evaluate("(image) => image.naturalWidth") > 400
    page.go_back()


def take_the_print_file_out(story: Story) -> None:
    story.pdf = take_out(story.issuer.page)
    numbers = download(story.issuer.page, "/numbers.csv").decode("utf-8-sig")
    serials = [row[0] for row in csv.reader(io.StringIO(numbers))][1:]
    pairs = sorted(read_paper(story.pdf), key=lambda pair: pair[0][-31:-23])
    story.coupons = [
        Coupon(serial, qr, typed) for serial, (qr, typed) in zip(serials, pairs, strict=True)
    ]
    assert len(story.coupons) == QUANTITY


def take_out(page: Page) -> bytes:
    pdf = download(page, "/volumes/1.pdf")
    assert pdf.startswith(b"%PDF-")
    return pdf


def release(story: Story) -> None:
    """Somebody else finds it on the first page of the desk, and lets it be spent."""
    page = enter(story.approver, TWO_ROLES)
    follow(page, f"/desk/batches/{story.batch}")
    follow(page, "/release")
    expect(page.locator("main")).to_contain_text("16,000円")
    send(page)
    assert page.url.endswith(f"/desk/batches/{story.batch}")
    path = f"/api/v1/coupon-batches/{story.batch}"
    assert story.product.caller().ask("GET", path, wanted=200)["state"] == "released"


def pay_by_camera(story: Story) -> None:
    paper = picture_coupon(story.pdf)
    (seen,) = zxingcpp.read_barcodes(paper, formats=zxingcpp.BarcodeFormat.QRCode)
    first = next(coupon for coupon in story.coupons if coupon.qr == seen.text)
    story.coupons.remove(first)
    story.coupons.insert(0, first)
    story.lens.see(paper, IN_A_HAND)
    page = enter(story.clerk, CLERK)
    assert page.viewport_size == PHONE
    open_shop(page)
    expect(page.locator("[data-screen=pad] form")).to_have_attribute("data-left", str(FACE_VALUE))
    type_amount(page, "350")
    expect(page.locator("[data-screen=confirm]")).to_contain_text("350円")
    expect(page.locator("[data-screen=confirm]")).to_contain_text("650円")
    page.evaluate("window.tones = []")
    last_button(page).click()
    accepted = page.locator("[data-screen=accepted]")
    expect(accepted).to_contain_text("350円")
    expect(accepted).to_contain_text("650円")
    (paid,) = story.payments(first)
    receipt = accepted.locator(".gp-result__number strong")
    expect(receipt).to_have_text(payments.receipt_number(UUID(paid["id"])))
    assert page.evaluate("window.tones") == ["OscillatorNode running"] * ACCEPTED_BEEPS
    clock = accepted.locator("[data-clock]")
    expect(clock).not_to_have_text(clock.inner_text())  # a photograph of it would stand still
    assert story.balance(first) == FACE_VALUE - 350


def type_amount(page: Page, amount: str) -> None:
    """Press the large keys."""
    for digit in amount:
        key = page.locator(f"button[data-key='{digit}']")
        box = key.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 48  # a thumb hits it
        key.click()
    expect(page.locator("#amount")).to_have_value(amount)
    page.locator("[data-go]").click()


def last_button(page: Page) -> Locator:
    return page.locator("[data-screen=confirm] form[data-pay] button")


def next_customer(story: Story, coupon: Coupon) -> Page:
    """Read the next coupon, by hand this time."""
    page = story.clerk.page
    story.lens.see(None)
    page.locator("[data-scan-link]").first.click()
    page.locator("[data-screen=scan]").wait_for()
    page.fill("#code", coupon.typed)
    page.press("#code", "Enter")
    return page


def look_as_the_holder(story: Story) -> None:
    coupon, page = story.coupons[0], story.holder.page
    tail = coupon.qr.rpartition("/")[2]
    story.holder.open(f"/Q/{tail}")
    assert page.url == f"{story.holder.address}/balance"
    said = page.locator("main").inner_text()
    assert re.search(r"650\s*円", said)
    path = f"/api/v1/coupons/{coupon.serial}"
    ends_on = story.product.caller().ask("GET", path, wanted=200)["ends_on"]
    year, month, day = map(int, ends_on.split("-"))
    assert f"{year}年{month}月{day}日" in re.sub(r"\s", "", said)
    assert tail not in page.content()
    page.locator("main a[href='/balance/shops']").first.click()
    page.wait_for_url("**/balance/shops")
    expect(page.locator("main li").first).to_be_visible()
    assert tail not in page.content()


def lose_an_answer(story: Story) -> None:
    """The server takes the payment, and the answer never comes: it is asked for, not made again."""
    coupon, lost = story.coupons[1], []
    page = next_customer(story, coupon)
    type_amount(page, "200")
    last_button(page).wait_for()

    def lose(route: Route) -> None:
        if route.request.method != "POST" or len(lost) > 1:
            route.continue_()
            return
        lost.append(route.fetch().status)
        route.abort("connectionreset")

    page.route("**/shop/pay/*", lose)
    last_button(page).click()
    page.locator("[data-screen=doubt]").wait_for()
    accepted = page.locator("[data-screen=accepted]")
    expect(accepted).to_contain_text("200円")
    expect(accepted.locator(".gp-result__money")).to_be_visible()
    page.unroute("**/shop/pay/*")
    assert lost == [200, 200]
    assert story.balance(coupon) == FACE_VALUE - 200
    assert len(story.payments(coupon)) == 1


def press_twice_and_go_back(story: Story) -> None:
    coupon, sent = story.coupons[2], []
    page = next_customer(story, coupon)
    type_amount(page, "150")
    last_button(page).wait_for()
    page.on("request", lambda asked: sent.append(asked) if asked.method == "POST" else None)
    pad = page.url
    last_button(page).evaluate("(button) => { button.click(); button.click(); }")
    page.locator("[data-screen=accepted]").wait_for()
    assert len(sent) == 1
    page.reload()
    expect(page.locator("[data-screen=accepted], [data-screen=record]")).to_contain_text("150円")
    for _ in range(3):
        page.go_back()
        page.locator("[data-screen]").wait_for()
        if last_button(page).count():
            last_button(page).click()
            page.locator("[data-screen=accepted], [data-screen=record]").wait_for()
    page.goto(pad)
    expect(page.locator("[data-screen=accepted], [data-screen=record]")).to_contain_text("150円")
    assert story.balance(coupon) == FACE_VALUE - 150
    assert len(story.payments(coupon)) == 1


def find_coupon(page: Page, coupon: Coupon) -> None:
    main_menu(page, "/desk/coupons")
    page.fill("#code", coupon.serial)
    page.press("#code", "Enter")
    page.wait_for_url(f"**/desk/coupons/{coupon.serial}")


def stop_a_coupon(story: Story) -> None:
    coupon, page = story.coupons[0], story.approver.page
    find_coupon(page, coupon)
    follow(page, "/stop")
    choose(page, "why", "lost")
    send(page)
    till = next_customer(story, coupon)
    refused = till.locator("[data-screen=refused]")
    expect(refused).to_have_attribute("data-code", "instrument.blocked")
    assert story.balance(coupon) == FACE_VALUE - 350


def replace_it(story: Story) -> None:
    """A new paper with what was left; the page follows its printing, and it is released."""
    coupon, page = story.coupons[0], story.approver.page
    follow(page, "/replace")
    choose(page, "why", "lost")
    send(page)
    serial = page.url.rpartition("/")[2]
    assert serial != coupon.serial
    expect(page.locator("#paper [data-kind=ok]").first).to_be_visible(timeout=READY_WITHIN_S * 1000)
    to_release = page.locator("#paper a[href$='/release']")
    if to_release.count():
        to_release.click()
        page.wait_for_url("**/release")
        send(page)
    find_coupon(story.issuer.page, Coupon(serial, "", ""))
    ((qr, typed),) = read_paper(take_out(story.issuer.page))
    till = next_customer(story, Coupon(serial, qr, typed))
    pad = till.locator("[data-screen=pad] form")
    expect(pad).to_have_attribute("data-left", str(FACE_VALUE - 350))


def give_money_back(story: Story) -> None:
    coupon, page = story.coupons[2], enter(story.support, SUPPORT)
    main_menu(page, "/desk/payments")
    page.fill("[name=serial]", coupon.serial)
    page.press("[name=serial]", "Enter")
    page.wait_for_url(f"**serial={coupon.serial}*")
    page.locator("main tbody th a").first.click()
    page.wait_for_url("**/desk/payments/*-*")
    follow(page, "/refund")
    page.fill("[name=amount]", "100")
    choose(page, "why", "goods returned")
    send(page)
    assert story.balance(coupon) == FACE_VALUE - 150 + 100


def read_the_audit_log(story: Story) -> None:
    page = story.approver.page
    main_menu(page, "/desk/audit")
    expect(page.locator("main tbody tr").nth(6)).to_be_visible()
    log = download(page, "/log.csv").decode("utf-8-sig")
    done = {(row[3], row[2]) for row in csv.reader(io.StringIO(log))}
    names = dict(sorted(done))
    for action in (
        "coupon_batch.ordered",
        "coupon_batch.page_previewed",
        "coupon_batch.pdf_downloaded",
        "coupon_batch.released",
        "coupon.blocked",
        "coupon.replaced",
        "payment.refund",
    ):
        assert names.get(action), action
    assert names["coupon_batch.ordered"] != names["coupon_batch.released"]
