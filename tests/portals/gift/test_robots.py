"""Programs that read people's mail open links, follow them, and send the forms they find.

Whatever they do, nothing is chosen, nothing counts as opened, and no row is written.
"""

from __future__ import annotations

import re
from collections import deque
from html import unescape

import pytest
import sqlalchemy as sa

from giftpad.kernel.db import Base
from giftpad.kernel.work import unit_of_work
from tests.make_pages import Browser
from tests.portals.gift.conftest import Sender

LOOKS = 20
PAGES_MOST, SENT_MOST = 120, 400
ANEW = ("csrf", "next")
"""What differs in each copy of a form."""
_FORM = re.compile(r"<form\b[^>]*>.*?</form>", re.DOTALL)
_FIELD = re.compile(
    r"<input\b[^>]*>|<button\b[^>]*>|<select\b.*?</select>|<textarea\b.*?</textarea>", re.DOTALL
)
_LINK = re.compile(r'<a\b[^>]*\bhref="([^"#]*)')
_OPTION = re.compile(r'<option\b[^>]*value="([^"]*)"[^>]*\bselected')


def _attribute(tag: str, name: str) -> str | None:
    found = re.search(rf'\b{name}="([^"]*)"', tag)
    return unescape(found[1]) if found else None


def read_forms(text: str, where: str) -> list[tuple[str, str, dict[str, str]]]:
    """Return method, address and values of every way to send a form as it is found.

    What a program cannot know is left as it is: what must be typed is empty, what must be ticked
    is not ticked; of a choice without an answer it takes the first.
    """
    ways = []
    for form in _FORM.findall(text):
        head = form[: form.index(">")]
        values: dict[str, str] = {}
        buttons: list[tuple[str, str]] = []
        for tag in _FIELD.findall(form):
            name = _attribute(tag, "name")
            if name is None:
                continue
            kind = _attribute(tag, "type") or "text"
            value = _attribute(tag, "value") or ""
            if tag.startswith("<button"):
                buttons.append((name, value))
            elif tag.startswith("<select"):
                chosen = _OPTION.search(tag)
                values[name] = unescape(chosen[1]) if chosen else ""
            elif tag.startswith("<textarea"):
                values[name] = unescape(tag.partition(">")[2].partition("<")[0])
            elif kind == "radio":
                if re.search(r"\bchecked\b", tag) or name not in values:
                    values[name] = value
            elif kind != "checkbox" or re.search(r"\bchecked\b", tag):
                values[name] = value
        method = (_attribute(head, "method") or "get").lower()
        action = _attribute(head, "action") or where
        ways += [(method, action, values | {name: value}) for name, value in buttons]
        ways += [(method, action, values)]
    return ways


def crawl(robot: Browser, link: str) -> list[str]:
    """Open a link and follow and send everything there is; return the addresses it sent to."""
    waiting, seen, sent, done = deque([link]), set(), [], set()
    while waiting and len(seen) < PAGES_MOST:
        path = waiting.popleft()
        if path in seen:
            continue
        seen.add(path)
        answer = robot.get(path)
        if answer.status_code == 303:
            waiting.append(answer.headers["Location"])
            continue
        if answer.mimetype != "text/html":
            continue
        text, here = answer.text, path
        for method, action, values in read_forms(text, here):
            if len(sent) >= SENT_MOST:
                break
            said = (action, *sorted(each for each in values.items() if each[0] not in ANEW))
            if method == "get" or said in done:
                continue  # a search is an address as any other, and endless
            done.add(said)
            sent.append(action)
            robot.get(here)  # whose token the form carries
            got = robot.post(action, values)
            if got.status_code == 303:
                waiting.append(got.headers["Location"])
                seen.discard(got.headers["Location"])  # it may look otherwise now
        waiting += [unescape(each) for each in _LINK.findall(text) if each.startswith("/g")]
    return sent


def count_rows(sender: Sender) -> dict[str, int]:
    """Count the rows of the tenant in every table."""
    with unit_of_work(sender.company.scope) as work:
        readable = sa.text("SELECT has_table_privilege(current_user, :name, 'SELECT')")
        return {
            name: work.session.execute(
                sa.select(sa.func.count())
                .select_from(table)
                .where(table.c.tenant_id == work.tenant_id)
            ).scalar_one()
            for name, table in Base.metadata.tables.items()
            if "tenant_id" in table.c
            and work.session.execute(readable, {"name": name}).scalar_one()
        }


@pytest.fixture
def untouched(sender, gift):
    """Whatever happens, the gift and all that there is beside it stay as they are."""
    before, rows = sender.letter(gift), count_rows(sender)
    assert len(rows) > 50
    yield
    assert sender.letter(gift) == before
    assert sender.opened_at(gift) is None
    after = count_rows(sender)
    assert {name: after[name] - rows[name] for name in rows if after[name] != rows[name]} == {}


@pytest.mark.usefixtures("untouched")
def test_twenty_looks_and_twenty_heads_change_nothing(gift, phone):
    for method in ("get", "head"):
        for _ in range(LOOKS):
            browser = phone()
            for path in (gift.path, "/g", "/g/choose"):
                answer = getattr(browser.http, method)(path, base_url="http://localhost:8000")
                assert answer.status_code in (200, 303)


@pytest.mark.usefixtures("untouched")
def test_a_robot_that_follows_everything_and_sends_every_form_changes_nothing(sender, gift, phone):
    sent = crawl(phone(), gift.path)
    assert {"/g/opened", "/g/address", "/g/review", "/g/preferences"} <= set(sent)
    chosen = {sender.path(code) for code in ("BEEF", "TOWEL", "SPA", "SEA")}
    assert chosen <= set(sent)  # it did get as far as choosing, in its own browser


@pytest.mark.usefixtures("untouched")
def test_what_goes_to_no_door_is_not_taken_without_a_tick(sender, gift, phone):
    robot = phone()
    robot.follow(robot.get(gift.path))
    for code in ("SPA", "SEA"):
        robot.get(sender.path(code))
        robot.follow(robot.post(sender.path(code), {"variant": sender.variant(code)}))
        robot.follow(robot.post("/g/address", {"name": "見本 花子"}))
        (values,) = [
            each
            for _, action, each in read_forms(robot.last.text, "/g/review")
            if action == "/g/review"
        ]
        answer = robot.post("/g/review", values)
        assert answer.status_code == 422
        assert "Please tick this" in answer.text


def test_a_person_finds_everything_as_before_after_a_robot(sender, gift, phone):
    crawl(phone(), gift.path)
    person = phone()
    letter = person.follow(person.get(gift.path))
    assert "Choose your gift" in letter.text
    assert "Go on where you were" not in letter.text
