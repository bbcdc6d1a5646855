"""Once and not twice; not too fast; not too many guesses; not again while it is down.

And when too much is asked for: who is let in, what is switched off, what gives way.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

import pybreaker
import redis
import sqlalchemy as sa
from psycopg import errors as pg_errors
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import OperationalError

from giftpad.guard.errors import (
    FeatureUnknown,
    KeyReused,
    OutsideAway,
    RateExceeded,
    ShareInvalid,
    StillRunning,
    TooManyFailures,
)
from giftpad.guard.models import IdempotencyKey, Switch
from giftpad.guard.queries import ADMISSION
from giftpad.guard.rules import FEATURES, GROUPS, KEPT_FOR_MONEY, Allowance, Answer, Bucket, Rate
from giftpad.kernel.log import get_logger
from giftpad.kernel.work import Work, savepoint

T = TypeVar("T")
log = get_logger("guard")

KEY_WAIT_MS = 300
BUCKETS_MAX = 20_000
FAILURES_MAX = 300
FAILURE_WINDOW_S = 600
REDIS_TIMEOUT_S = 0.25
BREAKER_FAILURES_MAX = 5
BREAKER_RESET_S = 15
PURGE_MAX = 20_000
OVERLOADED = "giftpad:overloaded"
OVERLOADED_FOR_S = 3
GIVE_WAY_MAX_S = 2.0
GIVE_WAY_LOOK_S = 0.25


def once(work: Work, key: str, request_hash: bytes) -> Answer | None:
    """Take a caller's key for this transaction; return the first answer if there is one already.

    A repeat that comes while the first still runs waits ``KEY_WAIT_MS`` for it.
    Locks: the key's row.
    Raises: KeyReused, StillRunning.
    """
    client_id = work.scope.actor.client_id or work.scope.actor.id
    row = insert(IdempotencyKey).values(
        tenant_id=work.tenant_id,
        client_id=client_id,
        key=key,
        request_hash=request_hash,
        kept_until=work.at + KEPT_FOR_MONEY,
    )
    try:
        with savepoint(work):
            work.session.execute(sa.text(f"SET LOCAL lock_timeout = {KEY_WAIT_MS}"))
            taken = work.session.execute(
                row.on_conflict_do_nothing().returning(IdempotencyKey.key)
            ).first()
    except OperationalError as error:
        if isinstance(error.orig, pg_errors.LockNotAvailable):
            raise StillRunning from error
        raise
    work.session.execute(sa.text("SET LOCAL lock_timeout = DEFAULT"))
    if taken is not None:
        return None
    first = work.session.execute(
        sa.select(IdempotencyKey).where(
            IdempotencyKey.tenant_id == work.tenant_id,
            IdempotencyKey.client_id == client_id,
            IdempotencyKey.key == key,
        )
    ).scalar_one()
    if first.request_hash != request_hash:
        raise KeyReused
    if first.answer is None or first.answer_status is None:
        raise StillRunning
    return Answer(first.answer_status, first.answer)


def remember(work: Work, key: str, answer: Answer, *, kept_for: timedelta = KEPT_FOR_MONEY) -> None:
    """Keep the answer to the key taken by ``once``, in the same transaction as the effect."""
    work.session.execute(
        sa.update(IdempotencyKey)
        .where(
            IdempotencyKey.tenant_id == work.tenant_id,
            IdempotencyKey.client_id == (work.scope.actor.client_id or work.scope.actor.id),
            IdempotencyKey.key == key,
        )
        .values(answer_status=answer.status, answer=answer.body, kept_until=work.at + kept_for)
    )


def purge_keys(work: Work) -> int:
    """Delete keys that are kept no longer; return how many."""
    old = (
        sa.select(IdempotencyKey.client_id, IdempotencyKey.key)
        .where(IdempotencyKey.tenant_id == work.tenant_id, IdempotencyKey.kept_until < work.at)
        .limit(PURGE_MAX)
    )
    rows = work.session.execute(old).all()
    if rows:
        work.session.execute(
            sa.delete(IdempotencyKey).where(
                IdempotencyKey.tenant_id == work.tenant_id,
                sa.tuple_(IdempotencyKey.client_id, IdempotencyKey.key).in_(
                    [tuple(row) for row in rows]
                ),
            )
        )
    return len(rows)


class _Memory:
    """What this process remembers of its callers; bounded, the longest unseen forgotten first."""

    lock = threading.Lock()
    buckets: OrderedDict[str, Bucket] = OrderedDict()  # noqa: RUF012 - one per process, by design
    failures: OrderedDict[str, tuple[float, int]] = OrderedDict()  # noqa: RUF012 - as above
    barred: OrderedDict[str, float] = OrderedDict()  # noqa: RUF012 - as above
    allowed: OrderedDict[str, int] = OrderedDict()  # noqa: RUF012 - as above
    redis: redis.Redis | None = None


_redis_breaker = pybreaker.CircuitBreaker(
    fail_max=BREAKER_FAILURES_MAX, reset_timeout=BREAKER_RESET_S, name="redis"
)
_breakers: dict[str, pybreaker.CircuitBreaker] = {}


def bind_redis(url: str) -> None:
    """Share failure counts through the Redis at ``url``; an empty address keeps them local."""
    _Memory.redis = (
        redis.Redis.from_url(
            url, socket_timeout=REDIS_TIMEOUT_S, socket_connect_timeout=REDIS_TIMEOUT_S
        )
        if url
        else None
    )


def admit(caller: str, rate: Rate) -> None:
    """Let one request of ``caller`` pass, or say when the next may.

    Raises: RateExceeded.
    """
    at = time.monotonic()
    with _Memory.lock:
        bucket = _Memory.buckets.get(caller)
        if bucket is None or bucket.rate != rate:
            bucket = _Memory.buckets[caller] = Bucket(rate, at)
            if len(_Memory.buckets) > BUCKETS_MAX:
                _Memory.buckets.popitem(last=False)
        else:
            _Memory.buckets.move_to_end(caller)
        wait_s = bucket.take(at)
    _refuse_for(wait_s)


def check_rate(caller: str, rate: Rate) -> None:
    """Say when ``caller`` may ask next, if not now; nothing is taken, and nobody remembered.

    Raises: RateExceeded.
    """
    with _Memory.lock:
        bucket = _Memory.buckets.get(caller)
        wait_s = bucket.wait(time.monotonic()) if bucket and bucket.rate == rate else 0.0
    _refuse_for(wait_s)


def _refuse_for(wait_s: float) -> None:
    if wait_s:
        raise RateExceeded(retry_after_s=max(1, round(wait_s + 0.5)))


def check_failures(caller: str) -> None:
    """Refuse a caller that has shown too many codes that are none; costs no round trip.

    Raises: TooManyFailures.
    """
    until = _Memory.barred.get(caller)
    if until is None:
        return
    left_s = until - time.monotonic()
    if left_s <= 0:
        with _Memory.lock:
            _Memory.barred.pop(caller, None)
            _Memory.failures.pop(caller, None)
        return
    raise TooManyFailures(retry_after_s=int(left_s) + 1)


def allow_failures(caller: str, most: int) -> None:
    """Let ``caller`` show ``most`` codes that are none in ten minutes, not ``FAILURES_MAX``."""
    with _Memory.lock:
        _Memory.allowed[caller] = most
        _Memory.allowed.move_to_end(caller)
        if len(_Memory.allowed) > BUCKETS_MAX:
            _Memory.allowed.popitem(last=False)


def count_failure(caller: str, *, most: int | None = None) -> None:
    """Count one code that was none; after ``most`` in ten minutes the caller is barred.

    Without ``most`` it is what ``allow_failures`` said of the caller.

    The count is shared through Redis; without Redis every process counts for itself.
    Raises: TooManyFailures.
    """
    at = time.monotonic()
    if most is None:
        most = _Memory.allowed.get(caller, FAILURES_MAX)
    with _Memory.lock:
        since, count = _Memory.failures.get(caller, (at, 0))
        if at - since > FAILURE_WINDOW_S:
            since, count = at, 0
        count += 1
        _Memory.failures[caller] = (since, count)
        if len(_Memory.failures) > BUCKETS_MAX:
            _Memory.failures.popitem(last=False)
    count, left_s = _shared_count(caller, count, FAILURE_WINDOW_S - (at - since))
    if count > most:
        with _Memory.lock:
            _Memory.barred[caller] = at + left_s
        check_failures(caller)


def _shared_count(caller: str, count: int, left_s: float) -> tuple[int, float]:
    shared = _Memory.redis
    if shared is None:
        return count, left_s

    def increment() -> tuple[int, float]:
        pipe = shared.pipeline()
        name = f"giftpad:failures:{caller}"
        pipe.set(name, 0, ex=FAILURE_WINDOW_S, nx=True)
        pipe.incr(name)
        pipe.ttl(name)
        _, total, ttl = pipe.execute()
        return int(total), float(ttl if ttl > 0 else FAILURE_WINDOW_S)

    try:
        total, ttl = _redis_breaker.call(increment)
    except (redis.RedisError, pybreaker.CircuitBreakerError) as error:
        log.warning("redis away, counting locally", error=type(error).__name__)
        return count, left_s
    return max(total, count), ttl


def outside_call(provider: str, call: Callable[[], T]) -> T:
    """Call what lies outside Giftpad through the breaker of ``provider``.

    The call must have a timeout of its own; no transaction may be open.
    Raises: OutsideAway while the breaker is open; otherwise what the call raises.
    """
    breaker = _breakers.get(provider)
    if breaker is None:
        breaker = _breakers.setdefault(
            provider,
            pybreaker.CircuitBreaker(
                fail_max=BREAKER_FAILURES_MAX, reset_timeout=BREAKER_RESET_S, name=provider
            ),
        )
    try:
        answer: T = breaker.call(call)
    except pybreaker.CircuitBreakerError as error:
        raise OutsideAway(provider=provider) from error
    return answer


# The first in rank says that it waits, and until it has had its turn nobody else gets one.
_TAKE_TURN = """
local now = redis.call('TIME')
now = tonumber(now[1]) + tonumber(now[2]) / 1000000
local refill, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local reserve, is_first = tonumber(ARGV[3]), ARGV[4] == '0'
local held = redis.call('HMGET', KEYS[1], 'tokens', 'at', 'wanted')
local tokens, at = tonumber(held[1]) or burst, tonumber(held[2]) or now
local wanted = tonumber(held[3]) or 0
tokens = math.min(burst, tokens + math.max(0, now - at) * refill)
local wait = 0
if not is_first and wanted > now then
    wait = wanted - now
elseif tokens >= 1 + reserve then
    tokens = tokens - 1
    if is_first then wanted = 0 end
else
    wait = (1 + reserve - tokens) / refill
    if is_first then wanted = now + wait + 0.5 end
end
redis.call('HSET', KEYS[1], 'tokens', tostring(tokens), 'at', tostring(now),
    'wanted', tostring(wanted))
redis.call('PEXPIRE', KEYS[1], 60000)
return tostring(wait)
"""


def take_turn(provider: str, allowance: Allowance, *, rank: int, processes: int) -> float:
    """Take one turn at somebody outside; 0.0 if it was there, else the seconds to ask again after.

    The lower the ``rank``, the sooner; 0 goes before everybody.  The turns are shared through
    Redis; without Redis each of so many ``processes`` has its share.
    """
    shared = _Memory.redis
    if shared is not None:
        values = (allowance.refill_per_s, allowance.burst, allowance.reserve(rank), rank)
        try:
            answer = _redis_breaker.call(
                shared.eval, _TAKE_TURN, 1, f"giftpad:turns:{provider}", *map(str, values)
            )
            return max(0.0, float(answer))
        except (redis.RedisError, pybreaker.CircuitBreakerError) as error:
            log.warning("redis away, taking turns locally", error=type(error).__name__)
    at = time.monotonic()
    rate = Rate(allowance.refill_per_s / processes, 1)
    with _Memory.lock:
        bucket = _Memory.buckets.get(f"turns:{provider}")
        if bucket is None or bucket.rate != rate:
            bucket = _Memory.buckets[f"turns:{provider}"] = Bucket(rate, at)
        return bucket.take(at)


def open_share(work: Work, share: int, *, reason: str) -> None:
    """Let in so many of the ``GROUPS`` from now on; ``work`` is of the platform.

    Raises: ShareInvalid.
    """
    if not 1 <= share <= GROUPS:
        raise ShareInvalid(most=GROUPS)
    _switch(work, ADMISSION, share, reason)


def switch_feature(work: Work, name: str, *, on: bool, reason: str) -> None:
    """Switch one of the ``FEATURES`` off, or on again; ``work`` is of the platform.

    Raises: FeatureUnknown.
    """
    if name not in FEATURES:
        raise FeatureUnknown(name=name, known=", ".join(FEATURES))
    _switch(work, name, int(on), reason)


def _switch(work: Work, name: str, value: int, reason: str) -> None:
    """Write a switch; every process reads it within seconds."""
    values = {
        "value": value,
        "reason": reason,
        "set_by": work.scope.actor.id,
        "set_at": work.at,
    }
    work.session.execute(
        insert(Switch)
        .values(tenant_id=work.tenant_id, name=name, **values)
        .on_conflict_do_update(index_elements=["tenant_id", "name"], set_=values)
    )


def tell_overload() -> None:
    """Let work in the background give way for a few seconds; without Redis it does not know."""
    shared = _Memory.redis
    if shared is not None:
        try:
            _redis_breaker.call(shared.set, OVERLOADED, 1, ex=OVERLOADED_FOR_S)
        except (redis.RedisError, pybreaker.CircuitBreakerError) as error:
            log.warning("redis away, work in the background goes on", error=type(error).__name__)


def is_overloaded() -> bool:
    """Whether a web process has told of overload a moment ago; no, if Redis cannot say."""
    shared = _Memory.redis
    if shared is None:
        return False
    try:
        return bool(_redis_breaker.call(shared.exists, OVERLOADED))
    except (redis.RedisError, pybreaker.CircuitBreakerError):
        return False


def give_way() -> float:
    """Wait while payments need the machine, ``GIVE_WAY_MAX_S`` at most; return the seconds.

    Work in the background calls it between two batches: it slows down under overload, and never
    stops, because what payments have set off must not pile up without end.
    """
    began = time.monotonic()
    while time.monotonic() - began < GIVE_WAY_MAX_S and is_overloaded():
        time.sleep(GIVE_WAY_LOOK_S)
    return time.monotonic() - began
