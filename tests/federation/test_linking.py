"""Linking the account one has at one's organisation, and taking the link away."""

from __future__ import annotations

import pytest

from giftpad import audit, identity, messaging
from giftpad.kernel.work import unit_of_work
from tests.make_idp import Way, address_in, connect, link
from tests.make_pages import PASSWORD
from tests.make_sessions import make_somebody

EN = {"Accept": "text/html", "Accept-Language": "en"}


def actions(scope) -> list[str]:
    with unit_of_work(scope) as work:
        return [entry.action for entry in audit.list_entries(work)]


def letters(scope) -> list[str]:
    with unit_of_work(scope) as work:
        return [message.template for message in messaging.list_messages(work)]


def test_a_link_is_recorded_and_told_to_its_person(site, linked):
    assert "connection.linked" in actions(site.scope)
    assert letters(site.scope) == ["security_notice"]


def test_an_account_links_nobody_without_the_password(site, idp, way):
    browser = site.sign_in(site.new_person("owner"))
    answered = link(browser, idp, way.connection.id, "not the password")
    assert answered.status_code == 422
    assert link(browser, idp, way.connection.id, "").status_code == 422
    assert idp.forms == []
    assert way.through(idp).status_code == 403


def test_a_link_is_taken_away_with_the_password_and_ends_what_it_opened(site, idp, way, linked):
    assert way.through(idp).status_code == 303
    browser = site.sign_in(linked)
    page = browser.get("/account", headers=EN).text
    assert f"/account/links/{way.connection.id}" in page
    assert "linked" in page
    address = f"/account/links/{way.connection.id}"
    browser.get(address)
    assert browser.post(f"{address}/end", {"present": "no"}).status_code == 422
    assert browser.post(f"{address}/end", {"present": PASSWORD}).status_code == 303
    assert way.browser.get("/desk").status_code == 303, "the session it opened goes on"
    assert browser.get("/desk").status_code == 200
    again = Way(browser=site.nobody(), slug=site.slug, connection=way.connection)
    assert again.through(idp).status_code == 403
    assert "connection.unlinked" in actions(site.scope)
    assert len(letters(site.scope)) == 2
    assert browser.post(f"{address}/end", {"present": PASSWORD}).status_code == 404


def test_an_account_of_somebody_else_is_not_linked_a_second_time(site, idp, way, linked):
    email = site.new_person("viewer", name="別人 一郎")
    answered = link(site.sign_in(email), idp, way.connection.id, PASSWORD)
    assert answered.status_code == 409
    assert linked not in answered.text
    assert "山田" not in answered.text
    assert way.through(idp).status_code == 303
    assert "山田" in way.browser.get("/account").text, "it is still the first one's"


def test_one_account_of_a_provider_is_enough(site, idp, way, linked):
    browser = site.sign_in(linked)
    browser.get(f"/account/links/{way.connection.id}")
    kept = {"present": PASSWORD}
    browser.post(f"/account/links/{way.connection.id}/end", kept)
    browser.get(f"/account/links/{way.connection.id}")
    first = address_in(browser.post(f"/account/links/{way.connection.id}", kept))
    assert first
    other = site.sign_in(linked)
    assert link(other, idp, way.connection.id, PASSWORD).status_code == 303
    idp.subject = "another-of-mine"
    late = browser.get("/sign-in/back", query_string=idp.sign_in(first))
    assert late.status_code == 409


def test_the_same_account_linked_twice_at_once_is_one_link_and_one_letter(site, idp, way):
    email = site.new_person("owner")
    browsers = [site.sign_in(email), site.sign_in(email)]
    addresses = []
    for browser in browsers:
        browser.get(f"/account/links/{way.connection.id}")
        answered = browser.post(f"/account/links/{way.connection.id}", {"present": PASSWORD})
        addresses.append(address_in(answered))
    for browser, address in zip(browsers, addresses, strict=True):
        back = browser.get("/sign-in/back", query_string=idp.sign_in(address))
        assert back.status_code == 303
    assert len(letters(site.scope)) == 1


def test_what_one_began_signed_in_does_not_end_signed_out_or_as_another(site, idp, way):
    email, other = site.new_person("owner"), site.new_person("viewer")
    browser = site.sign_in(email)
    browser.get(f"/account/links/{way.connection.id}")
    answered = browser.post(f"/account/links/{way.connection.id}", {"present": PASSWORD})
    brought = idp.sign_in(address_in(answered))
    way_cookie = browser.http.get_cookie("gp_way").value
    another = site.sign_in(other)
    another.http.set_cookie("gp_way", way_cookie)
    assert another.get("/sign-in/back", query_string=brought).status_code == 400
    browser.http.delete_cookie("gp_session")
    assert browser.get("/sign-in/back", query_string=brought).status_code == 400
    assert way.through(idp).status_code == 403


def test_who_came_by_their_organisation_links_no_more_without_a_password(site, idp, way, linked):
    way.through(idp)
    second = connect(site.scope, idp, name="もう一つ", client_id="another")
    way.browser.get("/account")
    assert link(way.browser, idp, second.id, "").status_code == 422


def test_nobody_links_a_connection_of_another_town(site, idp, way, scope_of_another):
    theirs = connect(scope_of_another, idp)
    browser = site.sign_in(site.new_person("owner"))
    assert browser.get(f"/account/links/{theirs.id}").status_code == 404
    assert link(browser, idp, theirs.id, PASSWORD).status_code == 404
    somebody = make_somebody(site.scope, "viewer")
    started = identity.start_federation(scope_of_another.tenant_id, theirs.id, source="here")
    asking = identity.Asking(
        person_id=somebody.person_id, session_id=somebody.membership_id, locale="ja"
    )
    with pytest.raises(identity.ConnectionNotFound):
        identity.link_account(asking, started[2], idp.sign_in(started[0]))
