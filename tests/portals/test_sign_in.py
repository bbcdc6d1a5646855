"""Signing in and out, by forms, as people do."""

from __future__ import annotations

import json
import re
from uuid import UUID

import pytest

from giftpad import identity, shops
from giftpad.kernel.ids import new_id
from giftpad.kernel.work import unit_of_work
from giftpad.portals.account.places import after_sign_in, local_path
from tests import make
from tests.make_factors import give_passkey, step_on
from tests.make_pages import FAR_SHOP, FIRST_SHOP, PASSWORD

EN = {"Accept": "text/html", "Accept-Language": "en"}


def typed(site, email, password=PASSWORD, browser=None, **more):
    """Fill the form in and send it."""
    browser = browser or site.nobody()
    browser.get("/sign-in", headers=EN)
    fields = {"email": email, "password": password} | more
    return browser, step_on(browser, browser.post("/sign-in", fields, headers=EN), email)


def words_of(answered):
    """Return the text of a page without what differs from one drawing to the next."""
    return re.sub(r'value="[^"]*"|data-options="[^"]*"|"X-CSRF-Token":"[^"]*"', "", answered.text)


@pytest.mark.parametrize(
    ("role", "home"), [("owner", "/desk"), ("viewer", "/desk"), ("clerk", "/shop")]
)
def test_everybody_begins_where_they_work(site, role, home):
    browser = site.person(role)
    answered = browser.get("/")
    assert (answered.status_code, answered.headers["Location"]) == (303, home)
    assert browser.get("/sign-in").headers["Location"] == home


def test_nobody_begins_at_the_sign_in_page(site):
    assert site.nobody().get("/").headers["Location"] == "/sign-in"


def test_somebody_comes_back_to_where_they_wanted(site):
    email = site.new_person("owner")
    browser = site.nobody()
    answered = browser.get("/desk/members?x=1")
    assert answered.status_code == 303
    browser.follow(answered)
    answered = browser.post(
        "/sign-in", {"email": email, "password": PASSWORD, "next": "/desk/members?x=1"}
    )
    answered = step_on(browser, answered, email)
    assert answered.headers["Location"] == "/desk/members?x=1"


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.example/",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "/\\/evil.example",
        "\\\\evil.example",
        "javascript:alert(1)",
        "/\t/evil.example",
        "/\n//evil.example",
        " //evil.example",
        "desk",
        "http:desk",
        "/%0d%0aSet-Cookie:a=b\r\n",
        "/x" * 1300,
        "",
    ],
)
def test_nobody_is_sent_to_another_site(site, wanted):
    assert local_path(wanted) is None
    email = site.new_person("owner")
    browser, answered = typed(site, email, next=wanted)
    assert answered.headers["Location"] == "/desk"
    browser.get("/account")
    answered = browser.post("/preferences", {"lang": "en", "next": wanted})
    assert answered.headers["Location"] == "/"


@pytest.mark.parametrize(
    ("wanted", "role", "place"),
    [
        ("/desk/shops?q=%E3%81%82", "owner", "/desk/shops?q=%E3%81%82"),
        ("/desk", "clerk", "/shop"),
        ("/shop/today", "owner", "/desk"),
        ("/shop/today", "clerk", "/shop/today"),
        ("/sign-out", "owner", "/desk"),
        ("/join/abc", "owner", "/desk"),
        ("/", "clerk", "/shop"),
        (None, "owner", "/desk"),
    ],
)
def test_nobody_is_sent_where_they_cannot_be(wanted, role, place):
    assert after_sign_in(wanted, role) == place


def test_unknown_and_wrong_are_answered_alike(site):
    known = site.new_person("owner")
    unknown = f"{new_id().hex[-10:]}@example.jp"
    answers = [
        typed(site, known, "not the password of anybody")[1],
        typed(site, unknown, "not the password of anybody")[1],
        typed(site, "not an address", "not the password of anybody")[1],
    ]
    assert {answered.status_code for answered in answers} == {422}
    assert len({words_of(answered) for answered in answers}) == 1
    assert "The e-mail address or the password is not right." in answers[0].text
    assert all("gp_session" not in str(answered.headers) for answered in answers)


def test_what_is_left_out_is_asked_for(site):
    _, answered = typed(site, "", "")
    assert answered.status_code == 422
    assert answered.text.count("Please fill this in.") >= 2


def test_too_many_guesses_are_told_to_wait_and_the_right_password_too(site):
    email = site.new_person("owner")
    for _ in range(10):
        assert typed(site, email, "wrong wrong wrong")[1].status_code == 422
    _, answered = typed(site, email, "wrong wrong wrong")
    assert answered.status_code == 429
    assert int(answered.headers["Retry-After"]) > 0
    assert "Try again in" in answered.text
    assert typed(site, email)[1].status_code == 429
    assert typed(site, site.new_person("owner"))[1].status_code == 303


def test_a_form_from_another_site_does_not_sign_in(site):
    email = site.new_person("owner")
    browser = site.nobody()
    browser.get("/sign-in")
    fields = {"email": email, "password": PASSWORD}
    assert browser.post("/sign-in", fields, csrf="").status_code == 403
    answered = browser.post("/sign-in", fields, headers={"Origin": "https://evil.example"})
    assert answered.status_code == 403
    assert browser.post("/sign-in", fields).status_code == 303


def test_signing_out_needs_our_form_and_then_is_complete(site):
    email = site.new_person("owner")
    browser = site.sign_in(email)
    assert browser.post("/sign-out", csrf="").status_code == 403
    assert browser.get("/account").status_code == 200
    answered = browser.post("/sign-out")
    assert (answered.status_code, answered.headers["Location"]) == (303, "/sign-in")
    assert browser.get("/account").status_code == 303


def test_by_plain_http_from_another_machine_nobody_signs_in_and_is_told_why(site):
    client = site.app.test_client()
    answered = client.get("/sign-in", base_url="http://192.168.1.20:8000", headers=EN)
    assert answered.status_code == 403
    assert "https://" in answered.text
    assert "<form" not in answered.text.partition("<main")[2].partition("</main>")[0]


def test_several_roles_are_chosen_from(site):
    email = site.new_person("owner")
    other = make.make_tenant()
    identity.create_person(
        other,
        identity.NewPerson(email=email, name="x", role="viewer", password=PASSWORD),
    )
    browser, answered = typed(site, email)
    assert answered.headers["Location"] == "/sign-in/choose"
    page = browser.follow(answered)
    values = re.findall(r'name="membership" value="([^"]+)"', page.text)
    assert len(values) == 2
    assert browser.get("/account").status_code == 303
    (there,) = [value for value in values if value.startswith(str(other.tenant_id))]
    browser.get("/sign-in/choose")
    answered = browser.post("/sign-in/choose", {"membership": there})
    assert answered.headers["Location"] == "/desk"
    assert browser.get("/desk/members").status_code == 403


def test_roles_of_two_shops_are_told_apart_by_the_shop(site):
    email = site.new_person("clerk")
    new = identity.NewPerson(
        email=email, name="x", role="clerk", password=PASSWORD, shop_id=site.shop_id(FAR_SHOP)
    )
    identity.create_person(site.scope, new)
    browser, answered = typed(site, email)
    page = browser.follow(answered)
    with unit_of_work(site.scope) as work:
        ids = {site.shop_id(FIRST_SHOP), site.shop_id(FAR_SHOP)}
        names = {name for _, name in shops.find_names(work, ids).values()}
    assert len(names) == 2
    assert all(name in page.text for name in names)
    assert "&lt;" not in page.text


def test_nobody_chooses_a_role_that_is_not_theirs(site):
    email = site.new_person("viewer")
    second = make.make_tenant()
    new = identity.NewPerson(email=email, name="x", role="viewer", password=PASSWORD)
    identity.create_person(second, new)
    owner = site.new_person("owner")
    (target,) = [m for m in identity.list_members(site.scope) if m.email == owner]
    browser, answered = typed(site, email)
    browser.follow(answered)
    for value in (f"{site.scope.tenant_id}.{target.membership_id}", "x", "", ".", f"{new_id()}."):
        answered = browser.post("/sign-in/choose", {"membership": value})
        assert answered.headers["Location"] == "/sign-in"
        assert browser.get("/account").status_code == 303


def test_choosing_without_a_password_before_leads_to_the_sign_in_page(site):
    browser = site.nobody()
    assert browser.get("/sign-in/choose").headers["Location"] == "/sign-in"
    browser.get("/sign-in")
    answered = browser.post("/sign-in/choose", {"membership": "a.b"})
    assert answered.headers["Location"] == "/sign-in"


def test_a_role_cannot_be_chosen_any_more_after_the_password_was_changed(site):
    email = site.new_person("viewer")
    new = identity.NewPerson(email=email, name="x", role="support", password=PASSWORD)
    person_id = identity.create_person(site.scope, new).person_id
    browser, answered = typed(site, email)
    values = re.findall(r'name="membership" value="([^"]+)"', browser.follow(answered).text)
    identity.change_password(person_id, PASSWORD, "another word that is long")
    answered = browser.post("/sign-in/choose", {"membership": values[0]})
    assert answered.headers["Location"] == "/sign-in"
    assert identity.list_sessions(person_id) == []


def signed_in_with_two_roles(site):
    """Return a browser signed in as an owner, the person, and the other town and role."""
    email = site.new_person("owner")
    other = make.make_tenant()
    new = identity.NewPerson(email=email, name="x", role="viewer", password=PASSWORD)
    made = identity.create_person(other, new)
    browser, answered = typed(site, email)
    values = re.findall(r'name="membership" value="([^"]+)"', browser.follow(answered).text)
    here, there = sorted(values, key=lambda value: value.startswith(str(other.tenant_id)))
    step_on(browser, browser.post("/sign-in/choose", {"membership": here}), email)
    return browser, made.person_id, other, there


def test_a_role_is_changed_in_a_new_session(site):
    browser, person_id, other, there = signed_in_with_two_roles(site)
    (before,) = identity.list_sessions(person_id)
    page = browser.get("/account")
    assert re.findall(r'name="membership" value="([^"]+)"', page.text) == [there]
    assert browser.post("/account/switch", {"membership": there}).status_code == 303
    (after,) = identity.list_sessions(person_id)
    assert (before.id != after.id, after.tenant_id) == (True, other.tenant_id)
    assert browser.get("/desk/members").status_code == 403


def test_a_role_that_was_taken_away_meanwhile_is_told_and_nobody_is_signed_out(site):
    browser, person_id, other, there = signed_in_with_two_roles(site)
    browser.get("/account")
    identity.remove_member(other, UUID(there.partition(".")[2]))
    answered = browser.post("/account/switch", {"membership": there})
    assert (answered.status_code, answered.headers["Location"]) == (303, "/account")
    page = browser.get("/account", headers=EN)
    assert "That role is not yours any more." in page.text or "その役割" in page.text
    assert len(identity.list_sessions(person_id)) == 1


def test_somebody_without_a_role_is_told_so(site):
    email = site.new_person("viewer")
    owner = site.new_person("owner")
    assert owner
    (member,) = [m for m in identity.list_members(site.scope) if m.email == email]
    identity.remove_member(site.scope, member.membership_id)
    _, answered = typed(site, email)
    assert answered.status_code == 403
    assert "not a member of any organisation" in answered.text


def test_signing_out_everywhere_ends_the_other_browser(site):
    email = site.new_person("owner")
    here, there = site.sign_in(email), site.sign_in(email)
    page = here.get("/account", headers=EN)
    assert page.text.count('/end"') == 2
    answered = here.post("/account/sessions/end-all")
    assert answered.headers["Location"] == "/sign-in"
    for browser in (here, there):
        assert browser.get("/account").status_code == 303


def test_one_browser_is_signed_out_from_another(site):
    email = site.new_person("owner")
    here, there = site.sign_in(email), site.sign_in(email)
    page = here.get("/account")
    ways = re.findall(r'action="(/account/sessions/[0-9a-f-]{36}/end)"', page.text)
    (member,) = [m for m in identity.list_members(site.scope) if m.email == email]
    assert len(ways) == 2
    newest = identity.list_sessions(member.person_id)[0]
    (theirs,) = [way for way in ways if str(newest.id) in way]
    assert here.post(theirs).status_code == 303
    assert there.get("/account").status_code == 303
    assert here.get("/account").status_code == 200


def test_nobody_ends_a_session_of_another_person(site):
    mine, theirs = site.new_person("owner"), site.new_person("owner")
    here, there = site.sign_in(mine), site.sign_in(theirs)
    (member,) = [m for m in identity.list_members(site.scope) if m.email == theirs]
    (session,) = identity.list_sessions(member.person_id)
    here.get("/account")
    assert here.post(f"/account/sessions/{session.id}/end").status_code == 404
    assert there.get("/account").status_code == 200


def test_a_password_is_changed_and_other_browsers_are_out(site):
    email = site.new_person("owner")
    here, there = site.sign_in(email), site.sign_in(email)
    here.get("/account", headers=EN)
    new = "another word that is long"

    def change(present, password, again):
        fields = {"present": present, "password": password, "again": again}
        return here.post("/account/password", fields, headers=EN)

    assert "not your present password" in change("x", new, new).text
    assert "not the same" in change(PASSWORD, new, new + "x").text
    assert "A password has 12" in change(PASSWORD, "short", "short").text
    assert there.get("/account").status_code == 200
    assert change(PASSWORD, new, new).status_code == 303
    assert there.get("/account").status_code == 303
    assert here.get("/account").status_code == 200
    assert typed(site, email)[1].status_code == 422
    assert typed(site, email, new)[1].status_code == 303


def test_language_and_size_are_kept(site):
    browser = site.nobody()
    assert '<html lang="ja"' in browser.get("/sign-in").text
    answered = browser.post("/preferences", {"lang": "en", "size": "xl", "next": "/sign-in"})
    assert answered.headers["Location"] == "/sign-in"
    page = browser.get("/sign-in")
    assert '<html lang="en" data-size="xl"' in page.text
    browser.post("/preferences", {"lang": "xx", "size": "huge", "next": "/sign-in"})
    assert '<html lang="en" data-size="xl"' in browser.get("/sign-in").text


class TestDemonstration:
    @pytest.fixture
    def demo(self, site):
        """Write down who one may be, with the passkey that this machine holds for them."""
        email = site.new_person("owner", name="実演 花子")
        passkey, person_id = give_passkey(email)
        person = {"tenant": site.slug, "name": "実演 花子", "email": email, "role": "owner"}
        person |= {"id": str(person_id), "passkey": passkey}
        file = site.app.extensions["giftpad_settings"].home / "demo.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps({"password": PASSWORD, "people": [person]}), encoding="utf-8")
        yield email
        file.unlink()

    def test_at_the_machine_one_may_be_one_of_its_people(self, site, demo):
        browser = site.nobody()
        page = browser.get("/sign-in")
        assert demo in page.text
        assert "実演 花子" in page.text
        answered = browser.post("/sign-in/demonstration", {"email": demo})
        assert answered.headers["Location"] == "/desk"
        assert browser.follow(answered).status_code == 200

    def test_nobody_else_is_let_in_by_the_machine(self, site, demo):
        browser = site.nobody()
        browser.get("/sign-in")
        for email in (site.new_person("viewer"), "", demo.upper()):
            answered = browser.post("/sign-in/demonstration", {"email": email})
            assert answered.status_code == 422

    @pytest.mark.parametrize(
        ("base_url", "address", "headers"),
        [
            ("http://localhost:8000", "192.168.1.7", {}),
            ("https://giftpad.example", "127.0.0.1", {}),
            ("https://giftpad.example", "192.168.1.7", {}),
            ("http://localhost:8000", "127.0.0.1", {"X-Forwarded-For": "203.0.113.9"}),
            ("http://localhost:8000", "127.0.0.1", {"X-Real-IP": "203.0.113.9"}),
            ("http://localhost:8000", "127.0.0.1", {"Forwarded": "for=203.0.113.9"}),
            ("http://localhost:8000", "127.0.0.1", {"Via": "1.1 proxy"}),
        ],
    )
    def test_from_elsewhere_they_are_not_shown(self, site, demo, base_url, address, headers):
        page = site.app.test_client().get(
            "/sign-in",
            base_url=base_url,
            headers=headers,
            environ_base={"REMOTE_ADDR": address},
        )
        assert page.status_code == 200
        assert demo not in page.text
        assert PASSWORD not in page.text

    def test_from_elsewhere_nobody_is_let_in_as_one_of_them(self, site, demo):
        browser = site.nobody()
        browser.get("/sign-in")
        answered = browser.post(
            "/sign-in/demonstration", {"email": demo}, environ_base={"REMOTE_ADDR": "192.168.1.7"}
        )
        assert answered.status_code == 422

    @pytest.mark.parametrize("text", ["", "{", "[]", '{"people": [{}]}', '{"people": 1}'])
    @pytest.mark.usefixtures("demo")
    def test_a_broken_file_shows_nobody(self, site, text):
        file = site.app.extensions["giftpad_settings"].home / "demo.json"
        file.write_text(text, encoding="utf-8")
        assert site.nobody().get("/sign-in").status_code == 200
