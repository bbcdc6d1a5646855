"""A gift from the spreadsheet to the thanks, by clicking: issuer, colleague, recipient, sender.

Letters are read where they arrive, cards from their rendered pages by another decoder.
"""

from __future__ import annotations

import io
import json
import re
import uuid
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit
from urllib.request import urlopen

import openpyxl
import pypdfium2
import pytest
import zxingcpp
from playwright.sync_api import Locator, Page, expect

from tests.browser.clicks import choose, download, enter, main_menu, send
from tests.browser.visitor import DESK, SMALL_PHONE, Visitor, visit
from tests.flows.conftest import Product
from tests.waiting import wait_for

PATIENCE_MS = 90_000
"""A machine that tests at once is slow; nothing here waits for a clock of its own."""
ISSUER, COLLEAGUE = "issuer@hanamaru.example", "approver@hanamaru.example"
MESSAGE = "今年もたいへんお世話になりました。\n心ばかりの品をお贈りします。"
THANKS = "すてきな贈りものを、ありがとうございました。"
PEOPLE, BY_SMS, BY_CARD = 60, 3, 2
RENDER_SCALE = 200 / 72
LINK = re.compile(r"https?://[^\s\"<]+/g/[0-9A-Z]+")

WRONG = {
    6: ("mail", "kobayashi@exmaple", "@の後ろを確かめて"),
    13: ("name", "", "ここに入れてください"),
    20: ("mail", "yamada.example.com", "@を1つはさんだ形"),
    27: ("mail", "sato @example.com", "空白があります"),
    34: ("phone", "03-1234-5678", "携帯電話の番号だけ"),
    41: ("channel", "はと", "「SMS」"),
    48: ("mail", "a@example.com, b@example.com", "2つのアドレス"),
}
"""What is wrong in which row of the spreadsheet, and a word of what the page says about it."""
SENT, DELIVERED, OPENED, CLAIMED, THANKED = range(5)


@dataclass
class Story:
    """Everybody in it, and what they have in hand."""

    product: Product
    issuer: Visitor
    colleague: Visitor
    postman: Visitor
    recipient: Visitor
    sinks: str
    run: str = field(default_factory=lambda: uuid.uuid4().hex[:6])
    order: str = ""
    asked: list[str] = field(default_factory=list)

    def address(self, row: int) -> str:
        """The mail address of whoever stands in a row."""
        return f"p{row}-{self.run}@example.com"

    def arrived(self, to: str) -> list[dict[str, Any]]:
        """Return what has arrived for somebody."""
        path = f"{self.sinks}/messages.json?to={quote(to, safe='')}"
        with urlopen(path) as answer:  # noqa: S310 - our own
            found: list[dict[str, Any]] = json.loads(answer.read())["messages"]
        return found

    def letter(self, to: str) -> dict[str, Any]:
        """Return the letter of this story that somebody got, once it has arrived."""
        wait_for(lambda: self.letters(to))
        (letter,) = self.letters(to)
        return letter

    def letters(self, to: str) -> list[dict[str, Any]]:
        """Return what of this story has arrived for somebody."""
        found = self.arrived(to)
        return [each for each in found if self.run in each["text"]] if to == ISSUER else found


@pytest.fixture
def story(chromium, product):
    """Two people at their desks, somebody with a small phone, and the post."""
    address, seen = product.address.replace("127.0.0.1", "localhost"), []

    def make(size):
        window = visit(chromium, address, product.home, size=size)
        seen.append((window, window.__enter__()))
        seen[-1][1].context.set_default_timeout(PATIENCE_MS)
        return seen[-1][1]

    expect.set_options(timeout=PATIENCE_MS)
    people = (make(DESK), make(DESK), make(DESK), make(SMALL_PHONE))
    yield Story(product, *people, sinks=product.status().messages)
    expect.set_options(timeout=None)
    for window, visitor in seen:
        visitor.check()
        window.__exit__(None, None, None)


def test_from_the_spreadsheet_to_the_thanks(story):
    choose_design_and_goods(story)
    hand_in_the_spreadsheet(story)
    mend_the_rows(story)
    send_herself_a_preview(story)
    submit(story)
    let_a_colleague_approve(story)
    watch_the_board(story)
    say_that_it_arrived(story)
    read_the_letter(story)
    choose_something(story)
    say_where_it_goes(story)
    say_thanks(story)
    read_the_thanks(story)
    scan_a_card(story)


def spreadsheet(story: Story) -> bytes:
    """Return a workbook as an office writes it, seven of its rows wrong."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["氏名", "メール", "携帯電話", "送り方", "管理番号"])
    for row in range(2, PEOPLE + 2):
        by_sms, by_card = row - 1 <= BY_SMS, row - 1 > PEOPLE - BY_CARD
        cells = {
            "name": f"見本 {row:02}",
            "mail": "" if by_sms or by_card else story.address(row),
            "phone": phone(story, row) if by_sms else "",
            "channel": "SMS" if by_sms else "カード" if by_card else "",
            "external_id": f"{story.run}-{row}",
        }
        if row in WRONG:
            cells[WRONG[row][0]] = WRONG[row][1]
            if WRONG[row][0] == "phone":
                cells["channel"] = "SMS"
        sheet.append(list(cells.values()))
    data = io.BytesIO()
    book.save(data)
    return data.getvalue()


def phone(story: Story, row: int) -> str:
    return f"090{int(story.run, 16) % 1_000_000:06}{row:02}"


def choose_design_and_goods(story: Story) -> None:
    page = enter(story.issuer, ISSUER)
    main_menu(page, "/desk/gifts")
    with page.expect_navigation():
        page.locator("main form[action='/desk/gifts'] button").click()
    story.order = page.url.rpartition("/")[0]
    choose(page, "design", "tsubaki")
    page.fill("#title", f"お歳暮 {story.run}")
    page.fill("#sender_name", "株式会社はなまる")
    page.fill("#message", f"{MESSAGE}\n{story.run}")
    expect(page.locator("#preview .gp-specimen__words").first).to_contain_text(story.run)
    with page.expect_navigation():
        page.locator("#letter button[type=submit]").first.click()
    page.locator("label.gp-choice", has_text="5,000円").click()
    send(page)


def hand_in_the_spreadsheet(story: Story) -> None:
    """Exactly the wrong rows are named, each with what is wrong and what was typed."""
    page = story.issuer.page
    page.set_input_files(
        "#file",
        {
            "name": "送り先.xlsx",
            "mimeType": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            "buffer": spreadsheet(story),
        },
    )
    with page.expect_navigation():
        page.locator("button[name=by][value=file]").click()
    expect(page.locator("main")).to_contain_text(f"{PEOPLE}行")
    assert [int(row) for row in mends(page).locator("tbody th").all_inner_texts()] == list(WRONG)
    for (column, typed, said), row in zip(
        WRONG.values(), mends(page).locator("tbody tr").all(), strict=True
    ):
        expect(row).to_contain_text(said)
        cell = row.locator("input")
        assert (cell.get_attribute("name") or "").endswith(f"-{column}")
        expect(cell).to_have_value(typed)


def mends(page: Page) -> Locator:
    return page.locator("form[action$='/recipients/mend']")


def mend_the_rows(story: Story) -> None:
    page = story.issuer.page
    right = {"name": "見本 十三", "phone": phone(story, 34), "channel": "メール"}
    for row, (column, _, _) in WRONG.items():
        page.fill(f"[name=mend-{row}-{column}]", right.get(column, story.address(row)))
    with page.expect_navigation():
        mends(page).locator("button").first.click()
    expect(mends(page)).to_have_count(0)
    expect(page.locator("main")).to_contain_text(str(PEOPLE))
    with page.expect_navigation():
        page.locator("main a[href$='/when']").last.click()
    send(page)
    expect(page.locator("main")).to_contain_text(f"{PEOPLE}")


def send_herself_a_preview(story: Story) -> None:
    page = story.issuer.page
    with page.expect_navigation():
        page.locator("form[action$='/sample'] button").click()
    sample = story.letter(ISSUER)
    assert MESSAGE.splitlines()[0] in sample["text"]
    assert "<img" in sample["html"]
    assert LINK.search(sample["text"]) is None  # it opens no gift


def submit(story: Story) -> None:
    page = story.issuer.page
    with page.expect_navigation():
        page.locator("form[action$='/submit'] button").click()
    expect(page.locator("main form[action$='/approve']")).to_have_count(0)
    expect(page.locator("main form[action$='/withdraw']")).to_be_visible()


def let_a_colleague_approve(story: Story) -> None:
    page = enter(story.colleague, COLLEAGUE)
    main_menu(page, "/desk/gifts")
    with page.expect_navigation():
        page.locator("main tbody a", has_text=story.run).click()
    expect(page.locator("main")).to_contain_text(MESSAGE.splitlines()[0])
    with page.expect_navigation():
        page.locator("form[action$='/approve'] button").click()


def watch_the_board(story: Story) -> None:
    """From here on nobody reloads the sender's page."""
    page = story.issuer.page
    page.goto(story.order)
    expect(page.locator("#live")).to_be_visible()
    page.on(
        "request",
        lambda sent: story.asked.append(sent.url) if sent.is_navigation_request() else None,
    )
    expect(step(story, SENT)).to_have_text(str(PEOPLE))
    expect(step(story, OPENED)).to_have_text("0")
    (sms,) = story.arrived(f"+81{phone(story, 2)[1:]}")
    assert LINK.search(sms["text"])
    assert "株式会社はなまる" in sms["text"]


def step(story: Story, number: int) -> Locator:
    return story.issuer.page.locator(".gp-funnel li").nth(number).locator("strong")


def say_that_it_arrived(story: Story) -> None:
    """The provider tells later that a mail has arrived."""
    page = story.postman.page
    page.goto(story.sinks)
    article = page.locator("article", has_text=story.address(5))
    with page.expect_navigation():
        article.locator("button[value=delivered]").click()
    expect(step(story, DELIVERED)).to_have_text("1")


def read_the_letter(story: Story) -> None:
    page = story.recipient.page
    mail = story.letter(story.address(5))
    assert MESSAGE.splitlines()[1] in mail["text"]
    link = LINK.search(mail["text"])
    assert link is not None
    story.recipient.open(urlsplit(link[0]).path)
    with page.expect_response("**/g/opened"):
        page.mouse.wheel(0, 200)  # as whoever reads on does
    assert page.url == f"{story.recipient.address}/g"
    expect(page.locator("main")).to_contain_text("見本 05")
    expect(page.locator(".gp-letter__words")).to_contain_text(MESSAGE.splitlines()[0])
    expect(step(story, OPENED)).to_have_text("1")


def press(page: Page, place: str | Locator) -> None:
    with page.expect_navigation():
        (page.locator(place) if isinstance(place, str) else place).click()


def choose_something(story: Story) -> None:
    """Turn the pages of the catalogue: a kind, one of it, back, another one."""
    page = story.recipient.page
    press(page, "main a.gp-button[data-kind=main]")
    goods = page.locator(".gp-goods h3 a")
    everything = goods.count()
    press(page, page.locator(".gp-tabs a", has_text="くらし"))
    assert 0 < goods.count() < everything
    press(page, goods.first)
    page.go_back()
    press(page, page.locator(".gp-tabs a").first)
    press(page, page.locator(".gp-goods h3 a", has_text="すき焼き"))
    expect(page.locator("main")).to_contain_text("牛肉")  # what it contains is said
    press(page, "main form button")


def say_where_it_goes(story: Story) -> None:
    page = story.recipient.page
    page.fill("#postcode", "1000001")
    press(page, "button[value=find]")
    expect(page.locator("#prefecture")).to_have_value("東京都")
    expect(page.locator("#city")).to_have_value("千代田区")
    page.fill("#street", page.input_value("#street") + "1-1")
    page.fill("#phone", "090-0000-0000")
    press(page, "main .gp-form > button[data-kind=main]")
    expect(page.locator("main")).to_contain_text("千代田1-1")
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    press(page, "main form button")
    expect(page.locator(".gp-number")).to_have_text(re.compile("^G-"))
    expect(step(story, CLAIMED)).to_have_text("1")


def say_thanks(story: Story) -> None:
    page = story.recipient.page
    page.locator("label.gp-choice:has(input[value=delighted])").click()
    page.fill("#words", THANKS)
    press(page, "form[action$='/thanks'] button")
    expect(page.locator("main")).to_contain_text(THANKS)


def read_the_thanks(story: Story) -> None:
    page = story.issuer.page
    expect(step(story, THANKED)).to_have_text("1")
    expect(page.locator("#said blockquote")).to_contain_text(THANKS)
    expect(page.locator("#rows tr", has_text="見本 05")).to_contain_text("受け取った")
    assert story.asked == [], "the page has followed by itself"


def scan_a_card(story: Story) -> None:
    page = story.issuer.page
    expect(page.locator("#printed a[href$='.pdf']")).to_be_visible()
    with pypdfium2.PdfDocument(io.BytesIO(download(page, "/cards/1.pdf"))) as document:
        sheets = [each.render(scale=RENDER_SCALE).to_pil().convert("RGB") for each in document]
    read = [code.text for sheet in sheets for code in zxingcpp.read_barcodes(sheet)]
    assert len(set(read)) == BY_CARD
    story.recipient.context.clear_cookies()
    story.recipient.speak("ja")
    story.recipient.open(urlsplit(read[0]).path)
    expect(story.recipient.page.locator("main")).to_contain_text(re.compile("見本 (60|61)"))
