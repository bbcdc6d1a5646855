"""What happens between two transactions of identity: nobody gets in, or comes back, by a gap."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace

import psycopg
import pytest
import sqlalchemy as sa

from giftpad import audit, identity, tenancy
from giftpad.kernel.errors import Unavailable
from giftpad.kernel.work import Actor, Scope
from tests.make_identity import work_of
from tests.make_sessions import HOME, PASSWORD, TWO_STEPS, make_somebody, open_session

PLATFORM = Scope(tenant_id=tenancy.PLATFORM_TENANT_ID)
NEW = "another word that is long"
DEADLINE_S = 20
WAITING = (
    "SELECT pid FROM pg_stat_activity"
    " WHERE datname = current_database() AND wait_event_type = 'Lock'"
)
LOCK_PERSON = sa.text("SELECT 1 FROM identity_people WHERE id = :id FOR UPDATE")


@pytest.fixture
def superuser(superuser_url):
    """A connection that sees who waits for whom."""
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        yield connection


@contextmanager
def beside(deed, superuser):
    """Let a deed run into a lock that the caller holds; the caller takes its answer later."""
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(deed)
        deadline = time.monotonic() + DEADLINE_S
        while (waiter := superuser.execute(WAITING).fetchone()) is None:
            assert not running.done(), "it did not wait"
            assert time.monotonic() < deadline
        yield running, waiter[0]


def as_person(somebody):
    """The scope of a member who acts themselves."""
    return replace(somebody.scope, actor=identity.person_actor(somebody.person_id))


MANAGING = {
    "invite": lambda scope, _: identity.invite(
        scope, identity.NewInvitation(name="佐藤", role="owner")
    ),
    "give a role": lambda scope, other: identity.change_role(scope, other, "viewer"),
    "remove": identity.remove_member,
    "withdraw": identity.revoke_invitation,
}


@pytest.mark.parametrize("how", ["removed", "viewer now"])
@pytest.mark.parametrize("what", MANAGING)
def test_who_was_just_removed_manages_nobody_with_a_token_believed_elsewhere(owner, what, how):
    hostile, victim = make_somebody(owner.scope), make_somebody(owner.scope, "viewer")
    waiting = identity.invite(as_person(owner), identity.NewInvitation(name="佐藤", role="viewer"))
    if how == "removed":
        identity.remove_member(as_person(owner), hostile.membership_id)
    else:
        identity.change_role(as_person(owner), hostile.membership_id, "viewer")
    with pytest.raises(identity.SessionOver):
        MANAGING[what](
            as_person(hostile), waiting.id if what == "withdraw" else victim.membership_id
        )
    assert [view.id for view in identity.list_invitations(owner.scope)] == [waiting.id]
    assert victim.membership_id in {
        member.membership_id for member in identity.list_members(owner.scope)
    }


def test_an_invitation_waits_for_the_end_of_its_inviter(owner, superuser):
    hostile = make_somebody(owner.scope)
    with work_of(owner.scope) as work:
        work.session.execute(
            sa.text("DELETE FROM identity_memberships WHERE id = :id"),
            {"id": hostile.membership_id},
        )
        with beside(lambda: MANAGING["invite"](as_person(hostile), None), superuser) as (late, _):
            work.session.commit()
            with pytest.raises(identity.SessionOver):
                late.result(DEADLINE_S)
    assert identity.list_invitations(owner.scope) == []


def test_a_sign_in_under_way_does_not_outlive_its_password(owner, superuser):
    place = (owner.person_id, owner.scope.tenant_id, owner.membership_id)
    proof = identity.sign_in(owner.email, PASSWORD, source=HOME).proof
    with work_of(PLATFORM) as work:
        work.session.execute(LOCK_PERSON, {"id": owner.person_id})
        with beside(
            lambda: identity.open_session(*place, proof=proof, methods=TWO_STEPS), superuser
        ) as (late, _):
            work.session.execute(
                sa.text("UPDATE identity_people SET password_hash = 'new' WHERE id = :id"),
                {"id": owner.person_id},
            )
            work.session.commit()
            with pytest.raises(identity.SessionOver):
                late.result(DEADLINE_S)
    assert identity.list_sessions(owner.person_id) == []


def test_a_sign_in_under_way_does_not_outlive_its_role(owner, superuser):
    viewer = make_somebody(owner.scope, "viewer")
    with work_of(PLATFORM) as work:
        work.session.execute(LOCK_PERSON, {"id": viewer.person_id})
        with beside(lambda: open_session(viewer), superuser) as (late, _):
            identity.remove_member(owner.scope, viewer.membership_id)
            work.session.commit()
            with pytest.raises(identity.SessionOver):
                late.result(DEADLINE_S)
    assert identity.list_sessions(viewer.person_id) == []


def test_a_password_replaces_only_the_one_that_was_proved(owner, superuser):
    with work_of(PLATFORM) as work:
        work.session.execute(LOCK_PERSON, {"id": owner.person_id})
        change = lambda: identity.change_password(owner.person_id, PASSWORD, NEW)  # noqa: E731
        with beside(change, superuser) as (late, _):
            work.session.execute(
                sa.text("UPDATE identity_people SET password_hash = 'other' WHERE id = :id"),
                {"id": owner.person_id},
            )
            work.session.commit()
            with pytest.raises(identity.PasswordWrong):
                late.result(DEADLINE_S)
    assert identity.verify_password(owner.email, NEW) is None


@pytest.mark.parametrize("who", ["oneself", "an operator"])
def test_a_password_that_cannot_end_the_sessions_is_not_changed(owner, superuser, who):
    opened = open_session(owner)
    deeds = {
        "oneself": lambda: identity.change_password(owner.person_id, PASSWORD, NEW),
        "an operator": lambda: identity.reset_password(OPERATOR, owner.email, NEW),
    }
    with work_of(PLATFORM) as work:
        work.session.execute(
            sa.text("SELECT 1 FROM identity_sessions WHERE id = :id FOR UPDATE"),
            {"id": opened.session_id},
        )
        with beside(deeds[who], superuser) as (late, waiter):
            superuser.execute("SELECT pg_cancel_backend(%s)", [waiter])
            with pytest.raises(Unavailable):
                late.result(DEADLINE_S)
    assert identity.verify_password(owner.email, NEW) is None
    assert identity.verify_password(owner.email, PASSWORD) == owner.person_id


OPERATOR = Actor(kind="system", id="operator", client_id="giftpad-cli")


def test_the_sessions_that_an_operator_ended_are_on_record_as_the_operators_deed(owner):
    opened = open_session(owner)
    identity.reset_password(OPERATOR, owner.email, NEW)
    assert identity.is_revoked(identity.verify_token(opened.token))
    with work_of(PLATFORM) as work:
        found = audit.list_entries(work, audit.EntryFilter(subjects=(f"person:{owner.person_id}",)))
    deeds = {entry.action: entry.actor["id"] for entry in found}
    assert deeds["person.password_reset"] == deeds["session.revoked"] == "operator"


def test_a_role_given_again_ends_sessions_that_a_first_try_left(owner):
    viewer = make_somebody(owner.scope, "viewer")
    opened = open_session(viewer)
    identity.change_role(owner.scope, viewer.membership_id, "viewer")
    assert identity.is_revoked(identity.verify_token(opened.token))
