"""What a tenant asks of its people when they sign in."""

from __future__ import annotations

from sqlalchemy.dialects.postgresql import insert

from giftpad import audit
from giftpad.identity.commands.managing import check_manages
from giftpad.identity.errors import PolicyUnknown
from giftpad.identity.models import PolicyRow
from giftpad.identity.rules import POLICIES
from giftpad.kernel.work import Scope, unit_of_work


def set_policy(scope: Scope, second_step: str) -> None:
    """Ask a second step of a tenant's keepers alone, or of everyone who signs in.

    Who is signed in by a password alone is asked when their token is renewed: within a quarter of
    an hour.
    Locks: the membership of whoever does it.
    Raises: PolicyUnknown, SessionOver.
    """
    if second_step not in POLICIES:
        raise PolicyUnknown
    with unit_of_work(scope) as work:
        check_manages(work)
        values = {"second_step": second_step, "changed_at": work.at}
        work.session.execute(
            insert(PolicyRow)
            .values(tenant_id=work.tenant_id, **values)
            .on_conflict_do_update(index_elements=["tenant_id"], set_=values)
        )
        audit.record(
            work,
            action="tenant.second_step_changed",
            subject=f"tenant:{work.tenant_id}",
            details={"second_step": second_step},
        )
