"""The board of an order: how its gifts do, who has not got theirs, what is said in return.

Hides: which part asks for itself again while gifts go out, how days become bars.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from flask import Blueprint, request, url_for

from giftpad import audit, gifts, messaging
from giftpad.edge import current_scope, requires
from giftpad.kernel.i18n import mark
from giftpad.kernel.work import Scope, Work, unit_of_work
from giftpad.portals.http import new_key
from giftpad.portals.issuer import (
    deeds,
    gift_cards,
    gift_codes,
    gift_kits,
    gift_papers,
    gift_reports,
)
from giftpad.portals.issuer.gift_shown import (
    CHANNEL_WORDS,
    draw,
    find_design,
    name_goods,
)
from giftpad.portals.issuer.gift_words import (
    CLAIM_STATES,
    FILTER_WORDS,
    in_words,
)
from giftpad.portals.issuer.naming import read_actors
from giftpad.portals.lists import number_asked
from giftpad.portals.polling import pause_s
from giftpad.portals.words import say_in_words, short_day

bp = Blueprint("board", __name__)
bp.register_blueprint(gift_reports.bp)
bp.register_blueprint(gift_cards.bp)
bp.register_blueprint(gift_codes.bp)
bp.register_blueprint(gift_kits.bp)
bp.register_blueprint(gift_papers.bp)

ROWS = 50
THANKS_SHOWN = 12
DEEDS_SHOWN = 30
WORD_LENGTH_MAX = 200
SHORT_WORDS = CHANNEL_WORDS | {
    "link": mark("A link"),
    "card": mark("A card"),
    "code": mark("A code"),
}
"""Ways of sending as they fit under a bar."""
LARGE, LARGE_S = 20_000, 30
"""A look at more gifts than these reads all of them: none is taken every few seconds."""
REMINDED = ("all", "unopened", "unclaimed", "ending")
"""What the board can show of which somebody may be reminded."""
PRINTING = ("due", "printing")
"""States of a file of cards that is not there yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of the funnel: how many gifts came so far, of the step before and of all."""

    key: str
    count: int
    percent: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """What of the board changes while gifts go out."""

    order: gifts.OrderView
    progress: gifts.Progress
    run: messaging.RunView | None
    poll_s: int | None

    @property
    def steps(self) -> list[Step]:
        """The funnel, from sent to thanked; what can be kept for shops is used in between.

        Codes are made, and whoever ordered them hands them out.
        """
        told = self.progress
        begun = {"sent": told.sent, "delivered": told.delivered}
        numbers = {
            **({"made": told.issued} if self.order.codes else begun),
            "opened": told.opened,
            "claimed": told.claimed,
            **({"used": told.used} if self.order.draft.programme_id else {}),
            "thanked": told.thanked,
        }
        most = max(told.issued, 1)
        return [
            Step(key=key, count=count, percent=round(100 * count / most))
            for key, count in numbers.items()
        ]

    @property
    def percent(self) -> int:
        """How much of the order is issued."""
        return int(100 * self.order.issued / max(self.order.quantity, 1))


def read_live(work: Work, order: gifts.OrderView, prints: Sequence[gifts.PrintView]) -> Live:
    """Return how far an order is, and when to look again: as long as something can still happen."""
    run = None
    if order.run_id is not None and messaging.has_run(work, order.run_id):
        run = messaging.get_run(work, order.run_id)
    told = gifts.get_progress(work, order.id)
    is_moving = (
        order.state == "issuing"
        or told.outstanding_minor > 0
        or (run is not None and run.waiting > 0)
        or any(each.state in PRINTING for each in prints)
    )
    pause = pause_s(order.starts_at or order.changed_at, work.at)
    if order.quantity > LARGE:
        pause = max(pause, LARGE_S)
    return Live(
        order=order,
        progress=told,
        run=run,
        poll_s=pause if is_moving and not _stands_still() else None,
    )


def _stands_still() -> bool:
    """Whether a reader wants the page as it is: what moves can be stopped."""
    return request.args.get("follow") == "off"


def _state(order_id: UUID) -> dict[str, Any]:
    """Return what the board shows of the gifts an address asks for."""
    shown = request.args.get("show", "")
    shown = shown if shown in gifts.FILTERS else "all"
    word = request.args.get("q", "").strip()[:WORD_LENGTH_MAX]
    after = number_asked("after")
    with unit_of_work(current_scope()) as work:
        order = gifts.get_order(work, order_id)
        prints = gifts.list_prints(work, order_id)
        live = read_live(work, order, prints)
        counts = gifts.count_shown(work, order_id)
        listed = _listed(work, order_id, shown=shown, word=word, after=after)
        thanks = gifts.list_thanks(work, order_id, limit=THANKS_SHOWN)
    asked: dict[str, Any] = {"show": shown, "q": word or None, "after": after or None}
    here = partial(url_for, "desk_gifts.one", order_id=order_id, **asked)
    return {
        "order": order,
        "live": live,
        "stands_still": _stands_still(),
        "follow_href": url_for("desk_gifts.board.progress", order_id=order_id, **asked),
        "still_href": here(follow="off"),
        "moving_href": here(),
        "rows": [(view, in_words(view)) for view in listed.items],
        "tabs": [(name, words, counts[name]) for name, words in FILTER_WORDS.items()],
        "shown": shown,
        "word": word,
        "remind_count": _to_remind(live, len(listed.items) if word else counts[shown], shown),
        "thanks": thanks,
        "stamp_words": gifts.STAMP_WORDS,
        "prints": prints,
        "volumes": gift_codes.list_volumes(order) if order.codes else [],
        "key": new_key(),
        "first_href": url_for("desk_gifts.one", order_id=order_id, show=shown) if after else None,
        "next_href": _later(order_id, shown, listed.next_after),
    }


def _to_remind(live: Live, count: int, shown: str) -> int:
    """Return how many are selected to be reminded; 0 where it reaches nobody of the order."""
    told = live.progress
    by_us = told.by_channel.get("mail", 0) + told.by_channel.get("sms", 0)
    is_possible = live.order.state in ("issuing", "sent") and by_us and told.outstanding
    return count if is_possible and shown in REMINDED else 0


def draw_board(order_id: UUID) -> str:
    """Draw the board of an order whose gifts go out or are out."""
    scope = current_scope()
    state = _state(order_id)
    order, live = state["order"], state["live"]
    with unit_of_work(scope) as work:
        days = gifts.list_days(work, order_id)
        goods = name_goods(work, order)
        invoice = gifts.find_invoice(work, order_id)
        channels = gifts.list_channels(work, order_id)
    return draw(
        "board",
        claim_states=CLAIM_STATES,
        course_name=goods,
        invoice=invoice,
        look=find_design(order.draft.design),
        deeds=_deeds(scope, order_id),
        has_links=not order.codes and bool(live.progress.by_channel.get("link")),
        day_bars=[(short_day(day.on), day.claimed, str(day.claimed)) for day in days],
        days=days,
        channels=channels,
        channel_bars=[
            (say_in_words(SHORT_WORDS[each.name]), each.claimed, str(each.claimed))
            for each in channels
        ],
        **state,
    )


def _later(order_id: UUID, shown: str, later: int | None) -> str | None:
    if later is None:
        return None
    return url_for("desk_gifts.one", order_id=order_id, show=shown, after=later)


def _listed(work: Work, order_id: UUID, *, shown: str, word: str, after: int) -> gifts.GiftPage:
    if word:
        return gifts.list_found(work, gifts.find_gifts(work, order_id, word))
    return gifts.list_gifts(work, order_id, shown=shown, after=after, limit=ROWS)


def _deeds(scope: Scope, order_id: UUID) -> list[deeds.Deed]:
    with unit_of_work(scope) as work:
        wanted = audit.EntryFilter(subjects=(f"gift_order:{order_id}",), limit=DEEDS_SHOWN)
        entries = audit.list_entries(work, wanted)
    actors = read_actors(scope, [entry.actor.get("id") for entry in entries])
    return deeds.describe(entries, actors, {})


@bp.get("/<uuid:order_id>/progress")
@requires("gifts:read")
def progress(order_id: UUID) -> str:
    """Draw the parts of the board that change by themselves."""
    return draw("_following", **_state(order_id))
