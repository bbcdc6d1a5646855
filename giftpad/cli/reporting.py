"""Look after the daily figures."""

from __future__ import annotations

import click

from giftpad import reporting as figures
from giftpad.cli import connect
from giftpad.cli.scopes import tenant_scopes
from giftpad.kernel.work import unit_of_work

REBUILD_PATIENCE_S = 3600


@click.group()
def reporting() -> None:
    """Look after the daily figures of the overview."""


@reporting.command()
@click.option("--tenant", "slug", help="One tenant instead of all.")
def rebuild(slug: str | None) -> None:
    """Build the daily figures anew from the book of record; payments go on meanwhile."""
    connect()
    for tenant, scope in tenant_scopes(slug):
        with unit_of_work(scope, patience_s=REBUILD_PATIENCE_S) as work:
            count = figures.rebuild(work)
        click.echo(f"{tenant.slug}: {count} rows of days and programmes")
