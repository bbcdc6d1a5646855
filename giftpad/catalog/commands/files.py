"""A file of products from its first byte to the last product: judged whole, taken in chunks.

No transaction is open while the file is read or a picture is drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from giftpad import sheets
from giftpad.catalog.adapters import (
    Upload,
    check_picture,
    draw_picture,
    keep_picture,
    open_upload,
    picture_id_of,
)
from giftpad.catalog.commands.products import (
    TakenProducts,
    judge_products,
    take_products,
    try_products,
)
from giftpad.catalog.errors import PictureUnfit
from giftpad.catalog.models import PictureRow
from giftpad.catalog.rules.imports import FileReport
from giftpad.catalog.rules.lines import ROWS_MAX, ProductLines, read_products
from giftpad.kernel.work import Scope, Work, unit_of_work
from giftpad.sheets import LineFault

CHUNK_PRODUCTS = 100
PATIENCE_S = 60

OnChunk = Callable[[Work, int, TakenProducts], bool]
"""Told of each chunk inside its transaction: how many products it ends after, and what was done.

False means that somebody else has taken it, and ends the taking.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedFile:
    """A file of products, read: those in which nothing is wrong, and what is."""

    upload: Upload
    products: tuple[ProductLines, ...]
    faults: tuple[LineFault, ...]


def open_products(data: bytes) -> OpenedFile:
    """Read a file of products; it looks at no picture and asks no database.

    Raises: SheetUnreadable, ArchiveUnfit.
    """
    upload = open_upload(data)
    sheet = sheets.read_sheet(upload.table, rows_max=ROWS_MAX)
    read = read_products(sheet, pictures=upload.pictures.keys())
    return OpenedFile(upload=upload, products=read.products, faults=read.faults)


def check_file(scope: Scope, data: bytes) -> FileReport:
    """Tell what taking a file would do now, and what is wrong with it; nothing is taken.

    Raises: SheetUnreadable, ArchiveUnfit.
    """
    opened = open_products(data)
    faults = list(opened.faults)
    tried, good_count = TakenProducts(), 0
    names: set[str] = set()
    looked = _Pictures(opened.upload)
    for chunk in _chunks(opened.products, start=0):
        right, wrong = looked.check(chunk)
        faults += wrong
        pictures = {name: looked.id_of(name) for name in _names_of(right)}
        with unit_of_work(scope, patience_s=PATIENCE_S) as work:
            good, found = judge_products(work, right)
            tried = tried.plus(try_products(work, good, pictures=pictures))
        faults += found
        good_count += len(good)
        names.update(pictures)
    return FileReport(
        good=good_count,
        picture_count=len(names),
        added=tried.added,
        changed=tried.changed,
        unchanged=tried.unchanged,
        faults=tuple(sorted(faults, key=lambda fault: fault.line)),
    )


def take_file(
    scope: Scope, data: bytes, *, start: int = 0, on_chunk: OnChunk | None = None
) -> FileReport:
    """Take what is right in a file, a chunk a transaction, from its ``start``-th product on.

    Raises: SheetUnreadable, ArchiveUnfit.
    """
    opened = open_products(data)
    faults = list(opened.faults)
    taken, good_count, done = TakenProducts(), 0, start
    names: set[str] = set()
    looked = _Pictures(opened.upload)
    for chunk in _chunks(opened.products, start=start):
        right, wrong = looked.check(chunk)
        with unit_of_work(scope) as work:
            good, found = judge_products(work, right)
        faults += wrong + found
        pictures = {name: looked.keep(scope, name) for name in _names_of(good)}
        done += len(chunk)
        with unit_of_work(scope, patience_s=PATIENCE_S) as work:
            counts = take_products(work, good, pictures=pictures)
            if on_chunk is not None and not on_chunk(work, done, counts):
                break
        taken = taken.plus(counts)
        good_count += len(good)
        names.update(pictures)
    return FileReport(
        good=good_count,
        picture_count=len(names),
        added=taken.added,
        changed=taken.changed,
        unchanged=taken.unchanged,
        faults=tuple(sorted(faults, key=lambda fault: fault.line)),
    )


def _chunks(products: Sequence[ProductLines], *, start: int) -> Iterator[list[ProductLines]]:
    left = islice(products, start, None)
    while chunk := list(islice(left, CHUNK_PRODUCTS)):
        yield chunk


def _names_of(lines: Sequence[ProductLines]) -> list[str]:
    return list(dict.fromkeys(name for line in lines for name in line.values.get("pictures", ())))


class _Pictures:
    """The pictures of one file: each is looked at and drawn once, however many products show it."""

    def __init__(self, upload: Upload) -> None:
        self._upload = upload
        self._verdicts: dict[str, UUID | PictureUnfit] = {}
        self._kept: dict[str, UUID] = {}

    def _judge(self, name: str) -> UUID | PictureUnfit:
        """Return the id of a picture, or why it cannot be drawn."""
        if name not in self._verdicts:
            try:
                data = self._upload.picture(name)
                check_picture(name, data)
                self._verdicts[name] = picture_id_of(data)
            except PictureUnfit as error:
                self._verdicts[name] = error
        return self._verdicts[name]

    def check(self, lines: Sequence[ProductLines]) -> tuple[list[ProductLines], list[LineFault]]:
        """Part the products whose pictures can be drawn from those with one that cannot."""
        right: list[ProductLines] = []
        faults: list[LineFault] = []
        for line in lines:
            before = len(faults)
            for name in line.values.get("pictures", ()):
                verdict = self._judge(name)
                if isinstance(verdict, PictureUnfit):
                    params = {"value": name, "most_mb": verdict.params["most_mb"]}
                    faults.append(
                        LineFault(
                            line=line.line, column="pictures", code="picture_unfit", params=params
                        )
                    )
            if len(faults) == before:
                right.append(line)
        return right, faults

    def id_of(self, name: str) -> UUID:
        """Return the id of a picture that can be drawn."""
        verdict = self._judge(name)
        assert isinstance(verdict, UUID)
        return verdict

    def keep(self, scope: Scope, name: str) -> UUID:
        """Draw a picture and keep it, on record before a product shows it; return its id."""
        if name not in self._kept:
            self._kept[name] = add_picture(scope, name, self._upload.picture(name))
        return self._kept[name]


def add_picture(scope: Scope, name: str, data: bytes) -> UUID:
    """Draw a picture anew, keep it, and return its id; no product shows it yet.

    Raises: PictureUnfit.
    """
    drawn = draw_picture(name, data)
    keep_picture(scope.tenant_id, drawn)
    with unit_of_work(scope) as work:
        row = insert(PictureRow).values(
            tenant_id=work.tenant_id,
            id=drawn.id,
            added_at=work.at,
        )
        # What was added again is young again: nobody takes it for one that is left over.
        row = row.on_conflict_do_update(
            index_elements=["tenant_id", "id"], set_={"added_at": work.at}
        )
        work.session.execute(row)
    return drawn.id
