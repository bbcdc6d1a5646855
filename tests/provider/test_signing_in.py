"""Signing in to a client: the way through a browser, and what a client may wish for on it."""

from __future__ import annotations

import base64
import json
import re
import time
from datetime import timedelta
from urllib.parse import parse_qs, urlencode, urlsplit
from uuid import UUID

import pytest
from joserfc import jws, jwt
from joserfc.jwk import RSAKey

from giftpad import identity, tenancy
from giftpad.identity.models import SessionRow
from giftpad.identity.queries import PLATFORM
from giftpad.kernel.ids import new_id
from giftpad.kernel.work import unit_of_work
from tests import make
from tests.make_factors import PASSWORD, give_passkey, step_on, use_passkey
from tests.make_pages import HOST, hidden
from tests.make_provider import AWAY, HOME, make_client, read_token, sign_in_for
from tests.make_sessions import PASSWORD as THEIRS
from tests.make_sessions import make_somebody


def test_somebody_signs_in_and_the_client_knows_who(site, spa):
    email = site.new_person("owner", name="山田 花子")
    read = spa.came_back(sign_in_for(spa, email, site.nobody()))
    assert (read["state"], read["iss"]) == ("s-1", identity.issuer().address)
    answered = spa.exchange(read["code"])
    assert answered.headers["Cache-Control"] == "no-store"
    tokens = answered.json
    header, claims = read_token(site, tokens["id_token"])
    assert (header["alg"], header["typ"], bool(header["kid"])) == ("RS256", "JWT", True)
    assert claims["iss"] == identity.issuer().address
    assert claims["aud"] == spa.client_id
    assert claims["sub"].startswith("auth0|")
    assert (claims["nonce"], claims["name"], claims["email"]) == ("n-1", "山田 花子", email)
    assert claims["email_verified"] is False
    assert isinstance(claims["auth_time"], int)
    assert isinstance(claims["updated_at"], int)
    assert claims["org_id"].startswith("org_")
    known = spa.userinfo(tokens["access_token"]).json
    assert known["sub"] == claims["sub"]
    assert (known["name"], known["email"]) == ("山田 花子", email)


def test_the_access_token_works_at_the_api_by_what_person_and_client_may_both(site, spa):
    audience = identity.issuer().audience
    tokens = spa.tokens(site.person("owner"), audience=audience)
    header, claims = read_token(site, tokens["access_token"])
    assert header["typ"] == "at+jwt"
    assert claims["aud"] == [audience, identity.issuer().userinfo]
    assert claims["permissions"] == ["shops:read", "payments:read"]
    assert claims["client_id"] == spa.client_id
    assert claims["jti"]
    http = site.app.test_client()
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert http.get("/api/v1/shops", headers=bearer).status_code == 200
    assert http.get("/api/v1/programmes", headers=bearer).status_code == 403  # the client may not


def test_a_clerk_gives_a_client_no_more_than_a_clerk_has(site, spa):
    browser = site.person("clerk")
    tokens = spa.tokens(browser, audience=identity.issuer().audience)
    _, claims = read_token(site, tokens["access_token"])
    assert claims["permissions"] == ["shops:read", "payments:read"]
    viewer = make_client(site, permissions=("payments:refund",))
    tokens = viewer.tokens(browser, audience=identity.issuer().audience)
    assert read_token(site, tokens["access_token"])[1]["permissions"] == []


def test_without_an_audience_a_token_may_ask_who_and_nothing_else(site, spa):
    token = spa.tokens(site.person("owner"))["access_token"]
    assert spa.userinfo(token).status_code == 200
    http = site.app.test_client()
    answered = http.get("/api/v1/shops", headers={"Authorization": f"Bearer {token}"})
    assert answered.status_code == 401


def test_without_openid_there_is_no_id_token_and_userinfo_says_nothing(site, spa):
    audience = identity.issuer().audience
    tokens = spa.tokens(site.person("owner"), scope="payments:read", audience=audience)
    assert "id_token" not in tokens
    assert "refresh_token" not in tokens
    answered = spa.userinfo(tokens["access_token"])
    assert answered.status_code == 401
    assert "invalid_token" in answered.headers["WWW-Authenticate"]


@pytest.mark.parametrize("scope", ["openid", "openid profile", "openid email"])
def test_userinfo_says_what_the_scope_lets_it(site, spa, scope):
    tokens = spa.tokens(site.person("owner"), scope=scope)
    known = set(spa.userinfo(tokens["access_token"]).json)
    assert ("name" in known) == ("profile" in scope)
    assert ("email" in known) == ("email" in scope)


def test_userinfo_reads_the_token_from_a_form_too(site, spa):
    token = spa.tokens(site.person("owner"))["access_token"]
    http = site.app.test_client()
    assert http.post("/userinfo", data={"access_token": token}).status_code == 200
    bearer = {"Authorization": f"Bearer {token}"}
    assert http.post("/userinfo", headers=bearer).status_code == 200
    assert http.get(f"/userinfo?access_token={token}").status_code == 401


def test_an_id_token_is_no_access_token(site, spa):
    token = spa.tokens(site.person("owner"))["id_token"]
    assert spa.userinfo(token).status_code == 401
    http = site.app.test_client()
    answered = http.get("/api/v1/shops", headers={"Authorization": f"Bearer {token}"})
    assert answered.status_code == 401


def test_an_api_of_the_tenant_gets_tokens_as_its_auth0_library_reads_them(site):
    api = f"https://api.example.jp/{new_id().hex}"
    relying = make_client(site, audience=api, token_profile="auth0")
    tokens = relying.tokens(site.person("owner"), audience=api)
    header, claims = read_token(site, tokens["access_token"])
    assert header["typ"] == "JWT"
    assert claims["azp"] == relying.client_id
    assert not {"client_id", "jti"} & set(claims)
    assert claims["aud"] == [api, identity.issuer().userinfo]
    assert relying.userinfo(tokens["access_token"]).status_code == 200
    ours = relying.tokens(site.person("owner"), audience=identity.issuer().audience)
    assert read_token(site, ours["access_token"])[0]["typ"] == "at+jwt"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"audience": "https://nobody.example.jp"}, "access_denied"),
        ({"organization": "org_somebodyelse"}, "access_denied"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"prompt": "dance"}, "invalid_request"),
        ({"max_age": "soon"}, "invalid_request"),
        ({"response_mode": "web_message"}, "invalid_request"),
        ({"request": "x.y.z"}, "request_not_supported"),
        ({"request_uri": "https://app.example.jp/r"}, "request_uri_not_supported"),
    ],
)
def test_what_a_client_asks_wrongly_is_told_to_it(site, spa, changes, error):
    read = spa.came_back(site.person("owner").get(spa.address(**changes)))
    assert (read["error"], read["state"]) == (error, "s-1")
    assert read["iss"] == identity.issuer().address
    assert "code" not in read


def test_a_client_that_asks_for_no_api_of_its_own_is_told_the_name_of_ours(site, spa):
    wanted = identity.issuer().audience
    read = spa.came_back(site.person("owner").get(spa.address(audience=f"{wanted}/")))
    assert read["error"] == "access_denied"
    assert read["error_description"].endswith(f" {wanted}")


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "nobody"},
        {"client_id": None},
        {"redirect_uri": "https://evil.example.jp/"},
        {"redirect_uri": HOME + "/more"},
        {"redirect_uri": HOME + "?x=1"},
        {"redirect_uri": None},
        {"redirect_uri": 'https://"evil"'},
        {"client_id": 'x"y'},
        {"state": "long " * 1000},
    ],
)
def test_nobody_is_sent_where_no_client_has_said(site, spa, changes):
    answered = site.person("owner").get(spa.address(**changes))
    assert answered.status_code == 400
    assert "Location" not in answered.headers


def test_a_parameter_that_stands_there_twice_is_refused(site, spa):
    answered = site.person("owner").get(spa.address() + "&scope=openid")
    assert answered.status_code == 400


def test_parameters_nobody_knows_are_left_alone(site, spa):
    changes = {"auth0Client": "eyJ4Ijox", "ext-hint": "x", "display": "popup", "acr_values": "x"}
    assert spa.code(site.person("owner"), **changes, claims_locales="ja", ui_locales="ja en")


def test_who_is_not_signed_in_is_not_asked_when_the_client_wants_no_question(site, spa):
    read = spa.came_back(site.nobody().get(spa.address(prompt="none")))
    assert read["error"] == "login_required"
    assert spa.code(site.person("owner"), prompt="none")


def test_a_client_may_want_a_fresh_sign_in(site, spa):
    email = site.new_person("owner")
    browser = site.sign_in(email)
    before = read_token(site, spa.tokens(browser)["id_token"])[1]
    with unit_of_work(PLATFORM) as work:
        row = work.session.get(SessionRow, (work.tenant_id, UUID(before["sid"])))
        row.proved_at = row.created_at - timedelta(days=365)
    answered = browser.get(spa.address(max_age="3600"))
    assert urlsplit(answered.headers["Location"]).path == "/sign-in"
    assert spa.code(browser, max_age="100000000")
    read = spa.came_back(sign_in_for(spa, email, browser, prompt="login"))
    after = read_token(site, spa.exchange(read["code"]).json["id_token"])[1]
    assert after["auth_time"] >= int(time.time()) - 60
    assert after["sid"] != before["sid"]


def test_the_mark_of_a_fresh_sign_in_cannot_be_carried_to_another_request(site, spa):
    browser = site.sign_in(site.new_person("owner"))
    answered = browser.get(spa.address(prompt="login"))
    wanted = parse_qs(urlsplit(answered.headers["Location"]).query)["next"][0]
    since = parse_qs(urlsplit(wanted).query)["gp_since"][0]
    other = spa.address(prompt="login", nonce="another") + "&" + urlencode({"gp_since": since})
    answered = browser.get(other)
    assert urlsplit(answered.headers["Location"]).path == "/sign-in"


def test_the_sign_in_page_lets_its_form_lead_on_to_the_client_alone(site, spa):
    browser = site.nobody()
    answered = browser.follow(browser.get(spa.address(login_hint="hanako@example.jp")))
    policy = answered.headers["Content-Security-Policy"]
    assert "form-action 'self' https://app.example.jp;" in policy
    assert "まち歩きアプリ" in answered.text
    assert 'value="hanako@example.jp"' in answered.text
    plain = site.nobody().get("/sign-in").headers["Content-Security-Policy"]
    assert "form-action 'self';" in plain


def test_a_role_that_wants_two_steps_is_not_had_through_a_client_by_one(site, spa):
    email = site.new_person("owner")
    elsewhere = make.make_tenant()
    make_somebody(elsewhere, "viewer", email=email)
    browser = site.nobody()
    browser.get("/sign-in")
    answered = browser.post("/sign-in", {"email": email, "password": PASSWORD})
    values = re.findall(r'name="membership" value="([^"]+)"', browser.follow(answered).text)
    (viewer,) = [value for value in values if value.startswith(str(elsewhere.tenant_id))]
    browser.follow(browser.post("/sign-in/choose", {"membership": viewer}))
    silent = spa.came_back(browser.get(spa.address(prompt="none")))
    assert silent["error"] == "interaction_required"
    answered = browser.get(spa.address())
    assert urlsplit(answered.headers["Location"]).path == "/sign-in"
    wanted = parse_qs(urlsplit(answered.headers["Location"]).query)["next"][0]
    browser.follow(answered)
    fields = {"email": email, "password": PASSWORD, "next": wanted}
    answered = browser.post("/sign-in", fields)
    assert answered.headers["Location"] == "/sign-in/set-up"
    assert "code" in spa.came_back(browser.follow(step_on(browser, answered, email)))


def test_a_role_that_wants_two_steps_is_not_chosen_with_one(site, spa):
    email = site.new_person("owner")
    make_somebody(site.scope, "viewer", email=email)
    browser = site.nobody()
    browser.get("/sign-in")
    answered = browser.post("/sign-in", {"email": email, "password": PASSWORD})
    browser.follow(answered)
    mine = identity.list_memberships(identity.verify_password(email, PASSWORD))
    places = {each.role: f"{each.tenant_id}.{each.id}" for each in mine}
    owner, viewer = places["owner"], places["viewer"]
    browser.follow(browser.post("/sign-in/choose", {"membership": viewer}))
    page = browser.get(spa.address(prompt="consent"))
    fields = {"asked": hidden(page.text, "asked"), "membership": owner.partition(".")[2]}
    answered = browser.post("/authorize/answer", fields)
    assert urlsplit(answered.headers["Location"]).path == "/sign-in"


def test_a_family_goes_on_only_as_its_organisation_asks_by_now(site, spa):
    tokens = spa.tokens(site.sign_in(site.new_person("viewer")))
    identity.set_policy(site.scope, "everyone")
    refused = spa.refresh(tokens["refresh_token"])
    assert (refused.status_code, refused.json["error"]) == (400, "invalid_grant")


def test_who_is_no_member_of_the_clients_organisation_stays_out(site, spa):
    stranger = make_somebody(make.make_tenant(), "viewer")
    browser = site.nobody()
    answered = browser.get(spa.address())
    wanted = parse_qs(urlsplit(answered.headers["Location"]).query)["next"][0]
    browser.follow(answered)
    fields = {"email": stranger.email, "password": THEIRS, "next": wanted}
    answered = browser.post("/sign-in", fields, headers={"Accept-Language": "en"})
    assert answered.status_code == 403
    name = tenancy.get_tenant(site.scope.tenant_id).name_in("en")
    assert f"You are not a member of {name}." in answered.text
    assert "any more" not in answered.text
    browser.follow(browser.post("/sign-in", fields | {"next": ""}))
    assert spa.came_back(browser.get(spa.address()))["error"] == "access_denied"


def test_who_comes_from_elsewhere_by_a_passkey_is_told_so_on_the_same_way(site, spa):
    stranger = make_somebody(make.make_tenant(), "viewer")
    passkey, person_id = give_passkey(stranger.email, THEIRS)
    browser = site.nobody()
    page = browser.follow(browser.get(spa.address()))
    fields = use_passkey(page.text, passkey | {"person": str(person_id)})
    answered = browser.post("/sign-in/passkey", fields)
    page = browser.follow(answered)
    assert tenancy.get_tenant(site.scope.tenant_id).name_in("ja") in page.text
    assert "登録されていません" in page.text
    (way,) = parse_qs(urlsplit(answered.headers["Location"]).query)["next"]
    assert way.startswith("/authorize")


def test_a_client_may_want_the_persons_word(site, spa):
    browser = site.person("owner")
    page = browser.get(spa.address(prompt="consent"))
    assert page.status_code == 200
    assert "まち歩きアプリ" in page.text
    asked = hidden(page.text, "asked")
    chosen = page.text.split('name="membership" value="')[1].split('"')[0]
    read = spa.came_back(browser.post("/authorize/answer", {"asked": asked, "membership": chosen}))
    assert "code" in read
    browser.get(spa.address(prompt="consent"))
    read = spa.came_back(browser.post("/authorize/answer", {"asked": asked, "membership": "no"}))
    assert read["error"] == "access_denied"


def test_a_word_given_once_is_no_word_for_another_request(site, spa):
    browser = site.person("owner")
    page = browser.get(spa.address(prompt="consent"))
    chosen = page.text.split('name="membership" value="')[1].split('"')[0]
    wanted = urlsplit(spa.address(prompt="login")).query
    answered = browser.post("/authorize/answer", {"asked": wanted, "membership": chosen})
    assert answered.headers["Location"] == "/sign-in"
    asked = hidden(page.text, "asked")
    other = site.person("viewer")
    other.get("/account")
    answered = other.post("/authorize/answer", {"asked": asked, "membership": chosen})
    assert answered.headers["Location"] == "/sign-in"


def test_a_client_may_say_whom_it_means(site, spa):
    mine, other = site.person("owner"), site.person("viewer")
    hint = spa.tokens(mine)["id_token"]
    assert spa.code(mine, prompt="none", id_token_hint=hint)
    read = spa.came_back(other.get(spa.address(prompt="none", id_token_hint=hint)))
    assert read["error"] == "login_required"
    read = spa.came_back(mine.get(spa.address(id_token_hint="x.y.z")))
    assert read["error"] == "invalid_request"


def test_a_form_of_the_client_is_asked_again_as_an_address(site, spa):
    query = urlsplit(spa.address()).query
    http = site.app.test_client()
    answered = http.post(
        "/authorize",
        data={name: v[0] for name, v in parse_qs(query).items()},
        base_url=f"http://{HOST}",
    )
    assert answered.status_code == 303
    assert parse_qs(urlsplit(answered.headers["Location"]).query) == parse_qs(query)


def test_signing_out_with_an_id_token_ends_the_sign_in_and_what_came_of_it(site, web):
    browser = site.sign_in(site.new_person("owner"))
    tokens = web.tokens(browser)
    hint = {"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": AWAY, "state": "z"}
    answered = browser.get(f"/oidc/logout?{urlencode(hint)}")
    assert answered.headers["Location"] == f"{AWAY}?state=z"
    assert web.came_back(browser.get(web.address(prompt="none")))["error"] == "login_required"
    assert web.refresh(tokens["refresh_token"]).status_code == 400
    assert web.userinfo(tokens["access_token"]).status_code == 401


@pytest.mark.parametrize(
    "changes",
    [
        {"post_logout_redirect_uri": AWAY + "?x=1"},
        {"post_logout_redirect_uri": "https://evil.example.jp/"},
        {"id_token_hint": "access"},
        {"id_token_hint": "none"},
        {"id_token_hint": "foreign"},
        {"client_id": "another"},
    ],
)
def test_signing_out_sends_nobody_where_it_was_not_proved(site, web, changes):
    browser = site.sign_in(site.new_person("owner"))
    tokens = web.tokens(browser)
    hints = {
        "access": tokens["access_token"],
        "none": _unsigned(tokens["id_token"]),
        "foreign": _resigned(tokens["id_token"]),
    }
    asked = {"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": AWAY} | changes
    asked["id_token_hint"] = hints.get(asked["id_token_hint"], asked["id_token_hint"])
    answered = browser.get(f"/oidc/logout?{urlencode(asked)}")
    assert answered.status_code == 400
    assert web.code(browser, prompt="none")


def _unsigned(token):
    header, body, _ = token.split(".")
    read = json.loads(base64.urlsafe_b64decode(header + "=="))
    changed = base64.urlsafe_b64encode(json.dumps(read | {"alg": "none"}).encode()).decode()
    return f"{changed.rstrip('=')}.{body}."


def _resigned(token):
    signature = jws.extract_compact(token.encode())
    return jwt.encode(
        signature.headers(),
        json.loads(signature.payload),
        RSAKey.generate_key(2048),
        algorithms=["RS256"],
    )


def test_signing_out_without_a_proof_asks_the_person(site, web):
    browser = site.sign_in(site.new_person("owner"))
    for query in ("", "?state=x", f"?{urlencode({'post_logout_redirect_uri': AWAY})}"):
        page = browser.get(f"/oidc/logout{query}")
        assert page.status_code == 200
        assert web.code(browser, prompt="none")
    page = browser.get("/oidc/logout")
    answered = browser.post("/oidc/logout/answer", {"asked": hidden(page.text, "asked")})
    assert answered.headers["Location"] == "/sign-in"
    assert web.came_back(browser.get(web.address(prompt="none")))["error"] == "login_required"


def test_the_short_way_out_leads_to_named_addresses_only(site, web):
    browser = site.sign_in(site.new_person("owner"))
    wrong = {"client_id": web.client_id, "returnTo": "https://evil.example.jp/"}
    assert browser.get(f"/v2/logout?{urlencode(wrong)}").status_code == 400
    assert web.code(browser, prompt="none")
    right = {"client_id": web.client_id, "returnTo": AWAY}
    assert browser.get(f"/v2/logout?{urlencode(right)}").headers["Location"] == AWAY
    assert web.came_back(browser.get(web.address(prompt="none")))["error"] == "login_required"
