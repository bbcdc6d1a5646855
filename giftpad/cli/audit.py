"""Prove that nobody has changed what was recorded."""

from __future__ import annotations

import click

from giftpad import audit as chain
from giftpad.cli import connect
from giftpad.cli.scopes import tenant_scopes
from giftpad.kernel.work import unit_of_work


@click.group()
def audit() -> None:
    """Prove the record of who did what."""


@audit.command()
@click.option("--tenant", "slug", help="One tenant instead of all.")
def verify(slug: str | None) -> None:
    """Recompute the chain of hashes; exit 1 and name the first entry that does not hold."""
    connect()
    broken = 0
    for tenant, scope in tenant_scopes(slug):
        with unit_of_work(scope, patience_s=600) as work:
            found = chain.verify(work)
        if found is not None:
            broken += 1
            click.echo(f"{tenant.slug}: {found}", err=True)
        else:
            click.echo(f"{tenant.slug}: the chain holds")
    raise SystemExit(1 if broken else 0)
