"""What actors are called on the desk.

Hides: who a person, a machine or nobody any more is behind an actor's id.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from giftpad import identity, tills
from giftpad.kernel.i18n import mark
from giftpad.kernel.work import SYSTEM, Scope, unit_of_work
from giftpad.portals.words import say_in_words

GIFTPAD = mark("Giftpad itself")
OPERATOR = mark("The operator of this installation")
RECIPIENT, GIFT = mark("Whoever held the gift"), "gift|"
SOMEBODY_GONE = mark("Somebody who is no longer a member")


@dataclass(frozen=True, slots=True, kw_only=True)
class Actors:
    """The people and machines of a tenant by their ids."""

    people: Mapping[str, str]
    machines: Mapping[str, str]

    def name(self, actor: Mapping[str, Any]) -> str:
        """Return what an actor is called."""
        kind, actor_id = actor.get("kind"), str(actor.get("id", ""))
        if kind == SYSTEM.kind:
            return say_in_words(GIFTPAD if actor_id == SYSTEM.id else OPERATOR)
        if kind == "person" and actor_id.startswith(GIFT):
            return say_in_words(RECIPIENT)
        if kind == "person":
            return self.people.get(actor_id) or say_in_words(SOMEBODY_GONE)
        return self.machines.get(actor_id) or actor_id

    @property
    def choices(self) -> list[tuple[str, str]]:
        """Everybody who may have done something, people first."""
        return [
            *self.people.items(),
            *self.machines.items(),
            (SYSTEM.id, say_in_words(GIFTPAD)),
        ]


def read_everybody(scope: Scope) -> Actors:
    """Read all people and machines of a tenant, for whoever is to choose among them.

    No transaction may be open: people and their tenant are read in their own.
    """
    at_tills = {str(found): name for found, name in tills.list_names(scope).items()}
    members = identity.list_members(scope)
    return Actors(
        people={
            **at_tills,
            **{str(person_id): name for person_id, name in identity.list_visitors(scope).items()},
            **{str(member.person_id): member.name for member in members},
        },
        machines=_machines(scope),
    )


def read_actors(scope: Scope, actor_ids: Iterable[object]) -> Actors:
    """Read the people with these ids and the machines of a tenant; other ids do no harm.

    No transaction may be open: people and their tenant are read in their own.
    """
    wanted = set()
    for actor_id in actor_ids:
        with suppress(ValueError):
            wanted.add(UUID(str(actor_id)))
    found = tills.list_names(scope, wanted) | identity.find_people(scope, wanted)
    people = {str(person_id): name for person_id, name in found.items()}
    return Actors(people=people, machines=_machines(scope))


def _machines(scope: Scope) -> dict[str, str]:
    with unit_of_work(scope) as work:
        return {client.client_id: client.name for client in identity.list_clients(work)}


def name_actors(
    scope: Scope, actors: Iterable[Mapping[str, Any]]
) -> Callable[[Mapping[str, Any]], str]:
    """Return what tells the names of these actors of a tenant; no transaction may be open."""
    return read_actors(scope, [actor.get("id") for actor in actors]).name
