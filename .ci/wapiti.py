"""Set up Wapiti in an environment of its own, ``.venv/wapiti``, and print where it lies.

Wapiti brings old versions of libraries that Giftpad uses too, so it never shares theirs.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv" / "wapiti"
LOCK = ROOT / "requirements" / "wapiti.lock"
STAMP = VENV / "lock.sha256"


def main() -> int:
    """Install what the lock file names, each file checked against its hash, unless it is there."""
    wanted = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    if not (STAMP.exists() and STAMP.read_text() == wanted):
        pip = [str(VENV / "bin" / "python"), "-m", "pip", "install", "-q"]
        subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
        subprocess.run([*pip, "--require-hashes", "-r", str(LOCK)], check=True)
        STAMP.write_text(wanted)
    print(VENV / "bin" / "wapiti")
    return 0


if __name__ == "__main__":
    sys.exit(main())
