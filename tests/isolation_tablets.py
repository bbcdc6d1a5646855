"""What the recipes of tablets and clerks are about: a fresh one of the first tenant for each."""

from __future__ import annotations

from collections.abc import Callable

from giftpad import tills
from giftpad.kernel.ids import new_id
from tests.isolation_people import Pages
from tests.isolation_world import Call
from tests.make_clients import connect_tablet


def _form(fields: dict[str, object]) -> dict[str, object] | None:
    return {"key": new_id().hex} | fields if fields else None


def of_tablet(**fields: object) -> Callable[[Pages], Call]:
    """Ask about a tablet of the first shop, or send these fields of it."""

    def make(pages: Pages) -> Call:
        side = pages.home.side
        shop_id = side.town.shop_id
        path = {"shop_id": shop_id, "terminal_id": connect_tablet(side.scope, shop_id)}
        return Call(path=path, data=_form(fields))

    return make


def of_clerk(**fields: object) -> Callable[[Pages], Call]:
    """Ask about a clerk of the first shop, or send these fields of them."""

    def make(pages: Pages) -> Call:
        side = pages.home.side
        clerk_id = tills.add_clerk(side.scope, side.town.shop_id, "見本 桜", "4071")
        path = {"shop_id": side.town.shop_id, "clerk_id": clerk_id}
        return Call(path=path, data=_form(fields))

    return make


def say_yes(pages: Pages) -> Call:
    """Let a tablet wait that whoever keeps the shop connects."""
    code = tills.start_pairing("").user_code
    fields = {"user_code": code, "answer": "yes", "number": pages.home.number, "name": "レジ2"}
    return Call(data=_form(dict(fields)))
