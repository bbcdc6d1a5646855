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
            # Asked once more of the row itself: whoever waited here for a submission has chosen
            # from what was there before it.
            .where(LineRow.seq.is_(None))
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
    # A reference is often the number of an employee.  It is unique as long as its gift has a
    # person; with them it goes, and may be used again.
    found_by = {"external_id": "", "address_index": None, "first_sealed": None}
    return (
        count
        + _empty(work, GiftRow, GiftRow.id, GiftRow.person_sealed, **found_by)
        + _empty(work, ClaimRow, ClaimRow.id, ClaimRow.address_sealed)
        + _empty(work, ThanksRow, ThanksRow.gift_id, ThanksRow.words_sealed)
    )


def _empty(work: Work, table: Any, key: Any, column: Any, **more: object) -> int:
    old = (
        sa.select(key)
        .where(
            table.tenant_id == work.tenant_id,
            table.delete_after < work.at,
            column != sa.text("''::bytea"),  # word for word what the index leaves out
        )
        .limit(FORGET_COUNT_MAX)
    )
    return rows_changed(
        work.session.execute(
            sa.update(table)
            .where(table.tenant_id == work.tenant_id, key.in_(old))
            .values({column.key: FORGOTTEN, **more})
            .execution_options(synchronize_session=False)
        )
    )
