"""Lists for suppliers: each parcel on one, at the address its recipient believes in."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from giftpad import gifts
from giftpad.kernel.work import unit_of_work
from tests.make_gifts import HOME, make_company

pytestmark = pytest.mark.usefixtures("house")
SUPPLIER = "みほん農園"
CLAIMS = 30
DESKS = 4


@pytest.fixture
def company():
    return make_company()


def take_list(company):
    """Take a list out and read it at once; return its lines by the id of the claim."""
    with unit_of_work(company.as_("support")) as work:
        list_id, count = gifts.take_list(work, SUPPLIER)
    if list_id is None:
        return {}
    with unit_of_work(company.as_("support")) as work:
        items = gifts.list_listed(work, list_id, limit=500).items
    assert len(items) == count
    return {each.claim.id: each.claim.address for each in items}


def test_claims_that_come_in_while_lists_are_taken_out_stand_on_one_list_each(company):
    waiting = company.gifts(company.sent(CLAIMS))
    is_over = threading.Event()

    def sit_at_a_desk(_):
        found = []
        while not is_over.is_set():
            found += take_list(company)
        return found

    with ThreadPoolExecutor(DESKS + DESKS) as crowd:
        desks = [crowd.submit(sit_at_a_desk, number) for number in range(DESKS)]
        claimed = list(crowd.map(lambda gift: company.claim(gift.id), waiting))
        is_over.set()
    listed = [claim_id for desk in desks for claim_id in desk.result()] + list(take_list(company))
    assert sorted(listed) == sorted(claimed)


def test_a_list_has_the_address_that_was_promised_last(company):
    waiting = company.gifts(company.sent(CLAIMS))
    claims = {gift.id: company.claim(gift.id) for gift in waiting}
    elsewhere = replace(HOME, street="2-2")
    begins = threading.Barrier(DESKS)

    def change(gifts_of_one):
        begins.wait()
        changed = set()
        for gift in gifts_of_one:
            try:
                with unit_of_work(company.scope) as work:
                    gifts.change_address(work, gift.id, elsewhere)
            except gifts.ClaimSent:
                continue
            changed.add(claims[gift.id])
        return changed

    with ThreadPoolExecutor(DESKS) as crowd:
        parts = [crowd.submit(change, waiting[at :: DESKS - 1]) for at in range(DESKS - 1)]
        begins.wait()
        listed = take_list(company)
    promised = {claim_id for part in parts for claim_id in part.result()}
    assert len(listed) == CLAIMS
    assert {claim_id for claim_id, to in listed.items() if to == elsewhere} == promised


def test_a_parcel_that_goes_out_once_more_is_on_the_next_list_and_no_longer_on_the_last(company):
    (gift,) = company.gifts(company.sent(1))
    claim_id = company.claim(gift.id)
    with unit_of_work(company.as_("support")) as work:
        first, _ = gifts.take_list(work, SUPPLIER)
        number = gifts.get_parcel(work, claim_id).claim.number
        gifts.note_shipped(
            work, [gifts.Shipped(line=2, number=number, carrier="架空便", tracking="1")]
        )
        gifts.note_returned(work, claim_id, reason="不在")
        gifts.send_once_more(work, claim_id, reason="不在")
    assert list(take_list(company)) == [claim_id]
    with unit_of_work(company.scope) as work, pytest.raises(gifts.ListNotFound):
        gifts.get_list(work, first)


def test_a_parcel_of_what_was_withdrawn_is_not_taken_for_what_was_chosen_instead(company):
    (gift,) = company.gifts(company.sent(1))
    gone = company.claim(gift.id)
    take_list(company)
    with unit_of_work(company.as_("support")) as work:
        number = gifts.get_parcel(work, gone).claim.number
        gifts.choose_again(work, gone, reason="在庫なし")
    chosen = company.claim(gift.id)
    with unit_of_work(company.as_("support")) as work:
        line = gifts.Shipped(line=2, number=number, carrier="架空便", tracking="1")
        count, faults = gifts.note_shipped(work, [line])
        now = gifts.get_parcel(work, chosen).claim
    assert (count, [fault.code for fault in faults]) == (0, ["number.unknown"])
    assert (now.state, now.number != number) == ("received", True)
    assert list(take_list(company)) == [chosen]
