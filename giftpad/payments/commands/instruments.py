"""Instruments: issued under common terms, stopped, replaced, and emptied when they end."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from giftpad import ledger
from giftpad.kernel.arrays import HashArray, IntegerArray, UuidArray
from giftpad.kernel.codes import LOCATOR_MAX
from giftpad.kernel.ids import new_id, new_ids_packed
from giftpad.kernel.work import Work, rows_changed
from giftpad.payments.models import (
    PaymentInstrument,
    PaymentLocators,
    PaymentRules,
    PaymentTerms,
)
from giftpad.payments.rules import (
    CODE_HASH_LENGTH,
    ISSUE_MAX,
    ISSUE_PIECE,
    Alias,
    Drained,
    IssueChunk,
    Rules,
    Terms,
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


_ADD_INSTRUMENTS = sa.text("""
    INSERT INTO payment_instruments (tenant_id, locator, code_hash, account_id, terms_id, state)
    SELECT :tenant, n.locator, n.code_hash, n.account_id, :terms, 'live'
    FROM unnest(CAST(:locators AS bigint[]), CAST(:hashes AS bytea[]), CAST(:accounts AS uuid[]))
        AS n (locator, code_hash, account_id)
""")


@dataclass(frozen=True, slots=True)
class _Piece:
    """A part of a chunk, as its two statements carry it."""

    account_ids: UuidArray
    transfer_ids: UuidArray
    locators: IntegerArray
    code_hashes: HashArray

    @classmethod
    def next_of(cls, locators: Sequence[int], code_hashes: Iterator[bytes]) -> _Piece:
        count = len(locators)
        piece = cls(
            UuidArray.of(new_ids_packed(count)),
            UuidArray.of(new_ids_packed(count)),
            IntegerArray.of(locators),
            HashArray.of(islice(code_hashes, count), width=CODE_HASH_LENGTH),
        )
        assert piece.code_hashes.count == count
        return piece


def _pieces(chunk: IssueChunk) -> Generator[_Piece, None, None]:
    """Work out each piece while the one before is being written, on a thread of its own."""
    code_hashes = iter(chunk.code_hashes)
    end = chunk.locator_first + chunk.count
    parts = [
        range(first, min(first + ISSUE_PIECE, end))
        for first in range(chunk.locator_first, end, ISSUE_PIECE)
    ]
    with ThreadPoolExecutor(max_workers=1) as beside:
        coming = beside.submit(_Piece.next_of, parts[0], code_hashes)
        for part in parts[1:]:
            piece = coming.result()
            coming = beside.submit(_Piece.next_of, part, code_hashes)
            yield piece
        yield coming.result()


def issue_instruments(work: Work, chunk: IssueChunk) -> None:
    """Issue up to ``ISSUE_MAX`` instruments with their accounts and their issue transfers.

    Rows travel as arrays, since COPY does not work under row-level security (ADR 0012).  Codes
    are hashed while the database writes: to this process that is waiting, and it is longer.
    """
    assert 0 < chunk.count <= ISSUE_MAX
    with closing(_pieces(chunk)) as pieces:
        for piece in pieces:
            _issue_piece(work, chunk, piece)


def _issue_piece(work: Work, chunk: IssueChunk, piece: _Piece) -> None:
    bulk = ledger.Bulk(
        entry_id=chunk.entry_id,
        kind="issue",
        other_id=chunk.source_id,
        account_ids=piece.account_ids,
        transfer_ids=piece.transfer_ids,
    )
    ledger.issue_many(work, bulk, account_kind="coupon", amount_minor=chunk.amount_minor)
    values = {
        "tenant": work.tenant_id,
        "terms": chunk.terms_id,
        "locators": piece.locators,
        "hashes": piece.code_hashes,
        "accounts": piece.account_ids,
    }
    result = work.session.execute(_ADD_INSTRUMENTS, values)
    assert rows_changed(result) == piece.locators.count


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
    values = {
        "tenant": work.tenant_id,
        "terms": terms_id,
        "after": after_locator,
        "last": last_locator,
        "most": limit,
    }
    rows = work.session.execute(_DRAINABLE, values).all()
    if not rows:
        return Drained(last_locator=None, count=0, total_minor=0)
    held = [row[1] for row in rows if row[2] > 0]
    breakage = ledger.find_account(work, terms.programme_id, "breakage", terms.programme_id)
    assert breakage is not None
    drained = ledger.drain_many(
        work,
        ledger.Bulk(
            entry_id=new_id(),
            kind="expire",
            other_id=breakage,
            account_ids=UuidArray.of(account_id.bytes for account_id in held),
            transfer_ids=UuidArray.of(new_ids_packed(len(held))),
        ),
    )
    return Drained(last_locator=rows[-1][0], count=drained.count, total_minor=drained.total_minor)
