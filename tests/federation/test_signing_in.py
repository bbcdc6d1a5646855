"""Signing in with an account of one's organisation: what comes in, and what does not."""

from __future__ import annotations

import threading
import time
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

import pytest

from giftpad import identity, tenancy
from giftpad.identity.adapters import providers
from giftpad.identity.commands import federation
from giftpad.identity.models import SessionRow
from giftpad.kernel.work import Scope, unit_of_work
from tests import make
from tests.make_idp import (
    CLIENT_ID,
    SECRET,
    Way,
    address_in,
    connect,
    credentials,
    link,
    unsigned,
    with_critical_header,
    with_other_key,
    with_public_key,
)
from tests.make_pages import PASSWORD, Site
from tests.make_provider import make_client
from tests.make_sessions import make_somebody

EN = {"Accept": "text/html", "Accept-Language": "en"}
PLATFORM = Scope(tenant_id=tenancy.PLATFORM_TENANT_ID)


def is_in(browser) -> bool:
    return browser.get("/desk").status_code == 200


def test_somebody_who_has_linked_their_account_comes_in_without_a_password(site, idp, way, linked):
    answered = way.through(idp, next="/desk/members")
    assert (answered.status_code, answered.headers["Location"]) == (303, "/desk/members")
    assert is_in(way.browser)
    form = idp.forms[-1]
    assert form["redirect_uri"] == f"{identity.issuer().address}sign-in/back"
    assert credentials(idp.authorizations[-1]) == (CLIENT_ID, SECRET)
    assert "client_secret" not in form
    with unit_of_work(PLATFORM) as work:
        newest = work.session.query(SessionRow).order_by(SessionRow.created_at.desc()).first()
        assert (newest.amr, newest.connection_id) == (["fed"], way.connection.id)


def test_each_connection_has_its_own_algorithm(site, idp):
    browser = site.sign_in(site.new_person("owner"))
    for algorithm in ("PS256", "ES256", "HS256"):
        idp.algorithm = algorithm
        connection = connect(site.scope, idp)
        answered = link(browser, idp, connection.id, PASSWORD)
        assert answered.headers["Location"] == "/account", algorithm
        way = Way(browser=site.nobody(), slug=site.slug, connection=connection)
        assert way.through(idp).status_code == 303, algorithm
        identity.disable_connection(site.scope, connection.id)


def _by_public_key(idp):
    idp.forge = with_public_key


def _by_secret(idp):
    idp.algorithm = "HS256"


LIES = {
    "another nonce": lambda idp: idp.claims.update(nonce="n-2"),
    "no nonce": lambda idp: idp.claims.update(nonce=None),
    "another issuer": lambda idp: idp.claims.update(iss="https://other.example"),
    "a list of issuers": lambda idp: idp.claims.update(iss=[idp.address]),
    "another client": lambda idp: idp.claims.update(aud="another"),
    "two clients, nobody named": lambda idp: idp.claims.update(aud=[CLIENT_ID, "another"]),
    "another is named": lambda idp: idp.claims.update(azp="another"),
    "over": lambda idp: idp.claims.update(exp=int(time.time()) - 61),
    "without end": lambda idp: idp.claims.update(exp=None),
    "of an hour ago": lambda idp: idp.claims.update(iat=int(time.time()) - 3600),
    "of tomorrow": lambda idp: idp.claims.update(iat=int(time.time()) + 3600),
    "not yet": lambda idp: idp.claims.update(nbf=int(time.time()) + 3600),
    "of another access token": lambda idp: idp.claims.update(at_hash="aaaaaaaaaaaaaaaaaaaaaa"),
    "about nobody": lambda idp: idp.claims.update(sub=""),
    "about a number": lambda idp: idp.claims.update(sub=7),
    "a key of nobody": lambda idp: setattr(idp, "forge", with_other_key),
    "the public key as secret": _by_public_key,
    "the secret, where a key is wanted": _by_secret,
    "no signature": lambda idp: setattr(idp, "forge", unsigned),
    "an access token": lambda idp: idp.header.update(typ="at+jwt"),
    "a critical header": lambda idp: setattr(idp, "forge", with_critical_header),
}


def test_a_token_with_one_thing_wrong_lets_nobody_in(idp, way, linked):
    before = _sessions()
    for lie, tell in LIES.items():
        idp.claims, idp.header, idp.forge, idp.algorithm = {}, {}, None, "RS256"
        tell(idp)
        answered = way.through(idp)
        assert answered.status_code == 400, (lie, answered.text[:2000])
        assert not is_in(way.browser), lie
        assert _sessions() == before, lie
    idp.claims, idp.header, idp.forge, idp.algorithm = {}, {}, None, "RS256"
    assert way.through(idp).status_code == 303, "the truth is believed"


def _sessions() -> int:
    with unit_of_work(PLATFORM) as work:
        return work.session.query(SessionRow).count()


def test_a_token_by_key_is_refused_where_the_secret_signs(site, idp):
    idp.algorithm = "HS256"
    connection = connect(site.scope, idp)
    link(site.sign_in(site.new_person("owner")), idp, connection.id, PASSWORD)
    idp.algorithm = "RS256"
    way = Way(browser=site.nobody(), slug=site.slug, connection=connection)
    assert way.through(idp).status_code == 400
    idp.algorithm = "HS256"
    assert way.through(idp).status_code == 303


def test_a_wrong_state_is_refused_and_the_right_one_still_counts(idp, way, linked):
    brought = idp.sign_in(way.leave())
    assert way.come_back(brought | {"state": "of-another"}).status_code == 400
    assert way.come_back({"code": brought["code"]}).status_code == 400
    assert idp.forms == idp.forms[:1]  # the code went nowhere since the account was linked
    assert way.come_back(brought).status_code == 303


def test_a_way_begun_in_another_browser_ends_there(site, idp, way, linked):
    brought = idp.sign_in(way.leave())
    other = Way(browser=site.nobody(), slug=site.slug, connection=way.connection)
    assert other.come_back(brought).status_code == 400
    other.leave()
    assert other.come_back(brought).status_code == 400
    assert not is_in(other.browser)


def test_a_way_counts_once_even_for_who_kept_the_cookie(idp, way, linked):
    brought = idp.sign_in(way.leave())
    kept = way.browser.http.get_cookie("gp_way").value
    assert way.come_back(brought).status_code == 303
    way.browser.http.delete_cookie("gp_session")
    asked = len(idp.asked)
    assert way.come_back(brought).status_code == 400
    way.browser.http.set_cookie("gp_way", kept)
    answered = way.come_back(idp.sign_in("?state=" + brought["state"]))
    assert answered.status_code == 400
    assert len(idp.asked) == asked
    assert not is_in(way.browser)


def test_an_answer_of_another_issuer_is_not_taken_to_this_one(idp, way, linked):
    for wrong in ({"iss": "https://other.example"}, {"iss": ""}):
        asked = len(idp.asked)
        assert way.come_back(idp.sign_in(way.leave(), **wrong)).status_code == 400
        assert len(idp.asked) == asked, "the code was given to somebody it may not be for"


def test_a_parameter_that_stands_there_twice_is_no_answer(idp, way, linked):
    brought = idp.sign_in(way.leave())
    doubled = f"/sign-in/back?code={brought['code']}&state=x&state={brought['state']}"
    assert way.browser.get(doubled).status_code == 400


def test_the_provider_may_say_no(idp, way, linked):
    state = idp.sign_in(way.leave())["state"]
    brought = {"error": "access_denied", "state": state, "iss": idp.address}
    answered = way.come_back(brought)
    assert answered.status_code == 400
    assert 'href="/sign-in?org=' in answered.text


def test_an_account_that_nobody_linked_comes_in_nowhere_and_makes_nothing(site, idp, way, linked):
    people = len(identity.list_members(site.scope))
    idp.subject = "somebody-else"
    idp.claims = {"email": linked, "email_verified": True}
    answered = way.browser.get(f"/sign-in?org={site.slug}", headers=EN)
    answered = way.through(idp)
    assert answered.status_code == 403
    assert not is_in(way.browser)
    assert len(identity.list_members(site.scope)) == people


def test_bad_codes_do_not_shut_the_others_out(idp, way, linked):
    for _ in range(6):  # one more than opens the breaker
        brought = idp.sign_in(way.leave())
        assert way.come_back(brought | {"code": "made-up"}).status_code == 400
    assert way.through(idp).status_code == 303


def test_a_slow_provider_is_given_up_and_holds_no_transaction(idp, way, linked, monkeypatch):
    monkeypatch.setattr(providers, "WITHIN_S", 0.4)
    idp.gate.clear()
    brought = idp.sign_in(way.leave())
    answers = []
    going = threading.Thread(target=lambda: answers.append(way.come_back(brought)))
    while idp.waiting.acquire(blocking=False):
        pass
    going.start()
    assert idp.waiting.acquire(timeout=10)
    with unit_of_work(PLATFORM) as work:
        open_since = work.session.connection().exec_driver_sql(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND xact_start IS NOT NULL AND state LIKE 'idle in%%'"
        )
        assert open_since.scalar_one() == 0
    going.join(10)
    assert answers[0].status_code == 503
    assert answers[0].headers["Retry-After"]
    assert not is_in(way.browser)


def test_only_some_requests_wait_for_providers_at_once(idp, way, linked, monkeypatch):
    monkeypatch.setattr(federation, "_asking", threading.BoundedSemaphore(1))
    federation._asking.acquire()
    assert way.through(idp).status_code == 503
    federation._asking.release()
    assert way.through(idp).status_code == 303


def test_a_disabled_connection_is_refused_on_the_way_back_too(site, idp, way, linked):
    inside = Way(browser=site.nobody(), slug=site.slug, connection=way.connection)
    assert inside.through(idp).status_code == 303
    brought = idp.sign_in(way.leave())
    assert identity.disable_connection(site.scope, way.connection.id) == 1
    assert way.come_back(brought).status_code == 403
    assert not is_in(way.browser)
    assert not is_in(inside.browser), "what it had opened goes on"
    assert str(way.connection.id) not in way.browser.get(f"/sign-in?org={site.slug}").text
    assert way.browser.post(f"/sign-in/with/{site.slug}/{way.connection.id}").status_code == 403


def _turn(site, act):
    with unit_of_work(site.scope) as work:
        act(work)
    tenancy.forget_tenants()


def test_a_suspended_town_lets_nobody_in(site, idp, way, linked):
    brought = idp.sign_in(way.leave())
    _turn(site, tenancy.suspend_tenant)
    try:
        assert way.come_back(brought).status_code == 403
        assert str(way.connection.id) not in way.browser.get(f"/sign-in?org={site.slug}").text
    finally:
        _turn(site, tenancy.resume_tenant)


def test_who_is_no_member_any_more_does_not_come_in(site, idp, way, linked):
    site.person("owner")  # another owner stays
    (member,) = [m for m in identity.list_members(site.scope) if m.email == linked]
    identity.remove_member(site.scope, member.membership_id)
    assert way.through(idp).status_code == 403
    assert not is_in(way.browser)


@pytest.fixture
def neighbour(site) -> Site:
    """Another town on the same pages, with nothing in it yet."""
    scope = Scope(tenant_id=make.make_tenant().tenant_id)
    slug = tenancy.get_tenant(scope.tenant_id).slug
    return Site(app=site.app, settings=site.settings, scope=scope, slug=slug)


def test_a_town_vouches_for_nobody_in_another(site, neighbour, idp, way, linked):
    both = make_somebody(neighbour.scope, "issuer", email=linked)
    browser = way.browser
    answered = way.through(idp)
    assert answered.headers["Location"] == "/desk", "no choice of the other town is offered"
    role = f"{neighbour.scope.tenant_id}.{both.membership_id}"
    page = browser.get("/account")
    assert role not in page.text
    browser.follow(browser.post("/account/switch", {"membership": role}))
    member = browser.get("/account").text
    assert str(neighbour.scope.tenant_id) not in member
    relying = make_client(neighbour)
    answered = browser.get(relying.address())
    assert answered.headers["Location"].startswith("/sign-in?"), "a client of the other town"
    (session,) = [s for s in identity.list_sessions(both.person_id) if s.amr == ("fed",)]
    approval = identity.Approval(
        membership=next(
            m for m in identity.list_memberships(both.person_id) if m.id == both.membership_id
        ),
        session_id=session.id,
        proved_at=session.proved_at,
        amr=session.amr,
    )
    asked = identity.ask_sign_in(_parameters(relying.address()))
    with pytest.raises(identity.SessionOver):
        identity.allow_sign_in(asked, approval)


def _parameters(address: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(address).query))


def test_a_connection_of_another_town_opens_no_session_here(site, neighbour, idp, way, linked):
    both = make_somebody(neighbour.scope, "owner", email=linked)
    with pytest.raises(identity.SessionOver):
        identity.open_session(
            both.person_id,
            neighbour.scope.tenant_id,
            both.membership_id,
            connection_id=way.connection.id,
        )
    theirs = connect(neighbour.scope, idp)  # the same provider and subject, another connection
    other = Way(browser=site.nobody(), slug=neighbour.slug, connection=theirs)
    assert other.through(idp).status_code == 403
    crossed = other.browser.post(f"/sign-in/with/{neighbour.slug}/{way.connection.id}")
    assert crossed.status_code == 403


def test_who_has_several_roles_chooses_among_those_of_the_town(site, neighbour, idp, way, linked):
    make_somebody(site.scope, "support", email=linked)
    make_somebody(neighbour.scope, "owner", email=linked)
    answered = way.through(idp)
    assert answered.headers["Location"] == "/sign-in/choose"
    page = way.browser.follow(answered)
    assert page.text.count(f'value="{site.scope.tenant_id}.') == 2
    assert str(neighbour.scope.tenant_id) not in page.text
    (viewer,) = [
        m for m in identity.list_members(site.scope) if (m.email, m.role) == (linked, "support")
    ]
    chosen = f"{site.scope.tenant_id}.{viewer.membership_id}"
    assert way.browser.post("/sign-in/choose", {"membership": chosen}).status_code == 303
    assert is_in(way.browser)


def test_a_link_that_was_taken_away_before_a_role_was_chosen_is_no_way_in(site, idp, way, linked):
    somebody = make_somebody(site.scope, "support", email=linked)
    page = way.browser.follow(way.through(idp))
    asking = identity.Asking(person_id=somebody.person_id, session_id=UUID(int=0), locale="ja")
    identity.unlink_account(asking, way.connection.id)
    chosen = f"{site.scope.tenant_id}.{somebody.membership_id}"
    assert chosen in page.text
    answered = way.browser.post("/sign-in/choose", {"membership": chosen})
    assert answered.headers["Location"] == "/sign-in"
    assert not is_in(way.browser)


def test_a_client_of_the_town_gets_its_code_by_the_town_s_own_provider(site, idp, way, linked):
    relying = make_client(site)
    sent = way.browser.get(relying.address())
    page = way.browser.follow(sent)
    assert str(way.connection.id) in page.text
    wanted = _parameters(sent.headers["Location"])["next"]
    answered = way.browser.post(f"/sign-in/with/{site.slug}/{way.connection.id}", {"next": wanted})
    back = way.come_back(idp.sign_in(address_in(answered)))
    assert "code" in relying.came_back(way.browser.follow(back))


def test_too_many_ways_from_one_place_have_to_wait(way, idp, monkeypatch):
    monkeypatch.setattr(federation, "STARTS_BY_SOURCE_MAX", 2)
    way.leave()
    way.leave()
    answered = way.browser.post(f"/sign-in/with/{way.slug}/{way.connection.id}")
    assert answered.status_code == 429
    assert answered.headers["Retry-After"]


def test_the_sign_in_page_offers_the_ways_of_the_organisation_only(site, neighbour, idp, way):
    theirs = connect(neighbour.scope, idp, name="青葉アカウント")
    page = site.nobody().get(f"/sign-in?org={site.slug}").text
    assert str(way.connection.id) in page
    assert str(theirs.id) not in page
    assert "/sign-in/with/" not in site.nobody().get("/sign-in").text
    assert "/sign-in/with/" not in site.nobody().get("/sign-in?org=platform").text
    wrong = site.nobody()
    wrong.get(f"/sign-in?org={site.slug}")
    again = wrong.post("/sign-in", {"email": "a@b.jp", "password": "x", "org": site.slug})
    assert str(way.connection.id) in again.text


def test_nothing_of_a_way_can_be_read_in_the_browser(way, idp):
    asked = _parameters(way.leave())
    assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
    assert asked["scope"] == "openid"
    kept = way.browser.http.get_cookie("gp_way").value
    for name in ("state", "nonce", "code_challenge"):
        assert len(asked[name]) >= 43
        assert asked[name] not in kept


def test_nobody_is_sent_on_to_another_site(idp, way, linked):
    answered = way.through(idp, next="https://evil.example/")
    assert answered.headers["Location"] == "/desk"
