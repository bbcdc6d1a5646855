"""Every refusal and accident is a page that says what happened, whether money moved, what next."""

from __future__ import annotations

import pytest
from flask import Blueprint

from giftpad import edge
from giftpad.app import build_app
from giftpad.guard import KeyReused
from giftpad.kernel.db import DatabaseAway
from giftpad.portals.errors import HEADINGS
from giftpad.shops import ShopNotFound
from tests.make_pages import make_site

bp = Blueprint("broken", __name__)


@bp.get("/broken/<kind>")
@edge.public("A test breaks it.")
def look(kind):
    return fail(kind)


@bp.post("/broken/<kind>")
@edge.public("A test breaks it.")
def act(kind):
    return fail(kind)


def fail(kind):
    if kind == "missing":
        raise ShopNotFound
    if kind == "away":
        raise DatabaseAway
    if kind == "reused":
        raise KeyReused
    message = "a secret of the inside"
    raise RuntimeError(message)


def app_that_breaks(settings):
    """Build the application with a page that breaks in each way."""
    from giftpad.portals import site as pages

    register = edge.register_pages
    seen = []

    def register_more(app, blueprint):
        if app not in seen:
            seen.append(app)
            register(app, bp)
        register(app, blueprint)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pages.edge, "register_pages", register_more)
        return build_app(settings)


@pytest.fixture
def browser(house, settings, tmp_path):
    return make_site(settings, tmp_path, build=app_that_breaks).nobody()


UNMOVED = {"ja": "お金は動いていません。", "en": "No money has moved."}
KEPT = {"ja": "前の支払いは、そのまま残っています。", "en": "What was paid before is kept."}
IN_DOUBT = {"ja": "お金が動いたかどうか", "en": "It is not known whether money has moved."}


@pytest.mark.parametrize("locale", ["ja", "en"])
@pytest.mark.parametrize(
    ("kind", "status"), [("missing", 404), ("away", 503), ("reused", 422), ("crash", 500)]
)
def test_a_page_that_cannot_be_shown_says_so(browser, locale, kind, status):
    answer = browser.get(f"/broken/{kind}", headers={"Accept-Language": locale})
    assert answer.status_code == status
    assert answer.mimetype == "text/html"
    assert f'<html lang="{locale}"' in answer.text
    assert UNMOVED[locale] not in answer.text, "a form before it may have moved some"
    assert IN_DOUBT[locale] not in answer.text
    assert "secret" not in answer.text
    assert "database" not in answer.text
    assert "データベース" not in answer.text
    assert (KEPT[locale] in answer.text) is (kind == "away")
    if status == 503:
        assert int(answer.headers["Retry-After"]) > 0


@pytest.mark.parametrize("locale", ["ja", "en"])
@pytest.mark.parametrize(("kind", "status"), [("away", 503), ("reused", 422), ("crash", 500)])
def test_a_form_whose_fate_is_open_never_says_that_nothing_moved(browser, locale, kind, status):
    browser.get("/sign-in")
    answer = browser.post(f"/broken/{kind}", headers={"Accept-Language": locale})
    assert answer.status_code == status
    assert IN_DOUBT[locale] in answer.text
    assert UNMOVED[locale] not in answer.text


def test_an_accident_has_a_number_by_which_it_is_found_in_the_log(browser):
    answer = browser.get("/broken/crash", headers={"Accept-Language": "en"})
    number = answer.headers["X-Request-Id"][-6:].upper()
    assert f'Reference number: <strong class="gp-nowrap">{number}' in answer.text
    assert "tell the number to the town or company" in answer.text


def test_an_address_without_a_page_is_a_page_for_people_and_a_problem_for_machines(browser):
    people = browser.get("/nothing/here")
    assert (people.status_code, people.mimetype) == (404, "text/html")
    machine = browser.get("/api/v1/nothing")
    assert (machine.status_code, machine.mimetype) == (404, edge.MEDIA_TYPE)
    anything = browser.get("/nothing/here", headers={"Accept": "application/json"})
    assert anything.mimetype == edge.MEDIA_TYPE


def test_every_status_of_a_refusal_has_a_heading():
    assert {400, 401, 403, 404, 409, 422, 429, 500, 503} <= set(HEADINGS)


@pytest.mark.parametrize("field", ["key", "confirm"])
def test_a_form_turned_away_at_the_door_may_have_been_sent_before(browser, field):
    """The page of the second sending must not speak for the first."""
    browser.get("/sign-in", headers={"Accept-Language": "en"})
    answer = browser.post(
        "/broken/missing", {field: "1"}, csrf="forged", headers={"Accept-Language": "en"}
    )
    assert answer.status_code == 403
    assert IN_DOUBT["en"] in answer.text
    assert UNMOVED["en"] not in answer.text


def test_a_form_that_is_done_as_often_as_it_is_sent_moves_nothing_when_turned_away(browser):
    browser.get("/sign-in", headers={"Accept-Language": "en"})
    answer = browser.post("/broken/missing", csrf="forged", headers={"Accept-Language": "en"})
    assert answer.status_code == 403
    assert UNMOVED["en"] in answer.text


@pytest.mark.parametrize("kind", ["away", "reused", "crash"])
def test_no_page_speaks_of_headers_and_keys(browser, kind):
    browser.get("/sign-in")
    answer = browser.post(f"/broken/{kind}", headers={"Accept-Language": "en"})
    assert "Idempotency" not in answer.text
