"""Print a sample, print a batch again, or end its print early."""

from __future__ import annotations

import csv
import io
import json
import resource
from pathlib import Path
from uuid import UUID

import click

from giftpad import coupons, printing
from giftpad.cli import connect
from giftpad.cli.scopes import tenant_scopes
from giftpad.kernel.config import read_settings
from giftpad.kernel.work import Scope, unit_of_work

ON_ITS_WAY = "The print is on its way; the batch is ready again when every code was read back."
ON_ITS_WAY_RELEASED = (
    "The print is on its way; the batch stays released and its coupons are good meanwhile."
    " Its files can be taken again when every code was read back."
)


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
        state = coupons.get_batch(work, batch_id).state
    click.echo(ON_ITS_WAY_RELEASED if state == "released" else ON_ITS_WAY)


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


@batch.command()
@click.option("--template", default="coupon_a4_8up", show_default=True, help="Of the house.")
@click.option("--quantity", type=click.IntRange(1, printing.ITEMS_MAX), default=80)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True)
@click.option(
    "--list",
    "list_path",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write serial, typed code and QR text of each coupon as CSV, to try a reader with.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def sample(
    *,
    template: str,
    quantity: int,
    out: Path,
    list_path: Path | None,
    as_json: bool,
) -> None:
    """Print coupons that look like real ones and open nothing, for a print shop to try."""
    items = coupons.list_sample_items(quantity, address=read_settings().public_address)
    pdf = io.BytesIO()
    drawn = coupons.draw_sample(template, items, pdf)
    out.write_bytes(pdf.getvalue())
    if list_path is not None:
        with list_path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, items[0])
            writer.writeheader()
            writer.writerows(items)
    figures = {
        "quantity": quantity,
        "page_count": drawn.page_count,
        "size_bytes": len(pdf.getvalue()),
        "seconds": round(drawn.seconds, 4),
        "cpu_s": round(drawn.cpu_s, 4),
        "memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6, 1),
        "coupons_per_s": round(quantity / drawn.seconds, 1),
    }
    if as_json:
        click.echo(json.dumps(figures))
        return
    click.echo(
        f"{quantity} coupons on {drawn.page_count} pages, "
        f"{figures['coupons_per_s']:,.0f} a second: {out}. None of their codes opens anything."
    )
