"""Finding tenants, keys and addresses without a query: each process keeps them for a minute.

Hides: the caches.  A row that is known costs nothing; one that is unknown is asked for at most
once in ``MISS_INTERVAL_S``, so forged tags and key numbers cannot become a flood of queries.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Generic, TypeVar
from uuid import UUID

import sqlalchemy as sa

from giftpad.kernel.db import Database, database
from giftpad.kernel.errors import Unavailable
from giftpad.kernel.seal import (
    SealBroken,
    blind_index,
    derive,
    open_sealed,
    seal,
    unwrap,
)
from giftpad.kernel.work import Scope, unit_of_work
from giftpad.tenancy.errors import TenantNotFound
from giftpad.tenancy.models import PrintedAddressRow, RingKeyRow, TenantRow
from giftpad.tenancy.rules.colours import Theme, to_css
from giftpad.tenancy.rules.tenants import (
    PLATFORM_TENANT_ID,
    Contact,
    RingKey,
    Tenant,
    ring_key_place,
)

V = TypeVar("V")

KEPT_S = 60.0
MISS_INTERVAL_S = 1.0
RINGS_KEPT_MAX = 4096
TENANTS_MAX = 20_000
LOGOS_KEPT_MAX = 100
THEME_HASH_LENGTH = 12
COLUMN_LABEL = "giftpad-column-v1"
INDEX_LABEL = "giftpad-index-v1"


class _Kek:
    """The key-encryption key this process works with."""

    value: bytes | None = None


def bind_kek(kek: bytes) -> None:
    """Give this process the key-encryption key."""
    _Kek.value = kek


def kek() -> bytes:
    """Return the key-encryption key of this process."""
    assert _Kek.value is not None, "bind_kek has not been called"
    return _Kek.value


@dataclass(slots=True)
class _Kept(Generic[V]):
    """A value that was read at ``read_at`` by this process's monotonic clock."""

    value: V
    read_at: float


class _Cache(Generic[V]):
    """What was read last, by key: at most ``size_max`` keys, each for ``KEPT_S``.

    While one thread reads a value anew the others go on with the old one, and when the database
    is away everybody does.
    """

    def __init__(self, load: Callable[[UUID], V], size_max: int) -> None:
        self._load = load
        self._size_max = size_max
        self._kept: OrderedDict[UUID, _Kept[V]] = OrderedDict()
        self._source: Database | None = None
        self._guard = threading.Lock()
        self._loading = threading.Lock()

    def get(self, key: UUID, *, kept_s: float = KEPT_S) -> V:
        """Return the value, read at most ``kept_s`` ago unless the database is away."""
        kept = self._find(key)
        if kept is not None and time.monotonic() - kept.read_at < kept_s:
            return kept.value
        if not self._loading.acquire(blocking=kept is None or kept_s < KEPT_S):
            assert kept is not None
            return kept.value
        try:
            again = self._find(key)
            if again is not None and again is not kept:
                return again.value
            return self._read(key, again)
        finally:
            self._loading.release()

    def _find(self, key: UUID) -> _Kept[V] | None:
        with self._guard:
            if self._source is not database():
                self._kept.clear()
                self._source = database()
            kept = self._kept.get(key)
            if kept is not None:
                self._kept.move_to_end(key)
            return kept

    def _read(self, key: UUID, old: _Kept[V] | None) -> V:
        try:
            value = self._load(key)
        except Unavailable:
            if old is None:
                raise
            value = old.value
        with self._guard:
            self._kept[key] = _Kept(value, time.monotonic())
            self._kept.move_to_end(key)
            while len(self._kept) > self._size_max:
                self._kept.popitem(last=False)
        return value

    def forget(self, key: UUID) -> None:
        """Read ``key`` from the database the next time."""
        with self._guard:
            self._kept.pop(key, None)


@dataclass(frozen=True, slots=True)
class _Directory:
    """Every tenant, by each of the names it is found by."""

    by_id: dict[UUID, Tenant]
    by_slug: dict[str, Tenant]
    by_org: dict[str, Tenant]
    by_tag: dict[int, Tenant]


_SEEN = [
    column
    for column in TenantRow.__table__.columns
    if column.name not in ("logo", "pack_hash", "created_at")
]
"""What is kept of every tenant; read as columns, which costs a third of reading rows as objects."""


def _to_tenant(row: sa.Row[Any]) -> Tenant:
    return Tenant(
        id=row.id,
        slug=row.slug,
        tag=row.tag,
        org_id=row.org_id,
        names=row.name,
        kind=row.kind,
        zone=row.zone,
        locale=row.locale,
        features=frozenset(row.features),
        contact=Contact(**row.contact),
        is_suspended=row.suspended_at is not None,
        theme=row.theme,
    )


def _load_directory(_key: UUID) -> _Directory:
    with unit_of_work(Scope(tenant_id=PLATFORM_TENANT_ID)) as work:
        rows = work.session.execute(sa.select(*_SEEN).limit(TENANTS_MAX))
        tenants = [_to_tenant(row) for row in rows]
    return _Directory(
        by_id={tenant.id: tenant for tenant in tenants},
        by_slug={tenant.slug: tenant for tenant in tenants},
        by_org={tenant.org_id: tenant for tenant in tenants},
        by_tag={tenant.tag: tenant for tenant in tenants},
    )


def _load_ring(tenant_id: UUID) -> tuple[tuple[RingKey, bool], ...]:
    with unit_of_work(Scope(tenant_id=tenant_id)) as work:
        statement = (
            sa.select(RingKeyRow)
            .where(RingKeyRow.tenant_id == tenant_id)
            .order_by(RingKeyRow.created_at.desc(), RingKeyRow.kid.desc())
        )
        rows = list(work.session.scalars(statement))
    return tuple(
        (
            RingKey(
                kid=row.kid, key=unwrap(kek(), row.wrapped, ring_key_place(tenant_id, row.kid))
            ),
            row.retired_at is None,
        )
        for row in rows
    )


def _load_addresses(tenant_id: UUID) -> frozenset[str]:
    with unit_of_work(Scope(tenant_id=tenant_id)) as work:
        statement = sa.select(PrintedAddressRow.address).where(
            PrintedAddressRow.tenant_id == tenant_id
        )
        return frozenset(work.session.scalars(statement))


def _load_logo(tenant_id: UUID) -> str | None:
    with unit_of_work(Scope(tenant_id=PLATFORM_TENANT_ID)) as work:
        statement = sa.select(TenantRow.logo).where(TenantRow.id == tenant_id)
        return work.session.scalars(statement).one_or_none()


_directory = _Cache(_load_directory, size_max=1)
_rings = _Cache(_load_ring, size_max=RINGS_KEPT_MAX)
_addresses = _Cache(_load_addresses, size_max=1)
_logos = _Cache(_load_logo, size_max=LOGOS_KEPT_MAX)


def _look_up(find: Callable[[_Directory], Tenant | None]) -> Tenant | None:
    found = find(_directory.get(PLATFORM_TENANT_ID))
    if found is None:
        found = find(_directory.get(PLATFORM_TENANT_ID, kept_s=MISS_INTERVAL_S))
    return found


def find_tenant(tenant_id: UUID) -> Tenant | None:
    """Return the tenant with this id, or None."""
    return _look_up(lambda directory: directory.by_id.get(tenant_id))


def get_tenant(tenant_id: UUID) -> Tenant:
    """Return the tenant with this id.

    Raises: TenantNotFound.
    """
    tenant = find_tenant(tenant_id)
    if tenant is None:
        raise TenantNotFound
    return tenant


def find_tenant_by_slug(slug: str) -> Tenant | None:
    """Return the tenant called ``slug`` in addresses and commands, or None."""
    return _look_up(lambda directory: directory.by_slug.get(slug))


def find_tenant_by_org(org_id: str) -> Tenant | None:
    """Return the tenant that tokens call ``org_id``, or None."""
    return _look_up(lambda directory: directory.by_org.get(org_id))


def find_tenant_by_tag(tag: int) -> Tenant | None:
    """Return the tenant whose QR codes carry ``tag``, or None."""
    return _look_up(lambda directory: directory.by_tag.get(tag))


def list_tenants() -> list[Tenant]:
    """Return every tenant by its slug, the platform tenant included."""
    by_slug = _directory.get(PLATFORM_TENANT_ID).by_slug
    return [by_slug[slug] for slug in sorted(by_slug)]


def find_logo(tenant_id: UUID) -> str | None:
    """Return a tenant's logo as SVG, or None."""
    return _logos.get(tenant_id)


def theme_css(tenant: Tenant) -> str:
    """Return a tenant's colours as a style sheet; empty where the house's own are in force."""
    if not tenant.theme:
        return ""
    return to_css(Theme(light=dict(tenant.theme["light"]), dark=dict(tenant.theme["dark"])))


def theme_hash(tenant: Tenant) -> str:
    """Return what tells a tenant's style sheet from those it had before."""
    return hashlib.sha256(theme_css(tenant).encode()).hexdigest()[:THEME_HASH_LENGTH]


def list_ring_keys(tenant_id: UUID) -> list[RingKey]:
    """Return every key of a tenant, newest first, those that make nothing new included."""
    return [key for key, _ in _rings.get(tenant_id)]


def find_ring_key(tenant_id: UUID, kid: int) -> RingKey | None:
    """Return the key numbered ``kid`` of a tenant, or None."""
    for kept_s in (KEPT_S, MISS_INTERVAL_S):
        for key, _ in _rings.get(tenant_id, kept_s=kept_s):
            if key.kid == kid:
                return key
    return None


def current_ring_key(tenant_id: UUID) -> RingKey:
    """Return the key by which new things of a tenant are made.

    Raises: TenantNotFound, if the tenant has none.
    """
    for kept_s in (KEPT_S, MISS_INTERVAL_S):
        for key, makes_new in _rings.get(tenant_id, kept_s=kept_s):
            if makes_new:
                return key
    raise TenantNotFound


def printed_addresses() -> frozenset[str]:
    """Return every public address, in capitals, that QR codes of this installation carry."""
    return _addresses.get(PLATFORM_TENANT_ID)


def is_printed_address(address: str) -> bool:
    """Whether this installation has ever printed with ``address``, letter by letter."""
    return address in printed_addresses() or address in _addresses.get(
        PLATFORM_TENANT_ID, kept_s=MISS_INTERVAL_S
    )


def forget_tenants() -> None:
    """Read the tenants from the database the next time, because this process changed them."""
    _directory.forget(PLATFORM_TENANT_ID)


def forget_logo(tenant_id: UUID) -> None:
    """Read a tenant's logo from the database the next time."""
    _logos.forget(tenant_id)


def forget_ring(tenant_id: UUID) -> None:
    """Read a tenant's keys from the database the next time."""
    _rings.forget(tenant_id)


def forget_addresses() -> None:
    """Read the printed addresses from the database the next time."""
    _addresses.forget(PLATFORM_TENANT_ID)


@lru_cache(maxsize=RINGS_KEPT_MAX)
def _derived(key: bytes, label: str) -> bytes:
    return derive(key, label)


def seal_bytes(tenant_id: UUID, place: str, plain: bytes) -> bytes:
    """Seal what a tenant keeps; see ``seal.column_place`` for the place of a column."""
    ring = current_ring_key(tenant_id)
    return bytes([ring.kid]) + seal(_derived(ring.key, COLUMN_LABEL), plain, place)


def open_bytes(tenant_id: UUID, place: str, sealed: bytes) -> bytes:
    """Open what ``seal_bytes`` has sealed for the same place.

    Raises: SealBroken.
    """
    ring = find_ring_key(tenant_id, sealed[0])
    if ring is None:
        message = f"the key of a sealed value at {place} is gone"
        raise SealBroken(message)
    return open_sealed(_derived(ring.key, COLUMN_LABEL), sealed[1:], place)


def seal_text(tenant_id: UUID, place: str, text: str) -> bytes:
    """Seal a personal text for a column of a tenant."""
    return seal_bytes(tenant_id, place, text.encode())


def open_text(tenant_id: UUID, place: str, sealed: bytes) -> str:
    """Open a text that ``seal_text`` has sealed for the same place.

    Raises: SealBroken.
    """
    return open_bytes(tenant_id, place, sealed).decode()


def index_text(tenant_id: UUID, text: str) -> bytes:
    """Return what finds a sealed text again by its normalised form.

    It comes from the tenant's first key, so that a new key does not hide what was stored before.
    """
    first = list_ring_keys(tenant_id)[-1]
    return blind_index(_derived(first.key, INDEX_LABEL), text)
