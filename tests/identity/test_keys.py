"""Signing keys change without anybody being sent away, and a lost one is believed no more."""

from __future__ import annotations

import base64
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from time import monotonic

import pytest

from giftpad import audit, identity, tenancy
from giftpad.identity import jobs
from giftpad.identity.commands import keys
from giftpad.identity.models import SigningKeyRow
from giftpad.identity.queries import trust
from giftpad.kernel.work import SYSTEM, Scope, unit_of_work
from tests import make
from tests.make_identity import make_machine, work_of

PLATFORM = Scope(tenant_id=tenancy.PLATFORM_TENANT_ID)


@pytest.fixture(autouse=True)
def _keys(bound):
    identity.ensure_keys()


def _states():
    with work_of(PLATFORM) as work:
        return {key.kid: key.state for key in identity.list_keys(work)}


def _in_state(state):
    return [kid for kid, found in _states().items() if found == state]


def test_a_key_is_published_an_hour_before_it_signs(fresh_clock):
    (upcoming,) = _in_state("next")
    with pytest.raises(identity.KeyTooYoung):
        identity.rotate_keys(SYSTEM)
    fresh_clock(timedelta(minutes=61))
    assert identity.rotate_keys(SYSTEM) == upcoming
    assert _in_state("current") == [upcoming]
    assert len(_in_state("next")) == 1


def test_discovery_shows_the_next_the_current_and_the_previous_key(machine):
    identity.rotate_keys(SYSTEM, now=True)
    answered = machine.http.get("/.well-known/jwks.json")
    assert answered.headers["Cache-Control"] == "public, max-age=600"
    shown = {key["kid"] for key in answered.json["keys"]}
    states = _states()
    assert shown == {kid for kid, state in states.items() if state != "revoked"}
    assert {"next", "current", "previous"} <= set(states.values())
    for key in answered.json["keys"]:
        assert (key["kty"], key["use"], key["alg"]) == ("RSA", "sig", "RS256")
        assert not {"d", "p", "q"} & set(key)


def _grow_older(by: timedelta, *states: str) -> None:
    """Let keys be older than they are; the clock itself would leave keys of the future behind."""
    with unit_of_work(PLATFORM) as work:
        for row in work.session.query(SigningKeyRow).filter(SigningKeyRow.state.in_(states)):
            row.created_at -= by
            row.promoted_at = row.promoted_at and row.promoted_at - by


def test_the_schedule_changes_a_key_that_has_signed_for_90_days():
    identity.rotate_keys(SYSTEM, now=True)
    (upcoming,) = _in_state("next")
    _grow_older(timedelta(days=89, hours=23), "current", "next")
    assert jobs.rotate_keys(PLATFORM) is None
    _grow_older(timedelta(hours=2), "current")
    assert jobs.rotate_keys(make.make_tenant()) is None
    assert jobs.rotate_keys(PLATFORM) == upcoming
    assert jobs.rotate_keys(PLATFORM) is None
    assert _in_state("current") == [upcoming]
    with work_of(PLATFORM) as work:
        last = audit.list_entries(work)[0]
    assert (last.action, last.subject) == ("signing_key.rotated", f"key:{upcoming}")
    assert last.actor["kind"] == "system"


def test_the_schedule_lets_no_key_sign_that_others_cannot_have_read():
    identity.rotate_keys(SYSTEM, now=True)
    _grow_older(timedelta(days=91), "current")
    _grow_older(timedelta(minutes=59), "next")
    assert jobs.rotate_keys(PLATFORM) is None
    _grow_older(timedelta(minutes=2), "next")
    assert jobs.rotate_keys(PLATFORM) is not None


def test_two_workers_at_once_change_the_key_once():
    _grow_older(timedelta(days=91), "current", "next")
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: jobs.rotate_keys(PLATFORM), range(4)))
    assert len([kid for kid in found if kid is not None]) == 1


def test_the_schedule_can_be_told_to_change_no_key(settings):
    _grow_older(timedelta(days=4000), "current", "next")
    identity.bind_rotation(0)
    try:
        assert jobs.rotate_keys(PLATFORM) is None
    finally:
        identity.bind_rotation(settings.keys_rotated_every_days)


def test_a_key_made_elsewhere_a_moment_ago_is_looked_up(machine, monkeypatch):
    """This process has read its keys just now, and another one signs with a newer key already."""
    machine.token()
    monkeypatch.setattr(keys, "refresh_trust", lambda: None)  # the other one's does not reach us
    held = trust._Held.trust
    identity.rotate_keys(SYSTEM, now=True)
    identity.rotate_keys(SYSTEM, now=True)
    identity.refresh_trust()
    token = machine.token()
    monkeypatch.setattr(trust._Held, "trust", replace(held, read_at=monotonic()))
    assert machine.get("/probe", token).status_code == 200


def test_made_up_key_ids_do_not_flood_the_database(machine, monkeypatch):
    looked = []
    read = trust._read_keys
    monkeypatch.setattr(trust, "_read_keys", lambda work: looked.append(1) or read(work))
    signed = machine.token()
    for number in range(3 * trust.MISSES_MAX):
        header = {"alg": "RS256", "typ": "at+jwt", "kid": f"{number:043d}"}
        forged = base64.urlsafe_b64encode(json.dumps(header).encode()).decode().rstrip("=")
        answered = machine.get("/probe", ".".join([forged, *signed.split(".")[1:]]))
        assert answered.status_code == 401
    assert len(looked) < 3 * trust.MISSES_MAX
    assert machine.get("/probe", signed).status_code == 200


def test_a_previous_key_has_lost_its_private_half(bound):
    import sqlalchemy as sa

    identity.rotate_keys(SYSTEM, now=True)
    with work_of(PLATFORM) as work:
        rows = work.session.execute(
            sa.text("SELECT state, private_wrapped IS NULL FROM identity_signing_keys")
        ).all()
    assert all(is_gone == (state in ("previous", "revoked")) for state, is_gone in rows)


def test_rotation_sends_nobody_away(app):
    """Callers take tokens and use them while keys rotate as fast as they can."""
    fast = identity.Limits(rate_s=100_000, burst=100_000)
    machine = make_machine(app, limits=fast)
    answers: list[int] = []
    stop = threading.Event()
    started = threading.Barrier(4)

    def call():
        token = machine.token()
        started.wait()
        while not stop.is_set():
            answers.append(machine.get("/probe", token).status_code)
            if len(answers) % 100 == 0:
                token = machine.token()

    threads = [threading.Thread(target=call) for _ in range(3)]
    for thread in threads:
        thread.start()
    started.wait()
    old = machine.token()
    for _ in range(3):
        identity.rotate_keys(SYSTEM, now=True)
    stop.set()
    for thread in threads:
        thread.join()
    assert answers
    assert set(answers) == {200}
    assert machine.get("/probe", old).status_code == 200


def test_a_revoked_key_takes_its_tokens_with_it(machine):
    token = machine.token()
    assert machine.get("/probe", token).status_code == 200
    (current,) = _in_state("current")
    identity.revoke_key(SYSTEM, current)
    assert machine.get("/probe", token).status_code == 401
    assert machine.get("/probe").status_code == 200
    assert current not in {
        key["kid"] for key in machine.http.get("/.well-known/jwks.json").json["keys"]
    }
    with pytest.raises(identity.KeyNotFound):
        identity.revoke_key(SYSTEM, current)


def test_a_revoked_next_key_is_replaced(bound):
    (upcoming,) = _in_state("next")
    identity.revoke_key(SYSTEM, upcoming)
    assert _in_state("next") not in ([], [upcoming])


def test_two_processes_make_the_first_keys_once(fresh_settings):
    from giftpad import wiring
    from giftpad.kernel.db import database

    wiring.bootstrap(fresh_settings)
    make.make_tenant()
    threads = [threading.Thread(target=identity.ensure_keys) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(_states().values()) == ["current", "next"]
    database().close()
