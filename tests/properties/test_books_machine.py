"""Whatever is done in whatever order, the books balance and equal a model in plain Python."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from giftpad import guard, ledger, payments, tenancy
from giftpad.kernel import codes
from giftpad.kernel.clock import local_date
from giftpad.kernel.errors import DomainError
from giftpad.kernel.seal import new_key
from giftpad.kernel.work import unit_of_work
from tests import make

CEILING = 600
FACE = 1000


@dataclass
class Held:
    """A coupon in the model: what it holds and whether it may be used."""

    balance: int
    locator: int
    qr: str
    state: str = "live"


@dataclass
class Bought:
    """A payment in the model."""

    held: int
    amount: int
    day: object
    refunded: int = 0
    voided: bool = False


class Books(RuleBasedStateMachine):
    """Issue, pay, repeat, void, refund, block, replace, expire and move the clock."""

    held = Bundle("held")
    bought = Bundle("bought")
    superuser_url = ""

    @initialize()
    def open(self):
        self.clock = timedelta(0)
        make.move_clock(self.superuser_url, self.clock)
        self.town = make.make_town(ceiling_minor=CEILING)
        self.town.ends_at = datetime.now(UTC) + timedelta(days=20)
        self.coupons: dict[int, Held] = {}
        self.payments: dict[UUID, Bought] = {}
        self.terms: list[tuple[UUID, int, int]] = []
        self.issued = self.breakage = self.taken = 0

    @property
    def now(self):
        return datetime.now(UTC) + self.clock

    @property
    def over(self):
        return self.now >= self.town.ends_at

    @rule(target=held, count=st.integers(1, 3))
    def issue(self, count):
        terms_id = make.issue(self.town, count, amount_minor=FACE)
        made = self.town.coupons[-count:]
        self.terms.append((terms_id, made[0].locator - 1, made[-1].locator))
        numbers = []
        for coupon in made:
            numbers.append(len(self.coupons))
            self.coupons[numbers[-1]] = Held(FACE, coupon.locator, coupon.qr)
        self.issued += count * FACE
        return multiple(*numbers)

    @rule(target=bought, number=held, amount=st.integers(1, 700), twice=st.booleans())
    def pay(self, number, amount, twice):
        coupon = self.coupons[number]
        expected = self._refusal(coupon, amount)
        order = make.pay_order(self.town, amount, code=coupon.qr)
        if expected is not None:
            with pytest.raises(DomainError) as refused:
                payments.pay(self.town.scope, order)
            assert refused.value.code == expected
            return multiple()
        paid = payments.pay(self.town.scope, order)
        coupon.balance -= amount
        self.taken += amount
        assert paid.balance_minor == coupon.balance
        if twice:
            assert payments.pay(self.town.scope, order) == paid
        self.payments[paid.id] = Bought(number, amount, local_date(paid.at, "Asia/Tokyo"))
        return paid.id

    def _refusal(self, coupon, amount):
        if coupon.state != "live":
            return f"instrument.{coupon.state}"
        if self.over:
            return "instrument.expired"
        if coupon.balance == 0:
            return "payment.insufficient_balance"
        if amount > CEILING:
            return "payment.over_ceiling"
        return "payment.insufficient_balance" if amount > coupon.balance else None

    @rule(payment_id=bought)
    def void(self, payment_id):
        bought = self.payments[payment_id]
        today = local_date(self.now, "Asia/Tokyo")
        may = not bought.voided and bought.refunded == 0 and bought.day == today
        self._give(payment_id, bought.amount, payments.void, may=may)
        bought.voided = bought.voided or may

    @rule(payment_id=bought, amount=st.integers(1, 700))
    def refund(self, payment_id, amount):
        bought = self.payments[payment_id]
        left = bought.amount - bought.refunded
        may = not bought.voided and amount <= left and not self.over
        self._give(payment_id, amount, lambda w, p: payments.refund(w, p, amount), may=may)
        bought.refunded += amount if may else 0

    def _give(self, payment_id, amount, give, *, may):
        coupon = self.coupons[self.payments[payment_id].held]
        if not may:
            with pytest.raises(DomainError), unit_of_work(self.town.scope) as work:
                give(work, payment_id)
            return
        with unit_of_work(self.town.scope) as work:
            given = give(work, payment_id)
        coupon.balance += amount
        self.taken -= amount
        assert given.balance_minor == coupon.balance

    @rule(number=held)
    def block_or_unblock(self, number):
        coupon = self.coupons[number]
        turn, new = {
            "live": (payments.block_instruments, "blocked"),
            "blocked": (payments.unblock_instruments, "live"),
            "replaced": (payments.block_instruments, "replaced"),
        }[coupon.state]
        with unit_of_work(self.town.scope) as work:
            assert turn(work, coupon.locator, coupon.locator) == (coupon.state != new)
        coupon.state = new

    @rule(target=held, number=held)
    def replace(self, number):
        old = self.coupons[number]
        if old.state == "replaced":
            return multiple()
        ring = tenancy.current_ring_key(self.town.tenant_id)
        with unit_of_work(self.town.scope) as work:
            locator = payments.take_locators(work, 1)
            (view,) = payments.get_instruments(work, old.locator, old.locator)
            symbols = codes.build_typed(new_key(), locator)
            code_hash = payments.hash_typed(payments.pepper(ring.key), self.town.tenant_id, symbols)
            payments.replace_instrument(
                work,
                old.locator,
                payments.Alias(locator=locator, code_hash=code_hash, terms_id=view.terms_id),
            )
        qr = codes.build_qr(
            make.ADDRESS, payments.qr_key(ring.key), ring.kid, self.town.tag, locator=locator
        )
        for index, (terms_id, first, last) in enumerate(self.terms):
            if terms_id == view.terms_id:
                self.terms[index] = (terms_id, first, max(last, locator))
        successor = len(self.coupons)
        self.coupons[successor] = Held(old.balance, locator, qr)
        old.state, old.balance = "replaced", 0
        for bought in self.payments.values():
            bought.held = successor if bought.held == number else bought.held
        return successor

    @rule(days=st.sampled_from([0.3, 1, 5, 25]))
    def time_passes(self, days):
        self.clock += timedelta(days=days)
        make.move_clock(self.superuser_url, self.clock)

    @rule()
    def expire(self):
        if not self.over:
            return
        for terms_id, first, last in self.terms:
            with unit_of_work(self.town.scope) as work:
                drained = payments.drain_terms(work, terms_id, first, last_locator=last, limit=500)
            self.breakage += drained.total_minor
        for coupon in self.coupons.values():
            coupon.balance = 0

    @invariant()
    def the_books_balance_and_equal_the_model(self):
        if not hasattr(self, "town"):
            return
        assert make.differences(self.town.scope) == []
        with unit_of_work(self.town.scope) as work:
            sums = ledger.sum_by_kind(work, self.town.programme_id)
            shown = {
                number: payments.get_instruments(work, coupon.locator, coupon.locator)[0]
                for number, coupon in self.coupons.items()
            }
        in_circulation = sum(coupon.balance for coupon in self.coupons.values())
        assert sums["funding"] == -self.issued
        assert sums.get("coupon", 0) == in_circulation
        assert sums.get("shop_payable", 0) == self.taken
        assert sums["breakage"] == self.breakage
        assert self.issued == in_circulation + self.taken + self.breakage
        for number, coupon in self.coupons.items():
            assert shown[number].state == coupon.state
            if coupon.state != "replaced":
                assert shown[number].balance_minor == coupon.balance


def test_any_order_of_events_keeps_the_books(house, superuser_url):
    machine = type("BooksHere", (Books,), {"superuser_url": superuser_url})
    guard.bind_redis("")
    try:
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=12,
                stateful_step_count=30,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
    finally:
        make.move_clock(superuser_url, timedelta(0))
