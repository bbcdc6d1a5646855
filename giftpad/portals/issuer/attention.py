"""What somebody at the desk has to do now, as far as they may do it.

Hides: which fact asks whom to act, and where that is done.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from flask import url_for

from giftpad import coupons, gifts, shops
from giftpad.kernel.i18n import mark
from giftpad.kernel.work import Work
from giftpad.portals.words import say_in_words

_ANY_HAND = frozenset({"coupons:issue", "coupons:print", "coupons:release"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of thing to do; whoever has one of ``hands`` is asked."""

    chip: str
    word: str
    sentence: str
    verb: str
    hands: frozenset[str]


KINDS: Mapping[str, Kind] = {
    "failed": Kind(
        chip="ng",
        word=mark("Do not print"),
        sentence=mark("{programme}: the check of {n} coupons found faults."),
        verb=mark("Look at it"),
        hands=_ANY_HAND,
    ),
    "standing": Kind(
        chip="warn",
        word=mark("Stands still"),
        sentence=mark(
            "{programme}: making and printing {n} coupons has stood still since {since}."
            " Whoever runs Giftpad can see why."
        ),
        verb=mark("Look at it"),
        hands=_ANY_HAND,
    ),
    "to_download": Kind(
        chip="info",
        word=mark("Ready"),
        sentence=mark("{programme}: {n} coupons are printed and checked. Take out the files."),
        verb=mark("Take out"),
        hands=frozenset({"coupons:print"}),
    ),
    "to_release": Kind(
        chip="warn",
        word=mark("To release"),
        sentence=mark("{programme}: {n} coupons wait for their release."),
        verb=mark("Look at it"),
        hands=frozenset({"coupons:release"}),
    ),
}
ORDER_WAITS = mark("{title}: {n} gifts for {total_minor} wait for approval.")
UNDELIVERED = mark("{title}: {n} letters did not arrive, or perhaps not.")
GIFT_ORDERS_SHOWN = 5
LIST_FAULTY = mark("Errors in the newest list of shops: {n}.")
LIST_LIFE = timedelta(days=7)
"""A faulty list of shops older than this is no longer waited for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Todo:
    """One thing to do: its sign, its sentence, and the button that leads there."""

    chip: str
    word: str
    sentence: str
    verb: str
    href: str


def list_todos(work: Work, programmes: Mapping[UUID, str]) -> list[Todo]:
    """Return what waits for the caller; ``programmes`` are their names by their ids."""
    held = work.scope.permissions
    todos: list[Todo] = []
    if "coupons:read" in held:
        todos += _print_runs(work, programmes, held)
    if "gifts:read" in held:
        todos += _gifts(work, held)
    if "shops:write" in held:
        todos += _shop_lists(work)
    return todos


def _print_runs(work: Work, programmes: Mapping[UUID, str], held: frozenset[str]) -> Iterator[Todo]:
    for found in coupons.list_attention(work):
        kind = KINDS[found.kind]
        if not kind.hands & held:
            continue
        yield Todo(
            chip=kind.chip,
            word=kind.word,
            sentence=say_in_words(
                kind.sentence,
                programme=programmes.get(found.programme_id, ""),
                n=found.quantity,
                since=found.since,
            ),
            verb=kind.verb,
            href=url_for("desk_batches.show", batch_id=found.batch_id),
        )


def _gifts(work: Work, held: frozenset[str]) -> Iterator[Todo]:
    """Ask for orders to be approved, by somebody else, and for letters that did not arrive."""
    if "gifts:approve" in held:
        waiting = gifts.list_orders(work, states=("submitted",), limit=GIFT_ORDERS_SHOWN).items
        for order in waiting:
            if order.submitted_by != work.scope.actor.id:
                yield Todo(
                    chip="warn",
                    word=mark("To approve"),
                    sentence=say_in_words(
                        ORDER_WAITS,
                        title=order.draft.title,
                        n=order.quantity,
                        total_minor=order.total_minor,
                        unit=order.unit,
                    ),
                    verb=mark("Look at it"),
                    href=url_for("desk_gifts.one", order_id=order.id),
                )
    if "gifts:support" in held:
        for each in gifts.list_undelivered(work, limit=GIFT_ORDERS_SHOWN):
            yield Todo(
                chip="ng",
                word=mark("Not delivered"),
                sentence=say_in_words(UNDELIVERED, title=each.title, n=each.count),
                verb=mark("Put it right"),
                href=url_for("desk_gifts.one", order_id=each.order_id, show="undelivered"),
            )


def _shop_lists(work: Work) -> Iterator[Todo]:
    """Ask for the newest list of shops to be put right; a good one settles the matter."""
    for newest in shops.list_imports(work, limit=1):
        is_open = newest.fault_count and not newest.is_partial
        if is_open and work.at - newest.created_at < LIST_LIFE:
            yield Todo(
                chip="warn",
                word=mark("Errors"),
                sentence=say_in_words(LIST_FAULTY, n=newest.fault_count),
                verb=mark("Put it right"),
                href=url_for("desk_shop_imports.one", import_id=newest.id),
            )
