"""Figures, how long each is believed, and from where on one is a problem: values, no state."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from giftpad.guard import GROUPS
from giftpad.kernel.i18n import mark

FRESH = timedelta(seconds=60)
"""A figure that is measured every few seconds and is older than this counts as unknown."""
MONEY_FRESH = timedelta(seconds=180)
"""The same for what is measured tenant by tenant, once a minute."""
GIFT_ORDERS = "gift_orders"
FRESH_OF: Mapping[str, timedelta] = {"money": MONEY_FRESH, GIFT_ORDERS: MONEY_FRESH}

OUTBOX_AGE_MAX_S = 120
RELAY_LAG_MAX_S = 30
QUEUE_AGE_MAX_S: Mapping[str, int] = {"events": 60, "otp": 30, "tx-mail": 60, "tx-sms": 60}
HEAVY_QUEUE_AGE_MAX_S = 300
REPLICA_LAG_MAX_S = 30
PROOF_AGE_MAX = timedelta(hours=26)
BACKUP_AGE_MAX = timedelta(hours=26)
KEY_AGE_MAX = timedelta(days=91)
"""A day more than the schedule lets a key sign, unless it is told otherwise."""
FAULT_SHARE_MAX = 0.01
REQUESTS_JUDGED_MIN = 20
"""A share of fewer requests than this says nothing."""

PROOF = "proof:"
"""Before a tenant's slug: the name under which the proof of its books is kept."""
BACKUP = "backup"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure: its value, when it was measured, and whether that is recent enough."""

    value: Any
    measured_at: datetime
    is_known: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something that somebody must look at.

    ``key`` is the same as long as it is the same problem; ``kind`` is "ng" or "warn"; ``page`` is
    the file of docs/operating that says what to do.
    """

    key: str
    kind: str
    sentence: str
    params: Mapping[str, object] = field(default_factory=dict)
    page: str = "incident"
    tenant: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """All figures as they were read at ``at``."""

    figures: Mapping[str, Figure]
    at: datetime

    def find(self, name: str) -> Any:
        """Return a figure's value if it is recent enough; None where it is unknown."""
        found = self.figures.get(name)
        return found.value if found is not None and found.is_known else None

    def measured_at(self, name: str) -> datetime | None:
        """Return when a figure was measured last, however long ago."""
        found = self.figures.get(name)
        return found.measured_at if found is not None else None

    @property
    def proofs(self) -> dict[str, Figure]:
        """The last proof of each tenant's books, by slug."""
        return {
            name.removeprefix(PROOF): figure
            for name, figure in self.figures.items()
            if name.startswith(PROOF)
        }

    @property
    def unproved(self) -> list[str]:
        """The tenants whose books were never proved, as far as the tenants are known."""
        money = self.find("money") or {"tenants": []}
        return [slug for slug in money["tenants"] if slug not in self.proofs]

    def problems(self) -> list[Problem]:
        """Return what somebody must look at, the worst first."""
        found = [
            *_of_servers(self),
            *_unknown(self),
            *_of_parts(self),
            *_of_rails(self),
            *_of_books(self),
            *_of_care(self),
            *_of_metrics(self),
            *_of_tenants(self),
            *_of_gifts(self),
        ]
        return sorted(found, key=lambda problem: problem.kind != "ng")


def judge_age(name: str, measured_at: datetime, at: datetime) -> bool:
    """Whether a figure is recent enough to be believed; proofs and backups say their own age."""
    if name == BACKUP or name.startswith(PROOF):
        return True
    return at - measured_at <= FRESH_OF.get(name, FRESH)


def _of_servers(health: Health) -> Iterator[Problem]:
    database, redis = health.find("database"), health.find("redis")
    if database is None:
        yield Problem(
            key="watch",
            kind="ng",
            sentence=mark("Nothing is measured: the figures are old."),
            page="monitoring",
        )
        return
    if redis is not None and not redis["up"]:
        yield Problem(key="redis", kind="ng", sentence=mark("Redis does not answer."))
    lag_s = database["lag_s"]
    if database["standbys"] and lag_s is not None and lag_s > REPLICA_LAG_MAX_S:
        yield Problem(
            key="replica",
            kind="warn",
            sentence=mark("The standby is {n} seconds behind."),
            params={"n": round(lag_s)},
            page="failover",
        )


UNKNOWN: Mapping[str, str] = {
    "outbox": mark("Not known right now: what waits on the rails."),
    "redis": mark("Not known right now: whether Redis answers."),
    "queues": mark("Not known right now: what waits in the queues."),
    "web": mark("Not known right now: how the web server answers."),
    "parts": mark("Not known right now: which parts run."),
    "money": mark("Not known right now: how many payments there are."),
    "keys": mark("Not known right now: the signing keys."),
    GIFT_ORDERS: mark("Not known right now: how gift orders do."),
}
"""What is said of a figure that is missing or too old: it is never taken for good."""


def _unknown(health: Health) -> Iterator[Problem]:
    if health.find("database") is None:
        return  # nothing is known then, and that is said once
    redis = health.find("redis")
    for name, sentence in UNKNOWN.items():
        if health.find(name) is None and not (name == "queues" and redis and not redis["up"]):
            yield Problem(key=f"unknown:{name}", kind="warn", sentence=sentence, page="monitoring")


def _of_parts(health: Health) -> Iterator[Problem]:
    for part in (health.find("parts") or {}).get("parts", []):
        if part["state"] != "up":
            yield Problem(
                key=f"part:{part['name']}",
                kind="ng",
                sentence=mark("{part} is not running."),
                params={"part": part["name"]},
            )


def _of_rails(health: Health) -> Iterator[Problem]:
    outbox = health.find("outbox")
    if outbox is not None:
        if outbox["relay_lag_s"] > RELAY_LAG_MAX_S:
            yield Problem(
                key="relay",
                kind="ng",
                sentence=mark("The relay is {n} seconds behind."),
                params={"n": round(outbox["relay_lag_s"])},
                page="stuck-jobs",
            )
        elif outbox["oldest_s"] > OUTBOX_AGE_MAX_S:
            yield Problem(
                key="outbox",
                kind="warn",
                sentence=mark("An event has waited for {n} minutes."),
                params={"n": round(outbox["oldest_s"] / 60)},
                page="stuck-jobs",
            )
        if outbox["dead"]:
            yield Problem(
                key="dead",
                kind="ng",
                sentence=(
                    mark("One delivery was given up.")
                    if outbox["dead"] == 1
                    else mark("{n} deliveries were given up.")
                ),
                params={"n": outbox["dead"]},
                page="dead-letters",
            )
    for name, queue in (health.find("queues") or {}).items():
        most_s = queue_age_max_s(name)
        if queue["jobs"] and queue["oldest_s"] > most_s:
            yield Problem(
                key=f"queue:{name}",
                kind="warn",
                sentence=mark(
                    "Jobs that wait in {queue}: {n}, the oldest for {span} (limit {most})."
                ),
                params={
                    "queue": name,
                    "n": queue["jobs"],
                    "span_s": queue["oldest_s"],
                    "most_s": most_s,
                },
                page="stuck-jobs",
            )


def queue_age_max_s(name: str) -> int:
    """Return how long a job of a queue may wait."""
    return QUEUE_AGE_MAX_S.get(name, HEAVY_QUEUE_AGE_MAX_S)


def _of_books(health: Health) -> Iterator[Problem]:
    proofs = health.proofs
    for slug, proof in sorted(proofs.items()):
        if proof.value["faults"]:
            yield Problem(
                key=f"ledger:{slug}",
                kind="ng",
                sentence=mark("The books of {tenant} do not agree. Differences: {n}."),
                params={"tenant": slug, "n": proof.value["faults"]},
                tenant=slug,
            )
    oldest = min((proof.measured_at for proof in proofs.values()), default=None)
    if health.unproved or oldest is None:
        yield Problem(
            key="proof",
            kind="warn",
            sentence=mark("Tenants whose books have not been proved yet: {n}."),
            params={"n": max(len(health.unproved), 1)},
            page="monitoring",
        )
    elif health.at - oldest > PROOF_AGE_MAX:
        yield Problem(
            key="proof",
            kind="warn",
            sentence=mark("The books were proved last on {at}."),
            params={"at": oldest},
            page="monitoring",
        )


OFF: Mapping[str, str] = {
    "exports": mark("Downloads are switched off."),
    "imports": mark("Reading in files of shops is switched off."),
    "printing": mark("Ordering and printing coupons is switched off."),
    "dashboards": mark("Overview and lists of the desk are switched off."),
    "public-pages": mark("The pages of holders are switched off."),
    "lookups": mark("Look-ups through the API are switched off."),
}
"""What is said of each feature that is switched off."""


def _of_care(health: Health) -> Iterator[Problem]:
    backup = health.figures.get(BACKUP)
    if backup is None:
        yield Problem(
            key="backup", kind="warn", sentence=mark("There is no backup yet."), page="backup"
        )
    elif health.at - backup.measured_at > BACKUP_AGE_MAX:
        yield Problem(
            key="backup",
            kind="warn",
            sentence=mark("The last backup is from {at}."),
            params={"at": backup.measured_at},
            page="backup",
        )
    keys = health.find("keys")
    if keys is not None and (since := keys["signs_since"]) is not None:
        due = datetime.fromisoformat(since) + KEY_AGE_MAX
        if health.at > due:
            yield Problem(
                key="keys",
                kind="warn",
                sentence=mark("The signing key was to be changed on {due_day}."),
                params={"due_day": due.date().isoformat()},
                page="keys",
            )
    switches = health.find("features") or {"off": [], "share": GROUPS}
    if switches["share"] < GROUPS:
        yield Problem(
            key="share",
            kind="warn",
            sentence=mark("Visitors are let in by turns: {n} of {most} groups at a time."),
            params={"n": switches["share"], "most": GROUPS},
            page="overload",
        )
    for feature in switches["off"]:
        yield Problem(
            key=f"feature:{feature}",
            kind="warn",
            sentence=OFF.get(feature, mark("A part of Giftpad is switched off: {feature}.")),
            params={"feature": feature},
            page="overload",
        )


def _of_metrics(health: Health) -> Iterator[Problem]:
    metrics = health.find("metrics")
    if metrics is None or metrics["is_served"] or not metrics["port"]:
        return
    is_taken = metrics.get("is_taken", False)
    yield Problem(
        key="metrics",
        kind="warn",
        sentence=(
            mark("Metrics are not served: another program has port {port}.")
            if is_taken
            else mark("Metrics are not served: port {port} cannot be opened.")
        ),
        params={"port": str(metrics["port"])},
        page="monitoring",
    )


def _of_nobody(web: Mapping[str, Any], told: Iterable[Mapping[str, Any]]) -> Iterator[Problem]:
    """Tell of the faults that no tenant is told of, such as those before anybody is known."""
    told_faults = sum(round(one["requests"] * one["fault_share"]) for one in told)
    requests, faults = web["requests"], web["faults"] - told_faults
    if requests >= REQUESTS_JUDGED_MIN and faults > requests * FAULT_SHARE_MAX:
        yield Problem(
            key="faults",
            kind="warn",
            sentence=mark("{share} of all answers are faults of ours: {faults} of {n}."),
            params={
                "share": f"{web['faults'] / requests:.1%}",
                "faults": web["faults"],
                "n": requests,
            },
        )


def _of_tenants(health: Health) -> Iterator[Problem]:
    web = health.find("web")
    told = []
    for tenant in (web or {}).get("tenants", []):
        if tenant["requests"] >= REQUESTS_JUDGED_MIN and tenant["fault_share"] > FAULT_SHARE_MAX:
            told.append(tenant)
            yield Problem(
                key=f"faults:{tenant['slug']}",
                kind="warn",
                sentence=mark("{tenant}: {share} of the answers are faults of ours."),
                params={"tenant": tenant["slug"], "share": f"{tenant['fault_share']:.1%}"},
                tenant=tenant["slug"],
            )
    if web is not None:
        yield from _of_nobody(web, told)
    failed = (health.find("money") or {}).get("batches", {}).get("failed", 0)
    if failed:
        yield Problem(
            key="batches",
            kind="warn",
            sentence=mark("Print runs that failed their check: {n}."),
            params={"n": failed},
        )


def _of_gifts(health: Health) -> Iterator[Problem]:
    stuck = (health.find(GIFT_ORDERS) or {}).get("stuck", 0)
    if stuck:
        yield Problem(
            key="gifts",
            kind="warn",
            sentence=(
                mark("One gift order has stopped.")
                if stuck == 1
                else mark("{n} gift orders have stopped.")
            ),
            params={"n": stuck},
            page="stuck-jobs",
        )
