"""Making tenants and their keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from giftpad import audit
from giftpad.kernel.ids import new_id
from giftpad.kernel.seal import new_key, wrap
from giftpad.kernel.work import Scope, Work, rows_changed, unit_of_work
from giftpad.tenancy.errors import RingFull, TenantFixed
from giftpad.tenancy.models import PrintedAddressRow, RingKeyRow, TenantRow
from giftpad.tenancy.queries import (
    forget_addresses,
    forget_logo,
    forget_ring,
    forget_tenants,
    kek,
    printed_addresses,
)
from giftpad.tenancy.rules.colours import complete
from giftpad.tenancy.rules.pack import Pack, PackSection
from giftpad.tenancy.rules.tenants import (
    KID_MAX,
    PLATFORM_TENANT_ID,
    Contact,
    new_org_id,
    new_tag,
    ring_key_place,
)

TAG_TRIES_MAX = 50
AUDITED_MAX = 50
"""Changes of one pack that the audit names one by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTenant:
    """What one must know to open a tenant; its id is the one of the scope it is opened in."""

    slug: str
    names: Mapping[str, str]
    kind: str
    zone: str = "Asia/Tokyo"
    locale: str = "ja"
    features: tuple[str, ...] = ("coupons",)
    contact: Contact = field(default_factory=Contact)


def _free_tag(work: Work) -> int:
    for _ in range(TAG_TRIES_MAX):
        tag = new_tag()
        taken = work.session.execute(sa.select(TenantRow.id).where(TenantRow.tag == tag)).first()
        if taken is None:
            return tag
    message = "no free tag was found; the table of tenants is too full for 20 bits"
    raise AssertionError(message)


def create_tenant(work: Work, new: NewTenant) -> UUID:
    """Open the tenant of this scope and give it its first key."""
    row = TenantRow(
        id=work.tenant_id,
        slug=new.slug,
        tag=_free_tag(work),
        org_id=new_org_id(),
        name=dict(new.names),
        kind=new.kind,
        zone=new.zone,
        locale=new.locale,
        features=sorted(new.features),
        contact=asdict(new.contact),
        pack_hash="",
        created_at=work.at,
    )
    work.session.add(row)
    work.session.flush()  # the tenant's row comes before its key's, which the ORM cannot know
    add_ring_key(work)
    forget_tenants()
    return work.tenant_id


def add_ring_key(work: Work) -> int:
    """Give the scope's tenant a new key for all that is made from now on; return its number.

    The keys before it stay and open what they made.
    Locks: the tenant's row.
    Raises: RingFull.
    """
    work.session.execute(
        sa.select(TenantRow.id).where(TenantRow.id == work.tenant_id).with_for_update()
    ).one()
    mine = RingKeyRow.tenant_id == work.tenant_id
    taken = set(work.session.scalars(sa.select(RingKeyRow.kid).where(mine)))
    free = [kid for kid in range(KID_MAX + 1) if kid not in taken]
    if not free:
        raise RingFull
    work.session.execute(
        sa.update(RingKeyRow)
        .where(mine, RingKeyRow.retired_at.is_(None))
        .values(retired_at=work.at)
    )
    wrapped = wrap(kek(), new_key(), ring_key_place(work.tenant_id, free[0]))
    work.session.add(
        RingKeyRow(tenant_id=work.tenant_id, kid=free[0], wrapped=wrapped, created_at=work.at)
    )
    work.session.flush()  # what follows in this transaction may already need the key's row
    forget_ring(work.tenant_id)
    return free[0]


def ensure_platform(work: Work) -> bool:
    """Give the platform tenant its first key; False if it has one.

    Its row comes with the migration; a key needs the key-encryption key, which that does not have.
    """
    assert work.tenant_id == PLATFORM_TENANT_ID
    known = sa.select(RingKeyRow.kid).where(RingKeyRow.tenant_id == PLATFORM_TENANT_ID)
    if work.session.execute(known).first() is not None:
        return False
    add_ring_key(work)
    return True


def remember_address(address: str) -> None:
    """Keep ``address``, in capitals, as one that QR codes of this installation carry.

    It opens a transaction of its own in the platform tenant, and none if the address is known.
    """
    capitals = address.upper().rstrip("/")
    if capitals in printed_addresses():
        return
    with unit_of_work(Scope(tenant_id=PLATFORM_TENANT_ID)) as work:
        values = {"tenant_id": work.tenant_id, "address": capitals, "created_at": work.at}
        work.session.execute(insert(PrintedAddressRow).values(values).on_conflict_do_nothing())
    forget_addresses()


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What applying a pack did; no changes if the tenant was so already."""

    slug: str
    tenant_id: UUID
    changes: tuple[str, ...]


def open_for_pack(pack: Pack) -> Scope:
    """Return the scope of a pack's tenant, which is opened first if it is new.

    Opening is a transaction of its own: a section may need the tenant's zone and keys, which
    the caches of this process read past any open transaction.
    """
    with unit_of_work(Scope(tenant_id=PLATFORM_TENANT_ID)) as work:
        found = sa.select(TenantRow.id).where(TenantRow.slug == pack.slug)
        tenant_id = work.session.scalars(found).one_or_none()
    scope = Scope(tenant_id=tenant_id or new_id())
    if tenant_id is None:
        with unit_of_work(scope) as work:
            create_tenant(work, _new_of(pack))
        forget_tenants()
        forget_ring(scope.tenant_id)
    return scope


def prepare_pack(scope: Scope, pack: Pack, sections: Mapping[str, PackSection]) -> None:
    """Let the sections of a pack keep their files; safe to repeat, and to leave at that.

    No transaction may be open: a slow file store would hold its connection and its locks.
    """
    for name, section in sections.items():
        if section.prepare is not None:
            section.prepare(scope, pack.sections[name])


def apply_pack(work: Work, pack: Pack, sections: Mapping[str, PackSection]) -> Applied:
    """Make the scope's tenant what its pack says, in this one transaction.

    The same pack a second time changes nothing.
    Locks: the tenant's row.
    Raises: TenantFixed, and what a section refuses.
    """
    found = sa.select(TenantRow).where(TenantRow.id == work.tenant_id).with_for_update()
    row = work.session.scalars(found).one()
    if row.pack_hash == pack.hash:
        return Applied(slug=pack.slug, tenant_id=row.id, changes=())
    changes = _change_row(row, pack) if row.pack_hash else ["opened", *_change_row(row, pack)]
    for name, section in sections.items():
        if section.apply is not None:
            changes += [f"{name}: {change}" for change in section.apply(work, pack.sections[name])]
    row.pack_hash = pack.hash
    details = {"slug": pack.slug, "pack_hash": pack.hash, "changes": changes[:AUDITED_MAX]}
    audit.record(work, action="tenant.pack_applied", subject=f"tenant:{row.id}", details=details)
    forget_tenants()
    forget_logo(row.id)
    return Applied(slug=pack.slug, tenant_id=row.id, changes=tuple(changes))


def _new_of(pack: Pack) -> NewTenant:
    return NewTenant(
        slug=pack.slug,
        names=pack.names,
        kind=pack.kind,
        zone=pack.zone,
        locale=pack.locale,
        features=pack.features,
        contact=pack.contact,
    )


def _change_row(row: TenantRow, pack: Pack) -> list[str]:
    for name, old, new in (("kind", row.kind, pack.kind), ("zone", row.zone, pack.zone)):
        if old != new:
            raise TenantFixed(name=name, old=old, new=new)
    wanted: dict[str, Any] = {
        "name": dict(pack.names),
        "locale": pack.locale,
        "features": sorted(pack.features),
        "contact": asdict(pack.contact),
        "theme": asdict(complete(pack.theme)) if pack.theme else {},
        "logo": pack.logo,
    }
    changed = [name for name, value in wanted.items() if getattr(row, name) != value]
    for name in changed:
        setattr(row, name, wanted[name])
    return [f"{name} changed" for name in changed]


def suspend_tenant(work: Work) -> bool:
    """Stop the scope's tenant; False if it was stopped already."""
    return _set_suspended(work, suspended=True)


def resume_tenant(work: Work) -> bool:
    """Let the scope's tenant go on; False if it was not stopped."""
    return _set_suspended(work, suspended=False)


def _set_suspended(work: Work, *, suspended: bool) -> bool:
    wanted = TenantRow.suspended_at.is_(None) if suspended else TenantRow.suspended_at.is_not(None)
    result = work.session.execute(
        sa.update(TenantRow)
        .where(TenantRow.id == work.tenant_id, wanted)
        .values(suspended_at=work.at if suspended else None)
    )
    forget_tenants()
    return rows_changed(result) == 1
