"""A catalogue is taken in by command: tried first, told by line, then done."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from giftpad import tenancy
from giftpad.cli.catalog import catalog_group
from tests.tenancy.test_cli import NAMES


@pytest.fixture
def run(settings, shelf, monkeypatch):
    for name in NAMES:
        if value := getattr(settings, name):
            monkeypatch.setenv(f"GIFTPAD_{name.upper()}", str(value))
    slug = tenancy.get_tenant(shelf.scope.tenant_id).slug

    def call(command, *arguments):
        result = CliRunner().invoke(catalog_group, [command, "--tenant", slug, *arguments])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return call


def test_a_file_is_tried_then_taken(run, shelf, tmp_path):
    file = tmp_path / "products.csv"
    file.write_text("code,name,courses\nTEA,茶,C5000\n", "utf-8")
    tried = run("import", "--dry-run", str(file))
    assert "1 products would be added" in tried.output
    assert "1 products added" in run("import", str(file)).output
    assert "0 products added, 0 changed, 1 unchanged" in run("import", str(file)).output
    assert shelf.product("TEA").name_in("ja") == "茶"


def test_what_is_wrong_is_told_by_line_and_keeps_the_file_out(run, shelf, tmp_path):
    file = tmp_path / "products.csv"
    file.write_text("code,name,price\nTEA,茶,1\nBAD,x,free\n", "utf-8")
    refused = run("import", str(file))
    assert refused.exit_code == 1
    assert "products.csv:3: price: free is no whole number." in refused.stderr
    assert "1 products added" in run("import", "--partial", str(file)).output
    assert shelf.product("TEA").price_minor == 1


def test_codes_are_added_once(run, shelf, tmp_path):
    shelf.put("CARD,カード,digital,,,,,C5000,,")
    file = tmp_path / "codes.csv"
    file.write_text("code\nA-1\nA-2\nA-1\n", "utf-8")
    assert "2 codes added, 0 known" in run("codes", "--product", "card", str(file)).output
    assert "0 codes added, 2 known" in run("codes", "--product", "CARD", str(file)).output
    assert run("codes", "--product", "NONE", str(file)).exit_code == 2
