"""A coupon with what its pages at the desk say about it beyond its own facts."""

from __future__ import annotations

from dataclasses import dataclass

from giftpad import coupons, programmes
from giftpad.kernel.work import Work
from giftpad.portals.issuer.print_runs import WORKING
from giftpad.portals.polling import pause_s
from giftpad.portals.programme_names import programme_name


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A coupon with what its pages say about it beyond its own facts."""

    coupon: coupons.CouponView
    programme: programmes.Programme
    batch: coupons.BatchView
    poll_s: int | None

    @property
    def state(self) -> str:
        """The state as people see it: what holds nothing any more is used up."""
        return "used_up" if self.is_empty else self.coupon.state

    @property
    def is_empty(self) -> bool:
        """Whether it is alive and holds nothing any more."""
        return self.coupon.state == "active" and self.coupon.balance_minor == 0

    @property
    def name(self) -> str:
        """What the programme is called."""
        return programme_name(self.programme)

    @property
    def can_be_stopped(self) -> bool:
        """Whether it can still be stopped."""
        return self.coupon.state in ("issued", "active")

    @property
    def can_be_replaced(self) -> bool:
        """Whether a new coupon may take its place: only what still holds something."""
        is_alive = self.coupon.state in ("issued", "active", "blocked")
        return is_alive and self.coupon.balance_minor > 0


def read_shown(work: Work, serial: str) -> Shown:
    """Return a coupon as its pages show it.

    Raises: CouponNotFound.
    """
    coupon = coupons.get_coupon(work, serial, with_payments=False)
    batch = coupons.get_batch(work, coupon.batch_id)
    return Shown(
        coupon=coupon,
        programme=programmes.get_programme(work, coupon.programme_id),
        batch=batch,
        poll_s=pause_s(batch.created_at, work.at) if batch.state in WORKING else None,
    )
