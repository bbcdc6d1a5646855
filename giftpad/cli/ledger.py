"""Prove the books."""

from __future__ import annotations

import time

import click

from giftpad import gifts, health, payments, reporting
from giftpad import ledger as books
from giftpad.cli import connect
from giftpad.cli.scopes import tenant_scopes
from giftpad.kernel.work import unit_of_work

VERIFY_PATIENCE_S = 3600


@click.group()
def ledger() -> None:
    """Prove the book of record."""


@ledger.command()
@click.option("--tenant", "slug", help="One tenant instead of all.")
def verify(slug: str | None) -> None:
    """Recompute every balance; compare payments, gifts, events and figures with the transfers.

    Exit 1, with a line for each difference, if anything does not agree.
    """
    connect()
    count = 0
    for tenant, scope in tenant_scopes(slug):
        begun = time.monotonic()
        with unit_of_work(scope, patience_s=VERIFY_PATIENCE_S) as work:
            differences = [
                *books.verify(work),
                *payments.verify(work),
                *gifts.verify(work),
                *reporting.check_figures(work),
            ]
        health.note_proof(tenant.slug, faults=len(differences), seconds=time.monotonic() - begun)
        for difference in differences:
            click.echo(f"{tenant.slug}: {difference}", err=True)
        count += len(differences)
        if not differences:
            click.echo(f"{tenant.slug}: the books agree")
    if count:
        click.echo(f"{count} differences", err=True)
    raise SystemExit(1 if count else 0)
