"""Only whoever holds the link of a gift is let in, to this gift, and a form of theirs is theirs."""

from __future__ import annotations

import pytest

from giftpad import edge, gifts, identity
from giftpad.app import build_app
from giftpad.kernel.config import Settings
from tests.isolation_people import check_headers, is_of_gift
from tests.make_catalog import make_shelf
from tests.make_gifts import CONTRACT, Company, pay_in, set_contract
from tests.make_pages import make_site
from tests.portals.gift.conftest import (
    ADDRESS,
    HEADER,
    ROWS,
    Sender,
    choose,
    fill_in,
    open_gift,
    shown,
    take,
)

NOWHERE = "00000000-0000-7000-8000-000000000000"
ROUTES = [
    (method, rule.rule)
    for rule, method, door in edge.list_doors(build_app(Settings()))
    if is_of_gift(door)
]


def path_of(rule: str, product: str = NOWHERE) -> str:
    """Return an address of a route."""
    path = rule.replace("<uuid:product_id>", product)
    return path.replace("<uuid:picture_id>-<int:width>", f"{NOWHERE}-360")


def ask(browser, method, rule):
    """Open a page, or send its form with what it needs."""
    path = path_of(rule)
    return browser.get(path) if method == "GET" else browser.post(path, ADDRESS)


def test_there_are_routes_to_be_looked_at():
    assert len(ROUTES) > 10


@pytest.mark.parametrize(("method", "rule"), ROUTES)
def test_nobody_is_let_in_without_a_gift_whoever_they_are(sender, method, rule):
    for role in ("", *identity.ROLES):
        browser = sender.site.person(role) if role else sender.site.nobody()
        answer = ask(browser, method, rule)
        assert (answer.status_code, answer.mimetype) == (401, "text/html"), role
        assert "Location" not in answer.headers
        check_headers(answer, scans=False)


def test_no_machine_is_let_in(sender, gift):
    bearer = {"Authorization": "Bearer " + identity.sign_gift_token("org_x", 1).token}
    browser = sender.site.nobody()
    assert browser.get("/g", headers=bearer).status_code == 401
    for path in ("/api/v1/shops", "/api/v1/programmes"):
        assert browser.http.get(path, headers=bearer).status_code == 401


@pytest.mark.parametrize(("method", "rule"), [each for each in ROUTES if each[0] == "POST"])
def test_a_form_that_is_not_this_browsers_does_nothing(sender, gift, phone, method, rule):
    browser, other = phone(), phone()
    open_gift(browser, gift)
    choose(browser, sender, "BEEF")
    fill_in(browser)
    own, said = browser.csrf, {"shown": shown(browser), "stamp": "thanks"} | ADDRESS
    open_gift(other, gift)
    before = sender.letter(gift)
    for token, headers in (
        ("", {}),
        (other.csrf, {}),
        (own, {"Origin": "https://evil.example"}),
        (own, {"Sec-Fetch-Site": "cross-site"}),
    ):
        answer = browser.post(path_of(rule), said, csrf=token, headers=headers)
        assert answer.status_code == 403, headers
    assert sender.letter(gift) == before
    assert sender.opened_at(gift) is None


@pytest.fixture
def other(sender, settings, tmp_path_factory) -> Sender:
    """Another company, with goods of its own."""
    site = make_site(settings, tmp_path_factory.mktemp("other"))
    set_contract(site.scope, CONTRACT)
    pay_in(site.scope, 1_000_000)
    shelf = make_shelf(site.scope)
    shelf.put(*(row.replace("見本", "別") for row in ROWS), header=HEADER)
    return Sender(site, Company(scope=site.scope, course_id=shelf.course_id), shelf)


def test_a_gift_shows_and_takes_nothing_of_another_company(sender, other, browser, phone):
    (theirs,) = other.send()
    stranger = phone()
    open_gift(stranger, theirs)
    nothing = stranger.get(f"/g/products/{NOWHERE}")
    foreign = stranger.get(sender.path("BEEF"))
    assert (foreign.status_code, foreign.headers["Location"]) == (
        nothing.status_code,
        nothing.headers["Location"],
    )
    sent = stranger.post(sender.path("BEEF"), {"variant": sender.variant("BEEF")})
    assert sent.headers["Location"] == "/g/choose"
    page = stranger.get("/g/choose").text
    assert sender.path("BEEF") not in page
    assert other.path("BEEF") in page
    take(browser, sender, "BEEF")
    assert "別牛" not in browser.get("/g").text


def open_equals(sender, other):
    """Return a gift of each company; both have the same number among their company's own."""
    (ours,), (theirs,) = sender.send(), other.send()
    assert locator_of(sender, ours) == locator_of(other, theirs)
    return ours, theirs


def locator_of(company, gift):
    found = gifts.find_gift_tenant(gift.tail)
    assert found is not None
    assert found[0].id == company.site.scope.tenant_id
    return found[1]


def test_what_was_typed_goes_with_the_gift_it_was_typed_for(sender, other, phone):
    ours, theirs = open_equals(sender, other)
    browser = phone()
    open_gift(browser, ours)
    choose(browser, sender, "BEEF")
    fill_in(browser)
    assert "千代田1-1" in browser.get("/g/address").text
    open_gift(browser, theirs)
    choose(browser, other, "BEEF")
    for path in ("/g", "/g/choose", "/g/address"):
        assert "千代田1-1" not in browser.get(path).text, path


def test_who_chose_with_a_gift_is_a_stranger_to_the_same_number_elsewhere(sender, other, phone):
    ours, theirs = open_equals(sender, other)
    owner, stranger = phone(), phone()
    open_gift(owner, theirs)
    take(owner, other, "BEEF")
    assert "千代田1-1" in owner.get("/g").text
    open_gift(stranger, ours)
    take(stranger, sender, "TOWEL-A")
    open_gift(stranger, theirs)
    for path in ("/g", "/g/change", "/g/code"):
        answer = stranger.get(path)
        assert "千代田1-1" not in answer.text, path
    changed = stranger.post("/g/change", ADDRESS | {"street": "丸の内9-9"})
    assert "丸の内9-9" not in owner.get("/g").text
    assert changed.status_code != 200
