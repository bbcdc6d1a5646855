"""A balance: several things, what is left is kept, shops take it, and no yen is given twice."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa

from giftpad import coupons, events, gifts, payments, programmes
from giftpad.coupons import jobs as coupon_jobs
from giftpad.gifts import jobs
from giftpad.kernel.clock import local_date
from giftpad.kernel.errors import NotFound
from giftpad.kernel.work import unit_of_work
from tests.make_balances import AMOUNT, PRICES, VALID_DAYS, add_programme, make_giver
from tests.make_gifts import cells
from tests.pump import pump

pytestmark = pytest.mark.usefixtures("house")
AT_ONCE, CROWD = 50, 10
RICE, SOAP, CUP = PRICES["RICE"], PRICES["SOAP"], PRICES["CUP"]


@pytest.fixture
def giver():
    return make_giver()


def parts(giver, gift) -> tuple[int, int, int, int]:
    """Return what of a gift is left, claimed, cancelled and expired."""
    view = giver.now(gift.id)
    return view.left_minor, view.claimed_minor, view.cancelled_minor, view.expired_minor


def test_a_balance_buys_several_things_and_the_rest_stays(giver):
    gift = giver.gift()
    claims = giver.buy(gift.id, "RICE", "SOAP", "SOAP")
    assert len(set(claims)) == 3
    letter = giver.letter(gift.id)
    assert (letter.state, letter.left_minor) == ("open", AMOUNT - RICE - 2 * SOAP)
    assert sorted(item.value_minor for item in letter.items) == [SOAP, SOAP, RICE]
    assert len({item.number for item in letter.items}) == 3, "a supplier tells them apart"
    giver.buy(gift.id, "CUP")
    assert parts(giver, gift) == (100, AMOUNT - 100, 0, 0)
    with pytest.raises(gifts.BalanceTooSmall):
        giver.buy(gift.id, "CUP")
    assert parts(giver, gift) == (100, AMOUNT - 100, 0, 0)
    assert giver.differences() == []


def test_the_same_basket_again_is_the_same_claims(giver):
    gift = giver.gift()
    assert giver.buy(gift.id, "RICE", "CUP", key="k") == giver.buy(gift.id, "RICE", "CUP", key="k")
    assert parts(giver, gift)[1] == RICE + CUP


def test_what_is_gone_takes_nothing_else_with_it(giver):
    first, second = giver.gifts(giver.sent(2))
    giver.buy(first.id, "LAST")
    with pytest.raises(gifts.ItemGone) as refused:
        giver.buy(second.id, "RICE", "LAST", "CUP")
    assert refused.value.params == {"variant_id": str(giver.goods["LAST"])}
    assert parts(giver, second) == (AMOUNT, 0, 0, 0)
    assert len(giver.buy(second.id, "RICE", "CUP")) == 2, "the others can still be had"
    assert giver.differences() == []


def test_what_costs_something_else_than_was_said_is_not_taken(giver):
    gift = giver.gift()
    with pytest.raises(gifts.PricesChanged):
        giver.buy(gift.id, "RICE", total_minor=RICE - 1)
    assert parts(giver, gift) == (AMOUNT, 0, 0, 0)


def test_what_is_kept_is_spent_in_a_shop_like_a_coupon(giver, settings):
    gift = giver.gift()
    giver.buy(gift.id, "RICE")
    kept = giver.keep(gift.id)
    assert (kept.amount_minor, giver.now(gift.id).state) == (AMOUNT - RICE, "claimed")
    screen = giver.screen(kept)
    paid = giver.pay(screen.qr_text, 1000)
    assert paid.balance_minor == AMOUNT - RICE - 1000
    assert giver.pay(screen.typed_code, 200).balance_minor == AMOUNT - RICE - 1200
    with unit_of_work(giver.scope) as work:
        coupon = coupons.get_coupon(work, kept.serial)
        assert (coupon.state, coupon.balance_minor) == ("active", AMOUNT - RICE - 1200)
        assert coupons.list_batches(work) == [], "it is no print"
    pump(settings)
    progress = giver.progress(gift.order_id)
    assert (progress.kept, progress.used, progress.spent_minor) == (1, 1, 1200)
    with unit_of_work(giver.scope) as work:
        payments.refund(work, paid.id, None, reason="返品")
    pump(settings)
    assert giver.progress(gift.order_id).spent_minor == 200
    assert giver.differences() == []


def told(giver, name: str) -> list[UUID]:
    """Return the events of a name that the giver's tenant has published."""
    with unit_of_work(giver.scope) as work:
        found = sa.text("SELECT id FROM event_outbox WHERE tenant_id = :t AND name = :n")
        return list(work.session.scalars(found, {"t": work.tenant_id, "n": name}))


def test_payments_of_several_balances_in_one_delivery_are_summed_once(giver):
    gifts_made = giver.gifts(giver.sent(3))
    often, once, never = (giver.keep(gift.id) for gift in gifts_made)
    paid = [giver.pay(giver.screen(often).qr_text, amount) for amount in (1000, 300, 50)]
    giver.pay(giver.screen(once).qr_text, 700)

    def spent() -> list[tuple[int, bool]]:
        kept = [giver.letter(gift.id).kept[0] for gift in gifts_made]
        return [(each.spent_minor, each.used_at is not None) for each in kept]

    captured = told(giver, "payment.captured_v1")
    for count in (4, 0):  # it comes again, as after a lost answer
        taken = events.deliver(giver.scope, ["gifts.note_paid"], "payment.captured_v1", captured)
        assert taken == count
        assert spent() == [(1350, True), (700, True), (0, False)]
    with unit_of_work(giver.scope) as work:
        payments.refund(work, paid[0].id, None, reason="返品")
        payments.refund(work, paid[1].id, 100, reason="返品")
    refunded = told(giver, "payment.refunded_v1")
    for count in (2, 0):
        name = "payment.refunded_v1"
        assert events.deliver(giver.scope, ["gifts.note_refunded"], name, refunded) == count
        assert spent() == [(250, True), (700, True), (0, False)]
    used_at = giver.letter(gifts_made[0].id).kept[0].used_at
    giver.pay(giver.screen(often).qr_text, 10)
    later = [each for each in told(giver, "payment.captured_v1") if each not in captured]
    events.deliver(giver.scope, ["gifts.note_paid"], "payment.captured_v1", [*captured, *later])
    assert spent()[0] == (260, True)
    assert giver.letter(gifts_made[0].id).kept[0].used_at == used_at, "the first time it was used"
    assert (never.spent_minor, giver.differences()) == (0, [])


def test_a_lost_phone_is_a_lost_coupon_and_nothing_is_lost(giver, settings):
    gift = giver.gift()
    kept = giver.keep(gift.id)
    screen = giver.screen(kept)
    giver.pay(screen.qr_text, 1000)
    with unit_of_work(giver.scope) as work:
        batch_id = coupons.get_coupon(work, kept.serial).batch_id
    with pytest.raises(NotFound), unit_of_work(giver.scope) as work:
        coupons.reprint(work, batch_id)
    with unit_of_work(giver.scope) as work:
        coupons.replace(work, kept.serial, reason="紛失")
    pump(settings)
    with pytest.raises(payments.REFUSALS["instrument.replaced"]):
        giver.pay(screen.qr_text, 100)
    with unit_of_work(giver.scope) as work:
        successor = coupons.get_live_coupon(work, kept.locator)
        listed = [batch.replaces for batch in coupons.list_batches(work)]
    assert (successor.balance_minor, successor.ends_on) == (AMOUNT - 1000, kept.ends_on)
    assert listed == [kept.serial], "the paper that takes its place is a print"
    assert giver.differences() == []


def test_the_typed_code_lives_as_long_as_what_is_kept(giver, fresh_clock):
    kept = giver.keep(giver.gift().id)
    fresh_clock(timedelta(days=60))
    coupon_jobs.destroy_due_prints(giver.scope)
    assert giver.screen(kept).typed_code, "thirty days after a release are for paper"
    fresh_clock(timedelta(days=VALID_DAYS + 40))
    coupon_jobs.destroy_due_prints(giver.scope)
    assert giver.screen(kept).typed_code == ""


def test_of_fifty_presses_at_once_one_keeps_and_nothing_is_double(giver):
    gift = giver.gift()

    def press(number):
        try:
            return giver.keep(gift.id, key=f"k{number % 5}").id
        except gifts.GiftOver:
            return None

    with ThreadPoolExecutor(CROWD) as crowd:
        done = list(crowd.map(press, range(AT_ONCE)))
    assert len({each for each in done if each is not None}) == 1
    assert done.count(None) < AT_ONCE
    assert parts(giver, gift) == (0, AMOUNT, 0, 0)
    assert [kept.amount_minor for kept in giver.letter(gift.id).kept] == [AMOUNT]
    assert giver.differences() == []


def test_the_same_press_again_is_the_same_keeping(giver):
    gift = giver.gift()
    assert giver.keep(gift.id, key="k").id == giver.keep(gift.id, key="k").id
    with pytest.raises(gifts.GiftOver):
        giver.keep(gift.id, key="another")


def test_of_baskets_and_keeping_at_once_no_yen_goes_twice(giver):
    gift = giver.gift()

    def press(number):
        try:
            if number % 3:
                giver.buy(gift.id, "RICE", "SOAP") if number % 2 else giver.buy(gift.id, "SOAP")
            else:
                giver.keep(gift.id)
        except (gifts.GiftOver, gifts.BalanceTooSmall):
            return

    with ThreadPoolExecutor(CROWD) as crowd:
        list(crowd.map(press, range(AT_ONCE)))
    letter = giver.letter(gift.id)
    bought = sum(item.value_minor for item in letter.items)
    kept = sum(each.amount_minor for each in letter.kept)
    assert bought + kept == AMOUNT
    assert parts(giver, gift) == (0, AMOUNT, 0, 0)
    assert giver.differences() == []


def test_the_rest_of_what_is_partly_claimed_is_taken_back(giver):
    gift = giver.gift()
    giver.buy(gift.id, "RICE")
    before = giver.budget()
    with unit_of_work(giver.as_("support")) as work:
        gifts.cancel_gift(work, gift.id, reason="中止")
    assert parts(giver, gift) == (0, RICE, AMOUNT - RICE, 0)
    assert giver.budget() == before + AMOUNT - RICE
    with pytest.raises(gifts.GiftOver):
        giver.keep(gift.id)
    assert giver.differences() == []


def test_the_worked_example(giver, fresh_clock):
    start = giver.budget()
    order_id = giver.sent(3)
    first, second, third = giver.gifts(order_id)
    giver.buy(first.id, "RICE", "SOAP")
    kept = giver.keep(first.id)
    giver.pay(giver.screen(kept).qr_text, 1380)
    assert giver.budget() == start - 3 * AMOUNT - 300
    giver.buy(second.id, "RICE")
    with unit_of_work(giver.as_("support")) as work:
        gifts.cancel_gift(work, second.id, reason="中止")
    giver.buy(third.id, "SOAP")
    fresh_clock(timedelta(days=100))
    jobs.end_due(giver.scope)
    each = [parts(giver, gift) for gift in (first, second, third)]
    left, claimed, cancelled, expired = (sum(part) for part in zip(*each, strict=True))
    assert (left, claimed, cancelled, expired) == (0, 8000, 3200, 3800)
    assert giver.budget() == start - 3 * AMOUNT - 300 + 3200 + 3800
    assert giver.differences() == []


def test_the_rest_of_many_is_taken_back_at_once(giver):
    order_id = giver.sent(3)
    first, second, _ = giver.gifts(order_id)
    giver.buy(first.id, "RICE")
    giver.keep(second.id)
    with unit_of_work(giver.as_("approver")) as work:
        assert gifts.cancel_rest(work, order_id, reason="中止") == 2
    assert parts(giver, first) == (0, RICE, AMOUNT - RICE, 0)
    assert parts(giver, second) == (0, AMOUNT, 0, 0)
    assert giver.progress(order_id).claimed_minor == RICE + AMOUNT
    assert giver.differences() == []


def test_the_rest_of_what_is_partly_claimed_runs_out(giver, fresh_clock):
    gift = giver.gift()
    giver.buy(gift.id, "RICE")
    before = giver.budget()
    fresh_clock(timedelta(days=100))
    jobs.end_due(giver.scope)
    assert parts(giver, gift) == (0, RICE, 0, AMOUNT - RICE)
    assert giver.budget() == before + AMOUNT - RICE
    assert giver.order(gift.order_id).state == "closed"
    assert giver.differences() == []


def test_what_is_not_to_be_had_after_all_comes_back_and_can_be_kept(giver):
    gift = giver.gift()
    rice, _ = giver.buy(gift.id, "RICE", "SOAP")
    giver.keep(gift.id)
    claims = {claim.id: claim for claim in giver.letter(gift.id).items}
    with unit_of_work(giver.as_("support")) as work:
        gifts.choose_again(work, rice, reason="入荷しない")
    back = claims[rice].value_minor
    assert parts(giver, gift) == (back, AMOUNT - back, 0, 0)
    giver.keep(gift.id)
    kept = [each.amount_minor for each in giver.letter(gift.id).kept]
    assert kept == [AMOUNT - RICE - SOAP, back]
    assert giver.differences() == []


def test_what_is_kept_lives_no_longer_than_its_programme_says(giver, fresh_clock):
    gift = giver.gift()
    with unit_of_work(giver.scope) as work:
        today = local_date(work.at, "Asia/Tokyo")
        programme = programmes.get_programme(work, giver.programme_id)
        last = programmes.coupon_validity(programme, today)[1]
    fresh_clock(timedelta(days=80))
    kept = giver.keep(gift.id)
    assert kept.ends_on == last, "counted from the day the gift went out, not from the keeping"
    screen = giver.screen(kept)
    fresh_clock(timedelta(days=VALID_DAYS - 1))
    giver.pay(screen.qr_text, 300)
    fresh_clock(timedelta(days=VALID_DAYS + 1))
    with pytest.raises(payments.REFUSALS["instrument.expired"]):
        giver.pay(screen.qr_text, 300)
    coupon_jobs.expire_due(giver.scope)
    with unit_of_work(giver.scope) as work:
        coupon = coupons.get_coupon(work, kept.serial)
    assert (coupon.state, coupon.balance_minor) == ("expired", 0)
    assert giver.differences() == []


def test_nobody_gets_more_time_than_the_programme_gives(giver):
    gift = giver.gift()
    until = giver.order(gift.order_id).balance_until
    with pytest.raises(gifts.OrderUnfit), unit_of_work(giver.as_("support")) as work:
        gifts.extend_gift(work, gift.id, until + timedelta(days=1), reason="休暇")
    with unit_of_work(giver.as_("support")) as work:
        gifts.extend_gift(work, gift.id, until, reason="休暇")
    order_id = giver.draft(claim_by=until + timedelta(days=1))
    giver.take(order_id, cells(1))
    with pytest.raises(gifts.OrderUnfit) as refused:
        giver.submit(order_id)
    assert refused.value.params["field"] == "claim_by"


def test_only_a_programme_that_takes_gifts_can_be_named(giver):
    closed = add_programme(giver.scope, "NO", takes_gifts=False)
    with pytest.raises(gifts.OrderUnfit):
        giver.draft(programme_id=closed)
    stranger = make_giver()
    with pytest.raises(programmes.ProgrammeNotFound):
        giver.draft(programme_id=stranger.programme_id)
    for amount_minor in (0, gifts.AMOUNT_MINOR_MAX + 1):
        with pytest.raises(gifts.OrderUnfit):
            giver.draft(amount_minor=amount_minor)


@pytest.mark.parametrize(
    ("more", "missing"),
    [
        ({"amount_minor": None}, "amount_minor"),
        ({"programme_id": None, "course_id": None}, "programme_id"),
    ],
)
def test_an_order_of_balances_says_how_much_and_for_what(giver, more, missing):
    order_id = giver.draft(**more)
    giver.take(order_id, cells(1))
    with pytest.raises(gifts.OrderIncomplete) as refused:
        giver.submit(order_id)
    assert refused.value.params == {"missing": missing}


def test_a_balance_does_only_what_its_order_says(giver):
    bought_only, kept_only = giver.gift(programme_id=None), giver.gift(course_id=None)
    with pytest.raises(gifts.GiftWrongState):
        giver.keep(bought_only.id)
    with pytest.raises(gifts.GiftWrongState):
        giver.buy(kept_only.id, "RICE")
    giver.buy(bought_only.id, "RICE")
    assert giver.keep(kept_only.id).amount_minor == AMOUNT
    assert giver.differences() == []


def test_a_balance_of_another_tenant_is_none_here(giver):
    gift, stranger = giver.gift(), make_giver()
    with pytest.raises(gifts.GiftNotFound):
        stranger.keep(gift.id)
    with pytest.raises(gifts.GiftNotFound):
        stranger.buy(gift.id, "RICE")
    kept = giver.keep(gift.id)
    with pytest.raises(NotFound), unit_of_work(stranger.scope) as work:
        coupons.get_screen(work, kept.locator)


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        ("UPDATE gift_balances SET amount_minor = amount_minor - 1 WHERE gift_id = :gift", "kept"),
        (
            "UPDATE gifts SET expired_minor = 1, claimed_minor = value_minor - 1 WHERE id = :gift",
            "expired",
        ),
        ("DELETE FROM gift_balances WHERE gift_id = :gift", "no paper"),
    ],
)
def test_the_proof_sees_what_was_spoilt(giver, spoil, told):
    gift = giver.gift()
    giver.keep(gift.id)
    with unit_of_work(giver.scope) as work:
        work.session.execute(sa.text(spoil), {"gift": gift.id})
    assert any(told in each for each in giver.differences())
