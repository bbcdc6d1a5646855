"""The daily figures of each programme."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from giftpad.kernel.db import Base

_NONE = sa.text("0")


class ReportingDay(Base):
    """What moved in one programme on one local day; fed by events, never read by payments."""

    __tablename__ = "reporting_days"
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    programme_id: Mapped[UUID] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    unit: Mapped[str]
    issued_count: Mapped[int] = mapped_column(server_default=_NONE)
    issued_minor: Mapped[int] = mapped_column(server_default=_NONE)
    paid_count: Mapped[int] = mapped_column(server_default=_NONE)
    paid_minor: Mapped[int] = mapped_column(server_default=_NONE)
    voided_count: Mapped[int] = mapped_column(server_default=_NONE)
    voided_minor: Mapped[int] = mapped_column(server_default=_NONE)
    refunded_count: Mapped[int] = mapped_column(server_default=_NONE)
    refunded_minor: Mapped[int] = mapped_column(server_default=_NONE)
    expired_minor: Mapped[int] = mapped_column(server_default=_NONE)
