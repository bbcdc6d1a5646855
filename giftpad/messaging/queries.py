"""Reading what became of messages; nothing here says what was written, or to whom in full."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from giftpad import tenancy
from giftpad.kernel.seal import SealBroken
from giftpad.kernel.work import Work
from giftpad.messaging.errors import MessageNotFound, RunNotFound
from giftpad.messaging.models import (
    LetterheadRow,
    MessageRow,
    RunMinuteRow,
    RunRow,
    SuppressionRow,
    message_place,
    suppression_place,
)
from giftpad.messaging.rules.addresses import mask
from giftpad.messaging.rules.letterheads import wording_in
from giftpad.messaging.rules.quiet import quiet_until
from giftpad.messaging.rules.runs import RECENT, Minute, estimate_end
from giftpad.messaging.rules.sending import CLOSED
from giftpad.messaging.rules.wording import Wording

PAGE_MAX = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageView:
    """A message as whoever looks after the queue may see it: the recipient is masked."""

    id: UUID
    channel: str
    queue: str
    template: str
    locale: str
    recipient: str
    state: str
    attempts: int
    provider_id: str
    last_error: str
    created_at: datetime
    send_before: datetime | None
    sent_at: datetime | None
    told_at: datetime | None
    run_id: UUID | None
    reference: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunView:
    """How far a run is: ``counts`` by closed state, the rest waits.

    ``ends_at`` is when it will be through at its speed of the last minutes; None while it is
    paused, through, or too slow or too young to tell.  ``rests_until`` is when its quiet hours are
    over, None in loud ones.
    """

    id: UUID
    name: str
    reference: UUID | None
    total: int
    waiting: int
    counts: Mapping[str, int]
    opened_at: datetime
    paused_at: datetime | None
    rests_until: datetime | None
    ends_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPace:
    """What letters of a run wait for now: somebody who has paused it, or the end of the night."""

    is_paused: bool
    rests_until: datetime | None


def get_message(work: Work, message_id: UUID) -> MessageView:
    """Return one message.

    Raises: MessageNotFound.
    """
    row = work.session.get(MessageRow, (work.tenant_id, message_id))
    if row is None:
        raise MessageNotFound
    return _view(row)


def list_messages(work: Work, *, states: tuple[str, ...] = ()) -> list[MessageView]:
    """Return messages, newest first, at most ``PAGE_MAX``; all of them or of some states."""
    found = sa.select(MessageRow).where(MessageRow.tenant_id == work.tenant_id)
    if states:
        found = found.where(MessageRow.state.in_(states))
    newest = found.order_by(MessageRow.id.desc()).limit(PAGE_MAX)
    return [_view(row) for row in work.session.execute(newest).scalars()]


def _view(row: MessageRow) -> MessageView:
    place = message_place(row.tenant_id, row.id, "recipient_sealed")
    try:
        recipient = mask(tenancy.open_text(row.tenant_id, place, row.recipient_sealed))
    except SealBroken:
        recipient = "***"
    return MessageView(
        id=row.id,
        channel=row.channel,
        queue=row.queue,
        template=row.template,
        locale=row.locale,
        recipient=recipient,
        state=row.state,
        attempts=row.attempts,
        provider_id=row.provider_id,
        last_error=row.last_error,
        created_at=row.created_at,
        send_before=row.send_before,
        sent_at=row.sent_at,
        told_at=row.told_at,
        run_id=row.run_id,
        reference=row.reference,
    )


def get_run(work: Work, run_id: UUID) -> RunView:
    """Return how far a run is.

    Raises: RunNotFound.
    """
    row = work.session.get(RunRow, (work.tenant_id, run_id))
    if row is None:
        raise RunNotFound
    return _view_run(work, row)


def has_run(work: Work, run_id: UUID) -> bool:
    """Whether a run is still kept; one day each is deleted."""
    return work.session.get(RunRow, (work.tenant_id, run_id)) is not None


def find_pace(work: Work, run_id: UUID) -> RunPace | None:
    """Return whether letters of a run leave now; None if it is kept no more."""
    row = work.session.get(RunRow, (work.tenant_id, run_id))
    if row is None:
        return None
    return RunPace(is_paused=row.paused_at is not None, rests_until=rests_until(work, row))


def list_runs(work: Work) -> list[RunView]:
    """Return runs, newest first, at most ``PAGE_MAX``."""
    newest = (
        sa.select(RunRow)
        .where(RunRow.tenant_id == work.tenant_id)
        .order_by(RunRow.id.desc())
        .limit(PAGE_MAX)
    )
    return [_view_run(work, row) for row in work.session.execute(newest).scalars().all()]


def rests_until(work: Work, row: RunRow) -> datetime | None:
    """Return the end of a run's quiet hours if it is quiet now."""
    if row.quiet_from is None or row.quiet_until is None:
        return None
    zone = tenancy.get_tenant(work.tenant_id).zone
    return quiet_until(work.at, row.quiet_from, row.quiet_until, zone)


def list_open_runs(work: Work, *, limit: int = 500) -> list[RunView]:
    """Return runs of which some messages still wait, oldest first."""
    closed = sum((getattr(RunRow, state) for state in CLOSED), start=sa.literal(0))
    asked = (
        sa.select(RunRow)
        .where(RunRow.tenant_id == work.tenant_id, RunRow.total > closed)
        .order_by(RunRow.id)
        .limit(limit)
    )
    return [_view_run(work, row) for row in work.session.execute(asked).scalars().all()]


def _view_run(work: Work, row: RunRow) -> RunView:
    counts = {state: getattr(row, state) for state in CLOSED}
    waiting = row.total - sum(counts.values())
    ends_at = None
    rests = rests_until(work, row)
    if waiting and row.paused_at is None and rests is None:
        ends_at = estimate_end(waiting, _recent_minutes(work, row.id), work.at)
    return RunView(
        id=row.id,
        name=row.name,
        reference=row.reference,
        total=row.total,
        waiting=waiting,
        counts=counts,
        opened_at=row.opened_at,
        paused_at=row.paused_at,
        rests_until=rests,
        ends_at=ends_at,
    )


def _recent_minutes(work: Work, run_id: UUID) -> list[Minute]:
    found = sa.select(RunMinuteRow.began_at, RunMinuteRow.done).where(
        RunMinuteRow.tenant_id == work.tenant_id,
        RunMinuteRow.run_id == run_id,
        RunMinuteRow.began_at >= work.at - RECENT,
    )
    return [Minute(began_at, done) for began_at, done in work.session.execute(found)]


@dataclass(frozen=True, slots=True, kw_only=True)
class SuppressionView:
    """An address that nothing is sent to; ``shown`` is masked, empty where nobody knows it."""

    id: UUID
    channel: str
    shown: str
    reason: str
    created_at: datetime


def list_suppressions(work: Work) -> list[SuppressionView]:
    """Return what is held back, newest first, at most ``PAGE_MAX``."""
    found = (
        sa.select(SuppressionRow)
        .where(SuppressionRow.tenant_id == work.tenant_id, SuppressionRow.lifted_at.is_(None))
        .order_by(SuppressionRow.id.desc())
        .limit(PAGE_MAX)
    )
    return [
        SuppressionView(
            id=row.id,
            channel=row.channel,
            shown=_shown(row),
            reason=row.reason,
            created_at=row.created_at,
        )
        for row in work.session.execute(found).scalars()
    ]


def _shown(row: SuppressionRow) -> str:
    if row.shown_sealed is None:
        return ""
    place = suppression_place(row.tenant_id, row.id)
    try:
        return tenancy.open_text(row.tenant_id, place, row.shown_sealed)
    except SealBroken:
        return "***"


def find_wording(work: Work, locale: str, template: str) -> Wording | None:
    """Return the tenant's own words for a letter, or None."""
    row = work.session.get(LetterheadRow, work.tenant_id)
    return wording_in(row.wordings, locale, template) if row is not None else None
