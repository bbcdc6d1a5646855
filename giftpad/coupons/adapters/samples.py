"""Coupons that look like real ones and open nothing: for a print shop's price, trial and reader.

Hides: the key that their codes are made with, which is made for one sample and kept nowhere.
"""

from __future__ import annotations

import io
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from giftpad.coupons.rules import format_serial
from giftpad.kernel.codes import build_qr, build_typed, group_typed
from giftpad.kernel.seal import new_key
from giftpad.printing import read_sample, render

SAMPLE_PREFIX = "MH"
NOBODYS_TAG = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleDrawn:
    """What a sample took to draw, once typefaces and tables were loaded by a page before it."""

    page_count: int
    seconds: float
    cpu_s: float


def list_sample_items(quantity: int, *, address: str) -> list[dict[str, str]]:
    """Write what stands on each coupon of a sample alone; all codes differ and none opens."""
    key = new_key()
    return [
        {
            "serial": format_serial(SAMPLE_PREFIX, number),
            "typed_code": group_typed(build_typed(key, number)),
            "qr": build_qr(address, key, 0, NOBODYS_TAG, locator=number),
        }
        for number in range(1, quantity + 1)
    ]


def draw_sample(template: str, items: Sequence[Mapping[str, str]], output: BinaryIO) -> SampleDrawn:
    """Draw a sample on a template of the house with the texts of its own sample.

    Raises: as ``printing.render``.
    """
    common = read_sample(template).common
    render(template, common, items[:1], io.BytesIO())
    began, cpu_began = time.perf_counter(), time.process_time()
    rendered = render(template, common, items, output)
    return SampleDrawn(
        page_count=rendered.page_count,
        seconds=time.perf_counter() - began,
        cpu_s=time.process_time() - cpu_began,
    )
