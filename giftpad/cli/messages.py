"""Gather every sentence that people read, and see that none is untranslated."""

from __future__ import annotations

import ast
import importlib
import io
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import click
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po
from jinja2 import Environment
from jinja2.nodes import Call, CondExpr, Const, Name, Node
from marshmallow import Schema
from marshmallow.validate import OneOf

import giftpad
from giftpad.kernel.errors import DomainError
from giftpad.kernel.i18n import LOCALES, SOURCE_LOCALE, TRANSLATIONS, state_words

SOURCE = Path(giftpad.__file__).parent
PLACEHOLDER = re.compile(r"{(\w*)[^}]*}")
MARKS = {"mark", "translate"}
SHAPES = "giftpad.api.v1"
LOADED = ("giftpad.kernel.", SHAPES, "giftpad.portals.")
"""Whose modules may define a refusal beside the rooms called errors."""

SHOWN = {"_": 1, "_n": 2}
"""What shows a sentence on a page, and how many of its arguments are sentences."""

EXTENSIONS = ("jinja2.ext.do",)


def _error_classes(base: type[DomainError] = DomainError) -> Iterator[type[DomainError]]:
    for subclass in base.__subclasses__():
        if "sentence" in vars(subclass) and subclass.__module__.startswith("giftpad."):
            yield subclass
        yield from _error_classes(subclass)


def _marked(path: Path) -> Iterator[str]:
    """Return the sentences that a file marks: the first argument of mark() and translate()."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        called = node.func.attr if isinstance(node.func, ast.Attribute) else None
        called = node.func.id if isinstance(node.func, ast.Name) else called
        first = node.args[0]
        if called in MARKS and isinstance(first, ast.Constant) and isinstance(first.value, str):
            yield first.value


def _shown(path: Path) -> Iterator[str]:
    """Return the sentences that a page template shows: all texts given to _() and _n()."""
    tree = Environment(extensions=EXTENSIONS, autoescape=True).parse(path.read_text("utf-8"))
    for call in tree.find_all(Call):
        if isinstance(call.node, Name) and call.node.name in SHOWN:
            for text in call.args[: SHOWN[call.node.name]]:
                yield from (const.value for const in _texts(text))


def _texts(node: Node) -> Iterator[Const]:
    """Return the texts that an expression may come to: itself, or the two sides of a choice."""
    if isinstance(node, Const) and isinstance(node.value, str):
        yield node
    elif isinstance(node, CondExpr):
        yield from _texts(node.expr1)
        if node.expr2 is not None:
            yield from _texts(node.expr2)


def schemas(base: type[Schema] = Schema) -> Iterator[type[Schema]]:
    """Return every shape of the contract; ``gather`` has loaded them."""
    for subclass in base.__subclasses__():
        if subclass.__module__.startswith(SHAPES):
            yield subclass
        yield from schemas(subclass)


def _states() -> set[str]:
    """Return every state that the contract lists: a refusal may name it."""
    fields = [schema().fields.get("state") for schema in schemas()]
    known = [rule for field in fields if field for rule in field.validators]
    return {state for rule in known if isinstance(rule, OneOf) for state in rule.choices}


def gather() -> Catalog:
    """Return a catalogue of every source sentence, with where it stands."""
    catalogue = Catalog(project="Giftpad", charset="utf-8", creation_date=None)
    for module in pkgutil.walk_packages(giftpad.__path__, "giftpad."):
        if module.name.endswith(".errors") or module.name.startswith(LOADED):
            importlib.import_module(module.name)
    for error in sorted(_error_classes(), key=lambda each: (each.__module__, each.code)):
        catalogue.add(error.sentence, auto_comments=[error.code])
    for path in sorted(SOURCE.rglob("*.py")):
        for sentence in _marked(path):
            catalogue.add(sentence, locations=[(str(path.relative_to(SOURCE.parent)), 0)])
    for path in sorted(SOURCE.rglob("templates/**/*.html")):
        for sentence in _shown(path):
            catalogue.add(sentence, locations=[(str(path.relative_to(SOURCE.parent)), 0)])
    for state in sorted(_states()):
        catalogue.add(state_words(state), auto_comments=["state"])
    return catalogue


def _po_path(locale: str) -> Path:
    return TRANSLATIONS / locale / "LC_MESSAGES" / "messages.po"


def template_text(catalogue: Catalog) -> bytes:
    """Return what translations/messages.pot holds for a catalogue."""
    buffer = io.BytesIO()
    write_po(buffer, catalogue, sort_output=True, omit_header=True, include_lineno=False, width=100)
    return buffer.getvalue()


def _placeholders(text: object) -> set[str]:
    return set(PLACEHOLDER.findall(str(text)))


def faults(locale: str, sources: Catalog) -> list[str]:
    """Return what is wrong with one language: missing, doubtful, or with other placeholders."""
    path = _po_path(locale)
    if not path.exists():
        return [f"{path} does not exist"]
    with path.open("rb") as file:
        translated = read_po(file, locale=locale)
    found = []
    for message in sources:
        if not message.id:
            continue
        known = translated.get(message.id)
        if known is None or not known.string or known.fuzzy:
            found.append(f"{locale}: not translated: {message.id}")
        elif _placeholders(known.string) != _placeholders(message.id):
            found.append(f"{locale}: other placeholders than the source has: {known.string}")
    return found


@click.command()
@click.option("--check", is_flag=True, help="Change nothing; exit 1 if anything is missing.")
def messages(check: bool) -> None:  # noqa: FBT001 - click passes flags so
    """Write translations/messages.pot and bring every language's file up to it."""
    sources = gather()
    template = TRANSLATIONS / "messages.pot"
    if not check:
        TRANSLATIONS.mkdir(exist_ok=True)
        template.write_bytes(template_text(sources))
        for locale in LOCALES:
            if locale != SOURCE_LOCALE:
                _update(locale, sources)
    problems = [
        fault for locale in LOCALES if locale != SOURCE_LOCALE for fault in faults(locale, sources)
    ]
    if check and (not template.exists() or template.read_bytes() != template_text(sources)):
        problems.append("translations/messages.pot is not up to date: run make i18n")
    for problem in problems:
        click.echo(problem, err=True)
    raise SystemExit(1 if problems else 0)


def _update(locale: str, sources: Catalog) -> None:
    path = _po_path(locale)
    path.parent.mkdir(parents=True, exist_ok=True)
    known = Catalog(locale=locale)
    if path.exists():
        with path.open("rb") as file:
            known = read_po(file, locale=locale)
    begun_at = known.creation_date
    known.update(sources, no_fuzzy_matching=True)
    known.obsolete.clear()
    known.fuzzy = False  # a file marked so is not compiled
    known.creation_date = begun_at  # a run that finds nothing new changes no byte
    with path.open("wb") as file:
        write_po(file, known, sort_output=True, omit_header=False, include_lineno=False, width=100)
