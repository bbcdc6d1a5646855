"""Parcels on their way: listed for a supplier, handed to a carrier, come back, sent once more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from giftpad import audit
from giftpad.gifts.commands.claiming import lock_gift
from giftpad.gifts.commands.files import remember_columns
from giftpad.gifts.commands.letters import ClaimedGift, tell_shipped
from giftpad.gifts.errors import ClaimNotFound, ClaimWrongState
from giftpad.gifts.models import ClaimRow, GiftRow, OrderRow
from giftpad.gifts.queries.claims import open_address
from giftpad.gifts.queries.shipping import shipping_purpose
from giftpad.gifts.rules.gifts import ARRIVED, CAME_BACK, PREPARING, RECEIVED, SHIPPED, WITHDRAWN
from giftpad.gifts.rules.shipping import GOODS, LIST_FIELDS, Shipped, ShippingFault
from giftpad.kernel.ids import new_id
from giftpad.kernel.work import Work, rows_changed

SHIPPED_AT_ONCE_MAX = 500
LISTED_AT_ONCE_MAX = 5000
_SENDABLE = (RECEIVED, PREPARING, CAME_BACK, SHIPPED)


def take_list(work: Work, supplier: str) -> tuple[UUID | None, int]:
    """Put all that a supplier has to send onto a list, and return its id and its length.

    None and 0 if there is nothing to send.  Whoever has the list can fetch it again; nobody else
    gets any of it on another one, and no address on it can be changed any more.  Beyond
    ``LISTED_AT_ONCE_MAX`` the rest waits for the next list.
    Locks: the gifts, in the order of their ids.
    """
    waiting = (
        ClaimRow.tenant_id == work.tenant_id,
        ClaimRow.kind == GOODS,
        ClaimRow.supplier == supplier,
        ClaimRow.state == RECEIVED,
    )
    first = (
        sa.select(ClaimRow.gift_id).where(*waiting).order_by(ClaimRow.id).limit(LISTED_AT_ONCE_MAX)
    )
    gift_ids = work.session.scalars(
        sa.select(GiftRow.id)
        .where(GiftRow.tenant_id == work.tenant_id, GiftRow.id.in_(first))
        .order_by(GiftRow.id)
        .with_for_update()
    ).all()
    # Asked anew: while these were locked one after the other, others may have listed some.
    list_id = new_id()
    listed = work.session.execute(
        sa.update(ClaimRow)
        .where(*waiting, ClaimRow.gift_id == sa.any_(sa.cast(gift_ids, ARRAY(sa.Uuid))))
        .values(state=PREPARING, list_id=list_id, listed_at=work.at, changed_at=work.at)
        .execution_options(synchronize_session=False)
    )
    count = rows_changed(listed)
    if not count:
        return None, 0
    audit.record(
        work,
        action="gift_claims.listed",
        subject=f"tenant:{work.tenant_id}",
        details={"supplier": supplier, "count": count, "list": str(list_id)},
    )
    return list_id, count


def name_columns(work: Work, supplier: str, names: Mapping[str, str]) -> None:
    """Keep what the columns of a supplier's list are called; an empty name leaves one out."""
    kept = {field: names.get(field, "") for field in LIST_FIELDS}
    remember_columns(work, shipping_purpose(supplier), kept)


def note_shipped(work: Work, shipped: Sequence[Shipped]) -> tuple[int, list[ShippingFault]]:
    """Note which claims travel under which number, and tell their recipients.

    Lines that are right are taken whatever is wrong with others; the same line again changes
    nothing.  Return how many claims changed, and what is wrong with the rest.
    Locks: the gifts, in the order of their ids.
    """
    assert len(shipped) <= SHIPPED_AT_ONCE_MAX
    found = _lock_claims(work, [each.number for each in shipped])
    count, faults, seen = 0, [], set()
    for each in shipped:
        known = found.get(each.number)
        code, params = "", {"number": each.number}
        if known is None:
            code = "number.unknown"
        elif each.number in seen:
            code = "repeated"
        elif known.claim.state not in _SENDABLE:
            code, params = "state", params | {"state": known.claim.state}
        if known is None or code:
            faults.append(ShippingFault(line=each.line, code=code, params=params))
            continue
        seen.add(each.number)
        count += _ship(work, known, each)
    if count:
        audit.record(
            work,
            action="gift_claims.shipped",
            subject=f"tenant:{work.tenant_id}",
            details={"count": count},
        )
    return count, faults


def _lock_claims(work: Work, numbers: Sequence[str]) -> dict[str, ClaimedGift]:
    """Return the claims with these numbers; nobody else changes their gifts meanwhile."""
    wanted = sa.and_(
        ClaimRow.tenant_id == work.tenant_id,
        ClaimRow.number.in_(numbers),
        ClaimRow.kind == GOODS,
        ClaimRow.state != WITHDRAWN,
    )
    gift_ids = sa.select(ClaimRow.gift_id).where(wanted)
    gifts = {
        gift.id: gift
        for gift in work.session.scalars(
            sa.select(GiftRow)
            .where(GiftRow.tenant_id == work.tenant_id, GiftRow.id.in_(gift_ids))
            .order_by(GiftRow.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    }
    rows = work.session.execute(
        sa.select(ClaimRow, OrderRow)
        .join(
            OrderRow,
            sa.and_(OrderRow.tenant_id == ClaimRow.tenant_id, OrderRow.id == ClaimRow.order_id),
        )
        .where(wanted)
        .execution_options(populate_existing=True)
    )
    return {
        claim.number: ClaimedGift(
            order=order, gift=gifts[claim.gift_id], claim=claim, to=open_address(claim)
        )
        for claim, order in rows
    }


def _ship(work: Work, known: ClaimedGift, each: Shipped) -> int:
    claim = known.claim
    if claim.state == SHIPPED and (claim.carrier, claim.tracking) == (each.carrier, each.tracking):
        return 0
    claim.state, claim.shipped_at, claim.changed_at = SHIPPED, work.at, work.at
    claim.carrier, claim.tracking = each.carrier, each.tracking
    tell_shipped(work, known)
    return 1


def note_arrived(work: Work, claim_id: UUID) -> None:
    """Note that a parcel has arrived.

    Locks: the gift.
    Raises: ClaimNotFound, ClaimWrongState.
    """
    _turn(work, claim_id, ARRIVED, of=(SHIPPED,), reason="")


def note_returned(work: Work, claim_id: UUID, *, reason: str) -> None:
    """Note that a parcel came back; its recipient can change the address again.

    Locks: the gift.
    Raises: ClaimNotFound, ClaimWrongState.
    """
    _turn(work, claim_id, CAME_BACK, of=(SHIPPED,), reason=reason)


def send_once_more(work: Work, claim_id: UUID, *, reason: str) -> None:
    """Put a parcel that came back onto the supplier's next list.

    Locks: the gift.
    Raises: ClaimNotFound, ClaimWrongState.
    """
    row = _turn(work, claim_id, RECEIVED, of=(CAME_BACK,), reason=reason)
    row.carrier, row.tracking, row.shipped_at = "", "", None
    row.list_id = row.listed_at = None


def _turn(work: Work, claim_id: UUID, state: str, *, of: tuple[str, ...], reason: str) -> ClaimRow:
    gift_id = work.session.execute(
        sa.select(ClaimRow.gift_id).where(
            ClaimRow.tenant_id == work.tenant_id, ClaimRow.id == claim_id, ClaimRow.kind == GOODS
        )
    ).scalar_one_or_none()
    if gift_id is None:
        raise ClaimNotFound
    lock_gift(work, gift_id)
    row = work.session.get(ClaimRow, (work.tenant_id, claim_id), populate_existing=True)
    assert row is not None
    if row.state not in of:
        raise ClaimWrongState(state=row.state)
    before, row.state, row.changed_at = row.state, state, work.at
    audit.record(
        work,
        action="gift_claim.turned",
        subject=f"gift:{gift_id}",
        details={"claim": row.number, "was": before, "now": state, "reason": reason},
    )
    return row
