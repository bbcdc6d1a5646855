"""What a balance shall buy: things at their own prices, until they cost what is left.

Hides: that the basket lies in the browser, so that nothing is set aside before it is sent.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from flask import Response

from giftpad import catalog, gifts
from giftpad.kernel.i18n import mark
from giftpad.kernel.work import Work
from giftpad.portals.gift.opened import keep_draft, read_draft
from giftpad.portals.http import see_other

TOO_DEAR = mark("This costs more than what is left. Take something out first.")
FULL = mark("You can ask for {most} things at once. Send these first.")

Pair = tuple[catalog.ProductView, catalog.VariantView]
Row = tuple[catalog.ProductView | None, catalog.VariantView | None, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Basket:
    """What is in the basket, and what is left of the balance; a course uses none.

    Each row has its place in the basket; it has no product where that cannot be had any more.
    """

    is_used: bool
    left_minor: int
    rows: tuple[Row, ...] = ()

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """What can be had of it."""
        return tuple(
            (product, variant)
            for product, variant, _ in self.rows
            if product is not None and variant is not None
        )

    @property
    def gone(self) -> bool:
        """Whether something of it cannot be had any more."""
        return len(self.pairs) < len(self.rows)

    @property
    def total_minor(self) -> int:
        """What all of it costs."""
        return sum(product.price_minor for product, _ in self.pairs)

    @property
    def rest_minor(self) -> int:
        """What is left when all of it is paid for; below 0 if it costs too much."""
        return self.left_minor - self.total_minor

    @property
    def price_max(self) -> int | None:
        """What one more thing may cost; None where things have no prices."""
        return max(self.rest_minor, 0) if self.is_used else None


def read_basket(work: Work, letter: gifts.Letter) -> Basket:
    """Return the basket of the gift that is open here; a course needs none."""
    if letter.kind != gifts.BALANCE:
        return Basket(is_used=False, left_minor=letter.left_minor)
    rows: list[Row] = []
    for place, (product_id, variant_id, _) in enumerate(read_draft().basket):
        found = find_pair(work, product_id, variant_id)
        can_be_had = found is not None and found[0].price_minor
        rows.append((*found, place) if found and can_be_had else (None, None, place))
    return Basket(is_used=True, left_minor=letter.left_minor, rows=tuple(rows))


def find_pair(work: Work, product_id: str, variant_id: str) -> Pair | None:
    """Return a product and its variant, as long as it can be had."""
    try:
        product = catalog.get_product(work, UUID(product_id))
    except catalog.ProductNotFound:
        return None
    for variant in product.variants:
        if str(variant.id) == variant_id and variant.is_available:
            return product, variant
    return None


def add_to_basket(basket: Basket, product: catalog.ProductView, variant_id: UUID) -> Response:
    """Put something into the basket, if it is not too dear, and show the basket."""
    if product.price_minor > basket.rest_minor:
        return see_other("gift_balance.show_basket", say=TOO_DEAR, kind="warning")
    draft = read_draft()
    if len(draft.basket) >= gifts.BASKET_MAX:
        params = {"most": gifts.BASKET_MAX}
        return see_other("gift_balance.show_basket", say=FULL, kind="info", params=params)
    response = see_other("gift_balance.show_basket")
    keep_draft(response, draft.add(product, variant_id))
    return response
