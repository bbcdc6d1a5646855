"""People, their passwords and their roles."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher

from giftpad import identity, tenancy
from giftpad.identity.queries import people
from giftpad.kernel.ids import new_id
from giftpad.kernel.work import Scope
from tests import make
from tests.make_identity import work_of

PLATFORM = Scope(tenant_id=tenancy.PLATFORM_TENANT_ID)
PASSWORD = "correct horse battery"


def _email():
    return f"{new_id().hex}@midori.example"


def _person(address, **changes):
    values = {"email": address, "name": "緑 花子", "role": "issuer", "password": PASSWORD}
    return identity.NewPerson(**(values | changes))


def test_a_person_signs_in_with_their_password_only(scope):
    email = _email()
    made = identity.create_person(scope, _person(email))
    assert identity.verify_password(email, PASSWORD) == made.person_id
    assert identity.verify_password(f"  {email.upper()} ", PASSWORD) == made.person_id
    assert identity.verify_password(email, PASSWORD + "!") is None
    assert identity.verify_password(_email(), PASSWORD) is None
    assert identity.verify_password("no address", PASSWORD) is None


def test_name_and_address_lie_sealed(scope):
    email = _email()
    made = identity.create_person(scope, _person(email))
    with work_of(PLATFORM) as work:
        row = work.session.execute(
            sa.text("SELECT * FROM identity_people WHERE id = :id"), {"id": made.person_id}
        ).one()
    stored = b"|".join(value if isinstance(value, bytes) else str(value).encode() for value in row)
    assert email.encode() not in stored
    assert "花子".encode() not in stored
    assert PASSWORD.encode() not in stored
    assert row.password_hash.startswith("$argon2id$")
    (member,) = identity.list_members(scope)
    assert (member.email, member.name, member.role) == (email, "緑 花子", "issuer")


@pytest.fixture
def full_work(monkeypatch):
    """Hash passwords as the product does, not with the little work of most tests."""
    monkeypatch.setattr(people, "PasswordHasher", PasswordHasher)
    people.hasher.cache_clear()
    yield
    people.hasher.cache_clear()


def test_a_password_costs_who_guesses_memory_and_time(scope, full_work):
    made = identity.create_person(scope, _person(_email()))
    with work_of(PLATFORM) as work:
        password_hash = work.session.execute(
            sa.text("SELECT password_hash FROM identity_people WHERE id = :id"),
            {"id": made.person_id},
        ).scalar_one()
    assert password_hash.startswith("$argon2id$v=19$m=65536,t=3,p=4$")


def test_one_account_has_roles_in_many_tenants(scope):
    email, other = _email(), make.make_tenant()
    first = identity.create_person(scope, _person(email))
    second = identity.create_person(other, _person(email, role="viewer", password="x" * 20))
    assert (first.person_id, first.is_new, second.is_new) == (second.person_id, True, False)
    assert identity.verify_password(email, "x" * 20) is None
    assert [member.role for member in identity.list_members(other)] == ["viewer"]
    with pytest.raises(identity.MemberExists):
        identity.create_person(other, _person(email, role="viewer"))


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"email": "nobody"}, identity.EmailInvalid),
        ({"email": "a b@c.example"}, identity.EmailInvalid),
        ({"email": "a@b"}, identity.EmailInvalid),
        ({"role": "king"}, identity.RoleUnknown),
        ({"role": "clerk"}, identity.RoleShopMismatch),
        ({"shop_id": new_id()}, identity.RoleShopMismatch),
        ({"password": "too short"}, identity.PasswordUnfit),
        ({"password": "x" * 129}, identity.PasswordUnfit),
    ],
)
def test_what_makes_no_person(scope, changes, refusal):
    with pytest.raises(refusal):
        identity.create_person(scope, _person(_email(), **changes))
    assert identity.list_members(scope) == []


def test_every_role_has_permissions_that_exist():
    for role, permissions in identity.ROLES.items():
        assert permissions, role
        assert permissions <= set(identity.PERMISSIONS)
    assert not identity.ROLES["issuer"] & {"coupons:release"}, "who orders does not release"


def test_making_and_stopping_is_audited(scope):
    client = identity.create_client(scope, identity.NewClient(name="till", permissions=()))
    identity.create_person(scope, _person(_email()))
    identity.disable_client(scope, client.client_id)
    with work_of(scope) as work:
        rows = work.session.execute(
            sa.text("SELECT action, details::text FROM audit_entries ORDER BY seq")
        ).all()
    assert [row.action for row in rows] == ["client.created", "member.added", "client.disabled"]
    assert client.client_secret not in str(rows)


def test_a_tenants_people_and_clients_are_its_own(scope):
    other = make.make_tenant()
    identity.create_person(scope, _person(_email()))
    identity.create_client(scope, identity.NewClient(name="till", permissions=("shops:read",)))
    assert identity.list_members(other) == []
    with work_of(other) as work:
        assert identity.list_clients(work) == []
    with work_of(scope) as work:
        (view,) = identity.list_clients(work)
    assert (view.name, view.permissions) == ("till", ("shops:read",))


def test_only_the_members_asked_for_are_named_and_opened(scope, monkeypatch):
    made = [identity.create_person(scope, _person(_email())).person_id for _ in range(3)]
    other = make.make_tenant()
    stranger = identity.create_person(other, _person(_email(), name="他 所子")).person_id
    opened = []
    real = tenancy.open_text
    monkeypatch.setattr(tenancy, "open_text", lambda *where: opened.append(where) or real(*where))
    asked = {made[1], stranger, new_id()}
    assert identity.find_people(scope, asked) == {made[1]: "緑 花子"}
    assert len(opened) == 1
    assert identity.find_people(other, asked) == {stranger: "他 所子"}
    assert identity.find_people(scope, []) == {}


@pytest.mark.parametrize("rate", [0, -1, 10**6])
def test_limits_must_make_sense(scope, rate):
    limits = identity.Limits(rate_s=rate)
    new = identity.NewClient(name="x", permissions=(), limits=limits)
    with pytest.raises(identity.LimitsInvalid):
        identity.create_client(scope, new)


def test_an_unknown_permission_makes_no_client(scope):
    new = identity.NewClient(name="x", permissions=("everything:do",))
    with pytest.raises(identity.PermissionUnknown):
        identity.create_client(scope, new)
