"""Pages: who is let in by a cookie, what the cookie is like, and how a page is refused."""

from __future__ import annotations

import time
from uuid import uuid4

import pytest
from werkzeug.middleware.proxy_fix import ProxyFix

from giftpad import edge, identity
from giftpad.edge import cookies, sessions
from tests import make
from tests.make_identity import make_machine, shared_app
from tests.make_sessions import TWO_STEPS, Browser, app_with_pages, make_somebody

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " font-src 'self'; connect-src 'self'; manifest-src 'self'; worker-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


@pytest.fixture
def app(bound):
    """The application with pages to look at."""
    return shared_app(app_with_pages, bound)


@pytest.fixture
def owner():
    """The owner of a tenant."""
    return make_somebody(make.make_tenant())


def set_cookies(answered):
    """Return the cookies that an answer sets, by name."""
    return {line.partition("=")[0]: line for line in answered.headers.getlist("Set-Cookie")}


def test_a_page_knows_who_has_signed_in(app, owner):
    seen = Browser(app).enter(owner).get("/pages/mine").json
    assert (seen["name"], seen["role"]) == ("山田 花子", "owner")
    assert seen["actor"] == ["person", str(owner.person_id), f"person:{owner.person_id}"]
    assert seen["shop_id"] == "None"


def test_a_clerk_is_bound_to_a_shop(app):
    scope = make.make_tenant()
    shop_id = make.add_shop(scope)
    clerk = make_somebody(scope, "clerk", shop_id=shop_id)
    browser = Browser(app).enter(clerk)
    assert browser.get("/pages/mine").json["shop_id"] == str(shop_id)
    assert browser.get("/pages/kept").status_code == 403


def test_nobody_is_sent_to_the_sign_in_page_and_back(app):
    answered = Browser(app).get("/pages/mine?of=a%26b")
    assert answered.status_code == 303
    assert answered.headers["Location"] == "/sign-in?next=/pages/mine%3Fof%3Da%2526b"


@pytest.mark.parametrize(
    "headers",
    [{"HX-Request": "true"}, {"Sec-Fetch-Mode": "cors"}, {"Sec-Fetch-Mode": "same-origin"}],
)
def test_a_script_is_told_to_sign_in_again(app, headers):
    answered = Browser(app).get("/pages/mine", **headers)
    assert (answered.status_code, answered.mimetype) == (401, "text/html")
    assert "WWW-Authenticate" not in answered.headers


def test_a_form_of_nobody_says_that_no_money_has_moved(app):
    answered = Browser(app).post("/pages/deed")
    assert answered.status_code == 401
    assert "moved: False" in answered.text


def test_a_page_does_not_look_at_a_token_in_the_header(app):
    machine = make_machine(app, "members:manage")
    bearer = {"Authorization": f"Bearer {machine.token()}"}
    assert machine.get("/probe/nothing-asked").status_code == 200
    assert Browser(app).get("/pages/mine", **bearer).status_code == 303
    assert "nobody" in Browser(app).get("/pages/open", **bearer).text


def test_the_api_does_not_look_at_a_cookie(app, owner):
    browser = Browser(app).enter(owner)
    assert browser.get("/pages/mine").status_code == 200
    for path in ("/probe", "/probe/nothing-asked", "/api/v1/shops"):
        answered = browser.get(path)
        assert (answered.status_code, answered.json["code"]) == (401, "token.missing")


def test_by_http_on_this_machine_the_cookie_is_plain_but_closed_to_scripts(app, owner):
    browser = Browser(app)
    token = browser.csrf()
    where = f"{owner.scope.tenant_id}/{owner.membership_id}/{owner.person_id}"
    line = set_cookies(browser.post(f"/pages/enter/{where}", csrf=token))["gp_session"]
    parts = {part.strip() for part in line.split(";")}
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= parts
    assert "Secure" not in parts
    assert not any(part.startswith("Domain") for part in parts)


@pytest.mark.parametrize("base_url", ["http://127.0.0.1:8000", "http://[::1]:8000"])
def test_every_name_of_this_machine_will_do(app, owner, base_url):
    assert Browser(app, base_url=base_url).enter(owner).get("/pages/mine").status_code == 200


def test_by_https_behind_a_proxy_the_cookie_is_bound_to_the_host(app, owner, monkeypatch):
    monkeypatch.setattr(app, "wsgi_app", ProxyFix(app.wsgi_app, x_for=1, x_proto=1))
    monkeypatch.setitem(app.config, "SESSION_COOKIE_SECURE", value=False)
    browser = Browser(app, base_url="http://giftpad.example")
    https = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9"}
    page = browser.get("/pages/open", **https)
    line = set_cookies(page)["__Host-gp_visit"]
    parts = {part.strip() for part in line.split(";")}
    assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= parts
    assert not any(part.startswith("Domain") for part in parts)


def test_by_https_one_can_sign_in(app, owner):
    browser = Browser(app, base_url="https://giftpad.example").enter(owner)
    assert browser.get("/pages/mine").status_code == 200
    assert browser.client.get_cookie("__Host-gp_session", domain="giftpad.example") is not None


def test_by_http_from_elsewhere_nobody_signs_in_and_is_told_why(app, owner):
    browser = Browser(app, base_url="http://192.168.1.5:8000")
    page = browser.get("/pages/open")
    assert page.status_code == 200
    assert set_cookies(page) == {}
    answered = browser.post("/pages/open-deed", **{"Accept-Language": "en"})
    assert answered.status_code == 403
    assert "https://" in answered.text


def test_a_cookie_of_https_is_none_by_http(app, owner):
    browser = Browser(app).enter(owner)
    value = browser.session_cookie
    other = Browser(app)
    other.set_session(value, "__Host-gp_session")
    assert other.get("/pages/mine").status_code == 303
    elsewhere = Browser(app, base_url="http://192.168.1.5")
    elsewhere.client.set_cookie("gp_session", value, domain="192.168.1.5")
    assert elsewhere.get("/pages/mine").status_code == 303


@pytest.mark.parametrize(
    "change", ["first", "last", "cut", "foreign", "empty", "not sealed", "other"]
)
def test_a_cookie_that_was_touched_is_none(app, owner, change):
    browser = Browser(app).enter(owner)
    value = browser.session_cookie
    with app.test_request_context():
        foreign = edge.seal_text("cookie:gp_visit", {"value": {"id": "x"}, "over_at": 2**40})
    touched = {
        "first": ("B" if value[0] != "B" else "C") + value[1:],
        "last": value[:-6] + ("AAAA" if value[-6:-2] != "AAAA" else "BBBB") + value[-2:],
        "cut": value[: len(value) // 2],
        "foreign": foreign,
        "empty": "",
        "not sealed": "eyJhbGciOiJub25lIn0",
        "other": "\u00e9",
    }[change]
    browser.set_session(touched)
    assert browser.get("/pages/mine").status_code == 303


def test_the_cookie_of_the_longest_name_and_the_widest_role_can_be_kept(app):
    scope = make.make_tenant()
    new = identity.NewPerson(
        email="long@example.jp", name="\U00020b9f" * 200, role="owner", password="x" * 12
    )
    person_id = identity.create_person(scope, new).person_id
    (membership,) = [
        m for m in identity.list_memberships(person_id) if m.tenant_id == scope.tenant_id
    ]
    opened = identity.open_session(person_id, scope.tenant_id, membership.id, methods=TWO_STEPS)
    with app.test_request_context(base_url="https://giftpad.example"):
        response = app.response_class()
        edge.start_session(response, opened)
    (line,) = response.headers.getlist("Set-Cookie")
    assert len(line) < 4096


def test_signing_in_gives_another_session_and_ends_the_one_before(app, owner):
    browser = Browser(app)
    browser.get("/pages/open")
    before = browser.client.get_cookie("gp_visit").value
    first = browser.enter(owner).get("/pages/mine").json["session"]
    stolen = browser.session_cookie
    second = browser.enter(owner).get("/pages/mine").json["session"]
    assert first != second
    thief = Browser(app)
    thief.set_session(stolen)
    assert thief.get("/pages/mine").status_code == 303
    assert before not in (stolen, browser.session_cookie)


def test_a_cookie_planted_before_the_sign_in_opens_nothing_after_it(app, owner):
    planted = Browser(app)
    planted.get("/pages/open")
    visit = planted.client.get_cookie("gp_visit").value
    victim = Browser(app)
    victim.client.set_cookie("gp_visit", visit)
    victim.enter(owner)
    assert planted.get("/pages/mine").status_code == 303
    foreign = planted.csrf()
    assert victim.post("/pages/deed", csrf=foreign).status_code == 403


def test_signing_out_ends_the_session_everywhere(app, owner):
    browser = Browser(app).enter(owner)
    copy = Browser(app)
    copy.set_session(browser.session_cookie)
    assert copy.get("/pages/mine").status_code == 200
    answered = browser.post("/pages/leave")
    assert "gp_session=;" in set_cookies(answered)["gp_session"]
    assert browser.get("/pages/mine").status_code == 303
    assert copy.get("/pages/mine").status_code == 303


def test_a_token_near_its_end_is_renewed_without_a_word(app, owner, monkeypatch):
    browser = Browser(app).enter(owner)
    value = browser.session_cookie
    assert set_cookies(browser.get("/pages/mine")) == {}
    monkeypatch.setattr(sessions, "RENEWED_BEFORE_S", 901)
    answered = browser.get("/pages/mine")
    assert answered.status_code == 200
    assert "gp_session" in set_cookies(answered)
    assert browser.session_cookie != value


def test_a_token_whose_key_was_revoked_is_renewed(app, owner):
    browser = Browser(app).enter(owner)
    opened = identity.verify_token(_token_of(app, browser))
    identity.revoke_key(owner.scope.actor, opened.key_id)
    assert browser.get("/pages/mine").status_code == 200
    assert identity.verify_token(_token_of(app, browser)).key_id != opened.key_id


def _token_of(app, browser):
    with app.test_request_context(headers={"Cookie": f"gp_session={browser.session_cookie}"}):
        return edge.read_sealed_cookie("gp_session")["token"]


def test_renewing_asks_the_database_and_nothing_else_does(app, owner):
    from sqlalchemy import event

    from giftpad.kernel.db import database

    browser = Browser(app).enter(owner)
    browser.get("/pages/mine")
    asked = []
    event.listen(database().engine, "before_cursor_execute", lambda *said: asked.append(said[2]))
    for _ in range(5):
        assert browser.get("/pages/mine").status_code == 200
    assert asked == []


def test_a_session_of_a_suspended_tenant_is_told_so(app, owner):
    from giftpad import tenancy
    from giftpad.edge import callers
    from tests.make_identity import work_of

    browser = Browser(app).enter(owner)
    with work_of(owner.scope) as work:
        tenancy.suspend_tenant(work)
    tenancy.forget_tenants()
    callers.forget_callers()
    assert browser.get("/pages/mine").status_code == 403
    assert "nobody" in browser.get("/pages/open").text


def test_pages_carry_the_policy_of_pages(app, owner):
    browser = Browser(app).enter(owner)
    for path in ("/pages/open", "/pages/mine", "/nowhere", "/pages/accident", "/pages/deed"):
        headers = browser.get(path).headers
        assert headers["Content-Security-Policy"] == POLICY
        assert headers["Cache-Control"] == "no-store"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["X-Content-Type-Options"] == "nosniff"


def test_only_the_page_that_scans_may_compile(app):
    policy = Browser(app).get("/pages/scan").headers["Content-Security-Policy"]
    assert policy == POLICY.replace("script-src 'self'", "script-src 'self' 'wasm-unsafe-eval'")


def test_what_is_not_there_is_a_page_for_people_and_a_problem_for_machines(app):
    browser = Browser(app)
    assert browser.get("/nowhere").mimetype == "text/html"
    assert browser.post("/pages/open", csrf=None).status_code == 405
    assert browser.post("/pages/open", csrf=None).mimetype == "text/html"
    for path in (
        "/api/nowhere",
        "/api/v1/nowhere",
        "/oauth/nowhere",
        "/.well-known/nowhere",
        "/api",
    ):
        assert browser.get(path).mimetype == edge.MEDIA_TYPE
    assert app.test_client().get("/nowhere").mimetype == edge.MEDIA_TYPE


def test_an_accident_tells_nothing(app):
    answered = Browser(app).get("/pages/accident")
    assert (answered.status_code, answered.mimetype) == (500, "text/html")
    assert "hunter2" not in answered.text


def test_a_page_that_cannot_be_drawn_is_a_problem(app):
    def broken(*_args, **_kwargs):
        raise KeyError

    edge.answer_pages_with(app, broken)
    answered = Browser(app).get("/nowhere")
    assert (answered.status_code, answered.mimetype) == (404, edge.MEDIA_TYPE)


@pytest.mark.parametrize(
    ("cookie", "accepted", "language"),
    [
        ("", "", "ja"),
        ("", "fr", "ja"),
        ("", "en-GB", "en"),
        ("en", "ja", "en"),
        ("ja", "en", "ja"),
        ("xx", "en", "en"),
        ("../..", "", "ja"),
    ],
)
def test_a_page_speaks_the_language_chosen(app, cookie, accepted, language):
    browser = Browser(app)
    if cookie:
        browser.client.set_cookie("gp_lang", cookie)
    answered = browser.get("/nowhere", **{"Accept-Language": accepted})
    assert answered.headers["Content-Language"] == language


def test_a_sealed_text_opens_for_its_purpose_and_for_a_while(app, monkeypatch):
    with app.test_request_context():
        text = edge.seal_text("a", {"n": 1})
        assert edge.open_text("a", text, 60) == {"n": 1}
        assert edge.open_text("b", text, 60) is None
        assert edge.open_text("a", text[:-4] + "AAAA", 60) is None
        now = time.time()
        monkeypatch.setattr(cookies.time, "time", lambda: now + 61)
        assert edge.open_text("a", text, 60) is None


def test_a_sealed_cookie_is_over_when_the_server_says_so(app, monkeypatch):
    with app.test_request_context():
        response = app.response_class()
        edge.set_sealed_cookie(response, "gp_say", {"n": 1}, 60)
        value = response.headers["Set-Cookie"].partition(";")[0]
    with app.test_request_context(headers={"Cookie": value}):
        assert edge.read_sealed_cookie("gp_say") == {"n": 1}
        assert edge.read_sealed_cookie("gp_visit") is None
        now = time.time()
        monkeypatch.setattr(cookies.time, "time", lambda: now + 61)
        assert edge.read_sealed_cookie("gp_say") is None


@pytest.mark.parametrize(
    ("address", "source"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("", "unknown"),
    ],
)
def test_a_source_is_a_machine_or_a_network(app, address, source):
    with app.test_request_context(environ_base={"REMOTE_ADDR": address}):
        assert edge.source_address() == source


def test_a_foreign_session_of_the_same_shape_is_nobody(app, owner):
    browser = Browser(app).enter(owner)
    with app.test_request_context(headers={"Cookie": f"gp_session={browser.session_cookie}"}):
        held = edge.read_sealed_cookie("gp_session")
        held |= {"session": str(uuid4()), "token_over_at": 0}
        response = app.response_class()
        edge.set_sealed_cookie(response, "gp_session", held, 60)
    browser.set_session(response.headers["Set-Cookie"].partition(";")[0].partition("=")[2])
    answered = browser.get("/pages/mine")
    assert answered.status_code == 303
    assert "gp_session=;" in set_cookies(answered)["gp_session"]
