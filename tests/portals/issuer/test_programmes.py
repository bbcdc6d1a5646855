"""Programmes at the desk: their rules in words, their figures, their print runs."""

from __future__ import annotations

import pytest

from giftpad.kernel.ids import new_id
from tests import make_coupons
from tests.make_pages import make_site
from tests.portals.issuer.counter import words


def desk(site, role="viewer"):
    browser = site.person(role)
    browser.headers["Accept-Language"] = "en"
    return browser


def address(site, more=""):
    return f"/desk/programmes/{site.town().programme_id}{more}"


def test_programmes_are_listed_with_their_state(site):
    said = words(desk(site).get("/desk/programmes"))
    assert "Living support coupon open KO" in said
    assert "Family support coupon open MK" in said


def test_the_rules_are_put_into_words(site):
    said = words(desk(site).get(address(site)))
    assert "A coupon is valid for 5 months" in said
    assert "Can be spent from its release" in said
    assert "Accepted in the areas 中央地区 · 北地区" in said
    assert "Most that one payment takes ¥5,000" in said
    assert "Value of one coupon ¥100 to ¥10,000" in said
    assert "Use it at the member shops of Midori City." in said
    assert "みどり市内の加盟店でお使いください。" not in said


def test_a_specimen_is_shown(site):
    answer = desk(site).get(address(site, "/paper.png"))
    assert answer.mimetype == "image/png"
    assert answer.data.startswith(b"\x89PNG")


def test_its_newest_print_runs_are_shown(site):
    browser = desk(site)
    assert "No coupons have been ordered yet." in words(browser.get(address(site)))
    batch_id = make_coupons.order(site.town(), 3)
    answer = browser.get(address(site))
    assert f'href="/desk/batches/{batch_id}"' in answer.text


def test_its_figures_are_shown_to_who_may_see_them(site):
    make_coupons.released(site.town(), site.settings, 4)
    assert "¥4,000 was issued." in words(desk(site).get(address(site)))
    assert "was issued." not in words(desk(site, "support").get(address(site)))


@pytest.mark.parametrize(("role", "status"), [("support", 200), ("counter", 200), ("clerk", 403)])
def test_only_staff_sees_programmes(site, role, status):
    for path in ("/desk/programmes", address(site)):
        assert desk(site, role).get(path).status_code == status
        assert site.nobody().get(path).status_code == 303


def test_a_programme_of_another_town_is_not_there(site, tmp_path):
    folder = tmp_path / "other"
    folder.mkdir()
    other = make_site(site.settings, folder, slug="hanamaru")
    for path in (address(site), address(site, "/paper.png"), f"/desk/programmes/{new_id()}"):
        assert desk(other).get(path).status_code == 404
