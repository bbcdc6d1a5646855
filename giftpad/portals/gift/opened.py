"""What this browser has of a gift: the letter it has open, what was chosen and typed so far.

Hides: the sealed cookies.  Between the steps nothing lies on the server, so that nobody's address
is kept before they have sent it, and nothing is lost when something goes wrong.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any
from uuid import UUID

from flask import Response

from giftpad import catalog, edge, gifts
from giftpad.kernel.work import Work
from giftpad.portals.http import new_key

DRAFT_COOKIE, DRAFT_LIFE_S = "gp_gift_draft", 24 * 3600
DRAFT_BYTES_MAX = 2900
"""So much fits into a sealed cookie; a full basket for the longest address takes less."""
MINE_COOKIE, MINE_LIFE_S = "gp_gift_mine", 180 * 24 * 3600
MINE_MAX = 20
"""Gifts that one browser remembers to have chosen for."""
MARK_LENGTH = 32
ADDRESS_FIELDS = frozenset(field.name for field in fields(gifts.Address))
TYPED_LENGTH_MAX = 200
"""More is in no field of an address; a browser keeps four kilobytes in all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What somebody has chosen and typed before they send it; ``key`` makes the sending single."""

    gift: str
    key: str
    product_id: str = ""
    variant_id: str = ""
    kind: str = "goods"
    basket: Sequence[Sequence[str]] = ()
    """Of a balance: product, variant and kind of each thing, in the order they were chosen."""
    address: Mapping[str, str] = field(default_factory=dict)

    @property
    def has_choice(self) -> bool:
        """Whether something is chosen."""
        return bool(self.variant_id or self.basket)

    @property
    def goes_as(self) -> str:
        """As what kind of thing it is sent: what is brought to a door decides for the rest."""
        kinds = [each[2] for each in self.basket] or [self.kind]
        return "goods" if "goods" in kinds else kinds[0]

    @property
    def mark(self) -> str:
        """What tells this draft from another: a page that showed one does not send the other."""
        said = json.dumps(asdict(self), sort_keys=True).encode()
        return hashlib.sha256(said).hexdigest()[:MARK_LENGTH]

    def choose(self, product: catalog.ProductView, variant_id: UUID) -> Draft:
        """Return the draft with this choice."""
        return replace(
            self, product_id=str(product.id), variant_id=str(variant_id), kind=product.kind
        )

    def add(self, product: catalog.ProductView, variant_id: UUID) -> Draft:
        """Return the draft with one more thing in the basket."""
        thing = (str(product.id), str(variant_id), product.kind)
        return replace(self, basket=(*self.basket, thing))

    def take_out(self, place: int) -> Draft:
        """Return the draft without the thing at a place of the basket."""
        left = [each for at, each in enumerate(self.basket) if at != place]
        return replace(self, basket=left, key=new_key())

    def drop(self, variant_id: str) -> Draft:
        """Return the draft without a thing that cannot be had, with a key used for nothing."""
        left = [each for each in self.basket if each[1] != variant_id]
        return replace(self, basket=left, key=new_key())

    def unchoose(self) -> Draft:
        """Return the draft without a choice, with a key that has been used for nothing."""
        return replace(self, product_id="", variant_id="", basket=(), key=new_key())

    def send_to(self, address: Mapping[str, str]) -> Draft:
        """Return the draft with this address."""
        return replace(self, address=dict(address))


def locator() -> int:
    """Return which gift is open here; only behind a door that asks for one."""
    found = edge.current_caller().claims.gift_locator
    assert found is not None
    return found


def _opened() -> str:
    """Name the gift that is open here among those of all tenants: each counts from 1."""
    return f"{edge.current_caller().tenant.id.hex}/{locator()}"


def read_letter(work: Work) -> gifts.Letter:
    """Return the letter that is open here.

    Raises: GiftNotFound, LinkChanged.
    """
    gift_id = gifts.find_gift_id(work, locator())
    if gift_id is None:
        if gifts.find_link_change(work, locator()) is not None:
            raise gifts.LinkChanged
        raise gifts.GiftNotFound
    return gifts.get_letter(work, gift_id)


def read_draft() -> Draft:
    """Return what was chosen and typed so far for the gift that is open here."""
    kept = edge.read_sealed_cookie(DRAFT_COOKIE)
    if kept is None or kept.get("gift") != _opened():
        return Draft(gift=_opened(), key=new_key())
    return Draft(**kept)


def keep_draft(response: Response, draft: Draft) -> None:
    """Let the browser keep what was chosen and typed so far, for a day.

    An address that is longer than any can be is not kept.
    """
    written = json.dumps(asdict(draft), ensure_ascii=False, separators=(",", ":"))
    if len(written.encode()) > DRAFT_BYTES_MAX:
        draft = replace(draft, address={})
    edge.set_sealed_cookie(response, DRAFT_COOKIE, asdict(draft), DRAFT_LIFE_S)


def keep_typed(response: Response, sent: Mapping[str, str]) -> None:
    """Keep an address that was sent when the gift was closed already, for when it is open again."""
    kept = edge.read_sealed_cookie(DRAFT_COOKIE)
    if kept is None:
        return
    typed = {name: sent[name][:TYPED_LENGTH_MAX] for name in ADDRESS_FIELDS if name in sent}
    if typed:
        keep_draft(response, Draft(**kept).send_to(typed))


def is_mine() -> bool:
    """Whether the choice for the gift that is open here was made in this browser."""
    return _opened() in _mine()


def _mine() -> list[str]:
    kept: dict[str, Any] = edge.read_sealed_cookie(MINE_COOKIE) or {}
    return [str(each) for each in kept.get("gifts", ())]


def keep_mine(response: Response, *, forgets: bool = True) -> None:
    """Remember that the choice was made here, and forget what was typed for it."""
    mine = [*(each for each in _mine() if each != _opened()), _opened()][-MINE_MAX:]
    edge.set_sealed_cookie(response, MINE_COOKIE, {"gifts": mine}, MINE_LIFE_S)
    if forgets:
        edge.clear_cookie(response, DRAFT_COOKIE)
