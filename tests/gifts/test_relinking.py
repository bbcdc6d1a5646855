"""A gift with another link: a lost card, and a gift passed on; once, whoever presses beside it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import sqlalchemy as sa

from giftpad import audit, gifts, messaging, payments
from giftpad.gifts import jobs
from giftpad.gifts.adapters import find_gift_tenant
from giftpad.gifts.commands.drafting import lock_order
from giftpad.gifts.models import GiftRow
from giftpad.gifts.queries.letters import open_person
from giftpad.kernel.errors import DomainError
from giftpad.kernel.ids import new_id
from giftpad.kernel.work import unit_of_work
from tests.make_balances import make_giver
from tests.make_gift_rows import ALL_HOURS
from tests.make_gifts import HOME, VALUE, let_leave, make_company, set_contract
from tests.waiting import wait_for_waiting

pytestmark = pytest.mark.usefixtures("house")
CROWD = 8


@pytest.fixture
def company():
    return make_company(contract=ALL_HOURS)


@pytest.fixture
def gift(company):
    """A gift that may be passed on."""
    return company.gifts(company.sent(1, can_be_passed_on=True))[0]


def locator_of(company, gift_id):
    with unit_of_work(company.scope) as work:
        link = gifts.get_link(work, gift_id)
    return find_gift_tenant(link.rpartition("/")[2])[1]


def replace_card(company, gift_id, **more):
    with unit_of_work(company.as_("support")) as work:
        return gifts.replace_card(work, gift_id, reason="lost", **more)


def wish(company, gift_id, **more):
    said = {
        "gift_id": gift_id,
        "locator": locator_of(company, gift_id),
        "key": new_id().hex,
        "name": "見本 次郎",
        "channel": "mail",
        "address": "jiro@example.com",
    }
    return gifts.PassOn(**said | more)


def pass_on(company, order):
    with unit_of_work(company.scope) as work:
        return gifts.pass_on(work, order)


def row_of(company, gift_id):
    with unit_of_work(company.scope) as work:
        row = work.session.get(GiftRow, (work.tenant_id, gift_id))
        return row.account_id, row.locator, open_person(row)


def view(company, gift_id):
    with unit_of_work(company.scope) as work:
        return gifts.get_gift(work, gift_id)


def claim_by(company, gift_id, locator):
    order = gifts.ClaimOrder(
        gift_id=gift_id,
        key=new_id().hex,
        variant_id=company.variants[0],
        address=HOME,
        locator=locator,
    )
    with unit_of_work(company.scope) as work:
        return gifts.claim(work, order)


def test_a_replaced_card_is_the_same_gift_on_the_same_account_and_nothing_moves(company):
    order_id = company.sent(2, "card")
    gift = company.gifts(order_id)[0]
    account, old, _ = row_of(company, gift.id)
    spent = company.budget()
    number = replace_card(company, gift.id)
    same, new, _ = row_of(company, gift.id)
    assert (same, new != old) == (account, True)
    assert number == 2, "a file of its own beside the order's"
    with unit_of_work(company.scope) as work:
        assert gifts.find_gift_id(work, old) is None
        assert gifts.find_link_change(work, old) == "replaced"
        assert gifts.find_gift_id(work, new) == gift.id
    assert (company.budget(), company.differences()) == (spent, [])


def test_the_new_file_holds_the_one_card_whatever_became_of_others(company):
    order_id = company.sent(3, "card")
    first, _, last = company.gifts(order_id)
    with unit_of_work(company.scope) as work:
        gifts.readdress(work, first.id, channel="mail", address="a@example.com")
    replace_card(company, last.id)
    from giftpad.gifts.commands.prints import start_print

    with unit_of_work(company.scope) as work:
        print_id = work.session.execute(
            sa.text("SELECT id FROM gift_prints WHERE order_id = :order AND number = 2"),
            {"order": order_id},
        ).scalar_one()
        task = start_print(work, print_id)
        link = gifts.get_link(work, last.id)
    assert [card.qr for card in task.cards] == [link.upper()]
    assert any(last.name in words for words in task.cards[0].words.values())


def test_the_new_card_does_not_wait_for_files_that_are_gone(company):
    order_id = company.sent(1, "card")
    replace_card(company, company.gifts(order_id)[0].id)
    with unit_of_work(company.scope) as work:
        work.session.execute(
            sa.text(
                "UPDATE gift_prints SET state = CASE number WHEN 1 THEN 'gone' ELSE 'ready' END,"
                " sha256 = CASE number WHEN 2 THEN 'ab' END, file_id = gen_random_uuid()"
                " WHERE order_id = :order"
            ),
            {"order": order_id},
        )
    with unit_of_work(company.scope) as work:
        (ticket,) = gifts.open_cards(work, order_id, number=2)
        with pytest.raises(gifts.PrintGone):
            gifts.open_cards(work, order_id)
        with pytest.raises(gifts.PrintNotFound):
            gifts.open_cards(work, order_id, number=3)
    assert (ticket.number, ticket.quantity) == (2, 1)


def test_each_replacement_is_counted_and_says_why(company):
    gift = company.gifts(company.sent(1, "card"))[0]
    for _ in range(2):
        replace_card(company, gift.id)
    with unit_of_work(company.scope) as work:
        wanted = audit.EntryFilter(actions=("gift.card_replaced",))
        counts = [each.details for each in audit.list_entries(work, wanted)]
    assert sorted(each["count"] for each in counts) == [1, 2]
    assert {each["reason"] for each in counts} == {"lost"}
    assert not any(each["same_person"] for each in counts), "nothing was chosen with it"


def test_a_lost_card_can_become_a_mail_with_a_link_of_its_own(company):
    gift = company.gifts(company.sent(1, "card"))[0]
    old = locator_of(company, gift.id)
    assert replace_card(company, gift.id, channel="mail", address="hanako@example.com") is None
    after = view(company, gift.id)
    assert (after.channel, after.delivery, after.address) == (
        "mail",
        "queued",
        "hanako@example.com",
    )
    assert locator_of(company, gift.id) != old


def test_whoever_replaces_a_card_waits_for_its_order_and_holds_up_no_other(company):
    """Locators last: whoever submits holds the deposit and wants one, with all other orders."""
    order_id = company.sent(1, "card")
    (gift,) = company.gifts(order_id)
    with ThreadPoolExecutor(1) as pool:
        with unit_of_work(company.scope) as work:
            lock_order(work, order_id)
            replacing = pool.submit(replace_card, company, gift.id)
            wait_for_waiting(work)
            with unit_of_work(company.scope, patience_s=2) as beside:
                assert payments.take_locators(beside, 1)
        assert replacing.result() == 2


@pytest.mark.parametrize("deed", ["pass_on", "readdress"])
def test_whoever_sends_a_new_link_waits_for_the_run_and_holds_up_nobody_elses_links(company, deed):
    order_id = company.sent(1, "mail", can_be_passed_on=True)
    (gift,) = company.gifts(order_id)
    let_leave(company.scope, order_id)
    run_id = company.order(order_id).run_id

    def relink():
        if deed == "pass_on":
            return pass_on(company, wish(company, gift.id))
        with unit_of_work(company.scope) as work:
            return gifts.readdress(work, gift.id, channel="mail", address="other@example.com")

    with ThreadPoolExecutor(1) as pool:
        with unit_of_work(company.scope) as work:
            messaging.lock_run(work, run_id)
            relinking = pool.submit(relink)
            wait_for_waiting(work)
            with unit_of_work(company.scope, patience_s=2) as beside:
                assert payments.take_locators(beside, 1)
        assert relinking.result() in (None, True)


@pytest.mark.parametrize("channel", ["link", "mail"])
def test_what_is_no_card_or_is_claimed_is_not_replaced(company, channel):
    gift = company.gifts(company.sent(1, channel))[0]
    with pytest.raises(gifts.GiftWrongState):
        replace_card(company, gift.id)
    claimed = company.gifts(company.sent(1, "card"))[0]
    company.claim(claimed.id)
    with pytest.raises(gifts.GiftWrongState):
        replace_card(company, claimed.id)


@pytest.mark.parametrize("channel", ["card", "mail"])
def test_what_was_bought_with_the_old_link_goes_to_the_same_person_only(channel):
    giver = make_giver()
    set_contract(giver.scope, ALL_HOURS)
    gift = giver.gifts(giver.sent(1, "card"))[0]
    giver.buy(gift.id, "CUP")
    locator = locator_of(giver, gift.id)
    more = {"channel": channel, "address": "hanako@example.com" if channel == "mail" else ""}
    with pytest.raises(gifts.PartlyTaken):
        replace_card(giver, gift.id, **more)
    assert locator_of(giver, gift.id) == locator
    replace_card(giver, gift.id, same_person=True, **more)
    assert locator_of(giver, gift.id) != locator
    assert len(giver.letter(gift.id).items) == 1


@pytest.mark.parametrize("channel", ["card", "mail"])
def test_a_choice_that_ran_out_keeps_its_gift_for_the_same_person(company, channel):
    gift = company.gifts(company.sent(1, "card"))[0]
    claim_id = company.claim(gift.id)
    with unit_of_work(company.scope) as work:
        gifts.choose_again(work, claim_id, reason="none left")
    locator = locator_of(company, gift.id)
    more = {"channel": channel, "address": "hanako@example.com" if channel == "mail" else ""}
    with pytest.raises(gifts.PartlyTaken):
        replace_card(company, gift.id, **more)
    assert locator_of(company, gift.id) == locator
    replace_card(company, gift.id, same_person=True, **more)
    assert locator_of(company, gift.id) != locator
    with unit_of_work(company.scope) as work:
        wanted = audit.EntryFilter(subjects=(f"gift:{gift.id}",))
        told = {each.action: each.details for each in audit.list_entries(work, wanted)}
    assert told["gift.card_replaced"]["same_person"]
    assert channel == "card" or told["gift.readdressed"]["same_person"]


def test_whoever_must_choose_again_may_pass_the_gift_on(company, gift):
    claim_id = company.claim(gift.id)
    with unit_of_work(company.scope) as work:
        gifts.choose_again(work, claim_id, reason="none left")
    pass_on(company, wish(company, gift.id))
    assert view(company, gift.id).passed_on_at is not None


def test_a_claim_by_a_link_that_was_changed_meanwhile_is_refused(company):
    gift = company.gifts(company.sent(1, "card"))[0]
    old = locator_of(company, gift.id)
    replace_card(company, gift.id)
    with pytest.raises(gifts.LinkChanged):
        claim_by(company, gift.id, old)
    assert view(company, gift.id).state == "outstanding"
    claim_by(company, gift.id, locator_of(company, gift.id))


def test_a_gift_is_passed_on_with_all_its_value_and_its_sender_sees_no_address(company, gift):
    before, old, first = row_of(company, gift.id)
    assert pass_on(company, wish(company, gift.id, passed_by="見本 花子")) is None
    after, new, person = row_of(company, gift.id)
    assert (after, new != old) == (before, True)
    assert (person["name"], person["address"]) == ("見本 次郎", "jiro@example.com")
    assert "見本 花子" in person["note"]
    seen = view(company, gift.id)
    assert (seen.name, seen.passed_on_at is not None) == (first["name"], True)
    assert "jiro" not in seen.name + seen.address
    with unit_of_work(company.scope) as work:
        assert gifts.find_link_change(work, old) == "passed_on"
        wanted = audit.EntryFilter(actions=("gift.passed_on",))
        (entry,) = audit.list_entries(work, wanted)
        assert "jiro" not in str(entry.details)
    assert company.differences() == []
    claim_by(company, gift.id, new)
    assert company.progress(gift.order_id).claimed_minor == VALUE


def test_a_letter_with_the_old_link_that_waits_never_leaves(company):
    (gift,) = company.gifts(company.sent(1, "mail", can_be_passed_on=True))
    pass_on(company, wish(company, gift.id))
    with unit_of_work(company.scope) as work:
        run = messaging.get_run(work, company.order(gift.order_id).run_id)
    assert (run.waiting, run.counts["expired"]) == (1, 1)


def test_thanks_for_a_gift_that_was_passed_on_name_nobody_its_sender_does_not_know(company, gift):
    pass_on(company, wish(company, gift.id))
    company.claim(gift.id)
    with unit_of_work(company.scope) as work:
        gifts.thank(work, gift.id, stamp="thanks", words="")
    with unit_of_work(company.scope) as work:
        ((name, _),) = gifts.list_thanks(work, gift.order_id)
    assert name == gift.name


def test_a_link_that_changed_with_the_address_says_so(company):
    (gift,) = company.gifts(company.sent(1))
    old = locator_of(company, gift.id)
    with unit_of_work(company.as_("support")) as work:
        assert gifts.readdress(work, gift.id, channel="mail", address="a@example.com")
    with unit_of_work(company.scope) as work:
        assert gifts.find_gift_id(work, old) is None
        assert gifts.find_link_change(work, old) == "readdressed"


def test_without_the_senders_word_nothing_is_passed_on(company):
    gift = company.gifts(company.sent(1))[0]
    with pytest.raises(gifts.NotPassedOn):
        pass_on(company, wish(company, gift.id))


def test_it_is_passed_on_once_only(company, gift):
    pass_on(company, wish(company, gift.id, channel="link", address=""))
    with pytest.raises(gifts.PassedOn):
        pass_on(company, wish(company, gift.id))


def test_the_same_form_again_gets_the_same_link_and_another_none(company, gift):
    order = wish(company, gift.id, channel="link", address="", name="")
    link = pass_on(company, order)
    assert link
    assert pass_on(company, order) == link
    other = gifts.PassOn(
        gift_id=gift.id, locator=order.locator, key=new_id().hex, name="", channel="link"
    )
    with pytest.raises(gifts.LinkChanged):
        pass_on(company, other)


def test_a_claimed_gift_is_not_passed_on(company, gift):
    company.claim(gift.id)
    with pytest.raises(gifts.GiftOver):
        pass_on(company, wish(company, gift.id))


@pytest.mark.parametrize(
    "deed",
    [
        gifts.show_link,
        gifts.resend,
        lambda work, gift_id: gifts.readdress(work, gift_id, channel="link", address=""),
    ],
    ids=["show", "resend", "readdress"],
)
def test_its_sender_gets_at_the_new_link_by_no_way(company, gift, deed):
    pass_on(company, wish(company, gift.id, channel="link", address=""))
    with unit_of_work(company.scope) as work, pytest.raises(gifts.PassedOn):
        deed(work, gift.id)
    with unit_of_work(company.scope) as work:
        assert gifts.list_links(work, gift.order_id) == []


def test_both_names_are_forgotten_in_the_end(company, gift, fresh_clock):
    pass_on(company, wish(company, gift.id))
    fresh_clock(timedelta(days=600))
    jobs.forget_old(company.scope)
    with unit_of_work(company.scope) as work:
        row = work.session.get(GiftRow, (work.tenant_id, gift.id))
        assert (row.person_sealed, row.first_sealed) == (b"", None)
    assert view(company, gift.id).name == ""


def together(*deeds):
    """Do things at the same time; return what each came to."""

    def one(deed):
        try:
            return deed()
        except DomainError as refusal:
            return refusal

    with ThreadPoolExecutor(len(deeds)) as pool:
        return list(pool.map(one, deeds))


def test_of_many_who_pass_one_gift_on_one_wins(company, gift):
    wishes = [wish(company, gift.id, address=f"p{at}@example.com") for at in range(CROWD)]
    came = together(*[lambda w=w: pass_on(company, w) for w in wishes])
    assert came.count(None) == 1
    assert sum(isinstance(each, gifts.LinkChanged) for each in came) == CROWD - 1
    winner = wishes[came.index(None)]
    assert row_of(company, gift.id)[2]["address"] == winner.address


@pytest.mark.parametrize("attempt", range(4))
def test_a_claim_beside_a_passing_on_leaves_one_owner(company, gift, attempt):
    old = locator_of(company, gift.id)
    order = wish(company, gift.id)
    deeds = [lambda: claim_by(company, gift.id, old), lambda: pass_on(company, order)]
    came = together(*(deeds if attempt % 2 else reversed(deeds)))
    refused = [each for each in came if isinstance(each, DomainError)]
    assert len(refused) == 1
    seen = view(company, gift.id)
    assert (seen.state == "claimed") == (seen.passed_on_at is None)
    assert company.differences() == []
