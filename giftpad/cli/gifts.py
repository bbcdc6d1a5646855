"""Money paid in for gifts, and how gift orders stand."""

from __future__ import annotations

from uuid import UUID

import click

from giftpad import gifts as domain
from giftpad.cli import connect
from giftpad.cli.scopes import tenant_scopes
from giftpad.kernel.money import AMOUNT_MINOR_MAX
from giftpad.kernel.work import Scope, unit_of_work

REFERENCE_LENGTH_MAX = 64
LISTED_MAX = 100


@click.group()
def gifts() -> None:
    """Book what tenants pay in for gifts, and see their orders."""


def _scope(slug: str) -> Scope:
    connect()
    ((_, scope),) = tenant_scopes(slug)
    return scope


def _reference(_: object, __: object, text: str | None) -> str | None:
    """Return a reference that can be booked, or None for none.

    Raises: BadParameter.
    """
    if text is None:
        return None
    if not 0 < len(text.strip()) <= REFERENCE_LENGTH_MAX:
        message = f"a reference has 1 to {REFERENCE_LENGTH_MAX} characters"
        raise click.BadParameter(message)
    return text.strip()


@gifts.command()
@click.option("--tenant", "slug", required=True)
@click.option(
    "--amount",
    "amount_minor",
    type=click.IntRange(1, AMOUNT_MINOR_MAX),
    help="In the smallest unit, such as yen.",
)
@click.option(
    "--reference",
    callback=_reference,
    help="Of the payment, such as the bank's number; booked once, however often it is said.",
)
@click.option(
    "--reverse",
    "wrong",
    callback=_reference,
    help="Instead of booking: take back the payment with this reference, which was a mistake.",
)
def deposit(
    slug: str, *, amount_minor: int | None, reference: str | None, wrong: str | None
) -> None:
    """Book money that a tenant has paid in for gifts, or take back what was booked by mistake."""
    if wrong is not None and (amount_minor is not None or reference is not None):
        message = "--reverse names the payment; it goes without --amount and --reference"
        raise click.UsageError(message)
    if wrong is not None:
        _reverse(slug, wrong)
        return
    if amount_minor is None or reference is None:
        message = "say --amount and --reference, or --reverse"
        raise click.UsageError(message)
    scope = _scope(slug)
    with unit_of_work(scope) as work:
        domain.take_deposit(work, amount_minor, reference=reference)
        budget = domain.get_budget(work)
    click.echo(f"Booked as {reference}. {slug} can spend {budget:,} on gifts.")


def _reverse(slug: str, reference: str) -> None:
    scope = _scope(slug)
    with unit_of_work(scope) as work:
        amount_minor = domain.reverse_deposit(work, reference)
        budget = domain.get_budget(work)
    click.echo(f"Taken back: {amount_minor:,}, {reference}. {slug} can spend {budget:,} on gifts.")


@gifts.command("list")
@click.option("--tenant", "slug", required=True)
def show(slug: str) -> None:
    """List the newest gift orders of a tenant and what it can spend."""
    scope = _scope(slug)
    with unit_of_work(scope) as work:
        found = domain.list_orders(work, limit=LISTED_MAX).items
        budget = domain.get_budget(work)
    click.echo(f"{slug} can spend {budget:,} on gifts.")
    for order in found:
        total = "-" if order.total_minor is None else f"{order.total_minor:,}"
        counts = f"{order.issued} of {order.quantity} issued"
        click.echo(f"{order.number:>6}  {order.state:<10} {counts:>24}  {total:>14}  {order.id}")


@gifts.command()
@click.option("--tenant", "slug", help="One tenant instead of all.")
def stuck(slug: str | None) -> None:
    """List orders that have stopped, and why; to list them is no failure: exit code 0."""
    connect()
    count = 0
    for tenant, scope in tenant_scopes(slug):
        with unit_of_work(scope) as work:
            found = [order for order in domain.list_open_orders(work) if order.troubles]
        for order in found:
            again = "redrive" if order.can_be_redriven else "waits for people"
            click.echo(
                f"{tenant.slug} {order.number:>6}  {order.state:<10} {again}  {order.order_id}"
            )
            for trouble in order.troubles:
                since = f"{trouble.since:%Y-%m-%d %H:%M}"
                click.echo(f"        {trouble.code}: {trouble.count}, since {since} UTC")
        count += len(found)
    click.echo("1 order is stuck" if count == 1 else f"{count} orders are stuck")


@gifts.command()
@click.argument("order_id", metavar="ORDER", type=click.UUID)
@click.option("--tenant", "slug", help="Whose order it is; all are searched without.")
@click.option("--reason", required=True, help="Why now; it goes into the tenant's record.")
def redrive(order_id: UUID, slug: str | None, reason: str) -> None:
    """Start an order again where it stands; nobody gets a gift twice by it."""
    connect()
    for tenant, scope in tenant_scopes(slug):
        try:
            with unit_of_work(scope) as work:
                done = domain.redrive_order(work, order_id, reason=reason)
        except domain.OrderNotFound:
            continue
        except domain.NothingToRedrive as refusal:
            raise click.ClickException(refusal.sentence) from refusal
        told = ", ".join(f"{code} {count}" for code, count in done.items())
        click.echo(f"{tenant.slug}: started again: {told}")
        return
    message = "There is no such gift order."
    raise click.ClickException(message)
