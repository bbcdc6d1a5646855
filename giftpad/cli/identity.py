"""Machine clients, people and signing keys, from the command line."""

from __future__ import annotations

import json
import secrets
import sys
from collections.abc import Iterable
from datetime import UTC
from typing import Any
from uuid import UUID

import click

from giftpad import identity, shops, tenancy
from giftpad.cli import connect
from giftpad.cli.scopes import OPERATOR
from giftpad.kernel.i18n import LOCALES
from giftpad.kernel.work import Scope, unit_of_work

HERE = identity.Seen(user_agent="", locale=LOCALES[0])
"""What somebody is told of: not a browser of theirs."""
PASSWORD_BYTES = 15
SIGNED_IN_HEAD = ("ID", "KIND", "TENANT", "WHAT", "SINCE", "SEEN")


def scope_of(slug: str) -> Scope:
    """Return the scope of a tenant that is no platform, as the operator acts in it."""
    tenant = tenancy.find_tenant_by_slug(slug)
    if tenant is None or tenant.id == tenancy.PLATFORM_TENANT_ID:
        message = f"There is no tenant called {slug}. See: giftpad tenant list"
        raise click.UsageError(message)
    return Scope(tenant_id=tenant.id, actor=OPERATOR)


def _people_scope(slug: str) -> Scope:
    """Return a tenant's scope, the platform's too: it has people of its own, and no clients."""
    if slug == tenancy.PLATFORM_SLUG:
        return Scope(tenant_id=tenancy.PLATFORM_TENANT_ID, actor=OPERATOR)
    return scope_of(slug)


def _check_role(slug: str, role: str) -> None:
    """Say which roles there are, where one is asked for that does not exist there."""
    there = identity.OPERATOR_ROLES if slug == tenancy.PLATFORM_SLUG else identity.ROLES
    if role not in there:
        message = f"{slug} has no role {role}. Its roles: {', '.join(there)}"
        raise click.UsageError(message)


def _shop_of(scope: Scope, given: str | None) -> UUID | None:
    """Return the shop that is meant by its id or its number."""
    if given is None:
        return None
    with unit_of_work(scope) as work:
        found = shops.find_shop_id(work, given)
        if found is None:
            try:
                found = shops.get_shop(work, UUID(given)).id
            except (ValueError, shops.ShopNotFound):
                message = f"The tenant has no shop with the id or number {given}."
                raise click.UsageError(message) from None
    return found


def show_table(rows: Iterable[tuple[str, ...]]) -> None:
    """Print rows in columns; of no rows, nothing."""
    lines = list(rows)
    if not lines:
        return
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        click.echo("  ".join(cells).rstrip())


tenant_option = click.option("--tenant", "slug", required=True, help="The tenant's slug.")
shop_option = click.option("--shop", help="Bind to one shop: its id or its number.")
json_option = click.option("--json", "as_json", is_flag=True, help="Answer as JSON.")
redirect_option = click.option(
    "--redirect-uri", "redirect_uris", multiple=True, help="Where people come back to."
)
logout_option = click.option(
    "--logout-uri", "logout_uris", multiple=True, help="Where they go after signing out."
)
origin_option = click.option(
    "--origin", "origins", multiple=True, help="Whose scripts may ask for its tokens."
)


@click.group()
def client() -> None:
    """Programs that call the API of a tenant."""


@client.command("create")
@tenant_option
@click.option(
    "--name", help="What the program is; needed where people sign in, since they read it."
)
@click.option(
    "--type",
    "kind",
    type=click.Choice(identity.CLIENT_KINDS),
    default="machine",
    show_default=True,
    help="A machine acts by itself; the others for people who sign in: with a server that keeps a"
    " secret (web), in the browser alone (spa), on a device that shows a code (device).",
)
@click.option(
    "--permission",
    "permissions",
    multiple=True,
    type=click.Choice(identity.PERMISSIONS),
    help="The most it may do; say it once for each. People give it no more than they have.",
)
@redirect_option
@logout_option
@origin_option
@click.option("--api", "audience", default="", help="The API its tokens are for, if not ours.")
@click.option(
    "--token-profile",
    type=click.Choice(identity.TOKEN_PROFILES),
    default=identity.TOKEN_PROFILES[0],
    help="How tokens for that API are written; ours are always rfc9068.",
)
@click.option(
    "--leeway", "leeway_s", type=int, default=0, help="Seconds a lost refresh answer is forgiven."
)
@click.option("--without-pkce", is_flag=True, help="Web only: let it sign in without PKCE.")
@shop_option
@click.option("--rate", type=int, default=identity.DEFAULT_LIMITS.rate_s, help="Requests a second.")
@click.option("--burst", type=int, default=identity.DEFAULT_LIMITS.burst, help="Requests at once.")
@click.option(
    "--failed-codes",
    type=int,
    default=identity.DEFAULT_LIMITS.failed_codes_max,
    help="Unknown codes in ten minutes.",
)
@json_option
def create_client(
    *,
    slug: str,
    shop: str | None,
    rate: int,
    burst: int,
    failed_codes: int,
    without_pkce: bool,
    as_json: bool,
    **given: Any,
) -> None:
    """Make a client and show its secret, this once; a browser's or a device's has none."""
    if given["name"] is None and given["kind"] != "machine":
        message = "Say what the app is called by --name: people read it when they sign in."
        raise click.UsageError(message)
    connect()
    scope = scope_of(slug)
    given["name"] = given["kind"] if given["name"] is None else given["name"]
    made = identity.create_client(
        scope,
        identity.NewClient(
            shop_id=_shop_of(scope, shop),
            limits=identity.Limits(rate_s=rate, burst=burst, failed_codes_max=failed_codes),
            needs_challenge=not without_pkce,
            **given,
        ),
    )
    shown = {"client_id": made.client_id}
    if made.client_secret:
        shown["client_secret"] = made.client_secret
    if as_json:
        click.echo(json.dumps(shown))
        return
    for label, value in shown.items():
        click.echo(f"{label}: {value}")
    click.echo(f"issuer: {identity.issuer().address}")
    click.echo(f"audience: {given['audience'] or identity.issuer().audience}")
    click.echo(f"organization: {tenancy.get_tenant(scope.tenant_id).org_id}")
    if made.client_secret:
        click.echo("Keep the secret now: it is not shown again.")


@client.command("list")
@tenant_option
@json_option
def list_clients(slug: str, as_json: bool) -> None:  # noqa: FBT001 - click passes flags so
    """Show the clients of a tenant; as JSON with the addresses that they named."""
    connect()
    scope = scope_of(slug)
    with unit_of_work(scope) as work:
        views = identity.list_clients(work)
    registered = identity.list_registrations(scope.tenant_id)
    if as_json:
        shown = [
            {
                "client_id": view.client_id,
                "name": view.name,
                "type": registered[view.client_id].kind,
                "redirect_uris": registered[view.client_id].redirect_uris,
                "logout_uris": registered[view.client_id].logout_uris,
                "origins": registered[view.client_id].origins,
                "api": registered[view.client_id].audience or None,
                "permissions": view.permissions,
                "shop_id": str(view.shop_id) if view.shop_id else None,
                "state": "disabled" if view.disabled_at else "active",
            }
            for view in views
        ]
        click.echo(json.dumps(shown, ensure_ascii=False))
        return
    show_table(
        (
            view.client_id,
            "disabled" if view.disabled_at else "active",
            registered[view.client_id].kind,
            view.name,
            " ".join(view.permissions),
        )
        for view in views
    )


@client.command("change")
@tenant_option
@click.argument("client_id")
@click.option("--name", help="What the program is; people read it when they sign in.")
@redirect_option
@logout_option
@origin_option
@click.option("--new-secret", is_flag=True, help="Make a new secret; the old one is over at once.")
@json_option
def change_client(
    *,
    slug: str,
    client_id: str,
    name: str | None,
    new_secret: bool,
    as_json: bool,
    **lists: tuple[str, ...],
) -> None:
    """Change a client; a list replaces the old one, an empty word ('') leaves none of it."""
    given = {field: tuple(filter(None, words)) for field, words in lists.items() if words}
    change = identity.ClientChange(name=name, new_secret=new_secret, **given)
    if not change.fields():
        message = (
            "Say what is to change: --name, --redirect-uri, --logout-uri, --origin or --new-secret."
        )
        raise click.UsageError(message)
    connect()
    made = identity.change_client(scope_of(slug), client_id, change)
    if as_json:
        secret = {"client_secret": made.client_secret} if new_secret else {}
        click.echo(json.dumps({"client_id": client_id} | secret))
        return
    click.echo(f"{client_id} is changed.")
    if new_secret:
        click.echo(f"client_secret: {made.client_secret}")
        click.echo("Keep the secret now: it is not shown again. The old one is refused already.")


@client.command("disable")
@tenant_option
@click.argument("client_id")
def disable_client(slug: str, client_id: str) -> None:
    """Stop a client; its tokens are refused everywhere within 30 seconds."""
    connect()
    identity.disable_client(scope_of(slug), client_id)
    click.echo(f"{client_id} is disabled.")


@click.group()
def person() -> None:
    """People who sign in."""


@person.command("create")
@tenant_option
@click.option("--email", required=True)
@click.option("--name", required=True)
@click.option(
    "--role",
    required=True,
    type=click.Choice(sorted((*identity.ROLES, *identity.OPERATOR_ROLES))),
    help="operator and operator_viewer belong to --tenant platform, the others to the rest.",
)
@shop_option
@click.option("--existing", is_flag=True, help="The address may have an account already.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
def create_person(
    *,
    slug: str,
    email: str,
    name: str,
    role: str,
    shop: str | None,
    existing: bool,
    password_stdin: bool,
) -> None:
    """Give somebody a role; without --password-stdin a password is made and shown, this once."""
    _check_role(slug, role)
    given = sys.stdin.readline().rstrip("\r\n") if password_stdin else None
    connect()
    scope = _people_scope(slug)
    password = given if given is not None else secrets.token_urlsafe(PASSWORD_BYTES)
    new = identity.NewPerson(
        email=email, name=name, role=role, password=password, shop_id=_shop_of(scope, shop)
    )
    try:
        made = identity.create_person(scope, new, may_be_known=existing)
    except identity.PersonKnown as error:
        message = (
            f"{email} has an account already, and nobody has proved that the address is theirs."
            " Nothing was changed. If the account is the right one, say --existing; if none was"
            f" expected, take it back first: giftpad person set-password --email {email}"
        )
        raise click.ClickException(message) from error
    click.echo(f"{email} is {role} of {slug}.")
    if not made.is_new:
        click.echo("They had an account already: their password stays as it is.")
    elif given is None:
        click.echo(f"Password: {password}")


@person.command("set-password")
@click.option("--email", required=True)
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
def set_password(email: str, password_stdin: bool) -> None:  # noqa: FBT001 - click passes flags so
    """Give somebody who forgot theirs a new password, and sign them out everywhere."""
    given = sys.stdin.readline().rstrip("\r\n") if password_stdin else None
    connect()
    password = given if given is not None else secrets.token_urlsafe(PASSWORD_BYTES)
    identity.reset_password(OPERATOR, email, password, seen=HERE)
    click.echo(f"{email} has a new password, and is signed out everywhere.")
    if given is None:
        click.echo(f"Password: {password}")


@person.command("reset-factors")
@click.option("--email", required=True)
def reset_factors(email: str) -> None:
    """Take the passkeys, app and codes of somebody who lost them, and sign them out everywhere."""
    connect()
    identity.reset_factors(OPERATOR, email, HERE)
    click.echo(f"{email} has no passkey, app or recovery code any more, and is signed out.")
    click.echo("A role that asks for a second step lets them set one up when they sign in.")


@person.command("list")
@tenant_option
@json_option
def list_people(slug: str, as_json: bool) -> None:  # noqa: FBT001 - click passes flags so
    """Show the people of a tenant with their roles."""
    connect()
    members = identity.list_members(_people_scope(slug))
    if as_json:
        shown = [
            {
                "email": member.email,
                "role": member.role,
                "name": member.name,
                "shop_id": str(member.shop_id) if member.shop_id else None,
            }
            for member in members
        ]
        click.echo(json.dumps(shown, ensure_ascii=False))
        return
    show_table(
        (member.email, member.role, member.name, str(member.shop_id or "")) for member in members
    )


@person.command("sessions")
@click.argument("email")
@json_option
def list_signed_in(email: str, as_json: bool) -> None:  # noqa: FBT001 - click passes flags so
    """Show where somebody is signed in: browsers, and apps and devices that act for them."""
    connect()
    person_id = identity.get_person_id(email)
    slugs = {tenant.id: tenant.slug for tenant in tenancy.list_tenants()}
    rows = [(each, "browser", each.agent) for each in identity.list_sessions(person_id)] + [
        (each, "app", each.name) for each in identity.list_authorisations(person_id)
    ]
    shown = [
        {
            "id": str(each.id),
            "kind": kind,
            "tenant": slugs.get(each.tenant_id, ""),
            "what": what,
            "since": each.created_at.astimezone(UTC).isoformat(timespec="seconds"),
            "seen": each.seen_at.astimezone(UTC).isoformat(timespec="seconds"),
        }
        for each, kind, what in rows
    ]
    if as_json:
        click.echo(json.dumps(shown, ensure_ascii=False))
    elif shown:
        show_table([SIGNED_IN_HEAD, *(tuple(each.values()) for each in shown)])
    else:
        click.echo(f"{email} is signed in nowhere.")


@person.command("sign-out")
@click.argument("email")
@click.option("--session", "only", type=click.UUID, help="One by its id, as person sessions shows.")
def sign_out(email: str, only: UUID | None) -> None:
    """Sign somebody out everywhere, or of one browser, app or device."""
    connect()
    count = identity.sign_out_person(OPERATOR, identity.get_person_id(email), only=only)
    click.echo(f"{email}: {count} signed out. What they hold is refused within 30 seconds.")


@person.command("remove")
@tenant_option
@click.option("--email", required=True)
@click.option("--role", required=True, help="The role that ends; others of theirs stay.")
def remove_person(slug: str, email: str, role: str) -> None:
    """Take a role away from somebody; whoever is signed in with it is out within 30 seconds."""
    connect()
    scope = _people_scope(slug)
    theirs = [
        member
        for member in identity.list_members(scope)
        if (member.email, member.role) == (email.strip().casefold(), role)
    ]
    if not theirs:
        message = f"{email} is not {role} of {slug}. See: giftpad person list"
        raise click.UsageError(message)
    for member in theirs:
        identity.remove_member(scope, member.membership_id)
    click.echo(f"{email} is {role} of {slug} no more.")


@click.group()
def keys() -> None:
    """Keys that sign tokens."""


@keys.command("list")
def list_keys() -> None:
    """Show every signing key, newest first."""
    connect()
    with unit_of_work(Scope(tenant_id=tenancy.PLATFORM_TENANT_ID, actor=OPERATOR)) as work:
        views = identity.list_keys(work)
    show_table(
        (view.kid, view.state, view.created_at.isoformat(timespec="seconds")) for view in views
    )


@keys.command()
@click.option("--now", is_flag=True, help="Do not wait until others have read the next key.")
def rotate(now: bool) -> None:  # noqa: FBT001 - click passes flags so
    """Let the next key sign and publish a new next one."""
    connect()
    identity.ensure_keys()
    click.echo(f"{identity.rotate_keys(OPERATOR, now=now)} signs from now on.")


@keys.command(context_settings={"ignore_unknown_options": True})  # a key's id may begin with -
@click.argument("kid")
def revoke(kid: str) -> None:
    """Believe nothing any more that a key has signed; within 30 seconds everywhere."""
    connect()
    identity.revoke_key(OPERATOR, kid)
    click.echo(f"{kid} is revoked.")
