"""Print templates and tenant packs are right as they lie in the tree."""

from __future__ import annotations

import shutil

import pytest
from click.testing import CliRunner

from giftpad import printing
from giftpad.cli.tenant import tenant
from giftpad.kernel.migrate import ROOT

TEMPLATES = sorted(
    path.parent
    for pattern in ("print_templates/*/template.toml", "tenants/*/print/*/template.toml")
    for path in ROOT.glob(pattern)
)


@pytest.mark.parametrize("folder", TEMPLATES, ids=lambda folder: str(folder.relative_to(ROOT)))
def test_a_template_can_be_printed(folder):
    assert [str(problem) for problem in printing.check_template(folder)] == []


def test_a_template_that_cannot_be_printed_is_told(tmp_path):
    folder = tmp_path / TEMPLATES[0].name
    shutil.copytree(TEMPLATES[0], folder)
    layout = folder / "layout.json"
    layout.write_text(layout.read_text("utf-8").replace("{serial}", "{seria}"), "utf-8")
    assert any("seria" in str(problem) for problem in printing.check_template(folder))


def test_every_pack_is_good():
    checked = CliRunner().invoke(tenant, ["check"])
    assert checked.exit_code == 0, checked.output
    slugs = [path.parent.name for path in sorted(ROOT.glob("tenants/*/tenant.toml"))]
    assert checked.output.splitlines() == [f"{slug}: good" for slug in slugs]


def test_a_broken_pack_is_told(tmp_path):
    folder = tmp_path / "midori-city"
    shutil.copytree(ROOT / "tenants" / "midori-city", folder)
    (folder / "run.py").touch()
    checked = CliRunner().invoke(tenant, ["check", str(folder)])
    assert checked.exit_code == 1
    assert "run.py" in checked.output
