"""Tables as text: which encoding, which separator, line by line with the number of each.

Hides: marks at the beginning, blocks, quoting.  It holds one line at a time, however long the
stream is.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator
from typing import IO

from giftpad.sheets.errors import EncodingUnknown, QuotesUnmatched

_BLOCK_SIZE = 1 << 20
_HEADER_LENGTH_MAX = 1 << 16
_QUOTED = re.compile(r'"[^"]*"')
_SEPARATORS = ("\t", ",", ";")
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_NO_TEXT = (b"PK\x03\x04", b"PK\x05\x06", b"\xd0\xcf\x11\xe0", b"%PDF", b"\x89PNG", b"\xff\xd8\xff")
"""How workbooks, archives, documents and pictures begin."""


def is_text(data: bytes) -> bool:
    """Tell whether bytes may be text: they do not begin as workbooks, documents, pictures do."""
    return not data.startswith(_NO_TEXT)


def detect_encoding(stream: IO[bytes]) -> str:
    """Return which encoding the whole stream is, strictly: by its mark, else the one that fits.

    Raises: EncodingUnknown.
    """
    stream.seek(0)
    mark = stream.read(len(codecs.BOM_UTF8))
    wanted: tuple[str, ...] = ("utf-8", "cp932")
    if mark.startswith(_UTF_16):
        wanted = ("utf-16",)
    elif mark == codecs.BOM_UTF8:
        wanted = ("utf-8",)
    furthest = (0, wanted[0])
    for encoding in wanted:
        stream.seek(0)
        offset = _first_fault(stream, encoding)
        if offset is None:
            return "utf-8-sig" if encoding == "utf-8" else encoding
        furthest = max(furthest, (offset, encoding))
    offset, encoding = furthest
    raise EncodingUnknown(line=_line_at(stream, offset, encoding), byte=offset + 1)


def _first_fault(stream: IO[bytes], encoding: str) -> int | None:
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    passed = 0
    while block := stream.read(_BLOCK_SIZE):
        pending = len(decoder.getstate()[0])
        try:
            text = decoder.decode(block)
        except UnicodeDecodeError as error:
            return passed - pending + error.start
        # UTF-16 without its mark would pass for Shift_JIS, and UTF-32 for UTF-16 with it.
        if (place := text.find("\0")) >= 0:
            return passed - pending + len(text[:place].encode(encoding))
        passed += len(block)
    pending = len(decoder.getstate()[0])
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return passed - pending
    return None


def _line_at(stream: IO[bytes], offset: int, encoding: str) -> int:
    stream.seek(0)
    line, left = 1, offset
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    while left > 0 and (block := stream.read(min(_BLOCK_SIZE, left))):
        line += decoder.decode(block).count("\n")
        left -= len(block)
    return line


def read_lines(stream: IO[bytes]) -> Iterator[tuple[int, list[str]]]:
    """Read a table of text as ``(line, cells)``; ``line`` is where a row begins in the file.

    Commas, tabs and semicolons separate cells, whichever the first line has most of.  Empty
    lines come too.  The stream must be able to go back to its beginning.
    Raises: EncodingUnknown, QuotesUnmatched.
    """
    encoding = detect_encoding(stream)
    delimiter = find_delimiter(stream, encoding)
    stream.seek(0)
    text = io.TextIOWrapper(stream, encoding=encoding, newline="")
    reader = csv.reader(text, strict=True, delimiter=delimiter)
    try:
        while True:
            line = reader.line_num + 1
            try:
                cells = next(reader, None)
            except csv.Error:
                raise QuotesUnmatched(line=line) from None
            if cells is None:
                return
            yield line, cells
    finally:
        text.detach()


def find_delimiter(stream: IO[bytes], encoding: str) -> str:
    """Return what separates the cells of a text, judged by its first line that is not empty."""
    stream.seek(0)
    text = io.TextIOWrapper(stream, encoding=encoding, newline="")
    try:
        first = ""
        while not first.strip() and (read := text.readline(_HEADER_LENGTH_MAX)):
            first = read
    finally:
        text.detach()
    bare = _QUOTED.sub("", first)
    return max(_SEPARATORS, key=lambda mark: (bare.count(mark), mark == ","))
