"""The database of this process: an engine for cold paths, a few raw connections for hot ones.

Hides: connection addresses, pools, timeouts, what is retried when a connection breaks.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any, LiteralString

import psycopg
import sqlalchemy as sa
from psycopg.rows import TupleRow
from sqlalchemy.orm import DeclarativeBase

from giftpad.kernel.config import Settings
from giftpad.kernel.errors import Unavailable
from giftpad.kernel.hot import HotConnection

CONNECT_TIMEOUT_S = 3
POOL_TIMEOUT_S = 5
COLD_OPTIONS = "-c statement_timeout=15000 -c lock_timeout=5000 -c timezone=UTC"
# A hot plan is an index lookup whatever the statistics of a table just filled may say.
HOT_OPTIONS = (
    "-c statement_timeout=1000 -c lock_timeout=300 -c timezone=UTC -c jit=off"
    " -c enable_seqscan=off -c plan_cache_mode=force_generic_plan"
)
HOT_TRIES_MAX = 2
HOT_IDLE_MAX = 16
"""Hot connections that one process keeps; a web process works on fewer requests at once, as it is
set up, and closes after use what exceeds this."""
PATIENCE: Mapping[str, Any] = {
    "connect_timeout": CONNECT_TIMEOUT_S,
    "tcp_user_timeout": 5000,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
}
"""How soon a server that went away without a word is told from one that thinks: libpq's words."""
AWAY = (psycopg.OperationalError, psycopg.errors.ReadOnlySqlTransaction)
"""What psycopg raises when the database cannot take a write now, or is not there at all."""


class DatabaseAway(Unavailable):
    """The database did not answer; whether money moved is told by asking again with the key."""

    code = "database.unavailable"
    sentence = (
        "The service cannot answer right now. Try again with the same Idempotency-Key; the answer"
        " then also tells whether money has moved."
    )


class Busy(Unavailable):
    """A statement waited longer than it may."""

    code = "database.busy"
    sentence = "Too much is going on right now. Try again with the same Idempotency-Key."


class Base(DeclarativeBase):
    """The base of every table; constraint names follow one convention."""

    metadata = sa.MetaData(
        naming_convention={
            "ix": "%(table_name)s_%(column_0_N_name)s_idx",
            "uq": "%(table_name)s_%(column_0_N_name)s_key",
            "ck": "%(table_name)s_%(constraint_name)s_check",
            "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
            "pk": "%(table_name)s_pkey",
        }
    )
    type_annotation_map = {str: sa.Text, bytes: sa.LargeBinary, int: sa.BigInteger}  # noqa: RUF012


def one_of(column: str, words: Iterable[str]) -> str:
    """Return the condition that a column holds one of these words.

    >>> one_of("state", ("open", "over"))
    "state IN ('open', 'over')"
    """
    return f"{column} IN ({', '.join(repr(word) for word in words)})"


def sqlalchemy_url(url: str) -> str:
    """Return a PostgreSQL address in the form that SQLAlchemy takes for psycopg."""
    scheme, _, rest = url.partition("://")
    return f"postgresql+psycopg://{rest}" if scheme in ("postgresql", "postgres") else url


class _Connections:
    """The open connections of one process to one database."""

    def __init__(self, settings: Settings) -> None:
        assert settings.database_url, (
            "an embedded database's address is filled in by the supervisor"
        )
        self.url = settings.database_url
        self.pool_max = settings.database_pool_max
        self.engine = sa.create_engine(
            sqlalchemy_url(self.url),
            pool_size=self.pool_max,
            max_overflow=0,
            pool_timeout=POOL_TIMEOUT_S,
            pool_pre_ping=True,
            hide_parameters=True,  # an error is logged, and parameters hold codes and names
            connect_args={**PATIENCE, "options": COLD_OPTIONS},
        )
        self._idle: list[HotConnection] = []
        self._idle_lock = threading.Lock()
        self._is_closed = False
        sa.event.listen(self.engine, "checkin", self._close_late)

    def serve(self, settings: Settings) -> bool:
        """Tell whether they lead where these settings lead, and are not closed."""
        asked = (settings.database_url, settings.database_pool_max)
        return not self._is_closed and asked == (self.url, self.pool_max)

    @contextmanager
    def lend_hot(self) -> Iterator[HotConnection]:
        """Lend a connection in autocommit; it serves the next caller unless it broke.

        The one given back last is lent first.  It belongs to no thread: a server's threads come
        and go, and a connection that one of them kept would never be closed.
        """
        with self._idle_lock:
            connection = self._idle.pop() if self._idle else None
        if connection is None:
            connection = HotConnection.connect(
                self.url,
                autocommit=True,
                options=HOT_OPTIONS,
                **PATIENCE,
            )
        try:
            yield connection
        finally:
            self._take_back(connection)

    def _take_back(self, connection: HotConnection) -> None:
        is_sound = not connection.closed and not connection.broken
        with self._idle_lock:
            if is_sound and not self._is_closed and len(self._idle) < HOT_IDLE_MAX:
                self._idle.append(connection)
                return
        connection.close()

    def forget_idle(self) -> None:
        """Close what lies idle: when one connection is gone, the server was probably away."""
        with self._idle_lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def close(self) -> None:
        """Close the pool and the hot connections; those in use close when they are given back."""
        with self._idle_lock:
            self._is_closed = True
        self.forget_idle()
        self.engine.dispose()

    def _close_late(self, connection: psycopg.Connection[TupleRow] | None, _record: object) -> None:
        """Close what comes back to a pool that nobody will ask again."""
        if self._is_closed and connection is not None:
            connection.close()


class Database:
    """One database as a process works with it; what is kept of its content is kept per Database."""

    def __init__(self, settings: Settings, connections: _Connections | None = None) -> None:
        self.connections = connections or _Connections(settings)
        self.engine = self.connections.engine

    def hot_connection(self) -> AbstractContextManager[HotConnection]:
        """Lend a connection in autocommit; it serves the next caller unless it broke."""
        return self.connections.lend_hot()

    def hot_call(self, statement: LiteralString, values: Mapping[str, Any]) -> TupleRow:
        """Run one statement that answers one row, as ``hot_calls`` does."""
        (row,) = self.hot_calls(statement, values)
        return row

    def hot_calls(self, statement: LiteralString, values: Mapping[str, Any]) -> list[TupleRow]:
        """Run one statement that answers a few rows, prepared, in one round trip.

        It is repeated once when the connection broke, so it must be safe to repeat: a read, or
        a write that carries its idempotency key.
        Raises: DatabaseAway, Busy.
        """
        for attempt in range(1, HOT_TRIES_MAX + 1):
            try:
                with self.hot_connection() as connection:
                    return connection.call(statement, values)
            except psycopg.errors.QueryCanceled as error:
                raise Busy from error
            except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
                raise
            except AWAY as error:
                self.connections.forget_idle()
                if attempt == HOT_TRIES_MAX:
                    raise DatabaseAway from error
        raise DatabaseAway

    def close(self) -> None:
        """Close its connections; those in use close when they are given back."""
        self.connections.close()


class _Bound:
    """The one database this process works with."""

    database: Database | None = None


def bind_database(settings: Settings) -> Database:
    """Make the settings' database the one this process works with.

    Nothing that was kept of the one bound before is believed any more.  Connections stay open
    if they lead to the same.
    """
    bound = _Bound.database
    kept = bound.connections if bound is not None and bound.connections.serve(settings) else None
    if bound is not None and kept is None:
        bound.close()
    _Bound.database = Database(settings, kept)
    return _Bound.database


def database() -> Database:
    """Return the database this process works with."""
    assert _Bound.database is not None, "bind_database has not been called"
    return _Bound.database
