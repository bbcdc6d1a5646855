"""A second Giftpad as the provider of a tenant's staff: it signs them in, and they come in here."""

from __future__ import annotations

import json
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests

from giftpad import identity
from giftpad.kernel.ids import new_id
from tests.flows.conftest import TENANT
from tests.make_idp import Way, address_in, connect
from tests.make_pages import PASSWORD, hidden, make_site

NAME = "見本 花子"


@pytest.fixture
def site(house, settings, tmp_path):
    return make_site(settings, tmp_path)


@pytest.fixture
def account(product) -> str:
    """The address of somebody who has an account at the other Giftpad."""
    email = f"staff-{new_id().hex[-8:]}@example.jp"
    words = ("--tenant", TENANT, "--email", email, "--name", NAME, "--role", "viewer")
    product.run("person", "create", *words)
    made = product.must("person", "set-password", "--email", email)
    return f"{email} {made.rpartition('Password: ')[2].strip()}"


@pytest.fixture
def client(product) -> dict[str, str]:
    """A client of the other Giftpad: this one."""
    home = identity.callback_address()
    words = ("--tenant", TENANT, "--type", "web", "--redirect-uri", home, "--name", "Giftpad")
    return json.loads(product.must("client", "create", *words, "--json"))


def sign_in_there(address: str, account: str) -> dict[str, str]:
    """Sign in at the other Giftpad as a browser would; return what it brings back."""
    email, password = account.split(" ")
    with requests.Session() as browser:
        page = browser.get(address, timeout=10)
        origin = "{0.scheme}://{0.netloc}".format(urlsplit(page.url))
        wanted = dict(parse_qsl(urlsplit(page.url).query))["next"]
        fields = {
            "csrf": hidden(page.text, "csrf"),
            "next": wanted,
            "email": email,
            "password": password,
        }
        sent = browser.post(
            f"{origin}/sign-in",
            fields,
            headers={"Origin": origin},
            allow_redirects=False,
            timeout=10,
        )
        assert sent.status_code == 303, sent.text[:2000]
        there = browser.get(origin + sent.headers["Location"], allow_redirects=False, timeout=10)
    location = there.headers["Location"]
    assert location.startswith(identity.callback_address() + "?"), location
    return dict(parse_qsl(urlsplit(location).query))


@pytest.mark.long
def test_staff_of_another_giftpad_come_in_here_once_they_are_linked(product, site, account, client):
    issuer = f"http://localhost:{product.port}/"
    connection = connect(
        site.scope,
        None,
        issuer=issuer,
        client_id=client["client_id"],
        secret=client["client_secret"],
        algorithms=("RS256",),
    )
    assert identity.check_connection(connection).faults == ()
    assert connection.promises_issuer
    way = Way(browser=site.nobody(), slug=site.slug, connection=connection)
    assert way.come_back(sign_in_there(way.leave(), account)).status_code == 403
    email = site.new_person("viewer")  # who needs no second step
    browser = site.sign_in(email)
    browser.get(f"/account/links/{connection.id}")
    answered = browser.post(f"/account/links/{connection.id}", {"present": PASSWORD})
    brought = sign_in_there(address_in(answered), account)
    assert brought["iss"] == issuer
    assert browser.get("/sign-in/back", query_string=brought).status_code == 303
    assert way.come_back(sign_in_there(way.leave(), account)).status_code == 303
    assert way.browser.get("/desk").status_code == 200
