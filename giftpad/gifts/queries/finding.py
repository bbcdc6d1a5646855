"""Finding a gift by what somebody says of it, though names and addresses are sealed."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa

from giftpad import tenancy
from giftpad.gifts.models import BalanceRow, ClaimRow, GiftRow
from giftpad.kernel.work import Work
from giftpad.messaging import AddressUnfit, check_mail, check_phone

FOUND_MAX = 50
NUMBER_MAX = 10**9
WORD_LENGTH_MAX = 200


def index_address(work: Work, address: str) -> bytes | None:
    """Return what finds an address again without being readable; None for no address."""
    if not address:
        return None
    return tenancy.index_text(work.tenant_id, f"gift:{address.casefold()}")


def find_gifts(work: Work, order_id: UUID, word: str) -> list[UUID]:
    """Return the gifts of an order that a word names, at most ``FOUND_MAX``.

    It is a number in the list, a reference, the number of a claim or of a kept balance, or a
    whole address; names cannot be looked for, for nothing that is kept gives one away.
    """
    word = word.strip()[:WORD_LENGTH_MAX]
    if not word:
        return []
    claims = sa.select(ClaimRow.gift_id).where(
        ClaimRow.tenant_id == work.tenant_id, ClaimRow.number == word.upper()
    )
    kept = sa.select(BalanceRow.gift_id).where(
        BalanceRow.tenant_id == work.tenant_id, BalanceRow.serial == word.upper()
    )
    fits = [GiftRow.external_id == word, GiftRow.id.in_(claims), GiftRow.id.in_(kept)]
    if word.isascii() and word.isdigit() and int(word) < NUMBER_MAX:
        fits.append(GiftRow.number == int(word))
    fits += [GiftRow.address_index == index_address(work, each) for each in _addresses(word)]
    return list(
        work.session.scalars(
            sa.select(GiftRow.id)
            .where(GiftRow.tenant_id == work.tenant_id, GiftRow.order_id == order_id, sa.or_(*fits))
            .order_by(GiftRow.number)
            .limit(FOUND_MAX)
        )
    )


def _addresses(word: str) -> list[str]:
    found = []
    for check in (check_mail, check_phone):
        try:
            found.append(check(word))
        except AddressUnfit:
            continue
    return found
