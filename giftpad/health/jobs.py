"""Proving the books of each tenant again and again, without being felt."""

from __future__ import annotations

import time
from datetime import timedelta

import sqlalchemy as sa

from giftpad import gifts, ledger, payments, reporting, tenancy
from giftpad.health.commands import note_proof
from giftpad.health.queries import find_proof
from giftpad.health.rules import PROOF_AGE_MAX
from giftpad.kernel.work import Scope, unit_of_work

PATIENCE_S = 1500
SHARE_MAX = 0.001
"""At most this part of the time goes into proofs of one tenant."""
AGAIN_FIRST, AGAIN_LAST = timedelta(minutes=10), PROOF_AGE_MAX - timedelta(hours=2)


ALONE = sa.text("SELECT pg_try_advisory_xact_lock(hashtextextended(:name, 0))")
"""One proof of a tenant at a time: the schedule may come round again before a long one ends."""


def pause_after(seconds: float) -> timedelta:
    """Return how long to wait after a proof that took so long: at most a day.

    >>> str(pause_after(0.1)), str(pause_after(7.2)), str(pause_after(600))
    ('0:10:00', '2:00:00', '1 day, 0:00:00')
    """
    return min(max(timedelta(seconds=seconds / SHARE_MAX), AGAIN_FIRST), AGAIN_LAST)


def prove_books(scope: Scope) -> bool:
    """Prove a tenant's books if it is time to; returns whether it was.

    A small tenant's are proved every ten minutes; a large one's so often that the proof takes a
    thousandth of the time, and at least once a day.
    """
    tenant = tenancy.get_tenant(scope.tenant_id)
    last = find_proof(tenant.slug)
    if last is not None and last.age < pause_after(last.seconds):
        return False
    begun = time.monotonic()
    with unit_of_work(scope, patience_s=PATIENCE_S) as work:
        if not work.session.execute(ALONE, {"name": f"proof of {scope.tenant_id}"}).scalar_one():
            return False
        faults = sum(
            len(differences)
            for differences in (
                ledger.verify(work),
                payments.verify(work),
                gifts.verify(work),
                reporting.check_figures(work),
            )
        )
    note_proof(tenant.slug, faults=faults, seconds=time.monotonic() - begun)
    return True
