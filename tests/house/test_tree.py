"""How the tree looks: sizes, rooms, data that is only data, nothing of the machine it grew on."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from giftpad.kernel.migrate import ROOT
from tests.house.tree import list_files, read_texts

FILE_LINES_MAX = 500
FUNCTION_LINES_MAX = 60
LONGER_FUNCTIONS: dict[str, str] = {}
"""Functions that may be longer, as ``file:name``, each with the reason."""

SOURCES = ("*.py", "*.sql", "*.css", "*.ts", "*.js", "*.html")
SCRIPTS = (".ci/*", "Makefile")
ROOMS = {
    *("__init__", "rules", "errors", "events", "models", "sql"),
    *("adapters", "commands", "queries", "handlers", "jobs"),
}
NOT_DOMAINS = {"api", "cli", "edge", "kernel", "local", "portals"}
DATA = {
    "tenants": {".toml", ".csv", ".md", ".css", ".svg", ".png", ".jpg", ".json"},
    "gift_designs": {".toml", ".svg", ".md"},
    "print_templates": {".toml", ".json", ".md", ".png", ".jpg", ".npmrc"},
}
EXECUTABLE = 0o111
MACHINE_PATH = re.compile(r"(?<![\w.-])/(?:work|root|home)/\w|\.\./shared\b")
REGISTRY = re.compile(
    r'"resolved": *"http|index-url|^ *registry *=|https?://[^ "]*\.(?:whl|tgz|tar\.gz)',
    re.MULTILINE,
)
LOCKS = ("*.lock", "*lock.json", "*lock.toml", "requirements/*", "*.npmrc", "*pip.conf")
TODO = re.compile(r"(?:#|--|//|/\*|<!--)\s*(?:TODO|FIXME)\b(?!.*#\d)")


def code_lines(text: str) -> Iterator[tuple[str, int]]:
    """Return every function with its number of lines, its docstring not counted."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            lines = node.end_lineno - node.lineno + 1
            if ast.get_docstring(node) is not None:
                first = node.body[0]
                assert first.end_lineno is not None
                lines -= first.end_lineno - first.lineno + 1
            yield node.name, lines


def room_faults(package: Path) -> list[str]:
    """Name what lies in a domain package and is no room."""
    found = {path.stem: path for path in package.iterdir() if path.name != "__pycache__"}
    return sorted(path.name for stem, path in found.items() if stem not in ROOMS)


def data_faults(folder: Path, paths: Iterable[Path], *, kinds: set[str]) -> list[str]:
    """Name the files that are not data, or could be run."""
    return [
        str(path)
        for path in paths
        if (path.suffix or path.name) not in kinds or (folder / path).stat().st_mode & EXECUTABLE
    ]


def places(pattern: re.Pattern[str], texts: Iterable[tuple[Path, str]]) -> list[str]:
    """Name the lines that a pattern finds."""
    return [
        f"{path}:{text.count(chr(10), 0, hit.start()) + 1}"
        for path, text in texts
        for hit in pattern.finditer(text)
    ]


def too_long(texts: Iterable[tuple[Path, str]]) -> list[str]:
    """Name the files that should be folders."""
    return [str(path) for path, text in texts if len(text.splitlines()) > FILE_LINES_MAX]


def test_no_file_is_longer_than_one_can_read():
    assert too_long(read_texts(*SOURCES)) == []
    line = "x\n"
    assert too_long([(Path("a.py"), line * 501), (Path("b.sql"), line * 500)]) == ["a.py"]
    assert too_long([(Path("c.py"), '__all__ = [\n    "X",\n]\n' + line * 498)]) == ["c.py"]


def test_no_function_is_longer_than_a_page():
    longer = {
        f"{path}:{name}"
        for path, text in read_texts("*.py")
        for name, lines in code_lines(text)
        if lines > FUNCTION_LINES_MAX
    }
    assert longer == set(LONGER_FUNCTIONS)


def test_a_long_function_is_seen_and_its_docstring_is_not():
    body = "    x = 1\n" * 60
    text = f'def a():\n{body}\nclass B:\n  async def c(self):\n    """One.\n\n    Two."""\n    x\n'
    assert list(code_lines(text)) == [("a", 61), ("c", 2)]


@pytest.mark.parametrize(
    "package",
    [
        path.parent.name
        for path in sorted((ROOT / "giftpad").glob("*/__init__.py"))
        if path.parent.name not in NOT_DOMAINS
    ],
)
def test_a_domain_has_only_the_rooms_of_the_house(package):
    assert room_faults(ROOT / "giftpad" / package) == []


def test_an_attic_is_no_room(tmp_path):
    for name in ("__init__.py", "rules.py", "util.py", "queries"):
        (tmp_path / name).touch()
    (tmp_path / "helpers").mkdir()
    assert room_faults(tmp_path) == ["helpers", "util.py"]


@pytest.mark.parametrize("folder", DATA)
def test_what_is_data_is_only_data(folder):
    paths = list_files(folder)
    assert paths
    assert data_faults(ROOT, paths, kinds=DATA[folder]) == []


def test_a_program_among_data_is_seen(tmp_path):
    for name in ("a.toml", "b.py", "c.csv", "d"):
        (tmp_path / name).touch(mode=0o644)
    (tmp_path / "c.csv").chmod(0o755)
    paths = [Path(name) for name in ("a.toml", "b.py", "c.csv", "d")]
    assert data_faults(tmp_path, paths, kinds=DATA["tenants"]) == ["b.py", "c.csv", "d"]


def test_no_file_names_the_machine_it_was_written_on():
    assert places(MACHINE_PATH, read_texts()) == []
    for folder in ("work", "root", "home"):
        assert places(MACHINE_PATH, [(Path("a"), f"\nsee /{folder}/main/x")]) == ["a:2"]
    assert places(MACHINE_PATH, [(Path("a"), "../" + "shared/design")]) == ["a:1"]
    assert places(MACHINE_PATH, [(Path("a"), "https://x.example/root/1, <home>/files")]) == []


def test_no_lock_file_names_a_registry():
    assert list_files(*LOCKS)
    assert places(REGISTRY, read_texts(*LOCKS)) == []
    for line in (
        '"resolved": "https://registry.example/a',
        "--extra-index-url x",
        "registry = https://a.example",
        "a @ https://a.example/a-1-py3-none-any.whl",
    ):
        assert places(REGISTRY, [(Path("a"), line)]) == ["a:1"], line
    assert places(REGISTRY, [(Path("a"), "omit-lockfile-registry-resolved=true")]) == []


def test_what_is_still_to_do_has_a_number():
    assert places(TODO, read_texts(*SOURCES, *SCRIPTS)) == []
    word = "TO" + "DO"
    for line, is_fault in (
        (f"# {word} later", True),
        (f"-- {word}: index", True),
        (f"# {word} #12: index", False),
        (f'print("{word}")', False),
    ):
        assert places(TODO, [(Path("a"), line)]) == (["a:1"] if is_fault else []), line
