"""See what failed on its way, put it back, and prove that nothing is missing."""

from __future__ import annotations

from uuid import UUID

import click

from giftpad import audit
from giftpad import events as rails
from giftpad.cli import connect
from giftpad.cli.scopes import tenant_scopes
from giftpad.kernel.work import unit_of_work


@click.group()
def events() -> None:
    """Look after the rails between a change and what follows from it."""


@events.command()
@click.option("--tenant", "slug", help="One tenant instead of all.")
def dead(slug: str | None) -> None:
    """List the events that a handler has given up on; to list them is no failure: exit code 0."""
    connect()
    count = 0
    for tenant, scope in tenant_scopes(slug):
        with unit_of_work(scope) as work:
            letters = rails.list_dead(work)
        for letter in letters:
            click.echo(
                f"{tenant.slug} {letter.event_id} {letter.name} -> {letter.handler}:"
                f" {letter.tries} tries, last {letter.failed_at:%Y-%m-%d %H:%M}: {letter.error}"
            )
        count += len(letters)
    click.echo("1 dead letter" if count == 1 else f"{count} dead letters")


@events.command()
@click.option("--tenant", "slug", help="One tenant instead of all.")
@click.option("--event", "event_id", type=click.UUID, help="One event instead of all.")
def redrive(slug: str | None, event_id: UUID | None) -> None:
    """Put dead letters back on the rails."""
    connect()
    count = 0
    for _, scope in tenant_scopes(slug):
        with unit_of_work(scope) as work:
            put_back = rails.redrive(work, event_id)
            if put_back:
                subject = f"event:{event_id}" if event_id else "event:all"
                audit.record(
                    work, action="event.redriven", subject=subject, details={"count": put_back}
                )
        count += put_back
    if event_id and not count:
        message = f"Nothing was given up of an event {event_id}. See: giftpad events dead"
        raise click.ClickException(message)
    click.echo(f"{count} events are on their way again")


@events.command()
@click.option("--tenant", "slug", help="One tenant instead of all.")
def reconcile(slug: str | None) -> None:
    """Count events and receipts; exit 1 if a settled event lacks one, or one was given up."""
    connect()
    count = 0
    for tenant, scope in tenant_scopes(slug):
        with unit_of_work(scope, patience_s=600) as work:
            missing = rails.reconcile(work)
            given_up = rails.count_dead(work)
            pending = rails.count_pending(work)
        for event_id, handler in missing:
            click.echo(f"{tenant.slug}: event {event_id} has not reached {handler}", err=True)
        if given_up:
            click.echo(f"{tenant.slug}: see `giftpad events dead` for what was given up", err=True)
        count += len(missing) + given_up
        click.echo(
            f"{tenant.slug}: {len(missing)} missing, {given_up} given up, {pending} on their way"
        )
    raise SystemExit(1 if count else 0)
