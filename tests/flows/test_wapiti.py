"""Wapiti walks through the pages as nobody, as an issuer's owner, as a clerk, and finds nothing.

It runs where it was installed: ``python .ci/wapiti.py``.
"""

from __future__ import annotations

import http.cookiejar
import json
import re
import subprocess
import urllib.parse
import urllib.request

import pytest

from giftpad.kernel.migrate import ROOT

WAPITI = ROOT / ".venv" / "wapiti" / "bin" / "wapiti"
MODULES = "xss,sql,exec,file,redirect,crlf,xxe,upload,csrf,permanentxss,csp,cookieflags"
CRAWL_S, ATTACK_S, TIMEOUT_S = "60", "30", 900
LEFT_ALONE = ("sign-out", "account/sessions*", "account/password*")
BY_DESIGN = {"Secure Flag cookie"}
"""By plain http, on this machine's own address only, cookies cannot be Secure."""

WALKS = {
    "nobody": ("", "/"),
    "issuer": ("owner@hanamaru.example", "/desk"),
    "shop": ("clerk@hanamaru.example", "/shop"),
}


def sign_in(product, email):
    """Return the cookies of a browser in which somebody has signed in."""
    jar = http.cookiejar.CookieJar()
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    address = f"http://localhost:{product.port}/sign-in"
    with browser.open(address) as page:
        csrf = re.search(r'name="csrf" value="([^"]+)"', page.read().decode())[1]
    form = {"csrf": csrf, "email": email}
    with browser.open(f"{address}/demonstration", urllib.parse.urlencode(form).encode()) as page:
        assert "/sign-in" not in page.geturl()
    return "; ".join(f"{cookie.name}={cookie.value}" for cookie in jar)


@pytest.mark.long
@pytest.mark.skipif(not WAPITI.exists(), reason="Wapiti is installed by: python .ci/wapiti.py")
@pytest.mark.parametrize("who", WALKS)
def test_a_scanner_finds_nothing_on_the_pages(product, tmp_path, who):
    email, start = WALKS[who]
    base, report = f"http://localhost:{product.port}", tmp_path / "report.json"
    command = [str(WAPITI), "-u", base + start, "--scope", "domain", "-m", MODULES]
    command += ["--max-scan-time", CRAWL_S, "--max-attack-time", ATTACK_S, "-d", "4"]
    command += ["--max-links-per-page", "30", "--flush-session", "--no-bugreport"]
    command += ["--store-session", str(tmp_path), "--drop-set-cookie"]
    command += ["-f", "json", "-o", str(report)]
    for path in LEFT_ALONE:
        command += ["-x", f"{base}/{path}"]
    if email:
        command += ["-C", sign_in(product, email)]
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
