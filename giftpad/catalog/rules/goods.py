"""What can be chosen, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from giftpad.kernel.i18n import DEFAULT_LOCALE

KINDS = ("goods", "digital", "donation")
STATES = ("active", "hidden")
PICTURES_MAX = 5
"""Pictures of one product."""


def text_in(texts: Mapping[str, str], locale: str) -> str:
    """Return a text in ``locale``, or as the house writes it, or in any language there is."""
    return texts.get(locale) or texts.get(DEFAULT_LOCALE) or next(iter(texts.values()), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What a gift of one price is chosen from; ``choice_count`` can be had now.

    It is given from ``starts_on`` to ``ends_on``, both included.  Whoever was given it may choose
    as long as the gift lets them.
    """

    id: UUID
    code: str
    names: Mapping[str, str]
    price_minor: int
    unit: str
    starts_on: date
    ends_on: date
    choice_count: int

    def name_in(self, locale: str) -> str:
        """Return the course's name in a language."""
        return text_in(self.names, locale)


@dataclass(frozen=True, slots=True, kw_only=True)
class CourseFacts:
    """What a course is made of or changed to."""

    code: str
    names: Mapping[str, str]
    price_minor: int
    unit: str
    starts_on: date
    ends_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantView:
    """One kind of a product; ``stock`` and ``daily_limit`` are None where there is no end.

    ``taken_today`` counts only where there is a limit for a day.
    """

    id: UUID
    code: str
    names: Mapping[str, str]
    is_available: bool
    stock: int | None = None
    daily_limit: int | None = None
    taken_today: int = 0

    def name_in(self, locale: str) -> str:
        """Return the variant's name in a language; empty where the product has only one."""
        return text_in(self.names, locale)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductView:
    """A product with its variants, as it is now.

    ``price_minor`` and ``supplier`` are for the tenant's own people, not for who chooses.
    """

    id: UUID
    code: str
    kind: str
    names: Mapping[str, str]
    descriptions: Mapping[str, str]
    category: str
    category_names: Mapping[str, str]
    supplier: str
    allergens: tuple[str, ...]
    age_min: int
    lead_days: int
    price_minor: int
    unit: str
    excluded_prefectures: tuple[str, ...]
    state: str
    picture_ids: tuple[UUID, ...]
    variants: tuple[VariantView, ...] = ()

    @property
    def is_available(self) -> bool:
        """Whether any variant of it can be had now."""
        return self.state == "active" and any(each.is_available for each in self.variants)

    def name_in(self, locale: str) -> str:
        """Return the product's name in a language."""
        return text_in(self.names, locale)

    def description_in(self, locale: str) -> str:
        """Return the product's description in a language."""
        return text_in(self.descriptions, locale)

    def category_in(self, locale: str) -> str:
        """Return the name of the product's category in a language."""
        return text_in(self.category_names, locale) or self.category


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One product of a course as a list shows it; it can be had now."""

    product_id: UUID
    code: str
    kind: str
    names: Mapping[str, str]
    category: str
    category_names: Mapping[str, str]
    allergens: tuple[str, ...]
    age_min: int
    price_minor: int
    picture_id: UUID | None

    def name_in(self, locale: str) -> str:
        """Return the product's name in a language."""
        return text_in(self.names, locale)

    def category_in(self, locale: str) -> str:
        """Return the name of the product's category in a language."""
        return text_in(self.category_names, locale) or self.category


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoicePage:
    """One page of choices; ``next_after`` continues it, or is None at the end."""

    items: tuple[Choice, ...]
    next_after: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    """One category of a course: ``key`` is what a list is narrowed by."""

    key: str
    names: Mapping[str, str]
    choice_count: int

    def name_in(self, locale: str) -> str:
        """Return the category's name in a language."""
        return text_in(self.names, locale) or self.key


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductFilter:
    """Which products a list shows; empty means all."""

    text: str = ""
    category: str = ""
    state: str = ""
    course_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductPage:
    """One page of products by their codes; ``next_after`` continues it, or is None at the end."""

    items: tuple[ProductView, ...]
    next_after: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Taking:
    """What somebody chose of a course; ``for_id`` is whatever it is kept for.

    ``prefecture`` is where it is sent to, by its full name; empty where nothing is sent.
    """

    for_id: UUID
    course_id: UUID
    variant_id: UUID
    prefecture: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What is kept for somebody, and who sends it how soon."""

    product: ProductView
    variant: VariantView
    supplier: str
    kind: str
    lead_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture as it is served."""

    data: bytes = field(repr=False)
    media_type: str
