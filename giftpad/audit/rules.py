"""How an entry is hashed: over its own content and the hash before it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

GENESIS = b"\0" * 32


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryFilter:
    """Which entries a list shows, newest first; every condition that is given must hold.

    ``subjects`` and ``actions`` name what is wanted exactly, ``action_prefix`` how it begins.
    ``run_over`` wants entries about a run of subjects that goes over this one.
    """

    subjects: Sequence[str] = ()
    actions: Sequence[str] = ()
    action_prefix: str = ""
    run_over: str = ""
    actor_id: str = ""
    since: datetime | None = None
    until: datetime | None = None
    before: int | None = None
    limit: int = 50


def entry_hash(
    previous: bytes,
    *,
    tenant_id: UUID,
    seq: int,
    at: datetime,
    actor: dict[str, Any],
    action: str,
    subject: str,
    details: dict[str, Any],
) -> bytes:
    """Return the hash of one entry, from its content in one canonical form."""
    content = {
        "tenant": str(tenant_id),
        "seq": seq,
        "at": at.astimezone(UTC).isoformat(timespec="microseconds"),
        "actor": actor,
        "action": action,
        "subject": subject,
        "details": details,
    }
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(previous + text.encode()).digest()
