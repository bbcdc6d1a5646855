"""Gift orders at the desk: all of them, a new one, and the way to where one stands.

Hides: that preparing, deciding, the board and shipping are blueprints of their own below this one.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from flask import Blueprint, Response, request, url_for

from giftpad import gifts
from giftpad.edge import current_locale, current_scope, requires
from giftpad.kernel.i18n import mark
from giftpad.kernel.work import unit_of_work
from giftpad.portals.http import do_once, new_key, see_other
from giftpad.portals.issuer import (
    gift_acts,
    gift_board,
    gift_deciding,
    gift_design,
    gift_goods,
    gift_recipients,
    gift_reminding,
    gift_shipping,
    gift_when,
)
from giftpad.portals.issuer.gift_shown import (
    draw,
    first_open_step,
    read_prepared,
)
from giftpad.portals.lists import id_asked

bp = Blueprint("desk_gifts", __name__, url_prefix="/desk/gifts")
for _part in (
    gift_design,
    gift_goods,
    gift_recipients,
    gift_when,
    gift_deciding,
    gift_board,
    gift_acts,
    gift_reminding,
    gift_shipping,
):
    bp.register_blueprint(_part.bp)

PAGE = 50
SHOWN: dict[str, tuple[str, tuple[str, ...]]] = {
    "all": (mark("All"), ()),
    "drafts": (mark("Being prepared"), ("draft",)),
    "waiting": (mark("Waiting for approval"), ("submitted",)),
    "going": (mark("Being sent"), ("approved", "issuing")),
    "sent": (mark("Sent"), ("sent",)),
    "closed": (mark("Closed"), ("closed",)),
}
"""What the list can show, by the name in its address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """What can be spent, and whether there is a contract at all."""

    contract: gifts.Contract | None
    budget_minor: int


@bp.get("")
@requires("gifts:read")
def index() -> str:
    """List gift orders, newest first."""
    shown = request.args.get("show", "")
    shown = shown if shown in SHOWN else "all"
    after = id_asked("after")
    with unit_of_work(current_scope()) as work:
        found = gifts.list_orders(work, states=SHOWN[shown][1], after=after, limit=PAGE)
        contract = gifts.find_contract(work)
        money = Money(contract=contract, budget_minor=gifts.get_budget(work))
    later = found.next_after
    return draw(
        "index",
        orders=found.items,
        tabs=[(name, words) for name, (words, _) in SHOWN.items()],
        shown=shown,
        money=money,
        key=new_key(),
        first_href=url_for(".index", show=shown) if after else None,
        next_href=url_for(".index", show=shown, after=later) if later else None,
    )


@bp.post("")
@requires("gifts:order")
def begin() -> Response:
    """Begin an order, once for the form's key, and go to its first step."""
    with unit_of_work(current_scope()) as work:
        draft = gifts.OrderDraft(locale=current_locale())
        order_id = do_once(work, lambda: gifts.draft_order(work, draft))
    return see_other("desk_gifts.design.show", order_id=UUID(order_id))


@bp.get("/<uuid:order_id>")
@requires("gifts:read")
def one(order_id: UUID) -> str | Response:
    """Show how the gifts of an order do, or where a draft goes on."""
    scope = current_scope()
    with unit_of_work(scope) as work:
        order = gifts.get_order(work, order_id)
        if order.state == "draft":
            prepared = read_prepared(work, order_id)
            may_order = "gifts:order" in scope.permissions
            step = first_open_step(prepared) if may_order else "check"
    if order.state == "draft":
        where = {"check": "deciding.check"}.get(step, f"{step}.show")
        return see_other(f"desk_gifts.{where}", order_id=order_id)
    if order.state in ("submitted", "approved"):
        return gift_deciding.draw_waiting(order)
    return gift_board.draw_board(order_id)
