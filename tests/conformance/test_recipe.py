"""The recipe for the suite itself says nothing that suite and product do not know.

Containers cannot be run in these tests: the files are parsed and compared with the list of the
modules, with the commands, and with the pages that the suite's browser will see.
"""

from __future__ import annotations

import importlib.util
import io
import json
import re
import shlex
from urllib.parse import urlencode, urlsplit

import pytest
import yaml
from click.testing import CliRunner

from giftpad import identity
from giftpad.cli import cli
from giftpad.kernel.migrate import ROOT
from tests.conformance import test_modules
from tests.conformance.parties import AFTERWARDS, CALLBACK
from tests.conformance.suite import BASIC, LOGOUT, MODULES, PLANS
from tests.make_pages import HOST

FOLDER = ROOT / "deploy" / "conformance"
PAGE = ROOT / "docs" / "how-to" / "run-the-conformance-suite.md"
NAMES = ("database_url", "database_owner_url", "database_relay_url", "redis_url", "kek_file")
SUITE = "https://localhost.emobix.co.uk:8443"
CLIENTS = {
    "basic": {"client", "client2", "client_secret_post"},
    "config": set(),
    "logout": {"client", "client2"},
}
SENTENCE = {
    "This app cannot go on": "wrong",
    "You are signed out": "signed out",
    r"Sign out\?": "sign out?",
}
assert test_modules.GROUPS  # it fills the table of the modules


def plan(name):
    return json.loads((FOLDER / f"{name}.json").read_text("utf-8"))


def commands(part):
    """Return every command of a plan's browser."""
    if isinstance(part, dict):
        yield from part.get("commands", ())
        for value in part.values():
            yield from commands(value)
    elif isinstance(part, list):
        for value in part:
            yield from commands(value)


@pytest.fixture
def fill():
    """The script of the recipe."""
    spec = importlib.util.spec_from_file_location("fill", FOLDER / "fill.py")
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


@pytest.mark.parametrize("name", CLIENTS)
def test_a_plan_has_all_that_the_suite_asks_for(name, fill):
    found = plan(name)
    assert found["alias"] == "giftpad"
    address = urlsplit(found["server"]["discoveryUrl"])
    assert f"{address.scheme}://{address.netloc}" == fill.ADDRESS
    assert address.path == "/.well-known/openid-configuration"
    assert {key for key in found if key.startswith("client")} == CLIENTS[name]
    for key in CLIENTS[name]:
        assert set(found[key]) == {"client_id", "client_secret"}
    assert set(found.get("override", {})) <= set(MODULES)


def test_where_a_person_must_look_the_plans_have_a_picture_taken():
    for name, modules in (("basic", BASIC), ("logout", LOGOUT)):
        pictured = {
            module
            for module, override in plan(name)["override"].items()
            if "update-image-placeholder" in json.dumps(override)
        }
        assert pictured == {each for each in modules if MODULES[each].verdict == "review"}


def test_the_clients_that_refresh_ask_for_it():
    override = plan("basic")["override"]["oidcc-refresh-token"]
    for key in ("client", "client2"):
        assert override[key] == plan("basic")[key] | {"scope": "openid offline_access"}


def test_the_suite_is_reached_by_one_name_and_from_this_machine_only(fill):
    services = yaml.safe_load((FOLDER / "compose.yml").read_text("utf-8"))["services"]
    assert services["server"]["environment"]["BASE_URL"] == SUITE
    assert services["nginx"]["networks"]["default"]["aliases"] == [urlsplit(SUITE).hostname]
    assert services["nginx"]["ports"] == ["127.0.0.1:8443:8443"]
    assert [name for name, service in services.items() if "ports" in service] == ["nginx"]
    (host,) = services["server"]["extra_hosts"]
    assert host == f"{urlsplit(fill.ADDRESS).hostname}:host-gateway"
    for service in services.values():
        assert set(service.get("depends_on", ())) <= set(services)


def page_words():
    """Return the command of the page that makes a client, as words."""
    (command,) = re.findall(r"  (giftpad client create .*?--json)\n", PAGE.read_text(), re.DOTALL)
    return shlex.split(command.replace("\\\n", " "))


def test_the_steps_of_the_page_make_plans_that_fit_the_clients(
    provider, settings, fill, tmp_path, monkeypatch
):
    for name in NAMES:
        monkeypatch.setenv(f"GIFTPAD_{name.upper()}", getattr(settings, name))
    words = page_words()[1:]
    words[words.index("midori-city")] = provider.site.slug
    made = [CliRunner().invoke(cli, words) for _ in range(3)]
    assert [each.exit_code for each in made] == [0, 0, 0], made[0].output
    monkeypatch.setattr("sys.stdin", io.StringIO("".join(each.output for each in made)))
    monkeypatch.setattr(fill.getpass, "getpass", lambda _: 'pa"ss\\word')
    fill.main("https://op.example.jp/", "someone@example.jp", tmp_path / "filled")
    texts = {}
    for path in sorted((tmp_path / "filled").iterdir()):
        assert path.stat().st_mode & 0o777 == 0o600
        texts[path.stem] = path.read_text()
        assert not re.search(r"CLIENT-\d|THE-|giftpad\.example", texts[path.stem])
    assert set(texts) == set(CLIENTS)
    basic = json.loads(texts["basic"])
    assert basic["server"]["discoveryUrl"].startswith("https://op.example.jp/.well-known/")
    typed = [each[3] for each in commands(basic) if each[0] == "text"]
    assert set(typed) == {"someone@example.jp", 'pa"ss\\word'}
    for key, each in zip(("client", "client2", "client_secret_post"), made, strict=True):
        given = basic[key]
        assert given == json.loads(each.output)
        granted = identity.authenticate_client(given["client_id"], given["client_secret"])
        assert granted.needs_challenge is False
        assert granted.redirect_uris == (SUITE + urlsplit(CALLBACK).path,)
        assert granted.logout_uris == (SUITE + urlsplit(AFTERWARDS).path,)


def test_fewer_clients_than_the_plans_need_are_not_enough(fill):
    with pytest.raises(SystemExit):
        fill.read_clients('{"client_id": "a"}\n{"client_id": "b"}\n')


def seen(provider):
    """Return the pages that the suite's browser comes to, in its language, by what they show."""
    browser = provider.browser
    browser.headers["Accept-Language"] = "en"
    wrong = provider.asked(redirect_uri="https://evil.example.jp/")
    pages = {"wrong": browser.get(f"/authorize?{urlencode(wrong)}")}
    pages["sign in"] = browser.follow(browser.get(f"/authorize?{urlencode(provider.asked())}"))
    signed = provider.sign_in()
    consent = provider.asked(prompt="consent")
    pages["consent"] = browser.get(f"/authorize?{urlencode(consent)}")
    pages["sign out?"] = browser.get("/oidc/logout")
    hint = urlencode({"id_token_hint": signed.id_token})
    pages["signed out"] = browser.follow(browser.get(f"/oidc/logout?{hint}"))
    return {name: page.text for name, page in pages.items()}


def test_what_the_suites_browser_looks_for_is_on_our_pages(provider):
    pages = seen(provider)
    main = {name: text.partition("<main")[2] for name, text in pages.items()}
    found = [each for name in CLIENTS for each in commands(plan(name))]
    for field in {each[2] for each in found if each[1] == "id"} - {"submission_complete"}:
        assert f'id="{field}"' in main["sign in"]
    for name in ("sign in", "sign out?"):
        assert re.findall(r'<button [^>]*type="submit"', main[name].partition("<form")[2])
    (yes,) = re.findall(r'<button [^>]*data-kind="main"[^>]*>', main["consent"])
    assert 'name="membership"' in yes
    for each in found:
        if each[0] == "wait" and each[1] in ("css", "xpath"):
            where, text = SENTENCE[each[4]], each[4].replace("\\", "")
            element = "<h1>" if each[2] == "//h1" else 'role="status">'
            assert text in main[where].partition(element)[2]
    asked = {each[2] for each in found if each[:2] == ["click", "css"]}
    assert asked == {
        "main form button[type='submit']",
        "main form button[data-kind='main']",
    }


def test_the_addresses_that_the_plans_wait_at_are_pages_of_ours(provider, fill):
    http = provider.site.app.test_client()
    patterns = set()
    for name in CLIENTS:
        patterns |= set(re.findall(r'"match": "([^"]*)"', json.dumps(plan(name))))
    for pattern in patterns:
        if pattern.startswith(fill.ADDRESS):
            path = pattern.removeprefix(fill.ADDRESS).rstrip("*")
            assert http.get(path, base_url=f"http://{HOST}").status_code != 404, path
        else:
            assert pattern.strip("*") in (urlsplit(CALLBACK).path, urlsplit(AFTERWARDS).path)


def test_the_page_names_the_plans_and_says_what_is_not_passed():
    text = PAGE.read_text("utf-8")
    assert [name for name in PLANS if name not in text] == []
    told = [f"| `{n}` | {m.verdict} | {m.because} |" for n, m in MODULES.items()]
    wanted = [line for line in told if "| passed |" not in line]
    rows = [line for line in text.splitlines() if line.startswith("| `oidcc-")]
    assert sorted(rows) == sorted(wanted)
    left = [name for name in BASIC if MODULES[name].verdict == "left out"]
    assert f"of {len(BASIC)} modules" in text
    assert f"it runs {len(BASIC) - len(left)}." in text
