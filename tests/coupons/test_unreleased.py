"""How much value waits for its release."""

from __future__ import annotations

import pytest

from giftpad import coupons
from giftpad.kernel.work import unit_of_work
from tests import make_coupons as mk
from tests.pump import pump


@pytest.fixture
def town(house):
    return mk.make_town()


def waiting(town, programme_id=None):
    with unit_of_work(town.scope) as work:
        return coupons.sum_unreleased(work, programme_id)


def test_value_waits_from_its_issue_to_its_release(town, settings):
    assert waiting(town) == 0
    batch_id = mk.order(town, 3)
    assert waiting(town) == 0
    pump(settings)
    assert waiting(town) == 3000
    mk.release(town, batch_id)
    assert waiting(town) == 0


def test_it_is_told_by_programme_and_never_of_another_town(town, settings):
    mk.order(town, 3)
    pump(settings)
    other_id = mk.add_programme(town, "ZZ")
    assert waiting(town, town.programme_id) == 3000
    assert waiting(town, other_id) == 0
    assert waiting(mk.make_town("OT")) == 0


def test_a_replacement_counts_once(town, settings):
    batch_id = mk.order(town, 3)
    pump(settings)
    with unit_of_work(town.scope) as work:
        serial = coupons.list_manifest(work, batch_id)[0].serial
        new_id = coupons.replace(work, serial, reason="lost")
    pump(settings)
    assert waiting(town) == 3000
    mk.release(town, batch_id)
    assert waiting(town) == 1000
    mk.release(town, new_id)
    assert waiting(town) == 0


def test_a_replacement_of_what_is_released_does_not_wait(town, settings):
    batch_id = mk.order(town, 3)
    pump(settings)
    mk.release(town, batch_id)
    with unit_of_work(town.scope) as work:
        serial = coupons.list_manifest(work, batch_id)[0].serial
        coupons.replace(work, serial, reason="lost")
    assert waiting(town) == 0
