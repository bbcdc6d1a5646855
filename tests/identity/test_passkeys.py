"""Passkeys: who they say they are, once, and to nobody but us."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from giftpad import identity
from tests.make_factors import give_passkey, standing
from tests.make_sessions import HOME, PASSWORD, make_somebody

SEEN = identity.Seen()


def enter(somebody, *methods, **more):
    return identity.open_session(
        somebody.person_id,
        somebody.scope.tenant_id,
        somebody.membership_id,
        methods=methods,
        **more,
    )


def ask(owner, passkey, **changes):
    asked = identity.ask_passkey()
    given = {"address": identity.issuer().address, "challenge": asked.challenge} | changes
    address, challenge = given.pop("address"), given.pop("challenge")
    answer = identity.answer_soft_passkey(
        passkey, address, challenge, person_id=given.pop("person_id", owner.person_id)
    )
    return answer, asked.challenge


def test_it_says_who_it_is_and_is_both_steps(owner):
    passkey, _ = give_passkey(owner.email, PASSWORD)
    proved = identity.prove_passkey(*ask(owner, passkey), source=HOME)
    assert (proved.person_id, proved.methods) == (owner.person_id, ("hwk", "mfa"))
    assert enter(owner, *proved.methods, proof=proved.proof)


def test_one_answer_is_good_once(owner):
    passkey, _ = give_passkey(owner.email, PASSWORD)
    answer, challenge = ask(owner, passkey)

    def prove(_):
        try:
            return bool(identity.prove_passkey(answer, challenge, source=HOME))
        except identity.PasskeyRefused:
            return False

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(prove, range(12))) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"address": "https://evil.example/"},
        {"address": "http://localhost:1/"},
        {"challenge": bytes(32)},
    ],
)
def test_an_answer_to_another_site_or_question_is_none(owner, changes):
    passkey, _ = give_passkey(owner.email, PASSWORD)
    with pytest.raises(identity.PasskeyRefused):
        identity.prove_passkey(*ask(owner, passkey, **changes), source=HOME)


def test_it_is_nobody_elses(owner):
    other = make_somebody(owner.scope)
    passkey, _ = give_passkey(owner.email, PASSWORD)
    with pytest.raises(identity.PasskeyRefused):
        answer, challenge = ask(owner, passkey)
        identity.prove_passkey(answer, challenge, source=HOME, person_id=other.person_id)
    with pytest.raises(identity.PasskeyRefused):
        answer, challenge = ask(owner, passkey, person_id=other.person_id)
        identity.prove_passkey(answer, challenge, source=HOME)


def test_another_key_of_the_same_name_is_none(owner):
    passkey, _ = give_passkey(owner.email, PASSWORD)
    forged = identity.new_soft_passkey() | {"id": passkey["id"]}
    with pytest.raises(identity.PasskeyRefused):
        identity.prove_passkey(*ask(owner, forged), source=HOME)


@pytest.mark.parametrize("flags", [0x00, 0x01, 0x04])
def test_a_device_that_did_not_ask_its_person_is_not_believed(owner, flags, monkeypatch):
    from giftpad.identity.adapters import soft_passkey

    passkey, _ = give_passkey(owner.email, PASSWORD)
    monkeypatch.setattr(soft_passkey, "PRESENT", flags & 1)
    monkeypatch.setattr(soft_passkey, "VERIFIED", flags & 4)
    with pytest.raises(identity.PasskeyRefused):
        identity.prove_passkey(*ask(owner, passkey), source=HOME)


@pytest.mark.parametrize(
    "answer", ["", "{", "[]", "null", "{}", '{"rawId": 1}', "x" * 20_000, '{"response": {}}']
)
def test_what_is_no_answer_is_refused(owner, answer):
    for person_id in (None, owner.person_id):
        with pytest.raises(identity.PasskeyRefused):
            identity.prove_passkey(answer, bytes(32), source=HOME, person_id=person_id)
    with pytest.raises(identity.PasskeyRefused):
        identity.add_passkey(owner.person_id, answer, bytes(32), SEEN, on=standing(owner.person_id))


def test_two_people_have_no_passkey_in_common(owner):
    other = make_somebody(owner.scope)
    passkey, _ = give_passkey(owner.email, PASSWORD)
    asked = identity.ask_new_passkey(other.person_id)
    made = identity.present_soft_passkey(passkey, identity.issuer().address, asked.challenge)
    with pytest.raises(identity.PasskeyRefused):
        identity.add_passkey(
            other.person_id, made, asked.challenge, SEEN, on=standing(other.person_id)
        )


def test_an_address_of_numbers_has_none():
    from giftpad.identity.adapters.passkeys import can_use_passkeys

    assert can_use_passkeys("https://giftpad.example/")
    assert can_use_passkeys("http://localhost:8470/")
    assert not can_use_passkeys("https://192.168.1.7:8443/")
    assert not can_use_passkeys("http://[fe80::1]:8470/")
