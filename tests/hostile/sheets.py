"""Files of shops from hell: every way in which a file is not what its name says."""

from __future__ import annotations

import io
import zipfile

HEADER = "number,name,area,address\n"


def _bomb() -> bytes:
    """Return an archive of a few kilobytes that would be a gigabyte."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(64):
            archive.writestr(f"{number}.csv", b"0" * (1 << 20))
    return packed.getvalue()


def _row(name: str, *, number: str = "9001", address: str = "x") -> bytes:
    return f'{HEADER}{number},"{name}",east,"{address}"\n'.encode()


REFUSED: dict[str, bytes] = {
    "nothing but a mark": b"\xef\xbb\xbf",
    "two marks": b"\xef\xbb\xbf\xef\xbb\xbf" + _row("x"),
    "UTF-16 without": (HEADER + "9001,x,east,x\n").encode("utf-16-le"),
    "UTF-32": (HEADER + "9001,x,east,x\n").encode("utf-32"),
    "UTF-7": HEADER.encode() + "9001,店,east,x\n".encode("utf-7").replace(b"9001", b"+"),
    "EUC-JP": (HEADER + "9001,見本商店、漢字,east,x\n").encode("euc_jp") + b"\x8f\xa2",
    "ISO-2022-JP": (HEADER + "9001,\x1b$B0!\x1b(B,east,x\n").encode(),
    "Shift_JIS cut in a character": (HEADER + "9001,店").encode("cp932")[:-1],
    "UTF-8 and Shift_JIS in turn": _row("店") + "9002,表示,east,x\n".encode("cp932"),
    "half a pair": HEADER.encode() + b"9001,\xed\xa0\x80,east,x\n",
    "beyond Unicode": HEADER.encode() + b"9001,\xf5\x80\x80\x80,east,x\n",
    "NULs": _row("a\0b"),
    "nothing but NULs": b"\0" * 100_000,
    "a quote that never ends": f'{HEADER}9001,"x,east,x\n'.encode() + b"y\n" * 10_000,
    "a quote inside a cell": HEADER.encode() + b'9001,x"y"z,east,x\n9002,"x"y,east,x\n',
    "quotes in quotes": HEADER.encode() + b'9001,"""""x""","east,x\n',
    "100,000 columns": b"x," * 100_000 + b"\n",
    "100,000 commas in a row": HEADER.encode() + b"," * 100_000 + b"\n",
    "a column 100,000 times": b"name," * 100_000 + b"\n",
    "a column twice": b"number,name,area,name\n9001,x,east,y\n",
    "a column nobody knows": b"number,name,area,tenant_id\n9001,x,east,y\n",
    "a cell of ten megabytes": _row("x" * 10_000_000),
    "a megabyte of one line": HEADER.encode() + b"x" * 1_000_000,
    "turned round": _row("\u202etxt.exe"),
    "isolated": _row("\u2066x\u2069"),
    "no width": _row("a\u200bb"),
    "a mark inside": _row("a\ufeffb"),
    "a soft hyphen": _row("a\u00adb"),
    "private letters": _row("\ue000"),
    "tags nobody sees": _row("a\U000e0041"),
    "a bell": _row("a\x07"),
    "an escape": _row("\x1b[2J"),
    "a deleted letter": _row("a\x7f"),
    "a thousand marks on a letter": _row("a" + "\u0301" * 1000),
    "a number from elsewhere": _row("x", number="\u0660\u0661"),
    "a program": b"\x7fELF" + bytes(range(256)) * 100,
    "a picture": b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 100,
    "a spreadsheet": b"PK\x03\x04" + bytes(range(256)) * 100,
    "a bomb": _bomb(),
    "a packed file": b"\x1f\x8b\x08\0" + bytes(range(256)) * 100,
    "markup": b"<html><script>alert(1)</script></html>",
    "an entity": b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>&e;',
    "JSON": b'[{"number": "9001"}]',
    "200,000 empty lines": b"\n" * 200_000,
    "100,001 lines": HEADER.encode() + b"-,x,east,x\n" * 100_001,
}
"""Nothing of these is taken, and each is told why by its line."""

TAKEN: dict[str, bytes] = {
    "formulas": b"".join(
        [HEADER.encode()]
        + [
            f'91{number:02},"{cell}",east,"{cell}"\n'.encode()
            for number, cell in enumerate(("=1+1", "+1", "-1", "@SUM(A1)", "'=1", "＝1"))
        ]
    ),
    "markup in a name": _row("<img src=x onerror=alert(1)>", number="9201"),
    "a statement in a name": _row("'); DROP TABLE shop_shops; --", number="9202"),
    "a template in a name": _row("{{7*7}}${7*7}%(x)s{0}", number="9203"),
    "line ends of every kind": b"number,name,area\r\n9204,a,east\n9205,b,east\r9206,c,east\r\n",
    "letters of other letters": _row("髙﨑①㈱ℌ", number="9207"),
    "overlong UTF-8, which is katakana": HEADER.encode() + b"9209,\xc0\xaf,east,x\n",
    "lines inside a cell": _row("x", number="9208", address="a\nb\r\nc"),
    "UTF-16 with its mark": (HEADER + "9210,x,east,x\n").encode("utf-16"),
    "semicolons": b"number;name;area\n9211;x;east\n",
    "tabs": b"number\tname\tarea\n9212\tx\teast\n",
}
"""These are texts, however they look; they are taken as they are and shown as texts."""
