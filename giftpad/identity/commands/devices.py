"""Devices without a keyboard: they show a code, and somebody approves them elsewhere.

Source: RFC 8628.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import Enum
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import Insert, insert

from giftpad.identity.commands.authorisations import (
    Approval,
    Authorised,
    add_authorisation,
    check_steps,
    hold_session,
    note_granted,
    take_device,
)
from giftpad.identity.commands.user_codes import draw_user_code
from giftpad.identity.errors import DeviceNotFound
from giftpad.identity.models import DeviceRow
from giftpad.identity.queries import PLATFORM, find_client, person_actor
from giftpad.identity.rules import (
    DEVICE_INTERVAL_S,
    DEVICE_LIFE_S,
    Granted,
    hash_user_code,
    split_scope,
)
from giftpad.kernel.bearer import hash_secret, new_code
from giftpad.kernel.ids import new_id
from giftpad.kernel.work import Work, unit_of_work

SLOWER_BY_S = 5
INTERVAL_MAX_S = 60


class Waiting(Enum):
    """Why a device that asks has no token yet, as RFC 8628 calls it."""

    PENDING = "authorization_pending"
    TOO_FAST = "slow_down"
    OVER = "expired_token"
    DENIED = "access_denied"
    UNKNOWN = "invalid_grant"


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingDevice:
    """The two codes of a device: one it keeps, and one that it shows."""

    device_code: str = field(repr=False)
    user_code: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceView:
    """A device that waits for an answer."""

    client: Granted
    names: tuple[str, ...]


def start_device(client: Granted, names: tuple[str, ...], audience: str) -> WaitingDevice:
    """Let a device wait for somebody's answer."""
    device_code = new_code()

    def row(work: Work, user_code_hash: bytes) -> Insert:
        return insert(DeviceRow).values(
            tenant_id=work.tenant_id,
            device_hash=hash_secret(device_code),
            user_code_hash=user_code_hash,
            client_id=client.client_id,
            scope=" ".join(names),
            audience=audience,
            interval_s=DEVICE_INTERVAL_S,
            created_at=work.at,
            expires_at=work.at + timedelta(seconds=DEVICE_LIFE_S),
        )

    user_code, _ = draw_user_code(row)
    return WaitingDevice(device_code=device_code, user_code=user_code)


def _waiting(work: Work, user_code: str) -> DeviceRow:
    row = work.session.scalars(
        sa.select(DeviceRow)
        .where(
            DeviceRow.tenant_id == work.tenant_id,
            DeviceRow.user_code_hash == hash_user_code(user_code),
            DeviceRow.expires_at > work.at,
            DeviceRow.authorisation_id.is_(None),
            DeviceRow.denied_at.is_(None),
        )
        .with_for_update()
    ).one_or_none()
    if row is None:
        raise DeviceNotFound
    return row


def find_device(tenant_id: UUID, user_code: str) -> DeviceView:
    """Return the device of a tenant that waits with a code.

    Raises: DeviceNotFound.
    """
    with unit_of_work(PLATFORM) as work:
        row = _waiting(work, user_code)
    return _view(row, tenant_id)


def _view(row: DeviceRow, tenant_id: UUID) -> DeviceView:
    client = find_client(row.client_id)
    if client is None or client.tenant_id != tenant_id:
        raise DeviceNotFound
    return DeviceView(client=client, names=tuple(split_scope(row.scope)))


def approve_device(user_code: str, approval: Approval) -> None:
    """Let a device act for a person, by the role they have now.

    The device gets a sign-in of its own, so that it goes on when the person's browser signs out.
    Locks: the session's row, then the device's.
    Raises: DeviceNotFound, SessionOver, SecondStepMissing.
    """
    check_steps(approval)
    membership = approval.membership
    view = find_device(membership.tenant_id, user_code)
    with unit_of_work(replace(PLATFORM, actor=person_actor(membership.person_id))) as work:
        hold_session(work, approval)
        row = _waiting(work, user_code)
        if row.client_id != view.client.client_id:
            raise DeviceNotFound
        own = replace(approval, session_id=new_id())
        row.authorisation_id = add_authorisation(
            work, view.client, own, names=view.names, audience=row.audience
        )
        authorisation_id = row.authorisation_id
    note_granted(view.client, membership, authorisation_id)


def deny_device(tenant_id: UUID, user_code: str) -> None:
    """Tell a device that nobody lets it in.

    Locks: the device's row.
    Raises: DeviceNotFound.
    """
    find_device(tenant_id, user_code)
    with unit_of_work(PLATFORM) as work:
        _waiting(work, user_code).denied_at = work.at


def poll_device(client: Granted, device_code: str) -> Authorised | Waiting:
    """Return what a device may do by now, once, or why it must wait or give up.

    Locks: the device's row.
    """
    with unit_of_work(PLATFORM) as work:
        row = work.session.get(
            DeviceRow, (work.tenant_id, hash_secret(device_code)), with_for_update=True
        )
        if row is None or row.client_id != client.client_id or row.used_at is not None:
            return Waiting.UNKNOWN
        if row.denied_at is not None:
            return Waiting.DENIED
        if row.expires_at <= work.at and row.authorisation_id is None:
            return Waiting.OVER
        last, row.polled_at = row.polled_at, work.at
        if last is not None and work.at < last + timedelta(seconds=row.interval_s):
            row.interval_s = min(row.interval_s + SLOWER_BY_S, INTERVAL_MAX_S)
            return Waiting.TOO_FAST
        if row.authorisation_id is None:
            return Waiting.PENDING
        row.used_at = work.at
        authorisation_id = row.authorisation_id
    return take_device(authorisation_id) or Waiting.DENIED
