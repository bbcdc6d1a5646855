"""The designs there are.

Hides: that they are read and judged once a process, and pictures drawn once a size.
"""

from __future__ import annotations

from functools import cache, lru_cache
from pathlib import Path

from giftpad.designs.adapters import DESIGNS_DIR, read_art, read_folder, render_png
from giftpad.designs.errors import DesignNotFound
from giftpad.designs.rules import Design
from giftpad.tenancy import PackBroken, Problem, Problems

PICTURE_WIDTH_MAX = 2880
"""Four times as wide as it is drawn: enough for paper, and no more than a picture may cost."""


def check_designs(root: Path = DESIGNS_DIR) -> list[Problem]:
    """Return what is wrong with the designs below ``root``, with file, line and remedy."""
    problems = Problems()
    read_folder(root, problems)
    return sorted(problems.found)


@cache
def _read() -> dict[str, Design]:
    problems = Problems()
    designs = read_folder(DESIGNS_DIR, problems)
    if problems.found:
        raise PackBroken(problems.found)
    return {design.name: design for design in designs}


def list_designs() -> tuple[Design, ...]:
    """Return every design, in the order they are shown in.

    PackBroken if one of them cannot be used.
    """
    return tuple(_read().values())


def get_design(name: str) -> Design:
    """Return one design.

    Raises: DesignNotFound.
    """
    design = _read().get(name)
    if design is None:
        raise DesignNotFound
    return design


@cache
def _art(name: str) -> str:
    return read_art(DESIGNS_DIR, name)


def art_svg(name: str) -> str:
    """Return the picture of a design as a drawing.

    Raises: DesignNotFound.
    """
    return _art(get_design(name).name)


@lru_cache(maxsize=32)
def picture_png(name: str, width_px: int) -> bytes:
    """Return the picture of a design as PNG, for what shows no drawings: mail, paper.

    Raises: DesignNotFound.
    """
    assert 1 <= width_px <= PICTURE_WIDTH_MAX
    return render_png(art_svg(name), width_px)
