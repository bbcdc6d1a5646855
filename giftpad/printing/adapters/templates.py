"""Print templates on disk: a tenant's own folder first, then the house's.

Hides: file names inside a template folder, TOML, JSON, the schema, msgspec.
"""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import jsonschema
import msgspec

from giftpad.printing.errors import BrokenTemplate, UnknownTemplate
from giftpad.printing.rules.layout import Head, Layout
from giftpad.printing.rules.problems import Problem

TEMPLATES_DIR: Final = Path(__file__).parents[3] / "print_templates"
HEAD_FILE: Final = "template.toml"
LAYOUT_FILE: Final = "layout.json"
SAMPLE_FILE: Final = "sample.json"
PREVIEW_FILE: Final = "preview.png"
SCHEMA_FILE: Final = "layout.schema.json"
_NAME_CHARACTERS: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_")


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A template as it was read, with the folder that its pictures lie in."""

    name: str
    folder: Path
    head: Head
    layout: Layout


class Sample(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The content of ``sample.json``: what a preview shows."""

    common: dict[str, str]
    items: list[dict[str, str]]


def template_names(overrides_dir: Path | None = None) -> list[str]:
    """List the templates of the house and of the tenant, by name."""
    roots = [root for root in (overrides_dir, TEMPLATES_DIR) if root is not None and root.is_dir()]
    return sorted({path.parent.name for root in roots for path in root.glob(f"*/{HEAD_FILE}")})


def find_folder(name: str, overrides_dir: Path | None = None) -> Path:
    """Find the folder of a template: a tenant's folder replaces the house's whole.

    Raises: UnknownTemplate.
    """
    if name and set(name) <= _NAME_CHARACTERS:
        for root in (overrides_dir, TEMPLATES_DIR):
            if root is not None and (root / name / HEAD_FILE).is_file():
                return root / name
    raise UnknownTemplate(template=name)


def load(name: str, overrides_dir: Path | None = None) -> Template:
    """Read a template that is going to be used.

    Raises: UnknownTemplate, BrokenTemplate.
    """
    folder = find_folder(name, overrides_dir)
    template, problems = read(folder)
    if template is None:
        raise BrokenTemplate(template=name, problem=str(problems[0]))
    return template


def read(folder: Path) -> tuple[Template | None, list[Problem]]:
    """Read a template's two files; None and the reasons when they cannot be understood."""
    head, problems = _read_head(folder / HEAD_FILE)
    layout, more = _read_layout(folder / LAYOUT_FILE)
    problems += more
    if head is None or layout is None:
        return None, problems
    return Template(name=folder.name, folder=folder, head=head, layout=layout), problems


def read_sample(folder: Path) -> Sample:
    """Read the sample data.

    Raises: BrokenTemplate.
    """
    path = folder / SAMPLE_FILE
    try:
        return msgspec.json.decode(path.read_bytes(), type=Sample)
    except (OSError, msgspec.DecodeError) as fault:
        raise BrokenTemplate(template=folder.name, problem=f"{path.name}: {fault}") from fault


def _read_head(path: Path) -> tuple[Head | None, list[Problem]]:
    try:
        return msgspec.convert(tomllib.loads(path.read_text("utf-8")), type=Head), []
    except OSError:
        return None, [_missing(path)]
    except tomllib.TOMLDecodeError as fault:
        return None, [Problem(file=path, place="", sentence=str(fault), remedy="Mend the TOML.")]
    except msgspec.ValidationError as fault:
        remedy = "See print_templates/README.md for what template.toml may hold."
        return None, [Problem(file=path, place="", sentence=str(fault), remedy=remedy)]


def _read_layout(path: Path) -> tuple[Layout | None, list[Problem]]:
    try:
        text = path.read_text("utf-8")
        content = json.loads(text)
    except OSError:
        return None, [_missing(path)]
    except json.JSONDecodeError as fault:
        return None, [Problem(file=path, place="", sentence=str(fault), remedy="Mend the JSON.")]
    if faults := _find_faults(text):
        remedy = f"See {SCHEMA_FILE} for what is allowed here."
        return None, [
            Problem(file=path, place=place, sentence=sentence, remedy=remedy)
            for place, sentence in faults
        ]
    content.pop("$schema", None)
    return msgspec.convert(content, type=Layout), []


def _missing(path: Path) -> Problem:
    return Problem(file=path, place="", sentence="The file is missing.", remedy="Add the file.")


@lru_cache(maxsize=64)
def _find_faults(text: str) -> tuple[tuple[str, str], ...]:
    """Hold a layout against the schema; the same text is judged once, which takes 20 ms."""
    faults = sorted(_validator().iter_errors(json.loads(text)), key=lambda fault: fault.json_path)
    return tuple((fault.json_path, fault.message) for fault in faults)


@lru_cache
def _validator() -> Any:
    schema = json.loads((TEMPLATES_DIR / SCHEMA_FILE).read_text("utf-8"))
    return jsonschema.Draft202012Validator(schema)
