"""Looking into a file that was handed in before it is taken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import sqlalchemy as sa

from giftpad import sheets, tenancy
from giftpad.gifts.models import ColumnsRow, FileRow, file_place
from giftpad.gifts.rules.columns import guess_fields
from giftpad.gifts.rules.contracts import LETTER, LINK
from giftpad.gifts.rules.orders import LINES_MAX
from giftpad.gifts.rules.recipients import HEADERS
from giftpad.kernel.work import Work

ROWS_SHOWN = 3
GUESSED = "cp932"
"""The encoding that no mark tells of: bytes that fit it may be another one."""
RECIPIENTS = "recipients"


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a file seems to hold: its columns, the field of each, its first rows as read.

    ``is_sure`` says that nobody need look at it: nothing was guessed, and nothing is left over.
    """

    kind: str
    encoding: str
    header: tuple[str, ...]
    fields: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...] = field(repr=False)
    is_sure: bool


def find_columns(work: Work, purpose: str) -> Mapping[str, str]:
    """Return what the columns of files of one kind meant the last time, by their names."""
    row = work.session.get(ColumnsRow, (work.tenant_id, purpose))
    return {} if row is None else row.columns


def look_into(
    work: Work,
    data: bytes,
    *,
    purpose: str,
    columns: sheets.Columns,
    needs: Sequence[frozenset[str]],
) -> Look:
    """Read the beginning of a file and guess what its columns mean.

    ``needs`` are groups of fields; without one of each nobody can be sure.
    Raises: SheetUnreadable.
    """
    sheet = sheets.read_sheet(data, rows_max=LINES_MAX)
    fields, are_known = guess_fields(sheet.header, columns, find_columns(work, purpose))
    rows = []
    for _, cells in sheet.rows():
        rows.append(cells[: len(sheet.header)])
        if len(rows) == ROWS_SHOWN:
            break
    return Look(
        kind=sheet.kind,
        encoding=sheet.encoding,
        header=sheet.header,
        fields=fields,
        rows=tuple(rows),
        is_sure=are_known
        and sheet.encoding != GUESSED
        and all(group & set(fields) for group in needs),
    )


def look_at_recipients(work: Work, data: bytes, *, channel: str) -> Look:
    """Read the beginning of a file of recipients.

    Raises: SheetUnreadable.
    """
    needs = [frozenset({"name"})]
    if channel == LETTER:
        needs += [frozenset({"postcode"}), frozenset({"street"})]
    elif channel != LINK:
        needs.append(frozenset({"mail", "phone", "channel"}))
    return look_into(work, data, purpose=RECIPIENTS, columns=HEADERS, needs=needs)


def find_file(work: Work, order_id: UUID) -> bytes | None:
    """Return the file of recipients of a draft that waits to be looked at, or None."""
    sealed = work.session.execute(
        sa.select(FileRow.data_sealed).where(
            FileRow.tenant_id == work.tenant_id, FileRow.order_id == order_id
        )
    ).scalar_one_or_none()
    if sealed is None:
        return None
    return tenancy.open_bytes(work.tenant_id, file_place(work.tenant_id, order_id), sealed)


def has_file(work: Work, order_id: UUID) -> bool:
    """Whether a file of recipients of a draft waits to be looked at; it is not opened for this."""
    waits = sa.exists().where(FileRow.tenant_id == work.tenant_id, FileRow.order_id == order_id)
    return bool(work.session.execute(sa.select(waits)).scalar_one())
