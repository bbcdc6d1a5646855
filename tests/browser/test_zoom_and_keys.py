"""Larger, by keyboard alone, in other colours: nothing is lost.

A window half as wide is what a browser has left at 200 % zoom; 320 px is what WCAG's reflow asks
of pages for people.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.catalogue import SIGHTS
from tests.browser.inspection import find_barriers, looking
from tests.browser.scenes import CLERK, ISSUER, OWNER, SUPPORT, TOWN
from tests.browser.visitor import DESK, PHONE, visit

pytestmark = pytest.mark.slow

ZOOMED = {"desk": {"width": 720, "height": 500}}
NARROW = {"width": 320, "height": 640}
LARGEST = {"name": "gp_size", "value": "xl"}
STOPS_MOST = 60
BY_NAME = {sight.name: sight for sight in SIGHTS}
MANY = (
    *("overview", "batches", "batch ready", "batch order check", "coupon partly", "shops"),
    *("shop change", "shops import faults", "payments", "payment refund", "audit", "members"),
    *("shop scan", "shop pad", "shop confirm", "shop accepted", "shop refused balance"),
    *("shop today", "balance", "town", "town slip", "town shops", "sign-in", "error 404"),
)
"""The sights where most could be lost; the others are made of the same parts."""
ALWAYS = {
    *(
        "overview",
        "batch order check",
        "shops import faults",
        "payments",
        "shop pad",
        "shop confirm",
    ),
    *("balance", "town shops"),
}
"""Those that every run of the tests looks at."""

COLOURED = ("overview", "batch ready", "shop scan", "shop pad", "shop refused blocked", "balance")

# What stands outside of the page to the side, is covered by something else, or cut off.
_LOST = """() => {
  const CONTROLS = 'a[href], button, input, select, textarea, summary';
  const TEXTS = 'button, h1, h2, h3, label, .gp-chip, .gp-amount';
  const visible = (each) => each.checkVisibility({ visibilityProperty: true });
  const nameOf = (each) => (each.ariaLabel || each.innerText || each.name || each.id).trim();
  const lost = [];
  if (document.documentElement.scrollWidth > innerWidth)
    lost.push(`the page is ${document.documentElement.scrollWidth} px wide`);
  for (const each of document.querySelectorAll(CONTROLS)) {
    if (!visible(each) || each.closest('.gp-skip, .gp-scroll')) continue;
    each.scrollIntoView({ block: 'center', behavior: 'instant' });
    const box = each.getClientRects()[0];
    if (box === undefined || box.width < 1) continue;
    if (box.left < -1 || box.right > innerWidth + 1) {
      lost.push(`out of sight: ${nameOf(each)}`);
      continue;
    }
    const top = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
    const label = each.closest('label') ?? document.querySelector(`label[for="${each.id}"]`);
    if (top === null || !(each.contains(top) || top.contains(each) || label?.contains(top)))
      lost.push(`covered: ${nameOf(each)} by ${top?.className ?? 'nothing'}`);
  }
  for (const each of document.querySelectorAll(TEXTS)) {
    if (!visible(each) || each.closest('.gp-scroll, .gp-sr') || !each.clientWidth) continue;
    const isCut = getComputedStyle(each).overflowX !== 'visible';
    if (isCut && each.scrollWidth > each.clientWidth + 2) lost.push(`cut off: ${nameOf(each)}`);
  }
  return lost;
}"""

_FOCUS = """() => {
  const at = document.activeElement;
  if (at === null || at === document.body) return null;
  const shape = (node) => {
    const style = getComputedStyle(node);
    return [style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2,
            style.boxShadow !== 'none'].some(Boolean);
  };
  const parts = [at, at.closest('label'), at.parentElement].filter(Boolean);
  const box = at.getBoundingClientRect();
  return {
    name: (at.ariaLabel || at.innerText || at.name || at.id || '').trim(),
    tag: at.tagName, id: at.id, value: at.value ?? '', href: at.getAttribute('href') ?? '',
    action: at.form ? new URL(at.form.action, location.href).pathname : '',
    marked: parts.some(shape),
    seen: box.bottom > 0 && box.top < innerHeight && box.width > 0,
  };
}"""


def _each(names, always=ALWAYS):
    return [
        pytest.param(name, marks=() if name in always else (pytest.mark.long,)) for name in names
    ]


@pytest.mark.parametrize("name", _each(MANY))
def test_twice_as_large_loses_nothing(chromium, scenes, name):
    sight = BY_NAME[name]
    size = ZOOMED.get(sight.kind, NARROW)
    with looking(chromium, scenes, sight, locale="en", size=size) as (visitor, _):
        lost = visitor.page.evaluate(_LOST)
        if sight.kind != "desk":
            visitor.context.add_cookies([LARGEST | {"url": visitor.address}])
            visitor.page.evaluate("document.documentElement.dataset.size = 'xl'")
            lost += [f"in the largest text: {line}" for line in visitor.page.evaluate(_LOST)]
    assert lost == []


@pytest.mark.parametrize("name", _each(COLOURED, {"overview", "shop pad", "balance"}))
@pytest.mark.parametrize("colours", ["dark", "forced"])
def test_other_colours_hide_no_text(chromium, scenes, name, colours):
    sight = BY_NAME[name]
    size = DESK if sight.kind == "desk" else PHONE
    with looking(chromium, scenes, sight, locale="ja", size=size) as (visitor, _):
        if colours == "dark":
            visitor.page.emulate_media(color_scheme="dark")
            faults = [f for f in find_barriers(visitor.page) if f.startswith("color-contrast")]
        else:
            visitor.page.emulate_media(forced_colors="active")
            faults = visitor.page.evaluate(_SAME_COLOUR)
    assert faults == []


_SAME_COLOUR = """() => {
  const solid = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if (!/, 0\\)$/.test(colour) && colour !== 'transparent') return colour;
    }
    return 'none';
  };
  return [...document.querySelectorAll('h1, h2, p, a, button, label, input, td, th, dd')]
    .filter((each) => each.checkVisibility() && each.innerText)
    .filter((each) => getComputedStyle(each).color === solid(each))
    .map((each) => each.innerText);
}"""


class Keys:
    """Somebody without a mouse: Tab, Enter, Space, arrows and letters, and eyes for the focus."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def stop(self) -> dict[str, object]:
        """Go on to the next stop, which has to show that it has the focus."""
        self.page.keyboard.press("Tab")
        at = self.page.evaluate(_FOCUS)
        if at is None:
            return {"name": "", "id": "", "tag": "BODY", "href": "", "action": "", "value": ""}
        assert at["marked"], f"the focus is not to be seen: {at}"
        assert at["seen"], f"the focus is out of sight: {at}"
        return at

    def reach(self, is_it: Callable[[dict[str, object]], bool]) -> None:
        """Press Tab until the stop that is wanted."""
        passed = []
        for _ in range(STOPS_MOST):
            at = self.stop()
            if is_it(at):
                return
            passed.append(at["name"] or at["id"])
        message = f"not reached by Tab; passed {passed}"
        raise AssertionError(message)

    def field(self, name: str, text: str) -> None:
        """Fill in a field."""
        self.reach(lambda at: at["id"] == name)
        self.page.keyboard.press("Control+A")
        self.page.keyboard.type(text)

    def link(self, href: str) -> None:
        """Follow the link whose address ends so."""
        self.reach(lambda at: at["tag"] == "A" and re.search(href, str(at["href"])) is not None)
        self.press()

    def button(self, action: str) -> None:
        """Press the button that sends the form whose address ends so."""
        self.reach(
            lambda at: at["tag"] == "BUTTON" and re.search(action, str(at["action"])) is not None
        )
        self.press()

    def press(self) -> None:
        """Press what has the focus, and wait for the page that comes."""
        with self.page.expect_navigation():
            self.page.keyboard.press("Enter")


@pytest.fixture
def somebody(chromium, scenes):
    """Open a page for somebody with a keyboard; English, so that a failure can be read."""
    opened = []

    def begin(path, who=None, size=DESK):
        options = {"storage_state": scenes.signed_in(who, is_lately=True)} if who else {}
        window = visit(
            *(chromium, scenes.address, scenes.product.home),
            locale="en",
            size=size,
            **options,
        )
        visitor = window.__enter__()
        opened.append((window, visitor))
        return Keys(visitor.open(path))

    yield begin
    for window, visitor in opened:
        window.__exit__(None, None, None)
        visitor.check()


def test_signing_in(somebody, scenes):
    keys = somebody("/sign-in")
    assert keys.stop()["href"] == "#main"  # first of all the way past the head
    keys.field("email", ISSUER)
    keys.field("password", scenes.password)
    keys.press()
    expect(keys.page).to_have_url(re.compile(r"/desk$"))


def test_ordering_coupons(somebody):
    keys = somebody("/desk/batches", ISSUER)
    keys.link("/batches/new$")
    keys.reach(lambda at: at["tag"] == "INPUT" and at["id"] != "quantity")
    keys.page.keyboard.press("Space")
    keys.field("quantity", "2")
    keys.field("face_value", "500")
    keys.press()
    expect(keys.page).to_have_url(re.compile("/new/check"))
    keys.button("/desk/batches$")
    expect(keys.page).to_have_url(re.compile("/desk/batches/[0-9a-f-]{36}$"))


def test_releasing_coupons(somebody, scenes):
    batch = scenes.order("miraikko", 1)
    keys = somebody(f"/desk/batches/{batch['id']}", OWNER)
    keys.link("/release$")
    keys.button("/release$")
    assert scenes.state_of(batch) == "released"


def test_stopping_a_coupon(somebody, scenes):
    keys = somebody("/desk/coupons", SUPPORT)
    keys.field("code", scenes.serials["keys_stop"])
    keys.press()
    keys.link("/stop$")
    keys.reach(lambda at: at["tag"] in ("INPUT", "SELECT"))
    is_list = keys.page.evaluate("document.activeElement.tagName") == "SELECT"
    keys.page.keyboard.press("ArrowDown" if is_list else "Space")
    keys.button("/stop$")
    expect(keys.page).to_have_url(re.compile(f"/{scenes.serials['keys_stop']}$"))
    assert scenes.coupon("keys_stop")["state"] == "blocked"


def test_taking_a_payment(somebody, scenes):
    keys = somebody("/shop", CLERK, PHONE)
    keys.field("code", scenes.typed["keys_pay"].lower().replace("-", " "))
    keys.page.keyboard.press("Enter")
    expect(keys.page.locator("#amount")).to_be_focused()
    keys.page.keyboard.type("350")
    keys.page.keyboard.press("Enter")
    keys.page.wait_for_selector("[data-screen=confirm]")
    keys.reach(lambda at: at["tag"] == "BUTTON" and "/shop/pay/" in str(at["action"]))
    keys.page.keyboard.press("Enter")
    expect(keys.page.locator("[data-screen=accepted] h1")).to_be_focused()
    keys.reach(lambda at: at["href"] == "/shop")
    keys.page.keyboard.press("Enter")
    keys.page.wait_for_selector("[data-screen=scan]")
    assert scenes.coupon("keys_pay")["balance_minor"] == 650


def test_looking_at_a_balance(somebody, scenes):
    keys = somebody(f"/t/{TOWN}/", None, PHONE)
    keys.field("code", scenes.typed["keys_look"])
    keys.press()
    expect(keys.page.locator("h1")).to_contain_text("1,000")
    keys.link("/shops")
    expect(keys.page).to_have_url(re.compile("/shops"))
