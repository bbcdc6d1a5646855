"""Files of recipients: kept until somebody has looked at them, then taken into a draft."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from giftpad import sheets, tenancy
from giftpad.gifts.commands.drafting import lock_order
from giftpad.gifts.commands.lines import Cells, take_recipients
from giftpad.gifts.models import ColumnsRow, FileRow, file_place
from giftpad.gifts.queries.files import RECIPIENTS
from giftpad.gifts.rules.columns import remember_fields, take_fields
from giftpad.gifts.rules.orders import DRAFT, LINES_MAX
from giftpad.kernel.work import Work

FILE_KEPT = timedelta(days=7)


def keep_file(work: Work, order_id: UUID, data: bytes) -> None:
    """Keep a file of recipients for a draft, sealed, instead of one that waits already.

    Locks: the order.
    Raises: OrderNotFound, OrderWrongState.
    """
    lock_order(work, order_id, DRAFT)
    place = file_place(work.tenant_id, order_id)
    values = {
        "data_sealed": tenancy.seal_bytes(work.tenant_id, place, data),
        "created_at": work.at,
        "delete_after": work.at + FILE_KEPT,
    }
    written = insert(FileRow).values(tenant_id=work.tenant_id, order_id=order_id, **values)
    work.session.execute(
        written.on_conflict_do_update(index_elements=["tenant_id", "order_id"], set_=values)
    )


def drop_file(work: Work, order_id: UUID) -> None:
    """Throw the kept file of a draft away."""
    work.session.execute(
        sa.delete(FileRow).where(FileRow.tenant_id == work.tenant_id, FileRow.order_id == order_id)
    )


def remember_columns(work: Work, purpose: str, columns: Mapping[str, str]) -> None:
    """Keep what the columns of files of one kind mean, for the next one."""
    values = {"columns": dict(columns), "changed_at": work.at}
    written = insert(ColumnsRow).values(tenant_id=work.tenant_id, purpose=purpose, **values)
    work.session.execute(
        written.on_conflict_do_update(index_elements=["tenant_id", "purpose"], set_=values)
    )


def take_file(
    work: Work,
    order_id: UUID,
    data: bytes,
    *,
    fields: Sequence[str],
    replaces: bool,
    has_heading: bool = True,
) -> int:
    """Take the people of a file into a draft and return how many there are then.

    ``fields`` says what each column is for, empty where it is not wanted.  Without a heading the
    first line is a person too, and nothing is remembered.
    Locks: the order.
    Raises: OrderNotFound, OrderWrongState, TooManyLines, SheetUnreadable.
    """
    sheet = sheets.read_sheet(data, rows_max=LINES_MAX)

    def people() -> Iterator[Cells]:
        width = len(sheet.header)
        if not has_heading:
            yield Cells(line=sheet.header_line, cells=take_fields(sheet.header, fields))
        for line, cells in sheet.rows():
            yield Cells(line=line, cells=take_fields(cells, fields), has_extra=len(cells) > width)

    count = take_recipients(work, order_id, people(), replaces=replaces)
    if has_heading:
        remember_columns(work, RECIPIENTS, remember_fields(sheet.header, fields))
    drop_file(work, order_id)
    return count
