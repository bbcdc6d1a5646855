"""Every page and every state of one that can be looked at: who sees it, and how to get there."""

from __future__ import annotations

from playwright.sync_api import Page, Route

from tests.browser.scenes import (
    CLERK,
    FIRM_CLERK,
    FIRM_OWNER,
    FOREIGN,
    ISSUER,
    OWNER,
    SHOP_OWNER,
    SUPPORT,
    TOWN,
    TWO_ROLES,
    VIEWER,
    WRONG_TAIL,
    Scenes,
    add_place,
    invite,
)
from tests.browser.sights import NOWHERE, Sight, Way, desk, shop
from tests.browser.sights import plain as _plain
from tests.browser.sights import send as _send
from tests.browser.sights import sent as _sent
from tests.browser.sights_of_balances import BALANCES
from tests.browser.sights_of_catalogue import CATALOGUE
from tests.browser.sights_of_gifts import GIFTS
from tests.browser.sights_of_operators import RUNNING
from tests.browser.sights_of_recipients import RECIPIENTS
from tests.browser.sights_of_steps import STEPS
from tests.browser.sights_of_tablets import TABLETS
from tests.browser.visitor import Visitor

# Signing in


def _wrong_password(visitor: Visitor, scenes: Scenes) -> None:
    _try_password(visitor, VIEWER, "not the password")


def _choose(visitor: Visitor, scenes: Scenes) -> None:
    visitor.open("/sign-in")
    visitor.press_for(TWO_ROLES)
    visitor.page.wait_for_url("**/sign-in/choose")


def _try_password(visitor: Visitor, email: str, password: str) -> None:
    page = visitor.page if visitor.page.url.endswith("/sign-in") else visitor.open("/sign-in")
    page.fill("#email", email)
    page.fill("#password", password)
    with page.expect_navigation():
        page.press("#password", "Enter")


def _invited(visitor: Visitor, scenes: Scenes) -> None:
    invite(visitor.open("/desk/members/invite"), "見本 次郎")


def _new_password_wrong(visitor: Visitor, scenes: Scenes) -> None:
    page = visitor.open("/account")
    form = page.locator("form[action$='/password']")
    for name in ("present", "password", "again"):
        form.locator(f"[name={name}]").fill(name)
    with page.expect_navigation():
        form.locator("button[type=submit]").click()


def _for_app(**more: str) -> Way:
    return lambda visitor, scenes: visitor.open(scenes.authorize(**more))


def _invited_by_an_app(visitor: Visitor, scenes: Scenes) -> None:
    visitor.open(scenes.authorize(invitation=scenes.invitation))


def _device_waits(visitor: Visitor, scenes: Scenes) -> None:
    page = visitor.open(f"/activate?user_code={scenes.waiting_device()}")
    _send(page)


def _ways(visitor: Visitor) -> Page:
    return visitor.open(f"/sign-in?org={TOWN}")


def _not_linked(visitor: Visitor, scenes: Scenes) -> None:
    """Sign in at the town's provider as somebody who has linked nothing."""
    page = _ways(visitor)
    page.locator(f"form[action$='{scenes.connection_id}'] button").click()
    page.wait_for_url("**/sign-in/back?*")


LINKING = "/account/links/{s.connection_id}"
JOINING = {"email": "x@example.jp", "password": "y"}
ACCOUNT = (
    _plain("sign-in", "desk", None, "/sign-in"),
    Sight("sign-in wrong", "desk", None, _wrong_password, 422),
    Sight("sign-in choose", "desk", None, _choose),
    Sight("sign-in for an app", "desk", None, _for_app()),
    Sight("sign-in to join", "desk", None, _for_app(screen_hint="signup")),
    Sight("join for an app", "desk", None, _invited_by_an_app),
    _plain("sign-in with accounts", "desk", None, f"/sign-in?org={TOWN}"),
    Sight("account not linked", "desk", None, _not_linked, 403),
    _plain("account came back wrong", "desk", None, "/sign-in/back?code=1&state=2", 400),
    _plain("link", "desk", OWNER, LINKING),
    Sight(
        "link wrong", "desk", OWNER, _sent("/account/links/{s.connection_id}", present="no"), 422
    ),
    Sight("app asks", "desk", OWNER, _for_app(prompt="consent")),
    Sight("app wrong", "desk", OWNER, _for_app(redirect_uri="https://evil.example/"), 400),
    _plain("app signs out", "desk", OWNER, "/oidc/logout"),
    _plain("device", "desk", OWNER, "/activate"),
    Sight("device wrong", "desk", OWNER, _sent("/activate", user_code="BCDF-GHJK"), 422),
    Sight("device waits", "desk", OWNER, _device_waits),
    _plain("account", "desk", OWNER, "/account"),
    Sight("account wrong", "desk", OWNER, _new_password_wrong, 422),
    _plain("account of a clerk", "desk", CLERK, "/account"),
    _plain("join", "desk", None, "/join/{s.invitation}"),
    Sight(
        "join wrong",
        "desk",
        None,
        _sent("/join/{s.invitation}", email="x@example.jp", password="y"),
        422,
    ),
    _plain("join over", "desk", None, "/join/midori-city.00000000000000000000000000000000", 404),
    desk("members", "/desk/members"),
    desk("members invite", "/desk/members/invite"),
    Sight("members invite wrong", "desk", OWNER, _sent("/desk/members/invite"), 422),
    Sight("members invited", "desk", OWNER, _invited),
    desk("members role", "/desk/members/{s.member}/role"),
    desk("members remove", "/desk/members/{s.member}/remove"),
)

# The issuer portal


def _found_not(visitor: Visitor, scenes: Scenes) -> None:
    page = visitor.open("/desk/coupons")
    page.fill("#code", "KO-9999999")
    with page.expect_navigation():
        page.press("#code", "Enter")


def _refund_wrong(visitor: Visitor, scenes: Scenes) -> None:
    page = visitor.open(f"/desk/payments/{scenes.payments['partly']}/refund")
    page.fill("#amount", "99999")
    _send(page)


def _waiting(visitor: Visitor, scenes: Scenes) -> None:
    with scenes.standstill():
        visitor.open(f"/desk/batches/{scenes.begin('miraikko', 1)['id']}")


def _too_early(visitor: Visitor, scenes: Scenes) -> None:
    """Have files printed again that have not been printed yet."""
    with scenes.standstill():
        page = visitor.open(f"/desk/batches/{scenes.begin('miraikko', 1)['id']}/print-again")
        _send(page)


def _used_key(visitor: Visitor, scenes: Scenes) -> None:
    """Send a form whose key has done something else before."""
    page = visitor.open(f"/desk/shops/{scenes.shop}")
    key = page.locator("form[action$='/places'] [name=key]")
    key.evaluate("(field, key) => { field.value = key; }", scenes.used_key)
    add_place(page, "本町店")


def _signed_out_meanwhile(visitor: Visitor, scenes: Scenes) -> None:
    page = visitor.open(f"/desk/coupons/{scenes.serials['active']}/stop")
    kept = [each for each in visitor.context.cookies() if "csrf" in each["name"]]
    visitor.context.clear_cookies()
    visitor.context.add_cookies(kept)
    _send(page)


def _forged(visitor: Visitor, scenes: Scenes) -> None:
    page = visitor.open("/sign-in")
    page.locator("main [name=csrf]").first.evaluate("(field) => { field.value = 'another'; }")
    _try_password(visitor, VIEWER, "not the password")


_NEW = "/desk/batches/new/check?programme={s.programmes[kurashi]}"
_BATCH, _READY = "/desk/batches/{s.batches[released]}", "/desk/batches/{s.batches[ready]}"

DESK = (
    desk("overview", "/desk"),
    desk("overview of a viewer", "/desk", VIEWER),
    desk("overview on the first day", "/desk", FIRM_OWNER),
    desk("programmes", "/desk/programmes"),
    desk("programme", "/desk/programmes/{s.programmes[kurashi]}"),
    desk("batches", "/desk/batches"),
    desk("batches empty", "/desk/batches", FIRM_OWNER),
    desk("batch order", "/desk/batches/new", ISSUER),
    desk("batch order wrong", _NEW + "&quantity=0&face_value=5", ISSUER, 422),
    desk("batch order check", _NEW + "&quantity=500&face_value=1000", ISSUER),
    desk("batch released", _BATCH),
    desk("batch ready", _READY),
    desk("batch ready for an issuer", _READY, ISSUER),
    Sight("batch waiting", "desk", OWNER, _waiting),
    desk("batch page", _BATCH + "/pages/1/1"),
    desk("batch release", _READY + "/release"),
    desk("batch release again", _BATCH + "/release"),
    desk("batch print again", _BATCH + "/print-again"),
    desk("coupons", "/desk/coupons"),
    Sight("coupons not found", "desk", OWNER, _found_not, 422),
    desk("coupon active", "/desk/coupons/{s.serials[active]}"),
    desk("coupon partly", "/desk/coupons/{s.serials[partly]}"),
    desk("coupon used up", "/desk/coupons/{s.serials[used_up]}"),
    desk("coupon blocked", "/desk/coupons/{s.serials[blocked]}"),
    desk("coupon replaced", "/desk/coupons/{s.serials[replaced]}"),
    desk("coupon not released", "/desk/coupons/{s.serials[not_active]}"),
    desk("coupon stop", "/desk/coupons/{s.serials[active]}/stop"),
    Sight(
        "coupon stop wrong", "desk", SUPPORT, _sent("/desk/coupons/{s.serials[active]}/stop"), 422
    ),
    desk("coupon free", "/desk/coupons/{s.serials[blocked]}/free"),
    desk("coupon replace", "/desk/coupons/{s.serials[active]}/replace"),
    desk("coupons range", "/desk/coupons/range"),
    desk(
        "coupons range sure",
        "/desk/coupons/range?act=stop&first={s.serials[active]}&last={s.serials[partly]}",
    ),
    desk("shops", "/desk/shops"),
    desk("shops none found", "/desk/shops?q=zzzz"),
    desk("shop", "/desk/shops/{s.shop}"),
    desk("shop change", "/desk/shops/{s.shop}/change"),
    desk("shop stop", "/desk/shops/{s.shop}/stop"),
    desk("shop enrol", "/desk/shops/new"),
    Sight("shop enrol wrong", "desk", OWNER, _sent("/desk/shops/new", number="-"), 422),
    desk("shops import", "/desk/shops/imports/new"),
    Sight("shops import wrong", "desk", OWNER, _sent("/desk/shops/imports/new"), 422),
    desk("shops import faults", "/desk/shops/imports/{s.import_id}"),
    desk("payments", "/desk/payments"),
    desk("payments empty", "/desk/payments", FIRM_OWNER),
    desk("payment", "/desk/payments/{s.payments[partly]}"),
    desk("payment voided", "/desk/payments/{s.payments[voided]}"),
    desk("payment refunded", "/desk/payments/{s.payments[refunded]}"),
    desk("payment refund", "/desk/payments/{s.payments[partly]}/refund"),
    Sight("payment refund wrong", "desk", OWNER, _refund_wrong, 422),
    desk("payment refund not possible", "/desk/payments/{s.payments[voided]}/refund"),
    desk("audit", "/desk/audit"),
    desk("design", "/design"),
    desk("error 403", "/desk/members", VIEWER, 403),
    desk("error 404", f"/desk/payments/{NOWHERE}", OWNER, 404),
    Sight("error 401", "desk", OWNER, _signed_out_meanwhile, 401),
    Sight("error 403 of a form", "desk", None, _forged, 403),
    Sight("error 409", "desk", OWNER, _too_early, 409),
    Sight("error 422", "desk", OWNER, _used_key, 422),
    _plain("error 404 for nobody", "desk", None, "/nowhere", 404),
)

# The shop


def _read(visitor: Visitor, scenes: Scenes, code: str) -> Page:
    page = visitor.open("/shop")
    page.fill("#code", code)
    page.press("#code", "Enter")
    page.wait_for_selector("[data-screen=pad], [data-screen=refused]")
    return page


def _reading(coupon: str) -> Way:
    return lambda visitor, scenes: _read(visitor, scenes, scenes.codes.get(coupon, coupon))


def _typing(text: str) -> Way:
    def way(visitor: Visitor, scenes: Scenes) -> None:
        page = visitor.open("/shop")
        page.fill("#code", text)
        page.press("#code", "Enter")
        page.wait_for_selector("#code-fault:not([hidden]), [data-screen=refused]")

    return way


def _asked(visitor: Visitor, scenes: Scenes, coupon: str, amount: str) -> Page:
    page = _read(visitor, scenes, scenes.codes[coupon])
    page.fill("#amount", amount)
    page.press("#amount", "Enter")
    page.wait_for_selector("[data-screen=confirm], [data-screen=refused]")
    return page


def _over(visitor: Visitor, scenes: Scenes) -> None:
    page = _read(visitor, scenes, scenes.codes["partly"])
    page.fill("#amount", "1380")
    page.wait_for_selector("#amount-hint[data-kind=ng]")


def _asking(coupon: str, amount: str) -> Way:
    return lambda visitor, scenes: _asked(visitor, scenes, coupon, amount)


def _accepted(visitor: Visitor, scenes: Scenes) -> None:
    page = _asked(visitor, scenes, "till", "15")
    page.locator("form[data-pay] button").first.click()
    page.wait_for_selector("[data-screen=accepted]")


def _in_doubt(visitor: Visitor, scenes: Scenes) -> None:
    page = _asked(visitor, scenes, "doubt", "50")
    page.route("**/shop/pay/*", _lose)
    page.locator("form[data-pay] button").first.click()
    page.wait_for_selector("[data-screen=doubt]")


def _lose(route: Route) -> None:
    if route.request.method == "POST":
        route.abort("connectionreset")
    else:
        route.continue_()


def _suspended(visitor: Visitor, scenes: Scenes) -> None:
    scenes.turn_shop("suspend")
    try:
        _read(visitor, scenes, scenes.codes["active"])
    finally:
        scenes.turn_shop("resume")


def _camera_refused(visitor: Visitor, scenes: Scenes) -> None:
    page = visitor.open("/shop")
    page.locator("[data-when=shut] [data-act=open]").click()
    page.wait_for_selector("[data-when=denied]:not([hidden])")


def _camera_open(visitor: Visitor, scenes: Scenes) -> None:
    page = visitor.open("/shop")
    page.route("**/shop/read", lambda _: None)  # what the camera reads stays under way
    page.locator("[data-when=shut] [data-act=open]").click()
    page.wait_for_function("() => document.querySelector('video')?.videoWidth > 0")
    page.wait_for_timeout(800)  # until the picture stands


def _unplugged(visitor: Visitor, scenes: Scenes) -> None:
    page = visitor.open("/shop")
    visitor.context.set_offline(True)
    page.wait_for_selector("#gp-offline:not([hidden])", state="attached")


CANCELLING = "/shop/payments/{s.payments[cancel]}/cancel"
SHOP = (
    shop("shop scan", "/shop"),
    shop("shop scan of an owner", "/shop", SHOP_OWNER),
    shop("shop of nobody", "/shop", OWNER, 403),
    Sight("shop camera", "shop", CLERK, _camera_open, has_camera=True),
    Sight("shop camera refused", "shop", CLERK, _camera_refused),
    Sight("shop unplugged", "shop", CLERK, _unplugged),
    Sight("shop slip", "shop", CLERK, _typing("7K3Q-9MXW-2D8F-RT5B")),
    Sight("shop pad", "shop", CLERK, _reading("till")),
    Sight("shop pad again", "shop", CLERK, _reading("partly")),
    Sight("shop pad over", "shop", CLERK, _over),
    Sight("shop confirm", "shop", CLERK, _asking("till", "350")),
    Sight("shop accepted", "shop", CLERK, _accepted),
    Sight("shop in doubt", "shop", CLERK, _in_doubt),
    Sight("shop refused balance", "shop", CLERK, _asking("partly", "1380")),
    Sight("shop refused ceiling", "shop", CLERK, _asking("active", "6000")),
    Sight("shop refused used up", "shop", CLERK, _reading("used_up")),
    Sight("shop refused blocked", "shop", CLERK, _reading("blocked")),
    Sight("shop refused replaced", "shop", CLERK, _reading("replaced")),
    Sight("shop refused not active", "shop", CLERK, _reading("not_active")),
    Sight("shop refused programme", "shop", CLERK, _reading("other")),
    Sight("shop refused foreign", "shop", CLERK, _typing(FOREIGN)),
    Sight("shop refused suspended", "shop", CLERK, _suspended),
    shop("shop refused reading", "/shop/pay/none-of-ours", status=404),
    shop("shop payment", "/shop/paid/{s.payments[voided]}"),
    shop("shop cancel", CANCELLING),
    Sight("shop cancel wrong", "shop", CLERK, _sent(CANCELLING), 422),
    shop("shop cancelled", "/shop/payments/{s.payments[voided]}/cancel"),
    shop("shop cancel not here", "/shop/payments/{s.payments[refunded]}/cancel"),
    shop("shop today", "/shop/today"),
    shop("shop today empty", "/shop/today", FIRM_CLERK),
    shop("shop offline", "/shop/offline"),
    shop("shop error 404", f"/shop/payments/{NOWHERE}/cancel", CLERK, 404),
)

# Whoever holds a coupon


def _opened(coupon: str, then: str = "") -> Way:
    """Open the address of a QR, as the camera of a phone does."""

    def way(visitor: Visitor, scenes: Scenes) -> None:
        visitor.open("/Q/" + scenes.codes[coupon].rpartition("/")[2])
        if then:
            visitor.open(then)

    return way


def _typed(code: str) -> Way:
    def way(visitor: Visitor, scenes: Scenes) -> None:
        page = visitor.open(f"/t/{TOWN}/")
        page.fill("#code", scenes.typed.get(code, code))
        with page.expect_navigation():
            page.press("#code", "Enter")

    return way


def _barred(visitor: Visitor, scenes: Scenes) -> None:
    """Show what a network is answered that has guessed too often; it is not the visitor's own."""
    cookies = {each["name"]: each["value"] for each in visitor.context.cookies()}
    status, body = scenes.guess(cookies["gp_lang"])
    visitor.page.route(
        "**/balance/barred",
        lambda route: route.fulfill(status=status, body=body, content_type="text/html"),
    )
    visitor.open("/balance/barred")


def holder(name: str, way: Way | str, status: int = 200) -> Sight:
    """A page for whoever holds a coupon."""
    if isinstance(way, str):
        return _plain(name, "holder", None, way, status)
    return Sight(name, "holder", None, way, status)


HOLDER = (
    holder("balance", _opened("partly")),
    holder("balance untouched", _opened("active")),
    holder("balance used up", _opened("used_up")),
    holder("balance stopped", _opened("blocked")),
    holder("balance replaced", _opened("replaced")),
    holder("balance not active", _opened("not_active")),
    holder("balance shops", _opened("active", "/balance/shops")),
    holder("balance unknown", f"/Q/{WRONG_TAIL}", 404),
    holder("balance barred", _barred, 429),
    holder("balance none", "/balance"),
    holder("town", f"/t/{TOWN}/"),
    holder("town slip", _typed("7K3Q-9MXW-2D8F-RT5B"), 422),
    holder("town balance", _typed("partly")),
    holder("town shops", f"/t/{TOWN}/shops"),
    holder("town shops none", f"/t/{TOWN}/shops?text=zzzz"),
    holder("town accessibility", f"/t/{TOWN}/accessibility"),
    holder("firm", "/t/hanamaru/"),
    holder("lan off", "/lan", 404),
)

SIGHTS: tuple[Sight, ...] = (
    *ACCOUNT,
    *DESK,
    *CATALOGUE,
    *RUNNING,
    *SHOP,
    *STEPS,
    *GIFTS,
    *RECIPIENTS,
    *BALANCES,
    *TABLETS,
    *HOLDER,
)
