"""The secret of a tablet: exchanged at each use, and known to be stolen when shown too late."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher

from giftpad import identity, tills
from giftpad.identity.commands import members, user_codes
from giftpad.identity.queries import people
from giftpad.kernel.ids import new_id
from giftpad.tills.commands import terminals
from giftpad.tills.models import ClerkRow
from tests.make_identity import work_of
from tests.make_sessions import make_somebody

LATER = timedelta(minutes=1)
PIN = "4071"


@pytest.fixture
def shop_id():
    """A shop; of shops nothing is known here but their ids."""
    return new_id()


@pytest.fixture
def paired(scope, shop_id):
    """A tablet that was let in, with its first secret."""
    waiting = tills.start_pairing("")
    tills.approve_pairing(scope, waiting.user_code, shop_id, "レジ1")
    return tills.take_pairing(waiting.secret)


@pytest.fixture
def wait(fresh_clock):
    """Let time pass, each time from where it stood."""
    passed = timedelta()

    def pass_on(more=LATER):
        nonlocal passed
        passed += more
        fresh_clock(passed)

    return pass_on


def use(paired, secret):
    """Show a secret, and return the next one."""
    return tills.open_till(paired.tenant_id, paired.terminal_id, secret).secret


def is_over(paired, secret):
    """Whether a tablet is turned away."""
    try:
        use(paired, secret)
    except tills.TerminalOver:
        return True
    return False


def test_a_code_that_is_shown_already_is_drawn_again(bound, monkeypatch):
    taken, free = user_codes.new_user_code(), user_codes.new_user_code()
    monkeypatch.setattr(user_codes, "new_user_code", iter([taken, taken, free]).__next__)
    first, second = tills.start_pairing(""), tills.start_pairing("")
    assert (first.user_code, second.user_code) == (taken, free)


def test_each_use_gives_another_secret(paired, wait):
    secrets = [paired.secret]
    for _ in range(3):
        wait()
        secrets.append(use(paired, secrets[-1]))
    assert len(set(secrets)) == 4


def test_an_answer_that_was_lost_does_not_shut_the_tablet_out(paired, wait):
    first = use(paired, paired.secret)
    wait()
    lost = use(paired, first)
    wait(timedelta(days=2))
    again = use(paired, first)
    assert again != lost
    wait(LATER * 2)
    assert use(paired, again)


@pytest.mark.parametrize("kept", [0, -1])
def test_two_requests_of_one_tablet_at_once_end_nothing(paired, wait, kept):
    with ThreadPoolExecutor(8) as pool:
        held = list(pool.map(lambda _: use(paired, paired.secret), range(8)))
    answers = sorted(set(held), key=lambda secret: secret == paired.secret)
    assert len(answers) == 2, "one exchange, and the same secret for all who came beside it"
    wait()
    assert not is_over(paired, answers[kept]), "whichever answer the browser saw last"


def test_a_stolen_secret_ends_the_tablet_for_both(paired, wait):
    stolen = use(paired, paired.secret)
    wait()
    second = use(paired, stolen)
    wait()
    third = use(paired, second)
    wait()
    token = tills.open_till(paired.tenant_id, paired.terminal_id, third)
    assert not identity.is_revoked(identity.verify_token(token.token))
    wait()
    assert is_over(paired, stolen), "the thief is out"
    assert is_over(paired, token.secret), "and so is the tablet, which is connected anew"
    assert identity.is_revoked(identity.verify_token(token.token)), "at once in this process"


def test_a_thief_who_comes_first_is_found_by_the_tablet(paired, wait):
    held = use(paired, paired.secret)
    wait()
    by_the_thief = use(paired, held)
    wait()
    by_the_tablet = use(paired, held)
    wait()
    assert is_over(paired, by_the_thief)
    assert is_over(paired, by_the_tablet)


@pytest.mark.parametrize("days", [61, 366])
def test_a_tablet_ends_when_it_is_not_used_and_after_a_year(paired, wait, days):
    secret = paired.secret
    for _ in range(days // 50 if days > 365 else 0):
        wait(timedelta(days=50))
        secret = use(paired, secret)
    assert not is_over(paired, secret) or days < 365
    wait(timedelta(days=days if days < 365 else 20))
    assert is_over(paired, secret)


@pytest.mark.parametrize(
    "leave", [identity.remove_member, partial(identity.change_role, role="viewer")]
)
def test_whoever_is_of_the_shop_no_more_types_no_pin(scope, shop_id, paired, leave):
    member = make_somebody(scope, "clerk", shop_id=shop_id)
    clerk_id = tills.add_clerk(scope, shop_id, "", PIN, membership_id=member.membership_id)
    opened = tills.enter_pin(
        paired.tenant_id, paired.terminal_id, paired.secret, clerk_id=clerk_id, pin=PIN
    )
    claims = identity.verify_token(opened.token)
    assert claims.person_id == member.person_id, "somebody with an account acts as themselves"
    assert claims.role == "clerk"
    leave(scope, member.membership_id)
    assert identity.is_revoked(claims)
    with work_of(scope) as work:
        assert tills.get_till(work, shop_id).clerks == ()


def test_whose_pin_cannot_be_ended_stays_a_member(scope, shop_id, monkeypatch):
    def fail(work, membership_id):
        raise ZeroDivisionError

    member = make_somebody(scope, "clerk", shop_id=shop_id)
    tills.add_clerk(scope, shop_id, "", PIN, membership_id=member.membership_id)
    monkeypatch.setattr(members._Bound, "endings", (tills.end_clerks_of, fail))
    with pytest.raises(ZeroDivisionError):
        identity.remove_member(scope, member.membership_id)
    assert identity.list_members(scope), "both or neither"
    with work_of(scope) as work:
        assert tills.get_till(work, shop_id).clerks


def test_a_pin_opens_the_till_and_nothing_that_an_owner_may_do(scope, shop_id, paired):
    owner = make_somebody(scope, "shop_owner", shop_id=shop_id)
    clerk_id = tills.add_clerk(scope, shop_id, "", PIN, membership_id=owner.membership_id)
    opened = tills.enter_pin(
        paired.tenant_id, paired.terminal_id, paired.secret, clerk_id=clerk_id, pin=PIN
    )
    permissions = identity.verify_token(opened.token).permissions
    assert permissions == identity.ROLES["clerk"]


def test_who_keeps_the_shop_no_more_connects_nothing(scope, shop_id):
    keeper = make_somebody(scope, "issuer")
    theirs = replace(scope, actor=identity.person_actor(keeper.person_id))
    waiting = tills.start_pairing("")
    identity.change_role(scope, keeper.membership_id, "viewer")
    with pytest.raises(identity.SessionOver):
        tills.approve_pairing(theirs, waiting.user_code, shop_id, "レジ1")
    assert tills.see_pairing(waiting.secret) is tills.Pairing.WAITING


class Counting(PasswordHasher):
    """Counts how often a hash is compared with anything."""

    compared: list[str] = []  # noqa: RUF012 - shared on purpose

    def verify(self, hash, password):  # noqa: A002 - as the library calls it
        self.compared.append(hash)
        return super().verify(hash, password)


@pytest.fixture
def compared(monkeypatch):
    """What was compared with hashes during a test, which take little work."""
    light = partial(Counting, time_cost=1, memory_cost=64)
    monkeypatch.setattr(people, "PasswordHasher", light)
    people.hasher.cache_clear()
    Counting.compared.clear()
    yield Counting.compared
    people.hasher.cache_clear()


def attempt(paired, clerk_id, pin):
    """Type a PIN, and return what came of it."""
    try:
        tills.enter_pin(
            paired.tenant_id, paired.terminal_id, paired.secret, clerk_id=clerk_id, pin=pin
        )
    except (tills.PinWrong, tills.PinLocked, identity.SignInThrottled) as error:
        return error.code
    return "opened"


def test_fifty_tries_at_once_are_compared_five_times(scope, shop_id, paired, compared):
    clerk_id = tills.add_clerk(scope, shop_id, "青葉 花", PIN)
    wrong = [f"{5000 + number}" for number in range(50)]
    with ThreadPoolExecutor(10) as pool:
        codes = list(pool.map(lambda pin: attempt(paired, clerk_id, pin), wrong))
    assert len(compared) == 5
    assert "opened" not in codes
    with work_of(scope) as work:
        (clerk,) = tills.get_till(work, shop_id).clerks
    assert clerk.is_locked
    assert attempt(paired, clerk_id, PIN) != "opened", "locked is locked, for the right PIN too"
    assert len(compared) == 5


def test_the_same_pin_of_two_clerks_is_kept_as_two_hashes(scope, shop_id, paired, compared):
    first = tills.add_clerk(scope, shop_id, "青葉 花", PIN)
    second = tills.add_clerk(scope, shop_id, "見本 次郎", PIN)
    assert attempt(paired, first, PIN) == "opened"
    assert attempt(paired, second, PIN) == "opened"
    assert len(set(compared)) == 2


@pytest.mark.parametrize(
    "pin", ["1234", "0000", "4321", "1212", "123123", "2580", "1122", "890123"]
)
def test_a_pin_that_is_guessed_first_is_refused(scope, shop_id, pin):
    with pytest.raises(tills.PinTrivial):
        tills.add_clerk(scope, shop_id, "青葉 花", pin)


@pytest.mark.parametrize("pin", ["", "123", "1234567", "12a4", "-123", "１２"])
def test_a_text_that_is_no_pin_is_refused(scope, shop_id, pin):
    with pytest.raises(tills.PinUnfit):
        tills.add_clerk(scope, shop_id, "青葉 花", pin)


def test_whoever_sits_down_waits_for_their_name_before_they_hold_the_tablet(
    scope, shop_id, paired, monkeypatch
):
    """Whoever removes a clerk holds the name first; two orders of locks would end in a deadlock."""
    clerk_id = tills.add_clerk(scope, shop_id, "秋田 律", PIN)
    exchange, held = terminals._exchange, []

    def note(work, *given):
        with work_of(scope) as other:
            free = sa.select(ClerkRow.id).where(ClerkRow.id == clerk_id)
            locked = other.session.execute(free.with_for_update(skip_locked=True)).first() is None
        held.append(locked)
        return exchange(work, *given)

    monkeypatch.setattr(terminals, "_exchange", note)
    place = (paired.tenant_id, paired.terminal_id, paired.secret)
    tills.enter_pin(*place, clerk_id=clerk_id, pin=PIN)
    assert held == [True]
