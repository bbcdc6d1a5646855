"""The verbs of paying, and of the instruments that one pays with."""

from __future__ import annotations

from uuid import UUID

import psycopg
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from giftpad import audit, events, guard, ledger, tenancy
from giftpad.kernel.clock import local_date
from giftpad.kernel.codes import LOCATOR_MAX
from giftpad.kernel.db import database
from giftpad.kernel.errors import DomainError
from giftpad.kernel.ids import new_id
from giftpad.kernel.work import Scope, Work, rows_changed
from giftpad.payments.errors import (
    REFUSALS,
    OtherShop,
    PaymentNotFound,
    PaymentWrongState,
    RefundAfterExpiry,
    RefundTooMuch,
    VoidTooLate,
)
from giftpad.payments.events import PaymentRefunded, PaymentVoided
from giftpad.payments.models import (
    Payment,
    PaymentInstrument,
    PaymentLocators,
    PaymentReversal,
    PaymentRules,
    PaymentTerms,
)
from giftpad.payments.queries import find_opened, last_day
from giftpad.payments.rules import (
    ISSUE_MAX,
    Alias,
    Drained,
    Given,
    IssueChunk,
    Paid,
    PayOrder,
    Rules,
    Terms,
    state_of,
)

RACES_MAX = 3
INSTRUMENT_CHANGED = "GP001"

_PAY = (
    "SELECT outcome, payment_id, amount_minor, balance_minor, at, shop_id, programme_id, unit,"
    " ceiling_minor, areas, starts_at, ends_at FROM payments_pay(%(tenant)s, %(client)s, %(key)s,"
    " %(hash)s, %(payment)s, %(transfer)s, %(event)s, %(payable)s, %(locator)s,"
    " %(code_hashes)s::bytea[], %(shop)s, %(amount)s, %(actor)s)"
)


def pay(scope: Scope, order: PayOrder) -> Paid:
    """Take ``order.amount_minor`` from what the code opens, for one shop, in one database call.

    Twice with the same key is the same as once.
    Locks: the key's row, then the payer's account, inside ``payments_pay`` (sql/payments_pay.sql).
    Raises: InstrumentNotFound, InstrumentBlocked, InstrumentReplaced, InstrumentExpired,
        InstrumentNotActive, WrongProgramme, NotAcceptedHere, OverCeiling, InsufficientBalance,
        UnknownShop, OtherShop, KeyReused, StillRunning, TooManyFailures.
    Publishes: payment.captured_v1, written by the same call.
    """
    actor = scope.actor
    if actor.shop_id is not None and actor.shop_id != order.shop_id:
        raise OtherShop
    opened = find_opened(scope, order.code)
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
    row = _call_pay(values)
    outcome = row[0]
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


def _call_pay(values: dict[str, object]) -> psycopg.rows.TupleRow:
    for _ in range(RACES_MAX):
        try:
            return database().hot_call(_PAY, values)
        except psycopg.errors.LockNotAvailable as error:
            raise guard.StillRunning from error
        except psycopg.Error as error:
            # Blocked or replaced between the judgement and the lock: judge again, and refuse.
            if error.sqlstate != INSTRUMENT_CHANGED:
                raise
    raise guard.StillRunning


def _refusal(scope: Scope, row: psycopg.rows.TupleRow) -> DomainError:
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


def _lock_payment(work: Work, payment_id: UUID) -> Payment:
    payment = work.session.execute(
        sa.select(Payment)
        .where(Payment.tenant_id == work.tenant_id, Payment.id == payment_id)
        .with_for_update(key_share=True)
    ).scalar_one_or_none()
    shop_id = work.scope.actor.shop_id
    if payment is None or (shop_id is not None and payment.shop_id != shop_id):
        raise PaymentNotFound
    return payment


def void(work: Work, payment_id: UUID, *, reason: str = "") -> Given:
    """Undo a payment of today whole; the value is back on what it was paid with.

    Locks: the payment, then the two accounts.
    Raises: PaymentNotFound, PaymentWrongState, VoidTooLate.
    Publishes: payment.voided_v1.
    """
    payment = _lock_payment(work, payment_id)
    state = state_of(payment.amount_minor, payment.refunded_minor, payment.voided_at)
    if state != "captured":
        raise PaymentWrongState(state=state)
    zone = tenancy.get_tenant(work.tenant_id).zone
    if local_date(payment.at, zone) != local_date(work.at, zone):
        raise VoidTooLate
    payment.voided_at = work.at
    return _give_back(work, payment, payment.amount_minor, kind="void", reason=reason)


def refund(work: Work, payment_id: UUID, amount_minor: int | None, *, reason: str = "") -> Given:
    """Give back a part of a payment, or with None all that is left of it.

    Locks: the payment, then the two accounts.
    Raises: PaymentNotFound, PaymentWrongState, RefundTooMuch, RefundAfterExpiry.
    Publishes: payment.refunded_v1.
    """
    payment = _lock_payment(work, payment_id)
    state = state_of(payment.amount_minor, payment.refunded_minor, payment.voided_at)
    if state in ("voided", "refunded"):
        raise PaymentWrongState(state=state)
    left = payment.amount_minor - payment.refunded_minor
    amount = left if amount_minor is None else amount_minor
    if not 0 < amount <= left:
        raise RefundTooMuch(refundable_minor=left, unit=payment.unit)
    ends_at = work.session.execute(
        sa.select(PaymentTerms.ends_at)
        .join(
            PaymentInstrument,
            (PaymentInstrument.tenant_id == PaymentTerms.tenant_id)
            & (PaymentInstrument.terms_id == PaymentTerms.id),
        )
        .where(
            PaymentInstrument.tenant_id == work.tenant_id,
            PaymentInstrument.locator == payment.locator,
        )
    ).scalar_one()
    if work.at >= ends_at:
        zone = tenancy.get_tenant(work.tenant_id).zone
        raise RefundAfterExpiry(last_day=last_day(ends_at, zone))
    payment.refunded_minor += amount
    return _give_back(work, payment, amount, kind="refund", reason=reason)


def _give_back(work: Work, payment: Payment, amount: int, *, kind: str, reason: str) -> Given:
    payable = ledger.find_account(work, payment.programme_id, "shop_payable", payment.shop_id)
    assert payable is not None
    order = ledger.Transfer(
        id=new_id(),
        entry_id=payment.id,
        kind=kind,
        debit_id=payable,
        credit_id=payment.account_id,
        amount_minor=amount,
        reverses_id=payment.transfer_id,
    )
    balance = ledger.transfer(work, order).credit_after_minor
    assert balance is not None
    reversal_id = new_id()
    actor = work.scope.actor
    work.session.add(
        PaymentReversal(
            tenant_id=work.tenant_id,
            payment_id=payment.id,
            id=reversal_id,
            kind=kind,
            amount_minor=amount,
            balance_after_minor=balance,
            transfer_id=order.id,
            reason=reason,
            actor=f"{actor.kind}:{actor.id}",
            at=work.at,
        )
    )
    event = PaymentVoided if kind == "void" else PaymentRefunded
    events.publish(
        work,
        event(
            object_id=payment.id,
            reversal_id=reversal_id,
            account_id=payment.account_id,
            programme_id=payment.programme_id,
            shop_id=payment.shop_id,
            unit=payment.unit,
            amount_minor=amount,
            balance_minor=balance,
            transfer_id=order.id,
            at=work.at,
        ),
    )
    audit.record(
        work,
        action=f"payment.{kind}",
        subject=f"payment:{payment.id}",
        details={"amount_minor": amount, "reason": reason},
    )
    return Given(
        id=reversal_id,
        payment_id=payment.id,
        kind=kind,
        state=state_of(payment.amount_minor, payment.refunded_minor, payment.voided_at),
        amount_minor=amount,
        balance_minor=balance,
        refunded_minor=payment.refunded_minor,
        unit=payment.unit,
        at=work.at,
    )


def set_rules(work: Work, rules: Rules) -> None:
    """Set what payments of one programme are judged by from this transaction on."""
    values = {
        "unit": rules.unit,
        "ceiling_minor": rules.ceiling_minor,
        "groups": list(rules.groups),
        "areas": list(rules.areas),
    }
    work.session.execute(
        insert(PaymentRules)
        .values(tenant_id=work.tenant_id, programme_id=rules.programme_id, **values)
        .on_conflict_do_update(index_elements=["tenant_id", "programme_id"], set_=values)
    )


def open_terms(work: Work, terms: Terms) -> None:
    """Write down what instruments made together share; nothing is spendable until release."""
    work.session.execute(
        insert(PaymentTerms).values(
            tenant_id=work.tenant_id,
            id=terms.id,
            programme_id=terms.programme_id,
            kind=terms.kind,
            starts_at=terms.starts_at,
            ends_at=terms.ends_at,
        )
    )


def release_terms(work: Work, terms_id: UUID) -> bool:
    """Make all instruments of these terms spendable; False if they were already."""
    result = work.session.execute(
        sa.update(PaymentTerms)
        .where(
            PaymentTerms.tenant_id == work.tenant_id,
            PaymentTerms.id == terms_id,
            PaymentTerms.released_at.is_(None),
        )
        .values(released_at=work.at)
    )
    return rows_changed(result) == 1


def take_locators(work: Work, count: int) -> int:
    """Take ``count`` locators that nobody else will get, and return the first.

    Locks: the tenant's counter.
    """
    assert count > 0
    taken = (
        insert(PaymentLocators)
        .values(tenant_id=work.tenant_id, next_locator=1 + count)
        .on_conflict_do_update(
            index_elements=["tenant_id"],
            set_={"next_locator": PaymentLocators.next_locator + count},
        )
        .returning(PaymentLocators.next_locator)
    )
    end = work.session.execute(taken).scalar_one()
    assert end <= LOCATOR_MAX
    return end - count


def issue_instruments(work: Work, chunk: IssueChunk) -> int:
    """Issue up to ``ISSUE_MAX`` instruments with their accounts and their issue transfers.

    Rows go by COPY into a staging table of the transaction: COPY does not work under row-level
    security, and an INSERT … SELECT does.
    """
    session = work.session
    session.execute(
        sa.text(
            "CREATE TEMPORARY TABLE ledger_staging (locator bigint, code_hash bytea,"
            " account_id uuid, transfer_id uuid, amount_minor bigint) ON COMMIT DROP"
        )
    )
    session.execute(sa.text("GRANT SELECT ON pg_temp.ledger_staging TO giftpad_ledger"))
    connection = session.connection().connection.driver_connection
    assert connection is not None
    count = 0
    columns = "locator, code_hash, account_id, transfer_id, amount_minor"
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY ledger_staging ({columns}) FROM STDIN (FORMAT BINARY)") as copy,
    ):
        copy.set_types(["int8", "bytea", "uuid", "uuid", "int8"])
        for locator, code_hash in chunk.rows:
            copy.write_row((locator, code_hash, new_id(), new_id(), chunk.amount_minor))
            count += 1
    assert count <= ISSUE_MAX
    issued = ledger.issue_staged(
        work,
        ledger.Staged(
            entry_id=chunk.entry_id,
            kind="issue",
            account_kind="coupon",
            other_id=chunk.source_id,
        ),
    )
    assert issued == ledger.Drained(count=count, total_minor=count * chunk.amount_minor)
    session.execute(
        sa.text(
            "INSERT INTO payment_instruments (tenant_id, locator, code_hash, account_id, terms_id,"
            " state) SELECT :tenant, locator, code_hash, account_id, :terms, 'live'"
            " FROM pg_temp.ledger_staging"
        ),
        {"tenant": work.tenant_id, "terms": chunk.terms_id},
    )
    session.execute(sa.text("DROP TABLE pg_temp.ledger_staging"))
    return count


_LOCK_RANGE = sa.text("""
    SELECT count(ledger_lock_account(:tenant, account_id)) FROM (
        SELECT account_id FROM payment_instruments
        WHERE tenant_id = :tenant AND locator BETWEEN :first AND :last ORDER BY account_id
    ) accounts
""")


def _turn(work: Work, first: int, last: int, *, old: str, new: str) -> int:
    result = work.session.execute(
        sa.update(PaymentInstrument)
        .where(
            PaymentInstrument.tenant_id == work.tenant_id,
            PaymentInstrument.locator.between(first, last),
            PaymentInstrument.state == old,
        )
        .values(state=new)
        .execution_options(synchronize_session=False)
    )
    return rows_changed(result)


def block_instruments(work: Work, first_locator: int, last_locator: int) -> int:
    """Stop the live instruments of a range of locators; return how many were stopped.

    When the transaction has committed, no payment with them can commit any more.
    Locks: their accounts, in the order of their ids, then the instruments.
    """
    values = {"tenant": work.tenant_id, "first": first_locator, "last": last_locator}
    work.session.execute(_LOCK_RANGE, values)
    return _turn(work, first_locator, last_locator, old="live", new="blocked")


def unblock_instruments(work: Work, first_locator: int, last_locator: int) -> int:
    """Let the blocked instruments of a range of locators be used again; return how many."""
    return _turn(work, first_locator, last_locator, old="blocked", new="live")


def replace_instrument(work: Work, old_locator: int, alias: Alias) -> None:
    """Put a new alias on the account of an old one; the old one is dead when this commits.

    Locks: the account, then the instrument.
    """
    account_id = work.session.execute(
        sa.select(PaymentInstrument.account_id).where(
            PaymentInstrument.tenant_id == work.tenant_id,
            PaymentInstrument.locator == old_locator,
        )
    ).scalar_one()
    ledger.lock_account(work, account_id)
    result = work.session.execute(
        sa.update(PaymentInstrument)
        .where(
            PaymentInstrument.tenant_id == work.tenant_id,
            PaymentInstrument.locator == old_locator,
            PaymentInstrument.state != "replaced",
        )
        .values(state="replaced")
        .execution_options(synchronize_session=False)
    )
    assert rows_changed(result) == 1, "the caller holds the coupon and has checked its state"
    work.session.execute(
        insert(PaymentInstrument).values(
            tenant_id=work.tenant_id,
            locator=alias.locator,
            code_hash=alias.code_hash,
            account_id=account_id,
            terms_id=alias.terms_id,
            state="live",
        )
    )


_DRAINABLE = sa.text("""
    SELECT i.locator, i.account_id, a.balance_minor
    FROM payment_instruments i
    JOIN ledger_accounts a ON a.tenant_id = i.tenant_id AND a.id = i.account_id
    WHERE i.tenant_id = :tenant AND i.locator > :after AND i.locator <= :last
        AND i.terms_id = :terms AND i.state <> 'replaced'
    ORDER BY i.locator LIMIT :most
""")


def drain_terms(
    work: Work, terms_id: UUID, after_locator: int, *, last_locator: int, limit: int
) -> Drained:
    """Book what ended instruments still hold as breakage, for up to ``limit`` of them in a range.

    Repeating it moves nothing twice: an emptied account has nothing to move.
    Locks: the accounts, in the order of their ids.
    """
    terms = work.session.execute(
        sa.select(PaymentTerms).where(
            PaymentTerms.tenant_id == work.tenant_id, PaymentTerms.id == terms_id
        )
    ).scalar_one()
    assert terms.ends_at <= work.at
    session = work.session
    values = {
        "tenant": work.tenant_id,
        "terms": terms_id,
        "after": after_locator,
        "last": last_locator,
        "most": limit,
    }
    rows = session.execute(_DRAINABLE, values).all()
    if not rows:
        return Drained(last_locator=None, count=0, total_minor=0)
    session.execute(
        sa.text(
            "CREATE TEMPORARY TABLE ledger_staging (account_id uuid, transfer_id uuid)"
            " ON COMMIT DROP"
        )
    )
    session.execute(sa.text("GRANT SELECT ON pg_temp.ledger_staging TO giftpad_ledger"))
    held = [row for row in rows if row[2] > 0]
    if held:
        session.execute(
            sa.text("INSERT INTO pg_temp.ledger_staging VALUES (:account, :transfer)"),
            [{"account": row[1], "transfer": new_id()} for row in held],
        )
    breakage = ledger.find_account(work, terms.programme_id, "breakage", terms.programme_id)
    assert breakage is not None
    drained = ledger.drain_staged(
        work,
        ledger.Staged(entry_id=new_id(), kind="expire", account_kind="coupon", other_id=breakage),
    )
    session.execute(sa.text("DROP TABLE pg_temp.ledger_staging"))
    return Drained(last_locator=rows[-1][0], count=drained.count, total_minor=drained.total_minor)
