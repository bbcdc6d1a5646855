"""Builders: a tenant, a programme, shops, coupons in a few words, through the packages' doors."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg
import sqlalchemy as sa

from giftpad import ledger, payments, tenancy
from giftpad.kernel import codes
from giftpad.kernel.ids import new_id
from giftpad.kernel.migrate import ROOT
from giftpad.kernel.seal import new_key
from giftpad.kernel.work import Actor, Scope, unit_of_work

ADDRESS = "HTTP://LOCALHOST:8000"
TILL = Actor(kind="client", id="till", client_id="till")
_numbers = itertools.count(1)


@dataclass(frozen=True, kw_only=True)
class Coupon:
    """A coupon as its holder has it in hand: the QR text, the typed code, and what they open."""

    locator: int
    account_id: UUID
    qr: str
    typed: str


@dataclass(kw_only=True)
class Town:
    """A tenant with one programme and shops, ready to pay in."""

    scope: Scope
    tag: int
    programme_id: UUID
    funding_id: UUID
    breakage_id: UUID
    shop_id: UUID
    outside_shop_id: UUID
    stranger_shop_id: UUID
    ends_at: datetime
    coupons: list[Coupon] = field(default_factory=list)

    @property
    def tenant_id(self) -> UUID:
        return self.scope.tenant_id


def move_clock(superuser_url: str, by: timedelta) -> None:
    """Move the clock by which this test database judges money; no product has such a lever."""
    kept = (ROOT / "giftpad/kernel/sql/clock_now.sql").read_text(encoding="utf-8")
    moved = kept.replace("SELECT now()", f"SELECT now() + interval '{by.total_seconds()} seconds'")
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        connection.execute(moved if by else kept)


def make_platform() -> None:
    """Give the platform its first key, and remember the address that codes of tests carry."""
    platform = Scope(tenant_id=tenancy.PLATFORM_TENANT_ID)
    with unit_of_work(platform) as work:
        tenancy.ensure_platform(work)
    tenancy.remember_address(ADDRESS)


def make_tenant(slug: str | None = None, kind: str = "municipal") -> Scope:
    """Open a tenant with its first key."""
    make_platform()
    slug = slug or f"town-{next(_numbers)}-{new_id().hex[-6:]}"
    scope = Scope(tenant_id=new_id(), actor=TILL)
    with unit_of_work(scope) as work:
        new = tenancy.NewTenant(slug=slug, names={"ja": "見本町", "en": slug}, kind=kind)
        tenancy.create_tenant(work, new)
    return scope


def add_shop(scope: Scope, *, area: str = "east", groups: tuple[str, ...] = ("common",)) -> UUID:
    """Write a shop and its first fact."""
    shop_id = new_id()
    long_ago = datetime(2020, 1, 1, tzinfo=UTC)
    with unit_of_work(scope) as work:
        work.session.execute(
            sa.text(
                "INSERT INTO shop_shops (tenant_id, id, number, created_at)"
                " VALUES (:tenant, :id, :number, :at)"
            ),
            {
                "tenant": scope.tenant_id,
                "id": shop_id,
                "number": shop_id.hex[-8:].upper(),
                "at": long_ago,
            },
        )
        work.session.execute(
            sa.text(
                "INSERT INTO shop_facts (tenant_id, shop_id, starts_at, name, kana, area, groups,"
                " accepting, address, phone, hq_prefecture, recorded_at, recorded_by) VALUES"
                " (:tenant, :id, :at, 'shop', '', :area, :groups, true, '', '', '', :at, '')"
            ),
            {
                "tenant": scope.tenant_id,
                "id": shop_id,
                "at": long_ago,
                "area": area,
                "groups": list(groups),
            },
        )
    return shop_id


def make_town(*, ceiling_minor: int | None = 5000) -> Town:
    """Make a tenant, a programme for shops of group common in area east, and three shops.

    The second shop is of another area, the third of another group.
    """
    scope = make_tenant()
    programme_id = new_id()
    with unit_of_work(scope) as work:
        payments.set_rules(
            work,
            payments.Rules(
                programme_id=programme_id,
                unit="JPY",
                ceiling_minor=ceiling_minor,
                groups=("common",),
                areas=("east",),
            ),
        )
        funding_id, breakage_id = (
            ledger.open_account(
                work,
                ledger.Account(
                    id=new_id(),
                    book_id=programme_id,
                    kind=kind,
                    unit="JPY",
                    guarded=False,
                    subject_id=programme_id,
                ),
            )
            for kind in ("funding", "breakage")
        )
    tenant = tenancy.get_tenant(scope.tenant_id)
    return Town(
        scope=scope,
        tag=tenant.tag,
        programme_id=programme_id,
        funding_id=funding_id,
        breakage_id=breakage_id,
        shop_id=add_shop(scope),
        outside_shop_id=add_shop(scope, area="west"),
        stranger_shop_id=add_shop(scope, groups=("farmers",)),
        ends_at=datetime.now(UTC).replace(microsecond=0) + timedelta(days=90),
    )


def issue(town: Town, count: int = 1, *, amount_minor: int = 1000, released: bool = True) -> UUID:
    """Issue coupons as a batch does, add them to ``town.coupons``, and return their terms."""
    terms_id, batch_key = new_id(), new_key()
    ring = tenancy.current_ring_key(town.tenant_id)
    with unit_of_work(town.scope) as work:
        payments.open_terms(
            work,
            payments.Terms(
                id=terms_id,
                programme_id=town.programme_id,
                starts_at=datetime(2020, 1, 1, tzinfo=UTC),
                ends_at=town.ends_at,
            ),
        )
        first = payments.take_locators(work, count)
        typed = {n: codes.build_typed(batch_key, n) for n in range(first, first + count)}
        pepper = payments.pepper(ring.key)
        payments.issue_instruments(
            work,
            payments.IssueChunk(
                terms_id=terms_id,
                entry_id=new_id(),
                source_id=town.funding_id,
                amount_minor=amount_minor,
                locator_first=first,
                count=count,
                code_hashes=[
                    payments.hash_typed(pepper, town.tenant_id, symbols)
                    for symbols in typed.values()
                ],
            ),
        )
        if released:
            payments.release_terms(work, terms_id)
        views = payments.get_instruments(work, first, first + count - 1)
    key = payments.qr_key(ring.key)
    town.coupons += [
        Coupon(
            locator=view.locator,
            account_id=view.account_id,
            qr=codes.build_qr(ADDRESS, key, ring.kid, town.tag, locator=view.locator),
            typed=codes.group_typed(typed[view.locator]),
        )
        for view in views
    ]
    return terms_id


def pay_order(town: Town, amount_minor: int, **changes: object) -> payments.PayOrder:
    """Ask for an amount of the town's first coupon in its first shop, with a new key."""
    order: dict[str, object] = {
        "kind": "coupon",
        "code": town.coupons[0].qr if town.coupons else "",
        "shop_id": town.shop_id,
        "amount_minor": amount_minor,
        "key": new_id().hex,
        "request_hash": b"hash",
    }
    return payments.PayOrder(**(order | changes))  # type: ignore[arg-type]


def balance_minor(town: Town, coupon: Coupon) -> int:
    """Return what a coupon holds, by the ledger."""
    with unit_of_work(town.scope) as work:
        return ledger.get_balance(work, coupon.account_id)


def differences(scope: Scope) -> list[ledger.Difference]:
    """Return what the books say against themselves."""
    with unit_of_work(scope) as work:
        return ledger.verify(work) + payments.verify(work)
