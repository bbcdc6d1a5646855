"""Run a whole Giftpad on this machine: up, down, status, reset, and its migrations."""

from __future__ import annotations

import json

import click

from giftpad import local
from giftpad.cli.prepare import prepare
from giftpad.kernel.config import Settings, read_settings
from giftpad.kernel.migrate import upgrade

TENANTS = local.Step(name="tenant packs", target="giftpad.cli.local:prepare_tenants")
DEMONSTRATION = local.Step(
    name="tenant packs and demonstration people", target="giftpad.cli.local:prepare_demonstration"
)


def prepare_tenants(settings: Settings) -> None:
    """Set up platform, keys and tenants in the database that the supervisor names."""
    del settings  # the command reads the same from its environment
    prepare.main(args=[], standalone_mode=False)


def prepare_demonstration(settings: Settings) -> None:
    """Do the same, and give an empty installation the people of its packs."""
    del settings  # the command reads the same from its environment
    prepare.main(args=["--demo"], standalone_mode=False)


@click.command()
@click.option("--detach", is_flag=True, help="Return when it serves; it goes on behind.")
def up(*, detach: bool) -> None:
    """Start PostgreSQL, Redis, web server and workers, and keep them running."""
    settings = read_settings()
    last = DEMONSTRATION if settings.is_embedded else TENANTS
    local.up(settings, local.Arrangement(steps=(local.MIGRATIONS, last)), detach=detach)


@click.command()
def down() -> None:
    """Stop the Giftpad of this data folder."""
    local.down(read_settings())


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
def status(*, as_json: bool) -> None:
    """Show what runs, part by part."""
    found = local.status(read_settings())
    click.echo(json.dumps(found.as_json(), indent=2) if as_json else found.describe())


@click.command()
@click.option("--yes", is_flag=True, help="Really remove all data, files and keys.")
def reset(*, yes: bool) -> None:
    """Remove the embedded database, queue, files, keys and logs of this data folder."""
    local.reset(read_settings(), confirmed=yes)


@click.command()
def migrate() -> None:
    """Bring the database to the newest schema; `giftpad up` does this by itself."""
    settings = read_settings()
    if settings.is_embedded:
        settings = local.embedded_settings(settings)
    upgrade(settings)
    click.echo("The database has the newest schema.")
