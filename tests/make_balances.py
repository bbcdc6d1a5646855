"""A company that gives amounts: products with prices of their own, a programme that takes gifts."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from uuid import UUID

from giftpad import coupons, gifts, payments, programmes
from giftpad.kernel.ids import new_id
from giftpad.kernel.work import Scope, unit_of_work
from tests.make import add_shop, make_tenant
from tests.make_catalog import Shelf
from tests.make_catalog import make_course as make_catalogue_course
from tests.make_gifts import CONTRACT, HOME, Company, pay_in, set_contract

AMOUNT = 5000
PRICES = {"RICE": 1800, "SOAP": 1200, "CUP": 700, "LAST": 900}
OWN_COURSE = "OWN-B"
VALID_DAYS = 120


def add_programme(scope: Scope, prefix: str = "GB", *, takes_gifts: bool = True) -> UUID:
    """Set a programme up in which gifts can be kept, and return its id."""
    terms = programmes.Terms(
        slug=f"programme-{prefix.lower()}",
        names={"ja": "見本ギフト残高", "en": "Sample gift balance"},
        unit="JPY",
        starts_on=date(2020, 1, 1),
        ends_on=date(2099, 3, 31),
        groups=("common",),
        areas=("east",),
        ceiling_minor=None,
        validity=programmes.Validity(days=VALID_DAYS),
        serial_prefix=prefix,
        face_text={"ja": ("取扱店でお使いください。",), "en": ("Use it in shops.",)},
        template="coupon_a4_8up",
        spendable_from="release",
        quantity_max=1000,
        face_value_min_minor=500,
        face_value_max_minor=10_000,
        gifts=takes_gifts,
    )
    with unit_of_work(scope) as work:
        return programmes.set_programme(work, terms)[0]


@dataclass(kw_only=True)
class Giver(Company):
    """A company whose gifts are balances of 5,000."""

    programme_id: UUID
    shop_id: UUID
    goods: dict[str, UUID] = field(default_factory=dict)

    def draft(self, **more: object) -> UUID:
        """Begin an order of balances that lacks nothing but recipients."""
        said = {"kind": "balance", "amount_minor": AMOUNT, "programme_id": self.programme_id}
        return super().draft(**(said | more))

    def gift(self, **more: object) -> gifts.GiftView:
        """Return a balance that nobody has used."""
        return self.gifts(self.sent(1, **more))[0]  # type: ignore[arg-type]

    def now(self, gift_id: UUID) -> gifts.GiftView:
        """Return a gift as its sender sees it now."""
        with unit_of_work(self.scope) as work:
            return gifts.get_gift(work, gift_id)

    def letter(self, gift_id: UUID) -> gifts.Letter:
        """Return a gift as its recipient sees it now."""
        with unit_of_work(self.scope) as work:
            return gifts.get_letter(work, gift_id)

    def buy(self, gift_id: UUID, *codes: str, key: str = "", **more: object) -> list[UUID]:
        """Let a balance buy things."""
        told = more.pop("total_minor", sum(PRICES[code] for code in codes))
        order = gifts.BasketOrder(
            gift_id=gift_id,
            key=key or new_id().hex,
            variant_ids=tuple(self.goods[code] for code in codes),
            total_minor=told,  # type: ignore[arg-type]
            address=replace(HOME, **more),  # type: ignore[arg-type]
        )
        with unit_of_work(self.scope) as work:
            return gifts.claim_items(work, order)

    def keep(self, gift_id: UUID, *, key: str = "") -> gifts.KeptView:
        """Keep what is left."""
        with unit_of_work(self.scope) as work:
            gifts.keep(work, gifts.KeepOrder(gift_id=gift_id, key=key or new_id().hex))
        return self.letter(gift_id).kept[-1]

    def screen(self, kept: gifts.KeptView) -> coupons.Screen:
        """Return what the holder's screen shows."""
        with unit_of_work(self.scope) as work:
            return coupons.get_screen(work, kept.locator)

    def pay(self, code: str, amount_minor: int) -> payments.Paid:
        """Pay in the shop."""
        order = payments.PayOrder(
            kind="coupon",
            code=code,
            shop_id=self.shop_id,
            amount_minor=amount_minor,
            key=new_id().hex,
            request_hash=b"hash",
        )
        return payments.pay(self.scope, order)

    def differences(self) -> list[str]:
        """Return what is wrong in the books, by every proof there is."""
        with unit_of_work(self.scope) as work:
            return super().differences() + [str(each) for each in payments.verify(work)]


def make_giver(*, scope: Scope | None = None, takes_gifts: bool = True) -> Giver:
    """Make a company that can order balances, with a shop that takes what is kept."""
    scope = scope or make_tenant(kind="corporate")
    set_contract(scope, CONTRACT)
    pay_in(scope, 10_000_000)
    shelf = Shelf(scope=scope, course_id=make_catalogue_course(scope, OWN_COURSE, 5000))
    shelf.put(
        *(
            f"{code},見本{code},goods,くらし,みほん農園,{price},7,{OWN_COURSE},"
            f"{1 if code == 'LAST' else 100},"
            for code, price in PRICES.items()
        )
    )
    return Giver(
        scope=scope,
        course_id=shelf.course_id,
        programme_id=add_programme(scope, takes_gifts=takes_gifts),
        shop_id=add_shop(scope),
        goods={code: shelf.variant(code).id for code in PRICES},
    )
