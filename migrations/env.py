"""Run migrations as the owner, one at a time, with short locks."""

from __future__ import annotations

import importlib
import pkgutil

import sqlalchemy as sa
from alembic import context

import giftpad
from giftpad.kernel.db import Base

UPGRADE_LOCK = 7_410_221
"""Any number that nothing else takes: two upgrades at once wait for each other here."""


def load_models() -> sa.MetaData:
    """Import every package's tables and return what they declare."""
    for package in pkgutil.iter_modules(giftpad.__path__):
        if package.ispkg and importlib.util.find_spec(f"giftpad.{package.name}.models"):
            importlib.import_module(f"giftpad.{package.name}.models")
    return Base.metadata


def run() -> None:
    """Upgrade inside one transaction, as giftpad_owner."""
    engine = sa.create_engine(context.config.attributes["url"], poolclass=sa.NullPool)
    with engine.connect() as connection:
        connection.execute(sa.text("SET ROLE giftpad_owner"))
        # Before the limits: another upgrade may take longer than they allow.
        connection.execute(sa.text("SELECT pg_advisory_lock(:key)"), {"key": UPGRADE_LOCK})
        connection.execute(sa.text("SET lock_timeout = '4s'"))
        connection.execute(sa.text("SET statement_timeout = '120s'"))
        connection.commit()
        context.configure(
            connection=connection, target_metadata=load_models(), compare_server_default=True
        )
        with context.begin_transaction():
            context.run_migrations()
        connection.commit()
        connection.execute(sa.text("SELECT pg_advisory_unlock(:key)"), {"key": UPGRADE_LOCK})


run()
