"""Once and not twice; not too fast; not too many guesses."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from giftpad import guard
from giftpad.guard.commands import _Memory
from giftpad.kernel.ids import new_id
from giftpad.kernel.work import unit_of_work
from tests import make


@pytest.fixture
def scope(house):
    return make.make_tenant()


def test_a_repeat_gets_the_first_answer(scope):
    with unit_of_work(scope) as work:
        assert guard.once(work, "k", b"h") is None
        guard.remember(work, "k", guard.Answer(201, {"id": "x"}))
    with unit_of_work(scope) as work:
        assert guard.once(work, "k", b"h") == guard.Answer(201, {"id": "x"})


def test_the_same_key_with_another_request_is_refused(scope):
    with unit_of_work(scope) as work:
        guard.once(work, "k", b"h")
        guard.remember(work, "k", guard.Answer(201, {}))
    with pytest.raises(guard.KeyReused), unit_of_work(scope) as work:
        guard.once(work, "k", b"other")


def test_a_key_belongs_to_its_client(scope):
    other = replace(scope, actor=replace(scope.actor, client_id="other"))
    for each in (scope, other):
        with unit_of_work(each) as work:
            assert guard.once(work, "k", b"h") is None


def test_a_key_whose_effect_failed_is_free_again(scope):
    with pytest.raises(RuntimeError), unit_of_work(scope) as work:
        guard.once(work, "k", b"h")
        raise RuntimeError
    with unit_of_work(scope) as work:
        assert guard.once(work, "k", b"h") is None


def test_a_repeat_during_the_first_is_told_so(scope):
    taken, finish = threading.Event(), threading.Event()

    def first():
        with unit_of_work(scope) as work:
            guard.once(work, "k", b"h")
            taken.set()
            finish.wait(10)
            guard.remember(work, "k", guard.Answer(200, {}))

    thread = threading.Thread(target=first)
    thread.start()
    assert taken.wait(10)
    try:
        with pytest.raises(guard.StillRunning), unit_of_work(scope) as work:
            guard.once(work, "k", b"h")
    finally:
        finish.set()
        thread.join()


def test_a_bucket_empties_and_says_when_to_come_again():
    caller = new_id().hex
    rate = guard.Rate(per_s=0.5, burst=3)
    for _ in range(3):
        guard.admit(caller, rate)
    with pytest.raises(guard.RateExceeded) as refused:
        guard.admit(caller, rate)
    assert 1 <= refused.value.retry_after_s <= 3


def test_too_many_unknown_codes_bar_a_caller_and_nobody_else(house):
    caller = new_id().hex
    for _ in range(5):
        guard.count_failure(caller, most=5)
    with pytest.raises(guard.TooManyFailures):
        guard.count_failure(caller, most=5)
    with pytest.raises(guard.TooManyFailures):
        guard.check_failures(caller)
    guard.check_failures(new_id().hex)


def test_another_process_knows_of_the_failures(house):
    caller = new_id().hex
    for _ in range(5):
        guard.count_failure(caller, most=5)
    _Memory.failures.clear()  # another process has its own memory, and shares Redis
    with pytest.raises(guard.TooManyFailures):
        guard.count_failure(caller, most=5)


def test_without_redis_failures_are_counted_locally(house):
    guard.bind_redis("redis://127.0.0.1:1/0")
    caller = new_id().hex
    for _ in range(2):
        guard.count_failure(caller, most=2)
    with pytest.raises(guard.TooManyFailures):
        guard.count_failure(caller, most=2)


def test_an_open_breaker_answers_without_calling():
    calls = []

    def call():
        calls.append(1)
        raise TimeoutError

    name = new_id().hex
    for _ in range(4):
        with pytest.raises(TimeoutError):
            guard.outside_call(name, call)
    with pytest.raises(guard.OutsideAway):
        guard.outside_call(name, call)
    with pytest.raises(guard.OutsideAway):
        guard.outside_call(name, call)
    assert len(calls) == 5
