"""Where coupons can be spent: the shops that accept them now, in pages.

Hides: which terms a programme sets its shops.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from uuid import UUID

from giftpad import programmes, shops
from giftpad.kernel.work import Work

PAGE = 30
PROGRAMMES_MAX = 100


def list_places(
    work: Work,
    wanted: Iterable[programmes.Programme],
    *,
    text: str,
    area: str,
    after: UUID | None,
) -> shops.ShopPage:
    """Return shops that accept coupons of one of these programmes now, or of any without one.

    It is one statement, however few shops fit: anybody may ask for this page.
    """
    terms = [shops.Acceptance(groups=each.groups, areas=each.areas) for each in wanted]
    return shops.list_accepting(work, terms, text=text, area=area, after=after, limit=PAGE)


def list_running(work: Work, today: date) -> list[programmes.Programme]:
    """Return the programmes of a tenant that run on a day, oldest first."""
    found: list[programmes.Programme] = []
    after = None
    while len(found) < PROGRAMMES_MAX:
        page = programmes.list_programmes(work, after, limit=programmes.PAGE_MAX)
        found += [each for each in page.items if each.starts_on <= today <= each.ends_on]
        after = page.next_after
        if after is None:
            break
    return found[:PROGRAMMES_MAX]


def areas_of(running: Iterable[programmes.Programme]) -> list[str]:
    """Return the areas that programmes name, each once, in their order."""
    return list(dict.fromkeys(area for each in running for area in each.areas))
