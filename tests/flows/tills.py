"""Clerks at work while something happens to the servers."""

from __future__ import annotations

import contextlib
import http.client
import json
import random
import threading
import time

ANSWERED_WITHIN_S = 90


class Tills:
    """Clerks who pay one yen after another, and write down what was acknowledged."""

    def __init__(self, caller, codes, log):
        self.caller = caller
        self.codes = codes
        self.log = log
        self.stop = threading.Event()
        self.lock = threading.Lock()
        self.acknowledged = 0
        self.refused = []

    def serve(self, number):
        chance = random.Random(number)
        count = 0
        while not self.stop.is_set():
            count += 1
            self._pay_once(f"chaos-{number}-{count}", chance.choice(self.codes))

    def _pay_once(self, key, code):
        order = {"instrument": {"kind": "coupon", "code": code}, "amount_minor": 1}
        deadline = time.monotonic() + ANSWERED_WITHIN_S
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError, http.client.HTTPException):
                status, body = self.caller.call("POST", "/api/v1/payments", order, key=key)
                if status == 201:
                    with self.lock:
                        self.acknowledged += 1
                        self.log.write(f"{key} {json.loads(body)['id']}\n")
                        self.log.flush()
                    return
                if status not in (409, 429, 500, 502, 503):
                    self.refused.append((status, body))
                    return
            time.sleep(0.05)  # a clerk taps again
        self.refused.append((0, f"{key} was not answered within {ANSWERED_WITHIN_S} s"))


def wait_for(condition, within_s=ANSWERED_WITHIN_S):
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, condition
        time.sleep(0.1)
