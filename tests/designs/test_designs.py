"""The designs of gifts are good as they lie in the tree, and a bad one is told by file and line."""

from __future__ import annotations

import io
import shutil

import pytest
from PIL import Image

from giftpad import designs, tenancy
from giftpad.kernel.i18n import LOCALES
from giftpad.kernel.migrate import ROOT

FOLDER = ROOT / "gift_designs"
NAMES = sorted(path.name for path in FOLDER.iterdir() if path.is_dir())


def test_every_design_of_the_house_can_be_used():
    assert [str(problem) for problem in designs.check_designs()] == []
    assert sorted(design.name for design in designs.list_designs()) == NAMES
    assert len(NAMES) == 6


def test_they_stand_in_their_own_order():
    orders = [design.order for design in designs.list_designs()]
    assert orders == sorted(set(orders))


@pytest.mark.parametrize("name", NAMES)
def test_what_is_written_can_be_read(name):
    design = designs.get_design(name)
    for text, ground in (
        (design.ink, design.paper),
        (design.accent, design.paper),
        (design.paper, design.band),
    ):
        assert tenancy.contrast(text, ground) >= 4.5
    for locale in LOCALES:
        assert design.name_in(locale)
        assert design.occasion_in(locale)
        assert design.picture_in(locale)


@pytest.mark.parametrize("name", NAMES)
def test_its_picture_is_drawn_as_wide_as_asked(name):
    picture = Image.open(io.BytesIO(designs.picture_png(name, 1200)))
    assert (picture.format, picture.size) == ("PNG", (1200, 500))
    colours = picture.convert("RGB").getcolors(maxcolors=600_000)
    assert len(colours) > 8, "it is all but empty"


def test_a_design_that_does_not_exist_is_not_found():
    for asked in (designs.get_design, designs.art_svg, lambda name: designs.picture_png(name, 10)):
        with pytest.raises(designs.DesignNotFound):
            asked("../tenants")


BROKEN = [
    ("design.toml", 'ja = "結び"', "", "[names]", '"ja" is missing'),
    ("design.toml", 'ja = "結び"', 'jp = "結び"', "jp =", "jp"),
    ("design.toml", 'ink = "#22323D"', 'ink = "blue"', "ink =", "must be a colour"),
    ("design.toml", 'ink = "#22323D"', 'ink = "#8FA3B0"', "ink =", "ink on paper has a contrast"),
    ("design.toml", 'band = "#165E83"', 'band = "#C99B3F"', "paper =", "paper on band has"),
    ("design.toml", "order = 1", "order = 0", "order =", "between 1"),
    ("design.toml", "order = 1", "order = ", 1, "This is not TOML"),
    ("art.svg", "<rect", "<script>a()</script><rect", "<script>", "not allowed in a picture"),
    ("art.svg", "<rect", '<rect onload="a()"', "onload", '"onload" is not allowed'),
    ("art.svg", 'viewBox="0 0 720 300"', 'viewBox="0 0 72 30"', "viewBox", "another size"),
    ("art.svg", "</svg>", "", None, "This is not SVG"),
    ("art.svg", "</svg>", "<!-- " + "x" * 60_000 + " --></svg>", 1, "too large"),
]


@pytest.fixture
def folder(tmp_path):
    """A folder of one design, to be spoilt."""
    shutil.copytree(FOLDER / "musubi", tmp_path / "musubi")
    return tmp_path


@pytest.mark.parametrize(("file", "old", "new", "marker", "words"), BROKEN)
def test_a_broken_design_is_told_with_file_line_and_remedy(folder, file, old, new, marker, words):
    path = folder / "musubi" / file
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")
    problem = next(p for p in designs.check_designs(folder) if words in f"{p.fault} {p.remedy}")
    assert problem.file == f"musubi/{file}"
    assert problem.remedy
    if isinstance(marker, str):
        lines = path.read_text("utf-8").splitlines()
        assert marker in lines[problem.line - 1]
    elif marker is not None:
        assert problem.line == marker


def test_what_does_not_belong_is_told(folder):
    (folder / "musubi" / "run.py").touch()
    (folder / "No Name").mkdir()
    (folder / "empty").mkdir()
    told = {problem.file: problem.fault for problem in designs.check_designs(folder)}
    assert "no place" in told["musubi/run.py"]
    assert "no name" in told["No Name"]
    assert "missing" in told["empty/design.toml"]


def test_a_folder_without_designs_is_told(tmp_path):
    (problem,) = designs.check_designs(tmp_path)
    assert "no design" in problem.fault
