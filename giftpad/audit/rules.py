"""How an entry is hashed: over its own content and the hash before it."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

GENESIS = b"\0" * 32


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
