"""A clerk at the till with coupons on the counter."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from giftpad.kernel.work import unit_of_work
from tests import make
from tests.make_pages import Site
from tests.portals.shop.tablets import Counter
from tests.portals.shop.till import Till

_FUNDING = sa.text("SELECT id FROM ledger_accounts WHERE book_id = :book AND kind = 'funding'")


@pytest.fixture
def till(site: Site) -> Till:
    """A clerk of the first shop, with coupons of 1,000 yen that were never on paper."""
    town = site.town()
    with unit_of_work(site.scope) as work:
        values = {"book": town.programme_id}
        town.funding_id = work.session.execute(_FUNDING, values).scalar_one()
    town.ends_at = datetime.now(UTC).replace(microsecond=0) + timedelta(days=90)
    make.issue(town, 3)
    coupons = [(coupon.qr, coupon.typed) for coupon in town.coupons]
    return Till(site=site, clerk=site.person("clerk"), coupons=coupons)


@pytest.fixture
def paper_till(site: Site) -> Till:
    """The same with coupons from the press, which have serials and can be stopped."""
    return Till(site=site, clerk=site.person("clerk"), coupons=site.paper(1))


@pytest.fixture
def counter(site: Site) -> Counter:
    """A tablet that nobody knows yet, and the phone of the shop's owner."""
    return Counter(site=site, tablet=site.nobody(), phone=site.person("shop_owner"))
