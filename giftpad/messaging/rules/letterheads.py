"""Letterheads: in whose name a tenant's letters are sent, and its own words for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from giftpad.messaging.rules.wording import Wording


@dataclass(frozen=True, slots=True, kw_only=True)
class Letterhead:
    """What a pack says of a tenant's letters; what is empty is the house's.

    ``sender`` is the address mails are from, ``return_path`` where word of those comes that
    bounce.  ``wordings`` is found by language and template.
    """

    sender: str = ""
    sender_names: Mapping[str, str] = field(default_factory=dict)
    reply_to: str = ""
    return_path: str = ""
    wordings: Mapping[tuple[str, str], Wording] = field(default_factory=dict)

    def as_row(self) -> dict[str, Any]:
        """Return what is kept of it."""
        wordings: dict[str, dict[str, Any]] = {}
        for (locale, template), wording in sorted(self.wordings.items()):
            kept = asdict(wording)
            kept |= {name: list(kept[name]) for name in ("lines", "sms")}
            wordings.setdefault(locale, {})[template] = kept
        return {
            "sender": self.sender,
            "sender_names": dict(self.sender_names),
            "reply_to": self.reply_to,
            "return_path": self.return_path,
            "wordings": wordings,
        }


def wording_in(
    wordings: Mapping[str, Mapping[str, Mapping[str, Any]]], locale: str, template: str
) -> Wording | None:
    """Return a tenant's own words for a letter from what is kept of its letterhead."""
    kept = wordings.get(locale, {}).get(template)
    if kept is None:
        return None
    return Wording(subject=kept["subject"], lines=tuple(kept["lines"]), sms=tuple(kept["sms"]))
