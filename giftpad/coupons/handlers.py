"""Reactions: issue a chunk, print a volume, delete what was destroyed.

All are detached: each takes long or touches the file store, opens its own short transactions,
and finds by the state of its rows what is left to do when it is called again.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from giftpad.coupons.adapters import press
from giftpad.coupons.commands import (
    CLAIM,
    Outcome,
    finish_volume,
    forget_files,
    issue_chunk,
    mark_verifying,
    renew_claim,
    start_chunk,
    start_volume,
)
from giftpad.coupons.events import ChunkDue, PrintDestroyed, VolumeDue
from giftpad.coupons.models.finding import list_volumes
from giftpad.events import detached
from giftpad.kernel.errors import DomainError, Unavailable
from giftpad.kernel.log import get_logger
from giftpad.kernel.work import Scope, unit_of_work
from giftpad.tenancy import remember_address

log = get_logger("coupons")

ISSUE_PATIENCE_S = 120
VERIFICATION_FAILED = "print.verification_failed"


@detached
def issue_due_chunk(scope: Scope, event: ChunkDue) -> None:
    """Issue a chunk of a batch, if that is not done yet."""
    with unit_of_work(scope) as work:
        is_open = start_chunk(work, event.object_id)
    if is_open:
        with unit_of_work(scope, patience_s=ISSUE_PATIENCE_S) as work:
            issue_chunk(work, event.object_id)


@detached
def print_due_volume(scope: Scope, event: VolumeDue) -> None:
    """Print a volume, read every QR and serial back, and keep it sealed if all are right.

    A refusal of the print, or one thing read wrong, fails the batch: repeating would not help.
    """
    with unit_of_work(scope) as work:
        task = start_volume(work, event.batch_id, event.object_id)
    if task is None:
        return
    with _claimed(scope, task):
        if task.stale_file_id is not None:
            press.throw_away(task.tenant_id, task.stale_file_id)
        remember_address(task.address)
        outcome = _attempt(scope, task)
        with unit_of_work(scope) as work:
            is_kept = finish_volume(work, task, outcome)
        if not is_kept:
            press.throw_away(task.tenant_id, task.file_id)
    log.info(
        "volume printed" if is_kept else "volume not kept",
        batch_id=str(task.batch_id),
        volume_id=str(task.volume_id),
        failure_code=outcome.failure_code,
        page_count=outcome.page_count,
    )


@contextmanager
def _claimed(scope: Scope, task: press.PrintTask) -> Iterator[None]:
    """Hold the claim on a volume while an attempt runs; a process that dies holds it no more."""
    stop = threading.Event()

    def renew() -> None:
        while not stop.wait(CLAIM.total_seconds() / 4):
            with suppress(Unavailable), unit_of_work(scope) as work:
                renew_claim(work, task)

    thread = threading.Thread(target=renew, name="claim", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        with unit_of_work(scope) as work:
            renew_claim(work, task, ends=True)


def _attempt(scope: Scope, task: press.PrintTask) -> Outcome:
    try:
        printed = press.print_volume(task)
    except Unavailable:
        raise
    except DomainError as refusal:
        text = str(refusal).partition(": ")[2]
        return Outcome(failure_code=refusal.code, problems=(text,))
    with unit_of_work(scope) as work:
        mark_verifying(work, task)
    problems = press.check_volume(task, printed)
    if problems:
        return Outcome(failure_code=VERIFICATION_FAILED, problems=tuple(problems))
    press.keep(task, printed)
    return Outcome(
        page_count=printed.page_count, size_bytes=len(printed.pdf), sha256=printed.sha256
    )


@detached
def delete_print_files(scope: Scope, event: PrintDestroyed) -> None:
    """Delete the print files of a batch whose key is destroyed."""
    with unit_of_work(scope) as work:
        file_ids = [row.file_id for row in list_volumes(work, event.object_id) if row.file_id]
    for file_id in file_ids:
        press.throw_away(scope.tenant_id, file_id)
    with unit_of_work(scope) as work:
        forget_files(work, event.object_id)
