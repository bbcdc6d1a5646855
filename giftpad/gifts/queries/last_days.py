"""Until when the gifts of an order can be claimed, as its draft stands."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from uuid import UUID

from giftpad import programmes, tenancy
from giftpad.gifts.errors import OrderNotFound, OrderUnfit
from giftpad.gifts.models import OrderRow
from giftpad.gifts.queries.contracts import get_contract
from giftpad.kernel.clock import local_date
from giftpad.kernel.work import Work


def find_last_day(work: Work, order_id: UUID) -> date:
    """Return the last day to claim: what the order says, or what it gets if it is submitted now.

    Raises: OrderNotFound, ContractMissing.
    """
    order = work.session.get(OrderRow, (work.tenant_id, order_id))
    if order is None:
        raise OrderNotFound
    try:
        until = kept_until(work, order, max(work.at, order.send_at or work.at))
    except (OrderUnfit, programmes.ProgrammeOver):
        until = None  # that is told where the order is submitted
    return last_day_of(work, order, until)


def last_day_of(work: Work, order: OrderRow, until: date | None) -> date:
    """Return the last day to claim of an order whose balances can be kept ``until`` then.

    Raises: ContractMissing.
    """
    if order.claim_by is not None:
        return order.claim_by
    today = local_date(work.at, tenancy.get_tenant(work.tenant_id).zone)
    agreed = today + timedelta(days=get_contract(work).claim_days)
    return min(agreed, until or agreed)


def kept_until(work: Work, order: OrderRow, begins_at: datetime) -> date | None:
    """Return until when a balance of an order can be kept that goes out then; None if it cannot.

    The time that the programme gives is counted from that day, and not from the day on which
    somebody keeps it: what may live for six months does not get another six that way.
    Raises: OrderUnfit, ProgrammeOver.
    """
    if order.programme_id is None:
        return None
    programme = programmes.get_programme(work, order.programme_id)
    if not programme.gifts:
        raise OrderUnfit(field="programme_id")
    begins_on = local_date(begins_at, tenancy.get_tenant(work.tenant_id).zone)
    return programmes.coupon_validity(programme, begins_on)[1]
