"""By what people prove who they are beside a password, and how they get a new one."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from giftpad.kernel.db import Base

INSTANT = sa.DateTime(timezone=True)


class AuthenticatorRow(Base):
    """The app that shows somebody's six digits: the secret they share, and the last that was used.

    ``last_step`` is the half minute whose digits were used last: none at or before it are good.
    ``wrong_codes`` counts those in a row, each before it is judged.
    """

    __tablename__ = "identity_authenticators"
    __table_args__ = (sa.CheckConstraint("wrong_codes >= 0", name="wrong_codes_counted"),)
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    secret_sealed: Mapped[bytes]
    last_step: Mapped[int]
    wrong_codes: Mapped[int] = mapped_column(server_default="0")
    created_at: Mapped[datetime] = mapped_column(INSTANT)
    used_at: Mapped[datetime | None] = mapped_column(INSTANT)


class PasskeyRow(Base):
    """A key pair of somebody's device or account, of which we hold the public half."""

    __tablename__ = "identity_passkeys"
    __table_args__ = (
        sa.UniqueConstraint("tenant_id", "credential_id"),
        sa.Index(None, "tenant_id", "person_id"),
    )
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID]
    credential_id: Mapped[bytes]
    public_key: Mapped[bytes]
    sign_count: Mapped[int]
    is_synced: Mapped[bool]
    agent: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(INSTANT)
    used_at: Mapped[datetime | None] = mapped_column(INSTANT)


class RecoveryCodeRow(Base):
    """One of the codes on the sheet that somebody keeps for the day they lose their device."""

    __tablename__ = "identity_recovery_codes"
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    code_hash: Mapped[bytes] = mapped_column(primary_key=True)
    created_at: Mapped[datetime] = mapped_column(INSTANT)
    used_at: Mapped[datetime | None] = mapped_column(INSTANT)


class UsedChallengeRow(Base):
    """A challenge that a passkey has answered: it is answered once."""

    __tablename__ = "identity_used_challenges"
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    challenge_hash: Mapped[bytes] = mapped_column(primary_key=True)
    kept_until: Mapped[datetime] = mapped_column(INSTANT)


class ResetRow(Base):
    """Somebody who says that they have forgotten the password of an address, known here or not.

    The code is made and mailed later, and only to an address that is known, so that asking takes
    as long for any other.
    """

    __tablename__ = "identity_resets"
    __table_args__ = (sa.Index(None, "tenant_id", "email_index"),)
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    email_index: Mapped[bytes]
    locale: Mapped[str]
    code_hash: Mapped[bytes | None]
    tries: Mapped[int] = mapped_column(server_default="0")
    created_at: Mapped[datetime] = mapped_column(INSTANT)
    expires_at: Mapped[datetime] = mapped_column(INSTANT)
    used_at: Mapped[datetime | None] = mapped_column(INSTANT)
