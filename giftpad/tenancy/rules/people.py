"""The people of a demonstration: who signs in to an empty installation, and as what.

Their passwords are made when they are loaded; a pack holds none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from giftpad.tenancy.rules.pack import PackFolder
from giftpad.tenancy.rules.problems import Problems
from giftpad.tenancy.rules.reader import Table, read_toml

_SIGN_IN = r"[a-z0-9._-]+@([a-z0-9-]+\.)+example"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody of a demonstration; ``shop`` is the number of the shop the role is for."""

    name: str
    email: str
    role: str
    shop: str = ""


def read_people(
    folder: PackFolder,
    paths: tuple[str, ...],
    problems: Problems,
    *,
    roles: Sequence[str],
    shop_roles: Sequence[str],
) -> tuple[Person, ...]:
    """Read ``people.toml``; sign-in names end in .example, so that no real person is meant."""
    people: list[Person] = []
    for path in paths:
        found = read_toml(
            folder.shown(path),
            folder.files[path],
            problems,
            read=lambda table: [
                _read_person(entry, roles, shop_roles) for entry in table.tables("people")
            ],
        )
        people += found or []
    return tuple(people)


def _read_person(table: Table, roles: Sequence[str], shop_roles: Sequence[str]) -> Person:
    role = table.choice("role", roles)
    needs_shop = role in shop_roles
    if table.has("shop") and not needs_shop:
        table.fault("shop", f'The role "{role}" belongs to no shop.', "Remove the line.")
    person = Person(
        name=table.text("name", length_max=60),
        email=table.text(
            "email", pattern=_SIGN_IN, shape="an address that ends in .example", length_max=100
        ),
        role=role,
        shop=table.text("shop", required=needs_shop, length_max=20),
    )
    table.close()
    return person
