"""The papers that go with an order to a print house: a control sheet and what to keep to.

Hides: the print template, how many files a sheet has room for.
"""

from __future__ import annotations

import io
from collections.abc import Iterator

from giftpad import printing
from giftpad.gifts.rules.contracts import CARD, LETTER
from giftpad.gifts.rules.kits import CardTicket, Kit
from giftpad.kernel.i18n import mark, translate

TEMPLATE = "gift_print_control_a4"
ROWS = 20
SUM_SHOWN = 12
"""So much of a checksum stands on the sheet; the whole is in the list."""
HEADS = {
    "file": mark("File"),
    "first": mark("First number"),
    "last": mark("Last number"),
    "count": mark("Pieces"),
    "pages": mark("Sheets"),
    "sum": mark("SHA-256 begins"),
    "tick": mark("Counted"),
}
TITLE = mark("Control sheet")
ORDER = mark("Order {number}: {title}")
MADE = mark("Taken out on {on_day}")
PAGE = mark("Page {n} of {all}")
TOTALS = mark("{files} files, {sheets} sheets, {pieces} pieces")
HOW = mark(
    "Count the pieces of each file and tick the file off. The first and the last number of each"
    " file must be there. Send this sheet back with the pieces, signed. Spoiled ones are listed by"
    " number and destroyed."
)
COUNTED, CHECKED = mark("Counted by, on"), mark("Checked by, on")
HANDED = mark("Handed over to, on")
CONTACT = mark("Questions: {office}")

README: tuple[tuple[str, str], ...] = (
    ("", mark("For the print house")),
    ("", mark("Order {number}: {pieces} pieces on {sheets} sheets in {files} files.")),
    ("", ""),
    ("", mark("What is in this archive")),
    (CARD, mark("- cards/: sheets of cards as PDF, ready to print, typefaces embedded.")),
    (LETTER, mark("- letters/: letters as PDF, ready to print, typefaces embedded.")),
    (
        "",
        mark(
            "- serials.csv: every piece with its number, file, sheet and place. It opens nothing."
        ),
    ),
    ("", mark("- control-sheet.pdf: to be signed and sent back with the pieces.")),
    ("", mark("- SHA256SUMS: check it first, with: sha256sum --check SHA256SUMS")),
    ("", ""),
    ("", mark("How to print")),
    ("", mark("- A4, one side, at 100 %. Never fit to page.")),
    (
        CARD,
        mark(
            "- {per_page} cards to a sheet. Cut at the crop marks; the art bleeds 3 mm over them."
        ),
    ),
    (
        LETTER,
        mark("- Letters: fold in three at the marks, the address outside, for a 長形3号 envelope."),
    ),
    (
        LETTER,
        mark("- Window of 45 x 90 mm, 20 mm from the left, 12 mm from the top. Try one first."),
    ),
    (
        LETTER,
        mark("- Paper through which the back does not show. Look that name and address show."),
    ),
    ("", mark("- Black type and codes are black ink alone. Do not turn them into four colours.")),
    ("", mark("- Keep the order of the files and the sheets.")),
    ("", mark("- Try ten with a telephone before the whole is printed: each must open a page.")),
    ("", ""),
    ("", mark("Keep it safe")),
    ("", mark("- Whoever reads a code can have its gift. Treat sheets like money.")),
    (LETTER, mark("- Letters carry names and addresses. Use them for nothing else.")),
    ("", mark("- Destroy spoiled sheets, plates and these files when all is handed over.")),
)
"""What a print house is told, each line with the kind of paper that it is about."""


def draw_control(kit: Kit, locale: str) -> bytes:
    """Draw the control sheet: every file with its first and last card, to be counted and signed.

    Raises: as ``printing.render``.
    """
    output = io.BytesIO()
    printing.render(TEMPLATE, _common(kit, locale), _pages(kit, locale), output)
    return output.getvalue()


def _common(kit: Kit, locale: str) -> dict[str, str]:
    def say(sentence: str, **params: object) -> str:
        return translate(sentence, locale, **params)

    contact = ", ".join(filter(None, (kit.office, kit.phone, kit.email)))
    return {
        "title": say(TITLE),
        "order": say(ORDER, number=kit.order_number, title=_printable(kit.title)),
        "made": say(MADE, on_day=kit.made_on.isoformat()),
        "totals": say(
            TOTALS, files=len(kit.files), sheets=f"{kit.page_count:,}", pieces=f"{kit.count:,}"
        ),
        "how": say(HOW),
        "counted": say(COUNTED),
        "checked": say(CHECKED),
        "handed": say(HANDED),
        "contact": say(CONTACT, office=contact),
    } | {f"head_{name}": say(sentence) for name, sentence in HEADS.items()}


def _printable(title: str) -> str:
    """Return a title without what no paper shows; a control sheet is never refused for it."""
    kept = []
    for character in title:
        try:
            printing.check_glyphs([character])
        except printing.MissingGlyph:
            continue
        kept.append(character)
    return "".join(kept)


def _pages(kit: Kit, locale: str) -> Iterator[dict[str, str]]:
    count = -(-len(kit.files) // ROWS)
    for at in range(count):
        page = {"page": translate(PAGE, locale, n=at + 1, all=count)}
        for row, file in enumerate(kit.files[at * ROWS : (at + 1) * ROWS], 1):
            page |= {f"{name}_{row}": text for name, text in _row(file).items()}
        yield page


def _row(file: CardTicket) -> dict[str, str]:
    return {
        "file": file.file_name,
        "first": file.serials[0],
        "last": file.serials[-1],
        "count": f"{file.quantity:,}",
        "pages": f"{file.page_count:,}",
        "sum": file.sha256[:SUM_SHOWN],
    }


def write_readme(kit: Kit, locale: str) -> str:
    """Write what a print house has to know and to keep to."""
    contact = ", ".join(filter(None, (kit.office, kit.phone, kit.email)))
    lines = [
        translate(
            sentence,
            locale,
            number=kit.order_number,
            pieces=f"{kit.count:,}",
            sheets=f"{kit.page_count:,}",
            files=len(kit.files),
            per_page=kit.per_page[CARD],
        )
        for kind, sentence in README
        if not kind or kind in kit.kinds
    ]
    return "\r\n".join([*lines, "", translate(CONTACT, locale, office=contact), ""])
