"""Invoices: drawn up once, numbered without gaps, the same for ever, honest about tax."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import time

import pypdfium2
import pytest

from giftpad import gifts, identity
from giftpad.app import build_app
from giftpad.gifts.commands import issuing
from giftpad.kernel.ids import new_id
from giftpad.kernel.work import unit_of_work
from giftpad.tenancy import PackFolder, Problems
from tests import make_gifts
from tests.make_callers import Caller
from tests.make_gifts import CONTRACT, cells, make_company, set_contract
from tests.make_identity import shared_app

NUMBER = "T8700110005901"
AGREED = replace(
    CONTRACT,
    quiet_from=time(8),
    quiet_until=time(8),
    fees_minor={"mail": 155, "sms": 173, "link": 101, "card": 350},
    registration_number=NUMBER,
    invoicer={"name": "株式会社みほん運営", "address": "架空県みほん市1-1", "contact": ""},
    billing={"name": "株式会社はなまる 総務部 御中", "address": "架空県はなまる市1-2-3"},
)


@pytest.fixture
def app(house, settings):
    """The application as it is served."""
    identity.ensure_keys()
    return shared_app(build_app, settings)


@pytest.fixture
def company(house):
    return make_company(contract=AGREED)


def mixed(company):
    """Return an order of three by mail and four links, all out."""
    order_id = company.draft(channel="mail")
    people = [*cells(3, "mail"), *(replace(each, line=each.line + 10) for each in cells(4, "link"))]
    company.take(order_id, people)
    with unit_of_work(company.as_("issuer")) as work:
        gifts.mean_repeats(work, order_id)
    assert company.submit(order_id) == "submitted"
    company.approve(order_id)
    company.issue(order_id)
    return order_id


def invoice_of(company, order_id):
    with unit_of_work(company.scope) as work:
        return gifts.get_invoice(work, order_id)


def words_of(pdf: bytes) -> str:
    document = pypdfium2.PdfDocument(io.BytesIO(pdf))
    assert len(document) == 1
    return document[0].get_textpage().get_text_range()


def test_no_two_companies_have_one_number_whatever_they_are_called(house):
    """One issuer sends invoices to all of them."""
    numbers = []
    for end in ("north", "south"):
        company = make_company(contract=AGREED, slug=f"aozora-shoji-{end}-{new_id().hex[-6:]}")
        numbers.append(invoice_of(company, company.sent(1)).number)
    assert all(each.startswith("AOZORA-") for each in numbers)
    assert len(set(numbers)) == 2
    assert company.differences() == []


def test_value_bears_no_tax_and_fees_are_rounded_once_a_rate(company):
    told = invoice_of(company, mixed(company))
    assert {(line.what, line.channel, line.count, line.amount_minor) for line in told.lines} == {
        ("value", "", 7, 35_000),
        ("fee", "link", 4, 404),
        ("fee", "mail", 3, 465),
    }
    # 404 and 465 hold 36 and 42 yen if each is rounded; together they hold 79.
    (rate,) = told.rates
    assert (rate.percent, rate.amount_minor, rate.tax_minor) == (10, 869, 79)
    assert (told.untaxed_minor, told.total_minor) == (35_000, 35_869)
    assert told.lines[0].tax == "outside"


def test_what_is_billed_is_what_was_taken_from_the_deposit(company):
    before = company.budget()
    order_id = mixed(company)
    assert before - company.budget() == invoice_of(company, order_id).total_minor
    assert company.differences() == []


def test_an_invoice_stays_as_it_was_whatever_is_agreed_later(company):
    order_id = mixed(company)
    told = invoice_of(company, order_id)
    paper = gifts.draw_invoice(told, "ja")
    later = replace(AGREED, fees_minor=dict.fromkeys(AGREED.fees_minor, 999), billing={})
    set_contract(company.scope, replace(later, registration_number="", value_tax="exempt"))
    again = invoice_of(company, order_id)
    assert again == told
    assert gifts.draw_invoice(again, "ja") == paper


def test_fees_are_those_agreed_at_the_submission(company):
    order_id = company.draft()
    company.take(order_id, cells(1))
    company.submit(order_id)
    set_contract(company.scope, replace(AGREED, fees_minor={"link": 999}, fee_tax_percent=20))
    company.issue(order_id)
    told = invoice_of(company, order_id)
    assert [(rate.percent, rate.amount_minor) for rate in told.rates] == [(10, 101)]


def test_numbers_have_no_gaps_though_an_issue_dies(company, monkeypatch):
    first = invoice_of(company, company.sent(1)).number
    order_id = company.draft()
    company.take(order_id, cells(1))
    company.submit(order_id)

    def die(*_: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as broken:
        broken.setattr(issuing, "plan_prints", die)
        with pytest.raises(RuntimeError):
            company.issue(order_id)
    with pytest.raises(gifts.InvoiceNotFound):
        invoice_of(company, order_id)
    company.issue(order_id)
    numbers = [
        first,
        invoice_of(company, order_id).number,
        invoice_of(company, mixed(company)).number,
    ]
    assert [number.rpartition("-")[2] for number in numbers] == ["000001", "000002", "000003"]


def test_a_large_order_has_one_invoice_and_it_comes_last(company, monkeypatch):
    monkeypatch.setattr(issuing, "CHUNK", 2)
    order_id = mixed(company)
    assert invoice_of(company, order_id).lines[0].count == 7
    with pytest.raises(gifts.InvoiceNotFound):
        invoice_of(company, company.draft())


def test_taking_gifts_back_gives_value_back_and_no_fee_so_there_is_nothing_to_credit(company):
    order_id = company.sent(1)
    told, after = invoice_of(company, order_id), company.budget()
    (gift,) = company.gifts(order_id)
    with unit_of_work(company.as_("issuer")) as work:
        gifts.cancel_gift(work, gift.id, reason="typed wrong")
    assert company.budget() - after == told.untaxed_minor
    assert invoice_of(company, order_id) == told


@pytest.mark.parametrize("language", ["ja", "en"])
def test_the_paper_names_all_that_the_law_asks_for(company, language):
    told = invoice_of(company, mixed(company))
    said = words_of(gifts.draw_invoice(told, language))
    for each in (
        NUMBER,
        "株式会社みほん運営",
        "株式会社はなまる 総務部 御中",
        told.number,
        "35,869",
        "869",
        "79",
    ):
        assert each in said, each
    assert ("適格請求書" if language == "ja" else "Qualified invoice") in said
    assert ("対象外" if language == "ja" else "not taxed") in said
    assert ("10%対象" if language == "ja" else "Subject to 10 %") in said


def test_without_a_number_the_paper_says_so_and_shows_no_tax(house):
    company = make_company(contract=replace(AGREED, registration_number=""))
    said = words_of(gifts.draw_invoice(invoice_of(company, mixed(company)), "ja"))
    assert "この書類は適格請求書ではありません" in said
    assert "うち消費税" not in said
    assert "登録番号：" not in said


def test_a_title_that_no_paper_shows_is_left_out(company):
    order_id = company.sent(1, title="お歳暮 \U0001f381")
    said = words_of(gifts.draw_invoice(invoice_of(company, order_id), "ja"))
    assert "お歳暮" not in said
    assert f"第{company.order(order_id).number}号" in said


def read(toml: str) -> list[str]:
    folder = PackFolder(name="home", files={"gifts.toml": toml.encode()})
    problems = Problems()
    gifts.read_section(folder, ("gifts.toml",), problems)
    return [str(each) for each in problems.found]


PACK = """
unit = "JPY"
approve_above_minor = 0
unclaimed = "returned"
claim_days = 90
claim_days_max = 180
"""


def test_a_number_whose_check_digit_differs_or_that_is_nobodys_is_refused():
    named = '[invoicer]\nname = "みほん"\naddress = "架空県"\n'
    assert read(f'{PACK}registration_number = "{NUMBER}"\n{named}') == []
    assert "check digit" in read(f'{PACK}registration_number = "T7700110005901"\n{named}')[0]
    assert "nobody it is of" in read(f'{PACK}registration_number = "{NUMBER}"\n')[0]
    assert "cannot be printed" in read(PACK + named.replace("みほん", "\U0001f381"))[0]


def test_machines_read_the_numbers_and_take_the_paper(app, company):
    machine = Caller(app, company.scope, "gifts:read")
    order_id = mixed(company)
    shown = machine.get(f"/api/v1/gift-orders/{order_id}/invoice").json
    assert (shown["is_qualified"], shown["total_minor"]) == (True, 35_869)
    assert shown["rates"] == [{"percent": 10, "amount_minor": 869, "tax_minor": 79}]
    assert shown["billed"]["name"] == "株式会社はなまる 総務部 御中"
    taken = machine.get(f"/api/v1/gift-orders/{order_id}/invoice.pdf?language=en")
    assert (taken.status_code, taken.mimetype) == (200, "application/pdf")
    assert shown["number"] in words_of(taken.data)
    draft = machine.get(f"/api/v1/gift-orders/{company.draft()}/invoice")
    assert (draft.status_code, draft.json["code"]) == (404, "gift_invoice.not_found")
    other = Caller(app, make_gifts.make_company().scope, "gifts:read")
    assert other.get(f"/api/v1/gift-orders/{order_id}/invoice.pdf").status_code == 404
