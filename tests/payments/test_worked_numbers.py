"""The numbers that the documentation works out are those the books show."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest

from giftpad import ledger, payments
from giftpad.kernel.work import unit_of_work
from tests import make

PAGE = Path(__file__).resolve().parents[2] / "docs" / "concepts" / "money.md"
KINDS = ("funding", "coupon", "shop_payable", "breakage")
LINE = re.compile(r"\| (\w+)((?: \w+)*) \| (-?\d+) \| (-?\d+) \| (-?\d+) \| (-?\d+) \|")


class Book:
    """What each line of the table does."""

    def __init__(self, town, clock):
        self.town, self.clock = town, clock
        self.terms_id = self.payment_id = None

    def issue(self, words):
        count, _, value = words.split()
        self.terms_id = make.issue(self.town, int(count), amount_minor=int(value))

    def pay(self, words):
        self.payment_id = payments.pay(self.town.scope, make.pay_order(self.town, int(words))).id

    def void(self, words):
        del words
        with unit_of_work(self.town.scope) as work:
            payments.void(work, self.payment_id)

    def refund(self, words):
        with unit_of_work(self.town.scope) as work:
            payments.refund(work, self.payment_id, int(words))

    def expire(self, words):
        del words
        self.clock(timedelta(days=91))
        first, last = (self.town.coupons[index].locator for index in (0, -1))
        with unit_of_work(self.town.scope) as work:
            payments.drain_terms(work, self.terms_id, first - 1, last_locator=last, limit=100)


@pytest.fixture
def book(house, fresh_clock):
    return Book(make.make_town(), fresh_clock)


def test_the_worked_numbers_of_the_money_page(book):
    lines = LINE.findall(PAGE.read_text("utf-8"))
    assert [line[0] for line in lines] == ["issue", "pay", "void", "pay", "refund", "expire"]
    for verb, words, *numbers in lines:
        getattr(book, verb)(words.strip())
        with unit_of_work(book.town.scope) as work:
            sums = ledger.sum_by_kind(work, book.town.programme_id)
        wanted = dict(zip(KINDS, map(int, numbers), strict=True))
        assert dict.fromkeys(KINDS, 0) | sums == wanted, verb
        assert sum(wanted.values()) == 0
    assert make.differences(book.town.scope) == []
