"""Files that a page gives away: named, and lists as a spreadsheet reads them.

Hides: the sign before a list, the header that makes a browser keep a file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from flask import Response

from giftpad import edge
from giftpad.portals.words import say_in_words

CSV = "text/csv; charset=utf-8"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
UTF8_MARK = "\ufeff"
"""Without this sign a spreadsheet takes Japanese for another encoding."""


def attachment(
    content: bytes | str | Iterator[str] | Iterator[bytes], name: str, content_type: str = CSV
) -> Response:
    """Answer with a file to keep; ``content`` may be written bit by bit."""
    response = Response(content, content_type=content_type)
    response.headers.set("Content-Disposition", "attachment", filename=name)
    return response


def csv_head(sentences: Iterable[str]) -> str:
    """Return the first line of a list: its columns, in the reader's language."""
    return UTF8_MARK + edge.write_line(say_in_words(sentence) for sentence in sentences)
