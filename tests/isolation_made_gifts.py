"""Orders and gifts that the recipes are about, of the company within each tenant."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa

from giftpad import gifts
from giftpad.kernel.ids import new_id
from giftpad.kernel.work import unit_of_work
from tests import make_gifts
from tests.isolation_world import Side, World


def company(side: Side) -> make_gifts.Company:
    """Return the company within a tenant."""
    assert side.company is not None
    return side.company


def draft(side: Side, count: int = 2) -> str:
    """Return an order that is being prepared."""
    made = company(side)
    order_id = made.draft()
    made.take(order_id, make_gifts.cells(count))
    return str(order_id)


def coded(side: Side) -> str:
    """Return an order of codes without names, all of them made."""
    return str(company(side).sent_codes(2))


def empty(side: Side) -> str:
    """Return an order that is for nobody yet."""
    return str(company(side).draft())


def waiting(side: Side) -> str:
    """Return an order that waits for its approval."""
    order_id = draft(side, 10)
    company(side).submit(UUID(order_id))
    return order_id


def issuing(side: Side) -> str:
    """Return an order whose gifts are about to go out."""
    order_id = draft(side)
    assert company(side).submit(UUID(order_id)) == "issuing"
    return order_id


def sent(side: Side, channel: str = "link") -> str:
    """Return an order whose gifts are out."""
    return str(company(side).sent(2, channel))


def mailed(side: Side) -> str:
    """Return an order whose letters arrived the other day, so that it may be reminded of."""
    order_id = sent(side, "mail")
    with unit_of_work(side.scope) as work:
        work.session.execute(
            sa.text(
                "UPDATE gifts SET delivery = 'delivered', queued_at = queued_at - interval '2 days'"
                " WHERE tenant_id = :tenant AND order_id = :order"
            ),
            {"tenant": side.scope.tenant_id, "order": order_id},
        )
    return order_id


def gift(side: Side, channel: str = "link") -> str:
    """Return a gift that can be claimed."""
    with unit_of_work(side.scope) as work:
        listed = gifts.list_gifts(work, UUID(sent(side, channel)))
    return str(listed.items[0].id)


def bounced(side: Side) -> str:
    """Return a gift whose letter came back, so that it may be sent again at once."""
    gift_id = gift(side, "mail")
    with unit_of_work(side.scope) as work:
        work.session.execute(
            sa.text("UPDATE gifts SET delivery = 'bounced' WHERE tenant_id = :tenant AND id = :id"),
            {"tenant": side.scope.tenant_id, "id": gift_id},
        )
    return gift_id


def parcel(side: Side, *, shipped: bool = False) -> str:
    """Return a claim that is to be sent."""
    claim_id = company(side).claim(UUID(gift(side)))
    if shipped:
        with unit_of_work(side.scope) as work:
            number = gifts.get_parcel(work, claim_id).claim.number
            line = gifts.Shipped(line=2, number=number, carrier="架空便", tracking="1111")
            gifts.note_shipped(work, [line])
    return str(claim_id)


def order_body(world: World) -> dict[str, object]:
    """Return an order of one gift that can be made."""
    return {
        "title": "お歳暮",
        "design": "musubi",
        "sender_name": "見本商事",
        "message": "ありがとうございます。",
        "course_id": str(company(world.home).course_id),
        "channel": "link",
        "recipients": [{"name": "見本 花子", "external_id": new_id().hex}],
    }
