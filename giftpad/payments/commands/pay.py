"""Paying: one call of one database function, alone or together with those who wait."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, LiteralString
from uuid import UUID

import psycopg
from psycopg.rows import TupleRow

from giftpad import guard, tenancy
from giftpad.kernel import metrics
from giftpad.kernel.arrays import BytesArray, IntegerArray, TextArray, UuidArray
from giftpad.kernel.convoy import Convoy
from giftpad.kernel.db import Busy, database
from giftpad.kernel.errors import DomainError
from giftpad.kernel.ids import new_id
from giftpad.kernel.work import Scope
from giftpad.payments.errors import REFUSALS, OtherShop
from giftpad.payments.queries import last_day
from giftpad.payments.queries.opening import Opened, find_opened
from giftpad.payments.rules import Paid, PayOrder

RACES_MAX = 3
INSTRUMENT_CHANGED = "GP001"
COUNTED_AS = {"paid": "captured", "replayed": "repeated"}
"""What an outcome is called in the metrics, where that is not its own name."""

_ANSWER: LiteralString = (
    "SELECT outcome, payment_id, amount_minor, balance_minor, at, shop_id, programme_id, unit,"
    " ceiling_minor, areas, starts_at, ends_at"
)
_PAY = (
    f"{_ANSWER} FROM payments_pay(%(tenant)s, %(client)s, %(key)s,"
    " %(hash)s, %(payment)s, %(transfer)s, %(event)s, %(payable)s, %(locator)s,"
    " %(code_hashes)s::bytea[], %(shop)s, %(amount)s, %(actor)s)"
)


_PAY_MANY = (
    f"{_ANSWER} FROM payments_pay_many(%(tenant)s, %(clients)s,"
    " %(keys)s, %(hashes)s, %(payments)s, %(transfers)s, %(events)s, %(payables)s, %(locators)s,"
    " %(shops)s, %(amounts)s, %(actors)s)"
)
Values = dict[str, Any]


def pay(scope: Scope, order: PayOrder) -> Paid:
    """Take ``order.amount_minor`` from what the order names, for one shop, in one database call.

    Twice with the same key is the same as once.
    Locks: the key's row, then the payer's account, inside ``payments_pay`` (sql/payments_pay.sql).
    Raises: InstrumentNotFound, InstrumentBlocked, InstrumentReplaced, InstrumentExpired,
        InstrumentNotActive, WrongProgramme, NotAcceptedHere, OverCeiling, InsufficientBalance,
        UnknownShop, ShopSuspended, OtherShop, KeyReused, StillRunning, TooManyFailures.
    Publishes: payment.captured_v1, written by the same call.
    """
    actor = scope.actor
    if actor.shop_id is not None and actor.shop_id != order.shop_id:
        raise OtherShop
    assert bool(order.code) is (order.locator is None), "a code or a locator, and not both"
    opened = (
        Opened(order.locator, []) if order.locator is not None else find_opened(scope, order.code)
    )
    values = {
        "tenant": scope.tenant_id,
        "client": actor.client_id or actor.id,
        "key": order.key,
        "hash": order.request_hash,
        "payment": new_id(),
        "transfer": new_id(),
        "event": new_id(),
        "payable": new_id(),
        "locator": opened.locator,
        "code_hashes": opened.code_hashes,
        "shop": order.shop_id,
        "amount": order.amount_minor,
        "actor": f"{actor.kind}:{actor.id}",
    }
    row = _pay_with_others(values) if opened.locator is not None else _call_pay(values)
    outcome = row[0]
    metrics.note_payment(COUNTED_AS.get(outcome, str(outcome)))
    if outcome in ("paid", "replayed"):
        return Paid(
            id=row[1],
            amount_minor=row[2],
            balance_minor=row[3],
            at=row[4],
            shop_id=row[5],
            programme_id=row[6],
            unit=row[7],
        )
    raise _refusal(scope, row)


class _NotTogetherError(Exception):
    """One of several payments stood in the way of the others; each may go alone."""


def _pay_with_others(values: Values) -> TupleRow:
    try:
        return CONVOY.call(values, group=values["tenant"])
    except _NotTogetherError:
        return _call_pay(values)  # its key makes that safe


def _pay_many(orders: Sequence[Values]) -> Sequence[TupleRow]:
    """Make payments of one tenant in one transaction, be it only one.

    Who waits long for a lock does so alone, where nobody else waits for it.
    Locks: key and account of each, in the order of the coupons' locators, as every convoy has it.
    Raises: _NotTogetherError, DatabaseAway, Busy.
    """
    try:
        return _call_pay_many(orders)
    except psycopg.Error as error:
        raise _NotTogetherError from error


def _call_pay_many(orders: Sequence[Values]) -> Sequence[TupleRow]:
    def order_of(place: int) -> tuple[int, UUID]:
        return orders[place]["locator"], orders[place]["payment"]

    places = sorted(range(len(orders)), key=order_of)
    ordered = [orders[place] for place in places]

    def ids(name: str) -> UuidArray:
        each: list[UUID] = [order[name] for order in ordered]
        return UuidArray.of(value.bytes for value in each)

    rows = database().hot_calls(
        _PAY_MANY,
        {
            "tenant": ordered[0]["tenant"],
            "clients": TextArray.of(order["client"] for order in ordered),
            "keys": TextArray.of(order["key"] for order in ordered),
            "hashes": BytesArray.of(order["hash"] for order in ordered),
            "payments": ids("payment"),
            "transfers": ids("transfer"),
            "events": ids("event"),
            "payables": ids("payable"),
            "locators": IntegerArray.of(order["locator"] for order in ordered),
            "shops": ids("shop"),
            "amounts": IntegerArray.of(order["amount"] for order in ordered),
            "actors": TextArray.of(order["actor"] for order in ordered),
        },
    )
    by_place = dict(zip(places, rows, strict=True))
    return [by_place[place] for place in range(len(orders))]


CONVOY: Convoy[Values, TupleRow] = Convoy(_pay_many)
"""Payments of one tenant that wait travel together; a typed code has no place in their order."""


def _call_pay(values: Values) -> TupleRow:
    for _ in range(RACES_MAX):
        try:
            return database().hot_call(_PAY, values)
        except psycopg.errors.LockNotAvailable as error:
            # Only the key's own row tells of a first request; else the account is held by another.
            if "guard_keys" in (error.diag.context or ""):
                raise guard.StillRunning from error
            raise Busy from error
        except psycopg.errors.DeadlockDetected as error:
            raise Busy from error
        except psycopg.Error as error:
            # Blocked or replaced between the judgement and the lock: judge again, and refuse.
            if error.sqlstate != INSTRUMENT_CHANGED:
                raise
    raise guard.StillRunning


def _refusal(scope: Scope, row: TupleRow) -> DomainError:
    outcome: str = row[0]
    if outcome == guard.KeyReused.code:
        return guard.KeyReused()
    if outcome == "instrument.not_found":
        guard.count_failure(scope.actor.client_id or scope.actor.id)
        return REFUSALS[outcome]()
    zone = tenancy.get_tenant(scope.tenant_id).zone
    facts = {
        "balance_minor": row[3],
        "unit": row[7],
        "ceiling_minor": row[8],
        "areas": row[9] or [],
        "last_day": last_day(row[11], zone),
    }
    return REFUSALS[outcome](**{name: value for name, value in facts.items() if value is not None})
