"""Archives that are written while they are sent: no file of one is ever held whole here.

Hides: zipfile, its wish to go back in what it wrote.
"""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterable, Iterator

_FIRST_DAY = (1980, 1, 1, 0, 0, 0)
"""The same day in every archive, so that the same files make the same bytes."""
_STORED = (".pdf", ".png", ".jpg")
"""Files that are small already."""


class _Sink:
    """Keeps what was written until somebody takes it; it cannot go back."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def write(self, piece: bytes) -> int:
        self._pieces.append(bytes(piece))
        return len(piece)

    def flush(self) -> None:
        """Nothing waits."""

    def take(self) -> bytes:
        taken = b"".join(self._pieces)
        self._pieces.clear()
        return taken


def stream_zip(
    files: Iterable[tuple[str, Iterable[bytes]]], *, sums_name: str = ""
) -> Iterator[bytes]:
    """Write an archive piece by piece; whoever stops in the middle has one that does not open.

    With ``sums_name`` a last file of this name lists the SHA-256 of every other, as ``sha256sum
    --check`` reads it.
    """
    sink = _Sink()
    sums: list[str] = []
    with zipfile.ZipFile(sink, "w") as archive:  # type: ignore[call-overload]  # it need not seek
        for name, pieces in files:
            digest = hashlib.sha256()
            with archive.open(_entry(name), "w") as entry:
                for piece in pieces:
                    digest.update(piece)
                    entry.write(piece)
                    if told := sink.take():
                        yield told
            sums.append(f"{digest.hexdigest()}  {name}\n")
            yield sink.take()
        if sums_name:
            with archive.open(_entry(sums_name), "w") as entry:
                entry.write("".join(sums).encode())
    yield sink.take()


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, date_time=_FIRST_DAY)
    is_small = name.endswith(_STORED)
    entry.compress_type = zipfile.ZIP_STORED if is_small else zipfile.ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    return entry
