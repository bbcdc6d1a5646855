"""Make a migrated database ready to serve: the platform, signing keys, every tenant of the house.

With ``--demo`` an empty installation also gets the people of its packs, so that there is somebody
to sign in as.
"""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import click

from giftpad import identity, reporting, shops, tenancy
from giftpad.cli import connect
from giftpad.cli.scopes import OPERATOR, tenant_scopes
from giftpad.cli.tenant import apply, load_packs
from giftpad.kernel import metrics
from giftpad.kernel.config import Settings
from giftpad.kernel.i18n import LOCALES
from giftpad.kernel.seal import KeyUnreadable, SealBroken
from giftpad.kernel.work import Scope, unit_of_work

FIGURES_PATIENCE_S = 3600
DEMO_FILE = "demo.json"
DEMO_OPERATOR = tenancy.Person(name="運営 花子", email="operator@giftpad.example", role="operator")
"""Who looks after the demonstration as a whole; no pack can hold her."""
DEMO_DEVICE = "Linux"
_PASSWORD_SYMBOLS = "abcdefghjkmnpqrstuvwxyz23456789"  # noqa: S105 - without look-alikes
_PASSWORD_GROUPS, _GROUP_LENGTH = 4, 4


@click.command()
@click.option("--demo", is_flag=True, help="Load the packs' people if there is nobody yet.")
def prepare(*, demo: bool) -> None:
    """Set up the platform, signing keys, tenants and missing figures; safe to repeat."""
    packs = load_packs(())
    settings = connect()
    with unit_of_work(Scope(tenant_id=tenancy.PLATFORM_TENANT_ID, actor=OPERATOR)) as work:
        tenancy.ensure_platform(work)
    tenancy.forget_ring(tenancy.PLATFORM_TENANT_ID)
    check_key(settings)
    identity.ensure_keys()
    catch_up_figures()
    applied = [apply(pack).tenant_id for pack in packs]
    if demo:
        load_people(dict(zip(applied, packs, strict=True)), settings.home / DEMO_FILE)


def check_key(settings: Settings) -> None:
    """Refuse a key that does not open what this database keeps, before anything is made with it.

    Raises: KeyUnreadable.
    """
    try:
        tenancy.list_ring_keys(tenancy.PLATFORM_TENANT_ID)
    except SealBroken:
        message = (
            f"The key in {settings.kek_path} does not open the keys that this database keeps. Put "
            "the right one there: the one that was in use, or that was taken with the backup."
        )
        raise KeyUnreadable(message) from None


def catch_up_figures() -> None:
    """Build the daily figures of tenants whose money is older than they are; others cost a look."""
    for tenant, scope in tenant_scopes(None):
        with unit_of_work(scope, patience_s=FIGURES_PATIENCE_S) as work:
            built = reporting.catch_up(work)
        if built:
            click.echo(f"{tenant.slug}: daily figures made from the books, {built} rows")


def prepare_tenants(settings: Settings) -> None:
    """Do this as a step of a start, in the database that the supervisor names."""
    metrics.clear(metrics.folder_of(settings.home))  # no process counts yet
    prepare.main(args=[], standalone_mode=False)


def prepare_demonstration(settings: Settings) -> None:
    """Do the same, and give an empty installation the people of its packs."""
    metrics.clear(metrics.folder_of(settings.home))
    prepare.main(args=["--demo"], standalone_mode=False)


def load_people(packs: dict[UUID, tenancy.Pack], file: Path) -> None:
    """Create the people of the packs in an installation that has nobody.

    Their one password is written down before the first of them exists, so that a crash in
    between leaves nobody without it; the next run goes on with the same.
    """
    here = {
        (tenant_id, member.email, member.role)
        for tenant_id in (*packs, tenancy.PLATFORM_TENANT_ID)
        for member in identity.list_members(Scope(tenant_id=tenant_id, actor=OPERATOR))
    }
    password = _known_password(file)
    if password is None:
        if here:
            return
        password = _new_password()
    people = [
        (tenant_id, pack.slug, person)
        for tenant_id, pack in packs.items()
        for person in cast("tuple[tenancy.Person, ...]", pack.sections["people"])
    ]
    people.append((tenancy.PLATFORM_TENANT_ID, tenancy.PLATFORM_SLUG, DEMO_OPERATOR))
    missing = [
        (tenant_id, person)
        for tenant_id, _, person in people
        if (tenant_id, person.email, person.role) not in here
    ]
    if not missing and _is_whole(file):  # told so, because to try means to hash passwords
        return
    entries: list[dict[str, Any]] = [
        {"tenant": slug, "name": person.name, "email": person.email, "role": person.role}
        for _, slug, person in people
    ]
    _write_secret(file, {"password": password, "people": entries})
    created = [_create(tenant_id, person, password) for tenant_id, person in missing]
    _give_passkeys(file, password, entries)
    if any(created):
        click.echo("Demonstration people:")
        for entry in entries:
            click.echo(f"  {entry['tenant']:<12} {entry['role']:<10} {entry['email']}")
        click.echo(f"  Their password: {password}")


def _give_passkeys(file: Path, password: str, entries: list[dict[str, Any]]) -> None:
    """Give those who need one a passkey, whose private half this machine keeps for them.

    Their roles are taken by no password alone, and they have no hands for a phone.  Whoever is
    them on another device types a code of their sheet.
    """
    address = identity.issuer().address
    seen = identity.Seen(user_agent=DEMO_DEVICE, locale=LOCALES[0])
    for entry in entries:
        person_id = identity.verify_password(entry["email"], password)
        if person_id is None:
            continue  # somebody has another password by now: a person, with factors of their own
        entry["id"] = str(person_id)
        if not identity.must_have_factors(person_id):
            continue
        passkey = identity.new_soft_passkey()
        asked = identity.ask_new_passkey(person_id)
        answer = identity.present_soft_passkey(passkey, address, asked.challenge)
        on = identity.Standing(proof=identity.find_proof(person_id))
        if identity.find_factors(person_id).are_any:  # a start before this one has broken off
            identity.reset_factors(OPERATOR, entry["email"], seen)
        sheet = identity.add_passkey(person_id, answer, asked.challenge, seen, on=on)
        entry |= {"passkey": passkey, "recovery_codes": [*map(identity.group_code, sheet)]}
    _write_secret(file, {"password": password, "people": entries})


def _create(tenant_id: UUID, person: tenancy.Person, password: str) -> bool:
    scope = Scope(tenant_id=tenant_id, actor=OPERATOR)
    shop_id = None
    if person.shop:
        with unit_of_work(scope) as work:
            shop_id = shops.find_shop_id(work, person.shop)
    new = identity.NewPerson(
        email=person.email,
        name=person.name,
        role=person.role,
        password=password,
        shop_id=shop_id,
    )
    try:
        identity.create_person(scope, new)
    except identity.MemberExists:
        return False
    return True


def _new_password() -> str:
    return "-".join(
        "".join(secrets.choice(_PASSWORD_SYMBOLS) for _ in range(_GROUP_LENGTH))
        for _ in range(_PASSWORD_GROUPS)
    )


def _known_password(file: Path) -> str | None:
    try:
        known: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return str(known["password"])


def _is_whole(file: Path) -> bool:
    """Whether a start before has come to its end, and not with a release that gave none."""
    known: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return all("id" in person for person in known["people"])


def _write_secret(file: Path, content: dict[str, Any]) -> None:
    part = file.with_suffix(".part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        json.dump(content, stream, ensure_ascii=False, indent=2)
    part.replace(file)
