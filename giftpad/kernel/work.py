"""A unit of work: one transaction, one tenant, one actor, one instant.

Hides: how the tenant reaches row-level security, when it commits.  Edges open it; nobody below
an edge commits.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from psycopg import errors as pg_errors
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from giftpad.kernel.db import AWAY, Busy, DatabaseAway, database


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who does something: a person, a client, or Giftpad itself.

    ``kind`` is "person", "client" or "system"; ``shop_id`` binds the actor to one shop;
    ``visit_id`` says that they are in this tenant for a while only.
    """

    kind: str
    id: str
    client_id: str = ""
    shop_id: UUID | None = None
    visit_id: UUID | None = None


SYSTEM = Actor(kind="system", id="giftpad", client_id="giftpad")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """On whose behalf: one tenant, one actor, what the actor may do, the request's id."""

    tenant_id: UUID
    actor: Actor = SYSTEM
    permissions: frozenset[str] = frozenset()
    request_id: str = ""


@dataclass(slots=True, kw_only=True)
class Work:
    """One open transaction; ``at`` is its instant by the database's clock."""

    session: Session
    scope: Scope
    at: datetime

    @property
    def tenant_id(self) -> UUID:
        """The tenant whose rows this transaction can see."""
        return self.scope.tenant_id


def _open(session: Session, scope: Scope, patience_s: int | None) -> datetime:
    """Set the tenant and read the clock in one round trip.

    The tenant goes by SET LOCAL and not by set_config(), which a distributed PostgreSQL would
    not carry to its workers; a UUID's text needs no quoting.
    """
    statement = f"SET LOCAL app.tenant_id = '{scope.tenant_id}'; "
    if patience_s is not None:
        statement += f"SET LOCAL statement_timeout = {patience_s * 1000:d}; "
    raw = session.connection().connection.driver_connection
    assert raw is not None
    cursor = raw.execute(statement + "SELECT clock_now()")
    while cursor.nextset():
        pass
    instant: datetime = cursor.fetchone()[0]
    return instant


BUSY = (pg_errors.QueryCanceled, pg_errors.LockNotAvailable, pg_errors.DeadlockDetected)
"""What the database raises when somebody else was faster; asked again it goes on."""


@contextmanager
def unit_of_work(scope: Scope, *, patience_s: int | None = None) -> Iterator[Work]:
    """Open a transaction for ``scope`` and commit it at the end, or roll back on any exception.

    ``patience_s`` replaces the usual statement timeout for work that is known to be long.
    Raises: DatabaseAway, Busy.
    """
    session = Session(database().engine, expire_on_commit=False)
    try:
        with session.begin():
            yield Work(session=session, scope=scope, at=_open(session, scope, patience_s))
    except PoolTimeout as error:
        raise Busy from error
    except (DBAPIError, *AWAY) as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        if isinstance(cause, BUSY):
            raise Busy from error
        if isinstance(cause, AWAY):
            raise DatabaseAway from error
        raise
    finally:
        session.close()


def plan_anew(work: Work) -> None:
    """Have what follows in ``work`` planned for the rows that there are, each time it is asked.

    For whatever reads a whole tenant.  A connection that has asked the same some ten times keeps
    one plan, and a plan made for a few rows is many times too slow for the thousands that came
    since: until somebody analyses the tables, which a crash puts off.
    """
    work.session.execute(sa.text("SET LOCAL plan_cache_mode = force_custom_plan"))


@contextmanager
def savepoint(work: Work) -> Iterator[None]:
    """Undo only what is done inside when an exception leaves it."""
    with work.session.begin_nested():
        yield


def rows_changed(result: sa.Result[tuple[object, ...]]) -> int:
    """Return how many rows an INSERT, UPDATE or DELETE changed."""
    assert isinstance(result, sa.CursorResult)
    return result.rowcount
