"""See what became of mail and SMS, and have sent again what did not arrive."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict
from uuid import UUID

import click

from giftpad import messaging
from giftpad.cli import connect
from giftpad.cli.scopes import tenant_scopes
from giftpad.kernel.work import unit_of_work


@click.group()
def mail() -> None:
    """Look after mail and SMS on their way out."""


@mail.command("list")
@click.option("--tenant", "slug", help="One tenant instead of all.")
@click.option(
    "--state", "states", multiple=True, type=click.Choice(messaging.STATES), help="Only these."
)
@click.option("--json", "as_json", is_flag=True, help="One object a line, for programs.")
def list_(*, slug: str | None, states: tuple[str, ...], as_json: bool) -> None:
    """List the newest messages; recipients are masked."""
    connect()
    for tenant, scope in tenant_scopes(slug):
        with unit_of_work(scope) as work:
            found = messaging.list_messages(work, states=states)
        for each in found:
            if as_json:
                click.echo(json.dumps({"tenant": tenant.slug, **asdict(each)}, default=str))
            else:
                click.echo(
                    f"{tenant.slug} {each.id} {each.created_at:%Y-%m-%d %H:%M} {each.channel}"
                    f" {each.template} to {each.recipient}: {each.state},"
                    f" {each.attempts} attempts{': ' * bool(each.last_error)}{each.last_error}"
                )


@mail.command()
@click.argument("message_id", type=click.UUID)
@click.option("--tenant", "slug", help="Whose message it is, if that is known.")
def retry(message_id: UUID, slug: str | None) -> None:
    """Send a message again that failed, or whose arrival is unknown."""
    connect()
    for _, scope in tenant_scopes(slug):
        with suppress(messaging.MessageNotFound):
            with unit_of_work(scope) as work:
                messaging.retry(work, message_id)
            click.echo("The message is on its way again.")
            return
    raise messaging.MessageNotFound
