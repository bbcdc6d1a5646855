"""Packs for tests: copies of the house's own, spoilt in one place."""

from __future__ import annotations

import functools
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

from giftpad import tenancy
from giftpad.kernel.work import Scope, unit_of_work
from giftpad.wiring import PACK_SECTIONS

HOUSE = Path(__file__).resolve().parents[1] / "tenants"


def copy_pack(to: Path, *, slug: str = "midori-city", as_slug: str | None = None) -> Path:
    """Copy a pack of the house, under another slug if need be, and return its folder."""
    folder = to / (as_slug or slug)
    shutil.copytree(HOUSE / slug, folder)
    if as_slug:
        change(folder, "tenant.toml", f'slug = "{slug}"', f'slug = "{as_slug}"')
    return folder


def change(folder: Path, file: str, old: str, new: str) -> None:
    """Replace a text that stands in a file of the pack."""
    text = (folder / file).read_text(encoding="utf-8")
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")


def load(folder: Path) -> tenancy.Pack:
    """Read and check a pack with the sections of the house."""
    return tenancy.load_pack(folder, PACK_SECTIONS)


@functools.cache
def read_house(slug: str, without: tuple[str, ...] = ()) -> tenancy.Pack:
    """Read a pack of the house, less some files, once: hundreds of tests have the same."""
    with tempfile.TemporaryDirectory() as room:
        folder = copy_pack(Path(room), slug=slug)
        for name in without:
            (folder / name).unlink()
        return load(folder)


def apply(folder: Path) -> tenancy.Applied:
    """Apply a pack in a folder as the command line does."""
    return _apply(load(folder))


def apply_town(to: Path, *, slug: str = "midori-city", without: tuple[str, ...] = ()) -> Scope:
    """Apply a house pack, less some files, under a slug of its own; return its scope."""
    own = f"{slug}-{to.name.replace('_', '-').lower()}"
    return Scope(tenant_id=_apply(replace(read_house(slug, without), slug=own)).tenant_id)


def _apply(pack: tenancy.Pack) -> tenancy.Applied:
    scope = tenancy.open_for_pack(pack)
    tenancy.prepare_pack(scope, pack, PACK_SECTIONS)
    with unit_of_work(scope) as work:
        applied = tenancy.apply_pack(work, pack, PACK_SECTIONS)
    tenancy.forget_tenants()
    return applied
