"""Packs for tests: copies of the house's own, spoilt in one place."""

from __future__ import annotations

import shutil
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


def apply(folder: Path) -> tenancy.Applied:
    """Apply a pack as the command line does."""
    pack = load(folder)
    scope = tenancy.open_for_pack(pack)
    tenancy.prepare_pack(scope, pack, PACK_SECTIONS)
    with unit_of_work(scope) as work:
        applied = tenancy.apply_pack(work, pack, PACK_SECTIONS)
    tenancy.forget_tenants()
    return applied


def apply_town(to: Path, *, slug: str = "midori-city", without: tuple[str, ...] = ()) -> Scope:
    """Apply a copy of a house pack, less some files, under a slug of its own; return its scope."""
    folder = copy_pack(to, slug=slug, as_slug=f"{slug}-{to.name.replace('_', '-').lower()}")
    for name in without:
        (folder / name).unlink()
    return Scope(tenant_id=apply(folder).tenant_id)
