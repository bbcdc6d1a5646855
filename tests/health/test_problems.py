"""From figures to what somebody must look at: nothing unknown is ever taken for good."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from giftpad.guard import FEATURES
from giftpad.health import Figure, Health
from giftpad.health.jobs import pause_after
from giftpad.health.rules import OFF, UNKNOWN, judge_age, queue_age_max_s
from giftpad.portals.operator.shown import ADVICE

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
GOOD = {
    "database": {"up": True, "connections": {"idle": 3}, "standbys": 1, "lag_s": 0.2},
    "redis": {"up": True},
    "outbox": {"waiting": 2, "oldest_s": 1.0, "relay_lag_s": 0.1, "dead": 0, "tenants": {}},
    "queues": {"print": {"jobs": 12, "oldest_s": 20.0}},
    "web": {"requests": 100, "faults": 0, "p95_s": 0.05, "seconds": 300, "tenants": []},
    "parts": {"parts": [{"name": "web", "state": "up", "restarts": 3}]},
    "money": {
        "payments": 7,
        "tenants": ["midori-city"],
        "by_tenant": {},
        "batches": {"released": 2},
    },
    "gift_orders": {"stuck": 0, "counts": {"sent": 3}, "orders": []},
    "keys": {"count": 2, "signs_since": (NOW - timedelta(days=3)).isoformat()},
    "features": {"off": [], "share": 64},
    "backup": {"database_bytes": 1, "files": 0},
    "proof:midori-city": {"faults": 0, "seconds": 0.1},
}


def health(ages=None, **changed):
    """Return how things are: all well, but for what is changed, and measured so long ago."""
    figures = {name: value for name, value in {**GOOD, **changed}.items() if value is not None}
    ages = ages or {}
    return Health(
        figures={
            name: Figure(
                value=value,
                measured_at=(at := NOW - ages.get(name, timedelta(seconds=5))),
                is_known=judge_age(name, at, NOW),
            )
            for name, value in figures.items()
        },
        at=NOW,
    )


def keys(found):
    return [problem.key for problem in found.problems()]


def test_where_all_is_well_there_is_nothing_to_do():
    assert keys(health()) == []


@pytest.mark.parametrize("name", UNKNOWN)
def test_a_figure_that_is_missing_is_a_problem(name):
    assert keys(health(**{name: None})) == [f"unknown:{name}"]


@pytest.mark.parametrize("name", UNKNOWN)
def test_a_figure_that_is_old_is_a_problem_and_its_value_is_not_believed(name):
    found = health(ages={name: timedelta(minutes=4)})
    assert keys(found) == [f"unknown:{name}"]
    assert found.find(name) is None
    assert found.measured_at(name) == NOW - timedelta(minutes=4)


def test_where_nothing_is_measured_any_more_one_problem_says_so():
    found = health(ages=dict.fromkeys(GOOD, timedelta(seconds=61)))
    assert keys(found) == ["watch"]


CASES = {
    "redis": {"redis": {"up": False}, "queues": None},
    "replica": {"database": GOOD["database"] | {"lag_s": 31}},
    "part:relay": {"parts": {"parts": [{"name": "relay", "state": "waiting", "restarts": 9}]}},
    "relay": {"outbox": GOOD["outbox"] | {"relay_lag_s": 31, "oldest_s": 500}},
    "outbox": {"outbox": GOOD["outbox"] | {"oldest_s": 121}},
    "dead": {"outbox": GOOD["outbox"] | {"dead": 1}},
    "queue:print": {"queues": {"print": {"jobs": 1204, "oldest_s": 840.0}}},
    "queue:otp": {"queues": {"otp": {"jobs": 1, "oldest_s": 31.0}}},
    "ledger:midori-city": {"proof:midori-city": {"faults": 3, "seconds": 1}},
    "keys": {"keys": {"count": 2, "signs_since": (NOW - timedelta(days=92)).isoformat()}},
    "feature:exports": {"features": {"off": ["exports"], "share": 64}},
    "share": {"features": {"off": [], "share": 16}},
    "batches": {"money": GOOD["money"] | {"batches": {"failed": 1}}},
    "faults:midori-city": {
        "web": GOOD["web"]
        | {"tenants": [{"slug": "midori-city", "requests": 20, "fault_share": 0.05, "p95_s": 1}]}
    },
    "gifts": {"gift_orders": {"stuck": 2, "counts": {"issuing": 2}, "orders": []}},
    "faults": {"web": GOOD["web"] | {"requests": 500, "faults": 14}},
    "metrics": {"metrics": {"port": 9464, "is_served": False, "is_taken": True}},
    "backup": {"backup": None},
    "proof": {"money": GOOD["money"] | {"tenants": ["midori-city", "new-town"]}},
}


@pytest.mark.parametrize(("key", "changed"), CASES.items(), ids=CASES)
def test_each_thing_that_goes_wrong_is_told_once(key, changed):
    assert keys(health(**changed)) == [key]


@pytest.mark.parametrize("name", ["backup", "proof:midori-city"])
def test_a_backup_and_a_proof_are_judged_by_their_own_age(name):
    assert keys(health(ages={name: timedelta(hours=25)})) == []
    late = keys(health(ages={name: timedelta(hours=27)}))
    assert late == [name.partition(":")[0]]


def test_books_that_were_never_proved_are_not_good_even_where_nothing_else_is_known():
    assert keys(health(**{"proof:midori-city": None})) == ["proof"]
    assert "proof" in keys(health(**{"proof:midori-city": None, "money": None}))


def test_a_few_requests_of_which_one_failed_say_nothing_of_a_tenant():
    tenant = {"slug": "a", "requests": 19, "fault_share": 0.2, "p95_s": 1}
    assert keys(health(web=GOOD["web"] | {"tenants": [tenant]})) == []


def test_faults_that_a_tenant_is_told_of_are_not_told_twice_and_all_others_are():
    tenant = {"slug": "midori-city", "requests": 100, "fault_share": 0.05, "p95_s": 1}
    web = GOOD["web"] | {"requests": 200, "faults": 5, "tenants": [tenant]}
    assert keys(health(web=web)) == ["faults:midori-city"]
    assert keys(health(web=web | {"faults": 8})) == ["faults:midori-city", "faults"]
    few = tenant | {"requests": 19}
    assert keys(health(web=web | {"tenants": [few]})) == ["faults"]
    assert keys(health(web=GOOD["web"] | {"requests": 19, "faults": 19})) == []


@pytest.mark.parametrize(
    "metrics", [{"port": 0, "is_served": False}, {"port": 9464, "is_served": True}]
)
def test_metrics_that_nobody_wants_or_that_are_served_are_no_problem(metrics):
    assert keys(health(metrics=metrics)) == []


def test_every_problem_has_an_advice_and_every_feature_its_words():
    for key, changed in CASES.items():
        (problem,) = health(**changed).problems()
        assert problem.key == key
        assert ADVICE[key.partition(":")[0]]
    assert {"watch", "unknown", "database"} <= set(ADVICE)
    assert set(OFF) == set(FEATURES)


def test_what_must_be_done_now_comes_first():
    found = health(backup=None, outbox=GOOD["outbox"] | {"dead": 2})
    assert [(one.key, one.kind) for one in found.problems()] == [("dead", "ng"), ("backup", "warn")]


def test_a_print_may_wait_longer_than_a_code_for_signing_in():
    assert queue_age_max_s("otp") < queue_age_max_s("events") < queue_age_max_s("print")


def test_proofs_take_a_thousandth_of_the_time_and_come_at_least_once_a_day():
    assert pause_after(0.01) == timedelta(minutes=10)
    assert pause_after(20) == timedelta(seconds=20_000)
    assert pause_after(3600) == timedelta(hours=24)
