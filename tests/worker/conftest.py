"""A town in which something was paid."""

from __future__ import annotations

import pytest

from giftpad import payments
from tests import make


@pytest.fixture
def town(house):
    """A town with a coupon of which 10 are spent."""
    town = make.make_town()
    make.issue(town)
    payments.pay(town.scope, make.pay_order(town, 10))
    return town
