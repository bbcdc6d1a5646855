"""The members of a desk: invited by a link, changed and removed by their owners only."""

from __future__ import annotations

import html
import re
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from giftpad import identity, shops
from giftpad.kernel.db import database
from giftpad.kernel.ids import new_id
from giftpad.kernel.work import unit_of_work
from tests import make
from tests.make_pages import FIRST_SHOP, PASSWORD

EN = {"Accept": "text/html", "Accept-Language": "en"}
NASTY = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"


def address():
    """Return an address nobody has."""
    return f"{new_id().hex[-12:]}@example.jp"


def invite(browser, **fields):
    """Fill the form in, and return the path of the link that is shown."""
    browser.get("/desk/members/invite", headers=EN)
    sent = {"name": "鈴木 一郎", "role": "viewer", "email": "", "shop": ""} | fields
    answered = browser.post("/desk/members/invite", sent, headers=EN)
    assert answered.status_code == 303, answered.text
    page = browser.follow(answered)
    found = re.search(r'value="(https?://[^"]+/join/[^"]+)"', page.text)
    assert found is not None, page.text
    return "/join/" + found[1].partition("/join/")[2]


def join(site, path, **fields):
    """Open a link and take it."""
    browser = site.nobody()
    page = browser.get(path, headers=EN)
    assert page.status_code == 200
    sent = {"name": "鈴木 一郎", "email": address(), "password": PASSWORD} | fields
    return browser, browser.post(path, sent, headers=EN)


def member_of(site, email):
    """Return the member with an address."""
    (found,) = [m for m in identity.list_members(site.scope) if m.email == email]
    return found


@pytest.fixture
def owner(site):
    """The browser of an owner."""
    return site.person("owner")


def test_a_link_makes_a_member(site, owner):
    path = invite(owner)
    email = address()
    browser, answered = join(site, path, email=email)
    assert (answered.status_code, answered.headers["Location"]) == (303, "/desk")
    assert browser.get("/account").status_code == 200
    page = owner.get("/desk/members", headers=EN)
    assert email in page.text
    assert member_of(site, email).role == "viewer"


def test_the_link_says_how_long_it_is_good_and_is_gone_with_the_invitation(site, owner):
    owner.get("/desk/members/invite", headers=EN)
    sent = {"name": "鈴木 一郎", "role": "viewer", "email": "", "shop": ""}
    answered = owner.post("/desk/members/invite", sent, headers=EN)
    (waiting,) = identity.list_invitations(site.scope)
    identity.revoke_invitation(site.scope, waiting.id)
    assert owner.follow(answered).headers["Location"] == "/desk/members"
    owner.get("/desk/members/invite", headers=EN)
    page = owner.get(owner.post("/desk/members/invite", sent, headers=EN).location, headers=EN)
    assert re.search(r"It is good until \d+ \w+ \d{4} \(\w{3}\) \d+:\d\d, and for one", page.text)
    assert 'data-copies="link" hidden' in page.text  # shown by the script that can copy


def test_the_page_to_join_has_the_looks_of_the_town(site, owner):
    page = site.nobody().get(invite(owner), headers=EN)
    assert re.search(rf'href="/theme/{site.slug}-\w+\.css"', page.text)
    assert re.search(rf'src="/theme/{site.slug}-\w+\.svg"', page.text)


def test_a_clerk_is_invited_for_a_shop_and_begins_at_the_till(site, owner):
    path = invite(owner, role="clerk", shop=FIRST_SHOP)
    email = address()
    _, answered = join(site, path, email=email)
    assert answered.headers["Location"] == "/shop"
    assert member_of(site, email).shop_id == site.shop_id()


def test_the_link_is_shown_once(owner):
    invite(owner)
    assert owner.get("/desk/members/invited").headers["Location"] == "/desk/members"


def test_a_long_list_asks_no_more_queries_than_a_short_one(site, owner):
    facts = shops.Facts(name="見本商店", area="中央")

    def count_queries():
        asked = []
        note = lambda *_: asked.append(1)  # noqa: E731 - taken off again by its name
        sa.event.listen(database().engine, "before_cursor_execute", note)
        page = owner.get("/desk/members")
        sa.event.remove(database().engine, "before_cursor_execute", note)
        assert page.status_code == 200
        return len(asked)

    few = count_queries()
    for number in range(7001, 7006):
        with unit_of_work(site.scope) as work:
            shop_id = shops.enrol(work, shops.NewShop(number=str(number), facts=facts))
        new = identity.NewInvitation(name="x", role="clerk", shop_id=shop_id)
        identity.invite(site.scope, new)
    assert count_queries() <= few + 1
    assert "(7005)" in owner.last.text


def test_a_link_opens_once(site, owner):
    path = invite(owner)
    assert join(site, path)[1].status_code == 303
    over = site.nobody().get(path, headers=EN)
    assert over.status_code == 404
    assert "not valid" in over.text


def test_of_two_at_once_one_joins(site, owner):
    path = invite(owner)

    def try_it(_):
        browser = site.nobody()
        browser.get(path)
        fields = {"name": "x", "email": address(), "password": PASSWORD}
        return browser.post(path, fields).status_code

    before = len(identity.list_members(site.scope))
    with ThreadPoolExecutor(4) as pool:
        codes = sorted(pool.map(try_it, range(4)))
    assert codes == [303, 404, 404, 404]
    assert len(identity.list_members(site.scope)) == before + 1


def test_looking_at_a_link_takes_nothing(site, owner):
    path = invite(owner)
    for _ in range(3):
        assert site.nobody().get(path).status_code == 200
        assert site.nobody().http.head(path).status_code == 200
    assert join(site, path)[1].status_code == 303


def test_a_withdrawn_link_opens_nothing(site, owner):
    path = invite(owner)
    page = owner.get("/desk/members")
    way = re.search(r'action="(/desk/members/invitations/[^"]+/withdraw)"', page.text)
    assert way is not None
    assert owner.post(way[1]).status_code == 303
    assert site.nobody().get(path).status_code == 404
    assert owner.post(way[1]).status_code == 404


def test_an_unknown_link_looks_like_one_that_is_over(site, owner):
    path = invite(owner)
    join(site, path)
    texts = {
        re.sub(r'value="[^"]*"|"X-CSRF-Token":"[^"]*"', "", site.nobody().get(each).text)
        for each in (path, path[:-1] + "0", path + "0", "/join/nowhere.abc")
    }
    assert len({re.sub(r"/join/[\w.-]+", "", text) for text in texts}) == 1


def test_somebody_known_is_asked_for_their_own_password(site, owner):
    email = address()
    other = make.make_tenant()
    new = identity.NewPerson(email=email, name="x", role="viewer", password=PASSWORD)
    identity.create_person(other, new)
    path = invite(owner)
    _, answered = join(site, path, email=email, password="another long password")
    assert answered.status_code == 422
    assert "Type the password of that account" in answered.text
    _, answered = join(site, path, email=email)
    assert answered.status_code == 303


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"password": "short"}, "A password has 12"),
        ({"email": "no address"}, "This is not an e-mail address."),
        ({"name": ""}, "Please fill this in."),
    ],
)
def test_what_is_wrong_stands_at_its_field(site, owner, fields, words):
    path = invite(owner)
    _, answered = join(site, path, **fields)
    assert answered.status_code == 422
    assert words in html.unescape(answered.text)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"role": "clerk"}, "belongs to one shop"),
        ({"role": "clerk", "shop": "no such"}, "no shop with this number"),
        ({"role": "viewer", "shop": FIRST_SHOP}, "belongs to no shop"),
        ({"role": "king"}, "choose one of these"),
        ({"role": ""}, "Please choose one."),
        ({"name": ""}, "fill this in"),
        ({"email": "no address"}, "not an e-mail address"),
    ],
)
def test_an_invitation_that_cannot_be_is_not_made(site, owner, fields, words):
    before = len(identity.list_invitations(site.scope))
    owner.get("/desk/members/invite", headers=EN)
    sent = {"name": "x", "role": "viewer", "email": "", "shop": ""} | fields
    answered = owner.post("/desk/members/invite", sent, headers=EN)
    assert answered.status_code == 422
    assert words in answered.text
    assert len(identity.list_invitations(site.scope)) == before


def test_a_role_is_changed_and_the_member_signs_in_again(site, owner):
    email = site.new_person("viewer")
    browser = site.sign_in(email)
    member = member_of(site, email)
    page = owner.get(f"/desk/members/{member.membership_id}/role", headers=EN)
    assert 'value="viewer" checked' in page.text
    answered = owner.post(f"/desk/members/{member.membership_id}/role", {"role": "owner"})
    assert answered.status_code == 303
    assert browser.get("/account").status_code == 303
    assert site.sign_in(email).get("/desk/members").status_code == 200


def test_a_member_who_is_removed_is_out_at_once(site, owner):
    email = site.new_person("viewer")
    browser = site.sign_in(email)
    member = member_of(site, email)
    assert browser.get("/account").status_code == 200
    page = owner.get(f"/desk/members/{member.membership_id}/remove", headers=EN)
    assert email in page.text
    assert owner.post(f"/desk/members/{member.membership_id}/remove").status_code == 303
    assert browser.get("/account").status_code == 303
    assert owner.get(f"/desk/members/{member.membership_id}/remove").status_code == 404


def test_nobody_changes_themselves(site):
    email = site.new_person("owner")
    browser = site.sign_in(email)
    own = member_of(site, email).membership_id
    page = browser.get(f"/desk/members/{own}/role", headers=EN)
    assert "You cannot change your own role." in page.text
    for way, fields in (("role", {"role": "viewer"}), ("remove", {})):
        answered = browser.post(f"/desk/members/{own}/{way}", fields, headers=EN)
        assert answered.status_code == 409
    assert member_of(site, email).role == "owner"


def test_others_do_not_see_members(site):
    some = member_of(site, site.new_person("owner"))
    for role in ("issuer", "approver", "support", "viewer", "clerk"):
        browser = site.person(role)
        for path in ("", "/invite", f"/{some.membership_id}/role", f"/{some.membership_id}/remove"):
            assert browser.get(f"/desk/members{path}").status_code == 403
        for path in ("/invite", f"/{some.membership_id}/role", f"/{some.membership_id}/remove"):
            answered = browser.post(f"/desk/members{path}", {"role": "owner"}, headers=EN)
            assert answered.status_code == 403
            assert "Your role does not allow this." in answered.text  # and not because of the form


def test_a_member_of_another_town_is_unknown(site, owner):
    foreign = make.make_tenant()
    new = identity.NewPerson(email=address(), name="x", role="viewer", password=PASSWORD)
    identity.create_person(foreign, new)
    (stranger,) = identity.list_members(foreign)
    owner.get("/desk/members")
    for way in ("role", "remove"):
        path = f"/desk/members/{stranger.membership_id}/{way}"
        assert owner.get(path).status_code == 404
        assert owner.post(path, {"role": "owner"}).status_code == 404


def test_what_people_typed_is_text_and_nothing_else(site, owner):
    path = invite(owner, name=NASTY)
    pages = [owner.get("/desk/members").text, site.nobody().get(path).text]
    email = address()
    browser, answered = join(site, path, name=NASTY, email=email)
    assert answered.status_code == 303
    member = member_of(site, email)
    pages += [
        browser.get("/account").text,
        owner.get("/desk/members").text,
        owner.get(f"/desk/members/{member.membership_id}/role").text,
        owner.get(f"/desk/members/{member.membership_id}/remove").text,
    ]
    for text in pages:
        assert "<script>alert" not in text
        assert "<img src=x" not in text
        assert "&lt;script&gt;" in text
