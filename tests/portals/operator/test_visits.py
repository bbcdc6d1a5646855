"""An operator in a tenant for a while: entered with a reason, seen by the tenant, ended by both."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa

from giftpad import audit, health, identity, tenancy
from giftpad.identity.jobs import close_over_visits
from giftpad.identity.models import MembershipRow, SessionRow, VisitRow
from giftpad.kernel.ids import new_id
from giftpad.kernel.work import Scope, unit_of_work
from tests import make, make_coupons
from tests.health.test_problems import GOOD
from tests.make_clients import let_wait
from tests.make_provider import make_client
from tests.make_sessions import REASON

PLATFORM = Scope(tenant_id=tenancy.PLATFORM_TENANT_ID)
WANTED = {"reason": REASON, "lasts": "3600"}
EN = {"Accept-Language": "en"}
BANNER = re.compile(r'<aside class="gp-visit".*?</aside>', re.DOTALL)


def words(text):
    """Return what is said, without tags."""
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", text)))


def a_coupon(site):
    """Return the number of a coupon of the town that can be spent."""
    town = site.town()
    batch_id = make_coupons.released(town, site.settings, 1)
    return make_coupons.get_batch(town, batch_id).serial_first


def path_of(site):
    return "/operator/visits/" + tenancy.get_tenant(site.scope.tenant_id).slug


def cookie_of(browser):
    return browser.http.get_cookie("gp_session", domain="localhost").value


def entered(site, role="operator", **changed):
    """Return the browser of somebody of the platform who has entered the town."""
    browser = site.person(role)
    browser.get(path_of(site))
    answered = browser.post(path_of(site), WANTED | changed, headers=EN)
    assert (answered.status_code, answered.headers.get("Location")) == (303, "/desk"), words(
        answered.text
    )
    browser.get("/desk", headers=EN)
    return browser


def visit_of(site):
    """Return the one visit that the town sees."""
    (found,) = identity.list_visits(site.scope)
    return found


def deeds_of(site, action):
    with unit_of_work(site.scope) as work:
        return list(audit.list_entries(work, audit.EntryFilter(actions=(action,))))


def change(scope, table, where, **values):
    """Change rows behind everybody's back, as time would."""
    with unit_of_work(scope) as work:
        work.session.execute(
            sa.update(table).where(table.tenant_id == work.tenant_id, where).values(**values)
        )


@pytest.fixture
def owner(site):
    return site.person("owner")


def test_the_health_page_leads_into_each_tenant(site):
    browser = site.person("operator")
    with unit_of_work(PLATFORM) as work:
        health.keep_figures(work, GOOD)
    assert f'href="{path_of(site)}"' in browser.get("/operator/health", headers=EN).text
    asked = browser.get(path_of(site), headers=EN)
    assert "The tenant reads this." in words(asked.text)
    assert 'value="3600" checked' in asked.text, "an hour is what is usual"


def test_every_page_of_a_visit_says_where_why_and_for_how_long(site):
    browser = entered(site)
    name = tenancy.get_tenant(site.scope.tenant_id).name_in("en")
    for path in ("/desk", "/desk/coupons", "/desk/audit", "/account", "/nowhere"):
        (banner,) = BANNER.findall(browser.get(path, headers=EN).text)
        said = words(banner)
        assert f"You are visiting {name} as the operator." in said, path
        assert REASON in said
        assert re.search(r"(59|60) minutes left, until \d+:\d\d\.", said)
        assert "Leave" in said
    assert "gp-visit" not in site.person("owner").get("/desk").text


def test_a_visit_lasts_as_long_as_was_chosen(site):
    for lasts, minutes in (("900", 15), ("3600", 60), ("14400", 240)):
        browser = entered(site, lasts=lasts)
        visit = visit_of(site)
        assert visit.ends_at - visit.began_at == timedelta(minutes=minutes)
        browser.post("/operator/leave")
        browser.get("/operator/health")


def test_without_a_reason_and_a_time_nobody_enters(site):
    browser = site.person("operator")
    browser.get(path_of(site))
    held = cookie_of(browser)
    for wrong in (
        {"reason": ""},
        {"reason": "too short"},
        {"reason": "a         b"},
        {"reason": "x" * 301},
        {"lasts": "86400"},
        {"lasts": ""},
    ):
        assert browser.post(path_of(site), WANTED | wrong).status_code == 422, wrong
    assert identity.list_visits(site.scope) == []
    assert deeds_of(site, "visit.began") == []
    assert cookie_of(browser) == held


def test_nobody_of_a_town_enters_another(site):
    other = make.make_tenant()
    path = "/operator/visits/" + tenancy.get_tenant(other.tenant_id).slug
    for role in ("owner", "support", "viewer", "clerk"):
        browser = site.person(role)
        assert browser.get(path).status_code == 403, role
        assert browser.post(path, WANTED).status_code == 403, role
    assert identity.list_visits(other) == []


def test_nobody_at_all_is_asked_to_sign_in(site):
    browser = site.nobody()
    assert browser.get(path_of(site)).headers["Location"].startswith("/sign-in")
    assert browser.post(path_of(site), WANTED).status_code == 401
    assert browser.post("/operator/leave").status_code == 401


def test_there_is_nothing_to_visit_in_the_platform_or_nowhere(site):
    browser = site.person("operator")
    for slug in ("platform", "no-such-town"):
        assert browser.get(f"/operator/visits/{slug}").status_code == 404
        assert browser.post(f"/operator/visits/{slug}", WANTED).status_code == 404


def test_a_suspended_tenant_is_not_entered_and_the_page_says_why(site):
    browser = site.person("operator")
    browser.get(path_of(site))
    with unit_of_work(site.scope) as work:
        tenancy.suspend_tenant(work)
    tenancy.forget_tenants()
    answered = browser.post(path_of(site), WANTED, headers=EN)
    assert answered.status_code == 409
    assert "This tenant is suspended" in words(answered.text)
    assert deeds_of(site, "visit.began") == []


def test_entering_and_leaving_give_a_new_session_each_with_the_same_proof(site):
    browser = site.person("operator")
    browser.get("/account")
    before = cookie_of(browser)
    with unit_of_work(PLATFORM) as work:
        own = work.session.scalars(
            sa.select(SessionRow)
            .where(SessionRow.tenant_id == work.tenant_id)
            .order_by(SessionRow.created_at.desc())
        ).first()
    change(PLATFORM, SessionRow, SessionRow.id == own.id, amr=["pwd", "otp", "mfa"])
    entered(site)
    visit = visit_of(site)
    (inside,) = identity.list_sessions(visit.person_id)
    assert inside.id != own.id, "the session of the platform is over"
    assert inside.tenant_id == site.scope.tenant_id
    assert (inside.amr, inside.proved_at) == (("pwd", "otp", "mfa"), own.created_at)
    held = site.nobody()
    held.http.set_cookie("gp_session", before, domain="localhost")
    assert held.get("/operator/health").status_code == 303, "the old cookie opens nothing"
    during = cookie_of(browser)
    left = browser.post("/operator/leave", headers=EN)
    assert (left.status_code, left.headers["Location"]) == (303, "/operator/health")
    assert "You have left." in words(browser.get("/operator/health", headers=EN).text)
    (after,) = identity.list_sessions(visit.person_id)
    assert after.id not in (own.id, inside.id)
    assert (after.amr, after.proved_at) == (inside.amr, inside.proved_at)
    held.http.set_cookie("gp_session", during, domain="localhost")
    assert held.get("/desk").status_code == 303
    assert browser.get("/desk").status_code in (200, 303, 403)
    assert browser.get("/desk/coupons").status_code == 403, "the platform has no desk"


def test_the_audit_log_of_the_town_says_who_came_why_and_when_they_went(site, owner):
    browser = entered(site)
    visit = visit_of(site)
    browser.post("/operator/leave")
    (began,) = deeds_of(site, "visit.began")
    (ended,) = deeds_of(site, "visit.ended")
    assert began.subject == ended.subject == f"person:{visit.person_id}"
    assert began.actor["id"] == ended.actor["id"] == str(visit.person_id)
    assert began.details == {
        "role": "visitor",
        "reason": REASON,
        "ends_at": visit.ends_at.isoformat(),
        "visit": str(visit.id),
    }
    assert ended.details["visit"] == str(visit.id)
    said = words(owner.get("/desk/audit", headers=EN).text)
    assert "見本 太郎, the operator of this installation" in said
    assert REASON in said
    assert "Entered as the operator of this installation" in said
    assert "The visit of the operator is over" in said
    with unit_of_work(site.scope) as work:
        assert audit.verify(work) is None


def test_what_is_done_in_a_visit_names_person_and_visit_in_the_record(site, owner):
    serial = a_coupon(site)
    browser = entered(site)
    visit = visit_of(site)
    browser.get(f"/desk/coupons/{serial}/stop", headers=EN)
    done = browser.post(
        f"/desk/coupons/{serial}/stop", {"why": "lost", "words": "", "key": browser.key()}
    )
    assert done.status_code == 303, words(done.text)
    (entry,) = deeds_of(site, "coupon.blocked")
    assert (entry.actor["kind"], entry.actor["id"]) == ("person", str(visit.person_id))
    assert entry.details["visit"] == str(visit.id)


def test_a_visitor_reads_and_stops_coupons_and_can_do_nothing_else_of_value(site):
    reads = {p for p in identity.PERMISSIONS if p.endswith(":read")}
    assert identity.VISIT_ROLES["visitor"] == reads | {"coupons:block"}
    assert identity.VISIT_ROLES["visiting_viewer"] == reads
    browser = entered(site)
    for path in ("/desk", "/desk/batches", "/desk/shops", "/desk/payments", "/desk/audit"):
        assert browser.get(path).status_code == 200, path
    for path in ("/desk/batches/new", "/desk/members", "/desk/members/invite", "/desk/shops/new"):
        assert browser.get(path).status_code == 403, path
    batch = make_coupons.order(site.town(), 1)
    for act in ("release", "print-again"):
        assert browser.post(f"/desk/batches/{batch}/{act}").status_code == 403
    sent = {"name": "Somebody", "role": "owner"}
    assert browser.post("/desk/members/invite", sent).status_code == 403
    serial = a_coupon(site)
    for path in (f"/desk/coupons/{serial}/replace", "/account/second-step/codes"):
        browser.get("/desk")
        assert browser.post(path, {"why": "lost"}).status_code == 409, path
    assert browser.get("/account/second-step").status_code == 409
    for path in ("/operator/health", path_of(site), "/operator/dead"):
        assert browser.get(path).status_code == 403, "a visit is not the operator's own session"


def test_a_viewer_of_the_platform_only_looks(site):
    serial = a_coupon(site)
    browser = entered(site, "operator_viewer")
    assert visit_of(site).role == "visiting_viewer"
    assert browser.get(f"/desk/coupons/{serial}").status_code == 200
    assert browser.get(f"/desk/coupons/{serial}/stop").status_code == 403
    assert browser.post(f"/desk/coupons/{serial}/stop", {"why": "lost"}).status_code == 403


def test_a_visit_shows_one_town_and_no_other(site):
    other = make_coupons.make_town()
    batch = make_coupons.get_batch(other, make_coupons.order(other, 1))
    browser = entered(site)
    assert browser.get(f"/desk/batches/{batch.id}").status_code == 404
    assert str(batch.id) not in browser.get("/desk/batches").text


def test_no_role_of_a_visit_can_be_given(site, owner):
    for scope in (site.scope, PLATFORM):
        for role in identity.VISIT_ROLES:
            new = identity.NewPerson(
                email=f"{new_id().hex}@example.jp", name="x", role=role, password="a long word 12"
            )
            with pytest.raises(identity.RoleUnknown):
                identity.create_person(scope, new)
    owner.get("/desk/members/invite")
    sent = {"name": "Somebody", "role": "visitor"}
    assert owner.post("/desk/members/invite", sent).status_code == 422


def test_after_its_time_a_visit_opens_nothing_and_cannot_be_renewed(site):
    person = site.new_person("operator")
    proved = identity.sign_in(person, "a long enough word", source="127.0.0.1")
    (own,) = proved.memberships
    session = identity.open_session(
        proved.person_id, own.tenant_id, own.id, methods=("pwd", "otp", "mfa")
    )
    opened = identity.begin_visit(
        proved.person_id, session.session_id, site.scope.tenant_id, reason=REASON, lasts_s=900
    )
    visit = visit_of(site)
    claims = identity.verify_token(opened.token)
    assert claims.visit_id == visit.id
    assert claims.expires_at <= visit.ends_at.timestamp(), "no token outlives the visit"
    assert identity.renew_session(opened.session_id, opened.secret).membership.visit_id == visit.id
    past = visit.began_at - timedelta(minutes=20)
    change(
        site.scope,
        VisitRow,
        VisitRow.id == visit.id,
        began_at=past,
        ends_at=past + timedelta(minutes=15),
    )
    with pytest.raises(identity.SessionOver):
        identity.renew_session(opened.session_id, opened.secret)
    assert identity.list_visits(site.scope) == []
    assert deeds_of(site, "visit.ended") == []
    change(PLATFORM, SessionRow, SessionRow.id == opened.session_id, expires_at=past)
    assert close_over_visits(site.scope) == 1
    (ended,) = deeds_of(site, "visit.ended")
    assert ended.details["ended_at"] == (past + timedelta(minutes=15)).isoformat()
    assert close_over_visits(site.scope) == 0, "it is put on record once"


def test_an_owner_sees_the_visit_and_ends_it_at_once(site, owner):
    browser = entered(site)
    visit = visit_of(site)
    said = words(owner.get("/desk/members", headers=EN).text)
    assert "The operator of this installation is here" in said
    assert f"見本 太郎 : {REASON}" in said
    answered = owner.post(f"/desk/members/visits/{visit.id}/end", headers=EN)
    assert answered.status_code == 303
    assert "is here" not in words(owner.get("/desk/members", headers=EN).text)
    assert browser.get("/desk").headers["Location"].startswith("/sign-in")
    (ended,) = deeds_of(site, "visit.ended")
    assert ended.actor["id"] != str(visit.person_id)
    assert ended.details["visit"] == str(visit.id)
    owner.post(f"/desk/members/visits/{visit.id}/end")
    assert len(deeds_of(site, "visit.ended")) == 1


def test_nobody_but_an_owner_of_the_town_ends_a_visit(site):
    visitor = entered(site, "operator_viewer")
    visit = visit_of(site)
    path = f"/desk/members/visits/{visit.id}/end"
    for role in ("issuer", "support", "viewer", "operator"):
        assert site.person(role).post(path).status_code == 403, role
    assert visitor.post(path).status_code == 403
    assert visit_of(site).id == visit.id


def test_an_owner_of_another_town_does_not_find_it(site):
    entered(site)
    visit = visit_of(site)
    other = make.make_tenant()
    stranger = Scope(tenant_id=other.tenant_id)
    with pytest.raises(identity.VisitNotFound):
        identity.end_visit(stranger, visit.id)
    assert visit_of(site).id == visit.id


def test_who_loses_the_role_in_the_platform_is_out_of_the_town(site):
    browser = entered(site)
    visit = visit_of(site)
    identity.remove_member(PLATFORM, visit.from_membership_id)
    assert browser.get("/desk").headers["Location"].startswith("/sign-in")
    assert identity.list_visits(site.scope) == []


def test_a_visit_that_begins_as_the_role_goes_is_not_renewed(site):
    entered(site)
    visit = visit_of(site)
    with unit_of_work(PLATFORM) as work:
        work.session.delete(
            work.session.get(MembershipRow, (work.tenant_id, visit.from_membership_id))
        )
    with pytest.raises(identity.SessionOver):
        identity.open_session(visit.person_id, site.scope.tenant_id, visit.id, is_visit=True)


def test_signing_out_ends_the_visit_on_record(site):
    browser = entered(site)
    browser.post("/sign-out")
    assert identity.list_visits(site.scope) == []
    assert len(deeds_of(site, "visit.ended")) == 1


def test_a_visit_is_no_role_to_take_from_another_browser(site):
    browser = entered(site)
    visit = visit_of(site)
    with pytest.raises(identity.SessionOver):
        identity.open_session(visit.person_id, site.scope.tenant_id, visit.id)
    sent = {"membership": f"{site.scope.tenant_id}.{visit.id}"}
    assert browser.post("/account/switch", sent).headers["Location"] == "/account"
    assert visit.id not in {each.id for each in identity.list_memberships(visit.person_id)}


def test_nobody_who_does_not_visit_can_leave(site, owner):
    assert owner.post("/operator/leave").status_code == 404
    assert site.person("operator").post("/operator/leave").status_code == 404


def test_a_visit_signs_in_to_no_client(site):
    client = make_client(site)
    browser = entered(site)
    for asked in ({}, {"prompt": "none"}, {"prompt": "consent"}):
        read = client.came_back(browser.get(client.address(**asked)))
        assert read["error"] == "access_denied"
        assert "code" not in read


def test_a_visit_lets_no_device_in(site):
    code = let_wait(site.scope)
    browser = entered(site)
    for path, sent in (("/activate", {}), ("/activate/answer", {"answer": "yes"})):
        answered = browser.post(path, {"user_code": code} | sent, headers=EN)
        assert answered.status_code == 409
        assert "This is not done on a visit." in words(answered.text)
    assert browser.get("/activate").status_code == 409


def test_no_code_is_made_from_the_session_of_a_visit(site, owner):
    entered(site)
    visit = visit_of(site)
    identity.create_person(
        site.scope,
        identity.NewPerson(
            email=_email_of(visit.person_id), name="x", role="viewer", password="a long word 12"
        ),
        may_be_known=True,
    )
    (session,) = identity.list_sessions(visit.person_id)
    (role,) = [
        each
        for each in identity.list_memberships(visit.person_id)
        if each.tenant_id == site.scope.tenant_id
    ]
    approval = identity.Approval(
        membership=role, session_id=session.id, proved_at=session.proved_at, amr=session.amr
    )
    with pytest.raises(identity.SessionOver):
        identity.approve_device(let_wait(site.scope), approval)


def _email_of(person_id: UUID) -> str:
    (found,) = [m for m in identity.list_members(PLATFORM) if m.person_id == person_id]
    return found.email
