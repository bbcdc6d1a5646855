"""Files of products: a table alone, or a ZIP of one table and the pictures that it names.

Hides: ZIP, names of files in the letters of another system, what packing hides.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from giftpad.catalog.adapters.pictures import SIZE_MAX as PICTURE_SIZE_MAX
from giftpad.catalog.errors import ArchiveUnfit, PictureUnfit

MEMBERS_MAX = 3000
UNPACKED_MAX = 512 * 1024 * 1024
_MEGABYTE = 1024 * 1024
_PACKED = b"PK\x03\x04"
_WORKBOOK_PART = "xl/workbook.xml"
_TABLES = frozenset({".csv", ".tsv", ".txt", ".xlsx"})
_PICTURES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".gif"})
_UTF_8_NAME = 0x800


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file of products, opened: its table, and where each picture stands in the archive."""

    table: bytes = field(repr=False)
    pictures: Mapping[str, zipfile.ZipInfo] = field(default_factory=dict, repr=False)
    archive: zipfile.ZipFile | None = field(default=None, repr=False)
    """Stays open: to open it is to read the list of all that is in it, each time."""

    def picture(self, name: str) -> bytes:
        """Return one picture as it was handed in.

        Raises: PictureUnfit.
        """
        assert self.archive is not None, "a table alone names no picture that is there"
        try:
            return _unpack(self.archive, self.pictures[name], most=PICTURE_SIZE_MAX)
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, _TooMuch) as error:
            raise PictureUnfit(name=name, most_mb=PICTURE_SIZE_MAX // _MEGABYTE) from error


class _TooMuch(Exception):
    """A part unpacks to more than it may."""


def open_upload(data: bytes) -> Upload:
    """Open a file of products, whatever it is.

    Raises: ArchiveUnfit.
    """
    if not data.startswith(_PACKED):
        return Upload(table=data)
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        if _WORKBOOK_PART in archive.namelist():
            return Upload(table=data)
        members = list(_members(archive))
        tables = [each for name, each in members if _suffix(name) in _TABLES]
        pictures = {name: each for name, each in members if _suffix(name) in _PICTURES}
        declared = sum(each.file_size for _, each in members)
        if len(tables) != 1 or len(members) > MEMBERS_MAX or declared > UNPACKED_MAX:
            raise _unfit()
        table = _unpack(archive, tables[0], most=UNPACKED_MAX)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError) as error:
        raise _unfit() from error
    except (_TooMuch, RuntimeError) as error:  # RuntimeError is how zipfile asks for a password
        raise _unfit() from error
    return Upload(table=table, pictures=pictures, archive=archive)


def _unfit() -> ArchiveUnfit:
    return ArchiveUnfit(most=MEMBERS_MAX, most_mb=UNPACKED_MAX // _MEGABYTE)


def _members(archive: zipfile.ZipFile) -> Iterator[tuple[str, zipfile.ZipInfo]]:
    """Return the files of an archive by their own names, without what a Mac adds to it."""
    for member in archive.infolist():
        path = PurePosixPath(_name_of(member).replace("\\", "/"))
        if not member.is_dir() and "__MACOSX" not in path.parts and not path.name.startswith("."):
            yield path.name, member


def _name_of(member: zipfile.ZipInfo) -> str:
    """Return the name of a part: Windows writes it in Shift_JIS and does not say so."""
    if member.flag_bits & _UTF_8_NAME:
        return member.filename
    try:
        return member.filename.encode("cp437").decode("cp932")
    except UnicodeError:
        return member.filename


def _suffix(name: str) -> str:
    return PurePosixPath(name).suffix.lower()


def _unpack(archive: zipfile.ZipFile, member: zipfile.ZipInfo, *, most: int) -> bytes:
    with archive.open(member) as part:
        data = part.read(most + 1)
    if len(data) > most:
        raise _TooMuch
    return data
