"""Reading templates and finished files, and saying what is wrong with them."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from giftpad.kernel.errors import DomainError
from giftpad.printing.adapters import fonts, templates
from giftpad.printing.adapters.pictures import PageReader, ReadCode, opened, read_page
from giftpad.printing.adapters.sheet import Sheet
from giftpad.printing.errors import MissingGlyph
from giftpad.printing.rules import layout
from giftpad.printing.rules.checks import head_problems, layout_problems
from giftpad.printing.rules.lines import settled
from giftpad.printing.rules.problems import (
    PROBLEMS_MAX,
    ExpectedItem,
    Fault,
    FaultKind,
    Problem,
    VerifyReport,
)
from giftpad.tenancy import PackFolder, Problems

Place = tuple[int, int]  # page and cell, both from 1; cell 0 is none of them


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateInfo:
    """What one needs to know to order paper by this template."""

    name: str
    title: str
    paper: str
    per_page: int
    crop_marks: bool
    bleed_mm: float
    fields: Mapping[str, layout.Field]


def list_templates(overrides_dir: Path | None = None) -> list[TemplateInfo]:
    """List the templates that can be used, a tenant's own in place of the house's.

    Raises: BrokenTemplate.
    """
    infos = []
    for name in templates.template_names(overrides_dir):
        head = templates.load(name, overrides_dir).head
        infos.append(
            TemplateInfo(
                name=name,
                title=head.title,
                paper=head.paper,
                per_page=head.per_page,
                crop_marks=head.crop_marks,
                bleed_mm=head.bleed_mm,
                fields=head.fields,
            )
        )
    return infos


def check_glyphs(texts: Iterable[str]) -> None:
    """Refuse texts with a character that cannot be printed, naming the character.

    Raises: MissingGlyph.
    """
    fonts.check_glyphs(settled(text) for text in texts)


def check_template(template: str | Path, *, overrides_dir: Path | None = None) -> list[Problem]:
    """List everything that is wrong with a template, given by name or by its folder.

    Raises: UnknownTemplate, when it is given by name.
    """
    folder = (
        templates.find_folder(template, overrides_dir) if isinstance(template, str) else template
    )
    found, problems = templates.read(folder)
    if found is None:
        return problems
    head_file, layout_file = folder / templates.HEAD_FILE, folder / templates.LAYOUT_FILE
    problems = head_problems(found.head, found.layout, file=head_file)
    problems += layout_problems(found.head, found.layout, file=layout_file)
    problems += _element_problems(found, layout_file)
    return problems or _sample_problems(found)


def read_section(folder: PackFolder, paths: tuple[str, ...], problems: Problems) -> tuple[str, ...]:
    """Read a pack's own templates, ``print/<name>/…``, each of which replaces the house's whole."""
    names = sorted({PurePosixPath(path).parts[1] for path in paths})
    with tempfile.TemporaryDirectory(prefix="giftpad-pack-") as scratch:
        for path in paths:
            own = Path(scratch, *PurePosixPath(path).parts)
            own.parent.mkdir(parents=True, exist_ok=True)
            own.write_bytes(folder.files[path])
        for name in names:
            for found in check_template(Path(scratch, "print", name)):
                file = folder.shown(f"print/{name}/{found.file.name}")
                fault = f"{found.place}: {found.sentence}" if found.place else found.sentence
                problems.add(file, 1, fault, remedy=found.remedy)
    return tuple(names)


def verify(
    pdf: Path | BinaryIO,
    expected: Sequence[ExpectedItem],
    template: str,
    *,
    overrides_dir: Path | None = None,
) -> VerifyReport:
    """Read a finished file as a camera would and compare every cell with the list.

    It shares nothing with what wrote the file but the template's cells, and its report never
    shows a code.
    Raises: UnknownTemplate, BrokenTemplate.
    """
    check = _Check(expected, templates.load(template, overrides_dir).layout)
    with opened(pdf) as document:
        page_count = len(document)
        for number in range(1, page_count + 1):
            with read_page(document, number - 1) as reader:
                check.read(number, reader)
    return check.finish(page_count)


def _element_problems(found: templates.Template, file: Path) -> list[Problem]:
    problems = []
    for number, element in enumerate(found.layout.elements):
        sentence = remedy = ""
        if isinstance(element, layout.ImageElement):
            if not (found.folder / element.file).is_file():
                sentence, remedy = f"There is no picture {element.file}.", "Add it to the folder."
        elif isinstance(element, layout.TextElement):
            try:
                check_glyphs([layout.filled(element.text, dict.fromkeys(found.head.fields, "-"))])
            except MissingGlyph as refusal:
                sentence, remedy = str(refusal), "Write it with another character."
        if sentence:
            place = f"$.elements[{number}]"
            problems.append(Problem(file=file, place=place, sentence=sentence, remedy=remedy))
    return problems


def _sample_problems(found: templates.Template) -> list[Problem]:
    """Print the sample as it will be previewed."""
    try:
        sample = templates.read_sample(found.folder)
        sheet = Sheet(
            found, sample.common, output=io.BytesIO(), options=layout.RenderOptions(specimen=True)
        )
        for values in sample.items:
            sheet.add(values)
        sheet.finish()
    except DomainError as refusal:
        file, remedy = found.folder / templates.SAMPLE_FILE, "Change the sample or the layout."
        return [Problem(file=file, place="", sentence=str(refusal), remedy=remedy)]
    return []


class _Check:
    """The comparison of a file with the list, page by page."""

    def __init__(self, expected: Sequence[ExpectedItem], found: layout.Layout) -> None:
        self._expected = expected
        self._placed = layout.cells(found)
        self._areas = layout.code_areas(found)
        self._builds: set[tuple[object, ...]] = set()
        self._serial_by_code = {item.qr_text: item.serial for item in expected}
        self._serials = {item.serial for item in expected}
        self._seen: dict[str, Place] = {}
        self._faults: list[Fault] = []
        self._fault_count = 0
        self._good_count = 0
        self._checked_count = 0

    def read(self, page: int, reader: PageReader) -> None:
        """Compare one page.

        A page is searched as a whole for codes, unless one that is put together of the same
        things in the same places was, and was good.  Then only the squares are drawn in which
        codes stand: as printed, with everything that lies over and under them.
        """
        build, before_page = reader.build(), self._fault_count
        is_known = build in self._builds
        by_cell: dict[int, list[ReadCode]] = {}
        for code in reader.codes(self._areas if is_known else ()):
            cells = [cell.number for cell in self._placed if cell.holds(code.x_mm, code.y_mm)]
            by_cell.setdefault(cells[0] if cells else 0, []).append(code)
        for _ in by_cell.get(0, []):
            self._note("extra", (page, 0), detail="a code stands outside every cell")
        for cell in self._placed:
            index = (page - 1) * len(self._placed) + cell.number - 1
            area = (cell.left, cell.top, cell.width, cell.height)
            words = reader.text_in(*area)
            if index >= len(self._expected):
                if by_cell.get(cell.number) or self._serials & set(words.split()):
                    self._note("extra", (page, cell.number), detail="nothing is expected here")
                continue
            item = self._expected[index]
            before = self._fault_count
            self._checked_count += 1
            # What is missed on the whole page may still be read by itself.
            codes = by_cell.get(cell.number) or reader.codes_in(*area)
            place = (page, cell.number)
            self._compare_codes(place, item, [code.text for code in codes])
            self._compare_words(place, item, words)
            self._good_count += self._fault_count == before
        if self._fault_count == before_page:
            self._builds.add(build)

    def finish(self, page_count: int) -> VerifyReport:
        """Count what no page held, and report."""
        per_page = len(self._placed)
        page_count_expected = -(-len(self._expected) // per_page)
        if page_count != page_count_expected:
            detail = f"the file has {page_count} pages, not {page_count_expected}"
            self._note("page_count", (min(page_count, page_count_expected) + 1, 0), detail=detail)
        for index in range(self._checked_count, len(self._expected)):
            place = (index // per_page + 1, index % per_page + 1)
            serial = self._expected[index].serial
            self._note("missing", place, serial=serial, detail="the file ends before it")
        return VerifyReport(
            page_count=page_count,
            item_count=len(self._expected),
            good_count=self._good_count,
            problem_count=self._fault_count,
            problems=tuple(self._faults),
        )

    def _compare_codes(self, place: Place, item: ExpectedItem, texts: list[str]) -> None:
        if not texts:
            self._note("unreadable", place, serial=item.serial, detail="no code can be read here")
        if len(texts) > 1:
            self._note("extra", place, serial=item.serial, detail=f"{len(texts)} codes stand here")
        for text in texts:
            if text in self._seen:
                detail = (
                    f"the same code as on page {self._seen[text][0]}, cell {self._seen[text][1]}"
                )
                self._note("repeated", place, serial=item.serial, detail=detail)
            elif text in self._serial_by_code and text != item.qr_text:
                detail = f"the code of {self._serial_by_code[text]} stands here"
                self._note("wrong_code", place, serial=item.serial, detail=detail)
            elif text != item.qr_text:
                detail = "a code that is not on the list stands here"
                self._note("unknown_code", place, serial=item.serial, detail=detail)
            self._seen.setdefault(text, place)

    def _compare_words(self, place: Place, item: ExpectedItem, words: str) -> None:
        shown = set(words.split())
        others = (shown & self._serials) - {item.serial}
        if item.serial not in shown or others:
            detail = f"the serial reads {', '.join(sorted(others)) or 'otherwise or not at all'}"
            self._note("wrong_serial", place, serial=item.serial, detail=detail)
        if item.typed_code and item.typed_code not in "".join(words.split()):
            detail = "the typed code does not stand here"
            self._note("wrong_typed_code", place, serial=item.serial, detail=detail)

    def _note(self, kind: FaultKind, place: Place, *, serial: str = "", detail: str) -> None:
        self._fault_count += 1
        if len(self._faults) < PROBLEMS_MAX:
            page, cell = place
            fault = Fault(kind=kind, page=page, cell=cell, serial=serial, detail=detail)
            self._faults.append(fault)
