"""How far a print run is: which states are work in progress."""

from __future__ import annotations

from giftpad.coupons import BatchView

WORKING = frozenset({"ordered", "issuing", "printing", "verifying"})
_VOLUMES_MOVING = frozenset({"due", "printing", "verifying"})


def is_printing_again(batch: BatchView) -> bool:
    """Whether files of a released run are made anew; its coupons are spent meanwhile."""
    is_moving = any(volume.state in _VOLUMES_MOVING for volume in batch.volumes)
    return batch.state == "released" and is_moving


def is_moving(batch: BatchView) -> bool:
    """Whether a look at it later may show more."""
    return batch.state in WORKING or is_printing_again(batch)
