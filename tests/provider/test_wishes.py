"""What a client may wish for on the way: an invitation is taken, a language is spoken."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from giftpad import identity
from giftpad.kernel.ids import new_id
from tests import make
from tests.make_pages import PASSWORD
from tests.make_provider import AWAY, sign_in_for

JA, EN = "サインイン", "Sign in"


def invitation(scope):
    """Return the code of an invitation."""
    new = identity.NewInvitation(name="鈴木 一郎", role="viewer")
    return identity.invite(scope, new).code


def newcomer():
    return {"name": "鈴木 一郎", "email": f"{new_id().hex[-12:]}@example.jp", "password": PASSWORD}


def test_an_invitation_that_a_client_sends_along_is_taken_and_leads_back(site, spa):
    browser, code = site.nobody(), invitation(site.scope)
    sent = browser.get(spa.address(invitation=code, prompt="login", screen_hint="signup"))
    address = sent.headers["Location"]
    assert urlsplit(address).path == f"/join/{code}"
    page = browser.follow(sent)
    assert "まち歩きアプリ" in page.text
    assert "https://app.example.jp" in page.headers["Content-Security-Policy"]
    assert browser.post(address, newcomer() | {"password": "short"}).status_code == 422
    joined = browser.post(address, newcomer())
    assert urlsplit(joined.headers["Location"]).path == "/authorize"
    read = spa.came_back(browser.follow(joined))
    assert (read["state"], spa.exchange(read["code"]).status_code) == ("s-1", 200)


def test_an_invitation_that_is_over_or_of_others_is_left_alone(site, spa):
    taken, browser = invitation(site.scope), site.nobody()
    browser.get(f"/join/{taken}")
    assert browser.post(f"/join/{taken}", newcomer()).status_code == 303
    others = invitation(make.make_tenant())
    for code in (taken, others, "nothing", "x" * 300):
        sent = site.nobody().get(spa.address(invitation=code))
        assert urlsplit(sent.headers["Location"]).path == "/sign-in", code
        assert spa.code(browser, invitation=code)


def test_a_client_that_wants_no_question_is_not_sent_to_an_invitation(site, spa):
    asked = spa.address(invitation=invitation(site.scope), prompt="none")
    assert spa.came_back(site.nobody().get(asked))["error"] == "login_required"


@pytest.mark.parametrize("way", ["https://evil.example/", "//evil.example", "/authorize?x=1"])
def test_an_invitation_leads_on_to_places_of_ours_only(site, way):
    browser, code = site.nobody(), invitation(site.scope)
    browser.get(f"/join/{code}?next={way}")
    joined = browser.post(f"/join/{code}?next={way}", newcomer())
    assert joined.status_code == 303
    assert joined.headers["Location"] in ("/desk", "/authorize?x=1")


def test_who_wants_to_join_is_told_that_people_are_invited(site, spa):
    told = "招待が必要です"
    browser = site.nobody()
    assert told in browser.follow(browser.get(spa.address(screen_hint="signup"))).text
    assert told not in browser.follow(browser.get(spa.address(screen_hint="login"))).text
    assert told not in browser.get("/sign-in?next=/desk").text


@pytest.mark.parametrize(
    ("wished", "words"),
    [("en", EN), ("fr en-GB ja", EN), ("ja-JP en", JA), ("fr", JA), ("", JA), ("%%% en", EN)],
)
def test_the_page_speaks_the_first_language_of_the_client_that_it_knows(site, spa, wished, words):
    browser = site.nobody()
    page = browser.follow(browser.get(spa.address(ui_locales=wished)))
    assert f"<h1>{words}</h1>" in page.text
    assert f'lang="{"en" if words == EN else "ja"}"' in page.text


def test_what_a_person_has_chosen_goes_before_what_a_client_wishes(site, spa):
    browser = site.nobody()
    page = browser.follow(browser.get(spa.address(ui_locales="en")))
    assert EN in page.text
    browser.post("/preferences", {"lang": "ja", "next": "/sign-in"})
    page = browser.follow(browser.get(spa.address(ui_locales="en")))
    assert f"<h1>{JA}</h1>" in page.text


def test_the_question_whether_to_go_on_is_asked_in_that_language_too(site, spa):
    page = site.person("owner").get(spa.address(prompt="consent", ui_locales="en"))
    assert "Go on to this app?" in page.text


def test_signing_out_reads_each_parameter_once(site, web):
    email = site.new_person("owner")
    browser = site.nobody()
    tokens = web.exchange(web.came_back(sign_in_for(web, email, browser))["code"]).json
    out = f"id_token_hint={tokens['id_token']}"
    for path in ("/oidc/logout", "/v2/logout"):
        answered = browser.get(f"{path}?{out}&state=a&state=b&returnTo={AWAY}")
        assert answered.status_code == 400
        assert "A parameter is repeated." in answered.text
    assert web.code(browser, prompt="none"), "nobody was signed out"
    assert "Sign out?" in site.person("viewer").get("/oidc/logout?ui_locales=en").text


def test_refreshing_for_what_was_never_granted_leaves_the_token_good(site, spa):
    token = spa.tokens(site.person("owner"), scope="openid offline_access")["refresh_token"]
    for scope in ("payments:read", "nothing there"):
        answered = spa.refresh(token, scope=scope)
        assert (answered.status_code, answered.json["error"]) == (400, "invalid_scope")
    assert spa.refresh(token, scope="openid unknown").status_code == 200
    assert spa.refresh(token, scope="nothing").json["error"] == "invalid_grant"


def test_one_client_cannot_fill_the_list_of_what_is_believed_no_more(site, web, monkeypatch):
    from giftpad import guard
    from giftpad.identity.commands import serving

    monkeypatch.setattr(serving, "REVOCATION_RATE", guard.Rate(0.001, 2))
    tokens = [web.tokens(site.person("owner")) for _ in range(3)]
    statuses = [web.ask("/oauth/revoke", token=each["access_token"]).status_code for each in tokens]
    assert statuses == [200, 200, 429]
    assert web.userinfo(tokens[1]["access_token"]).status_code == 401
    assert web.ask("/oauth/revoke", token=tokens[2]["refresh_token"]).status_code == 200
