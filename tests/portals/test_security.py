"""What attackers try on pages: forged forms, planted cookies, frames, markup, formulas, redirects.

Forged forms of people who have signed in are in ``test_isolation``, route by route.
"""

from __future__ import annotations

import csv
import io
import itertools
import re
from dataclasses import replace

import pytest

from giftpad import coupons, identity, payments
from giftpad.kernel.ids import new_id
from giftpad.kernel.log import configure_logging
from giftpad.kernel.work import unit_of_work
from tests import make, make_coupons, make_packs
from tests.isolation_open_pages import PUBLIC
from tests.isolation_people import POLICY, check_headers
from tests.make_factors import give_passkey, step_on
from tests.make_idp import add_connection
from tests.make_pages import PASSWORD, make_site
from tests.portals.hostile import FORMULAS, LABEL, MARK, Walker, find_formulas, find_markup, spoil

LABEL_MOST, SHOWN_LEAST = 40, 25
UNSAFE = [route.partition(" ")[2] for route in PUBLIC if not route.startswith("GET ")]


@pytest.fixture
def evil(house, settings, tmp_path, monkeypatch):
    """A town whose pack is full of marks."""

    def read_and_spoil(slug, without):
        folder = make_packs.copy_pack(tmp_path, slug=slug)
        spoil(folder)
        return make_packs.load(folder)

    monkeypatch.setattr(make_packs, "read_house", read_and_spoil)
    return make_site(settings, tmp_path)


def place(site, path):
    """Return the address of a public page with something in its holes."""
    filled = path.replace("<slug>", site.slug)
    if "<uuid:connection_id>" in filled:
        filled = filled.replace("<uuid:connection_id>", str(add_connection(site.scope).id))
    return filled.replace("<code>", f"{site.slug}.{'0' * 32}")


def test_a_forged_form_of_nobody_does_nothing(site):
    email = site.new_person("owner")
    for path in UNSAFE:
        refuse_forgeries(site, path, email)


def refuse_forgeries(site, path, email):
    stranger = site.nobody()
    stranger.get("/sign-in")
    foreign = stranger.csrf
    victim, address = site.nobody(), place(site, path)
    victim.get("/sign-in")
    fields = {"email": email, "password": PASSWORD, "lang": "en", "code": "x", "name": "青葉"}
    ours = victim.csrf
    cross = {"Sec-Fetch-Site": "cross-site"}
    for token, headers in (
        ("", {}),
        (foreign, {}),
        (ours, {"Origin": "https://evil.example"}),
        (ours, {"Origin": "null"} | cross),
        (ours, cross),
    ):
        answered = victim.post(address, fields, csrf=token, headers=headers)
        assert answered.status_code == 403, (path, token, headers)
        said = str(answered.headers.getlist("Set-Cookie"))
        assert "gp_session" not in said
        assert "gp_lang" not in said
    assert victim.post(address, fields, csrf=ours).status_code != 403


def test_a_session_planted_before_the_sign_in_is_none_after_it(site):
    attacker = site.sign_in(site.new_person("viewer"))
    planted = attacker.http.get_cookie("gp_session").value
    visit = site.nobody()
    visit.get("/sign-in")
    victim = site.nobody()
    victim.http.set_cookie("gp_session", planted, domain="localhost")
    victim.http.set_cookie("gp_visit", visit.http.get_cookie("gp_visit").value, domain="localhost")
    victim.get("/account")
    victim.post("/sign-out")
    victim.http.set_cookie("gp_visit", visit.http.get_cookie("gp_visit").value, domain="localhost")
    victim.get("/sign-in")
    email = site.new_person("viewer")
    assert victim.post("/sign-in", {"email": email, "password": PASSWORD}).status_code == 303
    own = victim.http.get_cookie("gp_session").value
    assert own != planted
    assert attacker.get("/account").status_code == 303
    assert visit.get("/account").status_code == 303
    assert visit.post("/account/sessions/end-all").status_code == 401
    assert victim.get("/account").status_code == 200


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_every_cookie_is_shut_to_scripts_and_other_sites(site, scheme):
    client, lines = site.app.test_client(), []

    def send(method, path, **data):
        answered = client.open(
            path, method=method, data=data or None, base_url=f"{scheme}://localhost:8000"
        )
        lines.extend(answered.headers.getlist("Set-Cookie"))
        found = re.search(r'name="csrf" value="([^"]+)"', answered.text)
        return found[1] if found else ""

    token = send("GET", "/sign-in")
    email = site.new_person("owner")
    _, person_id = give_passkey(email)
    send("POST", "/sign-in", email=email, password=PASSWORD, csrf=token)
    token = send("GET", "/sign-in/second")
    code = identity.renew_recovery_codes(person_id, identity.Seen())[0]
    send("POST", "/sign-in/second", code=code, csrf=token)
    token = send("GET", "/account")
    send("POST", "/preferences", lang="en", size="l", readings="1", csrf=token)
    token = send("GET", "/desk/members/invite")
    send("POST", "/desk/members/invite", name="青葉", role="viewer", csrf=token)
    ((qr, _),) = site.paper(1)
    send("GET", "/Q/" + qr.rpartition("/")[2])
    names = {line.partition("=")[0].removeprefix("__Host-") for line in lines}
    assert names >= {"gp_visit", "gp_session", "gp_lang", "gp_size", "gp_link", "gp_coupon"}
    for line in lines:
        name, _, rest = line.partition("=")
        parts = {part.strip().partition("=")[0] for part in rest.split(";")[1:]}
        assert {"HttpOnly", "Path", "SameSite"} <= parts, line
        assert "SameSite=Lax" in rest
        assert "Domain" not in parts
        assert ("Secure" in parts) == (scheme == "https"), line
        is_secret = name.removeprefix("__Host-") not in ("gp_lang", "gp_size", "gp_readings")
        assert name.startswith("__Host-") == (scheme == "https" and is_secret), line


def test_every_public_page_carries_the_policy_and_stays_out_of_frames(site):
    browser = site.nobody()
    answers = [
        browser.get(place(site, path))
        for method, _, path in (route.partition(" ") for route in PUBLIC)
        if method == "GET" and "<" not in path.replace("<slug>", "").replace("<code>", "")
    ]
    answers += [browser.get("/Q/none"), browser.get("/design/accepted"), browser.get("/nowhere")]
    answers += [browser.post("/sign-in", {}, csrf=""), browser.post("/nowhere")]
    assert len(answers) > 15
    for answered in answers:
        check_headers(answered, scans=False)


def test_only_the_page_that_scans_may_compile(site):
    for role in ("clerk", "shop_owner"):
        check_headers(site.person(role).get("/shop"), scans=True)
        check_headers(site.person(role).get("/shop/today"), scans=False)
    check_headers(site.person("owner").get("/shop"), scans=False)
    assert "unsafe" not in POLICY.format(wasm="")


ELSEWHERE = (
    *("//evil.example", "https:evil.example", "https://evil.example", "\\\\evil.example"),
    *("/\\evil.example", "/\t/evil.example", "/\n//evil.example", "javascript:alert(1)"),
    *("///evil.example", "/%5cevil.example/..//evil.example", "data:text/html,x", "evil.example"),
    *("http:///evil.example", "//localhost:8000@evil.example", "\u2044\u2044evil.example"),
)


def test_nobody_is_sent_to_another_site(site):
    email = site.new_person("viewer")
    for wanted in ELSEWHERE:
        browser = site.nobody()
        browser.get("/sign-in")
        answers = [browser.post("/preferences", {"lang": "en", "next": wanted})]
        fields = {"email": email, "password": PASSWORD, "next": wanted}
        answers.append(browser.post("/sign-in", fields))
        answers.append(browser.get("/sign-in", query_string={"next": wanted}))
        for answered in answers:
            assert answered.status_code == 303, wanted
            assert re.fullmatch(r"/(?![/\\])[!-\[\]-~]*", answered.headers["Location"]), wanted


def test_no_text_becomes_a_header(site):
    for text in ("/desk\r\nX-Evil: 1", "/desk\nX-Evil: 1", "/desk%0d%0aX-Evil: 1"):
        put_into_headers(site, text)


def put_into_headers(site, text):
    owner = site.person("owner")
    quoted = text.replace("/", "").replace("\r", "%0d").replace("\n", "%0a")
    owner.get("/account")
    answers = [
        owner.post("/preferences", {"lang": "en", "next": text}),
        owner.post("/preferences", {"lang": text, "size": text}),
        owner.post("/desk/coupons/find", {"code": text}),
        owner.get(f"/desk/coupons/{quoted}"),
        owner.get("/sign-in", query_string={"next": text}),
        owner.get("/account", headers={"X-Request-Id": "%0d%0aX-Evil: 1"}),
        site.nobody().get("/desk", query_string={"a": text}),
    ]
    for answered in answers:
        assert answered.status_code < 500
        assert "X-Evil" not in answered.headers
        assert not any("\n" in value or "\r" in value for _, value in answered.headers)


def test_the_code_of_a_qr_is_written_into_no_log(site, capfd):
    ((qr, typed),) = site.paper(1)
    configure_logging(
        replace(site.settings, log_level="INFO")
    )  # to where this test looks, whatever was set before it
    tail = qr.rpartition("/")[2]
    slip = tail[:-4] + ("0000" if not tail.endswith("0000") else "1111")
    capfd.readouterr()
    phone = site.nobody()
    for path in (f"/Q/{tail}", f"/Q/{slip}", f"/Q/{tail}?x=1", f"/q/{tail}", "/balance"):
        phone.get(path)
    phone.get(f"/t/{site.slug}/")
    phone.post(f"/t/{site.slug}/", {"code": typed})
    site.person("owner").get(f"/Q/{tail}")
    clerk = site.person("clerk")
    clerk.get("/shop")
    clerk.post("/shop/read", {"code": qr})
    clerk.post("/shop/read", {"code": typed})
    owner = site.person("owner")
    owner.get("/desk/coupons")
    owner.post("/desk/coupons/find", {"code": qr})
    said = "".join(capfd.readouterr())
    assert "/Q/<path:tail>" in said, "nothing was logged, so nothing was proved"
    for secret in (tail, slip, typed, typed.replace("-", ""), tail[-20:]):
        assert secret not in said


OPTIONS_OF_ADDRESSES = ("endpoint", "_method", "_external", "_anchor", "_scheme", "values", "self")


@pytest.mark.parametrize("path", ["/desk/payments", "/desk/shops", "/desk/audit"])
def test_no_name_in_an_address_is_taken_for_an_option(site, path, monkeypatch):
    """A list's own addresses carry its filter on, and nothing else that stood in the address."""
    owner = site.person("owner")
    for name in OPTIONS_OF_ADDRESSES:
        for value in ("x", "POST", "1"):
            answer = owner.get(path, query_string={name: value})
            assert answer.status_code == 200, (name, value)
            links = re.findall(r'<a[^>]* href="([^"]*)"', answer.text)
            assert not [link for link in links if "#x" in link or "http" in link], (name, value)
            assert not [link for link in links if f"{name}=" in link], (name, value)
            assert owner.get(f"{path}?{name}={value}&before=1&after=1").status_code == 200


class Typist:
    """Types the same texts, in turn, into every field that ends on a page."""

    def __init__(self, site, texts):
        self.site, self.texts = site, itertools.cycle(texts)
        self.owner, self.faults = site.person("owner"), []

    def text(self):
        return next(self.texts)

    def label(self):
        text = self.text()
        return text if len(text) <= LABEL_MOST else LABEL

    def send(self, path, browser=None, **fields):
        browser = browser or self.owner
        browser.get("/account")
        answered = browser.post(path, {"key": new_id().hex} | fields)
        if answered.status_code >= 500:
            self.faults.append(path)
        return answered

    def reason(self):
        return {"why": "other", "words": self.text()}

    def enrol(self):
        """Enrol a shop with all it can have, and return its page."""
        facts = {"name": self.text(), "area": self.label(), "groups": self.label()}
        facts |= {"address": self.text(), "contact_name": self.text()}
        done = self.send("/desk/shops/new", number="7001", **facts)
        assert done.status_code == 303, words(done)
        shop = done.headers["Location"]
        self.send(f"{shop}/places", name=self.text(), address=self.text())
        self.send(f"{shop}/contact/change", contact_name=self.text())
        self.send(f"{shop}/stop", **self.reason())
        return shop

    def send_lists(self):
        """Send a list of shops that is right but for its texts, and one that is wrong."""
        line = io.StringIO()
        writer = csv.writer(line)
        writer.writerow(("number", "name", "kana", "area", "groups", "address", "phone"))
        right = ("8001", self.text(), "", "中央地区", "市内加盟店", self.text(), "00-0000-0000")
        writer.writerow(right)
        wrong = io.StringIO()
        writer = csv.writer(wrong)
        writer.writerow(("number", "name", "kana", "area", "groups", "address", "phone"))
        writer.writerow(right)
        writer.writerow([self.text() for _ in right])
        for file in (line, wrong):
            data = io.BytesIO(file.getvalue().encode())
            found = self.send("/desk/shops/imports", file=(data, "a.csv"))
            make_coupons.pump(self.site.settings)
        return found.headers["Location"]

    def turn_coupons(self):
        """Stop, free, replace and give back, each with a reason; return the paper."""
        paper, site = self.site.paper(4), self.site
        serials = _serials(site)
        for number in (0, 3):
            self.send(f"/desk/coupons/{serials[number]}/stop", **self.reason())
        self.send(f"/desk/coupons/{serials[3]}/free", **self.reason())
        self.send(f"/desk/coupons/{serials[1]}/replace", **self.reason())
        order = make.pay_order(site.town(), 10, code=paper[2][0])
        paid = payments.pay(site.scope, order)
        self.send(f"/desk/payments/{paid.id}/refund", amount="1", **self.reason())
        make_coupons.pump(site.settings)
        return paper

    def sign_in(self):
        """Sign in as an owner of this name with a browser of this name."""
        email = self.site.new_person("owner", name=self.text())
        named = self.site.nobody()
        named.headers["User-Agent"] = self.text().strip()
        named.get("/sign-in")
        answered = named.post("/sign-in", {"email": email, "password": PASSWORD})
        answered = step_on(named, answered, email)
        assert answered.status_code == 303, words(answered)
        return named


def words(answered):
    return re.sub(r"<[^>]+>|\s+", " ", answered.text)[-1500:]


def _serials(site):
    with unit_of_work(site.scope) as work:
        (batch,) = coupons.list_batches(work, limit=1)
        return [line.serial for line in coupons.list_manifest(work, batch.id)]


STARTS = (
    *("/desk", "/desk/members", "/desk/batches", "/desk/programmes", "/desk/coupons", "/account"),
    *("/desk/shops", "/desk/payments", "/desk/audit", "/desk/shops/all.csv", "/desk/audit/log.csv"),
    *("/desk/payments/all.csv", "/desk/batches/new", "/desk/coupons/range", "/design"),
    "/desk/shops?shown=all",
)


def walk_everywhere(typist):
    """Type everywhere, then open all pages that show anything of it, as everybody who may."""
    site, shop, sheet = typist.site, typist.enrol(), typist.send_lists()
    typist.send("/desk/members/invite", name=typist.text(), role="viewer")
    paper, named = typist.turn_coupons(), typist.sign_in()
    assert typist.faults == []
    seen = {}
    for language in ("ja", "en"):
        named.http.set_cookie("gp_lang", language, domain="localhost")
        found = Walker(named).walk(shop, sheet, f"{sheet}/left-out.csv", *STARTS)
        seen |= {f"{language} {path}": answer for path, answer in found.items()}
    clerk, phone = site.person("shop_owner"), site.nobody()
    clerk.get("/shop")
    stopped = clerk.post("/shop/read", {"code": paper[0][1]})
    pad = clerk.post("/shop/read", {"code": paper[2][1]})
    seen["stopped"] = stopped.status_code, stopped.mimetype, stopped.text
    seen |= Walker(clerk).walk("/shop", "/shop/today", pad.headers["Location"])
    phone.get("/Q/" + paper[2][0].rpartition("/")[2])
    own = f"/t/{site.slug}/"
    seen |= Walker(phone).walk("/balance", "/balance/shops", own, f"{own}shops")
    assert [path for path, (status, _, _) in seen.items() if status >= 500] == []
    return seen


def test_markup_that_was_typed_is_text_on_every_page(evil):
    seen = walk_everywhere(Typist(evil, [MARK]))
    shows = set()
    for path, (_, kind, text) in (seen | echo(evil, evil.person("owner"))).items():
        if kind != "text/html":
            continue
        assert find_markup(text) == [], path
        assert not re.search(r"alert\(1\)&gt;49", text), path
        if "&gt;&lt;img src=x" in text:
            shows.add(path.partition("?")[0])
    assert len(shows) > SHOWN_LEAST, sorted(shows)


def echo(site, owner):
    """Search for the mark, and send it where it will not do, so that forms show it again."""
    owner.get("/account")
    clerk, phone = site.person("clerk"), site.nobody()
    clerk.get("/shop")
    phone.get(f"/t/{site.slug}/")
    key = {"key": new_id().hex}
    answers = {
        "q": owner.get("/desk/shops", query_string={"q": MARK, "area": MARK, "group": MARK}),
        "pay": owner.get("/desk/payments", query_string={"shop": MARK, "serial": MARK}),
        "day": owner.get("/desk/payments", query_string={"first": MARK, "state": MARK}),
        "log": owner.get("/desk/audit", query_string={"first": MARK, "actor": MARK}),
        "order": owner.get("/desk/batches/new", query_string={"quantity": MARK, "programme": MARK}),
        "range": owner.get("/desk/coupons/range", query_string={"act": MARK, "first": MARK}),
        "find": owner.post("/desk/coupons/find", {"code": MARK}),
        "enrol": owner.post("/desk/shops/new", key | {"number": MARK, "area": MARK}),
        "invite": owner.post("/desk/members/invite", {"email": MARK, "shop": MARK, "role": MARK}),
        "next": site.nobody().get("/sign-in", query_string={"next": "/desk?" + MARK}),
        "sign in": phone.post("/sign-in", {"email": MARK, "password": "x", "next": "/" + MARK}),
        "read": clerk.post("/shop/read", {"code": MARK}),
        "typed": phone.post(f"/t/{site.slug}/", {"code": MARK}),
        "shops": phone.get(f"/t/{site.slug}/shops", query_string={"text": MARK, "area": MARK}),
        "nowhere": owner.get("/nowhere/" + MARK),
        "coupon": owner.get("/desk/coupons/" + MARK),
        "join": phone.get("/join/" + MARK),
        "qr": phone.get("/Q/" + MARK),
    }
    return {name: (got.status_code, got.mimetype, got.text) for name, got in answers.items()}


def test_no_cell_of_a_file_is_a_formula(site):
    seen = walk_everywhere(Typist(site, FORMULAS))
    files = {path: body for path, (_, kind, body) in seen.items() if kind == "text/csv"}
    kinds = {path.partition("?")[0].rpartition("/")[2] for path in files}
    assert kinds >= {"all.csv", "log.csv", "corrected.csv", "left-out.csv", "numbers.csv"}
    for path, body in files.items():
        assert find_formulas(body) == [], path
    everything = "".join(files.values())
    for text in ("\"'=1+1", "\"'+1+1", "\"'-1+1", "\"'@SUM(1)", "\"'=HYPERLINK"):
        assert text in everything, text
