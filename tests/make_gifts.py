"""A company that sends gifts, ready to order, and what its recipients do."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from uuid import UUID

import sqlalchemy as sa

from giftpad import gifts
from giftpad.kernel.ids import new_id
from giftpad.kernel.work import Actor, Scope, unit_of_work
from tests.make import make_tenant
from tests.make_catalog import Shelf
from tests.make_catalog import make_course as make_catalogue_course

VALUE = 5000
OWN_COURSE = "OWN5000"
"""A code that no pack of the house gives a course."""
FEES = {"mail": 150, "sms": 170, "link": 100, "card": 350}
CONTRACT = gifts.Contract(
    unit="JPY",
    approve_above_minor=20_000,
    unclaimed="returned",
    credit_limit_minor=0,
    claim_days=90,
    claim_days_max=180,
    fees_minor=FEES,
    fee_tax_percent=10,
    resend_max=2,
)
HOME = gifts.Address(
    name="山田 花子",
    kana="ヤマダ ハナコ",
    postcode="1000001",
    prefecture="東京都",
    city="千代田区千代田",
    street="1-1",
    phone="+819000000000",
    email="hanako@example.com",
)
_numbers = itertools.count(1)


def person(name: str) -> Actor:
    """Return somebody of the company."""
    return Actor(kind="person", id=f"person:{name}", client_id="desk")


def cells(count: int, channel: str = "link") -> list[gifts.Cells]:
    """Return so many recipients without fault."""
    return [
        gifts.Cells(
            line=at + 2,
            cells={
                "name": f"受取 {at}",
                "mail": f"r{at}@example.com",
                "phone": f"0900000{at:04d}",
                "channel": channel,
            },
        )
        for at in range(count)
    ]


@dataclass(kw_only=True)
class Company:
    """A tenant with a contract, money paid in, and a course to choose from."""

    scope: Scope
    course_id: UUID
    variants: list[UUID] = field(default_factory=list)

    def as_(self, name: str) -> Scope:
        """Return the scope of one of its people."""
        return replace(self.scope, actor=person(name))

    def draft(self, **more: object) -> UUID:
        """Begin an order that lacks nothing but recipients."""
        said = {
            "title": f"お歳暮 {next(_numbers)}",
            "design": "musubi",
            "sender_name": "株式会社はなまる",
            "message": "一年間ありがとうございました。\n来年もよろしくお願いします。",
            "course_id": self.course_id,
            "channel": "link",
        }
        with unit_of_work(self.as_("issuer")) as work:
            return gifts.draft_order(work, gifts.OrderDraft(**{**said, **more}))  # type: ignore[arg-type]

    def take(self, order_id: UUID, handed_in: Iterable[gifts.Cells]) -> int:
        """Hand recipients in."""
        with unit_of_work(self.as_("issuer")) as work:
            return gifts.take_recipients(work, order_id, handed_in, replaces=True)

    def for_codes(self, count: int, **more: object) -> UUID:
        """Begin an order that lacks nothing, for codes without names."""
        order_id = self.draft(**more)
        with unit_of_work(self.as_("issuer")) as work:
            gifts.order_codes(work, order_id, count)
        return order_id

    def sent_codes(self, count: int, **more: object) -> UUID:
        """Return an order of so many codes that are made."""
        order_id = self.for_codes(count, **more)
        if self.submit(order_id) == "submitted":
            self.approve(order_id)
        while self.order(order_id).state == "issuing":
            self.issue(order_id)
        return order_id

    def submit(self, order_id: UUID) -> str:
        """Submit an order."""
        with unit_of_work(self.as_("issuer")) as work:
            return gifts.submit_order(work, order_id)

    def approve(self, order_id: UUID) -> None:
        """Let a second person approve an order."""
        with unit_of_work(self.as_("approver")) as work:
            gifts.approve_order(work, order_id)

    def issue(self, order_id: UUID) -> None:
        """Issue an approved order, as the worker does."""
        from giftpad.gifts.handlers import issue_due_gifts

        issue_due_gifts(self.scope, gifts.GiftsDue(object_id=order_id))

    def sent(self, count: int = 3, channel: str = "link", **more: object) -> UUID:
        """Return an order of so many gifts that are on their way."""
        order_id = self.draft(channel=channel, **more)
        self.take(order_id, cells(count, channel))
        if self.submit(order_id) == "submitted":
            self.approve(order_id)
        self.issue(order_id)
        return order_id

    def order(self, order_id: UUID) -> gifts.OrderView:
        """Return an order as it stands."""
        with unit_of_work(self.scope) as work:
            return gifts.get_order(work, order_id)

    def gifts(self, order_id: UUID, **asked: object) -> tuple[gifts.GiftView, ...]:
        """Return the gifts of an order."""
        with unit_of_work(self.scope) as work:
            return gifts.list_gifts(work, order_id, limit=200, **asked).items  # type: ignore[arg-type]

    def progress(self, order_id: UUID) -> gifts.Progress:
        """Return what became of an order's gifts."""
        with unit_of_work(self.scope) as work:
            return gifts.get_progress(work, order_id)

    def budget(self) -> int:
        """Return what can still be spent."""
        with unit_of_work(self.scope) as work:
            return gifts.get_budget(work)

    def claim(self, gift_id: UUID, *, key: str = "", **more: object) -> UUID:
        """Choose the first thing there is with a gift."""
        order = gifts.ClaimOrder(
            gift_id=gift_id,
            key=key or new_id().hex,
            variant_id=self.variants[0],
            address=replace(HOME, **more),  # type: ignore[arg-type]
        )
        with unit_of_work(self.scope) as work:
            return gifts.claim(work, order)

    def differences(self) -> list[str]:
        """Return what is wrong in the books, by every proof there is."""
        from giftpad import ledger

        with unit_of_work(self.scope) as work:
            return [str(each) for each in (*ledger.verify(work), *gifts.verify(work))]


def let_leave(scope: Scope, order_id: UUID) -> None:
    """Let what waits of an order's letters have left, as if a provider had taken it."""
    gone = sa.text("""
        WITH gone AS (
            UPDATE messaging_messages SET state = 'sent', due_at = NULL, values_sealed = NULL,
                sent_at = clock_now()
            WHERE tenant_id = :tenant AND state = 'queued'
                AND run_id = (SELECT run_id FROM gift_orders WHERE id = :order)
            RETURNING run_id
        )
        UPDATE messaging_runs SET sent = sent + (SELECT count(*) FROM gone)
        WHERE tenant_id = :tenant AND id IN (SELECT run_id FROM gone)
    """)
    with unit_of_work(scope) as work:
        work.session.execute(gone, {"tenant": scope.tenant_id, "order": order_id})


def set_contract(scope: Scope, contract: gifts.Contract) -> None:
    """Agree on terms with a tenant."""
    with unit_of_work(scope) as work:
        gifts.apply_section(work, contract)


def pay_in(scope: Scope, amount_minor: int) -> None:
    """Let a tenant pay in."""
    with unit_of_work(scope) as work:
        gifts.take_deposit(work, amount_minor, reference=new_id().hex)


def make_company(
    *,
    deposit_minor: int = 10_000_000,
    contract: gifts.Contract = CONTRACT,
    stock: int = 100,
    slug: str | None = None,
) -> Company:
    """Make a company that can order gifts of 5,000."""
    scope = make_tenant(slug, kind="corporate")
    set_contract(scope, contract)
    if deposit_minor:
        pay_in(scope, deposit_minor)
    course_id, variants = make_course(scope, stock=stock)
    return Company(scope=scope, course_id=course_id, variants=variants)


def make_course(scope: Scope, *, stock: int) -> tuple[UUID, list[UUID]]:
    """Give a tenant a course of one product."""
    shelf = Shelf(scope=scope, course_id=make_catalogue_course(scope, OWN_COURSE, VALUE))
    shelf.put(f"RICE,新米,goods,たべもの,みほん農園,{VALUE},7,{OWN_COURSE},{stock},")
    return shelf.course_id, [shelf.variant("RICE").id]
