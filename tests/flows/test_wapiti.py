"""Wapiti walks through the pages as nobody, at the desk, in a shop, with a gift, and finds nothing.

It runs where it was installed: ``python .ci/wapiti.py``.
"""

from __future__ import annotations

import http.cookiejar
import json
import re
import subprocess
import time
import urllib.parse
import urllib.request
import uuid

import pytest

from giftpad.kernel.migrate import ROOT

WAPITI = ROOT / ".venv" / "wapiti" / "bin" / "wapiti"
MODULES = "xss,sql,exec,file,redirect,crlf,xxe,upload,csrf,permanentxss,csp,cookieflags"
CRAWL_S, ATTACK_S, TIMEOUT_S = "60", "30", 900
LEFT_ALONE = ("sign-out", "account/sessions*", "account/password*")
BY_DESIGN = {"Secure Flag cookie"}
"""By plain http, on this machine's own address only, cookies cannot be Secure."""

ORDERED_WITHIN_S = 60
ORDER = {
    "title": "お歳暮",
    "design": "musubi",
    "sender_name": "株式会社はなまる",
    "message": "心ばかりの品をお贈りします。",
    "channel": "link",
    "recipients": [{"name": f"見本 {number}"} for number in range(3)],
}


def nobody(product):
    """Return no cookies."""
    return ""


def signed_in(email):
    """Return what signs somebody in and returns the cookies of the browser."""
    return lambda product: sign_in(product, email)


def sender(product):
    """Return the cookies of somebody at the desk of a company that has sent gifts."""
    order_gifts(product)
    return sign_in(product, "owner@hanamaru.example")


def recipient(product):
    """Return the cookies of a browser in which the link of a gift was opened."""
    jar, browser = new_browser()
    with browser.open(order_gifts(product)) as page:
        assert "心ばかりの品" in page.read().decode()
    return cookies(jar)


WALKS = {
    "nobody": (nobody, "/"),
    "issuer": (signed_in("owner@hanamaru.example"), "/desk"),
    "shop": (signed_in("clerk@hanamaru.example"), "/shop"),
    "sender": (sender, "/desk/gifts"),
    "recipient": (recipient, "/g"),
}


def new_browser():
    """Return a browser and the jar of its cookies."""
    jar = http.cookiejar.CookieJar()
    return jar, urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))


def cookies(jar):
    """Return the cookies of a jar as a browser sends them."""
    return "; ".join(f"{cookie.name}={cookie.value}" for cookie in jar)


def order_gifts(product):
    """Order three gifts as a machine does, wait for them, and return the link of the first."""
    may = ("gifts:order", "gifts:read", "catalog:read")
    company = product.caller(*may, tenant="hanamaru")
    courses = company.ask("GET", "/api/v1/catalog/courses", wanted=200)["items"]
    order = ORDER | {"course_id": courses[0]["id"]}
    made = company.ask("POST", "/api/v1/gift-orders", order, key=uuid.uuid4().hex, wanted=202)
    path = f"/api/v1/gift-orders/{made['id']}"
    deadline = time.monotonic() + ORDERED_WITHIN_S
    while company.ask("GET", path, wanted=200)["state"] != "sent":
        assert time.monotonic() < deadline
        time.sleep(0.2)
    return company.ask("GET", f"{path}/links", wanted=200)["items"][0]["link"]


def sign_in(product, email):
    """Return the cookies of a browser in which somebody has signed in."""
    jar, browser = new_browser()
    address = f"http://localhost:{product.port}/sign-in"
    with browser.open(address) as page:
        csrf = re.search(r'name="csrf" value="([^"]+)"', page.read().decode())[1]
    form = {"csrf": csrf, "email": email}
    with browser.open(f"{address}/demonstration", urllib.parse.urlencode(form).encode()) as page:
        assert "/sign-in" not in page.geturl()
    return cookies(jar)


@pytest.mark.long
@pytest.mark.skipif(not WAPITI.exists(), reason="Wapiti is installed by: python .ci/wapiti.py")
@pytest.mark.parametrize("who", WALKS)
def test_a_scanner_finds_nothing_on_the_pages(product, tmp_path, who):
    enter, start = WALKS[who]
    base, report = f"http://localhost:{product.port}", tmp_path / "report.json"
    command = [str(WAPITI), "-u", base + start, "--scope", "domain", "-m", MODULES]
    command += ["--max-scan-time", CRAWL_S, "--max-attack-time", ATTACK_S, "-d", "4"]
    command += ["--max-links-per-page", "30", "--flush-session", "--no-bugreport"]
    command += ["--store-session", str(tmp_path), "--drop-set-cookie"]
    command += ["-f", "json", "-o", str(report)]
    for path in LEFT_ALONE:
        command += ["-x", f"{base}/{path}"]
    if held := enter(product):
        command += ["-C", held]
    subprocess.run(command, check=True, capture_output=True, timeout=TIMEOUT_S)
    found = json.loads(report.read_text())
    assert found["infos"]["crawled_pages_nbr"] > 10
    faults = {
        f"{kind}: {each['method']} {each['path']} {each['parameter']} {each['info']}"
        for what in ("vulnerabilities", "anomalies")
        for kind, all_of_it in found[what].items()
        if kind not in BY_DESIGN
        for each in all_of_it
    }
    assert faults == set()
