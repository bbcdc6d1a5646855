"""The operator's pages: who gets in, what is said of what is not known, putting back on record."""

from __future__ import annotations

import html
import re

import psycopg
import pytest

from giftpad import audit, health, identity, tenancy
from giftpad.identity.rules import roles as rules
from giftpad.kernel.work import Scope, unit_of_work
from tests.dead_letters import Letters
from tests.health.test_problems import GOOD
from tests.make_factors import PASSWORD, step_on

PLATFORM = Scope(tenant_id=tenancy.PLATFORM_TENANT_ID)
HEADING = re.compile(r"<h1[^>]*>(.*?)</h1>", re.DOTALL)
ALERT = re.compile(r'<div class="gp-sr" role="alert">(.*?)</div>', re.DOTALL)


@pytest.fixture
def operator(site):
    return site.person("operator")


@pytest.fixture
def measured(site, superuser_url):
    """Say what is measured; what was measured before is gone."""

    def say(*, minutes_ago=0, **changed):
        with psycopg.connect(superuser_url) as connection:
            connection.execute("DELETE FROM health_figures")
        figures = {name: value for name, value in {**GOOD, **changed}.items() if value is not None}
        with unit_of_work(PLATFORM) as work:
            health.keep_figures(work, figures)
        with psycopg.connect(superuser_url) as connection:
            connection.execute(
                "UPDATE health_figures SET measured_at = measured_at - %s * interval '1 minute'",
                [minutes_ago],
            )

    return say


@pytest.fixture
def letters(site, settings):
    found = Letters(settings)
    found.wire()
    return found


def texts(answer):
    """Return what a page says, without its tags."""
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", answer.text)))


def heading(answer):
    found = HEADING.search(answer.text)
    assert found is not None
    return re.sub(r"<[^>]+>", "", found[1]).strip()


def see(browser, path="/operator/health", locale="en", **options):
    answer = browser.get(path, headers={"Accept-Language": locale}, **options)
    assert answer.status_code == 200, answer.text[:2000]
    return answer


def test_signing_in_leads_an_operator_to_the_health_page(site):
    browser = site.nobody()
    email = site.new_person("operator")
    browser.get("/sign-in")
    answer = browser.post("/sign-in", {"email": email, "password": PASSWORD})
    answer = step_on(browser, answer, email)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/operator/health")


@pytest.mark.parametrize("wanted", ["/desk", "/desk/payments", "/shop"])
def test_an_operator_who_wanted_a_page_of_a_town_comes_to_their_own(site, wanted):
    browser = site.nobody()
    email = site.new_person("operator_viewer")
    browser.get("/sign-in")
    sent = {"email": email, "password": PASSWORD, "next": wanted}
    answer = step_on(browser, browser.post("/sign-in", sent), email)
    assert answer.headers["Location"] == "/operator/health"


@pytest.mark.parametrize("role", ["owner", "issuer", "support", "viewer", "clerk"])
def test_nobody_of_a_town_sees_it(site, role):
    for path in ("/operator/health", "/operator/health/live", "/operator/dead"):
        assert site.person(role).get(path).status_code == 403


def test_where_all_is_well_it_says_so(operator, measured):
    measured()
    answer = see(operator)
    assert heading(answer) == "Everything is running"
    assert "gp-todo" not in answer.text


@pytest.mark.parametrize(
    ("locale", "wanted"), [("ja", "1件の対応が必要です"), ("en", "1 thing needs you")]
)
def test_what_needs_somebody_is_counted_in_the_heading(operator, measured, locale, wanted):
    measured(outbox=GOOD["outbox"] | {"dead": 7})
    answer = see(operator, locale=locale)
    assert heading(answer) == wanted
    assert "docs/operating/dead-letters.md" in answer.text


@pytest.mark.parametrize(
    ("locale", "words", "advice"),
    [
        ("ja", "利用者のページを止めています。", "giftpad feature on public-pages"),
        ("en", "The pages of holders are switched off.", "giftpad feature on public-pages"),
    ],
)
def test_what_is_switched_off_is_named_in_words_with_what_to_do(
    operator, measured, locale, words, advice
):
    measured(features={"off": ["public-pages"], "share": 64})
    said = texts(see(operator, locale=locale))
    assert words in said
    assert advice in said
    assert "public-pagesを" not in said


def test_a_port_that_is_taken_is_counted_with_its_number_and_reason(operator, measured):
    measured(metrics={"port": 9464, "is_served": False, "is_taken": True})
    answer = see(operator)
    assert heading(answer) == "1 thing needs you"
    assert "another program has port 9464." in texts(answer)
    assert "GIFTPAD_METRICS_PORT" in texts(answer)


@pytest.mark.parametrize(("payments", "is_said"), [(0, True), (7, False)])
def test_a_minute_without_payments_is_judged_in_words(operator, measured, payments, is_said):
    measured(money=GOOD["money"] | {"payments": payments})
    assert ("No payment in the last minute." in texts(see(operator))) is is_said


def test_a_queue_that_is_late_says_for_how_long(operator, measured):
    measured(queues={"otp": {"jobs": 1, "oldest_s": 31.0}})
    assert "Jobs that wait in otp: 1, the oldest for 31 s (limit 30 s)." in texts(see(operator))


def test_figures_older_than_a_minute_are_unknown_with_their_time_and_never_good(operator, measured):
    measured(minutes_ago=4)
    answer = see(operator)
    assert heading(answer) != "Everything is running"
    said = texts(answer)
    assert said.count("unknown") >= 8
    assert "last at" in said
    assert 'data-kind="ok"' not in answer.text


def test_where_nothing_was_ever_measured_everything_is_unknown(operator, superuser_url):
    with psycopg.connect(superuser_url) as connection:
        connection.execute("DELETE FROM health_figures")
    answer = see(operator)
    assert heading(answer) != "Everything is running"
    assert "never measured" in texts(answer)
    assert 'data-kind="ok"' not in answer.text


def test_the_page_stands_while_the_database_does_not_answer(operator, measured, monkeypatch):
    measured()
    see(operator)

    def away(*_):
        message = "gone"
        raise psycopg.OperationalError(message)

    monkeypatch.setattr("giftpad.kernel.work._open", away)
    answer = operator.get("/operator/health", headers={"Accept-Language": "en"})
    assert answer.status_code == 200
    assert heading(answer) == "1 thing needs you"
    assert "The database does not answer right now." in texts(answer)
    assert 'data-kind="ok"' not in answer.text


def test_only_what_is_new_is_said_aloud(operator, measured):
    measured(redis={"up": False}, backup=None)
    first = see(operator)
    assert ALERT.search(first.text) is None, "the heading says it already"
    address = html.unescape(re.search(r'hx-get="([^"]+)"', first.text)[1])
    again = see(operator, address)
    assert ALERT.search(again.text)[1].strip() == ""
    measured(redis={"up": False}, backup=None, outbox=GOOD["outbox"] | {"dead": 1})
    later = see(operator, address)
    assert "One delivery was given up." in ALERT.search(later.text)[1]
    assert "Redis" not in ALERT.search(later.text)[1]


def test_refreshing_can_be_stopped_and_begun_again(operator, measured):
    measured()
    assert "hx-trigger" in see(operator).text
    stopped = see(operator, "/operator/health?refresh=off")
    assert "hx-trigger" not in stopped.text
    assert "Refresh every 30 seconds" in texts(stopped)


def test_a_tenant_with_trouble_stands_before_one_without(operator, measured, site):
    tenant = tenancy.get_tenant(site.scope.tenant_id)
    row = {"slug": tenant.slug, "requests": 40, "fault_share": 0.1, "p95_s": 0.25}
    measured(web=GOOD["web"] | {"tenants": [row]})
    body = see(operator).text.partition('<h2 id="tenants">')[2]
    first = re.search(r'<th scope="row" class="gp-data">(.*?)</th>', body)[1]
    assert html.unescape(first) == tenant.name_in("en")
    assert "10.0%" in body


def dead_page(site):
    return f"/operator/dead/{tenancy.get_tenant(site.scope.tenant_id).slug}"


def test_putting_back_takes_a_number_and_a_reason_shows_progress_and_is_on_record(
    operator, letters, site, measured
):
    letters.give_up(site.scope, "one", "two", "three")
    page = see(operator, dead_page(site))
    assert texts(page).count("OSError: the disk is full") == 3
    sent = {"key": operator.key(), "count": "2", "reason": "disk mended"}
    answer = operator.post(dead_page(site), sent)
    assert answer.status_code == 303, answer.text[:2000]
    run = answer.headers["Location"]
    assert "0 of 2 have arrived" in texts(see(operator, run))
    letters.is_broken = False
    letters.deliver()
    done = see(operator, run)
    assert "2 of 2 have arrived" in texts(done)
    assert "hx-trigger" not in done.text
    again = operator.post(dead_page(site), sent)
    assert again.headers["Location"] == run, "a second press gets the first result"
    with unit_of_work(site.scope) as work:
        wanted = audit.EntryFilter(actions=("event.redriven",))
        (entry,) = audit.list_entries(work, wanted)
    assert entry.actor["kind"] == "person"
    assert (entry.details["count"], entry.details["reason"]) == (2, "disk mended")


@pytest.mark.parametrize(
    "fields", [{"count": "2", "reason": ""}, {"count": "0", "reason": "x"}, {"count": "all"}]
)
def test_without_a_number_or_a_reason_nothing_is_put_back(operator, letters, site, fields):
    letters.give_up(site.scope, "one")
    see(operator, dead_page(site))
    sent = {"key": operator.key(), "count": "1", "reason": ""} | fields
    answer = operator.post(dead_page(site), sent)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert texts(see(operator, dead_page(site))).count("OSError") == 1


def test_whoever_only_looks_sees_no_button_and_cannot_put_anything_back(letters, site):
    letters.give_up(site.scope, "one")
    viewer = site.person("operator_viewer")
    page = see(viewer, dead_page(site))
    assert "An operator can do it again." in texts(page)
    assert 'name="reason"' not in page.text
    sent = {"key": "0" * 32, "count": "1", "reason": "x"}
    assert viewer.post(dead_page(site), sent).status_code == 403


def test_the_list_names_each_tenant_in_which_something_was_given_up(operator, letters, site):
    letters.give_up(site.scope, "one")
    with unit_of_work(PLATFORM) as work:
        tenants = {str(site.scope.tenant_id): {"dead": 1}}
        health.keep_figures(work, {"outbox": GOOD["outbox"] | {"tenants": tenants}})
    name = tenancy.get_tenant(site.scope.tenant_id).name_in("en")
    assert name in texts(see(operator, "/operator/dead"))


def test_no_town_can_give_the_role_of_an_operator(site):
    new = identity.NewPerson(email="x@y.jp", name="x", role="operator", password="long enough word")
    with pytest.raises(identity.RoleUnknown):
        identity.create_person(site.scope, new)
    with pytest.raises(identity.RoleUnknown):
        identity.invite(site.scope, identity.NewInvitation(name="x", role="operator"))
    with pytest.raises(identity.RoleUnknown):
        identity.create_person(
            PLATFORM,
            identity.NewPerson(email="x@y.jp", name="x", role="owner", password="long enough word"),
        )


def test_no_machine_can_have_the_permissions_of_an_operator(site):
    new = identity.NewClient(name="x", permissions=("operations:read",))
    with pytest.raises(identity.PermissionUnknown):
        identity.create_client(site.scope, new)


def test_a_permission_that_a_town_should_never_have_opens_nothing_there(site, monkeypatch):
    held = rules.ROLES["owner"] | {"operations:read", "operations:act"}
    monkeypatch.setitem(rules._ALL_ROLES, "owner", held)
    owner = site.sign_in(site.new_person("owner"))
    assert owner.get("/operator/health").status_code == 403
    assert owner.get("/operator/dead").status_code == 403
