"""A tenant's looks: its brand colour in ``theme.css`` and a drawing in ``logo.svg``, nothing else.

No free style, no script, no address of another place can enter a page by a pack.
"""

from __future__ import annotations

import re
from xml.parsers import expat

from giftpad.tenancy.rules.colours import TOKENS, find_unreadable
from giftpad.tenancy.rules.problems import Problems
from giftpad.tenancy.rules.reader import decode_text

COLOUR_SHAPE = "a colour as #1F6F43"
LOGO_SIZE_MAX = 64 * 1024
_DRAWN_NAMES = "svg title desc g path circle ellipse rect line polyline polygon defs"
_DRAWN = frozenset(_DRAWN_NAMES.split())
_ALLOWED_NAMES = (
    "xmlns viewBox width height role fill stroke stroke-width stroke-linecap stroke-linejoin"
    " fill-rule clip-rule opacity d cx cy r rx ry x y x1 y1 x2 y2 points transform id"
    " aria-hidden aria-label aria-labelledby"
)
_ALLOWED = frozenset(_ALLOWED_NAMES.split())
_COLOUR = re.compile(r"#[0-9A-Fa-f]{6}")
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_VIEW_BOX = re.compile(r"0 0 (\d+(?:\.\d+)?) (\d+(?:\.\d+)?)")
_TOKEN = re.compile(r"\s*(--?[A-Za-z0-9_-]+)\s*:\s*([^;]*?)\s*;?\s*")


def read_theme(file: str, data: bytes, problems: Problems) -> dict[str, str]:
    """Read ``theme.css``: ``:root { --brand: #1F6F43; }``, one token a line, and no other CSS.

    Beside the brand colour it may give some of those that the house derives from it; what could
    not be read is a problem.
    """
    text = decode_text(file, data, problems)
    if text is None:
        return {}
    # A comment goes, its line ends stay: the numbers of the lines after it must not change.
    bare = _COMMENT.sub(lambda comment: "\n" * comment[0].count("\n"), text)
    tokens: dict[str, str] = {}
    lines: dict[str, int] = {}
    is_open = is_closed = False
    for number, line in enumerate(bare.splitlines(), start=1):
        words = line.strip()
        if not words:
            continue
        if not is_open and words in (":root {", ":root{"):
            is_open = True
        elif is_open and not is_closed and words == "}":
            is_closed = True
        elif is_open and not is_closed and (token := _TOKEN.fullmatch(line)):
            lines.setdefault(token[1], number)
            _take_token(token[1], token[2], file, number, tokens=tokens, problems=problems)
        else:
            remedy = "Keep only :root {, the tokens one a line, and }."
            problems.add(file, number, "A theme holds nothing but colour tokens.", remedy=remedy)
    if not is_closed and not problems.found:
        problems.add(file, 1, "There is no :root { … } here.", remedy="Write one, or no theme.css.")
    _check_contrast(tokens, lines, file, problems)
    return tokens


def _check_contrast(
    tokens: dict[str, str], lines: dict[str, int], file: str, problems: Problems
) -> None:
    if not tokens:
        return
    if "--brand" not in tokens:
        remedy = "Give it, for the others go with it."
        problems.add(file, min(lines.values()), "--brand is missing.", remedy=remedy)
        return
    for demand, ratio in find_unreadable(tokens):
        fault = (
            f"{demand.name} is {tokens[demand.name]}: {demand.what} has a contrast of"
            f" {ratio:.2f}, not {demand.least}."
        )
        remedy = "Choose another colour, or remove the line and let the house derive it."
        problems.add(file, lines[demand.name], fault, remedy=remedy)


def _take_token(
    name: str, value: str, file: str, line: int, *, tokens: dict[str, str], problems: Problems
) -> None:
    if name not in TOKENS:
        known = ", ".join(TOKENS)
        problems.add(file, line, f"{name} is not a token.", remedy=f"Known: {known}.")
        return
    if name in tokens:
        problems.add(file, line, f"{name} is set twice.", remedy="Remove one of the two.")
    elif not _COLOUR.fullmatch(value):
        problems.add(file, line, f"{name} is {value}.", remedy=f"It must be {COLOUR_SHAPE}.")
    else:
        tokens[name] = value.upper()


def check_logo(file: str, data: bytes, problems: Problems) -> None:
    """Make a problem of whatever in ``logo.svg`` is not plain drawing."""
    check_drawing(file, data, problems, noun="logo", size_max=LOGO_SIZE_MAX)


def check_drawing(
    file: str, data: bytes, problems: Problems, *, noun: str, size_max: int
) -> tuple[float, float]:
    """Make a problem of whatever in an SVG is not plain drawing, and return its width and height.

    ``noun`` is what the drawing is called; its size is that of its ``viewBox``, (0, 0) without one.
    """
    if len(data) > size_max:
        problems.add(file, 1, f"The {noun} is too large.", remedy=f"Keep it to {size_max} bytes.")
        return 0, 0
    parser = expat.ParserCreate(namespace_separator=None)
    boxes: list[str] = []

    def on_start(name: str, attributes: dict[str, str]) -> None:
        line = parser.CurrentLineNumber
        if name == "svg" and not boxes:
            boxes.append(attributes.get("viewBox", ""))
        if name not in _DRAWN:
            problems.add(file, line, f"<{name}> is not allowed in a {noun}.", remedy="Remove it.")
        for attribute, value in attributes.items():
            if attribute not in _ALLOWED or ("url(" in value and attribute != "d"):
                fault = f'The attribute "{attribute}" is not allowed in a {noun}.'
                problems.add(file, line, fault, remedy="Remove it.")

    def on_doctype(*_: object) -> None:
        line = parser.CurrentLineNumber
        problems.add(file, line, f"A {noun} has no DOCTYPE.", remedy="Remove the line.")

    def on_instruction(target: str, _: str) -> None:
        line = parser.CurrentLineNumber
        fault = f"<?{target}?> is not allowed in a {noun}."
        problems.add(file, line, fault, remedy="Remove it.")

    parser.StartElementHandler = on_start
    parser.ProcessingInstructionHandler = on_instruction
    parser.StartDoctypeDeclHandler = on_doctype
    try:
        parser.Parse(data, True)  # noqa: FBT003 - expat takes it by position only
    except expat.ExpatError as error:
        fault = f"This is not SVG: {expat.ErrorString(error.code)}."
        problems.add(file, error.lineno, fault, remedy="Correct the line.")
    return _size_of(boxes[0] if boxes else "")


def _size_of(view_box: str) -> tuple[float, float]:
    sides = _VIEW_BOX.fullmatch(view_box)
    return (float(sides[1]), float(sides[2])) if sides else (0, 0)
