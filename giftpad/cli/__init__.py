"""The command line: one group of commands a file, loaded only when it is asked for.

Hides: how a command reaches the database of a running Giftpad.  Exit codes: 0 done, 1 refused or
differences found, 2 wrong usage or settings; those of a local Giftpad from 10 up.
"""

from __future__ import annotations

import importlib
import sys
from dataclasses import replace

import click

from giftpad.kernel.config import Settings, SettingsError, read_settings
from giftpad.kernel.errors import DomainError
from giftpad.kernel.log import configure_logging
from giftpad.kernel.seal import KeyUnreadable

EXIT_REFUSED, EXIT_USAGE = 1, 2
COMMANDS = {
    "access": "giftpad.cli.access:access",
    "admission": "giftpad.cli.guard:admission",
    "audit": "giftpad.cli.audit:audit",
    "backup": "giftpad.cli.backup:backup",
    "batch": "giftpad.cli.batch:batch",
    "catalog": "giftpad.cli.catalog:catalog_group",
    "client": "giftpad.cli.identity:client",
    "connection": "giftpad.cli.connection:connection",
    "demo": "giftpad.cli.demo:demo",
    "down": "giftpad.cli.local:down",
    "events": "giftpad.cli.events:events",
    "feature": "giftpad.cli.guard:feature",
    "gifts": "giftpad.cli.gifts:gifts",
    "keys": "giftpad.cli.identity:keys",
    "ledger": "giftpad.cli.ledger:ledger",
    "mail": "giftpad.cli.mail:mail",
    "messages": "giftpad.cli.messages:messages",
    "migrate": "giftpad.cli.local:migrate",
    "openapi": "giftpad.cli.openapi:openapi",
    "person": "giftpad.cli.identity:person",
    "prepare": "giftpad.cli.prepare:prepare",
    "reporting": "giftpad.cli.reporting:reporting",
    "reset": "giftpad.cli.local:reset",
    "restart": "giftpad.cli.local:restart",
    "restore": "giftpad.cli.backup:restore",
    "status": "giftpad.cli.local:status",
    "tenant": "giftpad.cli.tenant:tenant",
    "up": "giftpad.cli.local:up",
}


class LazyGroup(click.Group):
    """Load a command's file when the command is called, so that one broken room stops no other."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return every command's name."""
        del ctx
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load one command."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command


@click.group(cls=LazyGroup)
def cli() -> None:
    """Run, look after and prove a Giftpad."""


def connect() -> Settings:
    """Bind this process to the database, keys and wiring of the Giftpad that is meant.

    With an external database that is the one of the environment, otherwise the one that runs
    on the data folder.
    """
    from giftpad import local, wiring  # noqa: PLC0415 - only commands that need them pay for them

    settings = read_settings()
    if settings.is_embedded:
        settings = local.embedded_settings(settings)
    configure_logging(replace(settings, log_level="WARNING", log_format="console"))
    wiring.bootstrap(settings)
    return settings


def main() -> None:
    """Run the command line; a refusal is one sentence on standard error and exit code 1."""
    try:
        cli(prog_name="giftpad")
    except SettingsError as error:
        click.echo(f"giftpad: {error}", err=True)
        sys.exit(EXIT_USAGE)
    except (DomainError, KeyUnreadable) as error:
        click.echo(f"giftpad: {getattr(error, 'message', error)}", err=True)
        sys.exit(getattr(error, "exit_code", EXIT_REFUSED))
