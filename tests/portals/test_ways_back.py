"""Whoever switches language or size of the text comes back to a page that can be opened."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest

from giftpad.edge.access import PAGES
from giftpad.kernel.ids import new_id
from tests.make_pages import hidden
from tests.portals.issuer.counter import Counter, send, words

HOLES = re.compile(r"<(?:(\w+):)?\w+>")
FAR = "/desk/shops/imports"


def fill(path: str) -> str:
    """Put something into the holes of a route."""
    kinds = {"uuid": str(new_id()), "int": "1"}
    return HOLES.sub(lambda hole: kinds.get(hole[1] or "", "AB-0000001"), path)


def place(answer) -> str:
    """Return where the switches of a page lead back to."""
    return hidden(answer.text, "next")


def test_every_form_has_a_page_to_come_back_to(site):
    """Every form is refused here, so that its answer is a page at the form's own address."""
    owner = site.person("owner")
    owner.get("/account")
    adapter = site.app.url_map.bind("localhost")
    pages = site.app.extensions[PAGES]
    seen = {}
    for rule in site.app.url_map.iter_rules():
        if rule.endpoint not in pages or "POST" not in (rule.methods or ()):
            continue
        answer = owner.post(fill(rule.rule), csrf="forged")
        is_of_gift = rule.rule.startswith("/g/")  # nobody is anybody there without a gift
        assert answer.status_code in ((401, 403) if is_of_gift else (403,)), rule.rule
        seen[rule.rule] = urlsplit(place(answer)).path
    assert len(seen) > 25
    wrong = {rule: back for rule, back in seen.items() if not adapter.test(back, "GET")}
    assert wrong == {}
    assert seen["/desk/coupons/find"] == "/desk/coupons"
    assert seen["/account/password"] == "/account"
    assert seen[FAR] == "/desk/shops"


@pytest.mark.parametrize(
    ("start", "path", "fields", "back"),
    [
        ("/account", "/account/password", {}, "/account"),
        (f"{FAR}/new", FAR, {}, f"{FAR}/new"),
        ("/desk/coupons", "/desk/coupons/find", {"code": "nothing"}, "/desk/coupons"),
        (
            "/desk/batches/new",
            "/desk/batches",
            {"quantity": "x", "face_value": "500"},
            "/desk/batches/new?quantity=x&face_value=500",
        ),
        (
            "/desk/coupons/range",
            "/desk/coupons/range",
            {"act": "stop", "first": "ZZ-1", "last": "ZZ-2", "why": "lost"},
            "/desk/coupons/range?act=stop&first=ZZ-1&last=ZZ-2",
        ),
    ],
)
def test_a_form_with_faults_leads_back_to_its_own_page(site, start, path, fields, back):
    owner = site.person("owner")
    owner.get(start)
    answer = owner.post(path, fields | {"key": new_id().hex})
    assert answer.status_code == 422, words(answer)
    assert place(answer) == back
    again = owner.follow(owner.post("/preferences", {"lang": "en", "next": back}))
    assert again.status_code in (200, 422)
    assert "There is no such page" not in words(again)


def test_the_contact_of_a_shop_leads_back_to_the_shop(site):
    owner = Counter(site).person("owner")
    shop = f"/desk/shops/{site.shop_id()}"
    owner.get(shop)
    answer = owner.post(f"{shop}/contact")
    assert answer.status_code == 200
    assert place(answer) == shop
    assert owner.get(shop).status_code == 200


def test_where_one_was_going_is_not_forgotten_on_the_way(site):
    browser = site.nobody()
    browser.get("/sign-in?next=/desk/shops")
    answer = browser.post("/sign-in", {"next": "/desk/shops"})
    assert answer.status_code == 422
    assert place(answer) == "/sign-in?next=/desk/shops"


def test_a_form_that_has_a_page_of_its_own_leads_back_to_it(site):
    owner = site.person("owner")
    shop = f"/desk/shops/{site.shop_id()}"
    answer = send(owner, f"{shop}/stop", {})
    assert answer.status_code == 422
    assert place(answer) == f"{shop}/stop"
