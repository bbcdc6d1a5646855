"""The facts the catalogue publishes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from giftpad.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogImportOrdered(Event):
    """A file of products was handed in to be checked; ``object_id`` is its import."""

    name: ClassVar[str] = "catalog_import.ordered_v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogImportConfirmed(Event):
    """A checked file of products is to be taken in; ``object_id`` is its import."""

    name: ClassVar[str] = "catalog_import.confirmed_v1"
