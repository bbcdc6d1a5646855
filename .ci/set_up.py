"""Make this checkout ready to run: everything that ``make run`` and ``make test`` need.

Needs nothing but Python 3.11 itself.  Each step prints one line with its time; a step whose
inputs have not changed since it last worked is skipped without a word.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
BIN = VENV / "bin"
STAMPS = VENV / "stamps"
LOCK = ROOT / "requirements" / "dev.lock"
PROJECT = ROOT / "pyproject.toml"
TRANSLATIONS = ROOT / "translations"
FONT_NAMES = ("core-400", "core-700", "num-400", "num-700")
FRONTEND = ROOT / "giftpad" / "portals" / "frontend"
STATIC = FRONTEND.parent / "static"
FONTS = tuple(FRONTEND / "fonts" / f"{name}.woff2" for name in FONT_NAMES)
NPM_LOCKS = ("print_templates/package-lock.json", "giftpad/portals/frontend/package-lock.json")
TRUST = {"NODE_USE_SYSTEM_CA": "1"}
"""npm trusts whom this machine trusts, as pip does: many networks sign for themselves."""
PYTHON_MIN = (3, 11)
TAIL_LINES = 25
CANNOT_GO_ON = 3


class SetUpFailed(Exception):
    """A step did not work; the text says what to do."""


@dataclass(frozen=True)
class Step:
    """One piece of the set-up: what it reads, what it must leave behind, how it is done."""

    name: str
    reads: tuple[Path, ...]
    leaves: tuple[Path, ...]
    work: Callable[[], None]

    @property
    def fingerprint(self) -> str:
        """What the step's inputs look like now."""
        digest = hashlib.sha256(f"{sys.version_info[:2]} {ROOT}".encode())
        for path in self.reads:
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
        return digest.hexdigest()

    @property
    def stamp(self) -> Path:
        """The file that remembers the inputs of the last time it worked."""
        return STAMPS / self.name.replace(" ", "-").replace("/", "-")

    @property
    def is_done(self) -> bool:
        """Whether nothing has changed since."""
        return (
            all(path.exists() for path in self.leaves)
            and self.stamp.exists()
            and self.stamp.read_text() == self.fingerprint
        )

    def run(self) -> None:
        """Do it, tell how long it took, and remember that it worked."""
        begun = time.monotonic()
        print(f"  {self.name:<28}", end="", flush=True)
        self.work()
        STAMPS.mkdir(parents=True, exist_ok=True)
        self.stamp.write_text(self.fingerprint)
        print(f"{time.monotonic() - begun:6.1f} s", flush=True)


def run_quietly(command: Iterable[str | Path], *, folder: Path = ROOT) -> None:
    """Run a program; its output is shown only when it fails."""
    words = [str(word) for word in command]
    path = f"{BIN}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    done = subprocess.run(
        words,
        cwd=folder,
        env=TRUST | os.environ | {"PATH": path, "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        tail = "\n".join(done.stdout.splitlines()[-TAIL_LINES:])
        message = f"`{' '.join(words)}` ended with code {done.returncode}:\n{tail}"
        raise SetUpFailed(message)


def check_python() -> None:
    """Refuse a Python that is too old, or one without what makes virtual environments."""
    if sys.version_info < PYTHON_MIN:
        found = ".".join(map(str, sys.version_info[:3]))
        message = (
            f"Giftpad needs Python 3.11 or newer; {sys.executable} is {found}. "
            "Install one, or name it: make PYTHON=/path/to/python3.11"
        )
        raise SetUpFailed(message)
    try:
        import ensurepip  # noqa: F401, PLC0415 - Debian ships it apart
    except ImportError:
        message = (
            "This Python cannot make virtual environments. "
            "On Debian and Ubuntu: apt-get install python3-venv"
        )
        raise SetUpFailed(message) from None


def make_venv() -> None:
    """Make the virtual environment, or make it anew where its Python is gone."""
    if (BIN / "python").exists() and is_whole(BIN / "python"):
        return
    if VENV.exists():
        shutil.rmtree(VENV)
    run_quietly([sys.executable, "-m", "venv", VENV])


def is_whole(python: Path) -> bool:
    """Tell whether the environment's interpreter starts, has pip, and was made for this folder."""
    pip = BIN / "pip"
    if not pip.exists() or str(BIN) not in pip.read_text():
        return False
    command = [python, "-c", "import pip"]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


def install_packages() -> None:
    """Install exactly what the lock file names, each file checked against its hash."""
    run_quietly([BIN / "python", "-m", "pip", "install", "-q", "--require-hashes", "-r", LOCK])


def install_project() -> None:
    """Install Giftpad itself, so that it runs from these sources."""
    options = ["-q", "--no-deps", "--no-build-isolation", "--editable"]
    run_quietly([BIN / "python", "-m", "pip", "install", *options, ROOT])


def install_node_packages(folder: Path) -> Callable[[], None]:
    """Return the work that installs what a package-lock.json names."""

    def work() -> None:
        options = ["--no-audit", "--no-fund", "--ignore-scripts", "--loglevel", "error"]
        run_quietly([BIN / "npm", "ci", *options], folder=folder)

    return work


def compile_translations() -> None:
    """Turn the translations into the form that programs read."""
    run_quietly([BIN / "pybabel", "-q", "compile", "-d", TRANSLATIONS])


def make_fonts() -> None:
    """Cut the typeface down to the characters that the pages use."""
    run_quietly([BIN / "python", ROOT / ".ci" / "make_fonts.py"])


def build_frontend() -> None:
    """Build what the pages load: styles, scripts, icons, fonts under hashed names."""
    run_quietly(
        [BIN / "node", FRONTEND / "node_modules" / "vite" / "bin" / "vite.js", "build"],
        folder=FRONTEND,
    )


def frontend_sources() -> tuple[Path, ...]:
    """Return every file that the built frontend is made from."""
    patterns = ("*.json", "*.ts", "css/**/*.css", "ts/**/*.ts", "fonts/*", "img/*")
    return tuple(sorted(path for pattern in patterns for path in FRONTEND.glob(pattern)))


def make_data_folder() -> None:
    """Make the folder that the data will lie in."""
    data_folder().mkdir(parents=True, exist_ok=True)


def data_folder() -> Path:
    """Return where the data will lie."""
    return ROOT / Path(os.environ.get("GIFTPAD_HOME") or "var").expanduser()


def steps() -> Iterable[Step]:
    """Return all steps in their order; each is built when those before it have run."""
    yield Step("virtual environment", (), (BIN / "python",), make_venv)
    yield Step("packages (hash-locked)", (LOCK,), (BIN / "granian",), install_packages)
    yield Step("giftpad itself", (PROJECT,), (BIN / "giftpad",), install_project)
    for name in NPM_LOCKS:
        lock = ROOT / name
        if lock.exists():
            packages = lock.parent / "node_modules"
            work = install_node_packages(lock.parent)
            yield Step(f"npm ci {lock.parent.name}", (lock,), (packages,), work)
    sources = tuple(sorted(TRANSLATIONS.glob("*/LC_MESSAGES/*.po")))
    if sources:
        compiled = tuple(path.with_suffix(".mo") for path in sources)
        yield Step("translations", sources, compiled, compile_translations)
    script, lock = ROOT / ".ci" / "make_fonts.py", ROOT / NPM_LOCKS[0]
    yield Step("fonts", (script, lock, *sources), FONTS, make_fonts)
    built = (STATIC / ".vite" / "manifest.json",)
    yield Step("frontend", frontend_sources(), built, build_frontend)
    yield Step("data folder", (), (data_folder(),), make_data_folder)


def main() -> int:
    """Run the steps that are needed, one set-up at a time."""
    check_python()
    door = os.open(ROOT, os.O_RDONLY)
    fcntl.flock(door, fcntl.LOCK_EX)  # `make run` and `make test` may begin together
    begun = time.monotonic()
    ran = 0
    for step in steps():
        if not step.is_done:
            if ran == 0:
                print("Setting up:")
            step.run()
            ran += 1
    if ran:
        print(f"  {'ready after':<28}{time.monotonic() - begun:6.1f} s", flush=True)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except SetUpFailed as error:
        print(f"\n{error}", file=sys.stderr)
        sys.exit(CANNOT_GO_ON)
