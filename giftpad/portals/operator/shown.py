"""Figures and problems as the health page says them.

Hides: that a figure which is missing or old is shown as unknown, with the time of the last one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from flask import url_for

from giftpad import health, tenancy
from giftpad.health import Health, Problem
from giftpad.kernel.i18n import mark
from giftpad.portals.words import count_in_words, local, number, say_in_words

WORDS = {"ng": mark("Act now"), "warn": mark("To check")}
UNKNOWN = mark("unknown")
ADVICE: Mapping[str, str] = {
    "database": mark(
        "Look whether PostgreSQL runs and has room on its disk. Nothing that was paid is lost."
    ),
    "watch": mark("Look with giftpad status whether the part watch runs, and restart it."),
    "redis": mark("Start Redis again. Payments go on; prints and mail wait and then go on."),
    "replica": mark("Look at the standby: its disk, its network and its log."),
    "unknown": mark("If it does not come back within a minute, look at the log of the part watch."),
    "part": mark("It is started again by itself. If that fails, look at its log."),
    "relay": mark("Look at the log of the relay, mend what it names, then restart it."),
    "outbox": mark("Look whether relay and workers run. What waits goes on by itself."),
    "queue": mark("Look whether the workers run. What waits goes on by itself."),
    "dead": mark("Look at what failed, mend the cause, then let it be done again."),
    "ledger": mark(
        "Change nothing by hand. Run giftpad ledger verify, and keep what it says for whoever"
        " looks into it."
    ),
    "proof": mark("Books are proved by themselves every day. Look whether the workers run."),
    "backup": mark("Run giftpad backup, and let it run every night."),
    "keys": mark("Run giftpad keys rotate."),
    "share": mark("When the rush is over, run giftpad admission set --share 64/64."),
    "feature": mark("When the rush is over, run giftpad feature on {feature}."),
    "metrics": mark(
        "End the other program, or choose another port with GIFTPAD_METRICS_PORT and restart"
        " Giftpad."
    ),
    "faults": mark("Look in the log of the web server for what went wrong."),
    "gifts": mark("Look at what each has stopped at, and start it again."),
    "batches": mark("Whoever ordered them can have them printed again, from the page of the run."),
}
"""What to do, by the first part of a problem's key."""
MINUTE_S, HOUR_S = 60, 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Todo:
    """One problem: its sign, its sentence, and what leads on."""

    key: str
    chip: str
    word: str
    sentence: str
    advice: str
    page: str
    href: str
    verb: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """One figure: its words, or that it is unknown and since when."""

    label: str
    text: str | None
    measured_at: datetime | None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantRow:
    """One tenant, as far as it gives cause to look."""

    slug: str
    name: Mapping[str, str]
    locale: str
    payments: int | None
    requests: int
    p95: str
    faults: str
    waiting: int
    dead: int
    proof: str
    is_bad: bool
    is_suspended: bool

    def name_in(self, locale: str) -> str:
        """Return the tenant's name in ``locale``, or in its own language."""
        return self.name.get(locale, self.name[self.locale])


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """The whole page."""

    at: datetime
    todos: Sequence[Todo]
    fresh: Sequence[Todo]
    """Those that the page has not shown before."""
    moving: Sequence[Value] = ()
    servers: Sequence[Value] = ()
    care: Sequence[Value] = ()
    parts: Sequence[Mapping[str, Any]] | None = None
    queues: Sequence[Mapping[str, Any]] | None = None
    tenants: Sequence[TenantRow] = ()
    batches: Mapping[str, int] | None = None
    times: Mapping[str, datetime | None] = field(default_factory=dict)
    """When each table was measured last."""

    @property
    def seen(self) -> str:
        """What the next look need not announce."""
        return ",".join(todo.key for todo in self.todos)


def span(seconds: float) -> str:
    """Say how long something took or lasts, by the largest unit that says enough."""
    if seconds < 1:
        return say_in_words(mark("{n} ms"), n=round(seconds * 1000))
    if seconds < 2 * MINUTE_S:
        return say_in_words(mark("{n} s"), n=round(seconds))
    if seconds < 2 * HOUR_S:
        return say_in_words(mark("{n} min"), n=round(seconds / MINUTE_S))
    return say_in_words(mark("{n} h"), n=round(seconds / HOUR_S))


def second_clock(instant: datetime) -> str:
    """Write the hour, minute and second of an instant."""
    return f"{local(instant):%-H:%M:%S}"


def show_nothing(at: datetime, seen: frozenset[str]) -> Shown:
    """Return the page of a moment at which the database does not answer."""
    problem = Problem(
        key="database", kind="ng", sentence=mark("The database does not answer right now.")
    )
    return _with_todos([problem], at, seen)


def _with_todos(problems: Sequence[Problem], at: datetime, seen: frozenset[str]) -> Shown:
    todos = [_todo(problem) for problem in problems]
    return Shown(at=at, todos=todos, fresh=[todo for todo in todos if todo.key not in seen])


def _params(params: Mapping[str, object]) -> dict[str, object]:
    """Return what a sentence names: seconds (``…_s``) as people say how long something lasts."""
    return {
        name.removesuffix("_s"): span(value)
        if name.endswith("_s") and isinstance(value, int | float)
        else value
        for name, value in params.items()
    }


def _todo(problem: Problem) -> Todo:
    href, verb = "", ""
    if problem.key == "dead":
        href, verb = url_for("operator_dead.index"), mark("Look at it")
    elif problem.key == "gifts":
        href, verb = url_for("operator_gifts.index"), mark("Look at it")
    return Todo(
        key=problem.key,
        chip=problem.kind,
        word=WORDS[problem.kind],
        sentence=say_in_words(problem.sentence, **_params(problem.params)),
        advice=say_in_words(ADVICE[problem.key.partition(":")[0]], **problem.params),
        page=f"docs/operating/{problem.page}.md",
        href=href,
        verb=verb,
    )


def show(found: Health, tenants: Sequence[tenancy.Tenant], seen: frozenset[str]) -> Shown:
    """Return the page for what was measured; ``seen`` are the problems it has shown before."""
    base = _with_todos(found.problems(), found.at, seen)
    parts = (found.find("parts") or {}).get("parts")
    money = found.find("money")
    return Shown(
        at=base.at,
        todos=base.todos,
        fresh=base.fresh,
        moving=_moving(found),
        servers=_servers(found),
        care=_care(found),
        parts=parts,
        queues=_queues(found),
        tenants=_tenants(found, tenants),
        batches=None if money is None else money["batches"],
        times={name: found.measured_at(name) for name in ("parts", "queues", "money", "web")},
    )


def _moving(found: Health) -> list[Value]:
    money, web, outbox = found.find("money"), found.find("web"), found.find("outbox")
    return [
        Value(
            label=mark("Payments in a minute"),
            text=number(money["payments"]) if money else None,
            measured_at=found.measured_at("money"),
            note=_payments_note(money),
        ),
        Value(
            label=mark("Answers, 95 of 100 within"),
            text=_within(web),
            measured_at=found.measured_at("web"),
            note=_faults_note(web),
        ),
        Value(
            label=mark("The relay is behind by"),
            text=span(outbox["relay_lag_s"]) if outbox else None,
            measured_at=found.measured_at("outbox"),
        ),
        Value(
            label=mark("Events that wait"),
            text=number(outbox["waiting"]) if outbox else None,
            measured_at=found.measured_at("outbox"),
            note=_waiting_note(outbox),
        ),
    ]


def _payments_note(money: Any) -> str:
    if money is None or money["payments"]:
        return ""
    return say_in_words(
        mark("No payment in the last minute. At night that is usual; by day, ask a shop.")
    )


def _within(web: Any) -> str | None:
    if web is None:
        return None
    p95_s = web["p95_s"]
    return say_in_words(mark("no requests")) if p95_s is None else span(p95_s)


def _faults_note(web: Any) -> str:
    if web is None:
        return ""
    return say_in_words(
        mark("Requests in {span}: {n}. Faults of ours: {faults}."),
        n=web["requests"],
        span=span(web["seconds"]),
        faults=web["faults"],
    )


def _waiting_note(outbox: Any) -> str:
    if outbox is None:
        return ""
    if not outbox["waiting"]:
        return say_in_words(mark("Given up: {n}"), n=outbox["dead"])
    return say_in_words(
        mark("the oldest for {span}. Given up: {n}"),
        span=span(outbox["oldest_s"]),
        n=outbox["dead"],
    )


def _servers(found: Health) -> list[Value]:
    database, redis = found.find("database"), found.find("redis")
    return [
        Value(
            label=mark("PostgreSQL"),
            text=say_in_words(mark("answers")) if database else None,
            measured_at=found.measured_at("database"),
            note=_database_note(database),
        ),
        Value(
            label=mark("Standby"),
            text=_standby(database),
            measured_at=found.measured_at("database"),
        ),
        Value(
            label=mark("Redis"),
            text=None
            if redis is None
            else say_in_words(mark("answers") if redis["up"] else mark("does not answer")),
            measured_at=found.measured_at("redis"),
        ),
        _metrics(found),
    ]


def _database_note(database: Any) -> str:
    if database is None:
        return ""
    count = sum(database["connections"].values())
    return count_in_words(mark("1 connection"), mark("{n} connections"), count)


def _standby(database: Any) -> str | None:
    if database is None:
        return None
    if not database["standbys"]:
        return say_in_words(mark("none"))
    lag_s = database["lag_s"]
    if lag_s is None:
        return None
    return say_in_words(mark("{span} behind"), span=span(lag_s))


def _served(metrics: Any) -> str:
    if metrics["is_served"]:
        return mark("port {port}")
    return mark("not served") if metrics["port"] else mark("switched off")


def _metrics(found: Health) -> Value:
    metrics = found.find("metrics")
    text, note = None, ""
    if metrics is not None:
        text = say_in_words(
            _served(metrics),
            port=str(metrics["port"]),
        )
        if metrics["port"] and not metrics["is_served"]:
            note = say_in_words(mark("port {port}"), port=str(metrics["port"]))
    return Value(
        label=mark("Metrics for Prometheus"),
        text=text,
        measured_at=found.measured_at("metrics"),
        note=note,
    )


def _care(found: Health) -> list[Value]:
    proofs = found.proofs
    proved_at = min((proof.measured_at for proof in proofs.values()), default=None)
    faults = sum(proof.value["faults"] for proof in proofs.values())
    backup_at = found.measured_at("backup")
    keys = found.find("keys")
    since = keys["signs_since"] if keys else None
    return [
        Value(
            label=mark("Books"),
            text=_differences(faults) if proofs and (faults or not found.unproved) else None,
            measured_at=proved_at,
            note=_proof_note(proved_at, len(proofs)),
        ),
        Value(
            label=mark("Last backup"),
            text=say_in_words(mark("none yet"))
            if backup_at is None
            else _ago(found.at - backup_at),
            measured_at=backup_at,
            note=say_in_words(mark("taken on {at}"), at=backup_at) if backup_at else "",
        ),
        Value(
            label=mark("Signing keys"),
            text=number(keys["count"]) if keys else None,
            measured_at=found.measured_at("keys"),
            note=_rotation_note(since),
        ),
    ]


def _proof_note(proved_at: datetime | None, count: int) -> str:
    if proved_at is None:
        return ""
    return count_in_words(
        mark("1 tenant, proved on {at}"),
        mark("{n} tenants, the oldest proof on {at}"),
        count,
        at=proved_at,
    )


def _rotation_note(since: str | None) -> str:
    if since is None:
        return ""
    due = datetime.fromisoformat(since) + health.KEY_AGE_MAX
    return say_in_words(mark("to be changed by {due}"), due=local(due).date())


def _ago(age: timedelta) -> str:
    return say_in_words(mark("{span} ago"), span=span(age.total_seconds()))


def _queues(found: Health) -> list[dict[str, Any]] | None:
    queues = found.find("queues")
    if queues is None:
        return None
    rows = [
        {
            "name": name,
            "jobs": queue["jobs"],
            "oldest": span(queue["oldest_s"]) if queue["jobs"] else "",
            "limit": span(health.queue_age_max_s(name)),
            "is_late": bool(queue["jobs"]) and queue["oldest_s"] > health.queue_age_max_s(name),
        }
        for name, queue in queues.items()
    ]
    return sorted(rows, key=lambda row: (not row["is_late"], -row["jobs"], row["name"]))


def _tenants(found: Health, tenants: Sequence[tenancy.Tenant]) -> list[TenantRow]:
    web = {one["slug"]: one for one in (found.find("web") or {}).get("tenants", [])}
    rails = (found.find("outbox") or {}).get("tenants", {})
    money, proofs = found.find("money"), found.proofs
    rows = []
    for tenant in tenants:
        asked = web.get(tenant.slug, {"requests": 0, "p95_s": None, "fault_share": 0.0})
        # A process of another age may have written fewer figures.
        rail = {"waiting": 0, "dead": 0} | rails.get(str(tenant.id), {})
        proof = proofs.get(tenant.slug)
        faults = proof.value["faults"] if proof is not None else 0
        rows.append(
            TenantRow(
                slug=tenant.slug,
                name=tenant.names,
                locale=tenant.locale,
                payments=money["by_tenant"].get(tenant.slug, 0) if money else None,
                requests=asked["requests"],
                p95="" if asked["p95_s"] is None else span(asked["p95_s"]),
                faults=f"{asked['fault_share']:.1%}" if asked["requests"] else "",
                waiting=rail["waiting"],
                dead=rail["dead"],
                proof=_books(faults, is_proved=proof is not None),
                is_bad=bool(rail["dead"] or faults or asked["fault_share"]),
                is_suspended=tenant.is_suspended,
            )
        )
    return sorted(rows, key=lambda row: (not row.is_bad, -row.dead, -row.requests, row.slug))


def _books(faults: int, *, is_proved: bool) -> str:
    if not is_proved:
        return say_in_words(UNKNOWN)
    if not faults:
        return say_in_words(mark("agree"))
    return _differences(faults)


def _differences(count: int) -> str:
    return count_in_words(mark("1 difference"), mark("{n} differences"), count)
