"""Programmes set up through their door: book, rules for payments, lists, isolation."""

from __future__ import annotations

from dataclasses import replace

import pytest

from giftpad import ledger, programmes
from giftpad.kernel.ids import new_id
from giftpad.kernel.work import unit_of_work
from giftpad.payments.models import PaymentRules
from tests.make import make_tenant
from tests.programmes.test_rules import TERMS


@pytest.fixture
def scope(house):
    return make_tenant()


def set_up(scope, **changes):
    with unit_of_work(scope) as work:
        return programmes.set_programme(work, replace(TERMS, **changes))


def test_a_new_programme_has_a_book_and_rules(scope):
    programme_id, changed = set_up(scope, groups=("市内",), areas=("東",), ceiling_minor=5000)
    assert changed == ("opened",)
    with unit_of_work(scope) as work:
        found = programmes.get_programme(work, programme_id)
        rules = work.session.get(PaymentRules, (scope.tenant_id, programme_id))
        assert ledger.sum_by_kind(work, programme_id) == {"funding": 0, "breakage": 0}
    assert (found.slug, found.unit, found.groups) == ("kurashi", "JPY", ("市内",))
    assert (rules.unit, rules.ceiling_minor, rules.groups, rules.areas) == (
        "JPY",
        5000,
        ["市内"],
        ["東"],
    )


def test_setting_the_same_again_changes_nothing(scope):
    programme_id, _ = set_up(scope)
    assert set_up(scope) == (programme_id, ())


def test_a_changed_rule_reaches_payments(scope):
    programme_id, _ = set_up(scope, ceiling_minor=5000)
    assert set_up(scope, ceiling_minor=None) == (programme_id, ("ceiling_minor",))
    with unit_of_work(scope) as work:
        rules = work.session.get(PaymentRules, (scope.tenant_id, programme_id))
        assert rules.ceiling_minor is None


@pytest.mark.parametrize("changes", [{"unit": "EUR"}, {"serial_prefix": "XX"}])
def test_unit_and_prefix_never_change(scope, changes):
    set_up(scope)
    with pytest.raises(programmes.ProgrammeFixed):
        set_up(scope, **changes)


def test_programmes_are_found_by_prefix_and_slug_and_listed_in_pages(scope):
    ids = [set_up(scope, slug=f"p{n}", serial_prefix=f"P{n}")[0] for n in range(5)]
    with unit_of_work(scope) as work:
        assert programmes.find_programme_by_prefix(work, "p3").id == ids[3]
        assert programmes.find_programme_by_prefix(work, "ZZ") is None
        assert programmes.find_programme_by_slug(work, "p4").id == ids[4]
        first = programmes.list_programmes(work, limit=3)
        rest = programmes.list_programmes(work, first.next_after, limit=3)
    assert [p.id for p in first.items + rest.items] == ids
    assert rest.next_after is None


def test_a_programme_of_another_tenant_is_not_found(scope):
    programme_id, _ = set_up(scope)
    with unit_of_work(make_tenant()) as work:
        assert programmes.list_programmes(work).items == ()
        for strange in (programme_id, new_id()):
            with pytest.raises(programmes.ProgrammeNotFound):
                programmes.get_programme(work, strange)
