"""A spreadsheet from hell: every wrong row is named with what to do, and no right one is harmed.

By the desk and by the API, in every way that spreadsheets write; sent twice, it is one order.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from giftpad import gifts
from giftpad.kernel.work import unit_of_work
from tests.make_callers import Caller
from tests.make_gift_pages import Company, decision, hand_in, make_company, path
from tests.make_pages import Browser
from tests.portals.issuer.counter import words

HEADER = ("氏名", "メール", "携帯電話", "送り方", "管理番号", "言語", "ひとこと")
FIELDS = ("name", "mail", "phone", "channel", "external_id", "locale", "note")
KINDS = (
    ({"name": ""}, "name", "This must not be empty."),
    ({"name": "長" * 61}, "name", "A name has at most 60 characters; this one has 61."),
    ({"name": "hana@example.com"}, "name", "This looks like a mail address."),
    ({"channel": "mail", "mail": "a@exmaple"}, "mail", "Check the part after the @"),
    ({"channel": "mail", "mail": "a.example.com"}, "mail", "A mail address has one @"),
    ({"channel": "mail", "mail": "a b@example.com"}, "mail", "There is a space inside"),
    ({"channel": "mail", "mail": "a@example.com, b@example.com"}, "mail", "There are two"),
    ({"channel": "mail", "mail": ""}, "mail", "This must not be empty."),
    ({"channel": "SMS", "phone": "12-34"}, "phone", "Write the telephone number in digits"),
    ({"channel": "SMS", "phone": "9012345678"}, "phone", "The leading 0 is missing."),
    ({"channel": "SMS", "phone": "03-1234-5678"}, "phone", "An SMS goes to mobile numbers only"),
    ({"channel": "はと"}, "channel", "Write mail, sms, link, card or letter."),
    ({"locale": "tlh"}, "locale", "Write ja or en."),
    ({"note": "祝" * 201}, "note", "A note has at most 200 characters; this one has 201."),
    ({"external_id": "a b"}, "external_id", "A reference has at most"),
)
"""What is wrong in a row, in which column, and the words that say what to do."""
EVERY = 16
"""Each so-many-th row is wrong."""
_WHY = re.compile(r'id="mend-(\d+)-(\w+)-why"><strong>[^<]*</strong><br>([^<]*)<')


def kind_of(at: int) -> tuple[dict[str, str], str, str] | None:
    """Return what is wrong with a row."""
    return KINDS[at // EVERY % len(KINDS)] if at % EVERY == EVERY - 1 else None


def people(count: int) -> Iterator[dict[str, str]]:
    """Make rows, some of them wrong."""
    for at in range(count):
        right = {"name": f"受取 {at}", "channel": "リンク", "external_id": f"R-{at}"}
        wrong = dict((kind_of(at) or ({},))[0])
        if "external_id" in wrong:  # the same one twice is another fault
            wrong["external_id"] += str(at)
        yield dict.fromkeys(FIELDS, "") | right | wrong


def sheet(count: int) -> str:
    rows = [HEADER, *(tuple(each.values()) for each in people(count))]
    return "".join(",".join(f'"{cell}"' for cell in row) + "\r\n" for row in rows)


def right(line: int, column: str) -> str:
    """Return what belongs into a cell of a line."""
    return {
        "name": f"直した {line}",
        "mail": f"p{line}@example.com",
        "phone": f"0901234{line:04d}",
        "channel": "link",
        "external_id": f"M-{line}",
    }.get(column, "")


@pytest.fixture
def company(house, settings, tmp_path) -> Company:
    return make_company(settings, tmp_path)


def upload(company: Company, browser: Browser, data: bytes) -> tuple[object, object]:
    """Hand a file in, as its columns were recognised, and return the order and the answer."""
    order_id = company.prepare(browser)
    answer = hand_in(browser, order_id, data, replaces="yes")
    if answer.status_code == 303 and "/columns" in answer.headers["Location"]:
        page = browser.follow(answer).text
        chosen = [
            re.search(r'value="(\w*)" selected', each)
            for each in re.findall(r"<select.*?</select>", page, re.DOTALL)
        ]
        fields = [found[1] if found else "" for found in chosen]
        answer = browser.post(
            path(order_id, "/recipients/columns"),
            {"field": fields, "heading": "yes", "replaces": "yes"},
        )
    return order_id, answer


def mend_all(browser: Browser, order_id: object) -> dict[int, tuple[str, str]]:
    """Mend page by page what is named; return what was said of which line."""
    said: dict[int, tuple[str, str]] = {}
    while found := _WHY.findall(browser.get(path(order_id, "/recipients")).text):
        said |= {int(line): (column, html.unescape(why)) for line, column, why in found}
        mends = {f"mend-{line}-{column}": right(int(line), column) for line, column, _ in found}
        assert browser.post(path(order_id, "/recipients/mend"), mends).status_code == 303
    return said


def names_every_fault(said: dict[int, tuple[str, str]], count: int) -> None:
    """Say that exactly the wrong lines were named, each with its column and its remedy."""
    wanted = {at + 2: wrong for at in range(count) if (wrong := kind_of(at)) is not None}
    assert set(said) == set(wanted)
    for line, (_, column, words_of) in wanted.items():
        assert said[line][0] == column
        assert words_of in said[line][1], line


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp932"])
def test_every_wrong_row_is_named_and_mended_in_any_encoding(company, encoding):
    count = EVERY * len(KINDS)
    browser = company.person("issuer")
    order_id, answer = upload(company, browser, sheet(count).encode(encoding))
    assert answer.status_code == 303, answer.text
    assert f"{count - 15} ready" in words(browser.follow(answer))
    names_every_fault(mend_all(browser, order_id), count)
    with unit_of_work(company.site.scope) as work:
        counts = gifts.count_lines(work, order_id)
        first = gifts.list_lines(work, order_id, limit=1).items[0]
    assert (counts.total, counts.faulty, counts.good) == (count, 0, count)
    assert first.name == "受取 0"


def test_a_file_with_broken_bytes_is_refused_with_the_line_and_takes_nobody(company):
    lines = sheet(100).encode().split(b"\r\n")
    lines[40] = lines[40].replace("受取".encode(), b"\xff\xfe\xe3")
    browser = company.person("issuer")
    order_id = company.prepare(browser)
    answer = hand_in(browser, order_id, b"\r\n".join(lines), replaces="yes")
    assert answer.status_code == 422
    assert "41" in words(answer).partition("This cannot go on yet")[2][:300]
    with unit_of_work(company.site.scope) as work:
        assert gifts.count_lines(work, order_id).total == 2  # those that were there before


def test_handed_in_and_approved_from_many_windows_at_once_it_is_sent_once(company):
    browser = company.person("issuer")
    order_id, _ = upload(company, browser, sheet(64).encode())
    mend_all(browser, order_id)
    before = company.budget()
    windows = [company.person("issuer"), company.person("owner")]
    for each in windows:
        each.get(path(order_id, "/check"))
    forms = [decision(each) for each in windows]
    with ThreadPoolExecutor() as pool:
        answers = list(
            pool.map(
                lambda pair: pair[0].post(path(order_id, "/submit"), pair[1]),
                zip(windows, forms, strict=True),
            )
        )
    assert [each.status_code for each in answers] == [303, 303]
    again = windows[0].post(path(order_id, "/submit"), forms[0])
    assert again.status_code == 303
    held = before - company.budget()
    assert held == company.order(order_id).total_minor
    approver = company.person("approver")
    approver.get(path(order_id))
    form = decision(approver)
    for _ in range(2):
        approver.post(path(order_id, "/approve"), form)
    company.work_off()
    with unit_of_work(company.site.scope) as work:
        sent = gifts.list_gifts(work, order_id, limit=200).items
    assert len(sent) == 64
    assert len({gift.external_id for gift in sent}) == 64
    assert before - company.budget() == held


@pytest.mark.long
def test_five_thousand_lines_with_three_hundred_faults(company):
    count = EVERY * len(KINDS) * 20 + 200
    browser = company.person("issuer")
    order_id, answer = upload(company, browser, sheet(count).encode("cp932"))
    assert answer.status_code == 303, answer.text
    said = mend_all(browser, order_id)
    assert len(said) >= 300
    names_every_fault(said, count)
    with unit_of_work(company.site.scope) as work:
        assert gifts.count_lines(work, order_id).good == count


def test_by_the_api_every_fault_has_its_place_and_nobody_is_taken(company):
    count = EVERY * len(KINDS)
    machine = Caller(company.site.app, company.site.scope, "gifts:read", "gifts:order")
    wanted = {
        at: wrong
        for at in range(count)
        if (wrong := kind_of(at)) is not None and wrong[1] in ("mail", "phone")
    }
    ways = {"リンク": "link", "SMS": "sms", "mail": "mail"}
    rows = []
    for at, each in enumerate(people(count)):
        wrong = kind_of(at)
        if wrong is not None and at not in wanted:
            each[wrong[1]] = right(at, wrong[1])  # what the schema says has a test of its own
        each["channel"] = ways.get(each["channel"], "link")
        rows.append({name: cell for name, cell in each.items() if cell})
    order = {
        "title": "お歳暮",
        "design": "musubi",
        "sender_name": "見本商事",
        "message": "ありがとうございました。",
        "course_id": str(company.course_id),
        "channel": "link",
        "recipients": rows,
    }
    refused = machine.post("/api/v1/gift-orders", order, key="hell")
    assert refused.status_code == 422
    told = {each["pointer"]: each["detail"] for each in refused.json["errors"]}
    assert set(told) == {f"/recipients/{at}/{column}" for at, (_, column, _) in wanted.items()}
    for at, (_, column, words_of) in wanted.items():
        assert words_of in told[f"/recipients/{at}/{column}"]
    assert machine.get("/api/v1/gift-orders").json["items"] == []
    for at, (_, column, _) in wanted.items():
        rows[at] = rows[at] | {column: right(at, column)}
        rows[at] = {name: cell for name, cell in rows[at].items() if cell}
    before = company.budget()
    with ThreadPoolExecutor() as pool:
        answers = list(
            pool.map(lambda _: machine.post("/api/v1/gift-orders", order, key="whole"), range(2))
        )
    assert {each.status_code for each in answers} <= {202, 409}
    made = machine.post("/api/v1/gift-orders", order, key="whole")
    assert made.status_code == 202, made.text
    (found,) = machine.get("/api/v1/gift-orders").json["items"]
    assert found["id"] == made.json["id"]
    assert before - company.budget() == made.json["total_minor"]
