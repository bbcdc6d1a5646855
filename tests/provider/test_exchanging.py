"""Codes, refresh tokens and devices: each is taken once, and a second time ends what came of it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

import pytest

from giftpad import identity
from giftpad.identity.models import (
    AuthorisationRow,
    CodeRow,
    DeviceRow,
    RefreshTokenRow,
    SessionRow,
)
from giftpad.identity.queries import PLATFORM
from giftpad.kernel.work import unit_of_work
from tests import make
from tests.make_pages import HOST
from tests.make_provider import WHOLE, make_client, read_token
from tests.make_sessions import PASSWORD as THEIRS
from tests.make_sessions import make_somebody

AT_ONCE = 50


def refused(answered, error="invalid_grant"):
    """Assert that a request was refused so."""
    assert (answered.status_code, answered.json["error"]) == (400, error), answered.text
    assert answered.headers["Cache-Control"] == "no-store"
    return True


def grow_older(model, column, by):
    """Let every row of a table be older than it is."""
    with unit_of_work(PLATFORM) as work:
        for row in work.session.query(model):
            setattr(row, column, getattr(row, column) - by)


@pytest.mark.parametrize("as_json", [True, False])
def test_a_body_may_be_a_form_or_json(site, spa, as_json):
    given = {
        "grant_type": "authorization_code",
        "code": spa.code(site.person("owner")),
        "redirect_uri": spa.redirect_uri,
        "code_verifier": spa.verifier,
    }
    assert spa.ask(as_json=as_json, **given).status_code == 200


def test_null_in_json_is_as_if_it_was_not_said(site):
    machine = make_client(site, "machine")
    given = {"grant_type": "client_credentials", "client_id": machine.client_id}
    body = given | {"client_secret": machine.client_secret, "organization": None}
    http = site.app.test_client()
    assert http.post("/oauth/token", json=body, base_url=f"http://{HOST}").status_code == 200
    answered = http.post("/oauth/token", json=body | {"scope": 7}, base_url=f"http://{HOST}")
    assert (answered.status_code, answered.json["error"]) == (400, "invalid_request")


def test_tokens_of_people_are_short(site, spa):
    tokens = spa.tokens(site.person("owner"))
    assert (tokens["expires_in"], tokens["token_type"]) == (900, "Bearer")
    claims = read_token(site, tokens["access_token"])[1]
    assert claims["exp"] - claims["iat"] == 900


def test_a_code_shown_twice_ends_what_came_of_it(site, spa):
    code = spa.code(site.person("owner"))
    tokens = spa.exchange(code).json
    assert spa.userinfo(tokens["access_token"]).status_code == 200
    assert refused(spa.exchange(code))
    assert spa.userinfo(tokens["access_token"]).status_code == 401
    assert refused(spa.refresh(tokens["refresh_token"]))


def test_an_old_code_is_refused(site, spa):
    code = spa.code(site.person("owner"))
    grow_older(CodeRow, "expires_at", timedelta(seconds=61))
    assert refused(spa.exchange(code))


@pytest.mark.parametrize(
    "changes",
    [
        {"code_verifier": "x" * 43},
        {"code_verifier": None},
        {"code_verifier": ""},
        {"redirect_uri": "https://app.example.jp/other"},
        {"redirect_uri": None},
        {"code": "unknown"},
    ],
)
def test_a_code_is_good_only_for_who_asked_for_it(site, spa, changes):
    assert refused(spa.exchange(**({"code": spa.code(site.person("owner"))} | changes)))


def test_a_code_of_another_client_is_refused_and_stays_good(site, spa):
    other = make_client(site)
    code = spa.code(site.person("owner"))
    assert refused(other.exchange(code, code_verifier=spa.verifier))
    assert spa.exchange(code).status_code == 200


def test_a_verifier_without_a_challenge_is_refused(site):
    relying = make_client(site, "web", needs_challenge=False)
    bare = {"code_challenge": None, "code_challenge_method": None}
    code = relying.code(site.person("owner"), **bare)
    assert refused(relying.exchange(code))
    code = relying.code(site.person("owner"), **bare)
    assert relying.exchange(code, code_verifier=None).status_code == 200


def test_each_refresh_gives_another_token_and_an_id_token(site, spa):
    first = spa.tokens(site.person("owner"))
    second = spa.refresh(first["refresh_token"]).json
    assert second["refresh_token"] != first["refresh_token"]
    assert second["access_token"] != first["access_token"]
    before = read_token(site, first["id_token"])[1]
    after = read_token(site, second["id_token"])[1]
    for claim in ("iss", "sub", "aud", "auth_time", "sid", "org_id"):
        assert after[claim] == before[claim]
    assert spa.refresh(second["refresh_token"]).status_code == 200


def test_a_refresh_token_shown_twice_ends_the_family(site, spa):
    first = spa.tokens(site.person("owner"))
    second = spa.refresh(first["refresh_token"]).json
    answered = spa.refresh(first["refresh_token"])
    assert refused(answered)
    assert "invalid refresh token" in answered.json["error_description"].lower()
    assert refused(spa.refresh(second["refresh_token"]))
    assert spa.userinfo(second["access_token"]).status_code == 401


def test_a_lost_answer_is_forgiven_within_the_leeway_but_only_the_last(site):
    relying = make_client(site, leeway_s=10)
    first = relying.tokens(site.person("owner"))
    second = relying.refresh(first["refresh_token"]).json
    again = relying.refresh(first["refresh_token"])
    assert again.status_code == 200
    third = relying.refresh(second["refresh_token"])
    assert third.status_code == 200
    assert refused(relying.refresh(first["refresh_token"]))
    assert refused(relying.refresh(third.json["refresh_token"]))


def test_who_goes_on_beside_a_forgiven_token_is_found_out_when_the_leeway_is_over(site):
    relying = make_client(site, leeway_s=10)
    first = relying.tokens(site.person("owner"))["refresh_token"]
    one, twin = (relying.refresh(first).json["refresh_token"] for _ in range(2))
    going_on = relying.refresh(one).json["refresh_token"]
    with unit_of_work(PLATFORM) as work:
        for row in work.session.query(RefreshTokenRow).filter(
            RefreshTokenRow.retired_at.is_not(None)
        ):
            row.retired_at -= timedelta(seconds=11)
    assert refused(relying.refresh(twin))
    assert refused(relying.refresh(going_on))


def test_the_leeway_ends(site):
    relying = make_client(site, leeway_s=10)
    first = relying.tokens(site.person("owner"))
    relying.refresh(first["refresh_token"])
    with unit_of_work(PLATFORM) as work:
        for row in work.session.query(RefreshTokenRow).filter(
            RefreshTokenRow.retired_at.is_not(None)
        ):
            row.retired_at -= timedelta(seconds=11)
    assert refused(relying.refresh(first["refresh_token"]))


@pytest.mark.parametrize(
    ("column", "by"), [("seen_at", timedelta(days=14)), ("expires_at", timedelta(days=30))]
)
def test_a_family_ends_by_itself(site, spa, column, by):
    token = spa.tokens(site.person("owner"))["refresh_token"]
    grow_older(AuthorisationRow, column, by)
    assert refused(spa.refresh(token))


def test_a_refresh_token_of_another_client_is_refused_and_stays_good(site, spa):
    other = make_client(site)
    token = spa.tokens(site.person("owner"))["refresh_token"]
    assert refused(other.refresh(token))
    assert spa.refresh(token).status_code == 200


def test_offline_access_must_be_asked_for(site, spa):
    assert "refresh_token" not in spa.tokens(site.person("owner"), scope="openid profile")


def test_a_refresh_may_ask_for_less_but_not_for_more(site, spa):
    tokens = spa.tokens(site.person("owner"), scope="openid profile offline_access")
    less = spa.refresh(tokens["refresh_token"], scope="openid email")
    assert less.json["scope"] == "openid"
    assert "name" not in read_token(site, less.json["id_token"])[1]
    whole = spa.tokens(site.person("owner"), audience=identity.issuer().audience)
    bare = spa.refresh(whole["refresh_token"], scope="openid").json["access_token"]
    assert read_token(site, bare)[1]["permissions"] == []


def test_what_an_app_has_goes_on_when_its_person_signs_in_again_or_changes_role(site, spa):
    browser = site.sign_in(site.new_person("owner"))
    tokens = spa.tokens(browser)
    before = read_token(site, tokens["id_token"])[1]["sid"]
    (role,) = identity.list_memberships(_person_of(site, tokens))
    browser.get("/account")
    answered = browser.post("/account/switch", {"membership": f"{role.tenant_id}.{role.id}"})
    assert answered.status_code == 303
    renewed = spa.refresh(tokens["refresh_token"])
    assert renewed.status_code == 200
    assert read_token(site, renewed.json["id_token"])[1]["sid"] != before
    browser.get("/account")
    assert browser.post("/sign-out").status_code == 303
    assert refused(spa.refresh(renewed.json["refresh_token"]))


def _person_of(site, tokens):
    return UUID(read_token(site, tokens["id_token"])[1]["sub"].removeprefix("auth0|"))


def test_a_family_ends_with_its_sign_in_whoever_ended_that(site, spa):
    tokens = spa.tokens(site.sign_in(site.new_person("owner")))
    session_id = UUID(read_token(site, tokens["id_token"])[1]["sid"])
    with unit_of_work(PLATFORM) as work:  # as a process of the release before would
        work.session.get(SessionRow, (work.tenant_id, session_id)).revoked_at = work.at
    assert refused(spa.refresh(tokens["refresh_token"]))


def test_an_access_token_is_given_back_too(site, web):
    plain = web.tokens(site.person("owner"))
    ours = web.tokens(site.person("owner"), audience=identity.issuer().audience)
    for tokens in (plain, ours):
        assert web.userinfo(tokens["access_token"]).status_code == 200
        assert web.ask("/oauth/revoke", token=tokens["access_token"]).status_code == 200
        assert web.userinfo(tokens["access_token"]).status_code == 401
        assert web.refresh(tokens["refresh_token"]).status_code == 200


def test_who_loses_the_role_loses_the_tokens(site, spa):
    email = site.new_person("viewer")
    browser = site.sign_in(email)
    tokens = spa.tokens(browser)
    (member,) = [each for each in identity.list_members(site.scope) if each.email == email]
    identity.remove_member(site.scope, member.membership_id)
    assert spa.userinfo(tokens["access_token"]).status_code == 401
    assert refused(spa.refresh(tokens["refresh_token"]))


def test_a_new_password_ends_what_other_sign_ins_gave(site, spa):
    email = site.new_person("owner")
    tokens = spa.tokens(site.sign_in(email))
    identity.reset_password(site.scope.actor, email, "another long enough word")
    assert refused(spa.refresh(tokens["refresh_token"]))
    assert spa.userinfo(tokens["access_token"]).status_code == 401


def test_a_disabled_client_gets_nothing_more(site, spa):
    tokens = spa.tokens(site.person("owner"))
    identity.disable_client(site.scope, spa.client_id)
    identity.refresh_trust()  # as every process does within 30 seconds
    assert spa.refresh(tokens["refresh_token"]).status_code == 401
    assert spa.userinfo(tokens["access_token"]).status_code == 401
    assert site.person("owner").get(spa.address()).status_code == 400


def test_a_client_gives_its_tokens_back(site, web):
    tokens = web.tokens(site.person("owner"))
    answered = web.ask("/oauth/revoke", token=tokens["refresh_token"])
    assert (answered.status_code, answered.data) == (200, b"")
    assert refused(web.refresh(tokens["refresh_token"]))
    assert web.userinfo(tokens["access_token"]).status_code == 401
    assert web.ask("/oauth/revoke", token="unknown").status_code == 200
    assert web.ask("/oauth/revoke", token=tokens["refresh_token"]).status_code == 200
    assert web.ask("/oauth/revoke").status_code == 400
    wrong = web.ask("/oauth/revoke", token="unknown", client_secret="wrong")
    assert wrong.status_code == 401


def test_a_client_cannot_give_back_the_tokens_of_another(site, web):
    token = web.tokens(site.person("owner"))["refresh_token"]
    assert make_client(site).ask("/oauth/revoke", token=token).status_code == 200
    assert web.refresh(token).status_code == 200


def test_an_unknown_client_and_a_wrong_secret_are_answered_alike(site, web, spa):
    code = web.code(site.person("owner"))
    answers = [
        web.exchange(code, client_secret="wrong"),
        web.exchange(code, client_secret=None),
        web.exchange(code, client_id="nobody"),
        spa.exchange(code, client_secret="made up"),
    ]
    assert {each.status_code for each in answers} == {401}
    assert len({each.data for each in answers}) == 1
    assert web.exchange(code).status_code == 200


@pytest.mark.parametrize("kind", ["spa", "web"])
def test_a_client_of_people_is_no_machine(site, kind):
    relying = make_client(site, kind)
    answered = relying.ask(grant_type="client_credentials")
    assert answered.json["error"] in ("unauthorized_client", "invalid_client")


def test_what_is_written_oddly_is_refused_in_words(site, spa):
    for given in ('x"y', "日本", "a\\b"):
        answered = spa.ask(grant_type=given)
        assert (answered.status_code, answered.json["error"]) == (400, "invalid_request")
    answered = site.app.test_client().post(
        "/oauth/token", data="x=1&x=2", base_url=f"http://{HOST}"
    )
    assert answered.status_code == 400


def test_a_device_waits_until_somebody_lets_it_in(site):
    device = make_client(site, "device", permissions=("payments:accept",))
    audience = identity.issuer().audience
    shown = device.ask("/oauth/device/code", scope=WHOLE, audience=audience).json
    assert shown["verification_uri"] == identity.issuer().address + "activate"
    assert shown["interval"] == 5
    ask = {
        "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
        "device_code": shown["device_code"],
    }
    assert refused(device.ask(**ask), "authorization_pending")
    assert refused(device.ask(**ask), "slow_down")
    browser = site.person("shop_owner")
    browser.get("/activate")
    typed = " ".join(shown["user_code"].lower().split("-"))
    page = browser.post("/activate", {"user_code": typed})
    assert "まち歩きアプリ" in page.text
    assert shown["user_code"] in page.text
    for words in ("支払いを受け付ける", "名前を知る", "メールアドレスを知る"):
        assert words in page.text
    assert "発行分" not in page.text
    answered = browser.post("/activate/answer", {"user_code": typed, "answer": "yes"})
    assert answered.status_code == 303
    grow_older(DeviceRow, "polled_at", timedelta(seconds=30))
    tokens = device.ask(**ask).json
    claims = read_token(site, tokens["access_token"])[1]
    assert claims["permissions"] == ["payments:accept"]
    assert claims["urn:giftpad:shop_id"] == str(site.shop_id())
    grow_older(DeviceRow, "polled_at", timedelta(seconds=30))
    assert refused(device.ask(**ask))
    browser.get("/account")
    assert browser.post("/sign-out").status_code == 303
    assert device.refresh(tokens["refresh_token"]).status_code == 200


@pytest.mark.parametrize("answer", ["yes", "no"])
def test_a_device_waits_for_its_own_organisation_only(site, answer):
    device = make_client(site, "device")
    shown = device.ask("/oauth/device/code", scope="openid").json
    stranger = make_somebody(make.make_tenant())
    browser = site.sign_in(stranger.email, THEIRS)
    browser.get("/activate")
    assert browser.post("/activate", {"user_code": shown["user_code"]}).status_code == 422
    browser.post("/activate/answer", {"user_code": shown["user_code"], "answer": answer})
    ask = {
        "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
        "device_code": shown["device_code"],
    }
    assert refused(device.ask(**ask), "authorization_pending")


def test_an_answer_to_a_device_is_no_way_to_guess(site):
    browser = site.person("support")
    browser.get("/activate")
    fields = [{"user_code": f"BCDF-GH{n:02}", "answer": "no"} for n in range(11)]
    found = [browser.post("/activate/answer", each).status_code for each in fields]
    assert found == [303] * 10 + [429]


def test_a_device_is_told_no(site):
    device = make_client(site, "device")
    shown = device.ask("/oauth/device/code", scope="openid").json
    browser = site.person("owner")
    browser.get("/activate")
    browser.post("/activate/answer", {"user_code": shown["user_code"], "answer": "no"})
    ask = {
        "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
        "device_code": shown["device_code"],
    }
    assert refused(device.ask(**ask), "access_denied")


def test_a_device_gives_up_when_its_code_is_over(site):
    device = make_client(site, "device")
    shown = device.ask("/oauth/device/code", scope="openid").json
    grow_older(DeviceRow, "expires_at", timedelta(seconds=900))
    ask = {
        "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
        "device_code": shown["device_code"],
    }
    assert refused(device.ask(**ask), "expired_token")
    browser = site.person("owner")
    browser.get("/activate")
    assert browser.post("/activate", {"user_code": shown["user_code"]}).status_code == 422


def test_codes_of_devices_cannot_be_guessed_for_long(site):
    browser = site.person("issuer")
    browser.get("/activate")
    found = [browser.post("/activate", {"user_code": f"BCDF-GH{n:02}"}) for n in range(12)]
    assert [each.status_code for each in found].count(422) == 10
    assert found[-1].status_code == 429


@pytest.mark.parametrize("what", ["code", "refresh"])
def test_of_many_at_once_exactly_one_wins_and_the_family_dies(site, spa, what):
    code = spa.code(site.person("owner"))
    if what == "code":
        ask, given = spa.exchange, code
    else:
        ask, given = spa.refresh, spa.exchange(code).json["refresh_token"]
    with ThreadPoolExecutor(AT_ONCE // 5) as crowd:
        answers = list(crowd.map(ask, [given] * AT_ONCE))
    won = [each.json for each in answers if each.status_code == 200]
    lost = [each for each in answers if each.status_code == 400]
    assert (len(won), len(lost)) == (1, AT_ONCE - 1), [each.status_code for each in answers]
    assert refused(spa.refresh(won[0]["refresh_token"]))
    assert spa.userinfo(won[0]["access_token"]).status_code == 401


def test_discovery_names_what_there_is(site):
    http = site.app.test_client()
    found = http.get("/.well-known/openid-configuration", base_url=f"http://{HOST}").json
    issuer = identity.issuer().address
    assert found["issuer"] == issuer
    assert issuer.endswith("/")
    for name in ("authorization", "token", "userinfo", "revocation", "end_session"):
        path = "/" + found[f"{name}_endpoint"].removeprefix(issuer)
        assert http.get(path, base_url=f"http://{HOST}").status_code != 404, path
    assert found["response_types_supported"] == ["code"]
    assert found["code_challenge_methods_supported"] == ["S256"]
    assert found["request_parameter_supported"] is False
    assert "openid" in found["scopes_supported"]


def test_scripts_of_a_named_origin_may_call_and_no_others(site, spa):
    http = site.app.test_client()
    for origin, may in (("https://app.example.jp", True), ("https://evil.example.jp", False)):
        asked = {
            "Origin": origin,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "auth0-client",
        }
        before = http.options("/oauth/token", headers=asked, base_url=f"http://{HOST}")
        after = http.get("/userinfo", headers={"Origin": origin}, base_url=f"http://{HOST}")
        for answered in (before, after):
            allowed = answered.headers.get("Access-Control-Allow-Origin")
            assert allowed == (origin if may else None)
            assert "Access-Control-Allow-Credentials" not in answered.headers
        assert ("Auth0-Client" in before.headers.get("Access-Control-Allow-Headers", "")) == may
    page = site.person("owner").get("/account", headers={"Origin": "https://app.example.jp"})
    assert "Access-Control-Allow-Origin" not in page.headers


@pytest.mark.parametrize(
    "more",
    [
        {"shop_id": UUID(int=1)},
        {"limits": identity.Limits(rate_s=1)},
        {"redirect_uris": ("https://x;sandbox/cb",)},
        {"origins": ("https://App.example.jp",)},
        {"redirect_uris": ("http://app.example.jp/cb",)},
        {"redirect_uris": ("https://app.example.jp/cb#x",)},
        {"redirect_uris": ("https://*.example.jp/cb",)},
        {"redirect_uris": ("javascript:alert(1)",)},
        {"redirect_uris": ()},
        {"origins": ("https://app.example.jp/path",)},
        {"kind": "machine", "redirect_uris": (), "origins": ("https://app.example.jp",)},
        {"kind": "device", "redirect_uris": (), "logout_uris": ("https://app.example.jp",)},
        {"token_profile": "auth0"},
        {"leeway_s": 61},
        {"needs_challenge": False},
        {"audience": "no address"},
    ],
)
def test_a_client_that_cannot_be_safe_cannot_be(site, more):
    with pytest.raises((identity.ClientUnfit, identity.AddressUnfit, identity.AudienceUnfit)):
        make_client(site, **more)


def test_an_api_belongs_to_one_tenant(site):
    audience = f"https://api.example.jp/{site.slug}"
    make_client(site, audience=audience)
    make_client(site, audience=audience)
    new = identity.NewClient(
        name="x", kind="device", permissions=("shops:read",), audience=audience
    )
    with pytest.raises(identity.AudienceTaken):
        identity.create_client(make.make_tenant(), new)
