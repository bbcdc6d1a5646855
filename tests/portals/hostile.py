"""A town in which whatever people type is hostile, and somebody who opens every page of it."""

from __future__ import annotations

import csv
import html
import io
import re
from collections import Counter, deque
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

from tests import make_packs
from tests.make_pages import Browser

TAGS = '"><img src=x onerror=alert(1)>'
MARK = TAGS + "<script>alert(2)</script>{n}"
LABEL = TAGS + "{{7*7}}"
SHORT = "<img src=x>"
FORMULAS = (
    *("=1+1", "+1+1", "-1+1", "@SUM(1)", "\uff1d1+1", "\t=1+1", "\r=1+1"),
    '=HYPERLINK("https://evil.example","x")',
)
GUARDED = re.compile("[=+\\-@\t\r\n\0\uff0b\uff0d\uff1d\uff20]")
_HREF = re.compile(r'(?:href|hx-get|src)="(/[^"#]*)"')
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SERIAL = re.compile(r"\b(KO|MK)-\d{7,}")
EACH_MOST = 3
NO_TEXT = re.compile(r"^/(assets|theme)/|\.(png|pdf|svg|js)$")


def spoil(folder: Path) -> None:
    """Put the marks into every name of a pack and onto the paper."""
    for file, old, new in (
        ("tenant.toml", '"みどり市（架空）"', TAGS),
        ("tenant.toml", '"Midori City (fictional)"', LABEL),
        ("tenant.toml", '"みどり市 商工振興課 商品券係"', SHORT),
        ("tenant.toml", '"平日 午前9時から午後5時"', LABEL),
        ("programmes/kurashi.toml", '"暮らし応援券"', TAGS),
        ("programmes/kurashi.toml", '"北地区"', LABEL),
        ("programmes/kurashi.toml", '"みどり市内の加盟店でお使いください。"', LABEL),
        ("programmes/miraikko.toml", '"Family support coupon"', LABEL),
    ):
        make_packs.change(folder, file, old, f"'{new}'")


@dataclass
class Walker:
    """Somebody who follows every link that a page offers, and keeps what came."""

    browser: Browser
    seen: dict[str, tuple[int, str, str]] = field(default_factory=dict)
    kinds: Counter[str] = field(default_factory=Counter)

    def walk(self, *starts: str) -> dict[str, tuple[int, str, str]]:
        """Open pages from ``starts`` on; of pages that differ by their object only, some."""
        waiting = deque(starts)
        while waiting:
            path = waiting.popleft()
            kind = _SERIAL.sub("*", _UUID.sub("*", urlsplit(path).path))
            if path in self.seen or self.kinds[kind] >= EACH_MOST or NO_TEXT.search(kind):
                continue
            self.kinds[kind] += 1
            answer = self.browser.get(path)
            is_text = answer.mimetype.startswith("text/")
            text = answer.text if is_text else ""
            self.seen[path] = answer.status_code, answer.mimetype, text
            if answer.status_code in (302, 303):
                waiting.append(answer.headers["Location"])
            if answer.mimetype == "text/html":
                waiting += [html.unescape(found) for found in _HREF.findall(text)]
        return self.seen


class _Reader(HTMLParser):
    """Reads a page as a browser does, and notes what only an attacker would have put there."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        is_inline = tag == "script" and "src" not in given
        is_ours = given.get("src") != "x" and not any(name.startswith("on") for name in given)
        if is_inline or not is_ours or tag in ("iframe", "object", "embed", "base"):
            self.found.append(self.get_starttag_text() or tag)


def find_markup(text: str) -> list[str]:
    """Return the elements of a page that can only come from what somebody typed."""
    reader = _Reader()
    reader.feed(text)
    return reader.found


def find_formulas(text: str) -> list[str]:
    """Return the cells of a CSV file that a spreadsheet would calculate."""
    rows = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""))
    return [cell for row in rows for cell in row if GUARDED.match(cell)]
