"""What the benchmarks of one run share: the product, its coupons, the peer, the rows so far."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from bench.peer import Peer
from bench.product import Product
from bench.rows import Row

if TYPE_CHECKING:
    from bench.payments import Leg

COUPONS, COUPONS_SHORT = 200_000, 20_000
SECONDS, SECONDS_SHORT = 30.0, 5.0
SEED = 20_260_401


@dataclass
class Run:
    """One run on one product; a benchmark is a function of it that returns its row."""

    product: Product
    is_short: bool = False
    rows: dict[str, Row] = field(default_factory=dict)
    leg: Leg | None = None
    """What B1 measured, for B6."""

    @property
    def seconds(self) -> float:
        """How long one leg is measured."""
        return SECONDS_SHORT if self.is_short else SECONDS

    @cached_property
    def codes(self) -> Sequence[str]:
        """The codes of all coupons, in no order; each coupon is worth 1,000 at first."""
        codes = self.product.coupons(COUPONS_SHORT if self.is_short else COUPONS)
        random.Random(SEED).shuffle(codes)  # noqa: S311 - an order, not a secret
        return codes

    @cached_property
    def peer(self) -> Peer:
        """The peer in the same database server, filled."""
        return Peer.fill(self.product, is_short=self.is_short)
