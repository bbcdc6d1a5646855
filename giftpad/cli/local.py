"""Run a whole Giftpad on this machine: up, down, status, reset, and its migrations."""

from __future__ import annotations

import json
from dataclasses import replace

import click

from giftpad import local
from giftpad.kernel.config import read_settings

TENANTS = local.Step(name="tenant packs", target="giftpad.cli.prepare:prepare_tenants")
DEMONSTRATION = local.Step(
    name="tenant packs and demonstration people",
    target="giftpad.cli.prepare:prepare_demonstration",
)
# The steps are named, not imported: the process that supervises has no use for any domain, and
# loading them all would make up for a fifth of the time a start takes.


@click.command()
@click.option("--detach", is_flag=True, help="Return when it serves; it goes on behind.")
@click.option("--serve", default="", help="Parts to serve: api,portals,identity. Default: all.")
@click.option("--lan", is_flag=True, help="Serve phones of the local network, by https.")
@click.option("--lan-address", default="", help="Which of this machine's addresses they use.")
@click.option("--lan-port", type=int, default=0, help="Port they use; default: 8443.")
def up(*, detach: bool, serve: str, lan: bool, lan_address: str, lan_port: int) -> None:
    """Start PostgreSQL, Redis, web server and workers, and keep them running."""
    settings = read_settings()
    if serve:
        settings = replace(settings, serve=serve)
    if lan or lan_address or lan_port:
        settings = local.with_lan(settings, address=lan_address, port=lan_port)
    last = DEMONSTRATION if settings.is_embedded else TENANTS
    local.up(settings, local.Arrangement(steps=(local.MIGRATIONS, last)), detach=detach)


@click.command()
def down() -> None:
    """Stop the Giftpad of this data folder."""
    local.down(read_settings())


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
def status(*, as_json: bool) -> None:
    """Show what runs, part by part; exit 16 if nothing does."""
    found = local.status(read_settings())
    click.echo(json.dumps(found.as_json(), indent=2) if as_json else found.describe())
    if not found.is_running:
        raise SystemExit(local.NotRunning.exit_code)


@click.command()
@click.argument("parts", nargs=-1)
def restart(parts: tuple[str, ...]) -> None:
    """Replace running programs by fresh ones; somebody answers all the time.

    PARTS: web, relay, scheduler, jobs, or a name that `giftpad status` shows; none means all.
    """
    local.restart(read_settings(), parts)


@click.command()
@click.option("--yes", is_flag=True, help="Really remove all data, files and keys.")
def reset(*, yes: bool) -> None:
    """Remove the embedded database, queue, files, keys and logs of this data folder."""
    from giftpad.cli.prepare import DEMO_FILE  # noqa: PLC0415 - see the steps above

    settings = read_settings()
    local.reset(settings, confirmed=yes)
    (settings.home / DEMO_FILE).unlink(missing_ok=True)


@click.command()
def migrate() -> None:
    """Bring the database to the newest schema; `giftpad up` does this by itself."""
    from giftpad.kernel.migrate import upgrade  # noqa: PLC0415 - see the steps above

    settings = read_settings()
    if settings.is_embedded:
        settings = local.embedded_settings(settings)
    upgrade(settings)
    click.echo("The database has the newest schema.")
