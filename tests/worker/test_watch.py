"""The watch measures what there is, says what it cannot see, and serves it to Prometheus."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import urllib.request
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
import redis
import sqlalchemy as sa
from prometheus_client.parser import text_string_to_metric_families

from giftpad import gifts, health, ledger, payments, reporting, tenancy
from giftpad.health.adapters.exposition import GAUGES
from giftpad.health.jobs import ALONE, prove_books
from giftpad.kernel import metrics
from giftpad.kernel.db import Busy, DatabaseAway
from giftpad.kernel.errors import DomainError
from giftpad.kernel.work import Scope, unit_of_work
from giftpad.local.postgres import free_port
from tests import make
from tests.dead_letters import Letters
from worker.queues import connect, open_queue
from worker.watch import Watch, compare

ROOT = Path(__file__).resolve().parents[2]
PLATFORM = Scope(tenant_id=tenancy.PLATFORM_TENANT_ID)
NAME = re.compile(r"\bgiftpad_[a-z_]+")


@pytest.fixture
def watch(house, settings, town):
    with redis.Redis.from_url(settings.redis_url) as client:
        client.flushdb()
    found = Watch(replace(settings, metrics_port=free_port()))
    with contextlib.closing(found):
        yield found


def slug_of(town):
    return tenancy.get_tenant(town.scope.tenant_id).slug


def read():
    with unit_of_work(PLATFORM) as work:
        return health.read_health(work)


def scrape(watch):
    address = f"http://127.0.0.1:{watch.settings.metrics_port}/metrics"
    with urllib.request.urlopen(address, timeout=5) as answer:
        return answer.read().decode()


def samples(text, name):
    return {
        tuple(sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name
    }


def test_what_is_measured_is_written_down_with_its_time(watch, town):
    watch.look()
    found = read()
    assert found.find("database")["up"] is True
    assert found.find("database")["connections"]
    assert found.find("redis") == {"up": True}
    assert found.find("outbox")["waiting"] >= 1
    assert found.find("money")["by_tenant"][slug_of(town)] == 1
    assert found.find("keys")["count"] >= 0
    assert found.at - found.measured_at("outbox") < timedelta(seconds=30)


def test_jobs_that_wait_are_counted_with_the_age_of_the_first(watch):
    queue = open_queue("print", watch.redis)
    for _ in range(3):
        queue.enqueue("worker.jobs.deliver", "nobody", "x", "y", [])
    watch.look()
    found = read().find("queues")
    assert found["print"]["jobs"] == 3
    assert found["print"]["oldest_s"] >= 0
    assert found["otp"] == {"jobs": 0, "oldest_s": 0.0}


def test_dead_letters_are_counted_by_tenant(watch, town, settings):
    before = watch.look()["outbox"]["dead"]
    letters = Letters(settings)
    letters.wire()
    letters.give_up(town.scope, "one", "two")
    found = watch.look()["outbox"]
    assert found["dead"] == before + 2
    assert found["tenants"][str(town.scope.tenant_id)]["dead"] == 2
    assert "dead" in [problem.key for problem in read().problems()]


def test_without_redis_the_database_is_still_measured(watch):
    watch.redis = connect(f"redis://127.0.0.1:{free_port()}/0")
    figures = watch.look()
    assert figures["redis"] == {"up": False}
    assert "queues" not in figures
    found = read()
    assert found.find("outbox") is not None
    assert "redis" in [problem.key for problem in found.problems()]


def test_without_the_database_prometheus_is_told_so_and_nothing_else_is_made_up(watch):
    watch.look()
    if watch.rails is not None:
        watch.rails.close()
    gone = f"postgresql://nobody@127.0.0.1:{free_port()}/none"
    watch.settings = replace(watch.settings, database_relay_url=gone)
    watch.look()
    text = scrape(watch)
    assert samples(text, "giftpad_database_up") == {(): 0.0}
    assert samples(text, "giftpad_outbox_waiting") == {}
    assert samples(text, "giftpad_redis_up") == {(): 1.0}


@pytest.mark.parametrize(
    ("error", "is_up"),
    [
        (psycopg.errors.QueryCanceled(), True),
        (psycopg.OperationalError(), False),
        (Busy(), True),
        (DatabaseAway(), False),
    ],
)
def test_a_database_with_too_much_to_do_is_there_and_one_that_is_away_is_not(
    watch, monkeypatch, error, is_up
):
    def measure():
        raise error

    monkeypatch.setattr(health, "measure_money", measure)
    assert watch.look()["database"]["up"] is is_up


def test_a_taken_port_is_no_reason_to_stop_and_is_told_once(watch, monkeypatch):
    told = []
    monkeypatch.setattr("worker.watch.log.warning", lambda said, **_: told.append(said))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        watch.settings = replace(watch.settings, metrics_port=taken.getsockname()[1])
        figures = watch.look()
        watch.port_due_at = 0.0
        watch.look()
    assert figures["metrics"]["is_served"] is False
    assert figures["metrics"]["is_taken"] is True
    assert told == ["metrics are not served"], "told once, not every half minute"
    watch.port_due_at = 0.0
    figures |= watch.look()
    assert (figures["metrics"]["is_served"], figures["metrics"]["is_taken"]) == (True, False)
    assert figures["database"]["up"] is True


def test_metrics_can_be_switched_off(watch):
    watch.settings = replace(watch.settings, metrics_port=0)
    assert watch.look()["metrics"] == {"port": 0, "is_served": False, "is_taken": False}


def test_a_proof_that_runs_is_not_begun_beside_itself(house, town):
    with unit_of_work(town.scope) as work:
        name = f"proof of {town.scope.tenant_id}"
        assert work.session.execute(ALONE, {"name": name}).scalar_one()
        assert prove_books(town.scope) is False
    assert prove_books(town.scope) is True


@pytest.mark.parametrize(
    "prove", [ledger.verify, payments.verify, gifts.verify, reporting.check_figures]
)
def test_a_proof_is_planned_for_the_rows_that_there_are(house, town, prove):
    """Whoever proves again and again would keep a plan that was made for an empty ledger."""

    def plans(work):
        return work.session.execute(sa.text("SHOW plan_cache_mode")).scalar_one()

    with unit_of_work(town.scope) as work:
        prove(work)
        assert plans(work) == "force_custom_plan"
    with unit_of_work(town.scope) as work:
        assert plans(work) == "auto", "what is asked for a request keeps its plan"


def test_the_books_are_proved_when_it_is_time_and_the_proof_is_kept(house, town, superuser_url):
    slug = slug_of(town)
    assert prove_books(town.scope) is True
    before = read().proofs[slug].value["faults"]  # of coupons made without their events
    assert prove_books(town.scope) is False, "it was proved a moment ago"
    with psycopg.connect(superuser_url) as connection:
        connection.execute(
            "UPDATE ledger_accounts SET balance_minor = balance_minor + 1"
            " WHERE tenant_id = %s AND balance_minor > 0",
            [town.scope.tenant_id],
        )
        connection.execute(
            "UPDATE health_figures SET measured_at = measured_at - interval '1 day'"
            " WHERE name = %s",
            [f"proof:{slug}"],
        )
    assert prove_books(town.scope) is True
    assert read().proofs[slug].value["faults"] > before
    assert f"ledger:{slug}" in [problem.key for problem in read().problems()]


def counted(route_counts, faults=0):
    found = metrics.Counted()
    for number, count in enumerate(route_counts):
        found.times["giftpad_http_request_seconds"]["/api/v1/payments",].counts[number] += count
        found.times["giftpad_tenant_request_seconds"]["midori-city",].counts[number] += count
    found.counters["giftpad_http_requests_total"]["POST", "/api/v1/payments", "500"] = faults
    found.counters["giftpad_tenant_faults_total"]["midori-city",] = faults
    return found


def test_speed_and_faults_are_those_of_the_last_minutes_not_of_all_time():
    before, now = counted([1000, 0, 0], faults=50), counted([1000, 0, 100], faults=51)
    found = compare(before, now, 300)
    assert (found["requests"], found["p95_s"], found["faults"]) == (100, 0.025, 1)
    (tenant,) = found["tenants"]
    assert (tenant["slug"], tenant["requests"], tenant["fault_share"]) == ("midori-city", 100, 0.01)
    assert compare(now, now, 10)["p95_s"] is None


def test_every_metric_that_dashboard_and_alerts_ask_for_is_served(watch, tmp_path):
    home = tmp_path / "home"
    watch.settings = replace(watch.settings, home=home)
    folder = metrics.folder_of(home)
    folder.mkdir(parents=True)
    (folder / "one.json").write_bytes(metrics._pack(every_count()))
    open_queue("print", watch.redis).enqueue("worker.jobs.deliver", "nobody", "x", "y", [])
    health.note_backup(database_bytes=1, files=0)
    health.note_proof("midori-city", faults=0, seconds=0.1)
    watch.look()
    text = scrape(watch)
    served = {
        name
        for family in text_string_to_metric_families(text)
        for name in (family.name, f"{family.name}_total", *(s.name for s in family.samples))
    }
    assert {gauge.name for gauge in GAUGES} <= served
    for file in ("deploy/grafana/giftpad.json", "deploy/prometheus/alerts.yml"):
        asked = set(NAME.findall((ROOT / file).read_text()))
        assert asked
        assert asked <= served, (file, asked - served)
    json.loads((ROOT / "deploy/grafana/giftpad.json").read_text())


def every_count():
    found = metrics.Counted()
    for declared in metrics.COUNTERS:
        found.counters[declared.name][tuple(declared.labels)] = 3
    for declared in metrics.TIMES:
        found.times[declared.name][tuple(declared.labels)].counts[2] = 5
    return found


def test_payments_refusals_and_deliveries_are_counted_as_they_happen(house, town, settings):
    before = metrics.own_counts().counters
    order = make.pay_order(town, 10)
    payments.pay(town.scope, order)
    payments.pay(town.scope, order)
    with pytest.raises(DomainError):
        payments.pay(town.scope, make.pay_order(town, 999_999))
    letters = Letters(settings)
    letters.wire()
    letters.give_up(town.scope, "one")
    now = metrics.own_counts()
    paid = {
        name: n - before["giftpad_payments_total"][name,]
        for (name,), n in now.counters["giftpad_payments_total"].items()
    }
    assert (paid["captured"], paid["repeated"]) == (1, 1)
    assert sum(paid.values()) == 3
    handled = now.counters["giftpad_handled_total"]
    assert handled["payments.note_captured", "done"] >= 1
    assert handled["dead_letters.take", "dead"] >= 1
    assert handled["dead_letters.take", "failed"] >= 7
    assert now.times["giftpad_handled_seconds"]["payments.note_captured",].count >= 1
