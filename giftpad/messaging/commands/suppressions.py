"""Addresses nothing is sent to any more: how one gets there, and how a person lifts it again.

An address is kept as a blind index, which finds it again and tells nobody what it is; what is
shown of it is masked.  The link by which somebody says that it is enough carries that index with
a proof that we made it, so it works when the letter is long deleted.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from giftpad import audit, tenancy
from giftpad.kernel.ids import TAG_BITS, new_id
from giftpad.kernel.work import Work
from giftpad.messaging.errors import SuppressionNotFound
from giftpad.messaging.models import SuppressionRow, suppression_place
from giftpad.messaging.rules.addresses import check_recipient, mask
from giftpad.messaging.rules.letters import get_letter
from giftpad.messaging.rules.sending import CHANNELS, queue_of
from giftpad.messaging.rules.suppressions import KEPT, UNSUBSCRIBED, is_stopped, normal_form
from giftpad.messaging.rules.wording import Letter

TAG_BYTES = 3
INDEX_BYTES, PROOF_BYTES = 32, 16
_LENGTH = TAG_BYTES + 1 + INDEX_BYTES + PROOF_BYTES


def index_of(tenant_id: UUID, channel: str, address: str) -> bytes:
    """Return what finds a checked address again."""
    return tenancy.index_text(tenant_id, f"messaging:{normal_form(channel, address)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    """Which address is to be left alone, and why; ``shown`` is the address, masked."""

    channel: str
    index: bytes = field(repr=False)
    reason: str
    shown: str = ""
    message_id: UUID | None = None


def suppress(work: Work, stopped: Stopped) -> bool:
    """Send nothing more to an address, as far as the reason goes; False if it was so already."""
    row_id, shown = new_id(), None
    if stopped.shown:
        place = suppression_place(work.tenant_id, row_id)
        shown = tenancy.seal_text(work.tenant_id, place, stopped.shown)
    row = insert(SuppressionRow).values(
        tenant_id=work.tenant_id,
        id=row_id,
        channel=stopped.channel,
        address_index=stopped.index,
        shown_sealed=shown,
        reason=stopped.reason,
        message_id=stopped.message_id,
        created_at=work.at,
        delete_after=work.at + KEPT[stopped.reason],
    )
    added = row.on_conflict_do_nothing().returning(SuppressionRow.id)
    return work.session.execute(added).first() is not None


def stopped_address(work: Work, channel: str, address: str, reason: str) -> Stopped:
    """Return an address that was checked as one that is to be left alone."""
    return Stopped(
        channel=channel,
        index=index_of(work.tenant_id, channel, address),
        reason=reason,
        shown=mask(address),
    )


def find_reason(work: Work, queue: str, letter: Letter, stopped: Stopped) -> str:
    """Return why a message is not sent to an address; empty if it is."""
    reasons = find_reasons(work, [stopped.index])[stopped.index]
    return next((reason for reason in reasons if is_stopped(reason, queue, letter)), "")


def find_reasons(work: Work, indexes: Sequence[bytes]) -> dict[bytes, list[str]]:
    """Return what is said of each of some addresses, by one statement."""
    said = work.session.execute(
        sa.select(SuppressionRow.address_index, SuppressionRow.reason)
        .where(
            SuppressionRow.tenant_id == work.tenant_id,
            SuppressionRow.address_index.in_(indexes),
            SuppressionRow.lifted_at.is_(None),
        )
        .order_by(SuppressionRow.reason)
    ).all()
    reasons: dict[bytes, list[str]] = {index: [] for index in indexes}
    for index, reason in said:
        reasons[bytes(index)].append(reason)
    return reasons


def list_stopped(work: Work, template: str, recipients: Sequence[tuple[str, str]]) -> list[bool]:
    """Return of channels and checked addresses whether bulk of a template is kept from them.

    One statement, however many there are.
    Raises: TemplateUnknown.
    """
    stopped = [stopped_address(work, channel, to, "") for channel, to in recipients]
    reasons = find_reasons(work, [each.index for each in stopped])

    def is_kept(address: Stopped) -> bool:
        letter = get_letter(template, address.channel)
        queue = queue_of(address.channel, is_code=letter.is_code, is_bulk=True)
        return any(is_stopped(reason, queue, letter) for reason in reasons[address.index])

    return [is_kept(each) for each in stopped]


def lift_suppressions(work: Work, channel: str, address: str) -> int:
    """Let messages go to an address again; return how many reasons were lifted.

    Raises: AddressUnfit, SuppressionNotFound.
    """
    index = index_of(work.tenant_id, channel, check_recipient(channel, address))
    lifted = work.session.execute(
        sa.update(SuppressionRow)
        .where(
            SuppressionRow.tenant_id == work.tenant_id,
            SuppressionRow.address_index == index,
            SuppressionRow.lifted_at.is_(None),
        )
        .values(lifted_at=work.at, lifted_by=work.scope.actor.id)
        .returning(SuppressionRow.id, SuppressionRow.reason)
    ).all()
    if not lifted:
        raise SuppressionNotFound
    for each in lifted:
        audit.record(
            work,
            action="message_suppression.lifted",
            subject=f"message_suppression:{each.id}",
            details={"channel": channel, "reason": each.reason},
        )
    return len(lifted)


def stop_token(tenant_id: UUID, channel: str, address: str) -> str:
    """Return what a letter's link carries for saying that it is enough."""
    tag = tenancy.get_tenant(tenant_id).tag
    head = tag.to_bytes(TAG_BYTES) + bytes([CHANNELS.index(channel)])
    body = head + index_of(tenant_id, channel, address)
    token = base64.urlsafe_b64encode(body + _proof(tenant_id, body))
    return token.decode().rstrip("=")


def _proof(tenant_id: UUID, body: bytes) -> bytes:
    return tenancy.index_text(tenant_id, f"messaging-stop:{body.hex()}")[:PROOF_BYTES]


def find_stop(token: str) -> tuple[tenancy.Tenant, Stopped] | None:
    """Return whose letters a token of ``stop_token`` is about, and which address; None if forged.

    It asks no database.
    """
    try:
        body = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    if len(body) != _LENGTH or body[TAG_BYTES] >= len(CHANNELS):
        return None
    tag = int.from_bytes(body[:TAG_BYTES])
    tenant = tenancy.find_tenant_by_tag(tag) if tag < 1 << TAG_BITS else None
    signed, proof = body[:-PROOF_BYTES], body[-PROOF_BYTES:]
    if tenant is None or not hmac.compare_digest(_proof(tenant.id, signed), proof):
        return None
    stopped = Stopped(
        channel=CHANNELS[body[TAG_BYTES]], index=signed[TAG_BYTES + 1 :], reason=UNSUBSCRIBED
    )
    return tenant, stopped


def purge_suppressions(work: Work) -> None:
    """Delete what is kept no longer."""
    work.session.execute(
        sa.delete(SuppressionRow).where(
            SuppressionRow.tenant_id == work.tenant_id, SuppressionRow.delete_after < work.at
        )
    )
