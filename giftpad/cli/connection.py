"""Tenants' own identity providers, from the command line."""

from __future__ import annotations

import json
import sys
from typing import Any
from uuid import UUID

import click

from giftpad import identity
from giftpad.cli import EXIT_REFUSED, connect
from giftpad.cli.identity import json_option, scope_of, show_table, tenant_option
from giftpad.kernel.work import Scope

id_argument = click.argument("connection_id", type=click.UUID)
secret_option = click.option(
    "--secret-stdin", is_flag=True, help="Read the client secret from standard input."
)


def _read_secret() -> str:
    return sys.stdin.readline().rstrip("\r\n")


def _find(scope: Scope, connection_id: UUID) -> identity.ConnectionView:
    found = identity.find_connection(scope.tenant_id, connection_id)
    if found is None:
        raise identity.ConnectionNotFound
    return found


def _as_json(view: identity.ConnectionView) -> dict[str, Any]:
    return {
        "id": str(view.id),
        "name": view.name,
        "issuer": view.issuer,
        "client_id": view.client_id,
        "has_secret": view.has_secret,
        "secret_in": view.secret_in,
        "algorithms": view.algorithms,
        "scopes": view.scopes,
        "authorization_endpoint": view.authorization_endpoint,
        "token_endpoint": view.token_endpoint,
        "jwks_uri": view.jwks_uri,
        "state": "disabled" if view.disabled_at else "active",
    }


@click.group()
def connection() -> None:
    """Connect tenants to their own identity providers, by which their people sign in."""


@connection.command("create")
@tenant_option
@click.option("--name", required=True, help="What stands on the button.")
@click.option("--issuer", required=True, help="The provider's name, as its tokens say it.")
@click.option("--client-id", required=True, help="What the provider calls Giftpad.")
@secret_option
@click.option(
    "--secret-in",
    type=click.Choice(identity.SECRET_PLACES),
    default=None,
    help="Where the provider reads the secret; found out if not said.",
)
@click.option(
    "--algorithm",
    "algorithms",
    multiple=True,
    type=click.Choice(identity.CONNECTION_ALGORITHMS),
    help="What may have signed; say it once for each, RS256 if never. HS256 stands alone.",
)
@click.option("--scope", "scopes", multiple=True, help="What to ask for beside openid.")
@json_option
def create(*, slug: str, secret_stdin: bool, as_json: bool, **given: Any) -> None:
    """Connect a provider, as it says it is now; it must answer."""
    secret = _read_secret() if secret_stdin else None
    connect()
    given["algorithms"] = given["algorithms"] or ("RS256",)
    given["secret_in"] = given["secret_in"] or ""
    new = identity.NewConnection(secret=secret, **given)
    made = identity.create_connection(scope_of(slug), new)
    here = identity.issuer().address
    shown = _as_json(made) | {
        "redirect_uri": identity.callback_address(),
        "sign_in": f"{here}sign-in?org={slug}",
    }
    if as_json:
        click.echo(json.dumps(shown, ensure_ascii=False))
        return
    click.echo(f"{made.name} is connected: {made.id}")
    click.echo(f"Tell the provider this address to come back to: {shown['redirect_uri']}")
    click.echo(f"People sign in at: {shown['sign_in']}")


@connection.command("list")
@tenant_option
@json_option
def list_all(*, slug: str, as_json: bool) -> None:
    """Show the connections of a tenant."""
    connect()
    views = identity.list_connections(scope_of(slug))
    if as_json:
        click.echo(json.dumps([_as_json(view) for view in views], ensure_ascii=False))
        return
    show_table(
        (str(view.id), "disabled" if view.disabled_at else "active", view.issuer, view.name)
        for view in views
    )


@connection.command("disable")
@tenant_option
@id_argument
def disable(slug: str, connection_id: UUID) -> None:
    """Let nobody in by a connection any more, and sign out whom it has let in."""
    connect()
    count = identity.disable_connection(scope_of(slug), connection_id)
    click.echo(f"{connection_id} is disabled. Sessions that ended: {count}.")


@connection.command("secret")
@tenant_option
@id_argument
def change_secret(slug: str, connection_id: UUID) -> None:
    """Take the provider's new client secret from standard input; what is linked stays linked."""
    secret = _read_secret()
    connect()
    identity.change_secret(scope_of(slug), connection_id, secret)
    click.echo(f"{connection_id} has another secret.")


@connection.command("check")
@tenant_option
@id_argument
@click.option("--renew", is_flag=True, help="Remember the addresses that the provider has now.")
@json_option
def check(*, slug: str, connection_id: UUID, renew: bool, as_json: bool) -> None:
    """Ask the provider what it is today, and say what does not fit; exit 1 if anything."""
    connect()
    scope = scope_of(slug)
    if renew:
        identity.renew_connection(scope, connection_id)
    view = _find(scope, connection_id)
    found = identity.check_connection(view)
    if as_json:
        shown = _as_json(view) | {"faults": found.faults, "keys": found.keys}
        click.echo(json.dumps(shown, ensure_ascii=False))
    else:
        click.echo(f"{view.name}: {view.issuer}")
        click.echo(f"keys: {' '.join(found.keys) or 'none'}")
        for fault in found.faults:
            click.echo(f"does not fit: {fault}")
    if found.faults:
        sys.exit(EXIT_REFUSED)
    if not as_json:
        click.echo("It fits.")
