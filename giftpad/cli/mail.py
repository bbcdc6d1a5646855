"""See what became of mail and SMS, and have sent again what did not arrive."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from uuid import UUID

import click

from giftpad import messaging
from giftpad.cli import connect
from giftpad.cli.scopes import tenant_scopes
from giftpad.kernel.work import Work, unit_of_work


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


@mail.command()
@click.option("--tenant", "slug", help="One tenant instead of all.")
@click.option("--json", "as_json", is_flag=True, help="One object a line, for programs.")
def runs(*, slug: str | None, as_json: bool) -> None:
    """List the newest runs: how far each is, and when it will be through."""
    connect()
    for tenant, scope in tenant_scopes(slug):
        with unit_of_work(scope) as work:
            found = messaging.list_runs(work)
        for each in found:
            if as_json:
                click.echo(json.dumps({"tenant": tenant.slug, **asdict(each)}, default=str))
                continue
            counts = ", ".join(f"{count} {state}" for state, count in each.counts.items() if count)
            end = f", through at {each.ends_at:%Y-%m-%d %H:%M} UTC" if each.ends_at else ""
            click.echo(
                f"{tenant.slug} {each.id} {each.name}: {each.waiting} of {each.total} wait"
                f"{'; ' * bool(counts)}{counts}{end}{', paused' * (each.paused_at is not None)}"
                f"{', quiet' * (each.rests_until is not None)}"
            )


@mail.command()
@click.argument("run_id", type=click.UUID)
@click.option("--tenant", "slug", help="Whose run it is, if that is known.")
def pause(run_id: UUID, slug: str | None) -> None:
    """Let no more messages of a run leave, until it is resumed."""
    is_news = _change_run(run_id, slug, messaging.pause_run)
    click.echo("The run is paused." if is_news else "The run was paused already.")


@mail.command()
@click.argument("run_id", type=click.UUID)
@click.option("--tenant", "slug", help="Whose run it is, if that is known.")
def resume(run_id: UUID, slug: str | None) -> None:
    """Let messages of a paused run leave again."""
    is_news = _change_run(run_id, slug, messaging.resume_run)
    click.echo("The run goes on." if is_news else "The run was not paused.")


def _change_run(run_id: UUID, slug: str | None, change: Callable[[Work, UUID], bool]) -> bool:
    connect()
    for _, scope in tenant_scopes(slug):
        with suppress(messaging.RunNotFound), unit_of_work(scope) as work:
            return change(work, run_id)
    raise messaging.RunNotFound


@mail.command()
@click.option("--tenant", "slug", help="One tenant instead of all.")
def stopped(slug: str | None) -> None:
    """List addresses that nothing is sent to, masked, and why."""
    connect()
    for tenant, scope in tenant_scopes(slug):
        with unit_of_work(scope) as work:
            found = messaging.list_suppressions(work)
        for each in found:
            click.echo(
                f"{tenant.slug} {each.created_at:%Y-%m-%d %H:%M} {each.channel}"
                f" {each.shown or 'by a link'}: {each.reason}"
            )


@mail.command()
@click.argument("address")
@click.option("--tenant", "slug", required=True, help="Whose messages may go there again.")
def lift(address: str, slug: str) -> None:
    """Let messages go to a mail address or telephone number again; it is on record."""
    connect()
    channel = "mail" if "@" in address else "sms"
    for _, scope in tenant_scopes(slug):
        with unit_of_work(scope) as work:
            count = messaging.lift_suppressions(work, channel, address)
        click.echo(f"Messages may go there again; {count} reasons were lifted.")
