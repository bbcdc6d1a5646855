"""Check tenant packs and make tenants what their packs say."""

from __future__ import annotations

import json
from pathlib import Path

import click

from giftpad import tenancy
from giftpad.cli import connect
from giftpad.cli.scopes import OPERATOR
from giftpad.kernel.work import Scope, unit_of_work
from giftpad.wiring import PACK_SECTIONS

PACKS = Path(__file__).resolve().parents[2] / "tenants"
PATIENCE_S = 120


def load_packs(names: tuple[str, ...]) -> list[tenancy.Pack]:
    """Read and check the packs named by slug or path, or all of the house.

    Every problem of every pack is told before the command ends with exit code 1.
    """
    folders = [_folder(name) for name in names] or tenancy.list_packs(PACKS)
    packs: list[tenancy.Pack] = []
    count = 0
    for folder in folders:
        try:
            packs.append(tenancy.load_pack(folder, PACK_SECTIONS))
        except tenancy.PackBroken as broken:
            count += len(broken.problems)
            click.echo(str(broken), err=True)
    if count:
        click.echo(f"{count} problem{'s' * (count > 1)}. Nothing was applied.", err=True)
        raise SystemExit(1)
    return packs


def _folder(name: str) -> Path:
    return Path(name).resolve() if "/" in name or name == "." else PACKS / name


def apply(pack: tenancy.Pack) -> tenancy.Applied:
    """Make one tenant what its pack says, and say on the terminal what changed."""
    scope = Scope(tenant_id=tenancy.open_for_pack(pack).tenant_id, actor=OPERATOR)
    tenancy.prepare_pack(scope, pack, PACK_SECTIONS)
    with unit_of_work(scope, patience_s=PATIENCE_S) as work:
        applied = tenancy.apply_pack(work, pack, PACK_SECTIONS)
    tenancy.forget_tenants()
    click.echo(f"{pack.slug}: {', '.join(applied.changes) or 'unchanged'}")
    return applied


@click.group()
def tenant() -> None:
    """Look after tenants and their packs."""


@tenant.command("apply")
@click.argument("slugs", nargs=-1)
@click.option("--all", "is_all", is_flag=True, help="Every pack of the house.")
def apply_command(slugs: tuple[str, ...], *, is_all: bool) -> None:
    """Make tenants what their packs say; a pack with a problem is refused whole."""
    if is_all == bool(slugs):
        message = "Name the packs to apply, or write --all."
        raise click.UsageError(message)
    packs = load_packs(slugs)
    connect()
    for pack in packs:
        apply(pack)


@tenant.command()
@click.argument("slugs", nargs=-1)
def check(slugs: tuple[str, ...]) -> None:
    """Read packs, all of the house by default, and tell every problem; needs no database."""
    for pack in load_packs(slugs):
        click.echo(f"{pack.slug}: good")


@tenant.command("list")
@click.option("--json", "is_json", is_flag=True, help="One JSON object a line.")
def list_command(*, is_json: bool) -> None:
    """List the tenants."""
    connect()
    for found in tenancy.list_tenants():
        if found.id == tenancy.PLATFORM_TENANT_ID:
            continue
        if is_json:
            line = {
                "id": str(found.id),
                "slug": found.slug,
                "org_id": found.org_id,
                "name": found.name,
                "kind": found.kind,
                "suspended": found.is_suspended,
            }
            click.echo(json.dumps(line, ensure_ascii=False))
        else:
            suffix = " (suspended)" if found.is_suspended else ""
            click.echo(f"{found.slug}  {found.org_id}  {found.kind}  {found.name}{suffix}")
