"""The accounts of gifts: where money of a tenant lies before, while and after it is a gift.

All of it is one book of the tenant.  ``clearing`` and ``credit`` are where a deposit comes from;
``held`` keeps what an order costs from its submission to its issue; ``issue`` passes it on to the
gifts; ``claimed``, ``cancelled`` and ``expired`` is where the value of a gift ends, and
``returned`` is what the tenant gets back of it.
"""

from __future__ import annotations

from uuid import UUID

from giftpad import ledger
from giftpad.gifts.errors import BudgetTooSmall
from giftpad.kernel.ids import new_id
from giftpad.kernel.work import Work

CLEARING, CREDIT, DEPOSIT = "gift_clearing", "gift_credit", "gift_deposit"
HELD, ISSUE, FEES = "gift_held", "gift_issue", "gift_fees"
CLAIMED, CANCELLED = "gift_claimed", "gift_cancelled"
EXPIRED, RETURNED = "gift_expired", "gift_returned"
GIFT = "gift"
GUARDED = frozenset({DEPOSIT, HELD})


def account(work: Work, kind: str, unit: str, subject_id: UUID | None = None) -> UUID:
    """Return the id of an account of the tenant, or of one of its orders; open it if need be."""
    return ledger.open_account(
        work,
        ledger.Account(
            id=new_id(),
            book_id=work.tenant_id,
            kind=kind,
            unit=unit,
            guarded=kind in GUARDED,
            subject_id=subject_id or work.tenant_id,
        ),
    )


def find(work: Work, kind: str, subject_id: UUID | None = None) -> UUID:
    """Return the id of an account that is open."""
    found = ledger.find_account(work, work.tenant_id, kind, subject_id or work.tenant_id)
    assert found is not None
    return found


def move(
    work: Work,
    kind: str,
    amount_minor: int,
    *,
    debit_id: UUID,
    credit_id: UUID,
    entry_id: UUID | None = None,
    reverses_id: UUID | None = None,
) -> UUID:
    """Move an amount and return the id of the transfer; nothing moves if it is 0.

    Locks: the guarded accounts, in the order of their ids.
    Raises: InsufficientBalance.
    """
    transfer_id = new_id()
    if amount_minor:
        ledger.transfer(
            work,
            ledger.Transfer(
                id=transfer_id,
                entry_id=entry_id or transfer_id,
                kind=kind,
                debit_id=debit_id,
                credit_id=credit_id,
                amount_minor=amount_minor,
                reverses_id=reverses_id,
            ),
        )
    return transfer_id


def hold(work: Work, order_id: UUID, unit: str, amount_minor: int) -> None:
    """Set aside what an order costs.

    Locks: the deposit, then what is held for the order.
    Raises: BudgetTooSmall.
    """
    deposit = account(work, DEPOSIT, unit)
    held = account(work, HELD, unit, order_id)
    try:
        move(work, "gift_hold", amount_minor, debit_id=deposit, credit_id=held)
    except ledger.InsufficientBalance as error:
        balance = error.params["balance_minor"]
        assert isinstance(balance, int)
        raise BudgetTooSmall(missing_minor=amount_minor - balance, unit=unit) from error


def let_go(work: Work, order_id: UUID) -> int:
    """Put back what is still held for an order, and return how much that was."""
    held = find(work, HELD, order_id)
    amount = ledger.lock_account(work, held) or 0
    move(work, "gift_release", amount, debit_id=held, credit_id=find(work, DEPOSIT))
    return amount
