"""What a presented code opens: for a shop that takes it, for the one who holds it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from psycopg.rows import TupleRow

from giftpad import guard, tenancy
from giftpad.kernel import codes
from giftpad.kernel.arrays import IntegerArray, UuidArray
from giftpad.kernel.clock import local_date
from giftpad.kernel.convoy import Convoy
from giftpad.kernel.db import database
from giftpad.kernel.work import Scope, Work, unit_of_work
from giftpad.payments.errors import InstrumentNotFound, OtherShop
from giftpad.payments.queries.instruments import find_alias
from giftpad.payments.rules import InstrumentView, Looked, hash_typed, pepper, qr_key

_LOOK_UP = (
    "SELECT reason, locator, programme_id, unit, ceiling_minor, balance_minor, starts_at, ends_at,"
    " account_id FROM payments_look_up(%(tenant)s, %(locator)s, %(code_hashes)s::bytea[], %(shop)s)"
)
_LOOK_UP_MANY = (
    "SELECT reason, locator, programme_id, unit, ceiling_minor, balance_minor, starts_at, ends_at,"
    " account_id FROM payments_look_up_many(%(tenant)s, %(locators)s, %(shops)s)"
)
_ANY_ADDRESS = "HTTP://X/Q/"
"""Stands before a tail that came without its address, so that it can be taken apart."""


@dataclass(frozen=True, slots=True)
class Opened:
    """What a presented code may open: a proven locator, or the hashes a typed code may have."""

    locator: int | None
    code_hashes: list[bytes]


def find_opened(scope: Scope, code: str) -> Opened:
    """Take a presented code apart without a query: forged and foreign ones end here.

    A slip of the keyboard shows by the check symbol and is not counted as a guess.
    Raises: InstrumentNotFound, TooManyFailures.
    """
    qr = codes.parse_qr(code)
    return _take_apart(scope, code, qr, has_address=True, guess_key=_guesser(scope))


def _guesser(scope: Scope) -> str:
    return scope.actor.client_id or scope.actor.id


def _take_apart(
    scope: Scope, code: str, qr: codes.QrText | None, *, has_address: bool, guess_key: str
) -> Opened:
    guard.check_failures(guess_key)
    if qr is not None:
        tenant = tenancy.get_tenant(scope.tenant_id)
        if qr.tag == tenant.tag and _is_ours(tenant, qr, has_address=has_address):
            return Opened(qr.locator, [])
        guard.count_failure(guess_key)
        raise InstrumentNotFound
    symbols = codes.parse_typed(code)
    if symbols is None:
        raise InstrumentNotFound
    return Opened(None, _typed_hashes(scope.tenant_id, symbols))


def _typed_hashes(tenant_id: UUID, symbols: str) -> list[bytes]:
    rings = tenancy.list_ring_keys(tenant_id)
    return [hash_typed(pepper(ring.key), tenant_id, symbols) for ring in rings]


def _is_ours(tenant: tenancy.Tenant, qr: codes.QrText, *, has_address: bool) -> bool:
    ring = tenancy.find_ring_key(tenant.id, qr.kid)
    return (
        ring is not None
        and codes.is_genuine(qr, qr_key(ring.key))
        and (not has_address or tenancy.is_printed_address(qr.address))
    )


def _parse_presented(text: str) -> tuple[codes.QrText | None, bool]:
    """Take a QR text apart, or the tail of one; and whether it came with its address."""
    if len(text) == codes.QR_TAIL_LENGTH:
        return codes.parse_qr(_ANY_ADDRESS + text), False
    return codes.parse_qr(text), True


def find_qr_tenant(text: str) -> tenancy.Tenant | None:
    """Return whose genuine QR this is, by its whole text or by what follows ``/Q/`` in it.

    A forged one costs no query, beyond those by which tenancy keeps its caches fresh.
    """
    qr, has_address = _parse_presented(text)
    tenant = None if qr is None else tenancy.find_tenant_by_tag(qr.tag)
    if qr is None or tenant is None:
        return None
    return tenant if _is_ours(tenant, qr, has_address=has_address) else None


def find_instrument(scope: Scope, code: str, *, guess_key: str) -> InstrumentView:
    """Return what a code opens, for the one who holds it: a QR's text, its tail, or a typed code.

    Guesses are counted under ``guess_key`` and nobody is told of a wrong code what was wrong.
    Raises: InstrumentNotFound, TooManyFailures.
    """
    qr, has_address = _parse_presented(code)
    opened = _take_apart(scope, code, qr, has_address=has_address, guess_key=guess_key)
    with unit_of_work(scope) as work:
        found = find_alias(work, opened.locator, opened.code_hashes)
    if found is None:
        guard.count_failure(guess_key)
        raise InstrumentNotFound
    return found


def find_locator(work: Work, code: str) -> int | None:
    """Return the locator of what a code opens, for those who may see every instrument anyway.

    Guesses are not counted here; who may ask is the edge's matter.
    """
    qr, has_address = _parse_presented(code)
    if qr is not None:
        tenant = tenancy.get_tenant(work.tenant_id)
        is_ours = qr.tag == tenant.tag and _is_ours(tenant, qr, has_address=has_address)
        return qr.locator if is_ours else None
    symbols = codes.parse_typed(code)
    if symbols is None:
        return None
    found = find_alias(work, None, _typed_hashes(work.tenant_id, symbols))
    return None if found is None else found.locator


def last_day(ends_at: datetime | None, zone: str) -> str | None:
    """Return the last valid date of what ends at an instant, in ISO form."""
    if ends_at is None:
        return None
    return local_date(ends_at - timedelta(microseconds=1), zone).isoformat()


def look_up(scope: Scope, code: str, shop_id: UUID) -> Looked:
    """Tell a shop what a code opens and whether it may be spent there now, in one round trip.

    Raises: InstrumentNotFound, OtherShop, TooManyFailures.
    """
    _raise_if_other_shop(scope, shop_id)
    row = _ask(scope, find_opened(scope, code), shop_id)
    if row[0] == InstrumentNotFound.code:
        guard.count_failure(_guesser(scope))
        raise InstrumentNotFound
    return _looked(row)


def look_up_again(scope: Scope, locator: int, shop_id: UUID) -> Looked:
    """Tell a shop the same of a locator that a look-up has proven, in one round trip.

    Raises: InstrumentNotFound, OtherShop.
    """
    _raise_if_other_shop(scope, shop_id)
    row = _ask(scope, Opened(locator, []), shop_id)
    if row[0] == InstrumentNotFound.code:
        raise InstrumentNotFound
    return _looked(row)


def _raise_if_other_shop(scope: Scope, shop_id: UUID) -> None:
    if scope.actor.shop_id is not None and scope.actor.shop_id != shop_id:
        raise OtherShop


def _ask(scope: Scope, opened: Opened, shop_id: UUID) -> TupleRow:
    if opened.locator is None:
        return _ask_alone(scope.tenant_id, opened, shop_id)
    question = _Question(scope.tenant_id, opened.locator, shop_id)
    return CONVOY.call(question, group=question.tenant_id)


def _ask_alone(tenant_id: UUID, opened: Opened, shop_id: UUID) -> TupleRow:
    return database().hot_call(
        _LOOK_UP,
        {
            "tenant": tenant_id,
            "locator": opened.locator,
            "code_hashes": opened.code_hashes,
            "shop": shop_id,
        },
    )


class _Question(NamedTuple):
    """What one shop asks of one locator."""

    tenant_id: UUID
    locator: int
    shop_id: UUID


def _ask_many(questions: Sequence[_Question]) -> Sequence[TupleRow]:
    """Ask what shops of one tenant want to know in one call; who is alone asks as always."""
    first = questions[0]
    if len(questions) == 1:
        return [_ask_alone(first.tenant_id, Opened(first.locator, []), first.shop_id)]
    return database().hot_calls(
        _LOOK_UP_MANY,
        {
            "tenant": first.tenant_id,
            "locators": IntegerArray.of(each.locator for each in questions),
            "shops": UuidArray.of(each.shop_id.bytes for each in questions),
        },
    )


CONVOY: Convoy[_Question, TupleRow] = Convoy(_ask_many)
"""Look-ups of one tenant that wait travel together."""


def _looked(row: TupleRow) -> Looked:
    return Looked(
        reason=row[0],
        locator=row[1],
        programme_id=row[2],
        unit=row[3],
        ceiling_minor=row[4],
        balance_minor=row[5],
        starts_at=row[6],
        ends_at=row[7],
        account_id=row[8],
    )
