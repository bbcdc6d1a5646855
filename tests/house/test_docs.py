"""The documentation says what is there: names, links, tests and tables agree with the code."""

from __future__ import annotations

import ast
import re
from dataclasses import fields
from functools import cache

import click
import pytest

from giftpad import tenancy
from giftpad.cli import cli
from giftpad.identity import PERMISSIONS, ROLES
from giftpad.kernel.config import Settings
from giftpad.wiring import PACK_SECTIONS, SCHEDULE, SUBSCRIPTIONS
from tests.house import doc_tables

ROOT = doc_tables.ROOT
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]
REFERENCE = doc_tables.REFERENCE

LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
CODE_BLOCK = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
TEST_FILE = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")
SOURCE_FILE = re.compile(r"`((?:giftpad|worker|migrations|tenants|print_templates)/[\w./]+\.\w+)`")


def read(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def anchors(text: str) -> set[str]:
    """Return the anchors of a page's headings, as its host writes them."""
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in HEADING.findall(text))
    return {heading.strip().replace(" ", "-") for heading in plain}


@cache
def named_tests(path: str) -> frozenset[str]:
    tree = ast.parse(read(path))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def commands(group: click.Group, words: str) -> list[tuple[str, click.Command]]:
    """Return every command that does something, with its words."""
    context, found = click.Context(group), []
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None, f"{words} {name} does not load"
        is_group = isinstance(command, click.Group)
        path = f"{words} {name}"
        found += commands(command, path) if is_group else [(path, command)]
    return found


@pytest.mark.parametrize("name", NAMES)
def test_every_link_leads_somewhere(name):
    page = ROOT / name
    for target in LINK.findall(CODE_BLOCK.sub("", read(name))):
        if target.startswith(("http://", "https://")):
            continue
        path, _, anchor = target.partition("#")
        linked = (page.parent / path).resolve() if path else page
        assert linked.is_relative_to(ROOT), target
        assert linked.exists(), target
        if anchor:
            assert anchor in anchors(linked.read_text("utf-8")), target


@pytest.mark.parametrize("name", NAMES)
def test_every_test_and_file_a_page_names_exists(name):
    text = read(name)
    for path, test in TEST_FILE.findall(text):
        assert (ROOT / path).is_file(), path
        assert not test or test in named_tests(path), f"{path}::{test}"
    for path in SOURCE_FILE.findall(text):
        assert (ROOT / path).is_file(), path


@pytest.mark.parametrize("name", NAMES)
def test_no_page_knows_the_machine_it_was_written_on(name):
    assert str(ROOT) not in read(name)


def test_every_page_is_found_from_the_start():
    linked = {
        (page.parent / target.partition("#")[0]).resolve()
        for page in PAGES
        for target in LINK.findall(page.read_text("utf-8"))
        if "://" not in target
    }
    assert [page for page in PAGES if page.name != "README.md" and page not in linked] == []


@pytest.mark.parametrize("name", sorted(path.name for path in REFERENCE.glob("*.md")))
def test_the_tables_are_those_of_the_code(name):
    text = (REFERENCE / name).read_text("utf-8")
    assert text == doc_tables.filled(text), "run: python -m tests.house.doc_tables"


def test_every_setting_is_documented_with_its_default():
    page = read("docs/reference/settings.md")
    for setting in fields(Settings):
        if setting.name == "environment":
            continue
        (row,) = re.findall(
            rf"^\| `GIFTPAD_{setting.name.upper()}` \| (.*) \|.*\|$", page, re.MULTILINE
        )
        default = setting.default
        assert row.startswith(f"`{default}`" if default != "" else "empty"), setting.name


def test_every_command_is_documented_with_its_options():
    lines = read("docs/reference/cli.md").splitlines()
    for path, command in commands(cli, "giftpad"):
        rows = [line for line in lines if line.startswith((f"| `{path}`", f"| `{path} "))]
        assert len(rows) == 1, path
        for option in command.params:
            if isinstance(option, click.Option):
                assert any(
                    f"`{word}" in rows[0] or f" {word}`" in rows[0] for word in option.opts
                ), f"{path} {option.opts}"


def test_every_permission_and_role_is_documented():
    page = read("docs/reference/permissions.md")
    meanings = page.partition("<!-- end -->")[2]
    assert [name for name in PERMISSIONS if f"`{name}`" not in meanings] == []
    assert [role for role in ROLES if role not in page] == []


def test_every_refusal_is_documented():
    pages = read("docs/reference/refusals.md") + read("docs/reference/exit-codes.md")
    codes = {refusal.code for refusal in doc_tables.list_refusals()}
    internal = {"token.refused"}  # becomes token.invalid at the edge
    assert sorted(code for code in codes - internal if f"`{code}`" not in pages) == []


def test_every_handler_and_scheduled_job_is_documented():
    events = read("docs/operating/dead-letters.md")
    assert [event.name for event in SUBSCRIPTIONS if event.name not in spelled_out(events)] == []
    retention = read("docs/reference/retention.md")
    assert [name for name in SCHEDULE if f"`{name}`" not in retention] == []


def spelled_out(text: str) -> str:
    """Write `payment.captured_v1`, `.voided_v1` as whole names."""
    return re.sub(r"`\.(\w+_v\d)`", r"`payment.\1`", text)


def test_the_packs_of_the_how_tos_can_be_read(tmp_path):
    tenant, programme = (read(f"docs/how-to/add-a-{what}.md") for what in ("tenant", "programme"))
    folder = tmp_path / "sakura-town"
    (folder / "programmes").mkdir(parents=True)
    (folder / "tenant.toml").write_text(block(tenant, "toml"), "utf-8")
    (folder / "shops.csv").write_text(block(tenant, "csv"), "utf-8")
    (folder / "programmes" / "summer.toml").write_text(block(programme, "toml"), "utf-8")
    pack = tenancy.load_pack(folder, PACK_SECTIONS)
    assert (pack.slug, pack.kind) == ("sakura-town", "municipal")


def block(text: str, language: str) -> str:
    found = re.search(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    assert found is not None
    return found[1]
