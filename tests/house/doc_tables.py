"""Tables of the documentation that are made from the code: refusals, roles.

``python -m tests.house.doc_tables`` writes them anew; a test compares.
"""

from __future__ import annotations

import ast
import contextlib
import importlib
import json
import pkgutil
import re
from collections.abc import Callable, Iterator
from importlib.metadata import PackageMetadata, PackageNotFoundError
from importlib.metadata import metadata as metadata_of
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

import giftpad
from giftpad.edge import problems, status_of
from giftpad.guard import KeyReused, RateExceeded, StillRunning, TooManyFailures
from giftpad.health.adapters.exposition import GAUGES
from giftpad.identity import (
    OPERATOR_PERMISSIONS,
    OPERATOR_ROLES,
    PERMISSIONS,
    ROLES,
    VISIT_ROLES,
)
from giftpad.kernel.errors import DomainError
from giftpad.kernel.i18n import TRANSLATIONS
from giftpad.kernel.metrics import COUNTERS, TIMES
from giftpad.ledger import InsufficientBalance
from giftpad.local import LocalError
from giftpad.payments import errors as paying

ROOT = Path(giftpad.__file__).resolve().parents[1]
REFERENCE = ROOT / "docs" / "reference"
MOVED = {True: "yes", False: "no", None: "ask again with the same key"}
_PLACE = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)

AT_THE_TILL: tuple[tuple[str, str, type[DomainError]], ...] = (
    ("a code nobody printed", "any shop", paying.InstrumentNotFound),
    ("a QR with one symbol changed", "any shop", paying.InstrumentNotFound),
    ("a coupon of another tenant", "any shop", paying.InstrumentNotFound),
    ("any coupon", "for a shop that does not exist", paying.UnknownShop),
    ("a replaced coupon", "any shop", paying.InstrumentReplaced),
    ("a blocked coupon", "any shop", paying.InstrumentBlocked),
    ("a coupon after its last day", "any shop", paying.InstrumentExpired),
    ("a coupon not released, or before its first day", "any shop", paying.InstrumentNotActive),
    ("an active coupon", "a shop of no accepting group", paying.WrongProgramme),
    (
        "an active coupon",
        "a shop outside the area, or one that has stopped",
        paying.NotAcceptedHere,
    ),
    ("an active coupon, more than one payment may take", "its shop", paying.OverCeiling),
    ("an active coupon, more than is left", "its shop", InsufficientBalance),
    ("an active coupon", "a caller bound to another shop", paying.OtherShop),
    ("a key used for another request", "its client", KeyReused),
    ("a key whose first request still runs", "its client", StillRunning),
    ("one unknown code too many", "any client", TooManyFailures),
    ("one request too fast", "any client", RateExceeded),
    ("a void or refund of another shop's payment", "a bound caller", paying.PaymentNotFound),
    ("a void or refund of what was voided", "its shop", paying.PaymentWrongState),
    ("a void on a later day", "its shop", paying.VoidTooLate),
    ("a refund of more than is left of the payment", "its shop", paying.RefundTooMuch),
    ("a refund after the coupon's last day", "its shop", paying.RefundAfterExpiry),
)


def list_refusals() -> list[type[DomainError]]:
    """Return every refusal of the house, by its code."""
    for module in pkgutil.walk_packages(giftpad.__path__, "giftpad."):
        if not module.name.endswith(".__main__"):
            importlib.import_module(module.name)
    found = {each for each in _subclasses(DomainError) if "code" in vars(each)}
    own = {each for each in found if each.__module__.startswith("giftpad.")}
    return sorted(own, key=lambda each: each.code)


def _subclasses(base: type[DomainError]) -> Iterator[type[DomainError]]:
    for subclass in base.__subclasses__():
        yield subclass
        yield from _subclasses(subclass)


def _japanese() -> Catalog:
    with (TRANSLATIONS / "ja" / "LC_MESSAGES" / "messages.po").open("rb") as file:
        return read_po(file, locale="ja")


def _cells(*texts: object) -> str:
    return "| " + " | ".join(str(text).replace("|", "\\|") for text in texts) + " |"


def _table(*lines: str, head: tuple[str, ...]) -> str:
    return "\n".join([_cells(*head), "|" + "---|" * len(head), *lines]) + "\n"


def _translated(catalogue: Catalog, sentence: str) -> str:
    message = catalogue.get(sentence)
    return str(message.string) if message is not None and message.string else ""


def till() -> str:
    """Return what is refused at the till, who asked for what, and what is answered."""
    japanese = _japanese()
    lines = []
    for state, who, error in AT_THE_TILL:
        moved = MOVED[problems._moved(error.__new__(error))]
        status = int(status_of(error.__new__(error)))
        code, sentence = f"`{error.code}`", error.sentence
        text = _translated(japanese, sentence)
        lines.append(_cells(state, who, status, code, sentence, text, moved))
    head = ("presented", "by", "status", "code", "English", "日本語", "money moved")
    return _table(*lines, head=head)


def refusals() -> str:
    """Return every refusal that HTTP can answer with."""
    japanese = _japanese()
    rows = {
        error.code: (int(status_of(error.__new__(error))), error.sentence)
        for error in list_refusals()
        if not issubclass(error, LocalError) and error.code != "token.refused"
    }
    rows |= {code: (int(s), text) for s, (code, text) in problems.HTTP_PROBLEMS.items()}
    rows[problems.UNEXPECTED[0]] = (500, problems.UNEXPECTED[1])
    lines = [
        _cells(f"`{code}`", status, sentence, _translated(japanese, sentence))
        for code, (status, sentence) in sorted(rows.items())
    ]
    return _table(*lines, head=("code", "status", "English", "日本語"))


def local() -> str:
    """Return why ``giftpad up`` and its companions end, and with which exit code."""
    errors = [each for each in list_refusals() if issubclass(each, LocalError)]
    lines = [
        _cells(each.exit_code, f"`{each.code}`", " ".join(each.sentence.split()))
        for each in sorted(errors, key=lambda each: each.exit_code)
    ]
    return _table(*lines, head=("exit code", "name", "what is said"))


def roles() -> str:
    """Return which role has which permission."""
    lines = [
        _cells(f"`{name}`", *("●" if name in ROLES[role] else "" for role in ROLES))
        for name in PERMISSIONS
    ]
    return _table(*lines, head=("permission", *ROLES))


def operators() -> str:
    """Return which role of the platform has which permission."""
    lines = [
        _cells(f"`{name}`", *("●" if name in held else "" for held in OPERATOR_ROLES.values()))
        for name in OPERATOR_PERMISSIONS
    ]
    return _table(*lines, head=("permission", *OPERATOR_ROLES))


def visits() -> str:
    """Return what an operator may do in a tenant that they visit."""
    lines = [
        _cells(f"`{name}`", *("●" if name in held else "" for held in VISIT_ROLES.values()))
        for name in PERMISSIONS
    ]
    return _table(*lines, head=("permission", *VISIT_ROLES))


def metrics() -> str:
    """Return every metric that is served, with its labels and what it says."""
    lines = [
        _cells(f"`{each.name}`", kind, " ".join(f"`{label}`" for label in each.labels), each.help)
        for kind, all_of_it in (("gauge", GAUGES), ("counter", COUNTERS), ("histogram", TIMES))
        for each in all_of_it
    ]
    return _table(*lines, head=("metric", "kind", "labels", "says"))


LICENCE_LENGTH_MAX = 60
"""Some packages print the whole licence where its name belongs."""


def licences() -> str:
    """Return every package that a running Giftpad needs, and its licence as the package says."""
    lines = [
        _cells(name, "Python", _licence_of(metadata)) for name, metadata in _installed_packages()
    ]
    for folder, use in (("giftpad/portals/frontend", "pages"), ("print_templates", "paper")):
        locked = json.loads((ROOT / folder / "package-lock.json").read_text("utf-8"))["packages"]
        lines += [
            _cells(path.removeprefix("node_modules/"), f"npm, {use}", package["license"])
            for path, package in sorted(locked.items())
            if path and not package.get("dev") and not path.count("node_modules/") > 1
        ]
    return _table(*lines, head=("package", "from", "licence"))


def _installed_packages() -> Iterator[tuple[str, PackageMetadata]]:
    for line in (ROOT / "requirements" / "run.lock").read_text("utf-8").splitlines():
        if match := re.match(r"([A-Za-z0-9._-]+)==", line):
            with contextlib.suppress(PackageNotFoundError):  # not for this Python or system
                yield match[1], metadata_of(match[1])


def _licence_of(metadata: PackageMetadata) -> str:
    expression = str(metadata.get("License-Expression") or "")
    named = [
        text.rpartition("::")[2].strip()
        for text in metadata.get_all("Classifier") or []
        if text.startswith("License ::") and not text.endswith("OSI Approved")
    ]
    free = str(metadata.get("License") or "").split("\n")[0].partition(",")[0]
    short = [text for text in (expression, "; ".join(named), free) if text]
    return next((text for text in short if len(text) <= LICENCE_LENGTH_MAX), "see the package")


LEVELS = {"info", "warning", "error", "exception"}


def logs() -> str:
    """Return what is logged, in which room, at which level, with which fields of its own."""
    found = {
        line
        for folder in ("giftpad", "worker")
        for path in sorted((ROOT / folder).rglob("*.py"))
        for line in _logged(ast.parse(path.read_text("utf-8")))
    }
    lines = [
        _cells(f"`{room}`", level, event, " ".join(f"`{name}`" for name in names))
        for room, event, level, names in sorted(found)
    ]
    return _table(*lines, head=("`room`", "`level`", "`event`", "fields of its own"))


def _logged(tree: ast.Module) -> Iterator[tuple[str, str, str, tuple[str, ...]]]:
    rooms = [
        node.args[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "get_logger"
        and isinstance(node.args[0], ast.Constant)
    ]
    for node in ast.walk(tree):
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id="log"), attr=level),
                args=[ast.Constant(value=str(event))],
                keywords=keywords,
            ) if level in LEVELS:
                names = sorted(k.arg or "…" for k in keywords if k.arg != "exc_info")
                yield str(rooms[0]), event, level.replace("exception", "error"), tuple(names)
            case _:
                pass


TABLES: dict[str, Callable[[], str]] = {
    "operators": operators,
    "metrics": metrics,
    "logs": logs,
    "licences": licences,
    "till": till,
    "refusals": refusals,
    "local": local,
    "roles": roles,
    "visits": visits,
}


def filled(text: str) -> str:
    """Return a page with its tables as the code has them now."""
    return _PLACE.sub(lambda place: place[1] + TABLES[place[2]]() + place[3], text)


if __name__ == "__main__":
    for path in sorted(REFERENCE.glob("*.md")):
        path.write_text(filled(path.read_text("utf-8")), "utf-8")
