"""Signing keys change without anybody being sent away, and a lost one is believed no more."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from giftpad import identity, tenancy
from giftpad.kernel.work import SYSTEM, Scope
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
