"""Record what somebody did, in the transaction in which it was done."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from giftpad.audit.models import AuditEntry, AuditHead
from giftpad.audit.rules import GENESIS, entry_hash
from giftpad.kernel.work import Work


def record(work: Work, *, action: str, subject: str, details: dict[str, Any] | None = None) -> int:
    """Append one entry to the tenant's chain and return its number.

    ``subject`` is written as ``kind:id``.  ``details`` holds JSON values and no secret; what was
    done to a run of subjects is written under the first, with the id of the last as ``to``.  What
    is done in a visit says so itself.
    Locks: the tenant's chain until the transaction ends, so it is called last.
    """
    work.session.execute(
        insert(AuditHead)
        .values(tenant_id=work.tenant_id, seq=0, hash=GENESIS)
        .on_conflict_do_nothing()
    )
    head = work.session.execute(
        sa.select(AuditHead)
        .where(AuditHead.tenant_id == work.tenant_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).scalar_one()
    actor = work.scope.actor
    seq = head.seq + 1
    visit = {"visit": str(actor.visit_id)} if actor.visit_id is not None else {}
    content: dict[str, Any] = {
        "seq": seq,
        "at": work.at,
        "actor": {"kind": actor.kind, "id": actor.id, "client": actor.client_id},
        "action": action,
        "subject": subject,
        "details": (details or {}) | visit,
    }
    digest = entry_hash(head.hash, tenant_id=work.tenant_id, **content)
    work.session.execute(
        insert(AuditEntry).values(tenant_id=work.tenant_id, hash=digest, **content)
    )
    work.session.execute(
        sa.update(AuditHead)
        .where(AuditHead.tenant_id == work.tenant_id)
        .values(seq=seq, hash=digest)
    )
    return seq
