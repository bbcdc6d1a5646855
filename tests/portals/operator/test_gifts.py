"""The board of all tenants' gift orders: stuck ones first, why, and starting one again."""

from __future__ import annotations

import html
import re

import psycopg
import pytest

from giftpad import audit, health, tenancy
from giftpad.kernel.work import Scope, unit_of_work
from tests import make_gifts
from tests.gifts.test_redriving import change, half_issued
from tests.make_gift_rows import ALL_HOURS

PLATFORM = Scope(tenant_id=tenancy.PLATFORM_TENANT_ID)
EN = {"Accept-Language": "en"}
BOARD = "/operator/gifts"


@pytest.fixture
def operator(site):
    return site.person("operator")


@pytest.fixture
def company(site):
    return make_gifts.make_company(contract=ALL_HOURS)


@pytest.fixture
def stuck(company):
    return half_issued(company)


def measure():
    """Measure as the watch does once a minute."""
    with unit_of_work(PLATFORM) as work:
        health.keep_figures(work, {health.GIFT_ORDERS: health.measure_gift_orders()})


def see(browser, path=BOARD, locale="en"):
    answer = browser.get(path, headers={"Accept-Language": locale})
    assert answer.status_code == 200, answer.text[:2000]
    return answer


def texts(answer):
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", answer.text)))


def rows(answer):
    body = answer.text.partition("<tbody>")[2].partition("</tbody>")[0]
    return [re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", row)) for row in body.split("</tr>")[:-1]]


def path_of(company, order_id):
    return f"{BOARD}/{tenancy.get_tenant(company.scope.tenant_id).slug}/{order_id}"


def test_stuck_orders_of_all_tenants_stand_first_with_why_and_since_when(operator, company, stuck):
    well = make_gifts.make_company().sent(2)
    measure()
    answer = see(operator)
    assert "It is being issued, and nothing moves: 3 to go" in rows(answer)[0]
    assert "since" in rows(answer)[0]
    assert str(well) in answer.text
    assert answer.text.index(str(stuck)) < answer.text.index(str(well))
    assert "hx-trigger" in answer.text
    assert "3 to go" in texts(see(operator, f"{BOARD}/live"))


def test_nothing_that_anybody_wrote_is_on_the_board(operator, company, stuck):
    measure()
    for path in (BOARD, path_of(company, stuck), path_of(company, stuck) + "/live"):
        said = see(operator, path).text
        for word in ("受取", "@example.com", "お歳暮", "はなまる", "ありがとう"):
            assert word not in said


def test_an_operator_starts_an_order_again_once_and_both_records_say_why(operator, company, stuck):
    path = path_of(company, stuck)
    page = see(operator, path)
    assert "3 to go" in texts(page)
    sent = {"key": operator.key(), "reason": "worker mended"}
    answer = operator.post(path, sent, headers=EN)
    assert (answer.status_code, answer.headers["Location"]) == (303, path)
    again = operator.post(path, sent, headers=EN)
    assert again.status_code == 303, "a second press gets the first answer"
    assert "3 to go" not in texts(see(operator, path))
    wanted = audit.EntryFilter(subjects=(f"gift_order:{stuck}",), actions=("gift_order.redriven",))
    for scope in (company.scope, PLATFORM):
        with unit_of_work(scope) as work:
            (entry,) = audit.list_entries(work, wanted)
        assert (entry.actor["kind"], entry.details["reason"]) == ("person", "worker mended")
    company.issue(stuck)
    assert company.order(stuck).issued == 5
    assert company.differences() == []


def test_an_order_that_does_well_is_not_started_again(operator, company):
    path = path_of(company, company.sent(2))
    page = see(operator, path)
    assert 'name="reason"' not in page.text
    sent = {"key": "0" * 32, "reason": "worker mended"}
    answer = operator.post(path, sent, headers=EN)
    assert answer.status_code == 409
    assert "Nothing of this order has stopped" in texts(answer)


def test_without_a_reason_nothing_is_started(operator, company, stuck):
    path = path_of(company, stuck)
    see(operator, path)
    answer = operator.post(path, {"key": operator.key(), "reason": " "}, headers=EN)
    assert answer.status_code == 422
    assert "3 to go" in texts(see(operator, path))


def test_whoever_only_looks_sees_no_button_and_starts_nothing(site, company, stuck):
    viewer, path = site.person("operator_viewer"), path_of(company, stuck)
    page = see(viewer, path)
    assert "An operator can start it again." in texts(page)
    assert 'name="reason"' not in page.text
    assert viewer.post(path, {"key": "0" * 32, "reason": "x"}).status_code == 403


@pytest.mark.parametrize("role", ["owner", "issuer", "approver", "viewer"])
def test_nobody_of_a_tenant_sees_the_board(site, company, stuck, role):
    somebody = site.person(role)
    for path in (BOARD, f"{BOARD}/live", path_of(company, stuck)):
        assert somebody.get(path).status_code == 403


def test_an_order_is_found_in_its_own_tenant_only(operator, company, stuck):
    other = make_gifts.make_company()
    assert operator.get(path_of(other, stuck)).status_code == 404
    assert operator.get(f"{BOARD}/platform/{stuck}").status_code == 404


def test_what_waits_for_people_says_for_whom(operator, company):
    order_id = company.sent(2, "mail")
    change(company, "gifts", order_id, delivery="'bounced'")
    measure()
    said = texts(see(operator))
    assert "Letters that came back: 2" in said
    assert "waits for the sender" in said
    assert "1 gift order has stopped" not in said


def test_where_nothing_is_under_way_the_board_says_so(operator, superuser_url):
    with psycopg.connect(superuser_url) as connection:
        connection.execute("DELETE FROM health_figures")
    assert "is not known right now" in texts(see(operator))
    empty = {"stuck": 0, "counts": {}, "orders": []}
    with unit_of_work(PLATFORM) as work:
        health.keep_figures(work, {health.GIFT_ORDERS: empty})
    assert "No gift order is under way in any tenant." in texts(see(operator))


@pytest.mark.parametrize(("locale", "words"), [("en", "stopped"), ("ja", "止まっている")])
def test_the_health_page_leads_to_the_board(operator, company, stuck, locale, words):
    measure()
    answer = see(operator, "/operator/health", locale)
    assert words in texts(answer)
    assert f'href="{BOARD}"' in answer.text
