"""A row in every table of gifts, for tests that go through all tables."""

from __future__ import annotations

from dataclasses import replace
from datetime import time

from giftpad import gifts
from giftpad.kernel.config import Settings
from giftpad.kernel.work import Scope, unit_of_work
from tests import make_gifts, pump
from tests.make_balances import add_programme

ALL_HOURS = replace(make_gifts.CONTRACT, quiet_from=time(8), quiet_until=time(8))


def make_company(scope: Scope) -> make_gifts.Company:
    """Give a tenant a contract that sends at any hour, money, and something to choose."""
    make_gifts.set_contract(scope, ALL_HOURS)
    make_gifts.pay_in(scope, 100_000_000)
    course_id, variants = make_gifts.make_course(scope, stock=10_000)
    return make_gifts.Company(scope=scope, course_id=course_id, variants=variants)


def leave_rows(scope: Scope, settings: Settings) -> make_gifts.Company:
    """Make a company that has one of each: a draft with a file, gifts, a claim, thanks, cards.

    And a balance that somebody keeps.
    """
    company = make_company(scope)
    draft_id = company.draft()
    company.take(draft_id, make_gifts.cells(1))
    order_id = company.sent(1)
    with unit_of_work(scope) as work:
        gifts.keep_file(work, draft_id, b"name\nx\n")
        gifts.name_columns(work, "supplier", {})
        (gift,) = gifts.list_gifts(work, order_id).items
    company.claim(gift.id)
    with unit_of_work(scope) as work:
        gifts.thank(work, gift.id, stamp="thanks", words="ありがとう")
    card = company.gifts(company.sent(1, "card"))[0]
    with unit_of_work(scope) as work:
        gifts.replace_card(work, card.id, reason="lost")
    keep_one(company)
    pump.pump(settings)
    return company


def keep_one(company: make_gifts.Company) -> None:
    """Let somebody keep a balance."""
    programme_id = add_programme(company.scope)
    amount: dict[str, object] = {"kind": "balance", "amount_minor": 1000, "course_id": None}
    order_id = company.sent(1, programme_id=programme_id, **amount)
    with unit_of_work(company.scope) as work:
        (gift,) = gifts.list_gifts(work, order_id).items
        gifts.keep(work, gifts.KeepOrder(gift_id=gift.id, key="kept"))
