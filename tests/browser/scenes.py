"""A town's day as it stands behind the pages: what there is to look at, made once per product.

Everything is made over HTTP, as partners and people do it.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import psycopg
from playwright.sync_api import Browser, Page, StorageState

from tests.browser.visitor import DESK, Visitor, visit
from tests.flows.conftest import READY_WITHIN_S, ROOT, Product
from tests.make_coupons import read_paper
from tests.make_idp import CLIENT_ID, Idp

TOWN, FIRM = "midori-city", "hanamaru"
OWNER, ISSUER = "owner@midori.example", "issuer@midori.example"
SUPPORT, VIEWER = "support@midori.example", "viewer@midori.example"
CLERK, SHOP_OWNER = "clerk@midori.example", "aoba@midori.example"
FIRM_OWNER, FIRM_CLERK = "owner@hanamaru.example", "clerk@hanamaru.example"
TWO_ROLES = "approver@midori.example"
OPERATOR = "operator@giftpad.example"
KEEPER = "new-owner@midori.example"
"""An owner who has no second step yet."""
VISITING, REASON = "operator on a visit", "電話で、券が使えない理由を聞かれた"
SHOP_NUMBER = "1001"
FACE_VALUE = 1000
CLIENT_HOME = "https://app.example.jp/callback"
GUESSER, GUESSES_MOST, TIMEOUT_S = "127.0.0.2", 400, 20
WRONG_TAIL = "0DVEX0000000A1BZPGJN427RJ4KA46C55J0Z"
FOREIGN = "https://example.com/menu"

COUPONS = (
    *("active", "partly", "used_up", "blocked", "replaced", "voided", "refunded"),
    *("till", "change", "doubt", "cancel", "spare", "keys_stop", "keys_pay", "keys_look"),
)
"""What each coupon of the released print run is there for, in the order of their serials."""

IMPORT = """加盟店番号,店舗名,フリガナ,地区,区分,住所,電話番号,売場面積,本店所在地
3001,見本青果,ミホンセイカ,中央地区,市内加盟店,みどり市中央9-1,00-0000-2001,30,東京都
3002,見本書房,みほんしょぼう,中央地区,市内加盟店,みどり市中央9-2,00-0000-2002,とても広い,東京都
3003,,ミホンハナ,北地区,市内加盟店,みどり市北9-3,電話なし,20,東京都
"""
_INVITED = re.compile(r"/join/([A-Za-z0-9._~-]+)")

LATELY_S = 600.0


@dataclass
class Scenes:
    """What the pages of one product show, by the names the catalogue asks for."""

    product: Product
    browser: Browser
    serials: dict[str, str] = field(default_factory=dict)
    codes: dict[str, str] = field(default_factory=dict)
    typed: dict[str, str] = field(default_factory=dict)
    payments: dict[str, str] = field(default_factory=dict)
    batches: dict[str, str] = field(default_factory=dict)
    programmes: dict[str, str] = field(default_factory=dict)
    shops: dict[str, str] = field(default_factory=dict)
    import_id: str = ""
    invitation: str = ""
    member: str = ""
    used_key: str = ""
    client_id: str = ""
    device_id: str = ""
    idp: Idp = field(default_factory=Idp)
    connection_id: str = ""
    keeper_password: str = ""
    states: dict[str, StorageState] = field(default_factory=dict)
    signed_in_at: dict[str, float] = field(default_factory=dict)
    _gifts: dict[str, Any] = field(default_factory=dict)

    @property
    def gifts(self) -> dict[str, Any]:
        """What there is of gifts by the names that sights ask for; made when first asked for."""
        if not self._gifts:
            self._gifts = self.make_gifts()
        return self._gifts

    def make_gifts(self, *words: str) -> dict[str, Any]:
        """Make gifts and orders of them in the firm, and return what they are called."""
        done = subprocess.run(
            [sys.executable, "-m", "tests.browser.gift_company", *words],
            cwd=ROOT,
            env=self.product.environment,
            capture_output=True,
            text=True,
            timeout=READY_WITHIN_S,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        made: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return made

    def next_link(self, kind: str = "spare") -> str:
        """Return the path of a gift's link that nobody has opened yet."""
        link: str = self.gifts[kind].pop()
        return link[link.index("/g/") :]

    @property
    def address(self) -> str:
        """Where people open the product: a name, so that their cookies have a host."""
        return self.product.address.replace("127.0.0.1", "localhost")

    def signed_in(self, email: str, *, is_lately: bool = False) -> StorageState:
        """Return the browser's memory of somebody who has signed in; each signs in once.

        Who must have done so lately, for what moves money, signs in again after ten minutes.
        """
        age_s = time.monotonic() - self.signed_in_at.get(email, time.monotonic())
        if email not in self.states or (is_lately and age_s > LATELY_S):
            with visit(self.browser, self.address, self.product.home, size=DESK) as visitor:
                visitor.sign_in(email)
                self.states[email] = visitor.context.storage_state()
            self.signed_in_at[email] = time.monotonic()
        return self.states[email]

    def be_visited(self, owner: Visitor) -> None:
        """Let the operator visit the town, once, and its owner look at who is there."""
        if VISITING not in self.states:
            with visit(self.browser, self.address, self.product.home, size=DESK) as visitor:
                enter_tenant(visitor, TOWN)
                self.states[VISITING] = visitor.context.storage_state()
        owner.open("/desk/members")

    @property
    def shop(self) -> str:
        """The id of the shop that the demonstration's clerk works in."""
        return self.shops[SHOP_NUMBER]

    def authorize(self, **more: str) -> str:
        """Return where an app of the town sends people who shall sign in."""
        asked = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": CLIENT_HOME,
            "scope": "openid profile email offline_access",
            "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
            "code_challenge_method": "S256",
        }
        return f"/authorize?{urlencode(asked | more)}"

    def waiting_device(self) -> str:
        """Let a device wait, and return the code that it shows."""
        fields = urlencode(
            {"client_id": self.device_id, "scope": "openid profile email offline_access"}
        ).encode()
        asked = Request(f"{self.address}/oauth/device/code", fields)  # noqa: S310 - our own
        with urlopen(asked) as answer:  # noqa: S310 - as above
            return str(json.load(answer)["user_code"])

    def waiting_tablet(self) -> str:
        """Let a tablet wait, and return the code that it shows."""
        with visit(self.browser, self.address, self.product.home) as visitor:
            page = visitor.open("/shop/pair")
            page.locator("main form[action='/shop/pair'] button").click()
            return page.locator(".gp-code").inner_text()

    @property
    def password(self) -> str:
        """The one password of the demonstration people."""
        return str(json.loads((self.product.home / "demo.json").read_text())["password"])

    def office(self) -> Any:
        """Return the machine client that may do everything."""
        return self.product.caller()

    def order(self, programme: str, quantity: int) -> dict[str, Any]:
        """Order a print run and wait until it is ready."""
        batch = self.begin(programme, quantity)
        deadline = time.monotonic() + READY_WITHIN_S
        while batch["state"] != "ready":
            assert time.monotonic() < deadline, batch
            time.sleep(0.2)
            path = f"/api/v1/coupon-batches/{batch['id']}"
            batch = self.office().ask("GET", path, wanted=200)
        return batch

    def begin(self, programme: str, quantity: int) -> dict[str, Any]:
        """Order a print run."""
        wanted = {
            "programme_id": self.programmes[programme],
            "quantity": quantity,
            "face_value_minor": FACE_VALUE,
            "template": "coupon_a4_8up",
        }
        batch: dict[str, Any] = self.office().ask(
            "POST", "/api/v1/coupon-batches", wanted, key=True, wanted=202
        )
        return batch

    def release(self, batch: dict[str, Any]) -> None:
        """Release a print run."""
        path = f"/api/v1/coupon-batches/{batch['id']}/release"
        self.office().ask("POST", path, {}, key=True, wanted=200)

    def paper(self, batch: dict[str, Any]) -> list[tuple[str, str]]:
        """Return QR text and typed code of each coupon of a print run, in order of serials."""
        path = f"/api/v1/coupon-batches/{batch['id']}/pdf?volume=1"
        status, pdf = self.office().call("GET", path)
        assert status == 200
        return sorted(read_paper(pdf), key=lambda pair: pair[0][-31:-23])

    def print_file(self) -> bytes:
        """Return the print file of the coupons that may be spent."""
        path = f"/api/v1/coupon-batches/{self.batches['released']}/pdf?volume=1"
        status, pdf = self.office().call("GET", path)
        assert status == 200
        return bytes(pdf)

    def numbers(self, batch: dict[str, Any]) -> list[str]:
        """Return the serials of a print run in their order."""
        path = f"/api/v1/coupon-batches/{batch['id']}/manifest.csv"
        status, text = self.office().call("GET", path)
        assert status == 200
        return [line.split(",")[0].strip('"') for line in text.decode("utf-8-sig").split()[1:]]

    def pay(self, coupon: str, amount_minor: int) -> str:
        """Pay with a coupon in the clerk's shop and return the payment's id."""
        order = {
            "instrument": {"kind": "coupon", "code": self.codes[coupon]},
            "amount_minor": amount_minor,
            "shop_id": self.shop,
        }
        paid = self.office().ask("POST", "/api/v1/payments", order, key=True, wanted=201)
        return str(paid["id"])

    def pay_at(self, tenant: str, shop: str, code: str, amount_minor: int) -> None:
        """Pay in a shop of a tenant with a code that somebody shows there."""
        office = self.product.caller("payments:accept", "shops:read", tenant=tenant)
        found = office.ask("GET", "/api/v1/shops?limit=100", wanted=200)["items"]
        order = {
            "instrument": {"kind": "coupon", "code": code},
            "amount_minor": amount_minor,
            "shop_id": next(each["id"] for each in found if each["name"] == shop),
        }
        office.ask("POST", "/api/v1/payments", order, key=True, wanted=201)

    def coupon(self, name: str) -> dict[str, Any]:
        """Return a coupon as it stands now."""
        path = f"/api/v1/coupons/{self.serials[name]}"
        found: dict[str, Any] = self.office().ask("GET", path, wanted=200)
        return found

    def state_of(self, batch: dict[str, Any]) -> str:
        """Return how far a print run is now."""
        path = f"/api/v1/coupon-batches/{batch['id']}"
        return str(self.office().ask("GET", path, wanted=200)["state"])

    @contextmanager
    def standstill(self) -> Iterator[None]:
        """Let everything that is ordered wait until the end of this."""
        pids = [pid for name, pid in self.product.pids().items() if name.startswith("jobs")]
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)

    def guess(self, locale: str) -> tuple[int, str]:
        """Show wrong codes from a network of its own until it is barred; return the last answer.

        Nobody else is barred by it.
        """
        status, body = 0, ""
        for _ in range(GUESSES_MOST):
            connection = http.client.HTTPConnection(
                "127.0.0.1", self.product.port, source_address=(GUESSER, 0), timeout=TIMEOUT_S
            )
            with contextlib.closing(connection):
                headers = {"Accept": "text/html", "Cookie": f"gp_lang={locale}"}
                connection.request("GET", f"/Q/{WRONG_TAIL}", headers=headers)
                answer = connection.getresponse()
                status, body = answer.status, answer.read().decode()
            if status == HTTPStatus.TOO_MANY_REQUESTS:
                break
        return status, body

    def turn_shop(self, verb: str) -> None:
        """Suspend the clerk's shop, or let it go on."""
        path = f"/api/v1/shops/{self.shop}/{verb}"
        self.office().ask("POST", path, {}, wanted=200)


def prepare(product: Product, browser: Browser) -> Scenes:
    """Make everything the pages show."""
    scenes = Scenes(product, browser)
    office = scenes.office()
    listed = office.ask("GET", "/api/v1/programmes", wanted=200)["items"]
    scenes.programmes = {each["slug"]: each["id"] for each in listed}
    found = office.ask("GET", "/api/v1/shops?limit=100", wanted=200)["items"]
    scenes.shops = {each["number"]: each["id"] for each in found}
    _print_coupons(scenes)
    _spend(scenes)
    _import_shops(scenes)
    _make_clients(scenes)
    _connect(scenes)
    _work_at_the_desk(scenes)
    give_up(product)
    product.run(
        *("person", "create", "--existing", "--tenant", FIRM, "--email", TWO_ROLES),
        *("--name", "田中 一郎", "--role", "viewer"),
    )
    scenes.keeper_password = make_keeper(product, KEEPER)
    return scenes


def make_keeper(product: Product, email: str, role: str = "owner") -> str:
    """Make somebody of the town without a second step, and return their password."""
    words = ("--tenant", TOWN, "--email", email, "--name", "新任 花子", "--role", role)
    return product.must("person", "create", *words).split("Password: ")[1].split()[0]


GIVEN_UP = """
WITH town AS (SELECT id FROM tenants WHERE slug = %(slug)s), letter AS (
    INSERT INTO event_outbox (tenant_id, id, name, object_id, payload, created_at, done_at)
    SELECT id, gen_random_uuid(), 'sample.happened_v1', gen_random_uuid(), '{}', now(), now()
    FROM town, generate_series(1, 4) RETURNING tenant_id, id
), receipt AS (
    INSERT INTO event_inbox (tenant_id, event_id, handler, outcome, received_at)
    SELECT tenant_id, id, 'sample.take', 'dead', now() FROM letter
)
INSERT INTO event_failures (tenant_id, event_id, handler, tries, error, failed_at)
SELECT tenant_id, id, 'sample.take', 8, 'OSError: No space left on device', now() FROM letter
"""
"""Events that nobody listens to any more, as if a handler had given them up."""


def give_up(product: Product) -> None:
    """Leave a few dead letters in the town."""
    with psycopg.connect(product.superuser()) as connection:
        connection.execute(GIVEN_UP, {"slug": TOWN})


def _print_coupons(scenes: Scenes) -> None:
    waiting = scenes.order("kurashi", 8)
    family = scenes.order("miraikko", 1)
    batch = scenes.order("kurashi", 16)
    for each in (batch, family):
        scenes.release(each)
    scenes.batches = {"released": batch["id"], "ready": waiting["id"], "family": family["id"]}
    pairs = scenes.paper(batch)
    for name, serial, (code, typed) in zip(COUPONS, scenes.numbers(batch), pairs, strict=False):
        scenes.serials[name], scenes.codes[name], scenes.typed[name] = serial, code, typed
    for name, each in (("not_active", waiting), ("other", family)):
        scenes.serials[name] = scenes.numbers(each)[0]
        scenes.codes[name], scenes.typed[name] = scenes.paper(each)[0]


def _spend(scenes: Scenes) -> None:
    office, serials = scenes.office(), scenes.serials
    paid = scenes.payments
    paid["partly"] = scenes.pay("partly", 350)
    paid["used_up"] = scenes.pay("used_up", FACE_VALUE)
    paid["voided"] = scenes.pay("voided", 300)
    paid["refunded"] = scenes.pay("refunded", 480)
    paid["cancel"] = scenes.pay("cancel", 280)
    path = f"/api/v1/payments/{paid['voided']}/void"
    office.ask("POST", path, {"reason": "wrong amount"}, key=True, wanted=201)
    path = f"/api/v1/payments/{paid['refunded']}/refund"
    back = {"amount_minor": 100, "reason": "goods returned"}
    office.ask("POST", path, back, key=True, wanted=201)
    why = {"reason": "lost"}
    office.ask("POST", f"/api/v1/coupons/{serials['blocked']}/block", why, wanted=200)
    path = f"/api/v1/coupons/{serials['replaced']}/replace"
    office.ask("POST", path, why, key=True, wanted=202)


def _import_shops(scenes: Scenes) -> None:
    office = scenes.office()
    path = "/api/v1/shop-imports?is_dry=true"
    file = IMPORT.encode()
    ordered = office.ask("POST", path, file, wanted=202, content_type="text/csv", key=True)
    scenes.import_id = ordered["id"]
    deadline = time.monotonic() + READY_WITHIN_S
    while ordered["state"] in ("ordered", "checking", "taking"):
        assert time.monotonic() < deadline, ordered
        time.sleep(0.2)
        ordered = office.ask("GET", f"/api/v1/shop-imports/{ordered['id']}", wanted=200)


def _make_clients(scenes: Scenes) -> None:
    """Make an app of the town, and a device."""
    base = ("client", "create", "--tenant", "midori-city", "--json", "--name")
    app = ("みどり市まち歩きアプリ", "--type", "spa", "--redirect-uri", CLIENT_HOME)
    device = ("レジ横のタブレット", "--type", "device", "--permission", "payments:accept")
    scenes.client_id = json.loads(scenes.product.must(*base, *app))["client_id"]
    scenes.device_id = json.loads(scenes.product.must(*base, *device))["client_id"]


def _connect(scenes: Scenes) -> None:
    """Let the town have a provider of its own."""
    words = ("--tenant", TOWN, "--name", "みどり市職員アカウント", "--issuer", scenes.idp.address)
    made = scenes.product.must(
        *("connection", "create", *words, "--client-id", CLIENT_ID, "--json")
    )
    scenes.connection_id = json.loads(made)["id"]


def _work_at_the_desk(scenes: Scenes) -> None:
    memory = scenes.signed_in(OWNER)
    with visit(
        scenes.browser, scenes.address, scenes.product.home, storage_state=memory
    ) as visitor:
        page = visitor.open("/desk/members/invite")
        invite(page, "見本 花子")
        invited = _INVITED.search(page.content())
        assert invited is not None
        scenes.invitation = invited[1]
        visitor.open("/desk/members")
        href = page.locator("main a[href$='/role']").last.get_attribute("href")
        assert href is not None
        scenes.member = href.rsplit("/", 2)[1]
        visitor.open(f"/desk/shops/{scenes.shop}")
        scenes.used_key = page.input_value("form[action$='/places'] [name=key]")
        add_place(page, "駅前店")


def enter_tenant(visitor: Visitor, slug: str) -> None:
    """Enter a tenant as the operator; whoever enters leaves the session they came from."""
    visitor.sign_in(OPERATOR)
    page = visitor.open(f"/operator/visits/{slug}")
    page.fill("main [name=reason]", REASON)
    with page.expect_navigation():
        page.locator("main form[method=post] button").last.click()


def invite(page: Page, name: str) -> None:
    """Invite somebody on the page for it."""
    page.fill("main [name=name]", name)
    page.check("main [name=role][value=viewer]")
    page.locator("main form button").last.click()
    page.wait_for_url("**/desk/members/invited")


def add_place(page: Page, name: str) -> None:
    """Add a place to the shop whose page this is."""
    form = page.locator("main form[action$='/places']")
    form.evaluate("(form) => { form.closest('details')?.setAttribute('open', ''); }")
    form.locator("[name=name]").fill(name)
    form.locator("[name=address]").fill("みどり市中央1-1-2")
    with page.expect_navigation():
        form.locator("button").click()
