"""A sample looks like a print and opens nothing."""

from __future__ import annotations

import csv
import json

import pypdfium2
import pytest
import zxingcpp
from click.testing import CliRunner

from giftpad import payments
from giftpad.cli.batch import batch
from tests import make

QUANTITY = 11


@pytest.fixture
def sample(tmp_path):
    """Print a sample by the command line and hand out its file, its list and what was told."""
    pdf, listed = tmp_path / "sample.pdf", tmp_path / "sample.csv"
    words = ["sample", "--quantity", str(QUANTITY), "--out", str(pdf), "--list", str(listed)]
    result = CliRunner().invoke(batch, [*words, "--json"])
    assert result.exit_code == 0, result.output
    with listed.open(encoding="utf-8", newline="") as file:
        return pdf, list(csv.DictReader(file)), json.loads(result.output)


def test_a_sample_can_be_read_as_its_list_says(sample):
    pdf, lines, told = sample
    with pypdfium2.PdfDocument(pdf) as document:
        read = [
            code.text
            for page in document
            for code in zxingcpp.read_barcodes(page.render(scale=2).to_pil())
        ]
        words = "".join(page.get_textpage().get_text_bounded() for page in document)
    assert sorted(read) == sorted(line["qr"] for line in lines)
    assert all(line["serial"] in words and line["typed_code"] in words for line in lines)
    assert (told["quantity"], told["page_count"]) == (QUANTITY, 2)
    assert told["coupons_per_s"] > 0


def test_no_code_of_a_sample_opens_anything(sample, house):
    town = make.make_town()
    _, lines, _ = sample
    for line in lines[:3]:
        for code in (line["qr"], line["typed_code"]):
            with pytest.raises(payments.InstrumentNotFound):
                payments.look_up(town.scope, code, town.shop_id)
    codes = {code for line in lines for code in (line["qr"], line["typed_code"])}
    assert len(codes) == 2 * QUANTITY
