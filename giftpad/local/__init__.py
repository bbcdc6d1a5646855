"""A whole Giftpad on one machine: PostgreSQL, Redis, web, workers, sinks under one supervisor.

Knows: the data folder, which part starts after which, what to do when one dies.
Hides: the servers' programs and configuration, processes, locks, ports, passwords, the
certificates that phones of the local network trust.
Does not know: what the web server serves, what the workers do, any domain.
"""

from giftpad.local.commands import down, embedded_settings, reset, restart, up
from giftpad.local.errors import LocalError, NotRunning
from giftpad.local.home import Home
from giftpad.local.lan import with_lan
from giftpad.local.parts import MIGRATIONS, Arrangement, Step
from giftpad.local.postgres import EmbeddedPostgres, Urls
from giftpad.local.queries import PartStatus, Status, status
from giftpad.local.redis import EmbeddedRedis

__all__ = [
    "MIGRATIONS",
    "Arrangement",
    "EmbeddedPostgres",
    "EmbeddedRedis",
    "Home",
    "LocalError",
    "NotRunning",
    "PartStatus",
    "Status",
    "Step",
    "Urls",
    "down",
    "embedded_settings",
    "reset",
    "restart",
    "status",
    "up",
    "with_lan",
]
