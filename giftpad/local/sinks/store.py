"""What has arrived: one file a message, readable by its owner only, and no more than a few.

Every reader looks into the folder, so two processes may share it.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from giftpad.kernel.ids import new_id
from giftpad.local.home import write_private

KEPT_MAX = 200
SUFFIX = ".json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """One mail or SMS as it arrived; ``key`` is its Message-ID or idempotency key.

    ``pictures`` are those inside the mail, in base64, by the name that its HTML calls them.
    """

    id: str
    channel: str
    at: str
    to: list[str]
    sender: str
    subject: str
    text: str
    html: str
    headers: dict[str, str]
    key: str
    pictures: dict[str, str] = field(default_factory=dict)


class Store:
    """The newest messages of one data folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)

    def keep(self, **told: Any) -> str:
        """Keep a message, let the oldest go, and return its id."""
        message = Arrived(id=str(new_id()), at=datetime.now(UTC).isoformat(), **told)
        write_private(
            self.folder / (message.id + SUFFIX), json.dumps(asdict(message), ensure_ascii=False)
        )
        for path in self._newest_first()[KEPT_MAX:]:
            path.unlink(missing_ok=True)
        return message.id

    def newest(self, to: str = "") -> list[Arrived]:
        """Return what is kept, newest first; with ``to`` only what went there."""
        wanted = to.casefold()
        return [
            message
            for message in self._read()
            if not wanted or wanted in (each.casefold() for each in message.to)
        ]

    def get(self, message_id: str) -> Arrived | None:
        """Return a message by the id that it was kept under."""
        return next((m for m in self._read() if m.id == message_id), None)

    def find(self, channel: str, key: str) -> Arrived | None:
        """Return the message that came with a key before."""
        return next((m for m in self._read() if (m.channel, m.key) == (channel, key)), None)

    def _newest_first(self) -> list[Path]:
        return sorted(self.folder.glob("*" + SUFFIX), reverse=True)

    def _read(self) -> Iterator[Arrived]:
        for path in self._newest_first():
            with contextlib.suppress(FileNotFoundError):  # it was the oldest a moment ago
                yield Arrived(**json.loads(path.read_text("utf-8")))
