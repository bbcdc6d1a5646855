"""The recipient's own step: once, however many press at the same time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from giftpad import catalog, gifts, payments
from giftpad.kernel.codes import QR_TAIL_LENGTH
from giftpad.kernel.work import unit_of_work
from tests.make_gifts import HOME, VALUE, make_company

pytestmark = pytest.mark.usefixtures("house")
AT_ONCE = 50
CROWD = 10


@pytest.fixture
def company():
    return make_company()


@pytest.fixture
def gift(company):
    return company.gifts(company.sent(1))[0]


def letter(company, gift_id) -> gifts.Letter:
    with unit_of_work(company.scope) as work:
        return gifts.get_letter(work, gift_id)


def test_a_link_opens_the_gift_it_was_made_for_and_nothing_at_rest_does(company, gift):
    with unit_of_work(company.scope) as work:
        link = gifts.get_link(work, gift.id)
    head, _, tail = link.rpartition("/")
    assert head.endswith("/g")
    assert len(tail) == QR_TAIL_LENGTH
    tenant = payments.find_qr_tenant(tail)
    assert tenant is not None
    assert tenant.id == company.scope.tenant_id
    forged = tail[:-1] + ("0" if tail[-1] != "0" else "1")
    assert payments.find_qr_tenant(forged) is None


def test_what_is_claimed_is_what_stands_in_the_letter(company, gift):
    assert letter(company, gift.id).state == "open"
    company.claim(gift.id)
    after = letter(company, gift.id)
    assert after.state == "claimed"
    assert after.claim is not None
    assert (after.claim.address, after.claim.state) == (HOME, "received")
    assert after.claim.number.startswith("G-")
    assert company.progress(gift.order_id).claimed_minor == VALUE
    assert company.differences() == []


def test_the_same_press_again_is_the_same_claim(company, gift):
    assert company.claim(gift.id, key="k") == company.claim(gift.id, key="k")
    with pytest.raises(gifts.GiftOver) as refused:
        company.claim(gift.id, key="another")
    assert refused.value.params == {"state": "claimed"}


def test_of_fifty_claims_of_one_gift_one_wins(company, gift):
    def press(number):
        try:
            return company.claim(gift.id, key=f"k{number}")
        except gifts.GiftOver:
            return None

    with ThreadPoolExecutor(CROWD) as crowd:
        won = [each for each in crowd.map(press, range(AT_ONCE)) if each is not None]
    assert len(won) == 1
    assert company.differences() == []


def test_of_fifty_claims_of_the_last_piece_one_wins():
    company = make_company(stock=1)
    waiting = company.gifts(company.sent(AT_ONCE))

    def press(gift):
        try:
            return company.claim(gift.id)
        except catalog.SoldOut:
            return None

    with ThreadPoolExecutor(CROWD) as crowd:
        won = [each for each in crowd.map(press, waiting) if each is not None]
    assert len(won) == 1
    assert company.progress(waiting[0].order_id).claimed == 1
    assert company.differences() == []


def test_who_wants_what_is_gone_has_lost_nothing_and_can_choose_again():
    company = make_company(stock=1)
    first, second = company.gifts(company.sent(2))
    company.claim(first.id)
    with pytest.raises(catalog.SoldOut):
        company.claim(second.id)
    assert letter(company, second.id).state == "open"


def test_what_has_become_a_parcel_since_it_was_chosen_goes_to_no_door_and_is_not_claimed(
    company, gift
):
    nowhere = dict.fromkeys(("postcode", "prefecture", "city", "street", "phone"), "")
    with pytest.raises(catalog.ChoiceNotFound):
        company.claim(gift.id, **nowhere)
    assert letter(company, gift.id).state == "open"
    company.claim(gift.id)
    assert company.differences() == []


def test_what_is_not_to_be_had_after_all_gives_the_choice_back(company, gift, fresh_clock):
    claim_id = company.claim(gift.id)
    fresh_clock(timedelta(days=89))
    with unit_of_work(company.as_("support")) as work:
        gifts.choose_again(work, claim_id, reason="入荷しない")
    again = letter(company, gift.id)
    assert (again.state, again.claim) == ("open", None)
    assert again.claim_by > gift.claim_by, "there is time to choose"
    assert company.differences() == []
    company.claim(gift.id)
    assert company.progress(gift.order_id).claimed == 1
    assert company.differences() == []


def test_the_address_can_be_changed_until_it_ships(company, gift):
    company.claim(gift.id)
    elsewhere = replace(HOME, street="2-2", time_slot="evening")
    with unit_of_work(company.scope) as work:
        gifts.change_address(work, gift.id, elsewhere)
    claim = letter(company, gift.id).claim
    assert claim is not None
    assert claim.address == elsewhere


def test_thanks_are_read_by_the_sender_and_can_be_said_otherwise_for_a_day(
    company, gift, fresh_clock
):
    with pytest.raises(gifts.GiftWrongState), unit_of_work(company.scope) as work:
        gifts.thank(work, gift.id, stamp="thanks", words="まだです")
    company.claim(gift.id)
    for words in ("ありがとう", "ありがとうございました"):
        with unit_of_work(company.scope) as work:
            gifts.thank(work, gift.id, stamp="delicious", words=words)
    with unit_of_work(company.scope) as work:
        ((name, said),) = gifts.list_thanks(work, gift.order_id)
    assert (name, said.stamp, said.words) == ("受取 0", "delicious", "ありがとうございました")
    fresh_clock(timedelta(days=2))
    with pytest.raises(gifts.GiftWrongState), unit_of_work(company.scope) as work:
        gifts.thank(work, gift.id, stamp="thanks", words="おそい")


def test_a_gift_of_another_tenant_is_no_gift_here(company, gift):
    stranger = make_company()
    with pytest.raises(gifts.GiftNotFound), unit_of_work(stranger.scope) as work:
        gifts.get_letter(work, gift.id)


@pytest.mark.parametrize(
    ("field", "typed", "code"),
    [
        ("name", "", "required"),
        ("postcode", "100-00", "postcode"),
        ("prefecture", "江戸", "prefecture"),
        ("kana", "山田", "kana"),
        ("phone", "1", "phone"),
        ("email", "a@b", "mail"),
        ("wish", "あ" * 201, "too_long"),
    ],
)
def test_what_is_wrong_with_an_address_is_told_field_by_field(field, typed, code):
    right = {**HOME.as_json(), "postcode": "〒１００-０００１", "phone": "090-0000-0000"}
    assert gifts.clean_address(right) == HOME.__class__(
        **{**HOME.as_json(), "phone": "+819000000000"}
    )
    with pytest.raises(gifts.AddressFaulty) as refused:
        gifts.clean_address(right | {field: typed})
    faults = refused.value.params["faults"]
    assert isinstance(faults, dict)
    assert {name: fault["code"] for name, fault in faults.items()} == {field: code}
    assert gifts.ADDRESS_SENTENCES[code]
