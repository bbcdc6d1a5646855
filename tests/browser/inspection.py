"""What can be said about a page in a browser: barriers, languages, weight, strangers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from babel.messages.pofile import read_po
from playwright.sync_api import Browser, BrowserContext, Page, Request

from tests.browser.catalogue import Sight
from tests.browser.scenes import Scenes
from tests.browser.visitor import DESK, OWN_HOSTS, PHONE, Visitor, visit

ROOT = Path(__file__).resolve().parents[2]
CATALOGUE = ROOT / "translations" / "ja" / "LC_MESSAGES" / "messages.po"
SOURCES = ROOT / "translations" / "messages.pot"

RULES = (
    *("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"),
    *("section508", "EN-301-549"),
)
AXE_OPTIONS = {
    "runOnly": {"type": "tag", "values": list(RULES)},
    "resultTypes": ["violations"],
}
FIRST_FAULT = 400
PARTS = ("stylesheet", "script", "font", "image")
KILO = 1000
LIMITS = {
    "desk": {"all": 300 * KILO, "script": 25 * KILO, "stylesheet": 14 * KILO},
    "shop": {"all": 150 * KILO, "script": 40 * KILO, "stylesheet": 14 * KILO},
    "holder": {"all": 150 * KILO, "script": 25 * KILO, "stylesheet": 14 * KILO},
    "gift": {"all": 150 * KILO, "script": 25 * KILO, "stylesheet": 14 * KILO},
}
"""What a first view may carry over the wire, without fonts and the scanner's wasm."""

FONT_MOST = 115 * KILO
"""What the fonts of the regular weight may weigh together."""

TITLE = re.compile(r"\S.* - Giftpad")

JAPANESE = re.compile("[\u3001\u3002\u3041-\u30fa\u30fc-\u30ff\u3400-\u9fff\uff66-\uff9d]")
THREE_WORDS = re.compile(r"\b[A-Za-z][a-z'’]+[ ,]+[A-Za-z]?[a-z'’]+[ ,]+[A-Za-z]?[a-z'’]+\b")
_HOLE = re.compile(r"\\{[a-z_]+\\}")
_END = re.compile(r"(?<=\.) ")
_WORD = re.compile(r"[A-Za-z]{3}")

# Data is marked: names of people, shops and towns, numbers and codes, what somebody typed.
_COLLECT = """() => {
  const DATA = '.gp-data, .gp-serial, code, textarea, script, style, [data-data]';
  const SAID = ['aria-label', 'title', 'placeholder', 'alt', 'data-busy'];
  const out = [];
  const walk = (node, lang) => {
    for (const child of [...node.childNodes]) if (child.nodeName === 'WBR') child.remove();
    node.normalize();
    for (const child of node.childNodes) {
      if (child.nodeType === Node.TEXT_NODE) {
        const text = child.data.replace(/\\s+/g, ' ').trim();
        if (text) out.push([text, lang]);
      } else if (child.nodeType === Node.ELEMENT_NODE && !child.matches(DATA)) {
        const own = child.getAttribute('lang') || lang;
        for (const name of SAID) {
          const text = child.getAttribute(name);
          if (text) out.push([text, own]);
        }
        walk(child instanceof HTMLTemplateElement ? child.content : child, own);
      }
    }
  };
  walk(document.body.cloneNode(true), document.documentElement.lang);
  return out;
}"""

# Also those that are fetched only when somebody scrolls to them.
_ALL_PICTURES = """() => Promise.all([...document.images].map((image) => {
  image.loading = 'eager';
  return image.decode().catch(() => undefined);
}))"""


def find_barriers(page: Page) -> list[str]:
    """Return what axe finds on a page, one line a place."""
    results = Axe().run(page, options=AXE_OPTIONS)
    return [
        f"{found['id']}: {' '.join(node['target'])}: {node['html'][:160]}"
        for found in results.response["violations"]
        for node in found["nodes"]
    ]


def read_texts(page: Page) -> list[tuple[str, str]]:
    """Return every text of a page that is not data, with the language it is said to be in."""
    return [(text, lang) for text, lang in page.evaluate(_COLLECT)]


def find_foreign(page: Page, locale: str) -> list[str]:
    """Return the texts of a page that are not in its language."""
    texts = [text for text, lang in read_texts(page) if lang == locale]
    is_foreign = _is_untranslated if locale == "ja" else _is_japanese
    return [text for text in texts if is_foreign(text)]


@cache
def _sentences() -> tuple[frozenset[str], re.Pattern[str]]:
    """Return the English sentences that have Japanese words, plain ones and those with holes."""
    with CATALOGUE.open("rb") as file:
        known = {str(each.id): str(each.string) for each in read_po(file) if each.id}
    with SOURCES.open("rb") as file:
        known |= {str(each.id): "" for each in read_po(file) if each.id and each.id not in known}
    texts = {text for text, said in known.items() if said != text and _WORD.search(text)}
    holed = [
        _HOLE.sub(".+?", re.escape(text))
        for text in texts
        if "{" in text and _WORD.search(_HOLE.sub("", re.escape(text)))
    ]
    return frozenset(texts), re.compile("|".join(holed))


def _is_japanese(text: str) -> bool:
    """Whether there is Japanese in it that is no name in an English sentence."""
    sentences = [text] if _sentences()[1].fullmatch(text) else _END.split(text)
    return any(JAPANESE.search(one) and not _sentences()[1].fullmatch(one) for one in sentences)


def _is_untranslated(text: str) -> bool:
    plain, holed = _sentences()
    if text in plain or (THREE_WORDS.search(text) and not JAPANESE.search(text)):
        return True
    return holed.fullmatch(text) is not None and not JAPANESE.search(text)


@dataclass
class Load:
    """What a page has fetched since this began."""

    finished: list[Request] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def watch(self, context: BrowserContext) -> None:
        """Note everything that the pages of a context fetch from now on."""
        context.on("requestfinished", lambda request: self.finished.append(request))  # noqa: PLW0108 - a built-in cannot listen
        context.on("requestfailed", self._note_failure)

    def _note_failure(self, request: Request) -> None:
        # What a page leaves behind when it is left is no fault of it.
        if request.resource_type in PARTS and "ABORTED" not in (request.failure or ""):
            self.failed.append(f"{request.failure} {urlsplit(request.url).path}")

    def weights(self) -> dict[str, int]:
        """Return the bytes of the answers by kind: document, script, stylesheet, font …"""
        found: dict[str, int] = {}
        for request in self._served():
            sizes = request.sizes()
            kind = "wasm" if request.url.endswith(".wasm") else request.resource_type
            weight = sizes["responseBodySize"] + sizes["responseHeadersSize"]
            found[kind] = found.get(kind, 0) + weight
        return found

    def missing(self) -> list[str]:
        """Return what a page asked for beside itself and did not get."""
        return self.failed + [
            f"{response.status} {urlsplit(request.url).path}"
            for request in self.finished
            if request.resource_type not in ("document", "fetch", "xhr")
            and (response := request.response()) is not None
            and response.status >= FIRST_FAULT
        ]

    def status(self) -> int | None:
        """Return the status of the newest page."""
        for request in reversed(self.finished):
            response = request.response()
            if request.resource_type == "document" and response is not None:
                return response.status
        return None

    def regular_fonts(self) -> int:
        """Return the bytes of the fonts that a first view cannot do without."""
        fonts = (r for r in self._served() if r.resource_type == "font" and "-400" in r.url)
        return sum(request.sizes()["responseBodySize"] for request in fonts)

    def _served(self) -> Iterator[Request]:
        seen = set()
        for request in self.finished:
            # What the shop app puts by for later is not part of a first view.
            if request.service_worker is not None or request.response() is None:
                continue
            if request.url not in seen:
                seen.add(request.url)
                yield request


def size_for(sight: Sight, locale: str) -> dict[str, int]:
    """Return the size a sight is tested at: in Japanese its own, in English the other one."""
    is_wide = (sight.kind == "desk") == (locale == "ja")
    return DESK if is_wide else PHONE


@contextmanager
def looking(
    browser: Browser, scenes: Scenes, sight: Sight, *, locale: str, size: dict[str, int]
) -> Iterator[tuple[Visitor, Load]]:
    """Bring somebody who has never been here to a sight, with an empty cache."""
    options = {"storage_state": scenes.signed_in(sight.who)} if sight.who else {}
    with visit(
        browser, scenes.address, scenes.product.home, locale=locale, size=size, **options
    ) as visitor:
        load = Load()
        load.watch(visitor.context)
        sight.way(visitor, scenes)
        visitor.page.evaluate(_ALL_PICTURES)
        yield visitor, load
        visitor.page.unroute_all(behavior="ignoreErrors")


def find_faults(sight: Sight, visitor: Visitor, load: Load, locale: str) -> list[str]:
    """Return everything that is wrong with the page a visitor stands on, one line each."""
    page = visitor.page
    faults = [f"axe: {line}" for line in find_barriers(page)]
    faults += [f"not {locale}: {text}" for text in find_foreign(page, locale)]
    faults += [f"missing: {line}" for line in load.missing()]
    faults += [f"console: {line}" for line in visitor.faults]
    faults += [f"stranger: {host}" for host in sorted(visitor.hosts - OWN_HOSTS)]
    if load.status() != sight.status:
        faults.append(f"status {load.status()}, not {sight.status}: {page.url}")
    if (headings := page.locator("h1:visible").count()) != 1:
        faults.append(f"{headings} headings of the first level")
    if (lang := page.locator("html").get_attribute("lang")) != locale:
        faults.append(f"the page says it is in {lang}")
    if not _is_title(page, locale):
        faults.append(f"title: {page.title()}")
    if (over := page.evaluate("document.documentElement.scrollWidth - innerWidth")) > 0:
        faults.append(f"{over} px too wide")
    return faults + (find_weight(sight, load) if sight.path else [])


def _is_title(page: Page, locale: str) -> bool:
    """Whether a page's title has its form and language; it may be the name of what it shows."""
    title = page.title()
    head = title.partition(" - ")[0].removeprefix("Error: ").removeprefix("エラー: ")
    is_foreign = locale == "en" and _is_japanese(head)
    is_name = head in page.locator("h1.gp-data, h1 .gp-data").all_inner_texts()
    return TITLE.fullmatch(title) is not None and (is_name or not is_foreign)


def find_weight(sight: Sight, load: Load) -> list[str]:
    """Return where a first view is heavier than it may be."""
    weights = load.weights()
    weights["all"] = sum(n for kind, n in weights.items() if kind not in ("font", "wasm"))
    limits = LIMITS[sight.kind]
    faults = [
        f"{kind} weighs {weights[kind]:,} bytes, {most:,} are allowed"
        for kind, most in limits.items()
        if weights.get(kind, 0) > most
    ]
    if (fonts := load.regular_fonts()) > FONT_MOST:
        faults.append(f"fonts weigh {fonts:,} bytes, {FONT_MOST:,} are allowed")
    return faults
