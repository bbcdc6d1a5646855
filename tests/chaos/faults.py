"""The faults: each a function of the leg that does the harm and returns when it is over.

What a function returns are notes for the summary; ``back_s`` among them is how long the part
that was hit took to be back.
"""

from __future__ import annotations

import contextlib
import random
import signal
import time
from datetime import timedelta
from typing import Any

import psycopg
import redis

from giftpad import local
from giftpad.local.processes import listening_on, members_of_session, working_in
from tests.chaos.checker import FREE_PLACES
from tests.chaos.gifts import SHARES, place
from tests.chaos.line import Line
from tests.chaos.proxy import WHOLE, Hurt, Proxy
from tests.chaos.world import Leg, kill, wait_for
from tests.make import move_clock

HELD_S = 4.0
HALF_WITHIN_S = 240.0
HALF_ISSUED = """
    SELECT 1 FROM gift_orders WHERE id = %s AND issued_to > 0
"""
HALF_MAILED = """
    SELECT 1 FROM gift_orders o JOIN messaging_messages m
        ON m.tenant_id = o.tenant_id AND m.run_id = o.run_id
    WHERE o.id = %s AND m.state = 'sending' LIMIT 1
"""
FILLED_WITHIN_S = 30.0
REDIS_AWAY_S = 6.0
CONNECTIONS_MAX = 300
PARTS = (
    *("web", "relay", "jobs-1", "jobs-2", "jobs-3", "jobs-codes"),
    *("scheduler", "watch", "postgres", "redis"),
)
ISSUING, MAILING = "whoever issues gifts", "whoever mails gifts"
GIVERS = ("jobs-2", "jobs-3")
"""The workers that issue gifts and send their letters."""
KILLS = (*PARTS, "web worker", "postgres backend", ISSUING, MAILING)

Notes = dict[str, Any]


def kill_part(leg: Leg, part: str) -> Notes:
    """End a part without warning and wait until the supervisor has it up again."""
    begun = time.monotonic()
    if part == "web worker":
        _kill_web_worker(leg)
    elif part == "postgres backend":
        _kill_backend(leg)
    elif part in (ISSUING, MAILING):
        begun = _kill_givers(leg, part)
    else:
        _kill_programs(leg, part)
    return {"back_s": time.monotonic() - begun}


def _kill_programs(leg: Leg, *names: str) -> None:
    pids = {name: leg.pid_of(name) for name in names}
    for pid in pids.values():
        kill(pid)

    def is_back(name: str) -> bool:
        now = leg.state_of(name)
        fresh = bool(now.get("process")) and now["process"]["pid"] != pids[name]
        return fresh and now["state"] == "up"

    wait_for(lambda: all(map(is_back, names)), f"{' and '.join(names)} to be back")


def _kill_givers(leg: Leg, what: str) -> float:
    """Order gifts, and kill in the middle of issuing or of mailing them; return when it was."""
    line = Line(leg.town.giver.caller, leg.journal, f"{leg.run.seed}-kill")
    is_issuing = what == ISSUING
    mailed, by_link = SHARES["issued" if is_issuing else "mailed"]
    order_id = place(line, leg.town.giver, mailed, by_link)
    line.close()
    statement = HALF_ISSUED if is_issuing else HALF_MAILED
    with psycopg.connect(leg.superuser, autocommit=True) as connection:
        # Whoever was killed before left places taken: the letters would wait until these are free.
        connection.execute(FREE_PLACES)
        deadline = time.monotonic() + HALF_WITHIN_S
        # The last chunk may be quicker than a look at the one before; then the letters are met.
        while connection.execute(statement, [order_id]).fetchone() is None:
            assert time.monotonic() < deadline, f"waited in vain for {what}"
            time.sleep(0.005)
    begun = time.monotonic()
    _kill_programs(leg, *GIVERS)
    return begun


def _kill_web_worker(leg: Leg) -> None:
    leader = leg.pid_of("web")

    def listeners() -> set[int]:
        return listening_on(leg.product.port, members_of_session(leader))

    wait_for(lambda: len(listeners()) >= 2, "two web workers")
    killed = min(listeners())
    kill(killed)

    def is_back() -> bool:
        if leg.pid_of("web") != leader:  # granian gave up, and the supervisor began anew
            return bool(leg.state_of("web")["state"] == "up")
        return killed not in listeners() and len(listeners()) >= 2

    wait_for(is_back, "a new web worker")


def _kill_backend(leg: Leg) -> None:
    """End one process of PostgreSQL: the server throws everybody out and recovers."""
    statement = (
        "SELECT pid FROM pg_stat_activity WHERE usename = 'giftpad_app'"
        " ORDER BY state = 'active' DESC, state_change DESC LIMIT 1"
    )
    with contextlib.suppress(psycopg.OperationalError):
        with psycopg.connect(leg.superuser, autocommit=True) as connection:
            kill(connection.execute(statement).fetchone()[0])
            connection.execute("SELECT pg_sleep(5)")  # until this connection is thrown out, too

    def answers() -> bool:
        try:
            psycopg.connect(leg.superuser, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    wait_for(answers, "PostgreSQL to recover")


def _servers(leg: Leg) -> list[int]:
    """Return all processes of PostgreSQL; each is in a session of its own."""
    return working_in(local.EmbeddedPostgres(local.Home(leg.home)).data, program="postgres")


def kill_everything(leg: Leg) -> Notes:
    """End the supervisor and all parts at one instant, as a pulled plug does; start again."""
    begun = time.monotonic()
    home = local.Home(leg.home)
    holder = home.holder()
    assert holder is not None
    kill(holder.pid, signal.SIGSTOP)  # so that it starts nothing again
    leaders = [each["process"]["pid"] for each in home.read_state()["parts"] if each["process"]]
    for leader in leaders:
        for pid in members_of_session(leader):
            kill(pid)
    for pid in _servers(leg):
        kill(pid)
    kill(holder.pid)
    leg.product.must("up", "--detach")
    return {"back_s": time.monotonic() - begun}


def flush_redis(leg: Leg) -> Notes:
    """Wipe Redis, with every hint in it."""
    with redis.Redis.from_url(leg.settings.redis_url) as client:
        client.flushall()
    return {}


def freeze(leg: Leg, part: str) -> Notes:
    """Let a server stand still for a while: its connections stay and nothing comes of them."""
    pid = leg.pid_of(part)
    frozen = _servers(leg) if part == "postgres" else [pid]
    for each in frozen:
        kill(each, signal.SIGSTOP)
    try:
        time.sleep(HELD_S)
    finally:
        for each in frozen:
            kill(each, signal.SIGCONT)
    return {"back_s": 0.0}


def hurts(chance: random.Random) -> list[Hurt]:
    """Return what a connection may suffer, in an order of the run's own."""
    found = [
        Hurt(name="answers late", delay_s=0.4),
        Hurt(name="answers cut", cut_after=chance.randint(0, 300), chance=0.2),
        Hurt(name="asks cut", way="asks", cut_after=chance.randint(0, 300), chance=0.2),
        Hurt(name="half open", swallows=True, chance=0.3),
        Hurt(name="slow read", slow_bytes=16),
    ]
    chance.shuffle(found)
    return found


def hurt(proxy: Proxy, how: Hurt, held_s: float = HELD_S) -> Notes:
    """Hurt what passes a proxy for a while."""
    before = proxy.hurts
    proxy.hurt(how)
    try:
        time.sleep(held_s)
    finally:
        proxy.hurt(WHOLE)
    return {"back_s": 0.0, "hurts": proxy.hurts - before}


def set_clock(leg: Leg, by: timedelta, *, over: bool = False) -> None:
    """Set the clock that money is judged by; ``over``: the paper that ends soon has ended."""
    soon = {paper.serial for paper in leg.town.desk}
    with leg.town.clock_lock:
        leg.town.clock_moves += 1
        leg.town.giver.clock_moves += 1
        move_clock(leg.superuser, by)
        leg.town.expects_expired -= soon
        if over:
            leg.town.expects_expired |= soon


def move_time(leg: Leg, by: timedelta) -> Notes:
    """Move the clock while payments go on, run the job that expires, and move it back."""
    judged = leg.journal.counts["by the clock"]
    set_clock(leg, by, over=by > timedelta(days=5))
    wait_for(lambda: leg.journal.counts["by the clock"] >= judged + 4, "judgements by that clock")
    if by < timedelta(days=5):
        leg.expire()
    set_clock(leg, timedelta(0))
    return {"back_s": 0.0}


def exhaust_connections(leg: Leg) -> Notes:
    """Take every connection the server has for the product, and break those the product holds."""
    held: list[psycopg.Connection] = []
    url = leg.settings.database_url
    deadline = time.monotonic() + FILLED_WITHIN_S
    refused = 0
    with psycopg.connect(leg.superuser, autocommit=True) as admin:
        while time.monotonic() < deadline and len(held) < CONNECTIONS_MAX:
            try:
                held.append(psycopg.connect(url, connect_timeout=3, application_name="hog"))
            except psycopg.OperationalError:
                if not refused:  # full for the first time: from here on it is kept so
                    deadline = time.monotonic() + HELD_S
                refused += 1
                admin.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE usename = 'giftpad_app' AND application_name <> 'hog'"
                )
                time.sleep(0.05)
    for connection in held:
        connection.close()
    assert refused, "the server still had connections"
    return {"back_s": 0.0, "held": len(held)}


def restart(leg: Leg, *parts: str) -> Notes:
    """Restart programs one after the other while payments go on; none may fail."""
    counts = leg.journal.counts
    before = (counts["pay"], counts["ambiguous"], len(leg.journal.wrong))
    old = [leg.pid_of(part) for part in parts or ("web", "relay", "jobs-1", "jobs-2", "jobs-3")]
    begun = time.monotonic()
    leg.product.must("restart", *parts)
    back_s = time.monotonic() - begun
    wait_for(lambda: not any(members_of_session(pid) for pid in old), "the old ones to end")
    return {
        "back_s": back_s,
        "payments": counts["pay"] - before[0],
        "asked again": counts["ambiguous"] - before[1],
        "failed": len(leg.journal.wrong) - before[2],
    }
