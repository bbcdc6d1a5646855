"""Sessions: begun by a proof, renewed while their person may be here, believed no more after."""

from __future__ import annotations

import json
from datetime import timedelta
from uuid import uuid4

import pytest
import sqlalchemy as sa

from giftpad import audit, guard, identity, tenancy
from giftpad.identity.jobs import purge_old
from giftpad.kernel.work import Scope
from tests import make
from tests.make_identity import work_of
from tests.make_sessions import HOME, PASSWORD, TWO_STEPS, make_somebody, open_session

PLATFORM = Scope(tenant_id=tenancy.PLATFORM_TENANT_ID)


def is_believed(opened):
    """Whether the token of a session still opens something."""
    return not identity.is_revoked(identity.verify_token(opened.token))


def test_a_token_of_a_session_says_who_where_and_what(owner):
    opened = open_session(owner)
    claims = identity.verify_token(opened.token)
    assert claims.subject == f"auth0|{owner.person_id}"
    assert claims.person_id == owner.person_id
    assert (claims.client_id, claims.role) == ("giftpad-web", "owner")
    assert claims.session_id == opened.session_id
    assert claims.org_id == tenancy.get_tenant(owner.scope.tenant_id).org_id
    assert claims.permissions == identity.ROLES["owner"]
    assert claims.expires_at - claims.issued_at == 900
    assert opened.name == "山田 花子"


def test_a_token_of_a_clerk_names_the_shop(scope):
    shop_id = make.add_shop(scope)
    opened = open_session(make_somebody(scope, "clerk", shop_id=shop_id))
    assert identity.verify_token(opened.token).shop_id == shop_id


def test_signing_in_tells_the_roles_of_all_tenants(owner):
    other = make.make_tenant()
    make_somebody(other, "viewer", email=owner.email)
    proved = identity.sign_in(owner.email, PASSWORD, source=HOME)
    assert proved.person_id == owner.person_id
    assert {(each.tenant_id, each.role) for each in proved.memberships} == {
        (owner.scope.tenant_id, "owner"),
        (other.tenant_id, "viewer"),
    }


@pytest.mark.parametrize("email", ["", "nobody@example.jp", "no address", "a" * 300 + "@b.jp"])
def test_nobody_is_refused_like_a_wrong_password(owner, email):
    with pytest.raises(identity.SignInRefused) as unknown:
        identity.sign_in(email, PASSWORD, source="203.0.113.1")
    with pytest.raises(identity.SignInRefused) as wrong:
        identity.sign_in(owner.email, "wrong", source="203.0.113.1")
    assert (unknown.value.code, unknown.value.params) == (wrong.value.code, wrong.value.params)


def test_unknown_and_wrong_cost_the_same_work(owner, monkeypatch):
    from giftpad.identity.queries import people

    judged = []
    judge = people.is_password
    monkeypatch.setattr(people, "is_password", lambda *said: judged.append(said) or judge(*said))
    for email in (owner.email, "nobody@example.jp", "no address"):
        with pytest.raises(identity.SignInRefused):
            identity.sign_in(email, "wrong", source="203.0.113.2")
    assert len(judged) == 3
    assert all(password_hash.startswith("$argon2id$") for password_hash, _ in judged)


def test_guesses_are_counted_by_address_and_source(owner):
    for _ in range(10):
        with pytest.raises(identity.SignInRefused):
            identity.sign_in(owner.email, "wrong", source="203.0.113.3")
    for password in ("wrong", PASSWORD):
        with pytest.raises(identity.SignInThrottled) as caught:
            identity.sign_in(owner.email, password, source="203.0.113.3")
        assert 0 < caught.value.retry_after_s <= 601
    assert identity.sign_in(owner.email, PASSWORD, source="203.0.113.4").memberships


@pytest.mark.parametrize(
    ("names", "sources"),
    [("same", "other"), ("other", "same")],
    ids=["one address from everywhere", "every address from one place"],
)
def test_guesses_are_counted_by_address_and_by_source_alone(owner, monkeypatch, names, sources):
    from giftpad.identity.commands import passwords

    monkeypatch.setattr(passwords, "FAILURES_BY_ACCOUNT_MAX", 5)
    monkeypatch.setattr(passwords, "FAILURES_BY_SOURCE_MAX", 5)
    tried = 0
    with pytest.raises(identity.SignInThrottled):
        for tried in range(10):
            email = owner.email if names == "same" else f"nobody{tried}@example.jp"
            source = f"203.0.114.{tried}" if sources == "other" else "203.0.114.200"
            with pytest.raises(identity.SignInRefused):
                identity.sign_in(email, "wrong", source=source)
    assert tried == 5


def test_what_failures_are_counted_by_names_nobody(owner, monkeypatch):
    seen = []
    monkeypatch.setattr(guard, "count_failure", lambda name, **_: seen.append(name))
    with pytest.raises(identity.SignInRefused):
        identity.sign_in(owner.email, "wrong", source="203.0.113.5")
    assert len(seen) == 3
    assert owner.email.partition("@")[0] not in json.dumps(seen)


def test_renewing_makes_another_token_of_the_same_session(owner):
    opened = open_session(owner)
    renewed = identity.renew_session(opened.session_id, opened.secret)
    assert renewed.session_id == opened.session_id
    assert identity.verify_token(renewed.token).token_id != (
        identity.verify_token(opened.token).token_id
    )


@pytest.mark.parametrize("wrong", ["id", "secret", "other's"])
def test_only_the_secret_of_a_session_renews_it(owner, wrong):
    opened, other = open_session(owner), open_session(owner)
    session_id = uuid4() if wrong == "id" else opened.session_id
    secret = other.secret if wrong == "other's" else opened.secret
    if wrong == "secret":
        secret += "x"
    with pytest.raises(identity.SessionOver):
        identity.renew_session(session_id, secret)
    with pytest.raises(identity.SessionOver):
        identity.end_session(session_id, secret)
    assert is_believed(opened)


def test_the_secret_is_not_kept(owner):
    opened = open_session(owner)
    with work_of(PLATFORM) as work:
        (row,) = work.session.execute(
            sa.text("SELECT row_to_json(s)::text FROM identity_sessions s WHERE id = :id"),
            {"id": opened.session_id},
        ).scalars()
    assert opened.secret not in row
    assert opened.secret not in repr(opened)
    assert opened.token not in repr(opened)


@pytest.mark.parametrize("hours", [13, 24 * 15])
def test_a_session_that_nobody_used_is_over(owner, fresh_clock, hours):
    opened = open_session(owner)
    fresh_clock(timedelta(hours=hours))
    with pytest.raises(identity.SessionOver):
        identity.renew_session(opened.session_id, opened.secret)
    assert identity.list_sessions(owner.person_id) == []


def test_a_session_that_is_used_lives_on_for_two_weeks_and_no_longer(owner, fresh_clock):
    opened = open_session(owner)
    for hours in range(10, 14 * 24, 10):
        fresh_clock(timedelta(hours=hours))
        identity.renew_session(opened.session_id, opened.secret)
    fresh_clock(timedelta(days=14, minutes=1))
    with pytest.raises(identity.SessionOver):
        identity.renew_session(opened.session_id, opened.secret)


def test_signing_out_is_believed_at_once(owner):
    opened, other = open_session(owner), open_session(owner)
    identity.end_session(opened.session_id, opened.secret)
    assert (is_believed(opened), is_believed(other)) == (False, True)
    with pytest.raises(identity.SessionOver):
        identity.renew_session(opened.session_id, opened.secret)


def test_signing_out_everywhere_may_leave_one(owner):
    here, *others = (open_session(owner) for _ in range(3))
    assert identity.revoke_sessions_of(owner.person_id, but=here.session_id) == 2
    assert [session.id for session in identity.list_sessions(owner.person_id)] == [here.session_id]
    assert is_believed(here)
    assert not any(is_believed(other) for other in others)
    assert identity.revoke_sessions_of(owner.person_id) == 1


def test_nobody_ends_a_session_of_another(owner):
    other = make_somebody(owner.scope)
    opened = open_session(owner)
    with pytest.raises(identity.SessionNotFound):
        identity.revoke_session(other.person_id, opened.session_id)
    assert is_believed(opened)
    identity.revoke_session(owner.person_id, opened.session_id)
    assert not is_believed(opened)


def test_a_member_who_was_removed_is_out_at_once(owner):
    viewer = make_somebody(owner.scope, "viewer")
    elsewhere = make_somebody(make.make_tenant(), "viewer", email=viewer.email)
    here, there = open_session(viewer), open_session(elsewhere)
    identity.remove_member(owner.scope, viewer.membership_id)
    assert (is_believed(here), is_believed(there)) == (False, True)
    with pytest.raises(identity.SessionOver):
        identity.renew_session(here.session_id, here.secret)
    assert identity.renew_session(there.session_id, there.secret)
    with pytest.raises(identity.SessionOver):
        open_session(viewer)


def test_a_member_who_vanished_is_out_at_the_next_renewal(owner):
    opened = open_session(owner)
    with work_of(owner.scope) as work:
        work.session.execute(
            sa.text("DELETE FROM identity_memberships WHERE id = :id"),
            {"id": owner.membership_id},
        )
    with pytest.raises(identity.SessionOver):
        identity.renew_session(opened.session_id, opened.secret)


def test_a_disabled_person_is_out_at_the_next_renewal(owner):
    opened = open_session(owner)
    with work_of(PLATFORM) as work:
        work.session.execute(
            sa.text("UPDATE identity_people SET disabled_at = now() WHERE id = :id"),
            {"id": owner.person_id},
        )
    with pytest.raises(identity.SessionOver):
        identity.renew_session(opened.session_id, opened.secret)
    with pytest.raises(identity.SessionOver):
        open_session(owner)


def test_a_suspended_tenant_renews_nothing(owner):
    opened = open_session(owner)
    with work_of(owner.scope) as work:
        tenancy.suspend_tenant(work)
    tenancy.forget_tenants()
    with pytest.raises(identity.SessionOver):
        identity.renew_session(opened.session_id, opened.secret)
    assert identity.sign_in(owner.email, PASSWORD, source="203.0.113.6").memberships == ()


def test_a_changed_role_counts_from_the_next_sign_in(owner):
    viewer = make_somebody(owner.scope, "viewer")
    opened = open_session(viewer)
    identity.change_role(owner.scope, viewer.membership_id, "approver")
    assert not is_believed(opened)
    again = open_session(viewer)
    assert identity.verify_token(again.token).permissions == identity.ROLES["approver"]


def test_nobody_opens_a_session_by_the_role_of_another(owner):
    viewer = make_somebody(owner.scope, "viewer")
    with pytest.raises(identity.SessionOver):
        identity.open_session(viewer.person_id, owner.scope.tenant_id, owner.membership_id)
    other = make.make_tenant()
    with pytest.raises(identity.SessionOver):
        identity.open_session(owner.person_id, other.tenant_id, owner.membership_id)


def test_a_password_is_changed_by_whoever_knows_it(owner):
    here, there = open_session(owner), open_session(owner)
    new = "another word that is long"
    with pytest.raises(identity.PasswordWrong):
        identity.change_password(owner.person_id, "wrong", new)
    with pytest.raises(identity.PasswordUnfit):
        identity.change_password(owner.person_id, PASSWORD, "short")
    assert is_believed(there)
    identity.change_password(owner.person_id, PASSWORD, new, session_id=here.session_id)
    assert (is_believed(here), is_believed(there)) == (True, False)
    assert identity.verify_password(owner.email, PASSWORD) is None
    assert identity.verify_password(owner.email, new) == owner.person_id


def test_a_proof_that_waits_counts_only_for_the_password_it_is_of(owner):
    place = (owner.person_id, owner.scope.tenant_id, owner.membership_id)
    old = identity.sign_in(owner.email, PASSWORD, source=HOME).proof
    assert is_believed(identity.open_session(*place, proof=old, methods=TWO_STEPS))
    new = "another word that is long"
    identity.change_password(owner.person_id, PASSWORD, new)
    for proof in (old, ""):
        with pytest.raises(identity.SessionOver):
            identity.open_session(*place, proof=proof, methods=TWO_STEPS)
    fresh = identity.sign_in(owner.email, new, source=HOME).proof
    assert is_believed(identity.open_session(*place, proof=fresh, methods=TWO_STEPS))


def test_guessing_the_present_password_is_limited_too(owner):
    for _ in range(10):
        with pytest.raises(identity.PasswordWrong):
            identity.change_password(owner.person_id, "wrong", PASSWORD)
    with pytest.raises(identity.SignInThrottled):
        identity.change_password(owner.person_id, "wrong", PASSWORD)
    with pytest.raises(identity.SignInThrottled):
        identity.change_password(owner.person_id, PASSWORD, PASSWORD + "x")


def test_coming_and_going_is_on_record_in_the_tenant(owner):
    opened = open_session(owner)
    identity.end_session(opened.session_id, opened.secret)
    with work_of(owner.scope) as work:
        entries = [entry for entry in audit.list_entries(work) if "session." in entry.action]
        assert audit.verify(work) is None
    assert {entry.action for entry in entries} == {"session.opened", "session.ended"}
    assert {entry.actor["id"] for entry in entries} == {str(owner.person_id)}


@pytest.mark.parametrize(
    ("description", "agent"),
    [
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0) Version/18.0 Mobile Safari/604.1",
            "Safari, iPhone",
        ),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/131.0 Safari/537.36 Edg/131.0", "Edge, Windows"),
        ("Mozilla/5.0 (Linux; Android 14) Chrome/131.0 Mobile Safari/537.36", "Chrome, Android"),
        ("curl/8 山田@example.jp", ""),
        ("", ""),
    ],
)
def test_of_a_browser_only_its_family_is_kept(owner, description, agent):
    identity.open_session(
        owner.person_id,
        owner.scope.tenant_id,
        owner.membership_id,
        user_agent=description,
        methods=TWO_STEPS,
    )
    (session,) = identity.list_sessions(owner.person_id)
    assert session.agent == agent


def test_old_sessions_go(owner, fresh_clock):
    opened, ended = open_session(owner), open_session(owner)
    identity.end_session(ended.session_id, ended.secret)

    def kept():
        with work_of(PLATFORM) as work:
            ids = [opened.session_id, ended.session_id]
            rows = work.session.execute(
                sa.text("SELECT id FROM identity_sessions WHERE id = ANY(:ids)"), {"ids": ids}
            )
            return {row.id for row in rows}

    fresh_clock(timedelta(days=29))
    purge_old(PLATFORM)
    assert kept() == {opened.session_id, ended.session_id}
    fresh_clock(timedelta(days=31))
    purge_old(PLATFORM)
    assert kept() == {opened.session_id}
    fresh_clock(timedelta(days=45))
    purge_old(PLATFORM)
    assert kept() == set()
