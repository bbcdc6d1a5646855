"""Look after a tenant's catalogue: take in files of products, add codes of digital ones."""

from __future__ import annotations

from pathlib import Path

import click

from giftpad import catalog
from giftpad.cli import EXIT_REFUSED, connect
from giftpad.cli.scopes import tenant_scopes
from giftpad.kernel.work import Scope, unit_of_work

FAULTS_SHOWN = 200
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def _scope(slug: str) -> Scope:
    connect()
    ((_, scope),) = tenant_scopes(slug)
    return scope


@click.group("catalog")
def catalog_group() -> None:
    """Look after the catalogue that gifts are chosen from."""


@catalog_group.command("import")
@click.option("--tenant", "slug", required=True)
@click.option("--dry-run", is_flag=True, help="Only check, and say what would be done.")
@click.option("--partial", is_flag=True, help="Take what is right although something is wrong.")
@click.argument("file", type=_FILE)
def import_command(slug: str, file: Path, *, dry_run: bool, partial: bool) -> None:
    """Take in a table of products (CSV, XLSX), or a ZIP of one with its pictures."""
    scope = _scope(slug)
    data = file.read_bytes()
    report = catalog.check_file(scope, data)
    for fault in report.faults[:FAULTS_SHOWN]:
        # What is wrong with the whole file has no sentence here: it ends the command.
        what, remedy = (text.format_map(fault.params) for text in catalog.SENTENCES[fault.code])
        where = f" {fault.column}:" if fault.column else ""
        click.echo(f"{file.name}:{fault.line}:{where} {what} {remedy}", err=True)
    if len(report.faults) > FAULTS_SHOWN:
        click.echo(f"... and {len(report.faults) - FAULTS_SHOWN} more", err=True)
    if report.faults and not partial:
        click.echo("Nothing was taken. Correct the file, or say --partial.", err=True)
        raise SystemExit(EXIT_REFUSED)
    if not dry_run:
        report = catalog.take_file(scope, data)
    would = "would be " if dry_run else ""
    click.echo(
        f"{report.added} products {would}added, {report.changed} changed,"
        f" {report.unchanged} unchanged; {report.picture_count} pictures."
    )


@catalog_group.command("codes")
@click.option("--tenant", "slug", required=True)
@click.option("--product", "code", required=True, help="Its code, or that of the variant.")
@click.argument("file", type=_FILE)
def codes_command(slug: str, code: str, file: Path) -> None:
    """Add the codes of a digital product: one a row, below a header."""
    scope = _scope(slug)
    codes = catalog.read_codes(file.read_bytes())
    with unit_of_work(scope) as work:
        variant_id = catalog.find_variant_id(work, catalog.clean_code(code))
        if variant_id is None:
            message = f"There is no variant {code}."
            raise click.UsageError(message)
        added = catalog.add_codes(work, variant_id, codes)
    click.echo(f"{added} codes added, {len(codes) - added} known already.")
