import random

import pytest
import qrcode
import zxingcpp
from PIL import Image
from qrcode import constants, util

from giftpad.printing.rules import matrix

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"


def by_the_library(text, version, mask):
    code = qrcode.QRCode(
        version=version,
        error_correction=constants.ERROR_CORRECT_M,
        border=0,
        mask_pattern=mask,
    )
    code.add_data(util.QRData(text, mode=util.MODE_ALPHA_NUM))
    code.make(fit=False)
    return [[bool(dark) for dark in row] for row in code.modules]


def modules(code):
    grid = [[False] * code.size for _ in range(code.size)]
    for column, row, length in code.dark_runs():
        grid[row][column : column + length] = [True] * length
    return grid


def picture(code, scale=4, quiet=4):
    side = code.size + 2 * quiet
    image = Image.new("L", (side, side), 255)
    for column, row, length in code.dark_runs():
        image.paste(0, (column + quiet, row + quiet, column + quiet + length, row + quiet + 1))
    return image.resize((side * scale, side * scale), Image.Resampling.NEAREST)


@pytest.mark.parametrize("length", [20, 61, 62, 89, 90, 133])
def test_the_tables_make_what_the_library_makes(length):
    chance = random.Random(length)
    tables = matrix._tables(length)
    for _ in range(60):
        text = "".join(chance.choices(ALPHABET, k=length))
        assert modules(matrix.qr_matrix(text)) == by_the_library(text, tables.version, tables.mask)


@pytest.mark.parametrize(
    "text",
    ["A", "HTTPS://GIFTPAD.EXAMPLE/Q/" + "7" * 36, "https://giftpad.example/q/é", "7" * 300],
)
@pytest.mark.parametrize("encode", [matrix.qr_matrix, matrix.single_qr_matrix])
def test_any_text_is_read_back_from_its_picture(encode, text):
    (code,) = zxingcpp.read_barcodes(picture(encode(text)))
    assert code.text == text


def test_a_code_on_a_page_waits_for_no_tables():
    before = matrix._tables.cache_info()
    matrix.single_qr_matrix("HTTPS://GIFTPAD.EXAMPLE/Q/" + "7" * 99)
    matrix.qr_matrix("otpauth://totp/Giftpad:somebody@example.com?secret=" + "A" * 32)
    assert matrix._tables.cache_info() == before


def test_random_payment_texts_are_read_back():
    chance = random.Random(5)
    texts = ["".join(chance.choices(ALPHABET[:36], k=62)) for _ in range(200)]
    read = [
        zxingcpp.read_barcodes(picture(matrix.qr_matrix(text)), is_pure=True)[0].text
        for text in texts
    ]
    assert read == texts


def test_one_length_has_one_size_and_one_mask():
    sizes = {matrix.qr_matrix("A" * 61 + end).size for end in "0Z:"}
    assert sizes == {33}
