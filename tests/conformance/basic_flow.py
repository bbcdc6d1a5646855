"""Basic OP: signing in from end to end, what must not be redirected, codes shown twice."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from urllib.parse import urlencode

from giftpad.identity.models import CodeRow
from giftpad.identity.queries import PLATFORM
from giftpad.kernel.work import unit_of_work
from tests.conformance.parties import CALLBACK, ERROR_TEXT, Provider, Signed, assert_json
from tests.conformance.suite import module
from tests.make_pages import HOST
from tests.make_provider import challenge_of

DYNAMIC = "The suite runs it only with clients that register themselves, which ours do not."


@module("oidcc-server")
def server(provider: Provider):
    signed = provider.sign_in()
    assert not {"name", "email"} & set(signed.claims)
    assert provider.known(signed) == {"sub": signed.claims["sub"]}


@module("oidcc-server-client-secret-post")
def server_client_secret_post(provider: Provider):
    signed = provider.sign_in(provider.posting)
    assert signed.claims["aud"] == provider.posting.client_id


@module("oidcc-response-type-missing")
def response_type_missing(provider: Provider):
    asked = provider.asked(response_type=None)
    error = provider.refused(provider.go(asked), asked)
    assert error in ("invalid_request", "unsupported_response_type")


@module("oidcc-idtoken-signature", verdict="left out", because=DYNAMIC)
def idtoken_signature(provider: Provider):
    signed = provider.sign_in()
    assert signed.header["alg"] == "RS256"
    keys = provider.site.app.test_client().get("/.well-known/jwks.json").json["keys"]
    assert signed.header["kid"] in [key["kid"] for key in keys]


@module("oidcc-idtoken-unsigned", verdict="left out", because=DYNAMIC)
def idtoken_unsigned(provider: Provider):
    assert "none" not in provider.discovery()["id_token_signing_alg_values_supported"]
    signed = provider.sign_in()
    header = json.loads(base64.urlsafe_b64decode(signed.id_token.split(".")[0] + "=="))
    assert header["alg"] != "none"
    assert signed.id_token.split(".")[2] != ""


@module("oidcc-ensure-request-without-nonce-succeeds-for-code-flow")
def without_nonce(provider: Provider):
    assert "nonce" not in provider.sign_in(nonce=None).claims


@module("oidcc-ensure-post-request-succeeds")
def post_request(provider: Provider):
    asked = provider.asked()
    answered = provider.walk(
        provider.site.app.test_client().post("/authorize", data=asked, base_url=f"http://{HOST}")
    )
    code = provider.came_back(answered, asked)["code"]
    provider.verified(
        provider.client, provider.exchange(provider.client, code), code, asked["nonce"]
    )


@module("oidcc-ensure-request-with-valid-pkce-succeeds")
def with_valid_pkce(provider: Provider):
    verifier = "a" * 20 + "-._~" + "Z9" * 12
    asked = {"code_challenge": challenge_of(verifier), "code_challenge_method": "S256"}
    provider.sign_in(exchange={"code_verifier": verifier}, **asked)
    code = provider.code(provider.asked(**asked))
    assert_json(provider.exchange(provider.client, code), 400)
    code = provider.code(provider.asked(**asked))
    assert_json(provider.exchange(provider.client, code, code_verifier="b" * 43), 400)


@module(
    "oidcc-ensure-registered-redirect-uri",
    verdict="review",
    because="Somebody must look at the page that says no.",
)
def registered_redirect_uri(provider: Provider):
    asked = provider.asked(redirect_uri=f"{CALLBACK}/unregistered")
    for who in ("stranger", "signed in"):
        answered = provider.browser.get(f"/authorize?{urlencode(asked)}")
        assert answered.status_code == 400, who
        assert answered.mimetype == "text/html"
        assert "Location" not in answered.headers
        assert '="https://rp.example.jp' not in answered.text
        provider.sign_in()


def _refused_again(provider: Provider, signed: Signed) -> None:
    told = assert_json(provider.exchange(provider.client, signed.code), 400)
    assert told["error"] == "invalid_grant"
    assert ERROR_TEXT.fullmatch(told["error_description"])
    assert provider.userinfo(signed.access_token).status_code == 401


@module("oidcc-codereuse")
def codereuse(provider: Provider):
    signed = provider.sign_in()
    assert provider.userinfo(signed.access_token).status_code == 200
    _refused_again(provider, signed)


@module("oidcc-codereuse-30seconds")
def codereuse_30seconds(provider: Provider):
    signed = provider.sign_in()
    with unit_of_work(PLATFORM) as work:  # half a minute later, without waiting for it
        for row in work.session.query(CodeRow).filter(CodeRow.used_at.is_not(None)):
            for column in ("created_at", "expires_at", "used_at"):
                setattr(row, column, getattr(row, column) - timedelta(seconds=30))
    _refused_again(provider, signed)


@module("oidcc-refresh-token")
def refresh_token(provider: Provider):
    wanted = {"scope": "openid offline_access", "prompt": "consent"}
    first = provider.sign_in(**wanted)
    shown = first.answer["refresh_token"]
    renewed = provider.ask(
        provider.client, grant_type="refresh_token", refresh_token=shown, scope=wanted["scope"]
    )
    second = provider.verified(provider.client, renewed)
    assert second.access_token != first.access_token
    for claim in ("iss", "sub", "aud", "auth_time"):
        assert second.claims[claim] == first.claims[claim]
    assert provider.userinfo(second.access_token).status_code == 200
    assert "refresh_token" in provider.discovery()["grant_types_supported"]
    theirs = provider.sign_in(provider.other, **wanted).answer["refresh_token"]
    stolen = provider.ask(provider.client, grant_type="refresh_token", refresh_token=theirs)
    assert assert_json(stolen, 400)["error"] == "invalid_grant"
    kept = provider.ask(provider.other, grant_type="refresh_token", refresh_token=theirs)
    assert kept.status_code == 200
