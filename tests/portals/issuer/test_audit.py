"""The audit log at the desk: found again by who, what and when, and taken away as a list."""

from __future__ import annotations

import ast
import csv
import io
import re
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from giftpad import audit, identity
from giftpad.kernel.work import Actor, Scope, unit_of_work
from giftpad.payments import receipt_number
from giftpad.portals.issuer import audit as audit_page
from giftpad.portals.issuer import deeds
from tests import make_coupons
from tests.house.tree import read_texts
from tests.make_pages import inputs, make_site
from tests.portals.issuer.counter import words

FORMULA = "=HYPERLINK(1)"
ACTION = re.compile(r"[a-z_]+\.[a-z_]+")


def desk(site, role="owner"):
    browser = site.person(role)
    browser.headers["Accept-Language"] = "en"
    return browser


def note(site, *, action="coupon.blocked", subject="coupon:KO-0000001", by=None, **details):
    scope = Scope(tenant_id=site.scope.tenant_id, actor=by or site.scope.actor)
    with unit_of_work(scope) as work:
        return audit.record(work, action=action, subject=subject, details=details)


def rows(answer):
    text = answer.get_data(as_text=True)
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


def test_an_entry_is_put_into_words(site):
    note(site, to="KO-0000009", count=9, reason="lost in the post")
    make_coupons.order(site.town(), 3)
    answer = desk(site).get("/desk/audit")
    said = words(answer)
    assert "Blocked coupons Coupon KO-0000001" in said
    assert "Up to KO-0000009 How many 9 Reason lost in the post" in said
    assert "Programme Living support coupon" in said
    assert "Value of one coupon ¥1,000" in said
    assert "Giftpad itself Applied the settings" in said
    assert "{'" not in answer.text
    assert 'href="/desk/coupons/KO-0000001"' in answer.text


def test_numbers_stand_where_machines_have_codes_and_one_coupon_is_no_range(site):
    note(site, to="KO-0000001", count=1, reason="only one")
    sealed, session = "ab" * 32, "01a1fe90-0000-7000-8000-000000000001"
    note(
        site, action="tenant.pack_applied", subject="tenant:1", pack_hash=sealed, changes=["opened"]
    )
    note(site, action="session.revoked", subject="person:1", sessions=[session, session])
    note(site, action="shop_import.ordered", subject="shop_import:1", size=9, is_dry=False)
    payment = "019a0000-0000-7000-8000-0000004f4d1f"
    note(site, action="payment.void", subject=f"payment:{payment}", amount_minor=100)
    make_coupons.order(site.town(), 3)
    answer = desk(site).get("/desk/audit")
    said = words(answer)
    assert "Up to" not in said
    assert sealed not in said
    assert session not in said
    assert '<code lang="en">opened</code>' in answer.text
    assert "Sign-ins that were ended 2" in said
    assert "To be checked only" not in said
    assert f"Payment {receipt_number(UUID(payment))}" in said
    assert "Print run KO-0000001" in said
    (told,) = (
        row for row in rows(desk(site).get("/desk/audit/log.csv")) if sealed in row["Details"]
    )
    assert told["Action"] == "tenant.pack_applied"


def test_the_log_is_filtered_by_what_and_who(site):
    browser = desk(site)
    (owner,) = (one for one in identity.list_members(site.scope) if one.role == "owner")
    note(site, reason="first")
    note(site, reason="second", by=Actor(kind="person", id=str(owner.person_id)))
    note(site, action="shop.suspended", subject="shop:1", reason="third")
    said = words(browser.get("/desk/audit?family=coupon"))
    assert "first" in said
    assert "third" not in said
    said = words(browser.get(f"/desk/audit?actor={owner.person_id}"))
    assert "Reason second" in said
    assert "Reason first" not in said


def test_the_log_is_filtered_by_days_of_the_town(site):
    browser = desk(site)
    note(site, reason="now")
    today = (datetime.now(UTC) + timedelta(hours=9)).date()
    day = timedelta(days=1)
    for first, last, is_there in (
        (today, today, True),
        (today - day, today + day, True),
        (today + day, "", False),
        ("", today - day, False),
    ):
        said = words(browser.get(f"/desk/audit?first={first}&last={last}"))
        assert ("Blocked coupons" in said.split("Details", 1)[-1]) == is_there, (first, last)


def test_a_day_that_is_none_is_said_and_stays(site):
    answer = desk(site).get("/desk/audit?first=yesterday&family=coupon")
    assert answer.status_code == 422
    assert "Please give the day as year, month, day" in words(answer)
    (typed,) = [i for i in inputs(answer.text) if i.get("name") == "first"]
    assert typed["value"] == "yesterday"
    assert desk(site).get("/desk/audit/log.csv?first=yesterday").status_code == 422
    assert desk(site).get("/desk/audit?family=nothing").status_code == 422


def test_a_long_log_is_turned_page_by_page(site, monkeypatch):
    monkeypatch.setattr(audit_page, "ROWS", 3)
    for number in range(7):
        note(site, reason=f"reason {number}")
    browser, path, seen = desk(site), "/desk/audit?family=coupon", []
    for _ in range(3):
        answer = browser.get(path)
        seen.append(re.findall(r"reason \d", words(answer)))
        found = re.search(r'href="(/desk/audit\?[^"]*before=[^"]*)"', answer.text)
        path = found[1].replace("&amp;", "&") if found else ""
    assert [len(numbers) for numbers in seen] == [3, 3, 1]
    assert seen[0] + seen[1] + seen[2] == [f"reason {n}" for n in range(6, -1, -1)]
    assert path == ""


def test_the_list_to_take_away_has_all_and_no_formula(site, monkeypatch):
    monkeypatch.setattr(audit_page, "CSV_ROWS", 3)
    for number in range(7):
        note(site, subject=f"coupon:{FORMULA}", reason=f"{number}")
    machine = Actor(kind="client", id="@SUM(1)", client_id="@SUM(1)")
    note(site, action="coupon.unblocked", by=machine)
    answer = desk(site).get("/desk/audit/log.csv?family=coupon&before=2")
    found = rows(answer)
    assert len(found) == 8
    assert found[0]["Who"] == "'@SUM(1)"
    assert found[1]["In words"] == "Blocked coupons"
    assert found[1]["Details"] == "Reason: 6"
    for row in found:
        assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in row.values())
    numbers = [int(row["Number"]) for row in found]
    assert numbers == sorted(numbers, reverse=True)


def test_what_somebody_wrote_is_text(site):
    note(site, reason="<img src=x onerror=alert(1)> {x} {", odd={"a": [1, {"b": 2}]})
    answer = desk(site).get("/desk/audit")
    assert answer.status_code == 200
    assert "<img src=x" not in answer.text
    assert "<img src=x onerror=alert(1)> {x} {" in words(answer)


def test_an_action_that_nobody_put_into_words_is_shown_by_its_code(site):
    note(site, action="strange.done", subject="strange:1")
    assert "strange.done" in words(desk(site).get("/desk/audit"))


@pytest.mark.parametrize(("role", "status"), [("viewer", 200), ("issuer", 403), ("clerk", 403)])
def test_only_some_may_read_the_log(site, role, status):
    for path in ("/desk/audit", "/desk/audit/log.csv"):
        assert desk(site, role).get(path).status_code == status
        assert site.nobody().get(path).status_code == 303


def test_the_log_of_another_town_is_not_there(site, tmp_path):
    folder = tmp_path / "other"
    folder.mkdir()
    other = make_site(site.settings, folder, slug="hanamaru")
    note(site, reason="a secret of the town")
    for path in ("/desk/audit", "/desk/audit/log.csv"):
        assert "a secret of the town" not in desk(other).get(path).get_data(as_text=True)


def actions_in(text):
    """Return the actions that a file puts on record, as far as it writes them out."""
    for node in ast.walk(ast.parse(text)):
        asked = []
        if isinstance(node, ast.Call):
            asked = [key.value for key in node.keywords if key.arg == "action"]
            if getattr(node.func, "id", "") == "_note":
                asked = node.args
        for found in (const for value in asked for const in ast.walk(value)):
            if isinstance(found, ast.Constant) and ACTION.fullmatch(str(found.value)):
                yield found.value


OF_THE_INSTALLATION = {"admission.set", "feature.off", "feature.on"}
"""What is done to the whole installation stands in its own record, which no town's page shows."""


def test_every_action_of_the_house_has_its_words():
    found = {a for _, text in read_texts("giftpad/*.py") for a in actions_in(text)}
    assert len(found) > 20
    assert found - set(deeds.ACTIONS) == OF_THE_INSTALLATION
    families = tuple(f"{family}." for family in deeds.FAMILIES)
    for action in deeds.ACTIONS:
        assert action.startswith(families), action


def test_the_list_tells_the_time_of_its_tenant(site, monkeypatch):
    monkeypatch.setattr("giftpad.portals.words.DEFAULT_ZONE", "Pacific/Honolulu")
    note(site)
    with unit_of_work(site.scope) as work:
        (entry,) = audit.list_entries(work, audit.EntryFilter(limit=1))
    told = f"{entry.at.astimezone(ZoneInfo('Asia/Tokyo')):%Y-%m-%d %H:%M:%S}"
    listed = rows(desk(site).get("/desk/audit/log.csv"))
    assert told in [row["Date and time"] for row in listed if row["Number"] == str(entry.seq)]
