"""Whether this process lives, and whether it can serve."""

from __future__ import annotations

from functools import cache

import redis
import sqlalchemy as sa
from alembic.script import ScriptDirectory
from flask import Blueprint, Flask, Response

from giftpad.api.http import answer
from giftpad.edge import public
from giftpad.kernel.config import Settings
from giftpad.kernel.db import database
from giftpad.kernel.migrate import configuration

REDIS_TIMEOUT_S = 0.5


@cache
def newest_migration() -> str | None:
    """Return the newest migration this code knows."""
    return ScriptDirectory.from_config(configuration("")).get_current_head()


def _database_state() -> str:
    try:
        with database().engine.connect() as connection:
            found = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
    except sa.exc.SQLAlchemyError:
        return "away"
    return "ready" if found == newest_migration() else "migrating"


def _redis_state(client: redis.Redis | None) -> str:
    if client is None:
        return "none"
    try:
        client.ping()
    except redis.RedisError:
        return "away"
    return "ready"


def init_health(app: Flask, settings: Settings) -> None:
    """Serve the two questions of whoever watches over this process."""
    blp = Blueprint("health", __name__)
    client: redis.Redis | None = None
    if settings.redis_url:
        client = redis.Redis.from_url(
            settings.redis_url,
            socket_timeout=REDIS_TIMEOUT_S,
            socket_connect_timeout=REDIS_TIMEOUT_S,
        )

    @blp.get("/healthz")
    @public("A supervisor asks whether the process lives.")
    def healthz() -> Response:
        return answer({"status": "ok"})

    @blp.get("/readyz")
    @public("A supervisor or load balancer asks whether the process can serve.")
    def readyz() -> Response:
        state = _database_state()
        is_ready = state == "ready"
        body = {
            "status": "ready" if is_ready else "not ready",
            "database": state,
            "redis": _redis_state(client),
        }
        return answer(body, status=200 if is_ready else 503)

    app.register_blueprint(blp)
