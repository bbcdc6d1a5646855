"""What happens in which order: four products, one after the other, each with its faults.

``embedded``: Giftpad with its own servers; kills, wipes, clock, connections, restarts.
``cut``: servers outside, behind proxies that cut, delay and swallow.
``disk``: the whole data folder on a small file system that fills up.
``standby``: a synchronous standby; the primary is killed and its data deleted.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import subprocess
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path

from tests.chaos import faults
from tests.chaos.proxy import Proxy
from tests.chaos.servers import OwnPostgres, OwnRedis, settings_at
from tests.chaos.standby import Pair
from tests.chaos.world import Leg, Run, wait_for

OTHERS_EVERY = 6
"""Rounds of kills for one of each other fault."""
PACE_OF_MANY = 0.5
"""Of the payments in the leg with most of the faults: each check counts all payments of a leg."""
A_FEW = 4
"""Of the other faults, in a run too short for all."""
CLOCKS = tuple(timedelta(hours=hours) for hours in (1, -1, 25, -25, 240))
DISK_BYTES = 900 * 1024 * 1024
BALLAST = bytes(65536)
REDIS_AWAY_S = 8.0
STANDBY_AWAY_S = 3.0

Step = tuple[str, str, Callable[[], faults.Notes | None]]


def embedded(run: Run, *, rounds: int) -> None:
    """Kill each target once in each round, in an order of the seed's; the others between."""
    chance = random.Random(run.seed)
    with Leg(run, "embedded", pace=PACE_OF_MANY) as leg:
        steps: list[Step] = []
        more = _others(leg, chance, rounds // OTHERS_EVERY)
        for number in range(rounds):
            targets = list(faults.KILLS)
            chance.shuffle(targets)
            steps += [("kill", part, partial(faults.kill_part, leg, part)) for part in targets]
            share = -(-len(more) // (rounds - number))
            steps += [more.pop() for _ in range(min(share, len(more)))]
        for kind, what, step in steps:
            leg.suffer(kind, what, step)


def _others(leg: Leg, chance: random.Random, count: int) -> list[Step]:
    found: list[Step] = []
    for _ in range(max(count, 1)):
        found += [
            ("client", how.name, partial(faults.hurt, leg.front, how))
            for how in faults.hurts(chance)
        ]
        found += [
            ("redis", "flushed", partial(faults.flush_redis, leg)),
            ("freeze", "redis", partial(faults.freeze, leg, "redis")),
            ("freeze", "postgres", partial(faults.freeze, leg, "postgres")),
            ("connections", "exhausted", partial(faults.exhaust_connections, leg)),
            ("restart", "rolling, all programs", partial(faults.restart, leg)),
            ("kill", "everything", partial(faults.kill_everything, leg)),
        ]
        found += [
            ("clock", f"{by.total_seconds() / 3600:+.0f} h", partial(faults.move_time, leg, by))
            for by in CLOCKS
        ]
    chance.shuffle(found)
    return found if count else found[:A_FEW]


def cut(run: Run, *, rounds: int) -> None:
    """Put proxies between the product and its servers, and hurt what passes."""
    chance = random.Random(run.seed + 1)
    folder = run.folder / "cut-servers"
    postgres, queue = OwnPostgres(folder / "postgres"), OwnRedis(folder / "redis")
    with contextlib.ExitStack() as after:
        folder.chmod(0o755)
        after.callback(shutil.rmtree, folder, ignore_errors=True)
        after.callback(postgres.remove)
        postgres.make()
        after.callback(queue.stop)
        queue.start()
        to_postgres, to_redis = Proxy(postgres.port, seed=run.seed), Proxy(queue.port)
        after.callback(to_postgres.close)
        after.callback(to_redis.close)
        kek = make_kek(folder / "kek")
        given = settings_at(postgres.urls(to_postgres.port), queue.url(to_redis.port), kek)
        straight = settings_at(postgres.urls(), queue.url(), kek)
        superuser = postgres.url("postgres")
        leg = after.enter_context(
            Leg(run, "cut", given=given, straight=straight, superuser=superuser)
        )
        for _ in range(rounds):
            steps: list[Step] = []
            for name, proxy in (("app-pg", to_postgres), ("app-redis", to_redis)):
                steps += [
                    (name, how.name, partial(faults.hurt, proxy, how))
                    for how in faults.hurts(chance)
                ]
            steps.append(("redis", "stopped and started", partial(_stop_redis, queue)))
            steps.append(("kill", "PostgreSQL outside", partial(_kill_postgres, postgres)))
            chance.shuffle(steps)
            for kind, what, step in steps:
                leg.suffer(kind, what, step)


def make_kek(path: Path) -> Path:
    """Make the key that an installation with servers outside is given."""
    path.write_bytes(os.urandom(32))
    path.chmod(0o600)
    return path


def _stop_redis(queue: OwnRedis) -> faults.Notes:
    queue.stop()
    time.sleep(REDIS_AWAY_S)
    queue.start()
    return {"back_s": 0.0}


def _kill_postgres(postgres: OwnPostgres) -> faults.Notes:
    postgres.kill()
    begun = time.monotonic()
    postgres.start()
    return {"back_s": time.monotonic() - begun}


def disk(run: Run, *, rounds: int) -> None:
    """Let the file system with the whole data folder fill up under load, then free it."""
    place = run.folder / "disk"
    place.mkdir(parents=True)
    if not _mount(place):
        run.notes["disk"] = "left out: only root may mount a small file system"
        run.say("disk: left out, only root may mount a small file system")
        return
    try:
        with Leg(run, "disk") as leg:
            for _ in range(rounds):
                leg.suffer("disk", "full", partial(_fill, leg, place / "ballast"))
    finally:
        subprocess.run([shutil.which("umount") or "umount", place], check=True)


def _mount(place: Path) -> bool:
    words = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES},mode=0755", "tmpfs", place]
    return os.geteuid() == 0 and subprocess.run(words, check=False).returncode == 0


def _fill(leg: Leg, ballast: Path) -> faults.Notes:
    refused = _count_503(leg)
    with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
        while file.write(BALLAST):
            pass
    begun = time.monotonic()
    try:
        wait_for(lambda: _count_503(leg) >= refused + 20, "refusals on a full disk")
        time.sleep(faults.HELD_S)
    finally:
        full_s = time.monotonic() - begun
        ballast.unlink()
    begun = time.monotonic()
    paid = leg.journal.payments
    wait_for(lambda: leg.journal.payments > paid + 5, "payments once there is space")
    return {"back_s": time.monotonic() - begun, "full_s": full_s}


def _count_503(leg: Leg) -> int:
    refused = [n for name, n in leg.journal.statuses.items() if name.startswith(("503", "0"))]
    return sum(refused)


def standby(run: Run, *, rounds: int) -> None:
    """Lose the primary with its data, promote the standby, make a new standby; ``rounds`` times."""
    folder = run.folder / "standby-servers"
    with contextlib.ExitStack() as after:
        pair = Pair(folder, run.say)
        folder.chmod(0o755)
        after.callback(shutil.rmtree, folder, ignore_errors=True)
        after.callback(pair.remove)
        queue = OwnRedis(folder / "redis")
        after.callback(queue.stop)
        queue.start()
        pair.make()
        given = pair.settings() | {
            "redis_url": queue.url(),
            "kek_file": str(make_kek(folder / "kek")),
        }
        superuser = pair.url("postgres")
        leg = after.enter_context(Leg(run, "standby", given=given, superuser=superuser))
        for number in range(rounds):
            leg.suffer("standby", "away for a while", partial(_freeze_standby, pair))
            leg.suffer("failover", "primary lost with its data", partial(_lose, leg, pair))
            if number + 1 < rounds:
                pair.make_standby()
        # The last leg: a slow machine has paid less often meanwhile than a whole run owes.
        wait_for(lambda: run.journal.payments >= run.payments_wanted, "the payments of a whole run")


def _freeze_standby(pair: Pair) -> faults.Notes:
    """Without its standby the primary acknowledges nothing: payments wait, none is lost."""
    with pair.frozen():
        time.sleep(STANDBY_AWAY_S)
    return {"back_s": 0.0}


def _lose(leg: Leg, pair: Pair) -> faults.Notes:
    begun = time.monotonic()
    pair.lose_primary()
    pair.promote()
    promoted_s = time.monotonic() - begun
    paid = leg.journal.payments
    wait_for(lambda: leg.journal.payments > paid + 5, "payments on the promoted standby")
    return {"back_s": time.monotonic() - begun, "promoted_s": promoted_s}
