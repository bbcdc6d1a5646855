"""What programmes are called, on whichever page."""

from __future__ import annotations

from uuid import UUID

from giftpad import edge
from giftpad.programmes import Programme, ProgrammePage
from giftpad.tenancy import Tenant


def programme_locale(programme: Programme, tenant: Tenant | None = None) -> str:
    """Return the language a programme is named in: the reader's, else its tenant's.

    ``tenant`` is the caller's unless it is given.
    """
    if programme.names.get(locale := edge.current_locale()):
        return locale
    return (tenant or edge.current_caller().tenant).locale


def programme_name(programme: Programme, tenant: Tenant | None = None) -> str:
    """Return what a programme is called in that language; its slug where it has no name in it."""
    return programme.names.get(programme_locale(programme, tenant)) or programme.slug


def programme_names(found: ProgrammePage) -> dict[UUID, str]:
    """Return what programmes of the caller's tenant are called, by their ids."""
    return {programme.id: programme_name(programme) for programme in found.items}
