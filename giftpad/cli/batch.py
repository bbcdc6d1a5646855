"""Print a batch again, or end its print early."""

from __future__ import annotations

from uuid import UUID

import click

from giftpad import coupons
from giftpad.cli import connect
from giftpad.cli.scopes import tenant_scopes
from giftpad.kernel.work import Scope, unit_of_work


@click.group()
def batch() -> None:
    """Look after the print files of coupon batches."""


def _scope(slug: str) -> Scope:
    connect()
    ((_, scope),) = tenant_scopes(slug)
    return scope


@batch.command()
@click.option("--tenant", "slug", required=True)
@click.option("--volume", type=int, help="One volume instead of all.")
@click.argument("batch_id", type=click.UUID)
def reprint(slug: str, volume: int | None, batch_id: UUID) -> None:
    """Print a batch, or one volume of it, again with the same codes, while its key is kept."""
    scope = _scope(slug)
    with unit_of_work(scope) as work:
        coupons.reprint(work, batch_id, volume=volume)
    click.echo("The print is on its way; the batch is ready again when every code was read back.")


@batch.command("destroy-print")
@click.option("--tenant", "slug", required=True)
@click.option("--yes", is_flag=True, help="Really destroy; it cannot be undone.")
@click.argument("batch_id", type=click.UUID)
def destroy_print(slug: str, yes: bool, batch_id: UUID) -> None:  # noqa: FBT001 - click passes it so
    """Destroy a batch's key and print files before their time; its coupons stay valid."""
    if not yes:
        message = "A destroyed print cannot be made again. Say --yes to go on."
        raise click.UsageError(message)
    scope = _scope(slug)
    with unit_of_work(scope) as work:
        coupons.destroy_print(work, batch_id)
    click.echo("The key is destroyed; the files follow.")
