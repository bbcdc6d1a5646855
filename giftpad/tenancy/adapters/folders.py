"""Packs on disk: every file of one, with its bounds."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from giftpad.tenancy.rules.pack import Pack, PackFolder, PackSection, read_pack
from giftpad.tenancy.rules.problems import PackBroken, Problem, Problems

PACK_FILES_MAX = 500
PACK_FILE_SIZE_MAX = 8 * 1024 * 1024


def list_packs(packs: Path) -> list[Path]:
    """Return the folders below ``packs`` that are packs, by name."""
    if not packs.is_dir():
        return []
    return sorted(folder for folder in packs.iterdir() if (folder / "tenant.toml").is_file())


def read_folder(folder: Path) -> PackFolder:
    """Read every file of a pack.

    Raises: PackBroken.
    """
    if not folder.is_dir():
        remedy = "Give the slug of a folder below tenants/, or its path."
        raise PackBroken([Problem(str(folder), 1, "There is no such folder.", remedy)])
    problems = Problems()
    files: dict[str, bytes] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        shown = f"{folder.name}/{name}"
        if path.is_symlink():
            problems.add(shown, 1, "A pack holds no links.", remedy="Put the file itself here.")
        elif path.is_file():
            if path.stat().st_size > PACK_FILE_SIZE_MAX:
                remedy = f"Keep it to {PACK_FILE_SIZE_MAX} bytes."
                problems.add(shown, 1, "The file is too large.", remedy=remedy)
            else:
                files[name] = path.read_bytes()
        if len(files) > PACK_FILES_MAX:
            remedy = f"Keep it to {PACK_FILES_MAX} files."
            problems.add(shown, 1, "The pack has too many files.", remedy=remedy)
            break
    if problems.found:
        raise PackBroken(problems.found)
    return PackFolder(name=folder.name, files=files)


def load_pack(folder: Path, sections: Mapping[str, PackSection]) -> Pack:
    """Read and check the pack in ``folder``, whole.

    Raises: PackBroken.
    """
    return read_pack(read_folder(folder), sections)
