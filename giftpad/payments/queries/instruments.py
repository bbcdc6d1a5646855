"""Reading instruments with their terms and balances."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from giftpad.kernel.work import Work
from giftpad.payments.errors import InstrumentNotFound
from giftpad.payments.models import PaymentInstrument
from giftpad.payments.rules import InstrumentView

INSTRUMENTS_MAX = 1000

_SELECT = """
    SELECT i.locator, i.account_id, i.terms_id, t.programme_id, i.state, a.balance_minor,
        t.released_at, t.starts_at, t.ends_at
    FROM payment_instruments i
    JOIN payment_terms t ON t.tenant_id = i.tenant_id AND t.id = i.terms_id
    JOIN ledger_accounts a ON a.tenant_id = i.tenant_id AND a.id = i.account_id
    WHERE i.tenant_id = :tenant AND
"""
_INSTRUMENTS = sa.text(
    _SELECT + "i.locator BETWEEN :first AND :last ORDER BY i.locator LIMIT :most"
)
_BY_CODE = sa.text(_SELECT + "i.code_hash = ANY (CAST(:hashes AS bytea[]))")


def _view(row: Sequence[Any]) -> InstrumentView:
    return InstrumentView(
        locator=row[0],
        account_id=row[1],
        terms_id=row[2],
        programme_id=row[3],
        state=row[4],
        balance_minor=row[5],
        released_at=row[6],
        starts_at=row[7],
        ends_at=row[8],
    )


def get_instruments(work: Work, first_locator: int, last_locator: int) -> list[InstrumentView]:
    """Return the instruments of a range of locators, at most ``INSTRUMENTS_MAX``."""
    values = {
        "tenant": work.tenant_id,
        "first": first_locator,
        "last": last_locator,
        "most": INSTRUMENTS_MAX,
    }
    return [_view(row) for row in work.session.execute(_INSTRUMENTS, values)]


def get_instrument(work: Work, locator: int) -> InstrumentView:
    """Return the instrument of a proven locator.

    Raises: InstrumentNotFound.
    """
    found = get_instruments(work, locator, locator)
    if not found:
        raise InstrumentNotFound
    return found[0]


def find_alias(
    work: Work, locator: int | None, code_hashes: Sequence[bytes]
) -> InstrumentView | None:
    """Return the instrument of a locator, or of one of the hashes that a typed code may have."""
    if locator is not None:
        return next(iter(get_instruments(work, locator, locator)), None)
    values = {"tenant": work.tenant_id, "hashes": list(code_hashes)}
    row = work.session.execute(_BY_CODE, values).one_or_none()
    return None if row is None else _view(row)


def count_instruments(work: Work, first_locator: int, last_locator: int) -> int:
    """Return how many instruments a range of locators holds."""
    return work.session.execute(
        sa.select(sa.func.count()).where(
            PaymentInstrument.tenant_id == work.tenant_id,
            PaymentInstrument.locator.between(first_locator, last_locator),
        )
    ).scalar_one()
