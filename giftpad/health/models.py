"""The last value of each figure; all rows are the platform tenant's."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from giftpad.kernel.db import Base


class HealthFigure(Base):
    """What was measured last under one name, and when."""

    __tablename__ = "health_figures"
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[dict[str, Any]] = mapped_column(JSONB)
    measured_at: Mapped[datetime] = mapped_column(sa.DateTime(timezone=True))
