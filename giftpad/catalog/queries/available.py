"""What can be had now, in the words of SQL: one rule for every list, count and page."""

from __future__ import annotations

from datetime import date

from giftpad import tenancy
from giftpad.kernel.clock import local_date
from giftpad.kernel.work import Work

IS_LEFT = """
    (v.stock IS NULL OR v.stock > 0)
    AND (v.daily_limit IS NULL OR COALESCE(d.taken_count, 0) < v.daily_limit)
"""
WITH_COUNT = """
    LEFT JOIN catalog_daily_counts d
        ON d.tenant_id = v.tenant_id AND d.variant_id = v.id AND d.day = :day
"""
IS_AVAILABLE = f"""
    p.state = 'active' AND EXISTS (
        SELECT FROM catalog_variants v {WITH_COUNT}
        WHERE v.tenant_id = p.tenant_id AND v.product_id = p.id AND {IS_LEFT}
    )
"""


def today(work: Work) -> date:
    """Return the day it is in the tenant's zone."""
    return local_date(work.at, tenancy.get_tenant(work.tenant_id).zone)
