"""A form counts only from our own page in the same browser."""

from __future__ import annotations

import pytest

from giftpad import tenancy
from giftpad.kernel.work import Scope, unit_of_work
from tests import make
from tests.make_identity import shared_app
from tests.make_sessions import Browser, app_with_pages, make_somebody


@pytest.fixture
def app(bound):
    """The application with pages to look at."""
    return shared_app(app_with_pages, bound)


@pytest.fixture
def browser(app):
    """A browser that somebody is signed in with."""
    return Browser(app).enter(make_somebody(make.make_tenant()))


PATHS = ("/pages/deed", "/pages/open-deed")


@pytest.mark.parametrize("path", PATHS)
def test_a_form_of_ours_counts(browser, path):
    assert browser.post(path).text == "done"


def test_a_form_counts_before_anybody_has_signed_in(app):
    assert Browser(app).post("/pages/open-deed").text == "done"


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("token", [None, "", "x", "A" * 64, "\u00e9", "=" * 64])
def test_a_form_without_our_token_does_not(browser, path, token):
    answered = browser.post(path, csrf=token)
    assert answered.status_code == 403
    assert "moved: False" in answered.text


def test_a_form_drawn_before_the_ring_got_a_new_key_counts_still(browser):
    token = browser.csrf()
    with unit_of_work(Scope(tenant_id=tenancy.PLATFORM_TENANT_ID)) as work:
        tenancy.add_ring_key(work)
    tenancy.forget_ring(tenancy.PLATFORM_TENANT_ID)
    assert browser.csrf()[:2] != token[:2]
    assert browser.post("/pages/deed", csrf=token).text == "done"
    assert browser.post("/pages/deed").text == "done"


@pytest.mark.parametrize("path", ["/pages/open?a=%00", "/pages/mine?a=%00"])
def test_a_page_that_is_asked_for_with_a_nul_is_refused_by_a_page(browser, path):
    answered = browser.get(path)
    assert (answered.status_code, answered.mimetype) == (400, "text/html")


def test_a_token_of_another_person_does_not_count(app, browser):
    other = Browser(app).enter(make_somebody(make.make_tenant()))
    assert browser.post("/pages/deed", csrf=other.csrf()).status_code == 403


def test_a_token_of_another_session_of_the_same_person_does_not_count(app):
    somebody = make_somebody(make.make_tenant())
    here, there = Browser(app).enter(somebody), Browser(app).enter(somebody)
    assert here.post("/pages/deed", csrf=there.csrf()).status_code == 403


def test_a_token_from_before_the_sign_in_does_not_count_after_it(app):
    browser = Browser(app)
    early = browser.csrf()
    browser.enter(make_somebody(make.make_tenant()))
    assert browser.post("/pages/deed", csrf=early).status_code == 403


def test_a_token_of_another_visit_does_not_count(app):
    other = Browser(app).csrf()
    assert Browser(app).post("/pages/open-deed", csrf=other).status_code == 403
    fresh = Browser(app)
    fresh.csrf()
    assert fresh.post("/pages/open-deed", csrf=other).status_code == 403


def test_a_token_in_the_header_counts_as_well(browser):
    answered = browser.post("/pages/deed", csrf=None, **{"X-CSRF-Token": browser.csrf()})
    assert answered.text == "done"


def test_a_token_in_the_address_does_not(browser):
    answered = browser.post(f"/pages/deed?csrf={browser.csrf()}", csrf=None)
    assert answered.status_code == 403


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "http://localhost:1",
        "https://localhost",
        "http://localhost.evil.example",
        "http://evil.example/localhost",
        "http://[",
    ],
)
def test_another_origin_does_not_count_even_with_our_token(browser, path, origin):
    assert browser.post(path, Origin=origin).status_code == 403
    assert browser.post(path, Origin=origin, **{"Sec-Fetch-Site": ""}).status_code == 403


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("site", ["cross-site", "same-site", "anything"])
def test_another_site_does_not_count_even_with_our_token(browser, path, site):
    for origin in ("null", "", "http://localhost"):
        answered = browser.post(path, Origin=origin, **{"Sec-Fetch-Site": site})
        assert answered.status_code == 403


@pytest.mark.parametrize("origin", ["", "null", "http://localhost"])
@pytest.mark.parametrize("site", ["", "same-origin"])
def test_what_old_and_new_browsers_say_of_our_own_forms_counts(browser, origin, site):
    answered = browser.post("/pages/deed", Origin=origin, **{"Sec-Fetch-Site": site})
    assert answered.text == "done"


def test_access_is_judged_before_the_form(app):
    answered = Browser(app).post("/pages/deed", csrf=None, Origin="https://evil.example")
    assert answered.status_code == 401


def test_a_token_looks_different_each_time(browser):
    first, second = browser.csrf(), browser.csrf()
    assert first != second
    assert browser.post("/pages/deed", csrf=first).text == "done"
    assert browser.post("/pages/deed", csrf=second).text == "done"


def test_a_form_with_a_nul_is_unreadable(browser):
    assert browser.post("/pages/deed", {"name": "a\0b"}).status_code == 400
