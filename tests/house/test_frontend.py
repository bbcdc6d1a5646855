"""Templates, styles and scripts keep the rules that the content policy and the design rest on."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from giftpad.kernel.migrate import ROOT
from tests.house.tree import list_files, read_texts

FRONTEND = Path("giftpad/portals/frontend")
TEMPLATES = "giftpad/*/templates/*.html"
TOKENS = FRONTEND / "css" / "tokens.css"
FIGURES = re.compile(r"#[0-9a-fA-F]{3,8}\b|\b(?:rgb|hsl|oklch)a?\(")
PRIMITIVE = re.compile(r"--color-(?:primitive|neutral)-")
JAPANESE = re.compile(r"[\u3041-\u30fa\u4e00-\u9fff]")
REMARK = re.compile(r"{#.*?#}", re.DOTALL)
JINJA = re.compile(r"{{.*?}}|{%.*?%}", re.DOTALL)
PASSED_ON = re.compile(r"""["'](?:on[a-z]+|style)["'] *:""")
COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
BANNED_HX = re.compile(r"""hx-on\b|=["']js:|hx-trigger=["'][^"']*\[""")
FOREIGN = re.compile(r"""(?:src|href|action|poster)=["'](?:https?:)?//""")
CLASS = re.compile(r'class="([^"]*)"')
EXACT = re.compile(r"\d+\.\d+\.\d+")
NATIVE_NAMES = {"日本語", "ふりがな", "円"}
"""A language is named in itself, and so are its readings and the unit of its money."""


class Faults(HTMLParser):
    """Gather what a template may not hold."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.found += [f"<{tag} {name}>" for name in given if re.fullmatch(r"on[a-z]+|style", name)]
        if tag == "style" or (tag == "script" and "src" not in given):
            self.found.append(f"<{tag}> in the page")


def faults_of(text: str) -> list[str]:
    """Name what would run or look otherwise than the files of the build say."""
    parser = Faults()
    said = REMARK.sub("", text)
    parser.feed(JINJA.sub("", said))
    banned = [BANNED_HX, FOREIGN, PASSED_ON]
    return parser.found + [fault for pattern in banned for fault in pattern.findall(said)]


def test_no_template_holds_style_script_or_foreign_addresses():
    found = [
        (str(path), fault) for path, text in read_texts(TEMPLATES) for fault in faults_of(text)
    ]
    assert found == []


@pytest.mark.parametrize(
    "text",
    [
        '<p style="color:red">',
        '<p onclick="x()">',
        "<script>x()</script>",
        "<style>p{}</style>",
        """{{ ui.button(_("Go"), attrs={"onclick": "x()"}) }}""",
        '<a hx-on:click="x()">',
        "<a hx-vals='js:{a:1}'>",
        '<a hx-trigger="click[ctrlKey]">',
        '<img src="https://example.org/a.png">',
        '<script src="//example.org/a.js"></script>',
    ],
)
def test_a_fault_in_a_template_is_found(text):
    assert faults_of(text) != []


def test_colours_have_names_and_figures_stand_in_one_file():
    found = [
        (str(path), figure)
        for path, text in read_texts(f"{FRONTEND}/*.css", f"{FRONTEND}/ts/*.ts")
        if path != TOKENS
        for pattern in (FIGURES, PRIMITIVE)
        for figure in pattern.findall(COMMENT.sub("", text))
    ]
    assert found == []


def test_every_style_sheet_is_read():
    readers = read_texts(f"{FRONTEND}/css/index.css", f"{FRONTEND}/ts/*.ts")
    named = "\n".join(text for _, text in readers)
    sheets = [path.relative_to(FRONTEND / "css") for path in list_files(f"{FRONTEND}/css/*.css")]
    unread = [str(path) for path in sheets if path.name != "index.css" and f"/{path}" not in named]
    assert unread == []


def test_templates_and_scripts_hold_no_japanese():
    found = [
        (str(path), line.strip())
        for path, text in read_texts(TEMPLATES, f"{FRONTEND}/ts/*.ts")
        for line in REMARK.sub("", text).splitlines()
        if JAPANESE.search(re.sub("|".join(NATIVE_NAMES), "", line))
    ]
    assert found == []


def test_packages_are_pinned_exactly():
    package = json.loads((ROOT / FRONTEND / "package.json").read_text("utf-8"))
    versions = package["dependencies"] | package["devDependencies"]
    assert [name for name, version in versions.items() if not EXACT.fullmatch(version)] == []


def test_every_icon_is_used():
    wanted = json.loads((ROOT / FRONTEND / "icons.json").read_text("utf-8"))
    used = "\n".join(text for _, text in read_texts(TEMPLATES, "giftpad/portals/*.py"))
    assert [name for name in wanted if f'"{name}"' not in used] == []


def test_every_class_in_a_template_has_a_rule():
    sheets = "\n".join(text for _, text in read_texts(f"{FRONTEND}/css/*.css"))
    ruled = set(re.findall(r"\.(gp-[\w-]+)", sheets))
    unruled = {
        (str(path), name)
        for path, text in read_texts(TEMPLATES)
        for classes in CLASS.findall(JINJA.sub(" ", text))
        for name in classes.split()
        if name.startswith("gp-") and not name.endswith("-")
    }
    assert {(path, name) for path, name in unruled if name not in ruled} == set()


def test_every_rule_is_used():
    sheets = "\n".join(text for _, text in read_texts(f"{FRONTEND}/css/*.css"))
    ruled = set(re.findall(r"\.(gp-[\w-]+)", sheets))
    users = read_texts(TEMPLATES, f"{FRONTEND}/ts/*.ts", "giftpad/portals/*.py")
    used = set(re.findall(r"gp-[\w-]+", "\n".join(text for _, text in users)))
    # The strands of the cord are counted through: their names end in a number.
    assert {name for name in ruled - used if not name[:-1].endswith("-strand-")} == set()
