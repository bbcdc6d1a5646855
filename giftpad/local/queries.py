"""What runs now in a data folder, part by part.

Hides: the file the supervisor publishes, and that it may be out of date.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, replace
from typing import Any

from giftpad.kernel.config import Settings
from giftpad.local.home import Home
from giftpad.local.lan import PAGE, lan_answers
from giftpad.local.parts import web_answers
from giftpad.local.postgres import EmbeddedPostgres
from giftpad.local.processes import ProcessId
from giftpad.local.sinks import Sinks

STOPPED, CUT_OFF = "stopped", "cut off"


@dataclass(frozen=True, slots=True, kw_only=True)
class PartStatus:
    """One part as it is now."""

    name: str
    state: str
    """up, starting, waiting (for its next try), or dead."""
    pid: int | None
    uptime_s: int
    restarts: int
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """One Giftpad as it is now."""

    home: str
    state: str
    """up (serving), starting, degraded (running, but not all of it), cut off, stopped."""
    supervisor_pid: int | None
    address: str
    lan: str
    """Where phones of the local network are served; empty where they are not."""
    database: str
    """Where the embedded database lies, or that it is external."""
    database_user: str
    redis: str
    messages: str
    """Where mail and SMS are shown that stay on this machine; empty where they leave it."""
    parts: tuple[PartStatus, ...]

    @property
    def is_running(self) -> bool:
        """Whether there is a Giftpad at all, whole or not."""
        return self.state not in (STOPPED, CUT_OFF)

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return asdict(self)

    def describe(self) -> str:
        """Return it as lines for a person."""
        lines = [
            f"Giftpad    {self.state}",
            f"address    {self.address}",
            *([f"phones     {self.lan}{PAGE}"] if self.lan else []),
            f"data       {self.home}",
            f"database   {self.database}"
            + (f" (user {self.database_user})" * bool(self.database_user)),
            f"redis      {self.redis}",
            *([f"messages   {self.messages}"] if self.messages else []),
        ]
        if self.parts:
            lines.append(
                f"{'PART':<12} {'STATE':<9} {'PID':>8} {'UP FOR':>9} {'RESTARTS':>8}  ADDRESS"
            )
        lines.extend(
            f"{part.name:<12} {part.state:<9} {part.pid or '-':>8} "
            f"{part.uptime_s:>7} s {part.restarts:>8}  {part.address}"
            for part in self.parts
        )
        return "\n".join(lines)


def status(settings: Settings) -> Status:
    """Tell what runs of the Giftpad of this data folder.

    Raises: FolderNotUsable.
    """
    home = Home(settings.home)
    home.check()
    holder, published = home.holder(), home.read_state()
    parts = tuple(_part_status(state) for state in published.get("parts", []))
    postgres = EmbeddedPostgres(home)
    served = replace(
        settings,
        lan_address=published.get("lan_address", settings.lan_address),
        lan_port=published.get("lan_port", settings.lan_port),
    )
    return Status(
        home=str(home.path),
        state=_overall(home, served, published, parts),
        supervisor_pid=holder.pid if holder and holder.is_alive else None,
        address=published.get("address", settings.public_address),
        lan=served.lan_url,
        database=_database_place(settings, postgres),
        database_user=postgres.account.name if settings.is_embedded and postgres.is_made else "",
        redis=str(home.redis) if not settings.redis_url else "external",
        messages=Sinks(**published["sinks"]).page if published.get("sinks") else "",
        parts=parts,
    )


def _database_place(settings: Settings, postgres: EmbeddedPostgres) -> str:
    if not settings.is_embedded:
        return "external"
    return str(postgres.data) if postgres.is_made else "not made yet"


def _part_status(state: dict[str, Any]) -> PartStatus:
    process = ProcessId(**state["process"]) if state["process"] else None
    is_alive = process is not None and process.is_alive
    word = state["state"] if is_alive or state["state"] == "waiting" else "dead"
    return PartStatus(
        name=state["name"],
        state=word,
        pid=process.pid if process and is_alive else None,
        uptime_s=int(time.time() - state["started_at"]) if is_alive else 0,
        restarts=state["restarts"],
        address=state["address"],
    )


def _overall(
    home: Home, settings: Settings, published: dict[str, Any], parts: tuple[PartStatus, ...]
) -> str:
    if not home.is_locked:
        return CUT_OFF if published else STOPPED
    if not published.get("is_ready"):
        return "starting"
    whole = all(part.state == "up" for part in parts) and web_answers(settings)
    if settings.lan_address:
        whole = whole and lan_answers(settings)
    return "up" if whole else "degraded"
