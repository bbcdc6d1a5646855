"""Second steps: who must take one, what counts as one, and that each is good once."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pyotp
import pytest
import sqlalchemy as sa

from giftpad import audit, identity, tenancy
from giftpad.kernel.work import Actor, Scope
from tests import make
from tests.make_factors import give_passkey, standing
from tests.make_identity import work_of
from tests.make_sessions import HOME, PASSWORD, TWO_STEPS, make_somebody, open_session

PLATFORM = Scope(tenant_id=tenancy.PLATFORM_TENANT_ID)
SEEN = identity.Seen(user_agent="Mozilla/5.0 (Windows NT 10.0) Chrome/131.0", locale="en")
AT_ONCE = 50


@pytest.fixture
def app_of():
    """Give somebody an authenticator app; its set-up used digits of two minutes ago."""

    def give(somebody):
        secret = identity.offer_authenticator(somebody.person_id).secret
        codes = identity.add_authenticator(
            somebody.person_id,
            secret,
            pyotp.TOTP(secret).now(),
            SEEN,
            on=standing(somebody.person_id),
        )
        with work_of(PLATFORM) as work:
            work.session.execute(
                sa.text("UPDATE identity_authenticators SET last_step = 0 WHERE person_id = :id"),
                {"id": somebody.person_id},
            )
        return pyotp.TOTP(secret), codes

    return give


def enter(somebody, *methods, **more):
    return identity.open_session(
        somebody.person_id,
        somebody.scope.tenant_id,
        somebody.membership_id,
        methods=methods,
        **more,
    )


@pytest.mark.parametrize("role", ["owner", "approver"])
def test_nobody_keeps_a_town_by_a_password_alone(scope, role):
    keeper = make_somebody(scope, role)
    for methods in ((), ("pwd",)):
        with pytest.raises(identity.SecondStepMissing):
            enter(keeper, *methods)
    assert enter(keeper, "pwd", "otp", "mfa")
    assert identity.list_sessions(keeper.person_id)[0].amr == ("pwd", "otp", "mfa")


def test_nobody_operates_by_a_password_alone():
    operator = make_somebody(PLATFORM, "operator_viewer")
    with pytest.raises(identity.SecondStepMissing):
        enter(operator, "pwd")


def test_a_town_can_ask_everybody_and_whoever_is_in_is_asked_soon(owner):
    viewer = make_somebody(owner.scope, "viewer")
    elsewhere = make_somebody(make.make_tenant(), "viewer", email=viewer.email)
    here, there = enter(viewer, "pwd"), enter(elsewhere, "pwd")
    identity.set_policy(owner.scope, "everyone")
    with pytest.raises(identity.SecondStepMissing):
        enter(viewer, "pwd")
    with pytest.raises(identity.SessionOver):
        identity.renew_session(here.session_id, here.secret)
    assert identity.renew_session(there.session_id, there.secret)
    identity.set_policy(owner.scope, "keepers")
    assert enter(viewer, "pwd")
    with work_of(owner.scope) as work:
        wanted = audit.EntryFilter(actions=("tenant.second_step_changed",))
        told = [entry.details for entry in audit.list_entries(work, wanted)]
    assert told == [{"second_step": "keepers"}, {"second_step": "everyone"}]


def test_a_town_cannot_let_its_keepers_off(owner):
    for policy in ("nobody", "", "owners"):
        with pytest.raises(identity.PolicyUnknown):
            identity.set_policy(owner.scope, policy)


def test_another_role_is_not_taken_without_the_step_it_asks_for(owner):
    viewer = make_somebody(make.make_tenant(), "viewer", email=owner.email)
    opened = enter(viewer, "pwd")
    with pytest.raises(identity.SecondStepMissing):
        enter(owner, follows=opened.session_id)
    assert enter(owner, "otp", "mfa", follows=opened.session_id)


def test_a_step_taken_later_makes_the_proof_new_and_adds_to_the_first(owner, fresh_clock):
    opened = open_session(owner)
    fresh_clock(timedelta(minutes=20))
    carried = enter(owner, follows=opened.session_id)
    again = enter(owner, "swk", "mfa", follows=opened.session_id)
    ages = {session.id: session.proved_at for session in identity.list_sessions(owner.person_id)}
    assert ages[carried.session_id] == ages[opened.session_id]
    assert ages[again.session_id] - ages[opened.session_id] >= timedelta(minutes=20)
    assert identity.list_sessions(owner.person_id)[0].amr == (*TWO_STEPS, "swk")
    told = identity.verify_token(again.token).proved_at
    assert told == int(ages[again.session_id].timestamp())


class TestApp:
    def test_its_digits_are_good_once_whatever_they_are_typed_as(self, owner, app_of):
        app, _ = app_of(owner)
        now = int(time.time()) // 30
        wide = app.generate_otp(now).translate({ord(str(n)): chr(0xFF10 + n) for n in range(10)})
        assert identity.prove_code(owner.person_id, f" {wide[:3]} {wide[3:]} ", SEEN) == (
            "otp",
            "mfa",
        )
        for step in (now, now - 1):  # the same, and those that showed before it
            with pytest.raises(identity.CodeWrong):
                identity.prove_code(owner.person_id, app.generate_otp(step), SEEN)
        assert identity.prove_code(owner.person_id, app.generate_otp(now + 1), SEEN)

    def test_old_and_future_digits_are_not_good(self, owner, app_of):
        app, _ = app_of(owner)
        now = int(time.time()) // 30
        for step in (now - 3, now + 3):
            with pytest.raises(identity.CodeWrong):
                identity.prove_code(owner.person_id, app.generate_otp(step), SEEN)

    def test_it_is_set_up_only_by_whoever_has_it(self, owner):
        secret = identity.offer_authenticator(owner.person_id).secret
        with pytest.raises(identity.CodeWrong):
            identity.add_authenticator(
                owner.person_id, secret, "000000", SEEN, on=standing(owner.person_id)
            )
        assert not identity.find_factors(owner.person_id).are_any

    def test_twenty_wrong_ones_in_a_row_lock_it_and_a_right_one_forgives(self, owner, app_of):
        app, codes = app_of(owner)
        now = int(time.time()) // 30
        wrong = f"{(int(app.generate_otp(now + 9)) + 1) % 10**6:06d}"
        for _ in range(19):
            with pytest.raises(identity.CodeWrong):
                identity.prove_code(owner.person_id, wrong, SEEN)
        assert identity.prove_code(owner.person_id, app.generate_otp(now), SEEN)
        for _ in range(20):
            with pytest.raises(identity.CodeWrong):
                identity.prove_code(owner.person_id, wrong, SEEN)
        with pytest.raises(identity.AuthenticatorLocked):
            identity.prove_code(owner.person_id, app.generate_otp(now + 1), SEEN)
        assert identity.find_factors(owner.person_id).is_locked
        assert identity.prove_code(owner.person_id, codes[0], SEEN)
        with work_of(PLATFORM) as work:
            wanted = audit.EntryFilter(actions=("person.authenticator_locked",))
            (entry,) = audit.list_entries(work, wanted)
        assert entry.subject == f"person:{owner.person_id}"

    def test_of_fifty_guesses_at_once_twenty_are_judged(self, owner, app_of):
        app, _ = app_of(owner)
        wrong = f"{(int(app.now()) + 1) % 10**6:06d}"

        def guess(_):
            try:
                identity.prove_code(owner.person_id, wrong, SEEN)
            except (identity.CodeWrong, identity.AuthenticatorLocked) as error:
                return type(error).__name__

        with ThreadPoolExecutor(8) as pool:
            told = list(pool.map(guess, range(AT_ONCE)))
        assert told.count("CodeWrong") == 20
        assert told.count("AuthenticatorLocked") == AT_ONCE - 20

    def test_of_the_same_digits_at_once_one_gets_in(self, owner, app_of):
        app, _ = app_of(owner)
        digits = app.now()
        assert count_wins(lambda: identity.prove_code(owner.person_id, digits, SEEN), 12) == 1


def count_wins(prove, times):
    """Return how many of so many tries at once are believed."""

    def attempt(_):
        try:
            return bool(prove())
        except (identity.CodeWrong, identity.AuthenticatorLocked, identity.SignInThrottled):
            return False

    with ThreadPoolExecutor(8) as pool:
        return sum(pool.map(attempt, range(times)))


class TestSheet:
    def test_each_code_is_good_once_however_it_is_typed(self, owner, app_of):
        _, codes = app_of(owner)
        assert len(set(codes)) == 10
        typed = identity.group_code(codes[3]).lower()
        assert identity.prove_code(owner.person_id, typed, SEEN) == ("otp", "mfa")
        with pytest.raises(identity.CodeWrong):
            identity.prove_code(owner.person_id, typed, SEEN)
        assert identity.find_factors(owner.person_id).recovery_codes_left == 9

    def test_of_fifty_uses_of_one_code_at_once_one_gets_in(self, owner, app_of):
        _, codes = app_of(owner)
        wins = count_wins(lambda: identity.prove_code(owner.person_id, codes[0], SEEN), AT_ONCE)
        assert wins == 1
        assert identity.find_factors(owner.person_id).recovery_codes_left == 9

    def test_a_new_sheet_ends_the_old_one(self, owner, app_of):
        _, codes = app_of(owner)
        new = identity.renew_recovery_codes(owner.person_id, SEEN)
        with pytest.raises(identity.CodeWrong):
            identity.prove_code(owner.person_id, codes[0], SEEN)
        assert identity.prove_code(owner.person_id, new[0], SEEN)

    def test_nobody_uses_the_code_of_another(self, owner, app_of):
        other = make_somebody(owner.scope)
        app_of(other)
        _, codes = app_of(owner)
        with pytest.raises(identity.CodeWrong):
            identity.prove_code(other.person_id, codes[0], SEEN)

    def test_guessing_it_is_limited(self, owner, app_of):
        app_of(owner)
        for _ in range(10):
            with pytest.raises(identity.CodeWrong):
                identity.prove_code(owner.person_id, "AAAA-BBBB-CCCC", SEEN)
        with pytest.raises(identity.SignInThrottled):
            identity.prove_code(owner.person_id, "AAAA-BBBB-CCCC", SEEN)

    def test_nothing_at_rest_is_a_code_or_the_secret_of_an_app(self, owner, app_of):
        app, codes = app_of(owner)
        with work_of(PLATFORM) as work:
            rows = work.session.execute(
                sa.text(
                    "SELECT to_jsonb(a)::text FROM identity_authenticators a UNION ALL"
                    " SELECT to_jsonb(r)::text FROM identity_recovery_codes r"
                )
            ).scalars()
            kept = "".join(rows)
        for secret in (app.secret, *codes):
            assert secret not in kept
            assert secret.encode().hex() not in kept


class TestLosing:
    def test_the_last_one_stays_while_a_role_asks_for_it(self, owner, app_of):
        app_of(owner)
        give_passkey(owner.email, PASSWORD)
        identity.remove_authenticator(owner.person_id, SEEN)
        (key,) = identity.find_factors(owner.person_id).passkeys
        with pytest.raises(identity.FactorNeeded):
            identity.remove_passkey(owner.person_id, key.id, SEEN)
        assert identity.find_factors(owner.person_id).passkeys == (key,)

    def test_of_the_last_two_removed_at_once_one_stays(self, owner, app_of):
        app_of(owner)
        give_passkey(owner.email, PASSWORD)
        (key,) = identity.find_factors(owner.person_id).passkeys
        removals = [
            lambda: identity.remove_authenticator(owner.person_id, SEEN),
            lambda: identity.remove_passkey(owner.person_id, key.id, SEEN),
        ]

        def remove(removal):
            try:
                removal()
            except identity.FactorNeeded:
                return False
            return True

        with ThreadPoolExecutor(2) as pool:
            assert sorted(pool.map(remove, removals)) == [False, True]
        assert identity.find_factors(owner.person_id).are_any

    def test_whoever_need_not_have_one_may_go_back_to_a_password(self, owner, app_of):
        viewer = make_somebody(owner.scope, "viewer")
        app_of(viewer)
        identity.remove_authenticator(viewer.person_id, SEEN)
        factors = identity.find_factors(viewer.person_id)
        assert (factors.are_any, factors.recovery_codes_left) == (False, 0)
        with pytest.raises(identity.FactorNotFound):
            identity.remove_authenticator(viewer.person_id, SEEN)

    def test_nobody_removes_the_passkey_of_another(self, owner):
        other = make_somebody(owner.scope, "viewer")
        give_passkey(owner.email, PASSWORD)
        (key,) = identity.find_factors(owner.person_id).passkeys
        with pytest.raises(identity.FactorNotFound):
            identity.remove_passkey(other.person_id, key.id, SEEN)

    def test_whoever_runs_the_installation_lets_somebody_begin_again(self, owner, app_of):
        app, codes = app_of(owner)
        give_passkey(owner.email, PASSWORD)
        opened = open_session(owner)
        operator = Actor(kind="system", id="operator", client_id="operator")
        identity.reset_factors(operator, owner.email, SEEN)
        factors = identity.find_factors(owner.person_id)
        assert (factors.are_any, factors.recovery_codes_left) == (False, 0)
        with pytest.raises(identity.SessionOver):
            identity.renew_session(opened.session_id, opened.secret)
        for code in (app.now(), codes[0]):
            with pytest.raises(identity.CodeWrong):
                identity.prove_code(owner.person_id, code, SEEN)

    def test_who_knows_a_password_alone_adds_nothing_beside_what_there_is(self, owner, app_of):
        proof = identity.sign_in(owner.email, PASSWORD, source=HOME).proof
        app_of(owner)
        secret = identity.offer_authenticator(owner.person_id).secret
        with pytest.raises(identity.SessionOver):
            identity.add_authenticator(
                owner.person_id,
                secret,
                pyotp.TOTP(secret).now(),
                SEEN,
                on=identity.Standing(proof=proof),
            )

    def test_a_password_that_was_replaced_sets_up_nothing(self, owner):
        proof = identity.sign_in(owner.email, PASSWORD, source=HOME).proof
        identity.change_password(owner.person_id, PASSWORD, "another word that is long")
        secret = identity.offer_authenticator(owner.person_id).secret
        with pytest.raises(identity.SessionOver):
            identity.add_authenticator(
                owner.person_id,
                secret,
                pyotp.TOTP(secret).now(),
                SEEN,
                on=identity.Standing(proof=proof),
            )


def test_the_log_keeps_no_secret(owner, app_of, capfd):
    app, codes = app_of(owner)
    identity.prove_code(owner.person_id, codes[0], SEEN)
    with work_of(PLATFORM) as work:
        told = json.dumps([str(entry) for entry in audit.list_entries(work)])
    said = told + "".join(capfd.readouterr())
    for secret in (app.secret, *codes):
        assert secret not in said


def test_a_sheet_without_a_second_step_is_nobodys(owner):
    viewer = make_somebody(owner.scope, "viewer")
    with pytest.raises(identity.FactorNotFound):
        identity.renew_recovery_codes(viewer.person_id, SEEN)


def test_a_first_factor_ends_whatever_sheet_there_was(owner, app_of):
    _, old = app_of(owner)
    with work_of(PLATFORM) as work:  # as if the app had gone by another way than ours
        work.session.execute(
            sa.text("DELETE FROM identity_authenticators WHERE person_id = :id"),
            {"id": owner.person_id},
        )
    give_passkey(owner.email, PASSWORD)
    with pytest.raises(identity.CodeWrong):
        identity.prove_code(owner.person_id, old[0], SEEN)


def test_the_last_one_that_works_stays(owner, app_of):
    app_of(owner)
    give_passkey(owner.email, PASSWORD)
    with work_of(PLATFORM) as work:
        work.session.execute(sa.text("UPDATE identity_authenticators SET wrong_codes = 20"))
    (key,) = identity.find_factors(owner.person_id).passkeys
    with pytest.raises(identity.FactorNeeded):
        identity.remove_passkey(owner.person_id, key.id, SEEN)


def test_whom_a_provider_vouches_for_sets_nothing_up_without_the_password(owner):
    viewer = make_somebody(owner.scope, "viewer")
    opened = enter(viewer, "pwd")
    with work_of(PLATFORM) as work:  # as a provider of the town opens it
        work.session.execute(
            sa.text("UPDATE identity_sessions SET amr = '[\"fed\"]' WHERE id = :id"),
            {"id": opened.session_id},
        )
    on = identity.Standing(session_id=opened.session_id)
    secret = identity.offer_authenticator(viewer.person_id).secret
    with pytest.raises(identity.FactorUnproved):
        identity.add_authenticator(viewer.person_id, secret, pyotp.TOTP(secret).now(), SEEN, on=on)
    assert not identity.find_factors(viewer.person_id).are_any


def test_a_role_changed_without_a_proof_lasts_no_longer(owner, fresh_clock):
    elsewhere = make_somebody(make.make_tenant(), "viewer", email=owner.email)
    opened = open_session(owner)
    fresh_clock(timedelta(hours=8))
    carried = enter(elsewhere, follows=opened.session_id)
    with work_of(PLATFORM) as work:
        ends = dict(
            work.session.execute(sa.text("SELECT id, expires_at FROM identity_sessions")).all()
        )
    assert ends[carried.session_id] == ends[opened.session_id]
