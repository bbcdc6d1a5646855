"""Forgetting people: drafts that nobody sent, names and addresses of gifts long past."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from giftpad.gifts.models import ClaimRow, FileRow, GiftRow, LineRow, ThanksRow
from giftpad.kernel.work import Work, rows_changed

FORGET_COUNT_MAX = 1000
FORGOTTEN = b""


def forget_some(work: Work) -> int:
    """Delete old files and lines of drafts, empty what is sealed of old gifts; return how many.

    The rows of gifts and claims stay, because the books name them.
    """
    lines = (
        sa.select(LineRow.id)
        .where(LineRow.tenant_id == work.tenant_id, LineRow.delete_after < work.at)
        .where(LineRow.seq.is_(None))
        .limit(FORGET_COUNT_MAX)
    )
    count = rows_changed(
        work.session.execute(
            sa.delete(LineRow)
            .where(LineRow.tenant_id == work.tenant_id, LineRow.id.in_(lines))
            .execution_options(synchronize_session=False)
        )
    )
    count += rows_changed(
        work.session.execute(
            sa.delete(FileRow).where(
                FileRow.tenant_id == work.tenant_id, FileRow.delete_after < work.at
            )
        )
    )
    work.session.execute(
        sa.update(GiftRow)
        .where(
            GiftRow.tenant_id == work.tenant_id,
            GiftRow.delete_after < work.at,
            GiftRow.address_index.is_not(None),
        )
        .values(address_index=None)
        .execution_options(synchronize_session=False)
    )
    sealed: tuple[tuple[Any, Any, Any], ...] = (
        (GiftRow, GiftRow.id, GiftRow.person_sealed),
        (GiftRow, GiftRow.id, GiftRow.first_sealed),
        (ClaimRow, ClaimRow.id, ClaimRow.address_sealed),
        (ThanksRow, ThanksRow.gift_id, ThanksRow.words_sealed),
    )
    return count + sum(_empty(work, *each) for each in sealed)


def _empty(work: Work, table: Any, key: Any, column: Any) -> int:
    old = (
        sa.select(key)
        .where(
            table.tenant_id == work.tenant_id,
            table.delete_after < work.at,
            column != FORGOTTEN,
        )
        .limit(FORGET_COUNT_MAX)
    )
    return rows_changed(
        work.session.execute(
            sa.update(table)
            .where(table.tenant_id == work.tenant_id, key.in_(old))
            .values({column.key: FORGOTTEN})
            .execution_options(synchronize_session=False)
        )
    )
