"""What Authlib does unless one says otherwise, and we do not.

Each case is tried twice: as we are, where it must hold, and with Authlib's own class, or what one
writes by its manual, in the place of ours, where it must not; so a case that could not fail would
be found out.  Where Authlib has nothing that could be put in, the case says what is put in instead.
"""

from __future__ import annotations

import os
import secrets
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import flask
import pytest
import sqlalchemy as sa
from authlib.integrations.flask_oauth2.requests import FlaskOAuth2Request
from authlib.oauth2.rfc6749 import AuthorizationServer, InsecureTransportError
from authlib.oauth2.rfc6749.grants import (
    AuthorizationCodeGrant,
    ClientCredentialsGrant,
    RefreshTokenGrant,
)
from authlib.oauth2.rfc6750 import BearerTokenGenerator
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oidc.rpinitiated import EndSessionEndpoint
from joserfc import jws, jwt
from joserfc.jwk import KeySet

from giftpad import identity
from giftpad.api import oidc, origins
from giftpad.identity.commands import authorisations, devices, grants, logout, serving
from giftpad.identity.commands import provider as providing
from giftpad.identity.errors import ClientRefused
from giftpad.identity.models import AuthorisationRow, CodeRow, RefreshTokenRow
from giftpad.identity.queries import PLATFORM, authenticate_client, trust
from giftpad.kernel.work import unit_of_work
from tests.make_pages import HOST
from tests.make_provider import make_client


class DefaultIsBack(Exception):
    """What a case is about does not hold; anything else that goes wrong is no proof of it."""


def hold(is_so, seen):
    if not is_so:
        raise DefaultIsBack(seen)


BARE = {"code_challenge": None, "code_challenge_method": None}


def bearer_tokens():
    """Return Authlib's generator with what its manual has one give it."""
    return BearerTokenGenerator(
        lambda **_: secrets.token_urlsafe(), lambda **_: secrets.token_urlsafe()
    )


class CodeInStockOrder(grants.CodeGrant):
    """Look a code up, issue, delete it: the order of Authlib, on our tables."""

    create_token_response = AuthorizationCodeGrant.create_token_response

    def authenticate_user(self, code):
        return authorisations.take_device(code.authorisation_id)

    def generate_token(self, user, **_):
        return grants._tokens_of(self.request.client.granted, user, user.names)

    def delete_authorization_code(self, code):
        with unit_of_work(PLATFORM) as work:
            work.session.execute(sa.delete(CodeRow).where(CodeRow.code_hash == code.code_hash))


class CodeWithStockTokens(CodeInStockOrder):
    """As above, and Authlib makes the tokens."""

    generate_token = AuthorizationCodeGrant.generate_token


class StockMachine(grants.MachineGrant):
    """Authlib makes the token of a machine."""

    create_token_response = ClientCredentialsGrant.create_token_response


@dataclass
class StockRefreshToken:
    """A refresh token as Authlib asks about it."""

    row: RefreshTokenRow

    def check_client(self, client):
        return client is not None

    def get_scope(self):
        return "openid offline_access"


class StockRefresh(RefreshTokenGrant):
    """Authlib's grant, with the three functions that its manual has one write."""

    def authenticate_refresh_token(self, token):
        with unit_of_work(PLATFORM) as work:
            key = (work.tenant_id, authorisations.hash_secret(token))
            row = work.session.get(RefreshTokenRow, key)
        return StockRefreshToken(row) if row is not None and row.retired_at is None else None

    def authenticate_user(self, token):
        with unit_of_work(PLATFORM) as work:
            key = (work.tenant_id, token.row.authorisation_id)
            return work.session.get(AuthorisationRow, key)

    def revoke_old_credential(self, token):
        with unit_of_work(PLATFORM) as work:
            key = (work.tenant_id, token.row.token_hash)
            work.session.get(RefreshTokenRow, key).retired_at = work.at


def put_in(patch, **classes):
    """Let the provider be made of other classes, and give it Authlib's tokens."""
    for name, made in classes.items():
        patch.setattr(serving, name, made)
    patch.setattr(authorisations.CodeView, "get_scope", lambda _: "openid", raising=False)
    serving.provider.cache_clear()
    serving.provider().register_token_generator("default", bearer_tokens())


def read_as_flask_does(patch):
    def read():
        return FlaskOAuth2Request(flask.request).payload.data.to_dict()

    patch.setattr(oidc, "_read_parameters", read)


class ChallengeIsMandatory:
    """1: a public client that sends no challenge gets a code."""

    def swap(self, patch):
        put_in(patch, S256Challenge=CodeChallenge)

    def holds(self, site):
        spa = make_client(site)
        back = spa.came_back(site.person("owner").get(spa.address(**BARE)))
        hold(back.get("error") == "invalid_request", back)


class ChallengeIsHashed(ChallengeIsMandatory):
    """1: the method plain is taken, and taken for granted."""

    def holds(self, site):
        spa = make_client(site)
        for method in ("plain", None):
            asked = spa.address(code_challenge_method=method, code_challenge="a" * 43)
            back = spa.came_back(site.person("owner").get(asked))
            hold("code" not in back, back)


class CodeIsTakenByOne:
    """2: a code is looked up, then used, then deleted, and two may look at once."""

    def swap(self, patch):
        put_in(patch, CodeGrant=CodeInStockOrder)

    def holds(self, site):
        spa, both = make_client(site), threading.Barrier(2)
        code, find = spa.code(site.person("owner")), grants.find_code

        def find_together(client, shown):
            found = find(client, shown)
            both.wait()
            return found

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(grants, "find_code", find_together)
            with ThreadPoolExecutor(2) as pool:
                answers = list(pool.map(spa.exchange, [code] * 2))
        statuses = sorted(each.status_code for each in answers)
        assert statuses in ([200, 400], [200, 200])
        hold(statuses == [200, 400], statuses)


class CodeShownTwiceEndsTheFamily(CodeIsTakenByOne):
    """2: of a code that is gone nobody knows what came of it."""

    def holds(self, site):
        spa = make_client(site)
        code = spa.code(site.person("owner"))
        token = spa.exchange(code).json["access_token"]
        assert spa.userinfo(token).status_code == 200
        assert spa.exchange(code).status_code == 400
        hold(spa.userinfo(token).status_code == 401, "the token is good")


class RefreshGivesTheNextTokenAndAnIdToken:
    """3: a refresh token stays, and an ID token comes with the first answer only."""

    def swap(self, patch):
        put_in(patch, RefreshGrant=StockRefresh)

    def holds(self, site):
        spa = make_client(site)
        first = spa.tokens(site.person("owner"))["refresh_token"]
        second = spa.refresh(first)
        assert second.status_code == 200
        hold({"refresh_token", "id_token"} <= set(second.json), second.json)


class RefreshTokenShownTwiceEndsTheFamily(RefreshGivesTheNextTokenAndAnIdToken):
    """3: there is no family."""

    def holds(self, site):
        spa = make_client(site)
        first = spa.tokens(site.person("owner"))
        statuses = [spa.refresh(first["refresh_token"]).status_code for _ in range(2)]
        assert statuses == [200, 400]
        hold(spa.userinfo(first["access_token"]).status_code == 401, "the token is good")


class OfflineAccessIsAskedFor:
    """4: whoever may refresh gets a refresh token, asked for or not."""

    def swap(self, patch):
        put_in(patch, CodeGrant=CodeWithStockTokens)

    def holds(self, site):
        spa = make_client(site)
        answered = spa.exchange(spa.code(site.person("owner"), scope="openid"))
        assert answered.status_code == 200
        hold("refresh_token" not in answered.json, answered.json)


class PeoplesTokensAreShort(OfflineAccessIsAskedFor):
    """5: a token by a code lives for ten days."""

    def holds(self, site):
        spa = make_client(site)
        life_s = spa.exchange(spa.code(site.person("owner"))).json["expires_in"]
        hold(life_s == 900, life_s)


class MachinesTokensAreShort:
    """5: and so does a machine's."""

    def swap(self, patch):
        put_in(patch, MachineGrant=StockMachine)

    def holds(self, site):
        machine = make_client(site, "machine")
        life_s = machine.ask(grant_type="client_credentials").json["expires_in"]
        hold(life_s == 3600, life_s)


class ParametersStandInTheBody:
    """6: what stands in the address counts as well, secrets included."""

    def swap(self, patch):
        read_as_flask_does(patch)

    def holds(self, site):
        machine = make_client(site, "machine")
        answered = machine.ask("/oauth/token?grant_type=client_credentials")
        assert answered.status_code in (200, 400)
        hold(answered.status_code == 400, answered.json)


class ParametersStandThereOnce(ParametersStandInTheBody):
    """6: of a client's id that stands there twice the first is taken."""

    def holds(self, site):
        machine = make_client(site, "machine")
        twice = [machine.client_id, "another"]
        answered = machine.ask(grant_type="client_credentials", client_id=twice)
        assert answered.status_code in (200, 400), answered.text
        hold(answered.status_code == 400, answered.json)


class UnknownAndWrongAreAlike:
    """7: an unknown client is told apart from a wrong secret."""

    def swap(self, patch):
        def is_right(client, secret):
            try:
                return bool(authenticate_client(client.get_client_id(), secret))
            except ClientRefused:
                return False

        ways, client = ["client_secret_basic", "client_secret_post"], providing.ProvidedClient
        patch.setattr(grants.MachineGrant, "TOKEN_ENDPOINT_AUTH_METHODS", ways)
        patch.setattr(client, "check_client_secret", is_right, raising=False)
        patch.setattr(client, "check_endpoint_auth_method", lambda *_: True, raising=False)
        stock = AuthorizationServer.authenticate_client
        patch.setattr(providing.Provider, "authenticate_client", stock)

    def holds(self, site):
        machine = make_client(site, "machine")
        asked = {"grant_type": "client_credentials"}
        assert machine.ask(**asked).status_code == 200
        wrong = machine.ask(**asked, client_secret="x" * 43)
        unknown = machine.ask(**asked, client_id="nobody")
        assert wrong.status_code == 401
        hold((wrong.status_code, wrong.json) == (unknown.status_code, unknown.json), unknown.json)


class HintIsAnIdToken:
    """8: whatever we have signed is believed as a hint, an access token too."""

    def swap(self, patch):
        stock = EndSessionEndpoint._validate_id_token_hint
        patch.setattr(logout.EndSession, "_validate_id_token_hint", stock)
        # Asked for when a hint is judged: the first token of a new database makes the first key.
        listed = lambda _: {"keys": identity.list_public_keys()}  # noqa: E731 - a method to patch in
        patch.setattr(logout.EndSession, "get_server_jwks", listed)

    def holds(self, site):
        spa = make_client(site)
        token = spa.tokens(site.person("owner"))["access_token"]
        try:
            asked = identity.ask_logout({"id_token_hint": token})
        except identity.AuthorisationRefused:
            return
        hold(asked.session_id is None, "it ends a sign-in")


class JsonIsRead:
    """9: a body of JSON holds no parameters."""

    def swap(self, patch):
        read_as_flask_does(patch)

    def holds(self, site):
        machine = make_client(site, "machine")
        answered = machine.ask(grant_type="client_credentials", as_json=True)
        assert answered.status_code in (200, 400)
        hold(answered.status_code == 200, answered.json)


class AddressIsTheIssuers:
    """10: a request is as safe as the address that the last proxy asked for."""

    made = staticmethod(lambda: providing.ProviderRequest("oauth/token", {}, {}))

    def swap(self, patch):
        patch.setattr(self, "made", lambda: FlaskOAuth2Request(flask.request))

    def holds(self, site):
        ours = identity.issuer().address
        identity.bind_issuer("https://giftpad.example/")
        try:
            with site.app.test_request_context(base_url="http://web-1.internal:8000/"):
                try:
                    assert self.made().uri.startswith("https://giftpad.example/")
                except InsecureTransportError as error:
                    raise DefaultIsBack from error
        finally:
            identity.bind_issuer(ours)
        assert "AUTHLIB_INSECURE_TRANSPORT" not in os.environ


class OneKeySigns:
    """11: of a set of keys any signs."""

    @staticmethod
    def keys():
        held = [(kid, key) for kid, key in trust._trust().keys.items() if key.private_wrapped]
        return [trust._private_key(kid, key.private_wrapped) for kid, key in held]

    def swap(self, patch):
        identity.ensure_keys()
        ring = KeySet(self.keys())
        for key in ring.keys:
            key.ensure_kid()
        patch.setattr(
            grants,
            "sign_claims",
            lambda claims, type_: jwt.encode({"alg": "RS256", "typ": type_}, claims, ring),
        )

    def headers(self, site):
        machine = make_client(site, "machine")
        granted = authenticate_client(machine.client_id, machine.client_secret)
        tokens = [identity.grant_token(granted)["access_token"] for _ in range(16)]
        return [jws.extract_compact(token.encode()).headers() for token in tokens]

    def holds(self, site):
        kids = {each.get("kid") for each in self.headers(site)}
        hold(kids == {trust.find_signer()[0]}, kids)


class KeyIsNamed(OneKeySigns):
    """11: a single key signs without saying which it is."""

    def swap(self, patch):
        identity.ensure_keys()
        _, key = trust.find_signer()
        patch.setattr(
            grants,
            "sign_claims",
            lambda claims, type_: jwt.encode({"alg": "RS256", "typ": type_}, claims, key),
        )


class OnlyHashesAreKept:
    """11: codes and tokens lie in the database as they are; the models of Authlib do it so."""

    def swap(self, patch):
        for module in (authorisations, devices):
            patch.setattr(module, "hash_secret", str.encode)

    def holds(self, site):
        spa, device = make_client(site), make_client(site, "device")
        code = spa.code(site.person("owner"))
        shown = device.ask("/oauth/device/code", scope="openid").json["device_code"]
        token = spa.exchange(code).json["refresh_token"]
        with unit_of_work(PLATFORM) as work:
            for table, column, secret in (
                ("identity_codes", "code_hash", code),
                ("identity_refresh_tokens", "token_hash", token),
                ("identity_devices", "device_hash", shown),
            ):
                found = sa.text(f"SELECT count(*) FROM {table} WHERE {column} = :it")
                count = work.session.execute(found, {"it": secret.encode()}).scalar()
                hold(count == 0, table)


class OriginsAreNamed:
    """12: Authlib has no say; what is put in is what one gets by allowing every origin."""

    def swap(self, patch):
        patch.setattr(origins, "_is_known", lambda _: True)

    def holds(self, site):
        headers = {"Origin": "https://elsewhere.example"}
        http = site.app.test_client()
        for path in ("/.well-known/jwks.json", "/userinfo"):
            answered = http.get(path, headers=headers, base_url=f"http://{HOST}")
            assert "Access-Control-Allow-Credentials" not in answered.headers
            hold("Access-Control-Allow-Origin" not in answered.headers, path)


CASES = (
    ChallengeIsMandatory,
    ChallengeIsHashed,
    CodeIsTakenByOne,
    CodeShownTwiceEndsTheFamily,
    RefreshGivesTheNextTokenAndAnIdToken,
    RefreshTokenShownTwiceEndsTheFamily,
    OfflineAccessIsAskedFor,
    PeoplesTokensAreShort,
    MachinesTokensAreShort,
    ParametersStandInTheBody,
    ParametersStandThereOnce,
    UnknownAndWrongAreAlike,
    HintIsAnIdToken,
    JsonIsRead,
    AddressIsTheIssuers,
    OneKeySigns,
    KeyIsNamed,
    OnlyHashesAreKept,
    OriginsAreNamed,
)


@pytest.fixture(autouse=True)
def _own_provider():
    serving.provider.cache_clear()
    yield
    serving.provider.cache_clear()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_ours_holds(site, case):
    case().holds(site)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_the_stock_one_does_not(site, case, monkeypatch):
    tried = case()
    tried.swap(monkeypatch)
    with pytest.raises(DefaultIsBack):
        tried.holds(site)
