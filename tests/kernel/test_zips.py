"""Archives that are written while they are sent."""

from __future__ import annotations

import hashlib
import io
import os
import tracemalloc
import zipfile

import pytest

from giftpad.kernel.zips import stream_zip

FILES = {"a.txt": [b"one", b"two"], "b/c.pdf": [b"%PDF-x"], "empty.csv": []}


def test_what_comes_out_is_what_went_in_and_its_sums_hold():
    data = b"".join(stream_zip(iter(FILES.items()), sums_name="SHA256SUMS"))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == [*FILES, "SHA256SUMS"]
        for name, pieces in FILES.items():
            assert archive.read(name) == b"".join(pieces)
        for line in archive.read("SHA256SUMS").decode().splitlines():
            digest, _, name = line.partition("  ")
            assert digest == hashlib.sha256(archive.read(name)).hexdigest()


def test_the_same_files_make_the_same_bytes():
    assert [*stream_zip(FILES.items())] == [*stream_zip(FILES.items())]


def test_one_that_stops_in_the_middle_does_not_open():
    def broken():
        yield b"half"
        raise FileNotFoundError

    written = []
    with pytest.raises(FileNotFoundError):
        for piece in stream_zip([("a.pdf", [b"whole"]), ("b.pdf", broken())]):
            written.append(piece)  # noqa: PERF402 - what was written before it broke counts
    with pytest.raises(zipfile.BadZipFile):
        zipfile.ZipFile(io.BytesIO(b"".join(written)))


def test_an_archive_of_many_files_holds_one_at_a_time():
    size = 1_000_000
    files = ((f"{number}.pdf", [os.urandom(size)]) for number in range(40))
    tracemalloc.start()
    total = sum(len(piece) for piece in stream_zip(files))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert total > 40 * size
    assert peak < 6 * size
