"""What a balance has bought, and what of it was kept."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa

from giftpad.gifts.models import BalanceRow, ClaimRow
from giftpad.gifts.queries.claims import ClaimView, to_claim
from giftpad.gifts.rules.gifts import WITHDRAWN
from giftpad.kernel.work import Work


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptView:
    """A balance that somebody keeps; ``spent_minor`` is what shops took and did not give back.

    ``locator`` opens it on its holder's own screen.
    """

    id: UUID
    programme_id: UUID
    serial: str
    locator: int = field(repr=False)
    amount_minor: int
    spent_minor: int
    used_at: datetime | None
    kept_at: datetime
    ends_on: date


def list_items(work: Work, gift_ids: Collection[UUID]) -> Mapping[UUID, list[ClaimView]]:
    """Return what the balances of some gifts have bought and is not withdrawn, by the gift."""
    found: dict[UUID, list[ClaimView]] = defaultdict(list)
    if gift_ids:
        rows = work.session.scalars(
            sa.select(ClaimRow)
            .where(
                ClaimRow.tenant_id == work.tenant_id,
                ClaimRow.gift_id.in_(gift_ids),
                ClaimRow.position > 0,
                ClaimRow.state != WITHDRAWN,
            )
            .order_by(ClaimRow.gift_id, ClaimRow.position)
        )
        for row in rows:
            found[row.gift_id].append(to_claim(row))
    return found


def list_kept(work: Work, gift_ids: Collection[UUID]) -> Mapping[UUID, list[KeptView]]:
    """Return what of some gifts was kept, by the gift, the newest last."""
    found: dict[UUID, list[KeptView]] = defaultdict(list)
    if gift_ids:
        rows = work.session.scalars(
            sa.select(BalanceRow)
            .where(BalanceRow.tenant_id == work.tenant_id, BalanceRow.gift_id.in_(gift_ids))
            .order_by(BalanceRow.gift_id, BalanceRow.id)
            .execution_options(populate_existing=True)
        )
        for row in rows:
            found[row.gift_id].append(_to_kept(row))
    return found


def _to_kept(row: BalanceRow) -> KeptView:
    return KeptView(
        id=row.id,
        programme_id=row.programme_id,
        serial=row.serial,
        locator=row.locator,
        amount_minor=row.amount_minor,
        spent_minor=row.spent_minor,
        used_at=row.used_at,
        kept_at=row.kept_at,
        ends_on=row.ends_on,
    )
