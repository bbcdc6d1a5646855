"""The address of a QR: it opens a coupon, leaves nothing behind, and tells guessers nothing."""

from __future__ import annotations

import time

import pytest
import sqlalchemy as sa

from giftpad import guard, payments, tenancy
from giftpad.kernel import codes
from giftpad.kernel.work import unit_of_work
from tests import make
from tests.portals.holder.conftest import open_paper, without_tokens


def _cookies(answer):
    return {line.partition("=")[0]: line for line in answer.headers.getlist("Set-Cookie")}


def test_the_code_leaves_the_address_at_once(town, phone):
    paper = town.papers(1)[0]
    browser = phone()
    sent_on = browser.get(paper.path)
    assert (sent_on.status_code, sent_on.headers["Location"]) == (303, "/balance")
    page = browser.follow(sent_on)
    assert page.status_code == 200
    for answer in (sent_on, page):
        told = answer.text + str(answer.headers)
        assert not [trace for trace in paper.traces() if trace in told]
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] == "no-referrer"


def test_the_cookie_is_sealed_and_out_of_reach_of_scripts(town, phone):
    paper = town.papers(1)[0]
    (cookie,) = _cookies(phone().get(paper.path)).values()
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Max-Age=1800" in cookie
    assert not [trace for trace in paper.traces() if trace in cookie]
    by_https = phone().http.get(paper.path, base_url="https://gift.example")
    (name,) = _cookies(by_https)
    assert name == "__Host-gp_coupon"
    assert "Secure" in _cookies(by_https)[name]


def test_by_plain_http_from_afar_no_cookie_is_given(town, phone):
    paper = town.papers(1)[0]
    answer = phone().http.get(
        paper.path, base_url="http://gift.example", headers={"Accept": "text/html"}
    )
    assert answer.status_code == 403
    assert "Set-Cookie" not in answer.headers
    assert paper.tail not in answer.text


def test_scheme_and_host_in_capitals_and_a_query_do_not_matter(town, phone):
    paper = town.papers(1)[0]
    browser = phone()
    answer = browser.http.get(paper.path + "?utm_source=x", base_url="http://LOCALHOST:8000")
    assert answer.headers["Location"] == "/balance"


def _wrong_tails(town, other, unknown_locator):
    paper = town.papers(1)[0]
    tenant = tenancy.get_tenant(town.site.scope.tenant_id)
    ring = tenancy.current_ring_key(tenant.id)
    key = payments.qr_key(ring.key)
    never = codes.build_qr("X", key, ring.kid, tenant.tag, locator=unknown_locator)
    foreign = codes.build_qr("X", key, ring.kid, other.tag, locator=paper.locator)
    tail = paper.tail
    return {
        "forged": tail[:-1] + ("0" if tail[-1] != "0" else "1"),
        "small": tail.lower(),
        "long": tail + "0",
        "short": tail[:-1],
        "with a slash": tail + "/",
        "no code": "hello",
        "typed": paper.typed,
        "never issued": never.rpartition("/Q/")[2],
        "of another key": foreign.rpartition("/Q/")[2],
    }


def test_all_wrong_codes_get_the_same_page(town, phone):
    browser = phone()
    browser.get("/balance")
    other = make.make_town()
    answers = {
        name: browser.get("/Q/" + tail)
        for name, tail in _wrong_tails(town, other, codes.LOCATOR_MAX).items()
    }
    assert {answer.status_code for answer in answers.values()} == {404}
    bodies = {name: without_tokens(answer) for name, answer in answers.items()}
    assert {name for name, body in bodies.items() if body != bodies["forged"]} == set()
    headers = {
        tuple(sorted((k, v) for k, v in answer.headers if k not in ("X-Request-Id", "Date")))
        for answer in answers.values()
    }
    assert len(headers) == 1


def test_a_wrong_code_is_not_repeated_on_the_page(town, phone):
    paper = town.papers(1)[0]
    forged = paper.tail[:-2] + "00"
    answer = phone().get("/Q/" + forged)
    assert forged not in answer.text


def test_a_forged_code_costs_no_query(town, phone, monkeypatch):
    paper = town.papers(1)[0]
    browser = phone()
    browser.get(paper.path)
    asked = []
    monkeypatch.setattr(payments, "find_instrument", lambda *args, **_: asked.append(args))
    assert browser.get("/Q/" + paper.tail[:-2] + "00").status_code == 404
    assert asked == []


def test_too_many_wrong_codes_close_the_network_for_a_while(town, phone, monkeypatch):
    paper = town.papers(1)[0]
    browser = phone()
    address = browser.http.environ_base["REMOTE_ADDR"]
    guard.allow_failures(f"holder:{address}", 3)
    for _ in range(3):
        assert browser.get("/Q/wrong").status_code == 404
    last = browser.get("/Q/wrong")
    assert last.status_code == 429
    assert int(last.headers["Retry-After"]) > 500
    assert browser.get(paper.path).status_code == 429, "the right code waits as well"
    slug = town.site.slug
    browser.get(f"/t/{slug}/")
    assert browser.post(f"/t/{slug}/", {"code": paper.typed}).status_code == 429
    assert phone().get(paper.path).status_code == 303, "other networks go on"
    later = time.monotonic() + 601
    monkeypatch.setattr(guard.commands.time, "monotonic", lambda: later)
    assert browser.get(paper.path).status_code == 303


def test_addresses_of_one_ipv6_network_count_as_one(phone):
    browser = phone()
    guard.allow_failures("holder:2001:db8:1:2::/64", 2)
    for last in range(1, 4):
        browser.http.environ_base["REMOTE_ADDR"] = f"2001:db8:1:2::{last}"
        answer = browser.get("/Q/wrong")
    assert answer.status_code == 429


def test_asking_much_faster_than_people_do_is_slowed_down(phone, monkeypatch):
    browser = phone()
    monkeypatch.setattr(guard, "Rate", lambda: guard.rules.Rate(per_s=0.001, burst=2))
    assert [browser.get("/balance").status_code for _ in range(3)] == [200, 200, 429]
    assert "10分" in browser.last.text
    quick = guard.rules.Rate(per_s=1, burst=1)
    monkeypatch.setattr(guard, "Rate", lambda: quick)
    assert [browser.get("/balance").status_code for _ in range(2)] == [200, 429]
    assert browser.last.text.count("10分") == 0, "whoever was only too fast waits for seconds"


_TABLES = sa.text("""
    SELECT c.relname FROM pg_class c JOIN pg_namespace s ON s.oid = c.relnamespace
    WHERE s.nspname = 'public' AND c.relkind = 'r' AND has_table_privilege(c.oid, 'SELECT')
    ORDER BY 1
""")


def _everything(scope):
    """Return of every table how many rows it has, and which transaction wrote last."""
    with unit_of_work(scope) as work:
        return {
            name: tuple(
                work.session.execute(
                    sa.text(f'SELECT count(*), max(xmin::text::bigint) FROM "{name}"')
                ).one()
            )
            for name in work.session.execute(_TABLES).scalars().all()
        }


def test_looking_changes_nothing(town, phone):
    paper, stopped = town.papers(2)
    town.pay(paper, 350)
    town.stop(stopped)
    slug = town.site.slug
    before = _everything(town.site.scope)
    browser = phone()
    open_paper(browser, paper)
    paths = ("/balance", "/balance/shops", f"/t/{slug}/", f"/t/{slug}/balance", f"/t/{slug}/shops")
    for path in (*paths, stopped.path, "/balance", "/Q/wrong"):
        browser.get(path)
        browser.http.head(path, base_url="http://localhost:8000")
    assert _everything(town.site.scope) == before
    assert before["payment_payments"][0] == 1


def test_a_suspended_tenant_shows_nothing(town, phone):
    paper = town.papers(1)[0]
    browser = phone()
    open_paper(browser, paper)
    with unit_of_work(town.site.scope) as work:
        tenancy.suspend_tenant(work)
    tenancy.forget_tenants()
    closed = phone().get(paper.path)
    assert closed.status_code == 403
    assert paper.tail not in closed.text
    assert browser.get("/balance").status_code == 403


@pytest.mark.parametrize("at_this_shop", [True, False])
def test_a_clerk_comes_to_the_amount_pad(town, at_this_shop):
    paper = town.papers(1)[0]
    clerk = town.site.person("clerk") if at_this_shop else town.site.person("viewer")
    sent_on = clerk.get(paper.path)
    if not at_this_shop:
        assert sent_on.headers["Location"] == "/balance"
        return
    assert sent_on.headers["Location"] == "/balance/pay"
    pad = clerk.follow(sent_on)
    assert pad.headers["Location"].startswith("/shop/pay/")
    assert "gp_coupon=;" in str(pad.headers.getlist("Set-Cookie"))
    assert clerk.follow(pad).status_code == 200
    assert "/balance/pay" not in clerk.get("/balance").text
