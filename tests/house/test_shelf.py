"""Imports go down the shelf, and one enters a package by its door."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import grimp
import pytest

from giftpad.kernel.migrate import ROOT

HANDS = {"giftpad.wiring", "giftpad.app", "giftpad.cli", "worker"}
"""Who joins the rooms together, and therefore may reach into those that nobody calls by hand."""

INNER_ROOMS = {"handlers", "jobs"}
FOR_MIGRATIONS = {"giftpad", "giftpad.kernel.db", "giftpad.kernel.migrate"}
FAULTS = {
    "giftpad/kernel/money.py": "import giftpad.cli",
    "giftpad/coupons/rules.py": "import giftpad.coupons.commands",
    "giftpad/ledger/commands.py": "import werkzeug",
    "giftpad/events/commands.py": "import worker",
}
"""A line that breaks each contract, by the file it is written into."""


def judge_contracts(root: Path) -> subprocess.CompletedProcess[str]:
    """Let import-linter judge a tree by the contracts in its pyproject.toml."""
    program = Path(sys.executable).with_name("lint-imports")
    command = [program, "--no-cache", "--verbose"]
    return subprocess.run(command, cwd=root, capture_output=True, check=False, text=True)


def door_faults(graph: grimp.ImportGraph) -> list[str]:
    """Name every import that enters a package elsewhere than by its door.

    The kernel has no door of its own: each of its modules is one.
    """
    return [
        f"{importer} -> {imported}"
        for importer in sorted(graph.modules)
        for imported in sorted(graph.find_modules_directly_imported_by(importer))
        if not _is_by_door(importer, imported)
    ]


def _is_by_door(importer: str, imported: str) -> bool:
    house, *rooms = imported.split(".")
    package = ".".join([house, *rooms[:1]])
    if house != "giftpad" or len(rooms) <= 1 or f"{importer}.".startswith(f"{package}."):
        return True
    if package == "giftpad.kernel":
        return len(rooms) == 2
    reaches_in = any(f"{importer}.".startswith(f"{hand}.") for hand in HANDS)
    return reaches_in and len(rooms) == 2 and rooms[1] in INNER_ROOMS


def foreign_imports(text: str) -> set[str]:
    """Return what a migration imports of the house and may not: only the kernel outlives it."""
    names = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
        elif isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
    return {name for name in names if name.split(".")[0] == "giftpad"} - FOR_MIGRATIONS


def graph_of(*imports: tuple[str, str]) -> grimp.ImportGraph:
    graph = grimp.ImportGraph()
    for importer, imported in imports:
        graph.add_import(importer=importer, imported=imported)
    return graph


def test_the_contracts_hold():
    judged = judge_contracts(ROOT)
    assert judged.returncode == 0, judged.stdout[-2000:]


def test_a_broken_contract_is_told(tmp_path):
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for package in ("giftpad", "worker"):
        shutil.copytree(
            ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    for name, line in FAULTS.items():
        with (tmp_path / name).open("a", encoding="utf-8") as file:
            file.write(f"\n{line}\n")
    (tmp_path / "giftpad" / "undeclared").mkdir()
    (tmp_path / "giftpad" / "undeclared" / "__init__.py").touch()
    judged = judge_contracts(tmp_path)
    assert judged.returncode == 1
    shown = " ".join(judged.stdout.split())
    assert "0 kept, 4 broken" in shown
    for told in (
        "giftpad.kernel.money -> giftpad.cli",
        "giftpad.coupons.rules -> giftpad.coupons.commands",
        "giftpad.ledger.commands -> werkzeug",
        "giftpad.events.commands -> worker",
        "giftpad.undeclared",
    ):
        assert told in shown, told


def test_everybody_enters_by_the_door():
    assert door_faults(grimp.build_graph("giftpad", "worker", cache_dir=None)) == []


@pytest.mark.parametrize(
    ("importer", "imported", "is_fault"),
    [
        ("giftpad.coupons.commands", "giftpad.payments", False),
        ("giftpad.coupons.commands", "giftpad.payments.models", True),
        ("giftpad.coupons.commands", "giftpad.coupons.models.tables", False),
        ("giftpad.coupons.commands", "giftpad.kernel.money", False),
        ("giftpad.coupons.commands", "giftpad.payments.handlers", True),
        ("giftpad.api.v1.coupons", "giftpad.coupons.queries", True),
        ("giftpad.wiring", "giftpad.coupons.handlers", False),
        ("giftpad.cli.events", "giftpad.events.jobs", False),
        ("giftpad.cli.events", "giftpad.events.models", True),
        ("giftpad.app", "giftpad.api.http", True),
        ("worker.relay", "giftpad.events.commands", True),
        ("giftpad.wiringhouse", "giftpad.coupons.jobs", True),
        ("giftpad.coupons.rules", "msgspec", False),
    ],
)
def test_only_the_door_counts_as_one(importer, imported, is_fault):
    faults = [f"{importer} -> {imported}"] if is_fault else []
    assert door_faults(graph_of((importer, imported))) == faults


def test_migrations_import_nothing_that_changes_after_them():
    scripts = sorted((ROOT / "migrations").rglob("*.py"))
    assert scripts
    found = {path.name: foreign_imports(path.read_text("utf-8")) for path in scripts}
    assert {name: imports for name, imports in found.items() if imports} == {}
    assert foreign_imports("from giftpad.coupons.models import Batch") == {"giftpad.coupons.models"}
    assert foreign_imports("import giftpad.payments, os") == {"giftpad.payments"}
