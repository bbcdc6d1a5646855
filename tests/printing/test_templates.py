import json
import shutil

import pytest

from giftpad import printing
from giftpad.printing.adapters.templates import TEMPLATES_DIR


@pytest.fixture
def folder(tmp_path):
    copy = tmp_path / "coupon_single"
    shutil.copytree(TEMPLATES_DIR / "coupon_single", copy)
    return copy


def change(folder, edit):
    path = folder / "layout.json"
    content = json.loads(path.read_text("utf-8"))
    edit(content)
    path.write_text(json.dumps(content), "utf-8")


def element(content, kind):
    return next(element for element in content["elements"] if element["type"] == kind)


def replace(folder, file, old, new):
    path = folder / file
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


def test_the_templates_of_the_house_are_sound():
    infos = printing.list_templates()
    assert [info.name for info in infos] == [
        "coupon_a4_8up",
        "coupon_single",
        "gift_card_a4_8up",
        "gift_invoice_a4",
        "gift_letter_a4",
        "gift_print_control_a4",
    ]
    assert [problem for info in infos for problem in printing.check_template(info.name)] == []
    sheet, single, card, *_ = infos
    assert (sheet.paper, sheet.per_page, single.per_page, card.per_page) == ("A4", 8, 1, 8)
    assert sheet.fields["expires_on"].required
    assert [name for name, field in sheet.fields.items() if field.spends] == ["typed_code", "qr"]


@pytest.mark.parametrize(
    ("edit", "sentence"),
    [
        (lambda c: element(c, "text").update(text="{colour}"), "'colour' is not declared"),
        (lambda c: element(c, "text").update(text="{qr}"), "of kind qr"),
        (lambda c: element(c, "qr").update(field="serial"), "of kind serial"),
        (lambda c: element(c, "text").update(left=100), "leaves its cell"),
        (lambda c: element(c, "box").update(left=-3.5), "leaves its cell"),
        (lambda c: element(c, "qr").update(width=15, height=15), "smaller than 0.4 mm"),
        (lambda c: element(c, "text").update(text="券🎁"), "U+1F381"),
        (lambda c: element(c, "text").update(size=6), "6 is less than the minimum of 6.5"),
        (lambda c: element(c, "text").update(text=""), "should be non-empty"),
        (lambda c: element(c, "text").update(colour="red"), "'red' does not match"),
        (lambda c: element(c, "text").update(fontsize=9), "'fontsize' was unexpected"),
        (lambda c: element(c, "text").update(type="words"), "'words' is not one of"),
        (lambda c: c["grid"].update(columns=2), "do not fit on the page"),
        (lambda c: c["page"].update(width=150), "do not fit on the page"),
        (lambda c: c["grid"].update(left=5), "Crop marks need 7 mm"),
        (lambda c: c.pop("grid"), "'grid' is a required property"),
        (
            lambda c: c["elements"].append(
                {"type": "image", "left": 0, "top": 0, "width": 9, "height": 9, "file": "a.png"}
            ),
            "no picture a.png",
        ),
    ],
)
def test_a_fault_in_the_layout_is_named_with_place_and_remedy(edit, sentence, folder):
    change(folder, edit)
    problems = printing.check_template(folder)
    assert any(sentence in problem.sentence for problem in problems), problems
    for problem in problems:
        assert problem.file.parent == folder
        assert problem.place or problem.file.suffix == ".toml"
        assert problem.remedy
        assert "coupon_single/" in str(problem)


def test_neighbours_that_bleed_into_each_other_are_named(tmp_path):
    folder = tmp_path / "sheet"
    shutil.copytree(TEMPLATES_DIR / "coupon_a4_8up", folder)
    change(folder, lambda content: content["grid"].update(gap_x=5))
    (problem,) = printing.check_template(folder)
    assert "bleed into each other" in problem.sentence


@pytest.mark.parametrize(
    ("file", "old", "new", "sentence"),
    [
        ("template.toml", "per_page = 1", "per_page = 2", "has 1 cells, not 2"),
        ("template.toml", 'paper = "custom"', 'paper = "A4"', "A4 is 210 x 297 mm"),
        ("template.toml", 'paper = "custom"', 'paper = "B9"', "'B9' is not known"),
        ("template.toml", "[fields.shop_hint]", "[fields.hint]", "not declared"),
        ("template.toml", "[fields.notes]", "[fields.extra]\n[fields.notes]", "stands nowhere"),
        ("template.toml", 'kind = "qr"', 'kind = "barcode"', "Invalid enum value 'barcode'"),
        ("template.toml", "crop_marks", "cropmarks", "unknown field `cropmarks`"),
        ("template.toml", "per_page = 1", "per_page =", "line 3"),
        ("layout.json", '"elements": [', '"elements": [,', "line 5"),
        ("sample.json", "2027年5月31日", "", "needs a value for expires_on"),
        ("sample.json", "みほん市 くらし", "みほん市 くらし" * 20, "programme_name is too long"),
        ("sample.json", "{", "", "sample.json"),
    ],
)
def test_a_fault_in_a_file_is_named(file, old, new, sentence, folder):
    replace(folder, file, old, new)
    problems = printing.check_template(folder)
    assert any(sentence in problem.sentence for problem in problems), problems


@pytest.mark.parametrize("file", ["template.toml", "layout.json", "sample.json"])
def test_a_missing_file_is_named(file, folder):
    (folder / file).unlink()
    assert any(file in str(problem) for problem in printing.check_template(folder))


def test_a_broken_template_is_refused_with_its_first_problem(folder, items, printed):
    replace(folder, "layout.json", '"elements": [', '"elements": [,')
    with pytest.raises(printing.BrokenTemplate) as refusal:
        printed(items(1), "coupon_single", overrides_dir=folder.parent)
    assert "layout.json" in str(refusal.value.params["problem"])


def test_a_template_without_bleed_cannot_be_printed_with_it(folder, items, printed):
    replace(folder, "template.toml", "bleed_mm = 3", "bleed_mm = 0")
    with pytest.raises(printing.BrokenTemplate):
        printed(items(1), "coupon_single", overrides_dir=folder.parent, bleed=True)


def test_pictures_folds_and_lines_are_drawn(folder, items, printed):
    shutil.copyfile(folder / "preview.png", folder / "crest.png")

    def add(content):
        place = {"left": 1, "top": 1, "width": 8, "height": 8}
        content["elements"].append({"type": "image", "file": "crest.png", **place})
        content["elements"].append({"type": "fold", **place, "width": 0})
        content["elements"].append({"type": "line", **place, "dashes": [1, 2]})

    before = len(printed(items(1), "coupon_single").getvalue())
    change(folder, add)
    assert printing.check_template(folder) == []
    after = printed(items(1), "coupon_single", overrides_dir=folder.parent).getvalue()
    assert b"/Subtype /Image" in after
    assert len(after) > before
