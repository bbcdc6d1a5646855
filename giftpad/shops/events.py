"""The facts shops publish."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from giftpad.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopImportOrdered(Event):
    """A file of shops was handed in; ``object_id`` is its import."""

    name: ClassVar[str] = "shop_import.ordered_v1"
