"""A QR on a page: one path of dark modules, drawn by the browser at any size."""

from __future__ import annotations

from dataclasses import dataclass

from giftpad import printing

QUIET_MODULES = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnQr:
    """The side of the square in modules, its quiet zone included, and the path within."""

    side: int
    path: str


def draw_qr(text: str) -> DrawnQr:
    """Return a text as a QR."""
    matrix = printing.single_qr_matrix(text)
    runs = (
        f"M{x + QUIET_MODULES} {y + QUIET_MODULES}h{length}v1h-{length}z"
        for x, y, length in matrix.dark_runs()
    )
    return DrawnQr(side=matrix.size + 2 * QUIET_MODULES, path="".join(runs))
