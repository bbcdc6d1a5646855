"""A recipe for each page on which an operator looks at gift orders."""

from __future__ import annotations

from collections.abc import Callable

from giftpad import tenancy
from tests.isolation_made_gifts import sent
from tests.isolation_people import Pages
from tests.isolation_recipe import CONFLICT, Recipe
from tests.isolation_recipe import at as _at
from tests.isolation_recipe import form as _form
from tests.isolation_recipe import plain as _plain
from tests.isolation_world import Call

ALL = "/operator/gifts"
ONE = f"{ALL}/<slug>/<uuid:order_id>"


def _of_order(**data: object) -> Callable[[Pages], Call]:
    def make(pages: Pages) -> Call:
        side = pages.home.side
        slug = tenancy.get_tenant(side.scope.tenant_id).slug
        path = {"slug": slug, "order_id": sent(side)}
        return Call(path=path, data=_form(**data) if data else None)

    return make


PAGES: dict[str, list[Recipe]] = {
    f"GET {ALL}": [_at(_plain(), stranger=None)],
    f"GET {ALL}/live": [_at(_plain(), stranger=None)],
    f"GET {ONE}": [_at(_of_order(), stranger=None)],
    f"GET {ONE}/live": [_at(_of_order(), stranger=None)],
    f"POST {ONE}": [_at(_of_order(reason="mended"), status=CONFLICT, stranger=None)],
}
