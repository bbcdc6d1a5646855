"""The page of one shop: what holds now, and what will differ from when on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from giftpad import shops
from giftpad.edge import current_scope
from giftpad.kernel.work import unit_of_work
from giftpad.portals.http import page
from giftpad.portals.issuer.shop_forms import COLUMN_WORDS, FACT_FIELDS, BranchForm


def draw_one(shop_id: UUID, branch_form: BranchForm, *, key: str) -> str:
    """Draw the page of one shop, with the form for one more place as it was typed.

    Raises: ShopNotFound.
    """
    with unit_of_work(current_scope()) as work:
        shop = shops.get_shop(work, shop_id)
    return page(
        "issuer/shops/one.html",
        nav_here="shops",
        shop=shop,
        facts=shop.facts,
        planned=list(_steps(shop)),
        branch_form=branch_form,
        key=key,
        columns=COLUMN_WORDS,
    )


def _steps(shop: shops.ShopView) -> Iterator[tuple[shops.DatedFacts, list[tuple[str, Any, Any]]]]:
    """Return each planned change with the fields that differ from what holds before it."""
    before = shop.facts
    for later in shop.planned:
        names = (*FACT_FIELDS, "accepting")
        differing = [
            (name, getattr(before, name), getattr(later.facts, name))
            for name in names
            if getattr(before, name) != getattr(later.facts, name)
        ]
        yield later, differing
        before = later.facts
