"""A design's picture and colours reach a page, are kept by browsers, and can do nothing there."""

from __future__ import annotations

import pytest

from giftpad import designs
from giftpad.portals.gift_designs import art_href, colours_href


@pytest.fixture
def hrefs(site):
    """The two addresses of a design."""
    with site.app.test_request_context():
        design = designs.get_design("tsubaki")
        return art_href(design), colours_href(design)


def test_a_picture_is_a_drawing_that_runs_nothing_and_is_kept(site, hrefs):
    answer = site.nobody().get(hrefs[0])
    assert answer.status_code == 200
    assert answer.mimetype == "image/svg+xml"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert "immutable" in answer.headers["Cache-Control"]
    assert "Set-Cookie" not in answer.headers
    assert answer.text == designs.art_svg("tsubaki")


def test_the_colours_hold_for_this_design_only(site, hrefs):
    answer = site.nobody().get(hrefs[1])
    assert answer.mimetype == "text/css"
    assert answer.text.startswith('[data-design="tsubaki"]{--letter-paper:#')


@pytest.mark.parametrize(
    ("old", "new"), [("tsubaki", "nothing"), ("tsubaki-", "tsubaki-x"), ("tsubaki", "..%2ftenants")]
)
def test_an_address_that_is_not_known_is_not_found(site, hrefs, old, new):
    for href in hrefs:
        assert site.nobody().get(href.replace(old, new, 1)).status_code == 404
