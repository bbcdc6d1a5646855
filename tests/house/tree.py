"""The files of this checkout, as rules see them: a path and a text each."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from giftpad.kernel.migrate import ROOT


def list_files(*patterns: str) -> list[Path]:
    """Return the files that are or may be committed, relative to the root; ignored ones are not."""
    git = shutil.which("git")
    assert git is not None
    command = [git, "ls-files", "-z", "--cached", "--others", "--exclude-standard", *patterns]
    names = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    paths = (Path(name) for name in sorted(set(names.split("\0"))) if name)
    return [path for path in paths if (ROOT / path).is_file()]


def read_texts(*patterns: str) -> Iterator[tuple[Path, str]]:
    """Return the files that are text, with their text."""
    for path in list_files(*patterns):
        try:
            yield path, (ROOT / path).read_text("utf-8")
        except UnicodeDecodeError:
            continue
