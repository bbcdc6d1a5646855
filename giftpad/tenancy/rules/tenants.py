"""A tenant and its keys as plain values."""

from __future__ import annotations

import secrets
import string
from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from giftpad.kernel.codes import TAG_MAX

PLATFORM_TENANT_ID = UUID("00000000-0000-7000-8000-000000000001")
"""The tenant that owns what spans tenants: people, credentials, clients, signing keys."""

PLATFORM_SLUG = "platform"
KINDS = ("municipal", "corporate")
FEATURES = ("coupons", "gifts")
"""What a tenant can have switched on; code asks for these and never for a tenant by name."""

KID_MAX = 31
_ORG_ID_LENGTH = 20
_ORG_ID_SYMBOLS = string.ascii_letters + string.digits


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """Where people of a tenant turn to: an office by its name, its hours, a telephone."""

    offices: Mapping[str, str] = field(default_factory=dict)
    hours: Mapping[str, str] = field(default_factory=dict)
    phone: str = ""
    email: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """An organisation that runs programmes here.

    ``theme`` holds the colours of its pages by name, under ``light`` and ``dark``; it is empty
    where the house's own are in force.
    """

    id: UUID
    slug: str
    tag: int
    org_id: str
    names: Mapping[str, str]
    kind: str
    zone: str
    locale: str
    features: frozenset[str]
    contact: Contact
    is_suspended: bool = False
    theme: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The tenant's name in its own language."""
        return self.names[self.locale]

    def name_in(self, locale: str) -> str:
        """Return the tenant's name in ``locale``, or in its own language."""
        return self.names.get(locale, self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class RingKey:
    """One key of a tenant's ring; every working key derives from ``key`` by a label."""

    kid: int
    key: bytes = field(repr=False)


def new_org_id() -> str:
    """Make the name by which tokens call a tenant."""
    return "org_" + "".join(secrets.choice(_ORG_ID_SYMBOLS) for _ in range(_ORG_ID_LENGTH))


def new_tag() -> int:
    """Choose a number for the QR codes of a tenant; the table keeps it unique."""
    return secrets.randbelow(TAG_MAX + 1)


def ring_key_place(tenant_id: UUID, kid: int) -> str:
    """Name the place a wrapped ring key belongs to, so that it opens nowhere else."""
    return f"{tenant_id}:tenancy_ring_keys:{kid}"
