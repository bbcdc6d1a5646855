"""The board of an order: how its gifts do, who has not got theirs, what is said in return.

Hides: which part asks for itself again while gifts go out, how days become bars.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import Blueprint, request, url_for

from giftpad import audit, gifts, messaging
from giftpad.edge import current_scope, requires
from giftpad.kernel.work import Scope, Work, unit_of_work
from giftpad.portals.http import new_key
from giftpad.portals.issuer import deeds, gift_cards, gift_reports
from giftpad.portals.issuer.gift_shown import draw, find_design, name_goods
from giftpad.portals.issuer.gift_words import (
    CLAIM_STATES,
    FILTER_WORDS,
    STAMP_WORDS,
    in_words,
)
from giftpad.portals.issuer.naming import read_actors
from giftpad.portals.lists import number_asked
from giftpad.portals.polling import pause_s
from giftpad.portals.words import short_day

bp = Blueprint("board", __name__)
bp.register_blueprint(gift_reports.bp)
bp.register_blueprint(gift_cards.bp)

ROWS = 50
THANKS_SHOWN = 12
DEEDS_SHOWN = 30
WORD_LENGTH_MAX = 200


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
        """The funnel, from sent to thanked; what can be kept for shops is used in between."""
        told = self.progress
        numbers = {
            "sent": told.sent,
            "delivered": told.delivered,
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


def read_live(work: Work, order: gifts.OrderView) -> Live:
    """Return how far an order is; it asks again while gifts or letters of it are under way."""
    run = messaging.get_run(work, order.run_id) if order.run_id is not None else None
    is_moving = order.state == "issuing" or (run is not None and run.waiting > 0)
    began = order.starts_at or order.changed_at
    return Live(
        order=order,
        progress=gifts.get_progress(work, order.id),
        run=run,
        poll_s=pause_s(began, work.at) if is_moving else None,
    )


def draw_board(order_id: UUID) -> str:
    """Draw the board of an order whose gifts go out or are out."""
    scope = current_scope()
    shown = request.args.get("show", "")
    shown = shown if shown in gifts.FILTERS else "all"
    word = request.args.get("q", "").strip()[:WORD_LENGTH_MAX]
    after = number_asked("after")
    with unit_of_work(scope) as work:
        order = gifts.get_order(work, order_id)
        live = read_live(work, order)
        counts = gifts.count_shown(work, order_id)
        listed = _listed(work, order_id, shown=shown, word=word, after=after)
        thanks = gifts.list_thanks(work, order_id, limit=THANKS_SHOWN)
        days = gifts.list_days(work, order_id)
        goods = name_goods(work, order)
        prints = gifts.list_prints(work, order_id)
    return draw(
        "board",
        order=order,
        live=live,
        rows=[(view, in_words(view)) for view in listed.items],
        tabs=[(name, words, counts[name]) for name, words in FILTER_WORDS.items()],
        shown=shown,
        word=word,
        thanks=thanks,
        stamp_words=STAMP_WORDS,
        claim_states=CLAIM_STATES,
        course_name=goods,
        look=find_design(order.draft.design),
        prints=prints,
        key=new_key(),
        deeds=_deeds(scope, order_id),
        has_links=bool(live.progress.by_channel.get("link")),
        first_href=url_for("desk_gifts.one", order_id=order_id, show=shown) if after else None,
        next_href=_later(order_id, shown, listed.next_after),
        **_charts(days, live.progress),
    )


def _later(order_id: UUID, shown: str, later: int | None) -> str | None:
    if later is None:
        return None
    return url_for("desk_gifts.one", order_id=order_id, show=shown, after=later)


def _listed(work: Work, order_id: UUID, *, shown: str, word: str, after: int) -> gifts.GiftPage:
    if word:
        return gifts.list_found(work, gifts.find_gifts(work, order_id, word))
    return gifts.list_gifts(work, order_id, shown=shown, after=after, limit=ROWS)


def _charts(days: list[gifts.Day], progress: gifts.Progress) -> dict[str, Any]:
    channels: Mapping[str, int] = progress.by_channel
    return {
        "day_bars": [(short_day(day.on), day.claimed, str(day.claimed)) for day in days],
        "channel_rows": [(name, count) for name, count in channels.items() if count],
        "days": days,
    }


def _deeds(scope: Scope, order_id: UUID) -> list[deeds.Deed]:
    with unit_of_work(scope) as work:
        wanted = audit.EntryFilter(subjects=(f"gift_order:{order_id}",), limit=DEEDS_SHOWN)
        entries = audit.list_entries(work, wanted)
    actors = read_actors(scope, [entry.actor.get("id") for entry in entries])
    return deeds.describe(entries, actors, {})


@bp.get("/<uuid:order_id>/progress")
@requires("gifts:read")
def progress(order_id: UUID) -> str:
    """Draw the part of the board that changes while gifts go out."""
    with unit_of_work(current_scope()) as work:
        live = read_live(work, gifts.get_order(work, order_id))
    return draw("_live", live=live, order=live.order)
