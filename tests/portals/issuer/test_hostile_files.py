"""Files of shops from hell, sent at the desk: each comes to a page that says what it is."""

from __future__ import annotations

import pytest

from giftpad import shops
from giftpad.kernel.work import unit_of_work
from tests.hostile import sheets
from tests.portals.issuer.counter import Counter, words
from tests.portals.issuer.test_shop_imports import upload

PAGE_MOST = 400_000
KINDS = {**sheets.REFUSED, **sheets.TAKEN}
SOME = {
    *("UTF-16 with its mark", "NULs", "a quote that never ends", "100,000 commas in a row"),
    *("a bomb", "markup", "tags nobody sees", "formulas", "markup in a name"),
}
"""The others come in the long run; tests/flows/test_hostile_input.py sends each to the API."""


def count_shops(desk: Counter) -> int:
    with unit_of_work(desk.site.scope) as work:
        return len(shops.list_shops(work, shops.ShopFilter(), limit=200).items)


@pytest.fixture
def desk(site) -> Counter:
    return Counter(site)


# A large file lies on the disk meanwhile, and the tests' client does not close it.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=[pytest.mark.long] * (kind not in SOME)) for kind in KINDS]
)
def test_a_hostile_file_is_told_on_a_page_and_changes_nothing(desk, kind):
    before = count_shops(desk)
    officer, answer = upload(desk, KINDS[kind])
    if answer.status_code == 303:
        desk.work_off()
        answer = officer.get(answer.headers["Location"])
        assert answer.status_code == 200, words(answer)
    else:
        assert kind in sheets.REFUSED
        assert answer.status_code in (413, 422), words(answer)
    assert answer.mimetype == "text/html"
    assert ("Take th" in words(answer)) == (kind in sheets.TAKEN), words(answer)
    assert len(answer.data) < PAGE_MOST
    assert "<img src=x" not in answer.text
    assert "<script>alert" not in answer.text
    assert "7777" not in answer.text or "{{7*7}}" in answer.text
    assert count_shops(desk) == before
