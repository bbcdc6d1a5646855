"""What was claimed: one thing, as its recipient and a support desk see it, or anything at all."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa

from giftpad import tenancy
from giftpad.gifts.models import ClaimRow, GiftRow
from giftpad.gifts.models.gifts import claim_place
from giftpad.gifts.rules.addresses import Address
from giftpad.gifts.rules.gifts import CHANGEABLE
from giftpad.kernel.work import Work

IS_CHOSEN = sa.or_(
    GiftRow.claimed_minor > 0,
    sa.exists()
    .where(ClaimRow.tenant_id == GiftRow.tenant_id, ClaimRow.gift_id == GiftRow.id)
    .correlate(GiftRow),
)
"""Whether somebody has chosen with a gift, or kept of it: it is theirs, whatever is left of it and
even if they must choose again."""

NOWHERE = Address(name="", postcode="", prefecture="", city="", street="", phone="")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimView:
    """What was chosen with a gift, as its recipient and a support desk see it."""

    id: UUID
    gift_id: UUID
    number: str
    position: int
    value_minor: int
    state: str
    kind: str
    product_id: UUID
    variant_id: UUID
    product_names: Mapping[str, str]
    supplier: str
    address: Address = field(repr=False)
    expected_on: date | None
    carrier: str
    tracking: str
    claimed_at: datetime
    shipped_at: datetime | None

    @property
    def can_change_address(self) -> bool:
        """Whether it can still go somewhere else."""
        return self.state in CHANGEABLE


def is_chosen(work: Work, gift: GiftRow) -> bool:
    """Whether somebody has chosen with a gift, which is locked, as ``IS_CHOSEN`` says."""
    asked = sa.select(IS_CHOSEN).where(GiftRow.tenant_id == work.tenant_id, GiftRow.id == gift.id)
    return bool(work.session.execute(asked).scalar_one())


def open_address(row: ClaimRow) -> Address:
    """Return where a claim goes, or went; empty when that is forgotten."""
    if not row.address_sealed:
        return NOWHERE
    place = claim_place(row.tenant_id, row.id)
    return Address(**json.loads(tenancy.open_text(row.tenant_id, place, row.address_sealed)))


def to_claim(row: ClaimRow) -> ClaimView:
    """Return a claim as the value the rest of the house works with."""
    return ClaimView(
        id=row.id,
        gift_id=row.gift_id,
        number=row.number,
        position=row.position,
        value_minor=row.value_minor,
        state=row.state,
        kind=row.kind,
        product_id=row.product_id,
        variant_id=row.variant_id,
        product_names=row.product["names"],
        supplier=row.supplier,
        address=open_address(row),
        expected_on=row.expected_on,
        carrier=row.carrier,
        tracking=row.tracking,
        claimed_at=row.claimed_at,
        shipped_at=row.shipped_at,
    )
