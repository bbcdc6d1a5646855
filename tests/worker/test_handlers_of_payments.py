"""Whoever follows payments keeps up with them: a handler takes many at once."""

from __future__ import annotations

import pytest

from giftpad.events.rules import list_subscriptions


@pytest.mark.usefixtures("house")
@pytest.mark.parametrize(
    "event", ["payment.captured_v1", "payment.voided_v1", "payment.refunded_v1"]
)
def test_a_handler_of_payments_takes_many_in_one_transaction(event):
    """One statement for each payment made the rails seven times as slow as tills can be."""
    found = list_subscriptions(event)
    assert len(found) >= 2
    assert [each.name for each in found if not (each.takes_many and each.in_transaction)] == []
