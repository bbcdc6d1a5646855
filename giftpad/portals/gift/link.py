"""The link of a gift: it opens the gift in this browser and leaves the address at once.

Hides: how a link is proven without asking the database.  Looking at a link changes nothing, for
the programs that read people's mail look at it before they do.
"""

from __future__ import annotations

from flask import Blueprint, Response, g, url_for

from giftpad import edge, gifts, guard
from giftpad.portals.account.home import preferences
from giftpad.portals.gift.pages import as_gift_pages, guess_key, slow_down
from giftpad.portals.http import see_other

bp = Blueprint("gift_link", __name__)
as_gift_pages(bp)


@bp.get("/g/<path:tail>", merge_slashes=False)
@bp.get("/G/<path:tail>", merge_slashes=False)  # as codes on paper have it: capitals take less room
@edge.public("whoever a gift was sent to opens its link; wrong ones are counted")
def open_link(tail: str) -> Response:
    """Open the gift of a link and go on without it."""
    g.page_path = url_for("gift.index")  # what goes wrong is not to repeat the link either
    slow_down()
    found = gifts.find_gift_tenant(tail)
    if found is None:
        guard.count_failure(guess_key())
        raise gifts.GiftNotFound
    tenant, locator = found
    if tenant.is_suspended:
        raise edge.TenantClosed
    response = see_other("gift.index")
    edge.open_gift(response, tenant, locator)
    return response


@bp.post("/g/preferences")
@edge.public("Whoever reads a page chooses its language and the size of its text.")
def choose_preferences() -> Response:
    """Remember in which language and how large a gift is read in this browser."""
    return preferences()
