"""Designs on disk: a folder each, with two files."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from giftpad.designs.rules import ART_BYTES_MAX, ART_FILE, HEAD_FILE, Design, read_design
from giftpad.tenancy import Problems

DESIGNS_DIR: Final = Path(__file__).parents[3] / "gift_designs"
HEAD_BYTES_MAX = 8 * 1024
_NAME_CHARACTERS: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_")


def read_folder(root: Path, problems: Problems) -> list[Design]:
    """Read every design below ``root``, in the order they are shown in."""
    designs = []
    for folder in sorted(path for path in root.iterdir() if path.is_dir()):
        design = _read_one(folder, problems)
        if design is not None:
            designs.append(design)
    if not designs and not problems.found:
        problems.add(root.name, 1, "There is no design.", remedy="Add a folder with one.")
    return sorted(designs, key=lambda design: (design.order, design.name))


def _read_one(folder: Path, problems: Problems) -> Design | None:
    if not set(folder.name) <= _NAME_CHARACTERS:
        remedy = "Name it with small letters, digits and _."
        problems.add(folder.name, 1, "This is no name for a design.", remedy=remedy)
        return None
    known = {HEAD_FILE: HEAD_BYTES_MAX, ART_FILE: ART_BYTES_MAX + 1}
    for path in sorted(folder.iterdir()):
        if path.name not in known:
            shown = f"{folder.name}/{path.name}"
            problems.add(shown, 1, "This has no place in a design.", remedy="Remove it.")
    read: dict[str, bytes] = {}
    for name, size_max in known.items():
        path = folder / name
        if path.is_symlink() or not path.is_file():
            remedy = "Add the file itself."
            problems.add(f"{folder.name}/{name}", 1, "The file is missing.", remedy=remedy)
            return None
        with path.open("rb") as file:
            read[name] = file.read(size_max)
    return read_design(folder.name, read[HEAD_FILE], read[ART_FILE], problems)


def read_art(root: Path, name: str) -> str:
    """Return the drawing of a design that has been read before."""
    return (root / name / ART_FILE).read_text("utf-8")
