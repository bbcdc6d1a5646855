"""The rules of ours: each has its example, the code breaks none, and a planted fault is found."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from giftpad.kernel.migrate import ROOT

RULES = ROOT / ".semgrep"
SCANNER = ROOT / ".venv" / "scan" / "bin" / "semgrep"
FAULTS = {
    "sql-built-from-values": "def f(c, name):\n    c.execute(f'SELECT {name}')\n",
    "template-from-text": "import flask\n\nflask.render_template_string('x')\n",
    "words-for-a-shell": "import os\n\nos.system('ls')\n",
    "money-as-a-float": "def f(amount_minor):\n    return amount_minor / 2\n",
    "tenant-from-the-request": "def f():\n    return Scope(tenant_id=request.form['t'])\n",
    "B324": "import hashlib\n\nhashlib.md5(b'x')\n",
}


def rule_ids():
    return [
        name
        for file in sorted(RULES.glob("*.yml"))
        for name in re.findall(r"^  - id: (\S+)$", file.read_text(), re.MULTILINE)
    ]


def test_every_rule_has_an_example_to_find_and_one_to_leave_alone():
    text = "".join(p.read_text() for p in RULES.iterdir() if p.suffix != ".yml")
    found = re.findall(r"\bruleid: (\S+)", text)
    left = re.findall(r"\bok: (\S+)", text)
    names = rule_ids()
    assert len(names) > 20
    assert [name for name in names if name not in found] == []
    assert set(found) | set(left) <= set(names)


@pytest.mark.long
@pytest.mark.skipif(not SCANNER.exists(), reason="the scanners are installed by: make scan")
def test_the_code_is_clean_and_a_planted_fault_is_found(tmp_path):
    def scan(*places):
        return subprocess.run(
            [sys.executable, ".ci/scan.py", *places],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )

    clean = scan()
    assert clean.returncode == 0, clean.stdout
    for name, text in FAULTS.items():
        (tmp_path / f"{name}.py").write_text(text)
    spoilt = scan(str(tmp_path))
    assert spoilt.returncode == 1
    assert [name for name in FAULTS if name not in spoilt.stdout] == []
