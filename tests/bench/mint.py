"""Issue coupons that are never printed, and write the texts of their codes into a file.

The benches run it beside a product on a throwaway data folder (``python -m tests.bench.mint``).
It goes through the packages' doors in the way a batch does, a chunk a transaction, with accounts,
aliases, issue transfers, hashed typed codes and the event of the day's figures; only paper is left
out.  The product itself tells nobody a code but on paper, and has no command for this on purpose.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from uuid import UUID

import click

from giftpad import coupons, events, ledger, payments, programmes, tenancy
from giftpad.cli import connect
from giftpad.cli.scopes import tenant_scopes
from giftpad.kernel.codes import build_qr, build_typed
from giftpad.kernel.ids import new_id
from giftpad.kernel.seal import new_key
from giftpad.kernel.work import Scope, Work, unit_of_work

CHUNK = 50_000
PATIENCE_S = 300
VALID = timedelta(days=300)


def _open(scope: Scope, quantity: int) -> tuple[programmes.Programme, UUID, int]:
    with unit_of_work(scope) as work:
        programme = programmes.list_programmes(work).items[0]
        terms_id = new_id()
        payments.open_terms(
            work,
            payments.Terms(
                id=terms_id,
                programme_id=programme.id,
                starts_at=work.at - timedelta(days=1),
                ends_at=work.at + VALID,
            ),
        )
        payments.release_terms(work, terms_id)
        return programme, terms_id, payments.take_locators(work, quantity)


def _issue(
    work: Work,
    programme: programmes.Programme,
    terms_id: UUID,
    first: int,
    *,
    count: int,
    value: int,
) -> None:
    pepper = payments.pepper(tenancy.current_ring_key(work.tenant_id).key)
    key = new_key()
    source_id = ledger.find_account(work, programme.id, "funding", programme.id)
    assert source_id is not None
    payments.issue_instruments(
        work,
        payments.IssueChunk(
            terms_id=terms_id,
            entry_id=new_id(),
            source_id=source_id,
            amount_minor=value,
            locator_first=first,
            count=count,
            code_hashes=[
                payments.hash_typed(pepper, work.tenant_id, build_typed(key, at))
                for at in range(first, first + count)
            ],
        ),
    )
    events.publish(
        work,
        coupons.CouponsIssued(
            object_id=new_id(),
            programme_id=programme.id,
            unit=programme.unit,
            count=count,
            amount_minor=count * value,
            at=work.at,
        ),
    )


@click.command()
@click.option("--tenant", "slug", required=True)
@click.option("--quantity", type=int, required=True)
@click.option("--face-value", type=int, required=True)
@click.option("--out", type=click.Path(path_type=Path), required=True)
def mint(slug: str, quantity: int, face_value: int, out: Path) -> None:
    """Issue coupons of a tenant's first programme, spendable now."""
    address = connect().public_address
    ((tenant, scope),) = tenant_scopes(slug)
    tenancy.remember_address(address)
    programme, terms_id, first = _open(scope, quantity)
    for at in range(first, first + quantity, CHUNK):
        with unit_of_work(scope, patience_s=PATIENCE_S) as work:
            count = min(CHUNK, first + quantity - at)
            _issue(work, programme, terms_id, at, count=count, value=face_value)
    ring = tenancy.current_ring_key(tenant.id)
    key = payments.qr_key(ring.key)
    with out.open("w", encoding="ascii") as file:
        file.writelines(
            build_qr(address, key, ring.kid, tenant.tag, locator=at) + "\n"
            for at in range(first, first + quantity)
        )


if __name__ == "__main__":
    mint()
