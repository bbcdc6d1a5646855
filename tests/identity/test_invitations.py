"""Invitations and members: a link is taken once, and there is always an owner."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import sqlalchemy as sa

from giftpad import audit, identity, tenancy
from giftpad.identity.jobs import purge_old
from giftpad.kernel.errors import DomainError
from giftpad.kernel.ids import new_id
from tests import make
from tests.make_identity import work_of
from tests.make_sessions import HOME, PASSWORD, make_somebody

NEW_PASSWORD = "walking slowly uphill"


def invite(scope, role="viewer", **more):
    """Invite somebody and return the code of the link."""
    return identity.invite(scope, identity.NewInvitation(name="鈴木 一郎", role=role, **more)).code


def take(code, email=None, password=NEW_PASSWORD, name="鈴木 一郎"):
    """Take an invitation, as somebody new unless an address is given."""
    email = email or f"{new_id().hex[-12:]}@example.jp"
    return identity.accept_invitation(code, name=name, email=email, password=password, source=HOME)


def test_somebody_new_joins_by_a_link(scope):
    code = invite(scope, "approver")
    assert identity.find_invitation(code).role == "approver"
    joined = take(code, "new@example.jp")
    (member,) = identity.list_members(scope)
    assert (member.person_id, member.membership_id) == (joined.person_id, joined.membership_id)
    assert (member.name, member.email, member.role) == ("鈴木 一郎", "new@example.jp", "approver")
    proved = identity.sign_in("new@example.jp", NEW_PASSWORD, source=HOME)
    assert [each.id for each in proved.memberships] == [joined.membership_id]


def test_who_has_joined_signs_in_by_the_password_they_chose_and_by_no_later_one(scope):
    joined = take(invite(scope))
    whose = (joined.person_id, joined.tenant_id, joined.membership_id)
    assert identity.open_session(*whose, proof=joined.proof)
    identity.change_password(joined.person_id, NEW_PASSWORD, PASSWORD)
    with pytest.raises(identity.SessionOver):
        identity.open_session(*whose, proof=joined.proof)


def test_looking_at_a_link_changes_nothing(scope):
    code = invite(scope)
    for _ in range(3):
        identity.find_invitation(code)
    assert take(code)


def test_somebody_known_joins_by_their_own_password_and_keeps_it(scope):
    known = make_somebody(make.make_tenant())
    with pytest.raises(identity.SignInRefused):
        take(invite(scope), known.email, "a guess that is wrong")
    code = invite(scope)
    joined = take(code, known.email, PASSWORD, name="Another Name")
    assert joined.person_id == known.person_id
    assert identity.verify_password(known.email, PASSWORD) == known.person_id
    (member,) = identity.list_members(scope)
    assert member.name == "山田 花子"


def test_a_guess_at_the_password_of_somebody_known_is_counted(scope):
    known = make_somebody(make.make_tenant())
    code = invite(scope)
    for _ in range(10):
        with pytest.raises(identity.SignInRefused):
            take(code, known.email, "a guess that is wrong")
    with pytest.raises(identity.SignInThrottled):
        take(code, known.email, "a guess that is wrong")


def test_a_link_is_taken_once(scope):
    code = invite(scope)
    take(code)
    with pytest.raises(identity.InvitationNotFound):
        identity.find_invitation(code)
    with pytest.raises(identity.InvitationNotFound):
        take(code)
    assert len(identity.list_members(scope)) == 1


def test_of_many_at_once_one_takes_a_link(scope):
    code = invite(scope)

    def try_it(_):
        try:
            return take(code)
        except identity.InvitationNotFound:
            return None

    with ThreadPoolExecutor(6) as pool:
        taken = [joined for joined in pool.map(try_it, range(6)) if joined is not None]
    assert len(taken) == 1
    assert [member.person_id for member in identity.list_members(scope)] == [taken[0].person_id]


@pytest.mark.parametrize("how", ["late", "withdrawn", "suspended"])
def test_a_link_that_is_over_opens_nothing(scope, fresh_clock, how):
    made = identity.invite(scope, identity.NewInvitation(name="x", role="viewer"))
    assert identity.find_invitation(made.code)
    if how == "late":
        fresh_clock(timedelta(days=7, seconds=1))
    elif how == "withdrawn":
        identity.revoke_invitation(scope, made.id)
    else:
        with work_of(scope) as work:
            tenancy.suspend_tenant(work)
        tenancy.forget_tenants()
    with pytest.raises(identity.InvitationNotFound):
        identity.find_invitation(made.code)
    with pytest.raises(identity.InvitationNotFound):
        take(made.code)
    assert identity.list_members(scope) == []


def test_what_is_no_link_opens_nothing(scope):
    code = invite(scope)
    slug, _, secret = code.partition(".")
    other = tenancy.get_tenant(make.make_tenant().tenant_id).slug
    for wrong in (
        "",
        ".",
        slug,
        secret,
        f"{slug}.",
        f".{secret}",
        f"{other}.{secret}",
        code + "0",
        code[:-1],
        f"platform.{secret}",
        f"nowhere.{secret}",
        f"{slug}.{secret}.{secret}",
        "\0.\0",
        f"{slug}.\udcff",
    ):
        with pytest.raises(identity.InvitationNotFound):
            identity.find_invitation(wrong)


def test_an_invitation_may_be_bound_to_an_address(scope):
    code = invite(scope, email="Bound@Example.jp")
    assert identity.find_invitation(code).email == "bound@example.jp"
    take(code, "somebody.else@example.jp")
    (member,) = identity.list_members(scope)
    assert member.email == "bound@example.jp"


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"password": "short"}, identity.PasswordUnfit),
        ({"email": "no address"}, identity.EmailInvalid),
        ({"name": " "}, identity.NameUnfit),
    ],
)
def test_what_cannot_be_taken_leaves_the_invitation(scope, changes, refusal):
    code = invite(scope)
    with pytest.raises(refusal):
        take(code, **changes)
    assert take(code)


def test_somebody_who_has_the_role_already_keeps_it(scope):
    known = make_somebody(scope, "viewer")
    joined = take(invite(scope, "viewer"), known.email, PASSWORD)
    assert joined.membership_id == known.membership_id


@pytest.mark.parametrize(
    ("role", "shop", "refusal"),
    [
        ("king", False, identity.RoleUnknown),
        ("clerk", False, identity.RoleShopMismatch),
        ("owner", True, identity.RoleShopMismatch),
    ],
)
def test_an_invitation_is_for_a_role_there_is(scope, role, shop, refusal):
    with pytest.raises(refusal):
        invite(scope, role, shop_id=new_id() if shop else None)


def test_neither_code_nor_name_is_readable_in_the_database(scope):
    code = invite(scope, email="bound@example.jp")
    with work_of(scope) as work:
        (row,) = work.session.execute(
            sa.text("SELECT row_to_json(i)::text FROM identity_invitations i")
        ).scalars()
        log = str(audit.list_entries(work))
    for secret in (code.partition(".")[2], "鈴木", "bound@"):
        assert secret not in row
        assert secret not in log


def test_invitations_are_the_tenants_own(scope):
    made = identity.invite(scope, identity.NewInvitation(name="x", role="viewer"))
    other = make.make_tenant()
    assert identity.list_invitations(other) == []
    with pytest.raises(identity.InvitationNotFound):
        identity.revoke_invitation(other, made.id)
    assert [view.id for view in identity.list_invitations(scope)] == [made.id]


def test_old_invitations_go(scope, fresh_clock):
    invite(scope)
    count = sa.text("SELECT count(*) FROM identity_invitations")
    for days, left in ((36, 1), (38, 0)):
        fresh_clock(timedelta(days=days))
        purge_old(scope)
        with work_of(scope) as work:
            assert work.session.execute(count).scalar_one() == left


def test_everything_about_members_is_on_record(scope):
    owner = make_somebody(scope)
    joined = take(invite(scope))
    identity.revoke_invitation(
        scope, identity.invite(scope, identity.NewInvitation(name="x", role="viewer")).id
    )
    identity.change_role(scope, joined.membership_id, "support")
    identity.remove_member(scope, joined.membership_id)
    with work_of(scope) as work:
        actions = [entry.action for entry in audit.list_entries(work)]
        assert audit.verify(work) is None
    assert owner
    assert sorted(actions) == sorted(
        [
            "member.added",
            "member.invited",
            "member.joined",
            "member.invited",
            "invitation.revoked",
            "member.role_changed",
            "member.removed",
        ]
    )


def as_person(scope, somebody):
    """Return the scope in which somebody acts themselves."""
    from dataclasses import replace

    return replace(scope, actor=identity.person_actor(somebody.person_id))


def test_the_last_owner_stays(scope):
    owner = make_somebody(scope)
    with pytest.raises(identity.LastOwner):
        identity.remove_member(scope, owner.membership_id)
    with pytest.raises(identity.LastOwner):
        identity.change_role(scope, owner.membership_id, "viewer")
    second = make_somebody(scope)
    identity.change_role(scope, owner.membership_id, "viewer")
    with pytest.raises(identity.LastOwner):
        identity.remove_member(scope, second.membership_id)


def test_nobody_changes_their_own_role(scope):
    one, _ = make_somebody(scope), make_somebody(scope)
    with pytest.raises(identity.OwnRole):
        identity.change_role(as_person(scope, one), one.membership_id, "viewer")
    with pytest.raises(identity.OwnRole):
        identity.remove_member(as_person(scope, one), one.membership_id)


def test_two_owners_who_remove_each_other_leave_one(scope):
    for _ in range(4):
        one, two = make_somebody(scope), make_somebody(scope)
        rest = [m for m in identity.list_members(scope) if m.role == "owner"]
        for member in rest:
            if member.membership_id not in (one.membership_id, two.membership_id):
                identity.remove_member(scope, member.membership_id)

        def remove(pair):
            actor, target = pair
            try:
                identity.remove_member(as_person(scope, actor), target.membership_id)
            except DomainError as error:
                return error.code
            return None

        with ThreadPoolExecutor(2) as pool:
            answers = list(pool.map(remove, [(one, two), (two, one)]))
        assert sorted(map(str, answers)) == ["None", "session.over"]
        assert [m.role for m in identity.list_members(scope)] == ["owner"]


@pytest.mark.parametrize("how", ["removed", "viewer", "owner still"])
def test_who_may_invite_no_more_leaves_no_invitation(scope, how):
    mine, theirs = make_somebody(scope), make_somebody(scope)
    kept = invite(as_person(scope, mine))
    pocketed = invite(as_person(scope, theirs), "owner")
    if how == "removed":
        identity.remove_member(as_person(scope, mine), theirs.membership_id)
    elif how == "viewer":
        identity.change_role(as_person(scope, mine), theirs.membership_id, "viewer")
    else:
        identity.change_role(as_person(scope, mine), theirs.membership_id, "owner")
    waiting = [view.role for view in identity.list_invitations(scope)]
    assert sorted(waiting) == (["owner", "viewer"] if how == "owner still" else ["viewer"])
    assert identity.find_invitation(kept)
    if how != "owner still":
        with pytest.raises(identity.InvitationNotFound):
            take(pocketed)
        with work_of(scope) as work:
            (entry,) = audit.list_entries(work, audit.EntryFilter(actions=("invitation.revoked",)))
        assert entry.actor["id"] == str(mine.person_id)


def test_a_member_of_another_tenant_is_unknown(scope):
    other = make_somebody(make.make_tenant(), "viewer")
    with pytest.raises(identity.MemberNotFound):
        identity.remove_member(scope, other.membership_id)
    with pytest.raises(identity.MemberNotFound):
        identity.change_role(scope, other.membership_id, "support")


def test_nobody_gets_a_role_twice(scope):
    viewer = make_somebody(scope, "viewer")
    support = make_somebody(scope, "support", email=viewer.email)
    with pytest.raises(identity.MemberExists):
        identity.change_role(scope, support.membership_id, "viewer")
    roles = sorted(member.role for member in identity.list_members(scope))
    assert roles == ["support", "viewer"]
